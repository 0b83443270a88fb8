"""What subscribers are told of facts: an event type of the glossary's words and a few fields, never more of a person than they asked for.

Names, notes, transcripts, digits and attributes of callers are told to nobody; numbers as the subscription says.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from callcenter.domain import facts as f

Value = str | int | float | bool | None | list[str]

LONGEST = 200
"""Characters of one value."""
SHOWN_DIGITS = 3


class Numbers(StrEnum):
    """How much of telephone numbers a subscriber is told."""

    NONE = "none"
    MASKED = "masked"
    """The last three digits."""
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Told:
    """One kind of event: what it is called, and which fields of the fact are told."""

    type: str
    fields: tuple[str, ...]
    when: Callable[[Any], bool] = lambda _: True


_CONTACT = ("call", "contact", "queue")
_NUMBERS = frozenset({"caller", "number", "dialed"})
_KINDS: Mapping[type, Told] = {
    f.CallBegan: Told(
        "call.began",
        ("call", "node", "direction", "dialed", "caller", "trunk"),
        lambda fact: fact.direction in (f.Direction.INBOUND, f.Direction.OUTBOUND),
    ),
    f.CallEnded: Told("call.ended", ("call", "cause")),
    f.FlowEnded: Told("flow.ended", ("call", "exit", "node")),
    f.ContactEntered: Told("contact.entered", (*_CONTACT, "priority", "entered_at", "caller", "transferred_from")),
    f.ContactOffered: Told("contact.offered", (*_CONTACT, "agent")),
    f.OfferMissed: Told("contact.offer_missed", (*_CONTACT, "agent", "why")),
    f.ContactConnected: Told("contact.connected", (*_CONTACT, "agent", "wait")),
    f.ContactAbandoned: Told("contact.abandoned", (*_CONTACT, "wait", "short")),
    f.ContactOverflowed: Told("contact.overflowed", (*_CONTACT, "wait", "why")),
    f.ContactParted: Told("contact.parted", (*_CONTACT, "agent", "talk", "hold", "why")),
    f.DispositionGiven: Told("contact.disposed", (*_CONTACT, "agent", "disposition", "by")),
    f.ContactEnded: Told("contact.ended", (*_CONTACT, "agent", "wrap_up")),
    f.AgentStateChanged: Told("agent.state_changed", ("agent", "state", "reason", "contact")),
    f.AgentTakenOut: Told("agent.taken_out", ("agent", "contact", "queue", "why", "misses")),
    f.CallbackCreated: Told("callback.created", ("callback", "queue", "number", "due_at", "source", "call", "contact", "owner")),
    f.CallbackEdited: Told("callback.edited", ("callback", "queue", "number", "due_at", "owner")),
    f.CallbackUnreached: Told("callback.unreached", ("callback", "outcome", "due_at")),
    f.CallbackKept: Told("callback.kept", ("callback", "how", "in_time", "call")),
    f.CallbackBroken: Told("callback.broken", ("callback", "why")),
    f.MessageLeft: Told("message.left", ("message", "mailbox", "call", "contact", "caller", "length", "kept_until")),
    f.MessageHeard: Told("message.heard", ("message", "mailbox")),
    f.MessageDeleted: Told("message.deleted", ("message", "mailbox")),
    f.RecordingStarted: Told("recording.started", ("recording", *_CONTACT, "agent")),
    f.RecordingStopped: Told("recording.stopped", ("recording", "call", "contact")),
    f.RecordingMissing: Told("recording.missing", ("recording", "call", "contact", "why")),
    f.SurveyAnswered: Told("survey.answered", ("call", "contact", "queue", "agent", "flow", "question", "asked", "value")),
    f.HoursSwitched: Told("calendar.switched", ("calendar", "is_open", "until")),
    f.HoursSwitchedBack: Told("calendar.switched_back", ("calendar",)),
    f.DoNotCallAdded: Told("do_not_call.added", ("number", "source", "call")),
    f.DoNotCallRemoved: Told("do_not_call.removed", ("number",)),
}
ALERT_FIRED, ALERT_RESOLVED = "alert.fired", "alert.resolved"
"""Of no fact: who judges alerts writes these (``services.alert_keeper``)."""
TEST = "webhook.test"
"""Sent when somebody asks for it, to one subscription."""
TYPES: tuple[str, ...] = (*(told.type for told in _KINDS.values()), ALERT_FIRED, ALERT_RESOLVED)


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """What a subscriber is told."""

    type: str
    at: datetime
    values: Mapping[str, Value]


def type_of(fact: f.Fact) -> str | None:
    """The type of the event that this fact is told as; None: nobody is told."""
    told = _KINDS.get(type(fact))
    return told.type if told is not None and told.when(fact) else None


def event_of(fact: f.Fact, numbers: Numbers) -> WebhookEvent | None:
    """What a subscriber is told of this fact, if anything."""
    told = _KINDS.get(type(fact))
    if told is None or not told.when(fact):
        return None
    values: dict[str, Value] = {}
    for name in told.fields:
        value = getattr(fact, name)
        if name in _NUMBERS and not _ours(fact, name):
            value = shown_number(value, numbers)
        if isinstance(value, timedelta):
            values[f"{name}_s"] = value.total_seconds()
        else:
            values[name] = _plain(value)
    return WebhookEvent(told.type, fact.at, values)


def _ours(fact: f.Fact, name: str) -> bool:
    """What an inbound caller dialed is a number of ours."""
    return name == "dialed" and isinstance(fact, f.CallBegan) and fact.direction is f.Direction.INBOUND


def shown_number(number: str, numbers: Numbers) -> str | None:
    """``•••••••4567`` and the like; None: nothing of it is told. A number that is withheld stays an empty text."""
    if numbers is Numbers.WHOLE or not number:
        return number[:LONGEST]
    if numbers is Numbers.NONE:
        return None
    shown = number[-SHOWN_DIGITS:] if len(number) > 2 * SHOWN_DIGITS else ""
    return "•" * (len(number[:LONGEST]) - len(shown)) + shown


def _plain(value: object) -> Value:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case str():
            return str(value)[:LONGEST]
        case bool() | int() | float() | None:
            return value
    raise TypeError(f"nobody is told a {type(value).__name__}")
