"""A flow: an IVR program as data, nodes and edges.

Prompts are ids of the prompt catalogue, never file names; values among them are said by ``ivr.speech``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from callcenter.domain.ivr.speech import Pieces, Spoken, pieces
from callcenter.domain.routing_config import Needs


@dataclass(frozen=True, slots=True)
class PromptNode:
    """Says something, then goes on."""

    prompt: Pieces
    next: str

    def targets(self) -> Iterator[str]:
        yield self.next


@dataclass(frozen=True, slots=True)
class MenuNode:
    """Says something and waits for one key; the caller may press it while we still speak."""

    prompt: Pieces
    choices: Mapping[str, str]
    """From key (0-9, *, #) to node."""
    otherwise: str
    """Where to go when no valid key came after all tries."""
    timeout: timedelta = timedelta(seconds=5)
    """How long to wait for a key after the prompt has ended."""
    tries: int = 3
    invalid_prompt: Pieces | None = None
    """Said before the menu is repeated after a wrong key or none."""

    def targets(self) -> Iterator[str]:
        yield from self.choices.values()
        yield self.otherwise


@dataclass(frozen=True, slots=True)
class CollectNode:
    """Says something and takes digits, from the first of them on in silence; they become an attribute of the call.

    The entry ends with the terminator, with the longest length, or when no further digit comes in time. An entry that
    is too short, or has another key in it, is asked for again.
    """

    prompt: Pieces
    attribute: str
    """Under which name the call keeps the digits, for later nodes and flows, queues and callbacks."""
    next: str
    otherwise: str
    """Where to go when no valid entry came after all tries."""
    min_length: int = 1
    max_length: int = 20
    terminator: str = "#"
    """The key that ends the entry; empty: none does."""
    first_digit: timedelta = timedelta(seconds=5)
    """How long to wait for the first digit after the prompt has ended."""
    next_digit: timedelta = timedelta(seconds=3)
    """How long to wait for each further digit."""
    tries: int = 3
    invalid_prompt: Pieces | None = None
    """Said before it is asked again."""

    def targets(self) -> Iterator[str]:
        yield self.next
        yield self.otherwise


@dataclass(frozen=True, slots=True)
class QueueNode:
    """Enters a queue; ends the flow run."""

    queue: str
    priority: int = 0
    needs: Needs = field(default_factory=Needs)

    def targets(self) -> Iterator[str]:
        return iter(())


@dataclass(frozen=True, slots=True)
class CallbackNode:
    """Promises a callback, at the place in the queue that the caller has left for it, if any; then goes on."""

    queue: str
    next: str
    """When it is promised."""
    otherwise: str
    """When the number is none that we call, or the queue calls nobody back."""
    attribute: str = "caller"
    """The attribute of the call that holds the number."""
    priority: int = 0
    """For who has not waited in the queue."""
    after: timedelta | None = None
    """The chosen time, from now on; None: when its turn comes."""

    def targets(self) -> Iterator[str]:
        yield self.next
        yield self.otherwise


@dataclass(frozen=True, slots=True)
class HangUpNode:
    """Ends the call."""

    def targets(self) -> Iterator[str]:
        return iter(())


Node = PromptNode | MenuNode | CollectNode | CallbackNode | QueueNode | HangUpNode
SpeakingNode = PromptNode | MenuNode | CollectNode


@dataclass(frozen=True, slots=True)
class Flow:
    """A named program; ``start`` is the first node."""

    name: str
    start: str
    nodes: Mapping[str, Node] = field(default_factory=dict)
    version: int = 0
    """The published one; 0: none that is published."""


CALLER = "caller"
"""The attribute that each call has from the beginning, unless it was withheld: the number it comes from."""


def say_and_hang_up(name: str) -> Flow:
    """A flow that says the prompt of its own name and ends the call."""
    return Flow(name, "say", {"say": PromptNode(name, "end"), "end": HangUpNode()})


GOODBYE = say_and_hang_up("goodbye")
"""What a caller gets who reached nobody: never silence."""

UNKNOWN_NUMBER = say_and_hang_up("unknown-number")
"""What answers a DID that nobody has configured."""

CONFIRM_READY = say_and_hang_up("you-are-ready")
CONFIRM_NOT_READY = say_and_hang_up("you-are-not-ready")
CONFIRM_DISPOSITION = say_and_hang_up("disposition-noted")
CONFIRM_EXTENDED = say_and_hang_up("wrap-up-extended")
CONFIRM_OPTED_IN = say_and_hang_up("queue-joined")
CONFIRM_OPTED_OUT = say_and_hang_up("queue-left")
CONFIRM_NOT_POSSIBLE = say_and_hang_up("not-possible")
"""What an agent hears who used a star code."""

CALLBACK_PROMISED = say_and_hang_up("callback-promised")
"""What a caller hears who took a callback."""

CALLBACK_GREETING = Flow("callback-greeting", "say", {"say": PromptNode("callback-greeting", "enter"), "enter": QueueNode("")})
"""What a caller hears whom we have called back, before an agent is there. Without a name, the queue is the callback's."""

CALLBACK_OFFER = "callback-offer"
"""The announcement that tells a waiting caller of it; a comfort prompt of the queue."""

CALLBACK_TO_AGENT = "callback-to-agent"
"""What an agent hears before the caller is dialed."""

BUILT_IN_FLOWS: Mapping[str, Flow] = {
    flow.name: flow
    for flow in (
        GOODBYE,
        CALLBACK_PROMISED,
        CALLBACK_GREETING,
        UNKNOWN_NUMBER,
        CONFIRM_READY,
        CONFIRM_NOT_READY,
        CONFIRM_DISPOSITION,
        CONFIRM_EXTENDED,
        CONFIRM_OPTED_IN,
        CONFIRM_OPTED_OUT,
        CONFIRM_NOT_POSSIBLE,
    )
}


_OFFER = "callback-offer:"


def callback_offer(queue: str) -> str:
    """The name of the flow that offers a callback to who has waited in this queue."""
    return f"{_OFFER}{queue}"


def _callback_offer(queue: str) -> Flow:
    """Who does not press the key, or cannot be called back, comes back to the place in line."""
    nodes: dict[str, Node] = {
        "offer": MenuNode("callback-offer", {"1": "promise"}, "back", tries=1),
        "promise": CallbackNode(queue, "promised", "back"),
        "promised": PromptNode(CALLBACK_PROMISED.name, "end"),
        "end": HangUpNode(),
        "back": QueueNode(queue),
    }
    return Flow(callback_offer(queue), "offer", nodes)


def built_in(name: str) -> Flow | None:
    """A flow that nobody has to write."""
    return _callback_offer(name.removeprefix(_OFFER)) if name.startswith(_OFFER) else BUILT_IN_FLOWS.get(name)


def faults(flow: Flow, queues: Mapping[str, object]) -> Iterator[str]:
    """Yield, one sentence each, what makes the flow unfit to run.

    Dangling targets, unknown queues, nodes that cannot be reached, loops without a way out.
    """
    if flow.start not in flow.nodes:
        yield f"start names node '{flow.start}', which does not exist; nodes: {_names(flow.nodes)}"
        return
    for name, node in flow.nodes.items():
        for target in node.targets():
            if target not in flow.nodes:
                yield f"node '{name}' goes to '{target}', which does not exist; nodes: {_names(flow.nodes)}"
        if isinstance(node, QueueNode) and node.queue not in queues:
            yield f"node '{name}' enters queue '{node.queue}', which does not exist; queues: {_names(queues)}"
        if isinstance(node, CallbackNode) and node.queue not in queues:
            yield f"node '{name}' calls back from queue '{node.queue}', which does not exist; queues: {_names(queues)}"
    for name, node in flow.nodes.items():
        yield from _collect_faults(name, node)
        if isinstance(node, SpeakingNode) and all(isinstance(piece, Spoken) for piece in pieces(node.prompt)):
            yield f"node '{name}' says values only, which may be missing; say a prompt beside them"
    yield from _callback_faults(flow)
    reached = _reachable(flow, flow.start)
    for name in flow.nodes:
        if name not in reached:
            yield f"node '{name}' cannot be reached from '{flow.start}'"
        elif not any(isinstance(flow.nodes[end], QueueNode | HangUpNode) for end in _reachable(flow, name)):
            yield f"node '{name}' has no way to a queue or a hang-up"


def _callback_faults(flow: Flow) -> Iterator[str]:
    """A circle in which nothing is said would go round for ever at once."""
    silent = Flow(flow.name, flow.start, {name: node for name, node in flow.nodes.items() if isinstance(node, CallbackNode)})
    for name, node in silent.nodes.items():
        if any(name in _reachable(silent, target) for target in node.targets()):
            yield f"node '{name}' comes back to itself without a word being said; put a prompt or a menu in between"


def _collect_faults(name: str, node: Node) -> Iterator[str]:
    if not isinstance(node, CollectNode):
        return
    if node.min_length > node.max_length:
        yield f"node '{name}' takes at least {node.min_length} digits and at most {node.max_length}, which no entry can be"
    if not node.attribute:
        yield f"node '{name}' has no attribute to keep the digits in"


def attributes_set(flow: Flow) -> frozenset[str]:
    """The attributes of the call that this flow may set."""
    return frozenset(node.attribute for node in flow.nodes.values() if isinstance(node, CollectNode))


def attributes_said(flow: Flow) -> Iterator[tuple[str, str]]:
    """Which node says which attribute."""
    for name, node in flow.nodes.items():
        if isinstance(node, SpeakingNode):
            again = None if isinstance(node, PromptNode) else node.invalid_prompt
            for piece in (*pieces(node.prompt), *pieces(again or ())):
                if isinstance(piece, Spoken):
                    yield name, piece.attribute


def _reachable(flow: Flow, start: str) -> set[str]:
    reached: set[str] = set()
    todo = [start]
    while todo:
        name = todo.pop()
        if name in reached or name not in flow.nodes:
            continue
        reached.add(name)
        todo.extend(flow.nodes[name].targets())
    return reached


def _names(names: Mapping[str, object]) -> str:
    return ", ".join(sorted(names)) or "none"
