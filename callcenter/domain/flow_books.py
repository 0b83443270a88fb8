"""What flows come to: each caller's way from node to node, and what it adds up to. A fold over the facts of one call.

A call that began in a flow has one outcome (``FlowOutcome``); calls = contained + dropped + queued + voicemail + transferred + failed.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from callcenter.domain.facts import (
    FlowEnded,
    FlowEntered,
    FlowFailed,
    FlowMoved,
    FlowPassed,
    FlowResumed,
    FlowReturned,
    FlowStarted,
)

LEFT = "caller_left"
FAILED = "failed"
ERROR = "error"
INSIDE = "inside"
"""The exit of a node that had entered a sub-flow in which everything ended."""


class FlowOutcome(StrEnum):
    """What became of a caller who began in a flow."""

    CONTAINED = "contained"
    """Served by flows alone, to their end."""
    DROPPED = "dropped"
    """Hung up in the middle of one."""
    QUEUED = "queued"
    """Entered a queue, whatever came of it."""
    VOICEMAIL = "voicemail"
    TRANSFERRED = "transferred"
    FAILED = "failed"
    """The flow had no way on but its error exit, and said goodbye."""


@dataclass(frozen=True, slots=True)
class FlowStay:
    """One stay of one caller at one node. The stay at a node that enters a sub-flow lasts until that has come back."""

    call_id: str
    n: int
    """Numbers the stays of a call from 0, in the order they began."""
    flow: str
    version: str
    node: str
    entered_at: datetime
    left_at: datetime | None
    exit: str
    """By which exit it was left: a key, ``next``, ``otherwise`` …; for the last one of a flow, how that ended."""
    to_node: str
    """Where that led; empty when the flow was over."""
    tries: int
    """How often the caller was asked again."""


@dataclass(slots=True)
class _Stay:
    n: int
    flow: str
    version: str
    node: str
    entered_at: datetime
    left_at: datetime | None = None
    exit: str = ""
    to: str = ""
    tries: int = 0

    def leave(self, at: datetime, exit_name: str, to: str = "") -> None:
        self.left_at, self.exit, self.to = at, exit_name, to


@dataclass(slots=True)
class FlowsSoFar:
    """A call's way through its flows, fact by fact."""

    stays: list[_Stay] = field(default_factory=list)
    open: list[_Stay] = field(default_factory=list)
    """The stays that last: one for each flow the caller is in, the outermost first."""
    set_aside: list[_Stay] = field(default_factory=list)
    """Those that lasted when the caller was handed to an agent; they last on if she does not answer."""
    last_exit: str = ""
    """How the latest flow ended; that one went wrong is not forgotten for the goodbye that followed."""

    def take(self, fact: object) -> None:
        """Facts that are not of flows say nothing here."""
        if apply := _FOLDS.get(type(fact)):
            apply(self, fact)

    def records(self, call: str) -> tuple[FlowStay, ...]:
        return tuple(
            FlowStay(call, stay.n, stay.flow, stay.version, stay.node, stay.entered_at, stay.left_at, stay.exit, stay.to, stay.tries)
            for stay in self.stays
        )

    def arrive(self, at: datetime, flow: str, version: str, node: str) -> None:
        stay = _Stay(len(self.stays), flow, version, node, at)
        self.stays.append(stay)
        self.open.append(stay)

    def at_node(self, node: str) -> _Stay | None:
        """The present stay; the first one of a flow learns here which node it is at."""
        if not self.open:
            return None
        self.open[-1].node = self.open[-1].node or node
        return self.open[-1]


def _started(so_far: FlowsSoFar, fact: FlowStarted) -> None:
    while so_far.open:  # begun anew: the version it was in is gone
        so_far.open.pop().leave(fact.at, FAILED)
    so_far.arrive(fact.at, fact.flow, str(fact.version), "")


def _moved(so_far: FlowsSoFar, fact: FlowMoved) -> None:
    if stay := so_far.at_node(fact.node):
        stay.tries = max(stay.tries, fact.tries)


def _passed(so_far: FlowsSoFar, fact: FlowPassed) -> None:
    if stay := so_far.at_node(fact.node):
        so_far.open.pop()
        stay.leave(fact.at, fact.exit, fact.to)
        so_far.arrive(fact.at, stay.flow, stay.version, fact.to)


def _entered(so_far: FlowsSoFar, fact: FlowEntered) -> None:
    if so_far.at_node(fact.node):
        so_far.arrive(fact.at, fact.flow, str(fact.version), "")


def _returned(so_far: FlowsSoFar, fact: FlowReturned) -> None:
    if stay := so_far.at_node(fact.node):
        so_far.open.pop()
        stay.leave(fact.at, fact.outcome)


def _failed(so_far: FlowsSoFar, fact: FlowFailed) -> None:
    stay = so_far.at_node(fact.node)
    while len(so_far.open) > fact.depth + 1:
        so_far.open.pop().leave(fact.at, FAILED)
    if so_far.open and stay:
        outer = so_far.open.pop()
        outer.leave(fact.at, FAILED, fact.to)
        if fact.to:
            so_far.arrive(fact.at, outer.flow, outer.version, fact.to)


def _ended(so_far: FlowsSoFar, fact: FlowEnded) -> None:
    so_far.at_node(fact.node)
    how = fact.exit
    so_far.last_exit = ERROR if so_far.last_exit == ERROR else how
    so_far.set_aside = list(so_far.open) if fact.may_resume else []
    while so_far.open:
        so_far.open.pop().leave(fact.at, how)
        how = INSIDE


def _resumed(so_far: FlowsSoFar, fact: FlowResumed) -> None:
    so_far.open, so_far.set_aside = so_far.set_aside, []
    for stay in so_far.open:
        stay.left_at, stay.exit = None, ""


_FOLDS: Mapping[type, Callable[[FlowsSoFar, Any], None]] = {
    FlowStarted: _started,
    FlowMoved: _moved,
    FlowPassed: _passed,
    FlowEntered: _entered,
    FlowReturned: _returned,
    FlowFailed: _failed,
    FlowEnded: _ended,
    FlowResumed: _resumed,
}

FLOW_KINDS = frozenset(_FOLDS)


def outcome_of(so_far: FlowsSoFar, *, queued: bool, voicemail: bool, ended: bool) -> FlowOutcome | None:
    """Of a call that began in a flow; None while that is open, and for a call without a flow."""
    if not so_far.stays:
        return None
    if queued:
        return FlowOutcome.QUEUED
    if not ended:
        return None
    if voicemail:
        return FlowOutcome.VOICEMAIL
    return _BY_EXIT.get(so_far.last_exit, FlowOutcome.FAILED)


_BY_EXIT: Mapping[str, FlowOutcome] = {
    "hang_up": FlowOutcome.CONTAINED,
    LEFT: FlowOutcome.DROPPED,
    "": FlowOutcome.DROPPED,
    "queue": FlowOutcome.QUEUED,
    "transfer": FlowOutcome.TRANSFERRED,
}


# --- sums ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FlowSums:
    """Of calls that began in one flow. Adds up over any slices and flows."""

    calls: int = 0
    contained: int = 0
    dropped: int = 0
    queued: int = 0
    voicemail: int = 0
    transferred: int = 0
    failed: int = 0
    open: int = 0
    """Still in the flow."""
    contained_known: int = 0
    """Contained calls whose caller shows a number ..."""
    contained_returned: int = 0
    """... and those of them whose caller called again within seven days: not served after all, perhaps."""

    def __add__(self, other: "FlowSums") -> "FlowSums":
        return FlowSums(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


RETURNS_WITHIN = timedelta(days=7)


def flow_sums(calls: Iterable[tuple[str, datetime, FlowOutcome | None]], came: Mapping[str, Sequence[datetime]]) -> FlowSums:
    """Count calls that began in one flow, each (caller, began at, outcome); ``came``: when each caller called, whatever for, in order."""
    counted: Counter[str] = Counter()
    for caller, at, outcome in calls:
        counted["calls"] += 1
        counted[outcome or "open"] += 1
        if outcome is FlowOutcome.CONTAINED and caller:
            counted["contained_known"] += 1
            later = bisect_right(came[caller], at)
            counted["contained_returned"] += later < len(came[caller]) and came[caller][later] <= at + RETURNS_WITHIN
    return FlowSums(**counted)


def containment(sums: FlowSums) -> float | None:
    """Contained ÷ calls whose outcome is known: callers whom flows served without anybody's help."""
    known = sums.calls - sums.open
    return sums.contained / known if known else None


def drop_off(sums: FlowSums) -> float | None:
    """Dropped ÷ calls whose outcome is known."""
    known = sums.calls - sums.open
    return sums.dropped / known if known else None


def repeat_calls(sums: FlowSums) -> float | None:
    """Of contained callers who show a number, the share that called again within seven days."""
    return sums.contained_returned / sums.contained_known if sums.contained_known else None


@dataclass(frozen=True, slots=True)
class NodeSums:
    """Of the stays at one node. Adds up over any slices and versions."""

    stays: int = 0
    left: int = 0
    """Stays that are over, and for how long they lasted together ..."""
    spent: timedelta = timedelta(0)
    retries: int = 0
    dropped: int = 0
    """Callers who hung up there."""
    failed: int = 0

    def __add__(self, other: "NodeSums") -> "NodeSums":
        return NodeSums(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


class Edge(NamedTuple):
    """A way from a node; ``to_node`` is empty when the flow was over."""

    flow: str
    node: str
    exit: str
    to_node: str


def edges(stays: Iterable[FlowStay]) -> Counter[Edge]:
    """How many callers took each way."""
    return Counter(Edge(stay.flow, stay.node, stay.exit, stay.to_node) for stay in stays if stay.left_at is not None)


def node_sums(stays: Iterable[FlowStay]) -> NodeSums:
    listed: Sequence[FlowStay] = list(stays)
    return NodeSums(
        stays=len(listed),
        left=sum(stay.left_at is not None for stay in listed),
        spent=sum((stay.left_at - stay.entered_at for stay in listed if stay.left_at is not None), timedelta(0)),
        retries=sum(stay.tries for stay in listed),
        dropped=sum(stay.exit == LEFT for stay in listed),
        failed=sum(stay.exit == FAILED for stay in listed),
    )
