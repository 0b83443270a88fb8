"""Whole messages, written down by a recogniser of others: over HTTP in one request, or over WebSocket as fast as it takes them.

The protocol is that for callers (``other``, docs/speech.md) with ``"task": "transcribe"`` in place of phrases, and an answer with ``text``.
"""

import asyncio
import json
import wave
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp

from callcenter.adapters.speech.other import LARGEST_ANSWER, Other, answer_to, as_wav, final_answer
from callcenter.services.ports import RecogniserError

PART = 32_000
"""Bytes in one WebSocket message."""


@dataclass(frozen=True, slots=True)
class OtherTranscriber:
    """Implements ``services.transcripts.Transcriber``."""

    http: Callable[[], aiohttp.ClientSession]
    other: Other
    language: str
    longest: timedelta
    """Of what a message has beyond that nothing is sent."""

    async def transcribe(self, audio: Path) -> str:
        said, rate = await asyncio.to_thread(self._read, audio)
        if not said:
            return ""
        question = {"task": "transcribe", "rate": rate, "language": self.language}
        ask = self._stream if self.other.url.startswith(("ws:", "wss:")) else self._post
        try:
            async with asyncio.timeout(self.other.answer_within.total_seconds()):
                return transcript(await ask(question, said, rate))
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise RecogniserError(f"the recogniser does not answer: {type(error).__name__}") from None

    def _read(self, audio: Path) -> tuple[bytes, int]:
        """Raises OSError, RecogniserError."""
        try:
            with wave.open(str(audio), "rb") as file:
                if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                    raise RecogniserError("the message is not one channel of 16 bit")
                rate = file.getframerate()
                return file.readframes(int(self.longest.total_seconds() * rate)), rate
        except (wave.Error, EOFError) as error:
            raise RecogniserError(f"the message cannot be read: {error}") from None

    async def _post(self, question: dict[str, object], said: bytes, rate: int) -> object:
        form = aiohttp.FormData()
        form.add_field("question", json.dumps(question), content_type="application/json")
        form.add_field("audio", as_wav(said, rate), content_type="audio/wav", filename="message.wav")
        async with self.http().post(self.other.url, data=form, headers=self.other.headers, allow_redirects=False) as response:
            return await answer_to(response)

    async def _stream(self, question: dict[str, object], said: bytes, rate: int) -> object:
        timeout = aiohttp.ClientWSTimeout(ws_close=1.0)
        async with self.http().ws_connect(
            self.other.url, headers=self.other.headers, max_msg_size=LARGEST_ANSWER, timeout=timeout
        ) as socket:
            await socket.send_json({"type": "start", **question})
            for begin in range(0, len(said), PART):
                await socket.send_bytes(said[begin : begin + PART])
            await socket.send_json({"type": "stop"})
            return await final_answer(socket)


def transcript(answer: object) -> str:
    """What an answer says; empty when nothing was said. Raises RecogniserError for nonsense."""
    if not isinstance(answer, dict):
        raise RecogniserError("the recogniser did not answer with a JSON object")
    if answer.get("type") == "error":
        raise RecogniserError(f"the recogniser said: {str(answer.get('reason'))[:200]!r}")
    if answer.get("type") == "nothing":
        return ""
    text = answer.get("text")
    if not isinstance(text, str):
        raise RecogniserError("the recogniser's answer has no text")
    return text
