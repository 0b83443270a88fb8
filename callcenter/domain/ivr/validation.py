"""What makes a flow unfit to run.

Each fault is a value that names the node and the key, so that whoever read the document can name file and line.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from callcenter.domain.ivr.deciding import GIVEN, ReturnNode, SubflowNode
from callcenter.domain.ivr.dipping import DipNode
from callcenter.domain.ivr.document import CALLER, LANGUAGE, Flow
from callcenter.domain.ivr.keys import CollectNode, LanguageNode
from callcenter.domain.ivr.kinds import KINDS
from callcenter.domain.ivr.leaving import HangUpNode, OutsideNode
from callcenter.domain.ivr.run import DEEPEST
from callcenter.domain.ivr.speech import LANGUAGES, Language, Spoken, pieces


class Fault(NamedTuple):
    """One thing that is wrong. ``node`` is empty for the document itself; ``key`` is empty for the node as a whole."""

    node: str
    key: str
    sentence: str

    def __str__(self) -> str:
        place = f"node '{self.node}'" if self.node else "the flow"
        return f"{place}{f', {self.key}' if self.key else ''}: {self.sentence}"


WORDS: frozenset[str] = frozenset().union(*(language.sounds() for language in LANGUAGES.values()))
"""What values are said with; not listed among the prompts there are."""
PLURALS: Mapping[str, str] = {
    "hours": "calendars",
    "list": "caller lists",
    "mailbox": "mailboxes",
    "queue with callbacks": "queues with callbacks",
}


@dataclass(frozen=True, slots=True)
class Known:
    """What exists beside the flow. What is not given here (None) is not checked."""

    names: Mapping[str, Collection[str]] = field(default_factory=dict)
    """By kind of thing (``queue``, ``hours``, ``list``, ``agent`` ...) the names there are."""
    flows: Mapping[str, Flow] = field(default_factory=dict)
    prompts: Mapping[str, Collection[str]] | None = None
    """The prompts of the catalogue, and the languages each can be said in; none given: in any."""
    speaks: Mapping[str, Language | None] = field(default_factory=dict)
    """The center's languages, and how each says values; None: nobody knows. Empty: languages are not checked."""
    refusal: Callable[[str], str] | None = None
    """Why a number outside may not be dialed; empty: it may."""
    attributes: Collection[str] = frozenset()
    """Set elsewhere: by other flows, by the center."""


def faults(flow: Flow, known: Known) -> Iterator[Fault]:
    """All that is wrong with the flow, the gravest first."""
    if flow.start not in flow.nodes:
        yield Fault("", "start", f"names node '{flow.start}', which does not exist; nodes: {_listed(flow.nodes)}")
        return
    dangling = list(_dangling(flow))
    yield from dangling
    yield from _references(flow, known)
    for name, node in flow.nodes.items():
        for key, sentence in node.faults():
            yield Fault(name, key, sentence)
        yield from _says_values_only(name, flow)
    yield from _languages(flow, known)
    yield from _prompts(flow, known)
    yield from _attributes(flow, known)
    yield from _subflows(flow, known)
    if not dangling:
        yield from _ways(flow, known)


# --- what it names ------------------------------------------------------------------------------


def _dangling(flow: Flow) -> Iterator[Fault]:
    for name, node in flow.nodes.items():
        for exit_name, target in node.exits():
            if target not in flow.nodes:
                yield Fault(name, node.exit_key(exit_name), f"goes to '{target}', which does not exist; nodes: {_listed(flow.nodes)}")
    if flow.on_error and flow.on_error not in flow.nodes:
        yield Fault("", "on_error", f"names node '{flow.on_error}', which does not exist; nodes: {_listed(flow.nodes)}")


def _references(flow: Flow, known: Known) -> Iterator[Fault]:
    for name, node in flow.nodes.items():
        for reference in node.references():
            there = known.names.get(reference.what)
            if there is not None and reference.name not in there:
                plural = PLURALS.get(reference.what, f"{reference.what}s")
                sentence = f"names {reference.what} '{reference.name}', which does not exist; {plural}: {_listed(there)}"
                yield Fault(name, reference.key, sentence)
        if isinstance(node, OutsideNode) and known.refusal is not None and (sentence := known.refusal(node.number)):
            yield Fault(name, "number", sentence)


def _languages(flow: Flow, known: Known) -> Iterator[Fault]:
    """Nobody may be spoken to in a language that the center, or the flow, does not speak."""
    for language in flow.languages if known.speaks else ():
        if language not in known.speaks:
            yield Fault("", "languages", f"names '{language}', which is none of center.languages: {', '.join(known.speaks)}")
    heard, whose = flow.languages or tuple(known.speaks), "the flow's" if flow.languages else "the center's"
    for name, node in flow.nodes.items():
        for key, language in node.choices.items() if isinstance(node, LanguageNode) and heard else ():
            if language not in heard:
                yield Fault(name, f"choices.{key}", f"offers language '{language}', which is none of {whose}; languages: {_listed(heard)}")


def _prompts(flow: Flow, known: Known) -> Iterator[Fault]:
    """Each prompt must exist, in each language in which the flow can be heard; and so must the words of each value."""
    if known.prompts is None:
        return
    languages = flow.languages or tuple(known.speaks)
    for name, node in flow.nodes.items():
        for key, said in node.says():
            for piece in pieces(said):
                if isinstance(piece, Spoken):
                    yield from (Fault(name, key, sentence) for sentence in _value_faults(piece, languages, known))
                elif piece not in known.prompts:
                    there = _listed(known.prompts.keys() - WORDS)
                    yield Fault(name, key, f"names prompt '{piece}', which does not exist; prompts: {there}")
                elif lacking := tuple(each for each in languages if known.prompts[piece] and each not in known.prompts[piece]):
                    yield Fault(name, key, lacking_prompt(piece, lacking, known.prompts[piece]))


def lacking_prompt(prompt: str, lacking: Collection[str], there: Collection[str]) -> str:
    """It can be said in other languages only."""
    missing, first = " and ".join(f"'{language}'" for language in lacking), next(iter(lacking))
    return (
        f"says prompt '{prompt}', which is missing in language {missing}; it is there in: {_listed(there)}; give it a text or a recording, "
        f"or say language.{first}.fallback"
    )


def _value_faults(piece: Spoken, languages: Collection[str], known: Known) -> Iterator[str]:
    """An amount without a currency may name one itself, so only what can never be said is a fault."""
    for language in languages:
        speaker = known.speaks.get(language)
        if language in known.speaks and speaker is None:
            yield f"says a value, but nobody knows how values are said in '{language}' (docs/prompts.md); give it rules or a fallback"
        elif speaker is not None and piece.currency and piece.currency not in speaker.currencies():
            yield f"says money in {piece.currency}, which has no words in '{language}'; currencies: {_listed(speaker.currencies())}"


def _says_values_only(name: str, flow: Flow) -> Iterator[Fault]:
    for key, said in flow.nodes[name].says():
        if all(isinstance(piece, Spoken) for piece in pieces(said)):
            yield Fault(name, key, "says values only, which may be missing; say a prompt beside them")


# --- attributes ---------------------------------------------------------------------------------


def attributes_set(flow: Flow) -> frozenset[str]:
    """The attributes of the call that this flow may set, its parameters included."""
    return frozenset((*flow.parameters, *(name for node in flow.nodes.values() for name in node.sets())))


def attributes_read(flow: Flow) -> Iterator[tuple[str, str, str]]:
    """Which node looks at which attribute, at which key: node, key, attribute."""
    for name, node in flow.nodes.items():
        for key, said in node.says():
            for piece in pieces(said):
                if isinstance(piece, Spoken):
                    yield name, key, piece.attribute
        for key, attribute in node.reads():
            yield name, key, attribute


def _attributes(flow: Flow, known: Known) -> Iterator[Fault]:
    there = {CALLER, LANGUAGE, *GIVEN, *attributes_set(flow), *known.attributes}
    secrets = {node.attribute for node in flow.nodes.values() if isinstance(node, CollectNode) and node.secret}
    for name, key, attribute in attributes_read(flow):
        if attribute in secrets and attribute not in there:
            yield Fault(name, key, f"reads '{attribute}', which is secret and for data dips only")
        elif attribute not in there:
            yield Fault(name, key, f"reads attribute '{attribute}', which nothing sets; attributes: {_listed(there)}")
    secrets |= {
        node.attribute for other in known.flows.values() for node in other.nodes.values() if isinstance(node, CollectNode) and node.secret
    }
    for name, dip in flow.nodes.items():
        for key, attribute in dip.asks_with() if isinstance(dip, DipNode) else ():
            if attribute not in there and attribute not in secrets:
                yield Fault(name, key, f"asks with attribute '{attribute}', which nothing sets; attributes: {_listed({*there, *secrets})}")


# --- sub-flows ----------------------------------------------------------------------------------


def subflows(flow: Flow, flows: Mapping[str, Flow]) -> Mapping[str, Flow]:
    """All flows it may enter, directly or by way of others, as far as they exist."""
    found: dict[str, Flow] = {}
    todo = [flow]
    while todo:
        for node in todo.pop().nodes.values():
            if isinstance(node, SubflowNode) and node.flow in flows and node.flow not in found:
                found[node.flow] = flows[node.flow]
                todo.append(flows[node.flow])
    return found


def _subflows(flow: Flow, known: Known) -> Iterator[Fault]:
    for name, node in flow.nodes.items():
        if not isinstance(node, SubflowNode):
            continue
        sub = known.flows.get(node.flow)
        if sub is None:
            yield Fault(name, "flow", f"names flow '{node.flow}', which does not exist; flows: {_listed(known.flows)}")
        elif node.flow == flow.name or flow.name in subflows(sub, known.flows):
            yield Fault(name, "flow", f"enters flow '{node.flow}', from where it comes to itself; a flow may not be inside itself")
        else:
            yield from _handed_over(name, node, sub)


def _handed_over(name: str, node: SubflowNode, sub: Flow) -> Iterator[Fault]:
    for missing in [parameter for parameter in sub.parameters if parameter not in node.parameters]:
        yield Fault(name, "parameters", f"does not give '{missing}', which flow '{sub.name}' needs")
    for unknown in [parameter for parameter in node.parameters if parameter not in sub.parameters]:
        yield Fault(name, f"parameters.{unknown}", f"is no parameter of flow '{sub.name}'; parameters: {_listed(sub.parameters)}")
    outcomes = {inner.outcome for inner in sub.nodes.values() if isinstance(inner, ReturnNode)}
    if not outcomes:
        yield Fault(name, "flow", f"enters flow '{sub.name}', which never comes back; it has no return node")
    for unknown in [outcome for outcome in node.outcomes if outcome not in outcomes]:
        yield Fault(name, f"outcomes.{unknown}", f"is no outcome of flow '{sub.name}'; outcomes: {_listed(filter(None, outcomes))}")


def comes_back(flow: Flow) -> bool:
    """Whether it is a sub-flow: it returns to the flow that entered it, and so cannot stand at the beginning of a call."""
    return any(isinstance(node, ReturnNode) for node in flow.nodes.values())


# --- ways through -------------------------------------------------------------------------------


def _ways(flow: Flow, known: Known) -> Iterator[Fault]:
    roots = [flow.start, *([flow.on_error] if flow.on_error else [])]
    reached: set[str] = set().union(*(reachable(flow, root) for root in roots))
    for name in flow.nodes:
        if name not in reached:
            yield Fault(name, "", f"cannot be reached from '{flow.start}'")
        elif not any(_ends(flow, end) for end in reachable(flow, name)):
            yield Fault(name, "", "has no way to a queue, a hang-up or another end")
    silent = {name for name in flow.nodes if not _takes_time(flow, name, known)}
    if flow.on_error in silent and any(_ends_unheard(flow, name) for name in reachable(flow, flow.on_error, silent.__contains__)):
        yield Fault("", "on_error", f"leads to '{flow.on_error}', from where a call may end without a word; say a prompt there")
    for name in flow.nodes:
        if name in silent and any(name in reachable(flow, target, silent.__contains__) for target in flow.nodes[name].targets()):
            yield Fault(name, "", "comes back to itself without a word being said; put a prompt or a menu in between")


def _ends(flow: Flow, name: str) -> bool:
    kind = KINDS.get(type(flow.nodes[name]))
    return kind is not None and kind.ends


def _ends_unheard(flow: Flow, name: str) -> bool:
    """A queue says something itself; a sub-flow that comes back does not."""
    return isinstance(flow.nodes[name], HangUpNode | ReturnNode)


def _takes_time(flow: Flow, name: str, known: Known, depth: int = 0) -> bool:
    """Whether the caller hears or does something there, on every way through it."""
    node = flow.nodes[name]
    sub = known.flows.get(node.flow) if isinstance(node, SubflowNode) else None
    if sub is not None and depth < DEEPEST:
        silent = {inner for inner in sub.nodes if not _takes_time(sub, inner, known, depth + 1)}
        return not any(isinstance(sub.nodes[inner], ReturnNode) for inner in reachable(sub, sub.start, silent.__contains__))
    kind = KINDS.get(type(node))
    return kind is not None and kind.takes_time


def reachable(flow: Flow, start: str, within: Callable[[str], bool] = lambda name: True) -> set[str]:
    """The nodes that can be come to from there, that one included."""
    reached: set[str] = set()
    todo = [start]
    while todo:
        name = todo.pop()
        if name in reached or name not in flow.nodes or not within(name):
            continue
        reached.add(name)
        todo.extend(flow.nodes[name].targets())
    return reached


def _listed(names: "Collection[str] | Iterator[str]") -> str:
    return ", ".join(sorted(set(names))) or "none"
