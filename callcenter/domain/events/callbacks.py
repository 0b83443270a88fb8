"""Callbacks that are wished, changed and called off; who is not to be called any more."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class CallbackRequested:
    """Somebody of ours promises a callback. ``callback`` is the asker's to choose, so that asking twice promises once."""

    callback: str
    queue: str
    number: str
    """As it was entered."""
    due_at: datetime | None = None
    """None: as soon as it is its turn."""
    caller_name: str = ""
    priority: int = 0
    owner: str = ""
    owned_for: timedelta | None = None
    """None: as the queue says."""
    by: str = ""


@dataclass(frozen=True, slots=True)
class CallbackEditRequested:
    """What is given is changed, the rest stays."""

    callback: str
    queue: str | None = None
    number: str | None = None
    due_at: datetime | None = None
    owner: str | None = None
    """Empty: anybody's from now on."""
    by: str = ""


@dataclass(frozen=True, slots=True)
class CallbackCancelRequested:
    callback: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class DoNotCallAddRequested:
    """Somebody asked one of ours not to be called any more."""

    number: str
    """As it was entered."""
    by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class DoNotCallRemoveRequested:
    number: str
    by: str = ""


CallbackRequest = CallbackRequested | CallbackEditRequested | CallbackCancelRequested
DoNotCallRequest = DoNotCallAddRequested | DoNotCallRemoveRequested
