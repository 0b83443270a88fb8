"""A flow as a picture (SVG) or in words: its nodes, where each leads, and how many callers went there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

from callcenter.apps.graph_layout import Layout, lay_out

LINE, PAD = 15.0, 8.0
LAYER_GAP, MARGIN = 62.0, 24.0
LETTER = 6.6
"""The width of a letter of 11 pixels, about."""
LONGEST = 34
"""Letters on one line of a box."""
COLOURS = {
    "prompt": "#e3f2fd",
    "menu": "#fff3cd",
    "collect": "#fff3cd",
    "language": "#fff3cd",
    "speech": "#ffe0b2",
    "survey": "#ffe0b2",
    "condition": "#ede7f6",
    "set": "#ede7f6",
    "dip": "#fce4ec",
    "queue": "#d7f0dd",
    "callback": "#d7f0dd",
    "transfer": "#d7f0dd",
    "voicemail": "#d7f0dd",
    "flow": "#e0f2f1",
    "return": "#e0f2f1",
    "hang_up": "#eceff1",
}


@dataclass(frozen=True, slots=True)
class Box:
    """A node."""

    name: str
    kind: str
    lines: Sequence[str] = ()
    """What it says or does, in short."""


@dataclass(frozen=True, slots=True)
class Arrow:
    """A way out of a node."""

    source: str
    label: str
    target: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A flow to be drawn."""

    title: str
    start: str
    boxes: Mapping[str, Box]
    arrows: Sequence[Arrow]
    traffic: Mapping[tuple[str, str, str], int] | None = None
    """Callers by source, way out and target; None: nothing is known."""
    subtitle: str = ""

    def callers(self, arrow: Arrow) -> int:
        return (self.traffic or {}).get((arrow.source, arrow.label, arrow.target), 0)

    def label(self, arrow: Arrow) -> str:
        return arrow.label if self.traffic is None else f"{arrow.label}: {self.callers(arrow)}"


def words(picture: Picture) -> str:
    """From the start on, each node with its ways out."""
    lines = [picture.title, *([picture.subtitle] if picture.subtitle else [])]
    for name in _walk(picture):
        box = picture.boxes[name]
        lines.append(f"{name} ({box.kind}){': ' if box.lines else ''}{'; '.join(box.lines)}")
        for arrow in picture.arrows:
            if arrow.source == name:
                lines.append(f"    {picture.label(arrow)} -> {arrow.target}")
    return "\n".join(lines)


def _walk(picture: Picture) -> Iterator[str]:
    seen = [picture.start] if picture.start in picture.boxes else []
    for name in seen:
        seen += dict.fromkeys(
            arrow.target for arrow in picture.arrows if arrow.source == name and arrow.target in picture.boxes and arrow.target not in seen
        )
    yield from seen
    yield from (name for name in picture.boxes if name not in seen)


# --- SVG ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sheet:
    """Where everything stands, in pixels."""

    layout: Layout
    sizes: Mapping[str, tuple[float, float]]
    """Width and height of each box."""
    middle: Mapping[str, float]
    """From box or passing place to the middle of its layer, from above."""
    height: float

    def x(self, name: str) -> float:
        return self.layout.x[name] + MARGIN

    def right(self, name: str) -> float:
        return self.x(name) + self.sizes[name][0] / 2

    def top(self, name: str) -> float:
        return self.middle[name] - self.sizes[name][1] / 2

    def bottom(self, name: str) -> float:
        return self.middle[name] + self.sizes[name][1] / 2


def svg(picture: Picture) -> str:
    """A whole SVG document; nothing in it is loaded from elsewhere or runs."""
    arrows = [arrow for arrow in picture.arrows if arrow.source in picture.boxes and arrow.target in picture.boxes]
    sheet = _sheet(picture, arrows)
    width = max((sheet.right(name) for name in picture.boxes), default=200.0) + MARGIN + 60
    width, height = max(width, max(len(picture.title) * 9, len(picture.subtitle) * LETTER) + 2 * MARGIN), sheet.height
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="sans-serif" font-size="11">',
            f"<title>{escape(picture.title)}</title>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" '
            'orient="auto"><path d="M0,0L8,4L0,8z" fill="#546e7a"/></marker></defs>',
            '<rect width="100%" height="100%" fill="white"/>',
            f'<text x="{MARGIN:.0f}" y="24" font-size="15" font-weight="bold">{escape(picture.title)}</text>',
            f'<text x="{MARGIN:.0f}" y="40" fill="#607d8b">{escape(picture.subtitle)}</text>',
            *_edges(picture, arrows, sheet),
            *(part for name, box in picture.boxes.items() for part in _box(box, name == picture.start, sheet)),
            "</svg>\n",
        ]
    )


def _sheet(picture: Picture, arrows: Sequence[Arrow]) -> Sheet:
    sizes = {name: _size(box) for name, box in picture.boxes.items()}
    widths = {name: width for name, (width, _) in sizes.items()}
    layout = lay_out(picture.start, [(arrow.source, arrow.target) for arrow in arrows], widths)
    at, middle = MARGIN + 30, dict[str, float]()
    for layer in layout.layers:
        tall = max((sizes[name][1] for name in layer if name in sizes), default=LINE)
        middle |= dict.fromkeys(layer, at + tall / 2)
        at += tall + LAYER_GAP
    return Sheet(layout, sizes, middle, at - LAYER_GAP + MARGIN)


def _size(box: Box) -> tuple[float, float]:
    longest = max(len(f"{box.name}  {box.kind}") + 2, *(min(len(line), LONGEST) for line in box.lines), 10)
    return longest * LETTER + 2 * PAD, LINE * (1 + len(box.lines)) + 2 * PAD - 2


def _box(box: Box, first: bool, sheet: Sheet) -> Iterator[str]:
    width, height = sheet.sizes[box.name]
    left, top = sheet.x(box.name) - width / 2, sheet.top(box.name)
    look = f'fill="{COLOURS.get(box.kind, "#f5f5f5")}" ' + ('stroke="#263238" stroke-width="2"' if first else 'stroke="#90a4ae"')
    yield f"<g id={quoteattr('node-' + box.name)}>"
    yield f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="5" {look}/>'
    yield (
        f'<text x="{left + PAD:.1f}" y="{top + LINE + 2:.1f}"><tspan font-weight="bold">{escape(box.name)}</tspan>'
        f'<tspan dx="6" fill="#607d8b">{escape(box.kind)}</tspan></text>'
    )
    for number, line in enumerate(box.lines, 2):
        short = line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
        yield f'<text x="{left + PAD:.1f}" y="{top + number * LINE + 2:.1f}" fill="#37474f">{escape(short)}</text>'
    yield "</g>"


def _edges(picture: Picture, arrows: Sequence[Arrow], sheet: Sheet) -> Iterator[str]:
    """Ways out that lead to the same node are one line with all their labels."""
    together: dict[tuple[str, str], list[Arrow]] = {}
    for arrow in arrows:
        together.setdefault((arrow.source, arrow.target), []).append(arrow)
    went = {ends: sum(map(picture.callers, ways)) for ends, ways in together.items()}
    most = max(went.values(), default=0)
    for (source, target), ways in together.items():
        callers, label = went[source, target], ", ".join(map(picture.label, ways))
        thick = 1.0 + 4.0 * (callers / most) ** 0.5 if most else 1.2
        points = _way(source, target, sheet)
        dashed = ' stroke-dasharray="5 3"' if (source, target) in sheet.layout.back or source == target else ""
        colour = "#b0bec5" if picture.traffic is not None and not callers else "#546e7a"
        yield f'<path d="{_curve(points)}" fill="none" stroke="{colour}" stroke-width="{thick:.1f}"{dashed} marker-end="url(#tip)"/>'
        x, y = _label_place(points)
        yield (
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" font-size="10" fill="#263238" paint-order="stroke" '
            f'stroke="white" stroke-width="3">{escape(label)}</text>'
        )


def _way(source: str, target: str, sheet: Sheet) -> list[tuple[float, float]]:
    """From the lower edge of the source to the upper edge of the target; what leads back leaves and comes in at the right."""
    if source == target:
        right, middle = sheet.right(source), sheet.middle[source]
        return [(right, middle - 6), (right + 26, middle - 6), (right + 26, middle + 8), (right, middle + 8)]
    between = [(sheet.x(place), sheet.middle[place]) for place in sheet.layout.passing.get((source, target), ())]
    if (source, target) in sheet.layout.back:
        leave, arrive = (sheet.right(source) - 12, sheet.top(source)), (sheet.right(target) - 12, sheet.bottom(target))
        return [leave, *between, arrive]
    return [(sheet.x(source), sheet.bottom(source)), *between, (sheet.x(target), sheet.top(target))]


def _curve(points: Sequence[tuple[float, float]]) -> str:
    """Smooth: each piece leaves and arrives upright."""
    path = f"M{points[0][0]:.1f},{points[0][1]:.1f}"
    for (left, top), (right, bottom) in pairwise(points):
        half = (top + bottom) / 2
        path += f" C{left:.1f},{half:.1f} {right:.1f},{half:.1f} {right:.1f},{bottom:.1f}"
    return path


def _label_place(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    (left, top), (right, bottom) = points[0], points[1]
    return left + (right - left) * 0.4, top + (bottom - top) * 0.45 + 3
