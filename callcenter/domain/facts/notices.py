"""Facts of notices: messages of supervisors to agents."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class NoticeSent:
    at: datetime
    notice: str
    text: str
    agents: tuple[str, ...]
    """To whom, each by name."""
    to: str
    """What was chosen: ``agent:alice``, ``queue:support`` or ``all``."""
    expires_at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class NoticeAcknowledged:
    """The agent has seen it, or was told by phone."""

    at: datetime
    notice: str
    agent: str


@dataclass(frozen=True, slots=True)
class NoticeOver:
    """All have acknowledged it, or its time is up; ``unseen`` are those who have not."""

    at: datetime
    notice: str
    unseen: tuple[str, ...]


NoticeFact = NoticeSent | NoticeAcknowledged | NoticeOver
