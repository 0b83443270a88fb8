"""What happened, read from facts: who came when into which queue, how each was handled, and when agents were there.

Only what people did is taken from the record; what the center decided (who was offered whom) is decided again.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from callcenter.domain import facts as f
from callcenter.domain.agent import BUSY, LOGIN, MICRO_BREAK, MISSED_OFFER, PHONE_UNREACHABLE
from callcenter.domain.books import FOLDED_KINDS, fold_call, fold_stays
from callcenter.domain.contact import ContactState
from callcenter.domain.events import (
    AgentLoginRequested,
    AgentLogoutRequested,
    AgentNotReadyRequested,
    AgentReadyRequested,
    AgentRequest,
    OptInRequested,
    OptOutRequested,
)
from callcenter.domain.facts.callbacks import CallbackReserved
from callcenter.domain.records import ContactRecord, ServedBy, Stay

WARM_UP = timedelta(hours=2)
"""So long before the window a replay begins, uncounted: strategies, breaks and estimates that look back find what they look for."""

REPLAYED_FACTS: frozenset[type] = frozenset(f.FACT_TYPES[kind] for kind in FOLDED_KINDS) | {
    f.ContactEntered,
    f.OfferMissed,
    f.OfferWithdrawn,
    f.AgentStateChanged,
    f.AgentRequestRemembered,
    f.AgentPhoneChanged,
    f.AgentOptedOut,
    CallbackReserved,
}
"""The kinds of fact a replay reads."""

CALLBACK = "callback"
"""Not ready in the replay: at work on a callback of the record."""
OWN_WILL = frozenset({f.OverflowWhy.CALLBACK_TAKEN, f.OverflowWhy.KEY_PRESSED})
"""Overflows that the caller chose, and chooses again after the same wait."""

THE_CENTERS = frozenset({MISSED_OFFER, PHONE_UNREACHABLE, MICRO_BREAK})
"""Not ready by the center's own doing, which ends it too; a replay decides that again."""


A_MOMENT = timedelta(milliseconds=1)
"""What is no farther apart is the same moment: spans in a journal are rounded."""


_Numbered = tuple[int, f.Fact]
"""A fact and its place in the record."""

_OF_AGENTS = (f.AgentStateChanged, f.AgentRequestRemembered, f.AgentPhoneChanged, f.AgentOptedOut, CallbackReserved)


@dataclass(frozen=True, slots=True)
class Handling:
    """What became of a contact once agent and caller heard each other."""

    talk: timedelta
    """Hold included."""
    wrap_up: timedelta
    by_timer: bool
    """The wrap-up lasted until the server's timer ended it: with another timer it would have been another."""
    extended: bool
    disposition: str
    why: f.EndedWhy
    sent_to: str = ""
    """The queue it was transferred to ..."""
    colleague: str = ""
    """... and the agent, when it was to one alone."""
    next: str = ""
    """The contact that the caller became then."""


@dataclass(frozen=True, slots=True)
class RecordedContact:
    """One contact of the record: what the books say, and what a replay needs besides."""

    record: ContactRecord
    entered: f.ContactEntered
    parent: str = ""
    """The contact that a transfer or an overflow made into this one; empty: the caller came in."""
    called_back: bool = False
    """We called, and the agent was there already."""
    consult: bool = False
    """An agent only asked somebody; the caller stayed with her."""
    ring: timedelta | None = None
    """How long the phone rang that was answered."""
    rang_in_vain: timedelta = timedelta()
    """How long a phone had rung when the caller gave up: it would have rung longer still."""
    handling: Handling | None = None

    @property
    def id(self) -> str:
        return self.record.contact_id

    @property
    def gave_up(self) -> bool:
        return self.record.state is ContactState.ABANDONED

    @property
    def left_by_choice(self) -> bool:
        """Gave up, or took what was offered instead of waiting."""
        return self.gave_up or (self.record.state is ContactState.OVERFLOWED and self.record.why in OWN_WILL)

    @property
    def settled_at(self) -> datetime | None:
        """When the wait was over; None: it was not yet, at the end of the record."""
        return self.record.answered_at or self.record.ended_at


@dataclass(frozen=True, slots=True)
class Absence:
    """An agent was away from the phone: offers from ``from_at`` on were missed, until she said that she was back."""

    from_at: datetime
    to_at: datetime
    why: f.MissedWhy
    after: timedelta
    """How long the phone rang, when it was not simply left ringing."""


@dataclass(frozen=True, slots=True)
class RecordedAgent:
    """One agent's presence, as asked for by her: a request made during a contact counts from when it was made."""

    name: str
    requests: tuple[tuple[datetime, int, AgentRequest], ...]
    """Each with its date and its place in the record, which orders what was asked for at one moment."""
    phone: tuple[tuple[datetime, bool], ...]
    """When her phone could be reached again (True), or no longer."""
    absences: tuple[Absence, ...]
    stays: tuple[Stay, ...]
    idle_since: datetime | None = None
    """When the record begins: since when she has been waiting for a contact."""

    @property
    def carried_in(self) -> tuple[Stay, ...]:
        """The talk and wrap-up that she was in when the record began."""
        return tuple(takewhile(lambda stay: stay.state in (f.AgentState.TALKING, f.AgentState.WRAP_UP), self.stays))

    def absence(self, at: datetime) -> Absence | None:
        """The absence that an offer at this date falls into."""
        index = bisect_right(self.absences, at, key=lambda absence: absence.from_at) - 1
        return self.absences[index] if index >= 0 and at < self.absences[index].to_at else None


@dataclass(frozen=True, slots=True)
class RecordedDay:
    """A stretch of time, ``to_at`` not included; contacts and presences around it are there to fill it truthfully."""

    begins_at: datetime
    from_at: datetime
    to_at: datetime
    contacts: Mapping[str, RecordedContact] = field(default_factory=dict)
    """In the order they entered; also those that waited at ``begins_at`` and those that came while the last of the window waited."""
    agents: Mapping[str, RecordedAgent] = field(default_factory=dict)
    until_at: datetime | None = None
    """The last moment of the record."""
    in_fallback: int = 0
    """Contacts of the window that the dialplan served while the engine was away; they are not replayed."""
    consults: int = 0
    """Contacts of the window in which agents only asked somebody; they are not replayed."""
    called_back: int = 0
    """Contacts of the window that began with our call to the caller; their agents are away for them, and they are not replayed."""

    @property
    def arrivals(self) -> list[RecordedContact]:
        """Those that nothing else in the replay brings about."""
        return [contact for contact in self.contacts.values() if contact.parent not in self.contacts]

    @property
    def counted(self) -> list[RecordedContact]:
        """Those that entered within the window."""
        return [contact for contact in self.contacts.values() if self.from_at <= contact.record.entered_at < self.to_at]


# --- from facts -----------------------------------------------------------------------------------------


def recorded_day(facts: Iterable[f.Fact], from_at: datetime, to_at: datetime) -> RecordedDay:
    """The day from facts in the order they happened: all of the calls with a contact that waited within the window,
    and each agent's from the last change of state before ``WARM_UP`` on."""
    begins_at = from_at - WARM_UP
    of_call: dict[str, list[f.Fact]] = defaultdict(list)
    of_agent: dict[str, list[_Numbered]] = defaultdict(list)
    lasting: dict[tuple[str, type], _Numbered] = {}
    in_fallback, until_at = 0, None
    for number, fact in enumerate(facts):
        if isinstance(fact, f.AgentStateChanged) and fact.at < begins_at:
            of_agent[fact.agent] = [(number, fact)]
        elif isinstance(fact, f.AgentPhoneChanged | f.AgentOptedOut) and fact.at < begins_at:
            lasting[fact.agent, type(fact)] = (number, fact)
        elif isinstance(fact, _OF_AGENTS):
            of_agent[fact.agent].append((number, fact))
        elif isinstance(fact, f.FallbackCallEnded):
            in_fallback += from_at <= fact.entered_at < to_at
        elif type(fact) in REPLAYED_FACTS:
            call = fact.call  # type: ignore[union-attr]
            of_call[call].append(fact)
            if isinstance(fact, f.OfferMissed) and (rung := _offer(of_call[call], fact.offer)):
                of_agent[fact.agent] += [(number, rung), (number, fact)]
        until_at = fact.at if until_at is None else max(until_at, fact.at)
    for (agent, _), numbered in lasting.items():
        of_agent[agent].append(numbered)
    read = [each for call in of_call.values() for each in _contacts(call)]
    contacts = sorted((each for each in read if not (each.called_back or each.consult)), key=lambda each: (each.record.entered_at, each.id))
    within = [each for each in read if from_at <= each.record.entered_at < to_at]
    consults, called_back = sum(each.consult for each in within), sum(each.called_back for each in within)
    contacts = _around(contacts, begins_at, from_at, to_at)
    agents = {name: _agent(name, of_agent[name], begins_at) for name in sorted(of_agent)}
    return RecordedDay(
        begins_at, from_at, to_at, {each.id: each for each in contacts}, agents, until_at, in_fallback, consults, called_back
    )


def _around(contacts: Sequence[RecordedContact], begins_at: datetime, from_at: datetime, to_at: datetime) -> list[RecordedContact]:
    """Those of the window and before it, who waited when that began, and who came while its last ones waited."""
    settled = [each.settled_at for each in contacts if from_at <= each.record.entered_at < to_at]
    until = max((at for at in settled if at is not None), default=to_at)
    return [
        each
        for each in contacts
        if each.record.entered_at < max(until, to_at)
        and (each.record.entered_at >= begins_at or (each.settled_at or begins_at) > begins_at)
    ]


def _offer(facts: Sequence[f.Fact], offer: str) -> f.ContactOffered | None:
    return next((fact for fact in reversed(facts) if isinstance(fact, f.ContactOffered) and fact.offer == offer), None)


def _contacts(facts: Sequence[f.Fact]) -> list[RecordedContact]:
    """The contacts of one call."""
    records = {record.contact_id: record for record in fold_call(facts).contacts if record.served_by is ServedBy.ENGINE}
    entries = [fact for fact in facts if isinstance(fact, f.ContactEntered)]
    handed_over = {fact.contact for fact in facts if isinstance(fact, f.CallerHandedOver)}
    asked = {entered.contact for entered in entries if entered.consult and entered.contact not in handed_over}
    following = {entered.transferred_from: entered for entered in entries if entered.transferred_from and entered.contact not in asked}
    outbound = any(isinstance(fact, f.CallBegan) and fact.direction is f.Direction.OUTBOUND for fact in facts)
    found = []
    for previous, entered in zip(("", *(each.contact for each in entries)), entries, strict=False):
        before = entered.transferred_from or previous
        record = records[entered.contact]
        connected = next((fact for fact in facts if isinstance(fact, f.ContactConnected) and fact.contact == record.contact_id), None)
        rung = _offer(facts, connected.offer) if connected else None
        ring = connected.at - rung.at if connected and rung else None
        parted = next((fact for fact in facts if isinstance(fact, f.ContactParted) and fact.contact == record.contact_id), None)
        handling = _handling(record, parted, following.get(record.contact_id)) if parted else None
        called_back = outbound and record.answered_at == entered.at
        in_vain = _rang_in_vain(facts, record)
        found.append(RecordedContact(record, entered, before, called_back, entered.contact in asked, ring, in_vain, handling))
    return found


def _rang_in_vain(facts: Sequence[f.Fact], record: ContactRecord) -> timedelta:
    withdrawn = next((fact for fact in facts if isinstance(fact, f.OfferWithdrawn) and fact.at == record.ended_at), None)
    rung = _offer(facts, withdrawn.offer) if withdrawn and withdrawn.why is f.WithdrawnWhy.CALLER_LEFT else None
    return withdrawn.at - rung.at if withdrawn and rung else timedelta()


def _handling(record: ContactRecord, parted: f.ContactParted, following: f.ContactEntered | None) -> Handling | None:
    if record.wrap_up is None:
        return None
    longer = parted.at + record.wrap_up - parted.wrap_up_until
    by_timer, extended = abs(longer) <= A_MOMENT, longer > A_MOMENT
    sent_to = following.queue if following and parted.why is f.EndedWhy.TRANSFERRED else ""
    return Handling(
        parted.talk + parted.hold,
        record.wrap_up,
        by_timer,
        extended,
        record.disposition,
        parted.why,
        sent_to,
        following.for_agent if following and sent_to else "",
        following.contact if following else "",
    )


# --- agents ---------------------------------------------------------------------------------------------


def _agent(name: str, facts: Sequence[_Numbered], begins_at: datetime) -> RecordedAgent:
    """Presence from state changes, requests and missed offers (each preceded by its offer), in order."""
    changes = [fact for _, fact in facts if isinstance(fact, f.AgentStateChanged)]
    reader = _Presence(name)
    for number, fact in sorted(facts, key=lambda each: each[1].at):
        reader.take(number, fact)
    reader.back(datetime.max.replace(tzinfo=UTC))
    idle_since = next((change.idle_since for change in changes if change.at < begins_at), None)
    stays = tuple(fold_stays(changes))
    return RecordedAgent(name, tuple(reader.requests), tuple(reader.phone), tuple(reader.absences), stays, idle_since)


class _Presence:
    """One agent's requests and absences, read fact by fact."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.requests: list[tuple[datetime, int, AgentRequest]] = []
        self._number = 0
        self.absences: list[Absence] = []
        self.phone: list[tuple[datetime, bool]] = []
        self._state = f.AgentState.LOGGED_OUT
        self._reason = ""
        self._ends: datetime | None = None
        """When the state that she is in ends by itself."""
        self._opted_out: tuple[str, ...] = ()
        self._carries = False
        """She is still in what she was in when the record began, or works on a callback; the replay takes her for not ready."""
        self._wish: f.AgentRequestRemembered | None = None
        self._rung_at: datetime | None = None
        self._missed: tuple[datetime, f.OfferMissed] | None = None
        self._away: tuple[datetime, f.OfferMissed] | None = None

    def take(self, number: int, fact: f.Fact) -> None:
        self._number = number
        match fact:
            case f.ContactOffered():
                self._rung_at = fact.at
            case f.OfferMissed():
                self._missed = (self._rung_at or fact.at, fact)
            case f.AgentRequestRemembered():
                self._asked_meanwhile(fact)
            case CallbackReserved():
                self._rest_or_leave(fact.at, f.AgentState.NOT_READY, CALLBACK)
                self._carries = True
            case f.AgentPhoneChanged():
                self.phone.append((fact.at, fact.reachable))
            case f.AgentOptedOut():
                self._opted(fact)
            case f.AgentStateChanged():
                self._changed(fact)
                self._state, self._reason, self._ends = fact.state, fact.reason, fact.until
                if fact.state not in (f.AgentState.TALKING, f.AgentState.WRAP_UP):
                    self._wish = None

    def _opted(self, fact: f.AgentOptedOut) -> None:
        for queue in fact.queues:
            if queue not in self._opted_out:
                self._ask(fact.at, OptOutRequested(self.name, queue))
        for queue in self._opted_out:
            if queue not in fact.queues:
                self._ask(fact.at, OptInRequested(self.name, queue))
        self._opted_out = fact.queues

    def _ask(self, at: datetime, request: AgentRequest) -> None:
        self.requests.append((at, self._number, request))

    def _asked_meanwhile(self, fact: f.AgentRequestRemembered) -> None:
        if self._state not in BUSY:
            return  # said together with a change of state, which tells the same
        self._wish = fact
        if fact.state is f.AgentState.READY:
            self._ask(fact.at, AgentReadyRequested(self.name))
        else:
            self._rest_or_leave(fact.at, fact.state, fact.reason)

    def _rest_or_leave(self, at: datetime, state: f.AgentState, reason: str) -> None:
        leaves = state is f.AgentState.LOGGED_OUT
        self._ask(at, AgentLogoutRequested(self.name) if leaves else AgentNotReadyRequested(self.name, reason))

    def _changed(self, fact: f.AgentStateChanged) -> None:
        if self._state is f.AgentState.LOGGED_OUT and fact.state is not f.AgentState.LOGGED_OUT:
            self._ask(fact.at, AgentLoginRequested(self.name))
            # Only at the beginning of the record: she is in the middle of something.
            if fact.state is f.AgentState.RESERVED or fact.reason == PHONE_UNREACHABLE:  # offered anew, or once the phone is back
                self._ask(fact.at, AgentReadyRequested(self.name))
                return
            in_contact = fact.state in (f.AgentState.TALKING, f.AgentState.WRAP_UP)
            self._carries = in_contact or (fact.state is f.AgentState.NOT_READY and fact.reason in THE_CENTERS)
        missed, self._missed = self._missed, None
        if missed is not None:
            self._away = missed
        if fact.state is f.AgentState.NOT_READY and fact.reason in THE_CENTERS:
            return
        if fact.state is f.AgentState.READY:
            self._is_ready(fact)
        elif fact.state in (f.AgentState.NOT_READY, f.AgentState.LOGGED_OUT):
            self.back(fact.at)
            obeyed = self._wish is not None and (self._wish.state, self._wish.reason) == (fact.state, fact.reason)
            if not obeyed and (fact.state, fact.reason) != (f.AgentState.NOT_READY, LOGIN):
                self._rest_or_leave(fact.at, fact.state, fact.reason)

    def _is_ready(self, fact: f.AgentStateChanged) -> None:
        self.back(fact.at)
        rested = self._state in (f.AgentState.NOT_READY, f.AgentState.LOGGED_OUT)
        if (rested and not self._rest_ended(fact.at)) or self._carries:
            self._ask(fact.at, AgentReadyRequested(self.name))
        self._carries = False

    def _rest_ended(self, at: datetime) -> bool:
        """Whether the center ended by itself, at this date, what it made of her."""
        return self._reason == PHONE_UNREACHABLE or (self._reason in THE_CENTERS and at == self._ends)

    def back(self, at: datetime) -> None:
        """She answers again what comes from then on."""
        if self._away is not None:
            rung_at, missed = self._away
            self.absences.append(Absence(rung_at, at, missed.why, missed.at - rung_at))
            self._away = None
