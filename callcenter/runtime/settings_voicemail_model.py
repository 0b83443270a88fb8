"""What ``callcenter.toml`` may say about voicemail and mail, table by table."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from callcenter.runtime.settings_fields import Extension, HostName, Plain, Port, PromptId, Section, SomeSeconds

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9-]{1,63})*")
"""Plain addresses of RFC 5321 without quoting: nothing in them could begin another header or recipient."""


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError(f"must be an e-mail address such as 'support@example.com', but is {text!r}")
    return text


EmailAddress = Annotated[str, AfterValidator(_address)]


class VoicemailSection(Section):
    """The mailbox of a queue or an agent; without this table there is none."""

    number: Extension | None = None
    """What is entered to listen from outside; needs a PIN, too."""
    greeting: PromptId = "voicemail-greeting"
    """Said unless its owner has recorded one by phone."""
    longest: SomeSeconds = Field(default=timedelta(minutes=3), alias="longest_s")
    silence: SomeSeconds = Field(default=timedelta(seconds=5), alias="silence_s")
    """Who is silent for so long has finished."""
    shortest: SomeSeconds = Field(default=timedelta(seconds=2), alias="shortest_s")
    """What is shorter is no message."""
    most: int = Field(default=100, ge=1, le=1000)
    """Messages in the mailbox."""
    keep_days: int = Field(default=30, ge=1, le=3660)
    """Then a message is deleted."""
    lamp: bool = True
    """Whether desk phones show that messages wait: the agent's own, or those of the queue's agents."""
    email: tuple[EmailAddress, ...] = Field(default=(), max_length=20)
    """Who is sent each message; needs a [mail] table."""
    email_audio: bool = True
    """Whether the audio is attached."""


class HasMailbox(Section):
    """A part of the tables of queues and agents."""

    voicemail: VoicemailSection | None = None


class MailSection(Section):
    """The SMTP server that mail goes through."""

    host: HostName
    port: Port = 25
    security: Literal["none", "starttls", "tls"] = "starttls"
    """``tls``: from the first byte (RFC 8314); ``none`` is for a server on this machine."""
    user: Plain | None = None
    password_file: Path | None = None
    """One line; or the environment variable CALLCENTER_MAIL_PASSWORD."""
    sender: EmailAddress
    timeout: SomeSeconds = Field(default=timedelta(seconds=30), alias="timeout_s")
