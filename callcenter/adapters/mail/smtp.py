"""Mail over SMTP: one message of a mailbox as an e-mail with its audio, given to the configured server.

Whatever callers say about themselves is text of one line here, never a header of its own.
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import aiosmtplib

from callcenter.services.voicemail_audio import kept_file
from callcenter.services.voicemail_mail import DueMail, NotTaken

LONGEST_SAID = 80
LARGEST_AUDIO = 20 << 20
"""Bytes; what is larger is not attached: servers refuse mails of that size."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is given to, and how."""

    host: str
    port: int
    security: str
    """``none``, ``starttls`` or ``tls``."""
    sender: str
    user: str = ""
    timeout: float = 30.0


def one_line(text: str) -> str:
    """What can be seen of it, on one line. ``email`` decodes encoded words (RFC 2047), line breaks in them included: there are none."""
    seen = "".join(character if character.isprintable() else " " for character in text.replace("=?", "= ?"))
    return " ".join(seen.split())[:LONGEST_SAID]


def compose(
    mail: DueMail, server: MailServer, center: str, zone: ZoneInfo, audio: bytes | None, *, transcribes: bool = True
) -> EmailMessage:
    """The e-mail. Sent twice it has the same Message-ID, so that the recipient's server may drop the second."""
    message = EmailMessage(policy=SMTP)
    caller = " ".join(filter(None, (one_line(mail.caller_name), one_line(mail.caller)))) or "an unknown number"
    mailbox = mail.mailbox.replace(":", " ")
    left = mail.left_at.astimezone(zone)
    user, _, domain = server.sender.rpartition("@")
    message["Subject"] = f"Voicemail for {mailbox} from {caller}"
    message["From"] = Address(one_line(center), user, domain)
    message["To"] = Address(addr_spec=mail.recipient)
    message["Date"] = format_datetime(mail.left_at)
    message["Message-ID"] = f"<{mail.message_id}.{mail.recipient.encode().hex()[:24]}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday answer is wanted
    said = [f"{caller} has left a message of {mail.seconds:.0f} seconds for {mailbox} at {left:%Y-%m-%d %H:%M %Z}."]
    said += ["", *_transcript(mail, transcribes)]
    if audio is None:
        said += ["", "The audio is not attached." if mail.has_audio else "Its audio is missing."]
    said += ["", f"Message {mail.message_id}"]
    message.set_content("\n".join(said) + "\n")
    if audio is not None:
        message.add_attachment(audio, "audio", "wav", filename=f"voicemail-{left:%Y-%m-%d-%H%M}.wav")
    return message


def _transcript(mail: DueMail, transcribes: bool) -> list[str]:
    if mail.transcript:
        return ["What was understood of it:", "", " ".join(mail.transcript.split())]
    if mail.transcript == "":
        return ["Nothing could be understood of it."]
    return [
        "There is no transcript: it was not ready in time."
        if transcribes
        else "There is no transcript: no recogniser writes down messages."
    ]


class SmtpMailer:
    """Implements ``services.voicemail_mail.Mailer``: a connection for each mail, which are few."""

    def __init__(
        self,
        server: MailServer,
        password: Callable[[], str | None],
        kept: Path,
        center: str,
        zone: ZoneInfo,
        with_audio: Callable[[str], bool] = lambda mailbox: True,
        context: ssl.SSLContext | None = None,
        *,
        transcribes: bool = True,
    ) -> None:
        """``password`` is asked before each mail; ``with_audio``: whether mails about a mailbox have the audio attached; ``transcribes``:
        whether some recogniser writes down messages."""
        self._server = server
        self._password = password
        self._kept = kept
        self._center = center
        self._zone = zone
        self._with_audio = with_audio
        self._context = context
        self._transcribes = transcribes

    async def send(self, mail: DueMail) -> None:
        """Raises NotTaken."""
        audio = await asyncio.to_thread(self._audio, mail)
        await self.give(compose(mail, self._server, self._center, self._zone, audio, transcribes=self._transcribes))

    async def give(self, message: EmailMessage) -> None:
        """Return once the server has taken it. Raises NotTaken."""
        try:
            await self._give(message)
        except aiosmtplib.SMTPResponseException as error:
            # 5xx of the server is final (RFC 5321 §4.2.1), but for its login: passwords are mended
            final = 500 <= error.code < 600 and not isinstance(error, aiosmtplib.SMTPAuthenticationError)
            raise NotTaken(f"{error.code} {one_line(str(error.message))}", forever=final) from None
        except aiosmtplib.SMTPRecipientsRefused as error:
            refused = error.recipients[0]
            raise NotTaken(f"{refused.code} {one_line(str(refused.message))}", forever=refused.code >= 500) from None
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise NotTaken(one_line(str(error)) or type(error).__name__, forever=False) from None

    def _audio(self, mail: DueMail) -> bytes | None:
        if not mail.has_audio or not self._with_audio(mail.mailbox):
            return None
        try:
            audio = kept_file(self._kept, mail.message_id).read_bytes()
        except (OSError, ValueError):
            return None
        return audio if len(audio) <= LARGEST_AUDIO else None

    async def _give(self, message: EmailMessage) -> None:
        server = self._server
        await aiosmtplib.send(
            message,
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=self._password() if server.user else None,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=self._context,
            timeout=server.timeout,
        )
