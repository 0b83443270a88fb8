"""Facts of the Asterisk nodes, and of what their fallback did without us."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class NodeUp:
    at: datetime
    node: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class NodeAway:
    """We cannot reach the node since ``at``; its calls are taken for lost at ``lost_at``."""

    at: datetime
    node: str
    lost_at: datetime


@dataclass(frozen=True, slots=True)
class FallbackCallEnded:
    """A call that the dialplan's fallback served from beginning to end while we were away. It is one call, one contact."""

    at: datetime
    call: str
    contact: str
    node: str
    leg: str
    queue: str
    did: str
    caller: str
    entered_at: datetime
    answered_at: datetime | None
    ended_at: datetime
    agent: str
    short: bool
    log_offset: int
    closed: bool = False
    """The caller was told that we are closed."""


NodeFact = NodeUp | NodeAway | FallbackCallEnded
