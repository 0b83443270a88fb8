"""A message as people see it in a list."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One message in a mailbox, with what is known of its audio."""

    message_id: str
    mailbox: str
    new: bool
    caller: str
    caller_name: str
    contact_id: str
    call_id: str
    left_at: datetime
    kept_until: datetime | None
    seconds: float
    audio: str
    """``awaited``, ``kept`` or ``missing``."""
    peaks: tuple[int, ...]
    transcript: str
