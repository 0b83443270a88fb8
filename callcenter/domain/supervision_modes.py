"""What a supervisor may do in an agent's contact, and who is told of it."""

from enum import StrEnum


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
