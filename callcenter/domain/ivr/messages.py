"""The node at which a caller is at a mailbox: to leave a message, or to listen to those in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from callcenter.domain.ivr.expressions import Circumstances
from callcenter.domain.ivr.kind import Kind, Leave, Step
from callcenter.domain.ivr.node import NEXT, OTHERWISE, Node, Reference
from callcenter.domain.ivr.run import FlowRun

KEPT = frozenset({"left", "listened"})
"""What a visit comes to when it went well (``facts.VisitOutcome``)."""


@dataclass(frozen=True, slots=True)
class VoicemailNode(Node):
    """The caller leaves a message in the mailbox; or listens to one, which is asked for by number and PIN."""

    next: str
    """When a message was left, or messages were listened to."""
    otherwise: str
    """When the caller cancels, says nothing or has no PIN; when the mailbox is full, or nothing can be recorded."""
    mailbox: str = ""
    """Empty: the caller listens."""

    def exits(self) -> Iterator[tuple[str, str]]:
        yield NEXT, self.next
        yield OTHERWISE, self.otherwise

    def references(self) -> Iterator[Reference]:
        if self.mailbox:
            key, _, _ = self.mailbox.partition(":")
            yield Reference(key, "mailbox", self.mailbox)


@dataclass(frozen=True, slots=True)
class VisitMailbox(Step):
    """Be at the mailbox; the outcome is that of the visit."""

    mailbox: str


def _enter(run: FlowRun, node: VoicemailNode, around: Circumstances) -> Step:
    return VisitMailbox(node.mailbox)


def _visited(run: FlowRun, node: VoicemailNode, outcome: str, around: Circumstances) -> Step:
    return Leave(NEXT, node.next) if outcome in KEPT else Leave(OTHERWISE, node.otherwise)


KINDS: Mapping[type, Kind] = {VoicemailNode: Kind(_enter, outcome=_visited, takes_time=True)}
