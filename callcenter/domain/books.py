"""The books: CDR, contact, recording and agent-state records, each a fold over facts.

Pure functions: the same facts give the same rows, whenever and how often they are folded. A row of something
that is still going on is folded too; what is not known yet is None.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import cast

from callcenter.domain import facts as f
from callcenter.domain.contact_books import CONTACT_FOLDS, ContactSoFar
from callcenter.domain.events import Cause
from callcenter.domain.facts.voicemail import MessageLeft
from callcenter.domain.fallback_books import fallback_books
from callcenter.domain.flow_books import FLOW_KINDS, FlowsSoFar, outcome_of
from callcenter.domain.records import CallBooks, CallRecord, ContactRecord, EndedBy, RecordingRecord, RecordingState, ServedBy, Stay
from callcenter.domain.survey_books import answer_records

ZERO = timedelta(0)


# --- one call -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _CallSoFar:
    began: f.CallBegan | None = None
    ended: f.CallEnded | None = None
    flow: str = ""
    flows: FlowsSoFar = field(default_factory=FlowsSoFar)
    left_message: bool = False
    closing: set[str] = field(default_factory=set)
    contacts: dict[str, ContactSoFar] = field(default_factory=dict)
    started: dict[str, f.RecordingStarted] = field(default_factory=dict)
    stopped_at: dict[str, datetime] = field(default_factory=dict)
    missing: dict[str, f.RecordingMissing] = field(default_factory=dict)
    answers: list[f.SurveyAnswered] = field(default_factory=list)
    fallback: f.FallbackCallEnded | None = None
    own_answered_at: datetime | None = None
    own_talk: timedelta = ZERO


def fold_call(facts: Iterable[f.Fact]) -> CallBooks:
    """The CDR, contact and recording records of one call from all its facts, in the order they happened."""
    so_far = _CallSoFar()
    for fact in facts:
        if apply := _CALL_FOLDS.get(type(fact)):
            apply(so_far, fact)
        if type(fact) in FLOW_KINDS:
            so_far.flows.take(fact)
    if so_far.fallback:
        return fallback_books(so_far.fallback)
    contacts = tuple(contact.record() for contact in so_far.contacts.values())
    call = _call_record(so_far, contacts)
    stays = so_far.flows.records(call.call_id) if call and call.direction is f.Direction.INBOUND else ()
    return CallBooks(call, contacts, tuple(_recordings(so_far)), stays, answer_records(so_far.answers))


def _call_record(so_far: _CallSoFar, contacts: Sequence[ContactRecord]) -> CallRecord | None:
    began, ended = so_far.began, so_far.ended
    if began is None:
        return None
    callers = [contact for contact in contacts if so_far.contacts[contact.contact_id].is_the_callers]
    answered = [contact for contact in callers if contact.answered_at]
    spans = [contact.of_the_caller() for contact in so_far.contacts.values()]
    return CallRecord(
        began.call,
        began.linkedid,
        began.node,
        began.direction,
        began.caller,
        began.dialed,
        began.trunk,
        so_far.flow,
        began.at,
        min((contact.answered_at for contact in answered if contact.answered_at), default=so_far.own_answered_at),
        ended.at if ended else None,
        sum((wait for wait, _, _ in spans), ZERO),
        sum((talk for _, talk, _ in spans), so_far.own_talk),
        sum((hold for _, _, hold in spans), ZERO),
        callers[-1].queue if callers else "",
        answered[-1].agent if answered else began.agent,
        len(contacts),
        ended.cause if ended else None,
        _ended_by(so_far, callers) if ended else None,
        ServedBy.ENGINE,
        answered[-1].disposition if answered else "",
        outcome_of(so_far.flows, queued=bool(callers), voicemail=so_far.left_message, ended=ended is not None),
    )


_BY_CAUSE: Mapping[Cause, EndedBy] = {
    Cause.NODE_CRASH: EndedBy.NODE,
    Cause.LOST: EndedBy.NETWORK,
    Cause.UNKNOWN: EndedBy.UNKNOWN,
}


def _ended_by(so_far: _CallSoFar, contacts: Sequence[ContactRecord]) -> EndedBy:
    assert so_far.began
    assert so_far.ended
    if by := _BY_CAUSE.get(so_far.ended.cause):
        return by
    if contacts and contacts[-1].why == f.EndedWhy.AGENT_HUNG_UP:
        return EndedBy.AGENT
    return EndedBy.CENTER if so_far.began.leg in so_far.closing else EndedBy.CALLER


def _recordings(so_far: _CallSoFar) -> Iterable[RecordingRecord]:
    for name in {**so_far.started, **so_far.missing}:
        started, missing = so_far.started.get(name), so_far.missing.get(name)
        contact_id = started.contact if started else missing.contact if missing else ""
        contact = so_far.contacts.get(contact_id)
        first = started or missing
        assert first
        stopped_at = so_far.stopped_at.get(name)
        ended = so_far.ended is not None or stopped_at is not None
        state = RecordingState.MISSING if missing else RecordingState.STOPPED if ended else RecordingState.RECORDING
        yield RecordingRecord(
            name,
            contact_id,
            first.call,
            started.agent if started else contact.agent if contact else "",
            started.queue if started else contact.entered.queue if contact else "",
            started.node if started else so_far.began.node if so_far.began else "",
            first.at,
            stopped_at or (so_far.ended.at if so_far.ended and not missing else None),
            state,
            missing.why if missing else "",
        )


# --- what each kind of fact means ---------------------------------------------------------------------


def _began(so_far: _CallSoFar, fact: f.CallBegan) -> None:
    so_far.began = so_far.began or fact


def _ended(so_far: _CallSoFar, fact: f.CallEnded) -> None:
    so_far.ended = fact


def _closing(so_far: _CallSoFar, fact: f.LegClosing) -> None:
    so_far.closing.add(fact.leg)


def _own_answered(so_far: _CallSoFar, fact: f.OwnCallAnswered) -> None:
    so_far.own_answered_at = fact.at


def _own_redialed(so_far: _CallSoFar, fact: f.OwnLegRedialed) -> None:
    """Who began the call goes on with it on another leg."""
    if so_far.began is not None and so_far.began.leg == fact.lost:
        so_far.began = replace(so_far.began, leg=fact.leg)


def _own_ended(so_far: _CallSoFar, fact: f.OwnCallEnded) -> None:
    so_far.own_talk = fact.talk


def _flow_started(so_far: _CallSoFar, fact: f.FlowStarted) -> None:
    so_far.flow = so_far.flow or fact.flow


def _left_message(so_far: _CallSoFar, fact: MessageLeft) -> None:
    so_far.left_message = True


def _entered(so_far: _CallSoFar, fact: f.ContactEntered) -> None:
    so_far.contacts[fact.contact] = ContactSoFar(fact)


def _survey_answered(so_far: _CallSoFar, fact: f.SurveyAnswered) -> None:
    so_far.answers.append(fact)


def _recording_started(so_far: _CallSoFar, fact: f.RecordingStarted) -> None:
    so_far.started[fact.recording] = fact


def _recording_stopped(so_far: _CallSoFar, fact: f.RecordingStopped) -> None:
    so_far.stopped_at[fact.recording] = fact.at


def _recording_missing(so_far: _CallSoFar, fact: f.RecordingMissing) -> None:
    so_far.missing[fact.recording] = fact


def _fallback(so_far: _CallSoFar, fact: f.FallbackCallEnded) -> None:
    so_far.fallback = fact


_Fold = Callable[[_CallSoFar, f.Fact], None]


def _of_contact(fold: Callable[..., None]) -> _Fold:
    """The fold of a fact about one contact; it says nothing to us when the contact's entry is not among the facts."""

    def apply(so_far: _CallSoFar, fact: f.Fact) -> None:
        if contact := so_far.contacts.get(cast(f.ContactEnded, fact).contact):
            fold(contact, fact)

    return apply


_CALL_FOLDS: Mapping[type, _Fold] = {
    **{kind: _of_contact(fold) for kind, fold in CONTACT_FOLDS.items()},
    f.CallBegan: cast(_Fold, _began),
    f.CallEnded: cast(_Fold, _ended),
    f.LegClosing: cast(_Fold, _closing),
    f.FlowStarted: cast(_Fold, _flow_started),
    f.OwnCallAnswered: cast(_Fold, _own_answered),
    f.OwnLegRedialed: cast(_Fold, _own_redialed),
    f.OwnCallEnded: cast(_Fold, _own_ended),
    MessageLeft: cast(_Fold, _left_message),
    f.ContactEntered: cast(_Fold, _entered),
    f.RecordingStarted: cast(_Fold, _recording_started),
    f.RecordingStopped: cast(_Fold, _recording_stopped),
    f.RecordingMissing: cast(_Fold, _recording_missing),
    f.FallbackCallEnded: cast(_Fold, _fallback),
    f.SurveyAnswered: cast(_Fold, _survey_answered),
}

_KINDS = frozenset(_CALL_FOLDS) | FLOW_KINDS
FOLDED_KINDS = frozenset(kind.__name__ for kind in _KINDS)
"""The kinds of fact that change a call's records."""


def call_touched(fact: f.Fact) -> str | None:
    """The call whose records this fact changes."""
    return cast(f.CallBegan, fact).call if type(fact) in _KINDS else None


# --- one agent ----------------------------------------------------------------------------------------


def fold_stays(changes: Iterable[f.AgentStateChanged]) -> list[Stay]:
    """One agent's stays from her state changes in order; each ends where the next begins, the last one lasts."""
    listed = list(changes)
    ends = [change.at for change in listed[1:]] + [None]
    return [
        Stay(change.agent, change.state, change.reason, change.contact, change.at, end) for change, end in zip(listed, ends, strict=True)
    ]
