"""What a customer's own dialplan may ask (FastAGI): where a number leads, what we know of a caller, whether a calendar is open.

Answers are variables; those of the kind that was asked always come, so that a dialplan need not know what was found. Nothing is
changed by asking.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from callcenter.domain.state import State

Variables = Sequence[tuple[str, str]]
Asked = Mapping[str, str]

LONGEST = 60
"""Characters of a number or a name in a question; longer ones are nobody's."""


class UnknownQuestion(Exception):
    """Nobody can answer this."""


def answer(state: State, now: datetime, name: str, query: Asked, environment: Asked) -> Variables:
    """The answer to ``agi://HOST/NAME?QUERY``; ``environment`` is what Asterisk says of the channel. Raises UnknownQuestion."""
    lookup = _LOOKUPS.get(name)
    if lookup is None:
        raise UnknownQuestion(f"there is no '{name[:40]}'; ask for {', '.join(sorted(_LOOKUPS))}")
    return lookup(state, now, query, environment)


def _flow(state: State, now: datetime, query: Asked, environment: Asked) -> Variables:
    """``number``: the one that was dialed; without it, the channel's own."""
    written = _first(query.get("number"), environment.get("dnid"), environment.get("extension"))
    numbers = state.config.numbers
    number = numbers.get(written) or numbers.get(state.config.calling.rules(written).number)
    found = (number.did, number.flow, number.fallback_queue) if number is not None else ("", "", "")
    return (
        ("CALLCENTER_FOUND", _flag(number is not None)),
        *zip(("CALLCENTER_NUMBER", "CALLCENTER_FLOW", "CALLCENTER_QUEUE"), found, strict=True),
    )


def _caller(state: State, now: datetime, query: Asked, environment: Asked) -> Variables:
    """``number``: the caller's; without it, the channel's own."""
    written = _first(query.get("number"), environment.get("callerid"))
    hits = list(state.caller_lists.hits(written, now)) or list(state.caller_lists.hits(state.config.calling.rules(written).number, now))
    return (
        ("CALLCENTER_FOUND", _flag(bool(hits))),
        ("CALLCENTER_LISTS", ",".join(hit.caller_list.name for hit in hits)),
        ("CALLCENTER_PRIORITY", str(sum(hit.caller_list.priority for hit in hits))),
        ("CALLCENTER_BLOCKED", _flag(any(hit.caller_list.blocked for hit in hits))),
    )


def _hours(state: State, now: datetime, query: Asked, environment: Asked) -> Variables:
    """``calendar``."""
    hours = state.hours(_first(query.get("calendar")))
    opens_at = hours.opens_at(now) if hours is not None and not hours.is_open(now) else None
    return (
        ("CALLCENTER_FOUND", _flag(hours is not None)),
        ("CALLCENTER_OPEN", _flag(hours is not None and hours.is_open(now))),
        ("CALLCENTER_WHY", str(hours.why(now)) if hours is not None else ""),
        ("CALLCENTER_OPENS_AT", str(int(opens_at.timestamp())) if opens_at is not None else ""),
    )


_LOOKUPS: Mapping[str, Callable[[State, datetime, Asked, Asked], Variables]] = {"flow": _flow, "caller": _caller, "hours": _hours}


def _first(*given: str | None) -> str:
    """The first that is given; Asterisk writes 'unknown' for what it does not know."""
    return next((text.strip() for text in given if text and text != "unknown" and len(text) <= LONGEST), "")


def _flag(it_is_so: bool) -> str:
    return "1" if it_is_so else "0"
