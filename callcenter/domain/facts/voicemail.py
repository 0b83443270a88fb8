"""Facts of voicemail: who is at a mailbox, and what is in it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Stage(StrEnum):
    """Where somebody at a mailbox is."""

    GREETING = "greeting"
    """Hears the greeting and the beep."""
    RECORDING = "recording"
    REVIEW = "review"
    """Keep it, hear it, say it again?"""
    PLAYBACK = "playback"
    """Hears what was recorded."""
    FAREWELL = "farewell"
    """Is told what came of it."""
    NUMBER = "number"
    """Enters the number of a mailbox."""
    PIN = "pin"
    CHECKING = "checking"
    """The PIN is being checked."""
    MESSAGE = "message"
    """Hears a message, or is asked what becomes of it."""
    NO_MORE = "no_more"
    """Has heard them all."""


class VisitOutcome(StrEnum):
    """What came of being at a mailbox."""

    LEFT = "left"
    """A message was left."""
    CANCELLED = "cancelled"
    FAILED = "failed"
    """Nothing could be kept: the mailbox is full or unknown, the disk is full, nothing was said, the PIN was wrong."""
    LISTENED = "listened"
    CALLER_LEFT = "caller_left"


class DroppedWhy(StrEnum):
    """Why what was recorded is not kept."""

    TOO_SHORT = "too_short"
    SAID_AGAIN = "said_again"
    CANCELLED = "cancelled"
    FAILED = "failed"


# --- somebody at a mailbox ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VisitBegan:
    """Somebody is at a mailbox: to leave a message, or to listen to those in it."""

    at: datetime
    call: str
    mailbox: str
    """Empty: it is asked for."""
    contact: str = ""
    """The contact that was left for it."""
    listening: bool = False
    agent: str = ""
    """Who listens, when she called from her own phone."""


@dataclass(frozen=True, slots=True)
class VisitMoved:
    """The visit is at ``stage`` now; ``prompts`` are said as ``playback``, or a key, a digit or the PBX is waited for until ``until``."""

    at: datetime
    call: str
    stage: Stage
    tries: int = 0
    playback: str = ""
    prompts: tuple[str, ...] = ()
    until: datetime | None = None
    message: str = ""
    """What is being recorded, reviewed or heard."""
    mailbox: str = ""
    ask: str = ""
    """The PIN's check that is awaited."""


@dataclass(frozen=True, slots=True)
class VisitEnded:
    at: datetime
    call: str
    outcome: VisitOutcome
    agent: str = ""
    """Who has listened by her desk phone."""


@dataclass(frozen=True, slots=True)
class MessageBegan:
    """A message, or an owner's greeting, is being recorded."""

    at: datetime
    call: str
    node: str
    mailbox: str
    message: str
    greeting: bool = False


@dataclass(frozen=True, slots=True)
class MessageTaken:
    """It is recorded, and not kept yet."""

    at: datetime
    call: str
    message: str
    length: timedelta


@dataclass(frozen=True, slots=True)
class MessageDropped:
    """What was recorded is not kept."""

    at: datetime
    call: str
    node: str
    message: str
    why: DroppedWhy


VisitFact = VisitBegan | VisitMoved | VisitEnded | MessageBegan | MessageTaken | MessageDropped


# --- what is in a mailbox -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MessageLeft:
    """A message is in the mailbox, and new."""

    at: datetime
    call: str
    node: str
    mailbox: str
    message: str
    contact: str
    caller: str
    caller_name: str
    length: timedelta
    kept_until: datetime


@dataclass(frozen=True, slots=True)
class MessageHeard:
    """It is new no longer."""

    at: datetime
    mailbox: str
    message: str
    by: str


@dataclass(frozen=True, slots=True)
class MessageSaved:
    """It is kept for longer."""

    at: datetime
    mailbox: str
    message: str
    by: str
    kept_until: datetime


@dataclass(frozen=True, slots=True)
class MessageDeleted:
    """Its audio is to be destroyed; that it was there is kept."""

    at: datetime
    mailbox: str
    message: str
    by: str
    """``retention``: its time was over."""


@dataclass(frozen=True, slots=True)
class GreetingChanged:
    """The mailbox has a greeting of its owner's."""

    at: datetime
    mailbox: str
    node: str
    greeting: str
    before: str
    """The one before, whose audio is to be destroyed; empty: the usual one."""


@dataclass(frozen=True, slots=True)
class PinRefused:
    """A wrong PIN was entered; too many lock the mailbox for a while."""

    at: datetime
    mailbox: str
    call: str


@dataclass(frozen=True, slots=True)
class PinAccepted:
    at: datetime
    mailbox: str
    call: str


MailboxFact = MessageLeft | MessageHeard | MessageSaved | MessageDeleted | GreetingChanged | PinRefused | PinAccepted
