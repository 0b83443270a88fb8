"""What a supervisor may do in an agent's contact, and who is told of it."""

from collections.abc import Collection
from enum import StrEnum

EVERY_QUEUE = "*"


def reaches(queues: Collection[str], queue: str) -> bool:
    """Whether these queues' contacts may be heard, and that is one of them; ``*``: all."""
    return EVERY_QUEUE in queues or queue in queues


class SupervisionMode(StrEnum):
    """What a supervisor does in a contact."""

    LISTEN = "listen"
    """Hears both."""
    WHISPER = "whisper"
    """And speaks to the agent only."""
    BARGE = "barge"
    """And speaks to both."""
    TAKE_OVER = "take_over"
    """Has the caller; the agent wraps up."""


class SupervisionTold(StrEnum):
    """Who is told that a supervisor hears the contact; the queue says so."""

    NOBODY = "silent"
    AGENT = "agent"
    BOTH = "both"
