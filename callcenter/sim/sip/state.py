"""The life of a call as its phone sees it: the states of a leg, one table, and why it ended."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from callcenter.sim.sip.message import Message


class CallState(Enum):
    """::

        CREATED ──► RINGING ──► UP ──► ENDING ──► ENDED
           │           │         │        ▲          ▲
           ├───────────┼──► UP   └────────┼──────────┤   far end hangs up
           └───────────┴──────────────────┴──────────┘   CANCEL, refusal, no answer

    *Held* is a flag on ``UP``, not a state.
    """

    CREATED = "created"
    RINGING = "ringing"
    UP = "up"
    ENDING = "ending"
    """We hung up; BYE or CANCEL is not answered yet."""
    ENDED = "ended"


TRANSITIONS: Mapping[CallState, frozenset[CallState]] = {
    CallState.CREATED: frozenset({CallState.RINGING, CallState.UP, CallState.ENDING, CallState.ENDED}),
    CallState.RINGING: frozenset({CallState.UP, CallState.ENDING, CallState.ENDED}),
    CallState.UP: frozenset({CallState.ENDING, CallState.ENDED}),
    CallState.ENDING: frozenset({CallState.ENDED}),
    CallState.ENDED: frozenset(),
}


class IllegalTransition(Exception):
    """A bug of the phone's: a call cannot go this way."""

    def __init__(self, state: CallState, wanted: CallState) -> None:
        super().__init__(f"a call cannot go from {state.name} to {wanted.name}")


@dataclass(frozen=True, slots=True)
class EndReason:
    """Why a call ended."""

    by_us: bool
    status: int | None = None
    """The final SIP status of a call that was never answered; 408 too when nobody said anything."""
    text: str = ""
    q850: int | None = None
    """The cause in a Reason header (RFC 3326), such as 17 for busy."""


_Q850 = re.compile(r"Q\.850\s*;.*?cause\s*=\s*(\d{1,3})", re.IGNORECASE)
_TEXT = re.compile(r'text\s*=\s*"([^"]*)"', re.IGNORECASE)


def end_reason(message: Message, *, by_us: bool, status: int | None = None, text: str = "") -> EndReason:
    """The reason, with what the message's Reason header adds."""
    header = ", ".join(message.all("Reason"))
    cause = _Q850.search(header)
    words = _TEXT.search(header)
    return EndReason(by_us, status, text or (words[1] if words else ""), int(cause[1]) if cause else None)
