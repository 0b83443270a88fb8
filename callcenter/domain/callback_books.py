"""Callback records: one row for each promise, a fold over its facts."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from callcenter.domain.callback import CALLBACK_TRANSITIONS, SETTLED, CallbackState
from callcenter.domain.facts import Fact
from callcenter.domain.facts.callbacks import (
    CallbackAttempted,
    CallbackBridged,
    CallbackBroken,
    CallbackCreated,
    CallbackEdited,
    CallbackFact,
    CallbackKept,
    CallbackReached,
    CallbackSource,
    KeptHow,
)
from callcenter.domain.records import CallbackRecord, ContactRecord

CALLBACK_KINDS: Mapping[str, type] = {kind.__name__: kind for kind in CallbackFact.__args__}


def callback_touched(fact: Fact) -> str | None:
    """The callback whose record this fact changes."""
    return fact.callback if isinstance(fact, CallbackFact) else None


@dataclass(slots=True)
class _SoFar:
    created: CallbackCreated
    queue: str
    number: str
    due_at: datetime
    owner: str
    state: CallbackState = CallbackState.CREATED
    attempts: int = 0
    first_attempt_at: datetime | None = None
    reached_at: datetime | None = None
    bridged_at: datetime | None = None
    agent: str = ""
    contact: str = ""
    settled_at: datetime | None = None
    why: str = ""
    in_time: bool | None = None


def fold_callback(facts: Iterable[Fact]) -> CallbackRecord | None:
    """The record of one callback from all its facts, in order; None when its beginning is not among them."""
    so_far: _SoFar | None = None
    for fact in facts:
        if isinstance(fact, CallbackCreated):
            so_far = so_far or _SoFar(fact, fact.queue, fact.number, fact.due_at, fact.owner)
        elif isinstance(fact, CallbackFact) and so_far is not None:
            so_far.state = CALLBACK_TRANSITIONS.get((so_far.state, type(fact)), so_far.state)
            if fold := _FOLDS.get(type(fact)):
                fold(so_far, fact)
    return _record(so_far) if so_far is not None else None


def _record(so_far: _SoFar) -> CallbackRecord:
    created = so_far.created
    return CallbackRecord(
        created.callback,
        so_far.queue,
        so_far.number,
        created.caller_name,
        created.source,
        created.call,
        created.contact,
        created.at,
        so_far.due_at,
        so_far.owner,
        so_far.state,
        so_far.attempts,
        so_far.first_attempt_at,
        so_far.reached_at,
        so_far.bridged_at,
        so_far.agent,
        so_far.contact,
        so_far.settled_at,
        so_far.why,
        so_far.in_time,
    )


def _edited(so_far: _SoFar, fact: CallbackEdited) -> None:
    so_far.queue, so_far.number, so_far.due_at, so_far.owner = fact.queue, fact.number, fact.due_at, fact.owner


def _attempted(so_far: _SoFar, fact: CallbackAttempted) -> None:
    so_far.attempts += 1
    so_far.first_attempt_at = so_far.first_attempt_at or fact.at


def _reached(so_far: _SoFar, fact: CallbackReached) -> None:
    so_far.reached_at = so_far.reached_at or fact.at


def _bridged(so_far: _SoFar, fact: CallbackBridged) -> None:
    so_far.bridged_at, so_far.agent, so_far.contact = fact.at, fact.agent, fact.contact


def _kept(so_far: _SoFar, fact: CallbackKept) -> None:
    so_far.settled_at, so_far.why, so_far.in_time = fact.at, fact.how.value, fact.in_time


def _broken(so_far: _SoFar, fact: CallbackBroken) -> None:
    so_far.settled_at, so_far.why, so_far.in_time = fact.at, fact.why.value, False


_FOLDS: Mapping[type, Callable[[_SoFar, Any], None]] = {
    CallbackEdited: _edited,
    CallbackAttempted: _attempted,
    CallbackReached: _reached,
    CallbackBridged: _bridged,
    CallbackKept: _kept,
    CallbackBroken: _broken,
}


# --- the funnel ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallbackFunnel:
    """What became of our promises. Adds up over any slices and queues. promised = kept + broken + open."""

    offered: int = 0
    """Callers who were told of it, or asked for it without being told."""
    accepted: int = 0
    """Callers who took it."""
    promised: int = 0
    """Those, and what people of ours entered."""
    dialed: int = 0
    reached: int = 0
    bridged: int = 0
    kept: int = 0
    """By a talk, or by the place of a caller who called first (``merged``)."""
    kept_in_time: int = 0
    merged: int = 0
    broken: int = 0
    open: int = 0
    attempts: int = 0

    def __add__(self, other: "CallbackFunnel") -> "CallbackFunnel":
        return CallbackFunnel(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


def callback_funnel(callbacks: Iterable[CallbackRecord], contacts: Iterable[ContactRecord]) -> CallbackFunnel:
    """Count these callbacks; of the contacts, those that were told that we would call back."""
    listed = list(callbacks)
    told = {contact.contact_id for contact in contacts if contact.callback_offered}
    asked = [each for each in listed if each.source is not CallbackSource.PERSON]
    kept = [each for each in listed if each.state is CallbackState.KEPT]
    return CallbackFunnel(
        offered=len(told) + sum(each.contact_id not in told for each in asked),
        accepted=len(asked),
        promised=len(listed),
        dialed=sum(each.attempts > 0 for each in listed),
        reached=sum(each.reached_at is not None for each in listed),
        bridged=sum(each.bridged_at is not None for each in listed),
        kept=len(kept),
        kept_in_time=sum(each.in_time is True for each in kept),
        merged=sum(each.why == KeptHow.MERGED for each in kept),
        broken=sum(each.state is CallbackState.BROKEN for each in listed),
        open=sum(each.state not in SETTLED for each in listed),
        attempts=sum(each.attempts for each in listed),
    )


def mean_delay(callbacks: Iterable[CallbackRecord]) -> timedelta | None:
    """From the promise, or the chosen time, to the talk: what a callback costs its caller in time, though not on the line."""
    delays = [each.bridged_at - max(each.created_at, each.due_at) for each in callbacks if each.bridged_at is not None]
    return sum(delays, timedelta()) / len(delays) if delays else None
