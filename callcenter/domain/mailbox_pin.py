"""The question whether a PIN opens a mailbox. It lives in a command, never in a fact."""

from dataclasses import dataclass, field

from callcenter.domain.ivr.questions import Question

RIGHT, WRONG, NONE_SET = "right", "wrong", "none_set"
"""Answers; the last: the mailbox has no PIN."""


@dataclass(frozen=True, slots=True)
class MailboxPinQuestion(Question):
    """Is this the PIN of the mailbox? An empty one only asks whether there is any."""

    mailbox: str
    pin: str = field(repr=False)
