"""What another system knows of a caller: the queue's ``lookup`` source, asked as flows ask theirs, for the screen pop of a contact.

The dips process asks, with its time limit, breaker and address rules; nothing of it runs where calls are decided.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from callcenter.domain.dips.source import DipAnswer
from callcenter.domain.state import State

AskDip = Callable[[str, Mapping[str, str], timedelta], Awaitable[DipAnswer]]


@dataclass(frozen=True, slots=True)
class Lookup:
    """Where a queue's callers are looked up, and what the question needs."""

    source: str
    names: tuple[str, ...]
    budget: timedelta


@dataclass(frozen=True, slots=True)
class LookedUp:
    source: str
    answer: DipAnswer


def known_of(state: State | None, contact: str) -> dict[str, str] | None:
    """What is known of a contact of this moment, by the names that a question may use; None: there is none of that name."""
    found = state.contacts.get(contact) if state is not None else None
    call = state.calls.get(found.entered.call) if state is not None and found is not None else None
    if found is None or call is None:
        return None
    entered, began = found.entered, call.began
    own = {
        "contact": contact,
        "call": call.id,
        "queue": entered.queue,
        "caller": entered.caller,
        "caller_name": began.caller_name,
        "dialed": began.dialed,
    }
    return {**{name: str(value) for name, value in call.attributes.items()}, **own}


async def look_up(lookup: Lookup, known: Mapping[str, str], ask: AskDip) -> LookedUp:
    """Never raises, and takes no longer than the source's budget."""
    values = {name: known.get(name, "") for name in lookup.names}
    return LookedUp(lookup.source, await ask(lookup.source, values, lookup.budget))
