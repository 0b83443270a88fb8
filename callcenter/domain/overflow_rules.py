"""A queue's overflow table: rows of when and where to. The first row that applies to a caller is obeyed.

One table, one way: ``max_wait``, ``max_waiting``, ``wait_without_agents`` and the closing time are rows of it, too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from callcenter.domain.conditions import Condition, Metric


class OverflowTo(StrEnum):
    """What becomes of the caller."""

    QUEUE = "queue"
    """Goes on in another queue, at the place of who has waited as long."""
    FLOW = "flow"
    CALLBACK = "callback"
    """Is offered a callback; who declines comes back to the old place."""
    VOICEMAIL = "voicemail"
    """Leaves a message in that mailbox."""
    GOODBYE = "goodbye"


@dataclass(frozen=True, slots=True)
class Overflow:
    """An action; ``target`` is the queue, the flow or the mailbox."""

    to: OverflowTo
    target: str = ""

    def __str__(self) -> str:
        return f"{self.to}:{self.target}" if self.target else str(self.to)


class RowKind(StrEnum):
    """Why a row is there; its value is the reason in the books (``OverflowWhy``)."""

    RULE = "rule"
    MAX_WAIT = "max_wait"
    FULL = "full"
    NO_AGENTS = "no_agents"
    CLOSED = "closed"


TAIL = frozenset({Metric.EWT, Metric.WAITING, Metric.WAITING_PER_AGENT, Metric.SERVICE_LEVEL})
"""These get better when the last in line leaves: one goes a second, until the condition lets go."""
HEAD = frozenset({Metric.LONGEST_WAIT})
"""This one gets better when who has waited longest leaves: likewise."""


@dataclass(frozen=True, slots=True)
class OverflowRow:
    """When (all that is given must be so), and where to."""

    action: Overflow
    when: Condition | None = None
    waited: timedelta | None = None
    """The caller has waited so long."""
    entering: bool = False
    """Only who enters is looked at, not who waits already."""
    kind: RowKind = RowKind.RULE

    @property
    def key(self) -> str:
        """Its name in facts and explanations, such as "ewt > 360 for 30 s, waited 120 s: queue:sales"."""
        said = [self.when.key] if self.when else []
        said += [f"waited {self.waited.total_seconds():g} s"] if self.waited is not None else []
        said += ["closed"] if self.kind is RowKind.CLOSED else []
        return f"{', '.join(said)}: {self.action}"

    @property
    def all_at_once(self) -> bool:
        """Whether all callers go when the condition holds, because none of them leaving changes it."""
        return self.when is not None and self.when.metric not in TAIL | HEAD


@dataclass(frozen=True, slots=True)
class Closing:
    """What becomes of callers when the queue's hours are over."""

    action: Overflow = Overflow(OverflowTo.GOODBYE)
    drain: bool = False
    """True: who waits then is served to the end, only newcomers are turned away. False: who waits goes, too."""


def cycle(edges: Mapping[str, Iterable[str]]) -> list[str] | None:
    """A way round from a queue to itself along ``edges`` (from queue to queue), or None."""
    settled: set[str] = set()
    for start in edges:
        found = _walk(start, edges, [], settled)
        if found:
            return found
    return None


def _walk(name: str, edges: Mapping[str, Iterable[str]], path: list[str], settled: set[str]) -> list[str] | None:
    if name in path:
        return [*path[path.index(name) :], name]
    if name in settled:
        return None
    for target in edges.get(name, ()):
        found = _walk(target, edges, [*path, name], settled)
        if found:
            return found
    settled.add(name)
    return None


def conditions_of(rows: Iterable[OverflowRow]) -> tuple[Condition, ...]:
    """Those that must be looked at once a second."""
    return tuple(row.when for row in rows if row.when is not None and not row.entering)
