"""What callers were told about their wait, and whether it came true."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from callcenter.domain.facts import ContactAbandoned, ContactAnnounced, ContactConnected, ContactOverflowed, Fact


@dataclass(frozen=True, slots=True)
class Telling:
    """A caller was told "under ..."."""

    at: datetime
    contact: str
    queue: str
    under: timedelta
    came_true: bool | None
    """None: the caller left before it could be known."""


def outcome(told_at: datetime, under: timedelta, left_at: datetime, *, connected: bool) -> bool | None:
    """Whether "under ..." came true for a caller who was connected, or left otherwise, at ``left_at``."""
    if left_at > told_at + under:
        return False
    return True if connected else None


def told_by(facts: Iterable[Fact]) -> Iterator[Telling]:
    """All that was told to contacts that wait no longer."""
    told: dict[str, list[ContactAnnounced]] = defaultdict(list)
    for fact in facts:
        if isinstance(fact, ContactAnnounced) and fact.under is not None:
            told[fact.contact].append(fact)
        elif isinstance(fact, ContactConnected | ContactAbandoned | ContactOverflowed):
            for each in told.pop(fact.contact, ()):
                assert each.under is not None
                came_true = outcome(each.at, each.under, fact.at, connected=isinstance(fact, ContactConnected))
                yield Telling(each.at, each.contact, each.queue, each.under, came_true)
