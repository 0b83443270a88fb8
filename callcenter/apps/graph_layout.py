"""Where the boxes of a flow stand: in layers from the start downwards, with as few crossings as a simple method gives.

The steps are those of Sugiyama, Tagawa and Toda (1981): turn round what leads back, put each box below those that lead to it,
let long edges pass through every layer between, order each layer by the places of its neighbours, then draw near to them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SWEEPS = 12
GAP = 28.0
"""Between two boxes side by side, in pixels."""
PASSING = 14.0
"""The width that an edge needs that passes through a layer."""


@dataclass(slots=True)
class Layout:
    """Centres of boxes by name, and the places that edges pass through."""

    layers: list[list[str]]
    x: dict[str, float]
    passing: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """By edge: the places in the layers between, from source to target."""
    back: set[tuple[str, str]] = field(default_factory=set)
    """Edges that lead upwards."""

    @property
    def width(self) -> float:
        return max(self.x.values(), default=0.0)


def lay_out(start: str, edges: Sequence[tuple[str, str]], widths: Mapping[str, float]) -> Layout:
    """Boxes of these widths; ``start`` is in the first layer."""
    names = list(widths)
    targets: dict[str, list[str]] = {name: [] for name in names}
    for source, target in dict.fromkeys(edges):
        if source != target:
            targets[source].append(target)
    back = _back_edges(start, names, targets)
    down = {name: [target for target in there if (name, target) not in back] for name, there in targets.items()}
    for source, target in back:
        if source not in down[target]:
            down[target].append(source)
    level = _levels(names, down)
    layout = Layout([[] for _ in range(max(level.values(), default=0) + 1)], {}, back=back)
    for name in names:
        layout.layers[level[name]].append(name)
    links = _links(layout, level, down)
    _order(layout.layers, links)
    _place(layout, links, {**{name: PASSING for layer in layout.layers for name in layer}, **widths})
    return layout


def _back_edges(start: str, names: Sequence[str], targets: Mapping[str, Sequence[str]]) -> set[tuple[str, str]]:
    """Those that lead to where one has come from, on a walk from the start."""
    back: set[tuple[str, str]] = set()
    done: set[str] = set()
    for first in (start, *names):
        if first in done or first not in targets:
            continue
        open_: dict[str, int] = {first: 0}
        while open_:
            name, place = next(reversed(open_.items()))
            if place == len(targets[name]):
                done.add(open_.popitem()[0])
                continue
            open_[name] += 1
            target = targets[name][place]
            if target in open_:
                back.add((name, target))
            elif target not in done:
                open_[target] = 0
    return back


def _levels(names: Sequence[str], down: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The longest way from above."""
    waiting = dict.fromkeys(names, 0)
    for there in down.values():
        for target in there:
            waiting[target] += 1
    level = dict.fromkeys(names, 0)
    ready = [name for name in names if not waiting[name]]
    while ready:
        name = ready.pop()
        for target in down[name]:
            level[target] = max(level[target], level[name] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    return level


def _links(layout: Layout, level: Mapping[str, int], down: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Edges from layer to layer; long ones through places of their own."""
    links = []
    for source, there in down.items():
        for target in there:
            way = []
            for number in range(level[source] + 1, level[target]):
                place = f"\0{source}\0{target}\0{number}"
                layout.layers[number].append(place)
                way.append(place)
            links += list(zip([source, *way], [*way, target], strict=True))
            layout.passing[source, target] = way
            layout.passing[target, source] = way[::-1]
    return links


def _order(layers: list[list[str]], links: Sequence[tuple[str, str]]) -> None:
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for upper, lower in links:
        above.setdefault(lower, []).append(upper)
        below.setdefault(upper, []).append(lower)
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        neighbours = above if downwards else below
        for number in range(len(layers)) if downwards else reversed(range(len(layers))):
            beside = number - 1 if downwards else number + 1
            if not 0 <= beside < len(layers):
                continue
            places = {name: place for place, name in enumerate(layers[beside])}
            here = {name: place for place, name in enumerate(layers[number])}
            means = {name: _mean([places[near] for near in neighbours.get(name, ())], here[name]) for name in layers[number]}
            layers[number].sort(key=lambda name, means=means, here=here: (means[name], here[name]))  # type: ignore[misc]


def _mean(places: Sequence[float], otherwise: float) -> float:
    return sum(places) / len(places) if places else otherwise


def _place(layout: Layout, links: Sequence[tuple[str, str]], widths: Mapping[str, float]) -> None:
    near: dict[str, list[str]] = {}
    for upper, lower in links:
        near.setdefault(lower, []).append(upper)
        near.setdefault(upper, []).append(lower)
    for layer in layout.layers:
        _apart(layer, dict.fromkeys(layer, 0.0), layout.x, widths)
    for _ in range(SWEEPS):
        for layer in (*layout.layers, *reversed(layout.layers)):
            wanted = {name: _mean([layout.x[other] for other in near.get(name, ())], layout.x[name]) for name in layer}
            _apart(layer, wanted, layout.x, widths)
    left = min((layout.x[name] - widths[name] / 2 for name in layout.x), default=0.0)
    for name in layout.x:
        layout.x[name] -= left


def _apart(layer: Sequence[str], wanted: Mapping[str, float], x: dict[str, float], widths: Mapping[str, float]) -> None:
    """As near as possible to where each wants to be, in this order and without touching: groups that meet move as one."""
    groups: list[tuple[float, int, list[str]]] = []  # where the first of the group is to be, summed; how many; who
    offset: dict[str, float] = {}
    at = 0.0
    for place, name in enumerate(layer):
        if place:
            before = layer[place - 1]
            at += (widths[before] + widths[name]) / 2 + GAP
        offset[name] = at
        groups.append((wanted[name] - at, 1, [name]))
        while len(groups) > 1 and groups[-2][0] / groups[-2][1] > groups[-1][0] / groups[-1][1]:
            total, count, who = groups.pop()
            groups[-1] = (groups[-1][0] + total, groups[-1][1] + count, groups[-1][2] + who)
    for total, count, who in groups:
        for name in who:
            x[name] = total / count + offset[name]
