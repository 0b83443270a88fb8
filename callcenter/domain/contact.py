"""A contact: one pass of one caller through one queue, until the wrap-up after it ends.

::

    WAITING ⇄ OFFERED ──► CONNECTED ──► WRAPPING ──► ENDED
       │
       ├──► ABANDONED
       └──► OVERFLOWED

OFFERED: one offer is open at least. Ring-all opens several; the contact waits again when the last one is missed or withdrawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from callcenter.domain.ewt import Estimate
from callcenter.domain.facts import (
    ContactAbandoned,
    ContactConnected,
    ContactEnded,
    ContactEntered,
    ContactOffered,
    ContactOverflowed,
    ContactParted,
    MissedWhy,
    OfferMissed,
    OfferWithdrawn,
    OverflowWhy,
)
from callcenter.domain.waiter import Waiter


class ContactState(StrEnum):
    WAITING = "waiting"
    OFFERED = "offered"
    CONNECTED = "connected"
    WRAPPING = "wrapping"
    ENDED = "ended"
    ABANDONED = "abandoned"
    OVERFLOWED = "overflowed"


CONTACT_TRANSITIONS: Mapping[tuple[ContactState, type], ContactState] = {
    (ContactState.WAITING, ContactOffered): ContactState.OFFERED,
    (ContactState.OFFERED, ContactOffered): ContactState.OFFERED,
    (ContactState.OFFERED, OfferMissed): ContactState.WAITING,
    (ContactState.OFFERED, OfferWithdrawn): ContactState.WAITING,
    (ContactState.OFFERED, ContactConnected): ContactState.CONNECTED,
    (ContactState.CONNECTED, ContactParted): ContactState.WRAPPING,
    (ContactState.WRAPPING, ContactEnded): ContactState.ENDED,
    (ContactState.WAITING, ContactAbandoned): ContactState.ABANDONED,
    (ContactState.WAITING, ContactOverflowed): ContactState.OVERFLOWED,
}

MUSIC_AFTER = timedelta(milliseconds=500)
"""Who is connected sooner hears no snatch of music."""

UNANSWERED = frozenset({ContactState.WAITING, ContactState.OFFERED})

FINISHED = frozenset({ContactState.ENDED, ContactState.ABANDONED, ContactState.OVERFLOWED})


def said_most(before: MissedWhy, why: MissedWhy) -> MissedWhy:
    """Of two devices that missed an offer, the one that was reached says why; of two such, the first."""
    return why if before is MissedWhy.UNREACHABLE else before


@dataclass(slots=True)
class Announcing:
    """What the waiting caller was told, and what comes next."""

    status_at: datetime | None = None
    comfort_at: datetime | None = None
    comforts: int = 0
    quiet_until: datetime | None = None
    playback: str = ""
    """What is being said; empty: nothing."""
    position: int | None = None
    """The last position told."""
    told: list[tuple[datetime, Estimate]] = field(default_factory=list)
    """The estimated waits told, and when."""

    @property
    def due_at(self) -> datetime | None:
        """When something is to be said, or looked whether there is something."""
        dates = [date for date in (self.status_at, self.comfort_at) if date is not None]
        if self.playback or not dates:
            return None
        return max(min(dates), self.quiet_until) if self.quiet_until else min(dates)

    @property
    def promised_by(self) -> datetime | None:
        """The earliest date by which an agent was promised."""
        return min((at + estimate.under for at, estimate in self.told), default=None)


@dataclass(slots=True)
class Contact:
    """``entered`` is what never changes; the rest is where it stands."""

    entered: ContactEntered
    waiter: Waiter
    """Itself as it stands in the line."""
    state: ContactState = ContactState.WAITING
    overflow_at: datetime | None = None
    """When rows of the overflow table are tried because of the wait or the clock."""
    offers: dict[str, ContactOffered] = field(default_factory=dict)
    """The open offers by id; once connected, the one that was answered."""
    bound: str = ""
    """The colleague whom it is for, and to whom alone it is offered as long as that is so."""
    connected_at: datetime | None = None
    held_since: datetime | None = None
    hold: timedelta = field(default_factory=timedelta)
    parted_at: datetime | None = None
    callback_offered: bool = False
    """The caller was told that we would call back."""
    why: OverflowWhy | None = None
    """Why it overflowed."""
    disposition: str = ""
    note: str = ""
    answers: dict[str, dict[str, str]] = field(default_factory=dict)
    """By script and field."""
    written: int = 0
    """How often something was written of it."""
    resuming: bool = False
    """The agent's phone was lost, and is rung again."""
    announcing: Announcing = field(default_factory=Announcing)

    @property
    def id(self) -> str:
        return self.entered.contact

    @property
    def offer(self) -> ContactOffered | None:
        """The offer that was answered; before that, the first of the open ones."""
        return next(iter(self.offers.values()), None)

    def offer_to(self, leg: str) -> ContactOffered | None:
        """The offer that rings, or has been answered, on this leg."""
        return next((offered for offered in self.offers.values() if offered.leg == leg), None)

    @property
    def music_at(self) -> datetime:
        """From then on the caller hears music, until connected or sent on; who was on hold while the agent consulted does already."""
        return self.entered.at if self.entered.consult else self.entered.at + MUSIC_AFTER

    def wait(self, now: datetime) -> timedelta:
        """How long the caller has waited in this queue, ringing included."""
        return now - self.entered.entered_at

    def talk(self, now: datetime) -> timedelta:
        """Bridged time with the agent, without hold."""
        assert self.connected_at is not None
        return now - self.connected_at - self.held(now)

    def held(self, now: datetime) -> timedelta:
        """Time on hold so far."""
        return self.hold + (now - self.held_since if self.held_since else timedelta())
