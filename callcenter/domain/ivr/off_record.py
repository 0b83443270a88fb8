"""Nodes that say what is not to be kept, or not to be done any more: recording off and on, no more calls to this number."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from callcenter.domain.ivr.document import CALLER
from callcenter.domain.ivr.expressions import Circumstances
from callcenter.domain.ivr.kind import Kind, Leave, OptOut, PauseRecording, ResumeRecording, Step
from callcenter.domain.ivr.node import NEXT, OTHERWISE, Node
from callcenter.domain.ivr.run import FlowRun

NOTED = "noted"
"""The outcome when the number is not called any more."""


@dataclass(frozen=True, slots=True)
class PauseRecordingNode(Node):
    """Nothing of the call is recorded from here on, until it is resumed or the flow run ends."""

    next: str

    def exits(self) -> Iterator[tuple[str, str]]:
        yield NEXT, self.next


@dataclass(frozen=True, slots=True)
class ResumeRecordingNode(Node):
    """The call may be recorded again."""

    next: str

    def exits(self) -> Iterator[tuple[str, str]]:
        yield NEXT, self.next


@dataclass(frozen=True, slots=True)
class OptOutNode(Node):
    """The caller does not want to be called any more; a prompt after it should confirm it."""

    next: str
    otherwise: str
    """When there is no number that could be called: withheld, or none."""
    attribute: str = CALLER
    """The attribute of the call that holds the number."""

    def exits(self) -> Iterator[tuple[str, str]]:
        yield NEXT, self.next
        yield OTHERWISE, self.otherwise

    def reads(self) -> Iterator[tuple[str, str]]:
        yield "attribute", self.attribute


def _pause(run: FlowRun, node: PauseRecordingNode, around: Circumstances) -> Step:
    return PauseRecording(Leave(NEXT, node.next))


def _resume(run: FlowRun, node: ResumeRecordingNode, around: Circumstances) -> Step:
    return ResumeRecording(Leave(NEXT, node.next))


def _opt_out(run: FlowRun, node: OptOutNode, around: Circumstances) -> Step:
    return OptOut(node.attribute)


def _opted_out(run: FlowRun, node: OptOutNode, outcome: str, around: Circumstances) -> Step:
    return Leave(NEXT, node.next) if outcome == NOTED else Leave(OTHERWISE, node.otherwise)


KINDS: Mapping[type, Kind] = {
    PauseRecordingNode: Kind(_pause),
    ResumeRecordingNode: Kind(_resume),
    OptOutNode: Kind(_opt_out, outcome=_opted_out),
}
