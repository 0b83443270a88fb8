"""The recogniser process's side of its socket: listens to callers on behalf of the engine, so many at once and no more.

Requests (docs/speech.md has none of them: they are between our own processes): ``listen`` answers when the caller has spoken or the time
is over; ``cancel`` ends a listening at once.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from datetime import timedelta

import structlog

from callcenter.domain.ivr.grammar import Grammar, faults
from callcenter.services.control import ControlError, JsonObject
from callcenter.services.ports import Recogniser, RecogniserError

log = structlog.get_logger(__name__)

HEARD, NOTHING, BUSY, FAILED, CANCELLED = "heard", "nothing", "busy", "failed", "cancelled"
"""What becomes of a listening."""
GRACE = timedelta(seconds=5)
"""After the limit of a listening, for the recogniser to make up its mind; whatever it does, the listening ends then."""

Audio = Callable[[str], AsyncGenerator[bytes, None]]
"""The frames that come from a URL."""


class RecogniserDesk:
    """Answers the engine's requests."""

    def __init__(self, recogniser: Recogniser, audio: Audio, at_once: int, reload: Callable[[], Awaitable[None]] | None = None) -> None:
        """``reload`` reads the settings again; it raises ControlError."""
        self._recogniser = recogniser
        self._audio = audio
        self._at_once = at_once
        self._reload = reload
        self._listening: dict[str, asyncio.Task[Mapping[str, object]]] = {}

    @property
    def listening(self) -> int:
        """How many are listened to now."""
        return len(self._listening)

    def configure(self, recogniser: Recogniser, at_once: int) -> None:
        """Who is listened to already is understood by who was asked before."""
        self._recogniser, self._at_once = recogniser, at_once

    async def handle(self, request: JsonObject) -> Mapping[str, object]:
        """Answer one request. Raises ControlError."""
        match request.get("do"):
            case "listen":
                return await self._listen(request)
            case "cancel":
                task = self._listening.get(_text(request, "ask"))
                if task is not None:
                    task.cancel()
                return {"cancelled": task is not None}
            case "reload" if self._reload is not None:
                await self._reload()
                return {"reloaded": True}
            case other:
                raise ControlError(f"there is no operation {other!r} here; operations: listen, cancel, reload")

    async def _listen(self, request: JsonObject) -> Mapping[str, object]:
        ask, url, grammar = _text(request, "ask"), _text(request, "url"), _grammar(request)
        no_speech, limit = _seconds(request, "no_speech_s"), _seconds(request, "limit_s")
        if ask in self._listening:
            raise ControlError("this question is being listened for already")
        if len(self._listening) >= self._at_once:
            log.warning("recogniser_busy", at_once=self._at_once)
            return {"outcome": BUSY}
        task = self._listening[ask] = asyncio.create_task(self._hear(url, grammar, no_speech, limit))
        try:
            return await task
        except asyncio.CancelledError:
            if not task.cancelled():  # we are to stop, not the listening alone
                task.cancel()
                raise
            return {"outcome": CANCELLED}
        finally:
            del self._listening[ask]

    async def _hear(self, url: str, grammar: Grammar, no_speech: timedelta, limit: timedelta) -> Mapping[str, object]:
        audio = self._audio(url)
        try:
            async with asyncio.timeout((limit + GRACE).total_seconds()):
                found = await self._recogniser.hear(audio, grammar, no_speech, limit)
        except (RecogniserError, TimeoutError) as error:
            log.warning("not_recognised", why=str(error) or "it took too long")
            return {"outcome": FAILED, "why": str(error) or "it took too long"}
        finally:
            await audio.aclose()
        if found is None:
            return {"outcome": NOTHING}
        return {"outcome": HEARD, "phrase": found.phrase, "value": found.value, "confidence": found.confidence}


def _text(request: JsonObject, key: str) -> str:
    value = request.get(key)
    if not isinstance(value, str) or not value:
        raise ControlError(f"'{key}' is missing; it must be a text")
    return value


def _seconds(request: JsonObject, key: str) -> timedelta:
    value = request.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 120:
        raise ControlError(f"'{key}' must be a number of seconds, 120 at most")
    return timedelta(seconds=value)


def _grammar(request: JsonObject) -> Grammar:
    phrases, most = request.get("phrases"), request.get("most")
    if not isinstance(phrases, dict) or not all(isinstance(value, str) for value in phrases.values()) or not isinstance(most, int):
        raise ControlError("'phrases' must be an object of texts, and 'most' a number")
    grammar = Grammar(_text(request, "language"), {phrase: str(value) for phrase, value in phrases.items()}, most)
    for sentence in faults(grammar):
        raise ControlError(f"the grammar {sentence}")
    return grammar
