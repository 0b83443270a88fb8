"""The books are folds over facts: what each kind of call comes to."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.domain import facts as f
from callcenter.domain.books import fold_call, fold_stays
from callcenter.domain.contact import ContactState
from callcenter.domain.events import Cause
from callcenter.domain.flow_books import FlowOutcome
from callcenter.domain.records import CallBooks, CallRecord, EndedBy, RecordingState, ServedBy
from tests.support.day import BEGIN, NODE, abandoned_call, answered_call, seconds


def flat(events: Iterable[Sequence[f.Fact]]) -> list[f.Fact]:
    return [fact for facts in events for fact in facts if not isinstance(fact, f.AgentStateChanged)]


def call_of(books: CallBooks) -> CallRecord:
    assert books.call is not None
    return books.call


ANSWERED = flat(answered_call("c1", BEGIN, "alice", wait=12.5))


def until(kind: type[f.Fact]) -> list[f.Fact]:
    """The answered call, up to and with the first fact of this kind."""
    return ANSWERED[: next(n for n, fact in enumerate(ANSWERED) if isinstance(fact, kind)) + 1]


def test_an_answered_call() -> None:
    books = fold_call(ANSWERED)
    (contact,) = books.contacts
    connected_at = BEGIN + seconds(16.5)
    assert books.call == CallRecord(
        call_id="c1",
        linkedid=f"{NODE}-c1.linked",
        node=NODE,
        direction=f.Direction.INBOUND,
        caller="+4930111",
        dialed="+498001",
        trunk="carrier",
        flow="main",
        started_at=BEGIN,
        answered_at=connected_at,
        ended_at=connected_at + seconds(60.01),
        wait=seconds(12.5),
        talk=seconds(50),
        hold=seconds(10),
        queue="support",
        agent="alice",
        contacts=1,
        cause=Cause.NORMAL,
        ended_by=EndedBy.CALLER,
        served_by=ServedBy.ENGINE,
        flow_outcome=FlowOutcome.QUEUED,
    )
    assert (contact.state, contact.agent, contact.wait, contact.talk, contact.hold, contact.wrap_up) == (
        ContactState.ENDED, "alice", seconds(12.5), seconds(50), seconds(10), seconds(5),
    )  # fmt: skip
    assert contact.answered_at == connected_at == contact.entered_at + contact.wait
    assert contact.why == "caller_hung_up"


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (f.ContactEntered, ContactState.WAITING),
        (f.ContactOffered, ContactState.OFFERED),
        (f.ContactConnected, ContactState.CONNECTED),
        (f.ContactParted, ContactState.WRAPPING),
        (f.CallEnded, ContactState.WRAPPING),
        (f.ContactEnded, ContactState.ENDED),
    ],
)
def test_a_call_in_progress_is_folded_too(kind: type[f.Fact], state: ContactState) -> None:
    books = fold_call(until(kind))
    assert books.contacts[0].state is state
    assert (call_of(books).ended_at is None) == (kind not in (f.CallEnded, f.ContactEnded))


@pytest.mark.parametrize(("wait", "short"), [(3, True), (5, True), (5.5, False)])
def test_an_abandoned_call(wait: float, short: bool) -> None:
    books = fold_call(flat(abandoned_call("c1", BEGIN, wait=wait)))
    (contact,) = books.contacts
    assert (contact.state, contact.wait, contact.short_abandon, contact.agent) == (ContactState.ABANDONED, seconds(wait), short, "")
    assert (call_of(books).answered_at, call_of(books).ended_by, call_of(books).agent) == (None, EndedBy.CALLER, "")


def test_a_missed_offer_is_counted_and_the_contact_waits_again() -> None:
    facts = until(f.ContactOffered)
    offered = facts[-1]
    assert isinstance(offered, f.ContactOffered)
    missed = f.OfferMissed(BEGIN, "c1", offered.contact, "support", offered.offer, "alice", f.MissedWhy.NO_ANSWER)
    (contact,) = fold_call([*facts, missed]).contacts
    assert (contact.state, contact.offers, contact.offers_missed) == (ContactState.WAITING, 1, 1)
    (contact,) = fold_call([*facts, missed, replace(offered, offer="second", agent="bob")]).contacts
    assert (contact.state, contact.offers, contact.offers_missed) == (ContactState.OFFERED, 2, 1)


def test_of_several_offers_one_withdrawn_leaves_the_contact_offered() -> None:
    facts = until(f.ContactOffered)
    offered = facts[-1]
    assert isinstance(offered, f.ContactOffered)
    withdrawn = f.OfferWithdrawn(BEGIN, "c1", offered.contact, "support", offered.offer, "alice", f.WithdrawnWhy.NODE_AWAY)
    (contact,) = fold_call([*facts, replace(offered, offer="second", agent="bob"), withdrawn]).contacts
    assert contact.state is ContactState.OFFERED


def test_an_overflowed_contact_says_why() -> None:
    entered = until(f.ContactEntered)
    over = f.ContactOverflowed(BEGIN, "c1", "c1-contact", "support", seconds(300), f.OverflowWhy.MAX_WAIT)
    (contact,) = fold_call([*entered, over]).contacts
    assert (contact.state, contact.why, contact.wait) == (ContactState.OVERFLOWED, "max_wait", seconds(300))


@pytest.mark.parametrize(
    ("wait", "connected", "right", "wrong"),
    [(90, True, 1, 1), (20, True, 2, 0), (200, True, 0, 2), (200, False, 0, 2), (50, False, 0, 0), (90, False, 0, 1)],
)
def test_what_was_told_about_the_wait_came_true_or_not(wait: int, connected: bool, right: int, wrong: int) -> None:
    entered = until(f.ContactEntered)
    at = entered[-1].at

    def announced(under: timedelta | None) -> f.Fact:
        return f.ContactAnnounced(at + seconds(10), "c1", "c1-contact", "support", "p", (), 1, under, None, None, 0)

    end: f.Fact = f.ContactAbandoned(at + seconds(wait), "c1", "c1-contact", "support", seconds(wait), False)
    if connected:
        end = f.ContactConnected(at + seconds(wait), "c1", "c1-contact", "support", "o", "alice", "l", "b", seconds(wait))
    (contact,) = fold_call([*entered, announced(seconds(60)), announced(None), announced(seconds(120)), end]).contacts
    assert (contact.told_right, contact.told_wrong) == (right, wrong)


def test_a_transfer_makes_a_second_contact_of_the_same_call() -> None:
    parted = until(f.ContactParted)
    last = parted[-1]
    assert isinstance(last, f.ContactParted)
    moved = [*parted[:-1], replace(last, why=f.EndedWhy.TRANSFERRED)]
    second = f.ContactEntered(last.at, "c1", "k2", "billing", 0, last.at, last.at, "+4930111", transferred_from="c1-contact")
    connected = f.ContactConnected(last.at + seconds(7), "c1", "k2", "billing", "o2", "bob", "leg-2", "b2", seconds(7))
    books = fold_call([*moved, second, connected])
    assert [contact.queue for contact in books.contacts] == ["support", "billing"]
    assert books.contacts[1].transferred_from == "c1-contact"
    call = call_of(books)
    assert (call.contacts, call.queue, call.agent, call.wait) == (2, "billing", "bob", seconds(19.5))
    assert call.answered_at == BEGIN + seconds(16.5)  # the first agent's


@pytest.mark.parametrize(
    ("cause", "why", "closing", "ended_by"),
    [
        (Cause.NORMAL, f.EndedWhy.CALLER_HUNG_UP, False, EndedBy.CALLER),
        (Cause.NORMAL, f.EndedWhy.AGENT_HUNG_UP, True, EndedBy.AGENT),
        (Cause.NORMAL, None, True, EndedBy.CENTER),
        (Cause.NORMAL, None, False, EndedBy.CALLER),
        (Cause.LOST, f.EndedWhy.CALLER_LOST, False, EndedBy.NETWORK),
        (Cause.NODE_CRASH, f.EndedWhy.NODE_CRASH, False, EndedBy.NODE),
        (Cause.UNKNOWN, None, False, EndedBy.UNKNOWN),
    ],
)
def test_who_ended_the_call(cause: Cause, why: f.EndedWhy | None, closing: bool, ended_by: EndedBy) -> None:
    facts = until(f.ContactParted) if why else until(f.FlowStarted)
    if why:
        last = facts[-1]
        assert isinstance(last, f.ContactParted)
        facts[-1] = replace(last, why=why)
    if closing:
        facts.append(f.LegClosing(BEGIN, "c1", f"{NODE}-c1"))
    call = call_of(fold_call([*facts, f.CallEnded(BEGIN, "c1", cause)]))
    assert (call.cause, call.ended_by) == (cause, ended_by)


def test_a_star_code_is_a_call_of_the_agents_without_contact() -> None:
    began = f.CallBegan(BEGIN, "c1", NODE, "leg", f.Direction.INTERNAL, "*11", "", "", "", "", agent="alice")
    books = fold_call([began, f.CallEnded(BEGIN, "c1", Cause.NORMAL)])
    assert (call_of(books).agent, call_of(books).contacts, books.contacts) == ("alice", 0, ())


# --- recordings ---------------------------------------------------------------------------------------


def test_a_recording_lives_from_start_to_stop() -> None:
    assert fold_call(until(f.RecordingStarted)).recordings[0].state is RecordingState.RECORDING
    (recording,) = fold_call(ANSWERED).recordings
    assert (recording.state, recording.agent, recording.queue) == (RecordingState.STOPPED, "alice", "support")
    assert recording.stopped_at == BEGIN + seconds(76.5)


def test_a_recording_without_stop_is_over_with_its_call() -> None:
    facts = [fact for fact in ANSWERED if not isinstance(fact, f.RecordingStopped)]
    (recording,) = fold_call(facts).recordings
    assert (recording.state, recording.stopped_at) == (RecordingState.STOPPED, BEGIN + seconds(76.51))


@pytest.mark.parametrize("started", [True, False])
def test_a_missing_recording_is_a_record_too(started: bool) -> None:
    facts = until(f.RecordingStarted) if started else until(f.RecordingStarted)[:-1]
    missing = f.RecordingMissing(BEGIN + seconds(17), "c1", "c1-contact", "c1-recording", f.MissingWhy.REFUSED)
    (recording,) = fold_call([*facts, missing]).recordings
    assert (recording.state, recording.why, recording.queue, recording.agent, recording.node) == (
        RecordingState.MISSING, "refused", "support", "alice", NODE,
    )  # fmt: skip


# --- robustness ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", range(len(ANSWERED)))
def test_a_lost_fact_is_never_a_crash(lost: int) -> None:
    books = fold_call(ANSWERED[:lost] + ANSWERED[lost + 1 :])
    assert (books.call is None) == isinstance(ANSWERED[lost], f.CallBegan)


def test_stays_follow_one_another() -> None:
    states = [f.AgentState.NOT_READY, f.AgentState.READY, f.AgentState.RESERVED]
    changes = [f.AgentStateChanged(BEGIN + timedelta(minutes=n), "alice", state, "break" * (n == 0)) for n, state in enumerate(states)]
    stays = fold_stays(changes)
    assert [stay.state for stay in stays] == states
    assert [stay.ended_at for stay in stays] == [stays[1].began_at, stays[2].began_at, None]
    assert stays[0].reason == "break"


def test_who_was_told_in_the_fallback_that_it_is_closed_has_overflowed() -> None:
    ended_at = BEGIN + seconds(6)
    turned_away = f.FallbackCallEnded(
        ended_at,
        "c1",
        "k1",
        NODE,
        "leg",
        "support",
        "+498001",
        "+4930111",
        BEGIN,
        None,
        ended_at,
        "",
        short=False,
        log_offset=9,
        closed=True,
    )
    (contact,) = fold_call([turned_away]).contacts
    assert (contact.state, contact.why, contact.short_abandon) == (ContactState.OVERFLOWED, "closed", False)
    (contact,) = fold_call([replace(turned_away, closed=False)]).contacts
    assert (contact.state, contact.why) == (ContactState.ABANDONED, "")
