"""Mail about messages: listed once for each message and recipient, sent with growing pauses until the server takes it or refuses for good.

A mail is marked as being sent before it is, and as sent once the server has taken it. Whoever is killed in between sends it again
some minutes later under the same Message-ID: SMTP allows no more (RFC 5321 §4.5.4.1, RFC 1047).
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

log = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
MOST_ATTEMPTS = 40
"""Over about a day and a half."""
AT_ONCE = 50


class MailState(StrEnum):
    DUE = "due"
    SENT = "sent"
    FAILED = "failed"
    """The server will never take it, or there is nothing left to tell."""


@dataclass(frozen=True, slots=True)
class DueMail:
    """What one recipient is to be told of one message."""

    message_id: str
    recipient: str
    attempt: int
    """Counted from 1."""
    mailbox: str
    caller: str
    caller_name: str
    left_at: datetime
    seconds: float
    wanted: bool
    """The message has not been deleted meanwhile."""
    has_audio: bool
    transcript: str | None = None
    """Empty: nothing was understood; None: there is none."""


@dataclass(frozen=True, slots=True)
class MailResult:
    """What came of an attempt."""

    message_id: str
    recipient: str
    state: MailState
    due_at: datetime
    sent_at: datetime | None = None
    why: str = ""


class MailStore(Protocol):
    """Where it is kept who is to be mailed."""

    async def list_mail(self, recipients: Mapping[str, Sequence[str]], now: datetime, *, transcribes: bool = False) -> None:
        """List the mails about messages of which none are listed; ``recipients`` by mailbox. With ``transcribes`` they wait for the
        transcript, two minutes at most. Raises StoreAway."""

    async def next_due(self, now: datetime) -> DueMail | None:
        """Take the one that is due longest, and mark it as being sent. Raises StoreAway."""

    async def settle(self, result: MailResult) -> None:
        """Keep what came of it. Raises StoreAway."""


class NotTaken(Exception):
    """The server did not take the mail. ``forever``: it never will."""

    def __init__(self, why: str, *, forever: bool) -> None:
        super().__init__(why)
        self.forever = forever


class Mailer(Protocol):
    """Sends one mail."""

    async def send(self, mail: DueMail) -> None:
        """Return once the server has taken it. Raises NotTaken."""


def pause(attempt: int) -> timedelta:
    """Before the attempt after this one: a minute, two, four, at most an hour."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * (1 << min(attempt - 1, 10)))


async def send_some(store: MailStore, mailer: Mailer, now: datetime) -> int:
    """Send what is due; return how many were taken. Raises StoreAway."""
    sent = 0
    for _ in range(AT_ONCE):
        mail = await store.next_due(now)
        if mail is None:
            break
        result = await _send(mailer, mail, now)
        await store.settle(result)
        sent += result.state is MailState.SENT
        if result.state is MailState.DUE:
            break  # the server has trouble; the others will be tried next time
    return sent


async def _send(mailer: Mailer, mail: DueMail, now: datetime) -> MailResult:
    if not mail.wanted:
        return MailResult(mail.message_id, mail.recipient, MailState.FAILED, now, why="the message was deleted before")
    try:
        await mailer.send(mail)
    except NotTaken as error:
        if error.forever or mail.attempt >= MOST_ATTEMPTS:
            log.error("mail_given_up message=%s attempts=%d why=%s", mail.message_id, mail.attempt, error)
            return MailResult(mail.message_id, mail.recipient, MailState.FAILED, now, why=str(error)[:500])
        log.warning("mail_not_taken message=%s attempt=%d why=%s", mail.message_id, mail.attempt, error)
        return MailResult(mail.message_id, mail.recipient, MailState.DUE, now + pause(mail.attempt), why=str(error)[:500])
    return MailResult(mail.message_id, mail.recipient, MailState.SENT, now, sent_at=now)
