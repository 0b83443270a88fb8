"""Recognisers of others, over WebSocket (audio as it is spoken) or HTTP (the whole utterance). The protocols are in docs/speech.md.

Only the operator's settings name whom we ask, never a caller or a flow document that a caller could influence; the address may be
one of this network, because that is where most recognisers are. Redirects are not followed.
"""

import asyncio
import io
import json
import wave
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import aiohttp

from callcenter.adapters.speech.utterance import utterance
from callcenter.domain.ivr.grammar import Grammar, meaning, normal
from callcenter.services.ports import NONE_OF_THEM, Heard, RecogniserError

LARGEST_ANSWER = 64 * 1024


@dataclass(frozen=True, slots=True)
class Other:
    """Whom to ask, and how."""

    url: str
    secret: str = ""
    """Sent as ``Authorization: Bearer``; empty: none."""
    rate: int = 8000
    answer_within: timedelta = timedelta(seconds=3)
    """From the end of what was said."""

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.secret}"} if self.secret else {}


def heard(answer: object, grammar: Grammar) -> Heard | None:
    """What an answer means; what is none of the phrases is nothing we asked for. Raises RecogniserError for nonsense."""
    if not isinstance(answer, dict):
        raise RecogniserError("the recogniser did not answer with a JSON object")
    if answer.get("type") == "error":
        raise RecogniserError(f"the recogniser said: {str(answer.get('reason'))[:200]!r}")
    if answer.get("type") == "nothing":
        return None
    phrase, confidence = answer.get("phrase"), answer.get("confidence", 0.0)
    known = isinstance(confidence, int | float) and not isinstance(confidence, bool) and 0.0 <= confidence <= 1.0
    if not isinstance(phrase, str) or not known:
        raise RecogniserError("the recogniser's answer has no phrase, or a confidence that is not between 0 and 1")
    value = meaning(grammar, normal(phrase[:1000]))
    return Heard(normal(phrase), value, float(confidence)) if value else NONE_OF_THEM


def question(grammar: Grammar, rate: int) -> dict[str, object]:
    return {"rate": rate, "language": grammar.language, "phrases": list(grammar.phrases), "most": grammar.most}


def _read(text: str | bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise RecogniserError("the recogniser did not answer with JSON") from None


async def answer_to(response: aiohttp.ClientResponse) -> object:
    """The JSON of an answer. Raises RecogniserError."""
    body = b""
    while len(body) <= LARGEST_ANSWER and (part := await response.content.read(LARGEST_ANSWER + 1 - len(body))):
        body += part
    if response.status != 200 or len(body) > LARGEST_ANSWER:
        raise RecogniserError(f"the recogniser answered with status {response.status} and {len(body)} bytes")
    return _read(body)


class HttpRecogniser:
    """Waits for the end of the utterance, then posts it whole."""

    def __init__(self, http: Callable[[], aiohttp.ClientSession], other: Other) -> None:
        self._http = http
        self._other = other
        self.rate = other.rate

    async def hear(self, audio: AsyncIterator[bytes], grammar: Grammar, no_speech: timedelta, limit: timedelta) -> Heard | None:
        said = await utterance(audio, self.rate, no_speech, limit)
        return heard(await self._post(said, grammar), grammar) if said else None

    async def _post(self, said: bytes, grammar: Grammar) -> object:
        form = aiohttp.FormData()
        form.add_field("question", json.dumps(question(grammar, self.rate)), content_type="application/json")
        form.add_field("audio", as_wav(said, self.rate), content_type="audio/wav", filename="utterance.wav")
        try:
            async with (
                asyncio.timeout(self._other.answer_within.total_seconds()),
                self._http().post(self._other.url, data=form, headers=self._other.headers, allow_redirects=False) as response,
            ):
                return await answer_to(response)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise RecogniserError(f"the recogniser does not answer: {type(error).__name__}") from None


class WebSocketRecogniser:
    """Sends the audio as it is spoken; the other side says when it has understood."""

    def __init__(self, http: Callable[[], aiohttp.ClientSession], other: Other) -> None:
        self._http = http
        self._other = other
        self.rate = other.rate

    async def hear(self, audio: AsyncIterator[bytes], grammar: Grammar, no_speech: timedelta, limit: timedelta) -> Heard | None:
        longest = limit + self._other.answer_within
        try:
            async with asyncio.timeout(longest.total_seconds()), await self._connect() as socket:
                spans = {"no_speech_s": no_speech.total_seconds(), "limit_s": limit.total_seconds()}
                await socket.send_json({"type": "start", **question(grammar, self.rate), **spans})
                sending = asyncio.create_task(_send(socket, audio, self.rate, limit))
                try:
                    return heard(await final_answer(socket), grammar)
                finally:
                    sending.cancel()
                    await asyncio.gather(sending, return_exceptions=True)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise RecogniserError(f"the recogniser does not answer: {type(error).__name__}") from None

    async def _connect(self) -> aiohttp.ClientWebSocketResponse:
        return await self._http().ws_connect(
            self._other.url,
            headers=self._other.headers,
            max_msg_size=LARGEST_ANSWER,
            timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
        )


async def _send(socket: aiohttp.ClientWebSocketResponse, audio: AsyncIterator[bytes], rate: int, limit: timedelta) -> None:
    """The audio, up to the limit; then the other side is told to make up its mind."""
    left = int(limit.total_seconds() * rate) * 2
    async for frame in audio:
        await socket.send_bytes(frame[:left])
        left -= len(frame)
        if left <= 0:
            break
    await socket.send_json({"type": "stop"})


async def final_answer(socket: aiohttp.ClientWebSocketResponse) -> object:
    """The first answer that is final."""
    async for message in socket:
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise RecogniserError("the recogniser sent something that is not text")
        answer = _read(message.data)
        if not (isinstance(answer, dict) and answer.get("type") == "partial"):
            return answer
    raise RecogniserError("the recogniser hung up without an answer")


def as_wav(said: bytes, rate: int) -> bytes:
    """The utterance as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(rate)
        wav.writeframes(said)
    return file.getvalue()
