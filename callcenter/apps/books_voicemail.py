"""What the process ``books`` does about voicemail: takes in the audio, destroys what is no longer wanted, and mails."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncEngine

from callcenter.adapters.db.messages import PostgresMessages
from callcenter.adapters.mail.smtp import MailServer, SmtpMailer
from callcenter.runtime.settings import Settings
from callcenter.runtime.settings_voicemail import mail_password, mailbox_sections
from callcenter.services.ledger import StoreAway
from callcenter.services.voicemail_audio import destroy_some, take_in_some
from callcenter.services.voicemail_mail import Mailer, NotTaken, send_some

AUDIO_EVERY = 1.0
MAIL_EVERY = 2.0
"""Seconds."""


class VoicemailWork:
    """``kept`` is our folder of messages, ``nodes`` those where Asterisk records; ``settings`` is asked for changes."""

    def __init__(self, kept: Path, nodes: Mapping[str, Path], settings: Callable[[], Settings]) -> None:
        self._kept = kept
        self._nodes = nodes
        self._settings = settings

    def parts(self, engine: AsyncEngine, stop: asyncio.Event) -> Sequence[Coroutine[None, None, None]]:
        """Each goes on by itself until ``stop`` is set."""
        self._kept.mkdir(mode=0o750, parents=True, exist_ok=True)
        store = PostgresMessages(engine)
        return self._audio(store, stop), self._mail(store, stop)

    async def _audio(self, store: PostgresMessages, stop: asyncio.Event) -> None:
        while not stop.is_set():
            with suppress(StoreAway):  # the shipper says so
                await take_in_some(store, self._nodes, self._kept, datetime.now(UTC))
                await destroy_some(store, self._nodes, self._kept)
            await _pause(AUDIO_EVERY, stop)

    async def _mail(self, store: PostgresMessages, stop: asyncio.Event) -> None:
        while not stop.is_set():
            settings = self._settings()
            with suppress(StoreAway):
                await store.list_mail(recipients(settings), datetime.now(UTC))
                if settings.mail is not None:
                    await send_some(store, mailer(settings, self._kept), datetime.now(UTC))
            await _pause(MAIL_EVERY, stop)


def recipients(settings: Settings) -> Mapping[str, Sequence[str]]:
    """Who is mailed, by mailbox."""
    return {name: tuple(dict.fromkeys(section.email)) for name, (_, section) in mailbox_sections(settings).items() if section.email}


def mailer(settings: Settings, kept: Path) -> Mailer:
    """Through the server of the settings."""
    mail = settings.mail
    assert mail is not None
    server = MailServer(mail.host, mail.port, mail.security, mail.sender, mail.user or "", mail.timeout.total_seconds())
    attached = {name: section.email_audio for name, (_, section) in mailbox_sections(settings).items()}

    def password() -> str | None:
        try:
            return mail_password(settings)
        except (OSError, UnicodeDecodeError):
            raise NotTaken("the password file cannot be read", forever=False) from None

    return SmtpMailer(
        server,
        password,
        kept,
        settings.center.name,
        ZoneInfo(settings.center.time_zone),
        lambda mailbox: attached.get(mailbox, True),
    )


async def _pause(seconds: float, stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
