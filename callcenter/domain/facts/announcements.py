"""Facts of what those who wait are told."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class ContactAnnounced:
    """The waiting caller is told ``prompts`` as ``playback``; the music goes on afterwards."""

    at: datetime
    call: str
    contact: str
    queue: str
    playback: str
    prompts: tuple[str, ...]
    position: int | None
    """The position in line that was told."""
    under: timedelta | None
    """The estimated wait that was told: "under ..." from now on."""
    status_at: datetime | None
    """When position and estimated wait are due next."""
    comfort_at: datetime | None
    comforts: int
    """How many comfort prompts were said in turn so far."""
    expected: timedelta | None = None
    """The mean of the forecast that ``under`` was made from."""


@dataclass(frozen=True, slots=True)
class AnnouncementEnded:
    """It has been said, or cut off; the next does not begin before ``quiet_until``."""

    at: datetime
    call: str
    contact: str
    playback: str
    quiet_until: datetime


@dataclass(frozen=True, slots=True)
class AnnouncementsPlanned:
    """There was nothing to say; when to look again."""

    at: datetime
    call: str
    contact: str
    status_at: datetime | None
    comfort_at: datetime | None


AnnouncementFact = ContactAnnounced | AnnouncementEnded | AnnouncementsPlanned
