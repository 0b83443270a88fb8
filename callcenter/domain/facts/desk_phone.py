"""Facts of the spoken menu of desk phones, and of what is done by phone."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Page(StrEnum):
    """Where in the spoken menu an agent is."""

    MAIN = "main"
    REASONS = "reasons"
    DISPOSITIONS = "dispositions"
    CALLBACKS = "callbacks"
    MORE = "more"
    """What is rarer."""
    QUEUES = "queues"
    """Which of them she serves, by her own wish."""
    CALLER = "caller"
    """What becomes of the caller whom she talks to on her other line."""
    EXTENSION = "extension"
    """She enters whom to transfer to, or to consult."""
    SAID = "said"
    """She is told what came of it."""


@dataclass(frozen=True, slots=True)
class DeskMenuMoved:
    """The agent is at this page of the spoken menu, and hears ``prompts``, or a key is awaited until ``until``."""

    at: datetime
    call: str
    agent: str
    page: Page
    prompts: tuple[str, ...]
    playback: str
    keys: str = ""
    """One for each of ``choices``, in the same order."""
    choices: tuple[str, ...] = ()
    entry: str = ""
    """What was entered or chosen so far: an extension, the upper levels of a disposition, what an extension is for."""
    tries: int = 0
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeskMenuLeft:
    at: datetime
    call: str
    agent: str


@dataclass(frozen=True, slots=True)
class DoneByPhone:
    """Somebody has done by phone, or tried to, what the audit trail holds (``by_phone``)."""

    at: datetime
    call: str
    agent: str
    """Whose phone it was; empty: one outside."""
    caller: str
    """The number of a phone outside; empty: withheld, or an agent's."""
    do: str
    """The operation of consoles that it amounts to."""
    refused: str
    """Why it came to nothing; empty: it was done."""
    names: tuple[str, ...]
    """Of the operation's fields ..."""
    values: tuple[str, ...]
    """... in the same order."""


DeskMenuFact = DeskMenuMoved | DeskMenuLeft | DoneByPhone
