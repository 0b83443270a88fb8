"""The engine's side: lets the recogniser process hear a leg, and takes away again what that needed."""

import asyncio
import contextlib
from datetime import timedelta
from pathlib import Path

import structlog

from callcenter.domain.ivr.grammar import Grammar
from callcenter.services.control import Json
from callcenter.services.control_client import ControlClient, EngineAway, RequestRefused, ask
from callcenter.services.ports import NONE_OF_THEM, CommandError, Ears, Heard
from callcenter.services.speech.desk import BUSY, GRACE, HEARD, NOTHING

log = structlog.get_logger(__name__)

RELOADED_WITHIN = 10.0


class NotListening(Exception):
    """Nobody could listen; ``why`` is ``busy`` or ``failed``."""

    def __init__(self, why: str, detail: str) -> None:
        super().__init__(detail)
        self.why = why


class Listening:
    """Asks the recogniser process at ``path``."""

    def __init__(self, ears: Ears, path: Path, token: str) -> None:
        self._ears = ears
        self._path = path
        self._token = token

    async def hear(
        self, name: str, leg: tuple[str, str], grammar: Grammar, no_speech: timedelta, limit: timedelta, rate: int = 8000
    ) -> Heard | None:
        """What is said on the leg (node, leg); None: nothing. Raises NotListening. Cancelled, it leaves nothing behind."""
        try:
            ear = await self._ears.open_ear(*leg, rate)
        except CommandError as error:
            raise NotListening("failed", str(error)) from None
        try:
            return await self._ask(name, ear.url, grammar, no_speech, limit)
        except asyncio.CancelledError:
            await asyncio.shield(self._cancel(name))
            raise
        finally:
            await asyncio.shield(self._ears.close_ear(ear))

    async def reload(self) -> None:
        """Let the process read its settings again. Raises EngineAway, RequestRefused."""
        await ask(self._path, self._token, "reload", RELOADED_WITHIN)

    async def _ask(self, name: str, url: str, grammar: Grammar, no_speech: timedelta, limit: timedelta) -> Heard | None:
        phrases: dict[str, Json] = dict(grammar.phrases)
        try:
            async with ControlClient(self._path, self._token, (limit + 2 * GRACE).total_seconds()) as recogniser:
                answer = await recogniser.ask(
                    "listen",
                    ask=name,
                    url=url,
                    language=grammar.language,
                    phrases=phrases,
                    most=grammar.most,
                    no_speech_s=no_speech.total_seconds(),
                    limit_s=limit.total_seconds(),
                )
        except (EngineAway, RequestRefused) as error:
            raise NotListening("failed", f"the recogniser process does not answer: {error}") from None
        match answer.get("outcome"):
            case str(outcome) if outcome == HEARD:
                return _heard(answer)
            case str(outcome) if outcome == NOTHING:
                return None
            case str(outcome) if outcome == BUSY:
                raise NotListening("busy", "too many callers speak at once")
            case _:
                raise NotListening("failed", str(answer.get("why", "it was cancelled")))

    async def _cancel(self, name: str) -> None:
        with contextlib.suppress(EngineAway, RequestRefused):
            await ask(self._path, self._token, "cancel", 1.0, ask=name)


def _heard(answer: dict[str, Json]) -> Heard:
    phrase, value, confidence = answer.get("phrase"), answer.get("value"), answer.get("confidence")
    if not isinstance(phrase, str) or not isinstance(value, str) or not isinstance(confidence, int | float):
        raise NotListening("failed", "the recogniser process answered nonsense")
    return Heard(phrase, value, float(confidence)) if value else NONE_OF_THEM
