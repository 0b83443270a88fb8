"""A callback: our promise to call a caller back. Virtual hold is one that keeps the place in the queue.

::

    CREATED ──► DUE ──► ATTEMPTED ──► REACHED ──► BRIDGED ──► KEPT
       ▲         │          │            │           │
       └─────────┴──────────┴────────────┴───────────┘   (again, by the retry rule)
    CREATED, DUE ──► BROKEN;   CREATED, DUE ──► KEPT, when the caller calls us first

DUE stands in line like a contact. While DUE, an agent may be reserved for it: agent first, her phone rings before
the caller is dialed; caller first, she waits for the caller. An attempt is used up the moment it is a fact.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from callcenter.domain.facts.callbacks import (
    CallbackAttempted,
    CallbackBridged,
    CallbackBroken,
    CallbackCreated,
    CallbackDue,
    CallbackEdited,
    CallbackFact,
    CallbackKept,
    CallbackPutOff,
    CallbackReached,
    CallbackReleased,
    CallbackReserved,
    CallbackSource,
    CallbackUnreached,
)


class CallbackState(StrEnum):
    CREATED = "created"
    DUE = "due"
    ATTEMPTED = "attempted"
    REACHED = "reached"
    BRIDGED = "bridged"
    KEPT = "kept"
    BROKEN = "broken"


_S = CallbackState

CALLBACK_TRANSITIONS: Mapping[tuple[CallbackState, type], CallbackState] = {
    (_S.CREATED, CallbackEdited): _S.CREATED,
    (_S.DUE, CallbackEdited): _S.CREATED,
    (_S.CREATED, CallbackDue): _S.DUE,
    (_S.DUE, CallbackPutOff): _S.CREATED,
    (_S.DUE, CallbackReserved): _S.DUE,
    (_S.DUE, CallbackReleased): _S.DUE,
    (_S.ATTEMPTED, CallbackReleased): _S.ATTEMPTED,
    (_S.REACHED, CallbackReleased): _S.REACHED,
    (_S.DUE, CallbackAttempted): _S.ATTEMPTED,
    (_S.ATTEMPTED, CallbackReached): _S.REACHED,
    (_S.ATTEMPTED, CallbackUnreached): _S.CREATED,
    (_S.REACHED, CallbackUnreached): _S.CREATED,
    (_S.BRIDGED, CallbackUnreached): _S.CREATED,
    (_S.REACHED, CallbackBridged): _S.BRIDGED,
    (_S.BRIDGED, CallbackKept): _S.KEPT,
    (_S.CREATED, CallbackKept): _S.KEPT,
    (_S.DUE, CallbackKept): _S.KEPT,
    (_S.CREATED, CallbackBroken): _S.BROKEN,
    (_S.DUE, CallbackBroken): _S.BROKEN,
}

SETTLED = frozenset({_S.KEPT, _S.BROKEN})
IN_PROGRESS = frozenset({_S.ATTEMPTED, _S.REACHED, _S.BRIDGED})
"""There is a call of ours to the caller."""


@dataclass(slots=True)
class Callback:
    """``created`` is what never changes; the rest is what is promised now, and where it stands."""

    created: CallbackCreated
    queue: str
    number: str
    due_at: datetime | None
    """When it becomes due (again); None: no further attempt is allowed."""
    expires_at: datetime
    owner: str
    owner_until: datetime | None
    promised_at: datetime | None
    """By which the promise is measured: the chosen time; for virtual hold, when its turn first came."""
    state: CallbackState = CallbackState.CREATED
    reserved: CallbackReserved | None = None
    attempt: CallbackAttempted | None = None
    """The latest one."""
    attempts: int = 0
    in_time: bool = False
    history: list[tuple[int, CallbackFact]] = field(default_factory=list)
    """Its facts, numbered, for checkpoints."""

    @property
    def id(self) -> str:
        return self.created.callback

    @property
    def rank(self) -> tuple[int, datetime, str]:
        """Where it stands in line, as ``Waiter.rank``."""
        return -self.created.priority, self.created.place, self.created.callback

    @property
    def live_call(self) -> str:
        """The call in which an agent or the caller is being rung or talks for it; empty: none."""
        if self.state in IN_PROGRESS and self.attempt is not None:
            return self.attempt.call
        return self.reserved.call if self.reserved is not None else ""


def promised(created: CallbackCreated) -> Callback:
    """The callback as it was promised. Virtual hold is measured from its turn on, a chosen time from that time on."""
    chosen = created.due_at if created.due_at > created.at or created.source is CallbackSource.PERSON else None
    return Callback(
        created, created.queue, created.number, created.due_at, created.expires_at, created.owner, created.owner_until, promised_at=chosen
    )
