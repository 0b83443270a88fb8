"""What happened to nodes and to phones, and what a node did while nobody decided."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class NodeConnected:
    """We see the node again, and all that we missed has been told before this."""

    node: str
    started_at: datetime
    """When that Asterisk was started; another one than before means that it crashed in between."""


@dataclass(frozen=True, slots=True)
class NodeDisconnected:
    node: str
    tried_since: datetime | None = None
    """Since when we have been trying to reach it, when that is later than the loss: our own restart is not the node's fault."""


@dataclass(frozen=True, slots=True)
class PhoneReachable:
    endpoint: str


@dataclass(frozen=True, slots=True)
class PhoneUnreachable:
    endpoint: str


@dataclass(frozen=True, slots=True)
class FallbackTalkBegan:
    """The agent's phone is busy on a call that the dialplan handles, outside our application."""

    node: str
    leg: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class FallbackTalkEnded:
    leg: str


@dataclass(frozen=True, slots=True)
class FallbackCallReported:
    """A call that began and ended in the dialplan's fallback, read from the node's queue log."""

    node: str
    leg: str
    queue: str
    did: str
    caller: str
    entered_at: datetime
    ended_at: datetime
    answered_at: datetime | None = None
    endpoint: str = ""
    """The phone that answered."""
    log_offset: int = 0
    """How far the queue log has been read once this is known."""
    closed: bool = False
    """The caller was told that we are closed."""


NodeEvent = NodeConnected | NodeDisconnected
PhoneEvent = PhoneReachable | PhoneUnreachable | FallbackTalkBegan | FallbackTalkEnded | FallbackCallReported
