"""Explanations as JSON, for the control socket and the command line."""

from dataclasses import asdict
from datetime import datetime, timedelta

from callcenter.domain.explain import Explanation, Past, explain
from callcenter.domain.state import State
from callcenter.services.control import ControlError, Json, JsonObject


def waiting(state: State, wanted: str, now: datetime) -> JsonObject:
    """Explain who waits under this id (or its beginning), or calls from this number. Raises ControlError."""
    found = [
        waiter.id
        for waiter in state.unanswered()
        if waiter.id.startswith(wanted) or (waiter.id in state.contacts and state.contacts[waiter.id].entered.caller == wanted)
    ]
    if not found:
        raise ControlError(f"no contact that waits begins with '{wanted}', or is from that number")
    if len(found) > 1:
        raise ControlError(f"'{wanted}' may be any of {len(found)} who wait; give more of the id: {', '.join(found[:5])}")
    explained = explain(state, found[0], now)
    assert explained is not None
    return as_json(explained)


def as_json(explained: Explanation) -> JsonObject:
    written = asdict(explained)
    return {name: _plain(value) for name, value in written.items()}


def past_as_json(past: Past) -> JsonObject:
    """Each offer, with who was ranked how, and how it ended."""
    offers: list[Json] = []
    for offered, explained in past.offers:
        why = {**as_json(explained), "winner": offered.agent}
        kept = {"rank": list(offered.rank), "candidates": offered.candidates, "runners_up": list(offered.runners_up)}
        offers.append({"at": offered.at.isoformat(), "agent": offered.agent, "kept": _plain(kept), "explained": why})
    connected = past.connected
    return {
        "contact": past.entered.contact,
        "queue": past.entered.queue,
        "entered_at": past.entered.entered_at.isoformat(),
        "directed_by": past.entered.rule,
        "offers": offers,
        "answered_by": connected.agent if connected else "",
        "waited": connected.wait.total_seconds() if connected else None,
    }


def _plain(value: object) -> Json:
    match value:
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case dict():
            return {str(name): _plain(part) for name, part in value.items()}
        case list() | tuple():
            return [_plain(part) for part in value]
        case str() | int() | float() | bool() | None:
            return value
    raise TypeError(f"no JSON for {type(value).__name__}")
