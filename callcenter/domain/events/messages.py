"""What people of ours do with messages in a mailbox, otherwise than by phone."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MessageDeleteRequested:
    """Somebody of ours wants the message in a mailbox deleted."""

    message: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class MessageHeardRequested:
    """Somebody of ours has heard the message otherwise than by phone."""

    message: str
    by: str = ""


MessageRequest = MessageDeleteRequested | MessageHeardRequested
