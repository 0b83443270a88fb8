"""A contact: one pass of one caller through one queue, until the wrap-up after it ends.

::

    WAITING ⇄ OFFERED ──► CONNECTED ──► WRAPPING ──► ENDED
       │
       ├──► ABANDONED
       └──► OVERFLOWED
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from callcenter.domain.facts import (
    ContactAbandoned,
    ContactConnected,
    ContactEnded,
    ContactEntered,
    ContactOffered,
    ContactOverflowed,
    ContactParted,
    OfferMissed,
    OfferWithdrawn,
)


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

FINISHED = frozenset({ContactState.ENDED, ContactState.ABANDONED, ContactState.OVERFLOWED})


@dataclass(slots=True)
class Contact:
    """``entered`` is what never changes; the rest is where it stands."""

    entered: ContactEntered
    state: ContactState = ContactState.WAITING
    offer: ContactOffered | None = None
    """The open offer, or the one that was answered."""
    connected_at: datetime | None = None
    held_since: datetime | None = None
    hold: timedelta = field(default_factory=timedelta)
    parted_at: datetime | None = None
    disposition: str = ""

    @property
    def id(self) -> str:
        return self.entered.contact

    @property
    def place(self) -> tuple[int, datetime, str]:
        """Where it stands in line: higher priority first, then the earlier place; the id makes ties repeatable."""
        return -self.entered.priority, self.entered.place, self.entered.contact

    @property
    def music_at(self) -> datetime:
        """From then on the caller hears music, until connected or sent on."""
        return self.entered.at + MUSIC_AFTER

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
