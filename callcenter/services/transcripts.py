"""Transcripts of messages: each is given to the recogniser once it is kept, again after growing pauses when that fails, and then no more.

All of it happens long after the caller has hung up, one message at a time. How often a message was tried is kept in memory only: started
anew, we begin anew.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from callcenter.services.ports import RecogniserError
from callcenter.services.voicemail_audio import kept_file

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 5
FIRST_PAUSE = timedelta(seconds=10)
YOUNGER_THAN = timedelta(days=1)
"""What is older was left before there was a recogniser."""
AT_ONCE = 10
LONGEST = 10_000
"""Characters."""


class Transcriber(Protocol):
    """Writes down what is said in a whole message."""

    async def transcribe(self, audio: Path) -> str:
        """Empty: nothing was understood. Raises RecogniserError."""


class TranscriptStore(Protocol):
    """Where message rows are kept."""

    async def untranscribed(self, since: datetime, but: Sequence[str], limit: int) -> Sequence[str]:
        """The oldest kept messages without a transcript that were left since then. Raises StoreAway."""

    async def transcribed(self, message: str, transcript: str) -> None:
        """Keep it, if the message is still there. Raises StoreAway."""


class Transcripts:
    """``kept`` is our folder of messages."""

    def __init__(self, store: TranscriptStore, kept: Path) -> None:
        self._store = store
        self._kept = kept
        self._tried: dict[str, tuple[int, datetime]] = {}
        """By message: how often, and when it is tried again."""

    async def write_some(self, transcriber: Transcriber, now: datetime) -> int:
        """Give the recogniser what is due; return how many transcripts there are more. Raises StoreAway."""
        done = 0
        resting = [message for message, (_, again_at) in self._tried.items() if again_at > now]
        for message in await self._store.untranscribed(now - YOUNGER_THAN, resting, AT_ONCE):
            text = await self._try(transcriber, message, now)
            if text is not None:
                await self._store.transcribed(message, text)
                self._tried.pop(message, None)
                done += 1
        self._tried = {message: tried for message, tried in self._tried.items() if tried[1] > now - YOUNGER_THAN}
        return done

    async def _try(self, transcriber: Transcriber, message: str, now: datetime) -> str | None:
        """None: it is tried again."""
        try:
            return one_line(await transcriber.transcribe(kept_file(self._kept, message)))
        except (RecogniserError, OSError, ValueError) as error:
            attempts = self._tried.get(message, (0, now))[0] + 1
            if attempts >= MOST_ATTEMPTS:
                log.error("message_not_transcribed message=%s attempts=%d why=%s", message, attempts, error)
                return ""
            log.warning("message_not_transcribed_yet message=%s attempt=%d why=%s", message, attempts, error)
            self._tried[message] = attempts, now + FIRST_PAUSE * 4 ** (attempts - 1)
            return None


def one_line(text: str) -> str:
    """What others understood goes into mails and onto screens: what can be seen of it, on one line of bounded length."""
    return " ".join("".join(character if character.isprintable() else " " for character in text[: 2 * LONGEST]).split())[:LONGEST]
