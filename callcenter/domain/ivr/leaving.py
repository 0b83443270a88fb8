"""Nodes with which a flow hands the caller on: queue, callback, transfer, hang up."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from callcenter.domain.ivr.document import CALLER
from callcenter.domain.ivr.expressions import Circumstances
from callcenter.domain.ivr.kind import DialOut, EnterQueue, HangUpCaller, Kind, Leave, PromiseCallback, Step
from callcenter.domain.ivr.node import NEXT, OTHERWISE, Node, Reference
from callcenter.domain.ivr.run import FlowRun
from callcenter.domain.routing_config import Needs

CALLS_BACK = "queue with callbacks"
"""A queue that has rules for them; any other promises none."""
PROMISED, REFUSED = "promised", "refused"
"""Whether a callback was promised."""


@dataclass(frozen=True, slots=True)
class QueueNode(Node):
    """Enters a queue; ends the flow run."""

    queue: str
    priority: int = 0
    needs: Needs = field(default_factory=Needs)

    def references(self) -> Iterator[Reference]:
        yield Reference("queue", "queue", self.queue)


@dataclass(frozen=True, slots=True)
class CallbackNode(Node):
    """Promises a callback, at the place in the queue that the caller has left for it, if any; then goes on."""

    queue: str
    next: str
    """When it is promised."""
    otherwise: str
    """When the number is none that we call, or the queue calls nobody back."""
    attribute: str = CALLER
    """The attribute of the call that holds the number."""
    priority: int = 0
    """For who has not waited in the queue."""
    after: timedelta | None = None
    """The chosen time, from now on; None: when its turn comes."""

    def exits(self) -> Iterator[tuple[str, str]]:
        yield NEXT, self.next
        yield OTHERWISE, self.otherwise

    def reads(self) -> Iterator[tuple[str, str]]:
        yield "attribute", self.attribute

    def references(self) -> Iterator[Reference]:
        yield Reference("queue", "queue", self.queue)
        yield Reference("queue", CALLS_BACK, self.queue)


@dataclass(frozen=True, slots=True)
class TransferNode(Node):
    """Hands the caller to one agent, who must be ready; ends the flow run, unless she does not answer."""

    agent: str
    queue: str
    """Of which queue the contact is."""
    otherwise: str
    """When she is not ready, or does not answer."""
    wait: timedelta = timedelta(seconds=20)
    """She has so long to answer."""
    priority: int = 0

    def exits(self) -> Iterator[tuple[str, str]]:
        yield OTHERWISE, self.otherwise

    def references(self) -> Iterator[Reference]:
        yield Reference("agent", "agent", self.agent)
        yield Reference("queue", "queue", self.queue)


@dataclass(frozen=True, slots=True)
class OutsideNode(Node):
    """Hands the caller on to a number outside; ends the flow run once somebody has answered there."""

    number: str
    """E.164."""
    otherwise: str
    """When it is busy, does not answer in time, or may not be dialed."""
    ring: timedelta = timedelta(seconds=30)

    def exits(self) -> Iterator[tuple[str, str]]:
        yield OTHERWISE, self.otherwise


@dataclass(frozen=True, slots=True)
class HangUpNode(Node):
    """Ends the call."""


def _queue(run: FlowRun, node: QueueNode, around: Circumstances) -> Step:
    return EnterQueue(node.queue, node.priority, node.needs)


def _callback(run: FlowRun, node: CallbackNode, around: Circumstances) -> Step:
    return PromiseCallback(node.queue, node.attribute, node.priority, node.after)


def _promised(run: FlowRun, node: CallbackNode, outcome: str, around: Circumstances) -> Step:
    return Leave(NEXT, node.next) if outcome == PROMISED else Leave(OTHERWISE, node.otherwise)


def _transfer(run: FlowRun, node: TransferNode, around: Circumstances) -> Step:
    if not around.is_ready(node.agent):
        return Leave(OTHERWISE, node.otherwise)
    return EnterQueue(node.queue, node.priority, Needs(agent=node.agent, agent_wait=node.wait), comes_back=True)


def _outside(run: FlowRun, node: OutsideNode, around: Circumstances) -> Step:
    return DialOut(node.number, node.ring)


def _not_answered(run: FlowRun, node: TransferNode | OutsideNode, outcome: str, around: Circumstances) -> Step:
    return Leave(OTHERWISE, node.otherwise)


def _hang_up(run: FlowRun, node: HangUpNode, around: Circumstances) -> Step:
    return HangUpCaller()


KINDS: Mapping[type, Kind] = {
    QueueNode: Kind(_queue, ends=True),
    CallbackNode: Kind(_callback, outcome=_promised),
    TransferNode: Kind(_transfer, outcome=_not_answered, ends=True),
    OutsideNode: Kind(_outside, outcome=_not_answered, takes_time=True, ends=True),
    HangUpNode: Kind(_hang_up, ends=True),
}
