"""The record of a contact, a fold over the facts about it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from callcenter.domain import facts as f
from callcenter.domain.contact import ContactState
from callcenter.domain.facts.callbacks import CallbackOffered
from callcenter.domain.records import ContactRecord, ServedBy
from callcenter.domain.told import outcome

ZERO = timedelta(0)


@dataclass(slots=True)
class ContactSoFar:
    """What the facts of a contact have come to."""

    entered: f.ContactEntered
    open_offers: set[str] = field(default_factory=set)
    offers: int = 0
    missed: int = 0
    answered_at: datetime | None = None
    agent: str = ""
    parted_at: datetime | None = None
    ended_at: datetime | None = None
    state: ContactState = ContactState.WAITING
    wait: timedelta | None = None
    talk: timedelta | None = None
    hold: timedelta | None = None
    wrap_up: timedelta | None = None
    why: str = ""
    short: bool = False
    disposition: str = ""
    disposition_flags: tuple[str, ...] = ()
    callback_offered: bool = False
    told: list[tuple[datetime, timedelta]] = field(default_factory=list)
    told_right: int = 0
    told_wrong: int = 0
    survey_offered: bool = False
    handed_over: f.CallerHandedOver | None = None
    """Of a consult that was completed: what it had come to before the caller was part of it."""

    def no_longer_waits(self, at: datetime, *, connected: bool) -> None:
        """What was told about the wait has come true, or has not."""
        came_true = [outcome(told_at, under, at, connected=connected) for told_at, under in self.told]
        self.told_right, self.told_wrong = came_true.count(True), came_true.count(False)

    def record(self) -> ContactRecord:
        entered = self.entered
        return ContactRecord(
            entered.contact,
            entered.call,
            entered.queue,
            entered.caller,
            entered.priority,
            entered.entered_at,
            self.offers,
            self.missed,
            self.answered_at,
            self.agent,
            self.parted_at,
            self.ended_at,
            self.state,
            self.wait,
            self.talk,
            self.hold,
            self.wrap_up,
            self.why,
            self.short,
            entered.transferred_from,
            ServedBy.ENGINE,
            self.disposition,
            self.disposition_flags,
            self.callback_offered,
            self.told_right,
            self.told_wrong,
            self.survey_offered,
        )

    @property
    def is_the_callers(self) -> bool:
        """A consult is about the caller, but the caller is not part of it before it is completed."""
        return not self.entered.consult or self.handed_over is not None

    def of_the_caller(self) -> tuple[timedelta, timedelta, timedelta]:
        """Wait, talk and hold that the caller had in it."""
        if not self.is_the_callers:
            return ZERO, ZERO, ZERO
        before = self.handed_over
        apart = (before.wait, before.talk, before.hold) if before else (ZERO, ZERO, ZERO)
        wait, talk, hold = ((span or ZERO) - gone for span, gone in zip((self.wait, self.talk, self.hold), apart, strict=True))
        return max(wait, ZERO), max(talk, ZERO), max(hold, ZERO)


def _offered(contact: ContactSoFar, fact: f.ContactOffered) -> None:
    contact.offers += 1
    contact.open_offers.add(fact.offer)
    contact.state = ContactState.OFFERED


def _offer_missed(contact: ContactSoFar, fact: f.OfferMissed) -> None:
    contact.missed += 1
    _offer_over(contact, fact.offer)


def _offer_withdrawn(contact: ContactSoFar, fact: f.OfferWithdrawn) -> None:
    _offer_over(contact, fact.offer)


def _offer_over(contact: ContactSoFar, offer: str) -> None:
    contact.open_offers.discard(offer)
    if contact.state is ContactState.OFFERED and not contact.open_offers:
        contact.state = ContactState.WAITING


def _announced(contact: ContactSoFar, fact: f.ContactAnnounced) -> None:
    if fact.under is not None:
        contact.told.append((fact.at, fact.under))


def _connected(contact: ContactSoFar, fact: f.ContactConnected) -> None:
    contact.no_longer_waits(fact.at, connected=True)
    contact.state, contact.answered_at, contact.agent, contact.wait = ContactState.CONNECTED, fact.at, fact.agent, fact.wait


def _abandoned(contact: ContactSoFar, fact: f.ContactAbandoned) -> None:
    contact.no_longer_waits(fact.at, connected=False)
    contact.state, contact.ended_at, contact.wait, contact.short = ContactState.ABANDONED, fact.at, fact.wait, fact.short


def _overflowed(contact: ContactSoFar, fact: f.ContactOverflowed) -> None:
    contact.no_longer_waits(fact.at, connected=False)
    contact.state, contact.ended_at, contact.wait, contact.why = ContactState.OVERFLOWED, fact.at, fact.wait, fact.why.value


def _parted(contact: ContactSoFar, fact: f.ContactParted) -> None:
    contact.state, contact.parted_at, contact.why = ContactState.WRAPPING, fact.at, fact.why.value
    contact.talk, contact.hold = fact.talk, fact.hold


def _disposed(contact: ContactSoFar, fact: f.DispositionGiven) -> None:
    contact.disposition, contact.disposition_flags = fact.disposition, fact.flags


def _callback_offered(contact: ContactSoFar, fact: CallbackOffered) -> None:
    contact.callback_offered = True


def _survey_offered(contact: ContactSoFar, fact: f.SurveyOffered) -> None:
    contact.survey_offered = True


def _contact_ended(contact: ContactSoFar, fact: f.ContactEnded) -> None:
    contact.state, contact.ended_at, contact.wrap_up = ContactState.ENDED, fact.at, fact.wrap_up


def _handed_over(contact: ContactSoFar, fact: f.CallerHandedOver) -> None:
    contact.handed_over = fact


CONTACT_FOLDS: Mapping[type, Callable[..., None]] = {
    f.ContactOffered: _offered,
    f.OfferMissed: _offer_missed,
    f.OfferWithdrawn: _offer_withdrawn,
    f.ContactAnnounced: _announced,
    f.ContactConnected: _connected,
    f.ContactAbandoned: _abandoned,
    f.ContactOverflowed: _overflowed,
    f.ContactParted: _parted,
    f.DispositionGiven: _disposed,
    f.ContactEnded: _contact_ended,
    CallbackOffered: _callback_offered,
    f.CallerHandedOver: _handed_over,
    f.SurveyOffered: _survey_offered,
}
"""What each kind of fact about a contact means for its record."""
