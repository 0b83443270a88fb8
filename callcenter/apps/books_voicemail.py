"""What the process ``books`` does about voicemail: takes in the audio, destroys what is no longer wanted, and mails."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
from sqlalchemy.ext.asyncio import AsyncEngine

from callcenter.adapters.db.messages import PostgresMessages
from callcenter.adapters.mail.smtp import MailServer, SmtpMailer
from callcenter.adapters.speech.other import Other
from callcenter.adapters.speech.transcribing import OtherTranscriber
from callcenter.runtime.settings import Settings
from callcenter.runtime.settings_dips import SecretError, secret
from callcenter.runtime.settings_voicemail import mail_password, mailbox_sections
from callcenter.services.ledger import StoreAway
from callcenter.services.transcripts import Transcriber, Transcripts
from callcenter.services.voicemail_audio import destroy_some, take_in_some
from callcenter.services.voicemail_mail import Mailer, NotTaken, send_some

log = logging.getLogger(__name__)

AUDIO_EVERY = 1.0
MAIL_EVERY = 2.0
TRANSCRIPTS_EVERY = 1.0
"""Seconds."""
LONGEST_SENT = timedelta(minutes=15)
"""Of a message to who writes it down."""


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
        return self._audio(store, stop), self._mail(store, stop), self._transcripts(store, stop)

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
                writes = bool(settings.speech.writes_at)
                await store.list_mail(recipients(settings), datetime.now(UTC), transcribes=writes)
                if settings.mail is not None:
                    await send_some(store, mailer(settings, self._kept), datetime.now(UTC))
            await _pause(MAIL_EVERY, stop)

    async def _transcripts(self, store: PostgresMessages, stop: asyncio.Event) -> None:
        """Given up at the end, however long a recogniser takes."""
        working = asyncio.create_task(self._transcribe(store))
        await stop.wait()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

    async def _transcribe(self, store: PostgresMessages) -> None:
        transcripts = Transcripts(store, self._kept)
        async with aiohttp.ClientSession() as http:
            while True:
                settings = self._settings()
                if settings.speech.writes_at:
                    with suppress(StoreAway):
                        await _write(transcripts, settings, http)
                await asyncio.sleep(TRANSCRIPTS_EVERY)


async def _write(transcripts: Transcripts, settings: Settings, http: aiohttp.ClientSession) -> None:
    try:
        transcriber = transcriber_of(settings, lambda: http)
    except SecretError as error:
        log.error("no_transcripts why=%s", error)
        return
    await transcripts.write_some(transcriber, datetime.now(UTC))


def transcriber_of(settings: Settings, http: Callable[[], aiohttp.ClientSession]) -> Transcriber:
    """The recogniser of the settings, for whole messages in the center's first language. Raises SecretError."""
    speech = settings.speech
    word = secret(settings, speech.secret) if speech.secret is not None else ""
    other = Other(speech.writes_at, word, answer_within=speech.transcript_within)
    return OtherTranscriber(http, other, settings.center.languages[0], LONGEST_SENT)


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
        transcribes=bool(settings.speech.writes_at),
    )


async def _pause(seconds: float, stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
