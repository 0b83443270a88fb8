"""Recognisers of others: what is sent to them, and what becomes of what they answer."""

import asyncio
import io
import json
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web

from callcenter.adapters.speech.other import LARGEST_ANSWER, HttpRecogniser, Other, WebSocketRecogniser
from callcenter.domain.ivr.grammar import Grammar
from callcenter.services.ports import NONE_OF_THEM, Heard, RecogniserError
from tests.support.spoken import over_the_telephone, spoken

GRAMMAR = Grammar("es", {"ventas": "sales", "atención al cliente": "support"})
NO_SPEECH, LIMIT = timedelta(seconds=2), timedelta(seconds=5)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def frames(audio: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(audio), 320):
        yield audio[at : at + 320]
        await asyncio.sleep(0)


def word() -> AsyncIterator[bytes]:
    return frames(over_the_telephone(spoken("ventas", "es")) + bytes(160_000))


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/hear", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"127.0.0.1:{runner.addresses[0][1]}/hear"
    finally:
        await runner.cleanup()


async def post(handler: Handler, within: float = 2.0) -> Heard | None:
    async with server(handler) as place, aiohttp.ClientSession() as http:
        other = Other(f"http://{place}", "s3cret", answer_within=timedelta(seconds=within))
        return await HttpRecogniser(lambda: http, other).hear(word(), GRAMMAR, NO_SPEECH, LIMIT)


async def stream(handler: Handler, within: float = 2.0) -> Heard | None:
    async with server(handler) as place, aiohttp.ClientSession() as http:
        other = Other(f"ws://{place}", "s3cret", answer_within=timedelta(seconds=within))
        return await WebSocketRecogniser(lambda: http, other).hear(word(), GRAMMAR, NO_SPEECH, timedelta(seconds=2))


def answering(body: object, status: int = 200) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        await request.read()
        return web.Response(text=body if isinstance(body, str) else json.dumps(body), status=status)

    return answer


async def test_the_whole_utterance_is_posted() -> None:
    async def check(request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == "Bearer s3cret"
        form = await request.post()
        written, audio = form["question"], form["audio"]
        assert isinstance(written, bytearray)
        question = json.loads(written)
        assert question == {"rate": 8000, "language": "es", "phrases": ["ventas", "atención al cliente"], "most": 1}
        assert isinstance(audio, web.FileField)
        with wave.open(io.BytesIO(audio.file.read())) as wav:
            assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (8000, 1, 2)
            assert 0.4 < wav.getnframes() / 8000 < 2
        return web.json_response({"phrase": "Atención  al CLIENTE", "confidence": 0.9})

    assert await post(check) == Heard("atención al cliente", "support", 0.9)


NONSENSE = (
    "",
    "no json",
    "[]",
    "null",
    "[" * 5000,
    '{"phrase": 7}',
    '{"phrase": "ventas", "confidence": 7}',
    '{"phrase": "ventas", "confidence": true}',
    '{"phrase": "ventas", "confidence": NaN}',
    '{"type": "error", "reason": "out of order"}',
    '{"x": "' + "x" * LARGEST_ANSWER + '"}',
)


@pytest.mark.parametrize("body", NONSENSE, ids=range(len(NONSENSE)))
async def test_nonsense_is_no_answer(body: str) -> None:
    with pytest.raises(RecogniserError):
        await post(answering(body))


async def test_what_was_not_asked_for_is_none_of_the_phrases() -> None:
    assert await post(answering({"phrase": "drop table", "confidence": 1.0})) == NONE_OF_THEM
    assert await post(answering({"type": "nothing"})) is None


@pytest.mark.parametrize("status", [301, 401, 500])
async def test_another_status_is_no_answer_and_redirects_are_not_followed(status: int) -> None:
    with pytest.raises(RecogniserError, match=str(status)):
        await post(answering({"phrase": "ventas", "confidence": 1.0}, status))


async def test_who_does_not_answer_is_waited_for_no_longer_than_said() -> None:
    async def sleeps(request: web.Request) -> web.StreamResponse:
        await request.read()
        await asyncio.sleep(30)
        return web.Response()

    with pytest.raises(RecogniserError, match="TimeoutError"):
        await post(sleeps, within=0.2)


async def test_audio_is_streamed_as_it_is_spoken() -> None:
    async def listen(request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == "Bearer s3cret"
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        start = await socket.receive_json()
        assert (start["type"], start["rate"], start["no_speech_s"], start["limit_s"]) == ("start", 8000, 2.0, 2.0)
        heard = 0
        while heard < 8000:
            heard += len((await socket.receive()).data)
        await socket.send_json({"type": "partial", "phrase": "ven"})
        await socket.send_json({"type": "result", "phrase": "ventas", "confidence": 0.8})
        await socket.close()
        return socket

    assert await stream(listen) == Heard("ventas", "sales", 0.8)


async def test_at_the_limit_the_other_side_is_told_to_make_up_its_mind() -> None:
    async def waits(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        heard = 0
        async for message in socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                heard += len(message.data)
            elif json.loads(message.data)["type"] == "stop":
                await socket.send_json({"type": "result", "phrase": "ventas", "confidence": 1.0 if heard == 32_000 else 0.0})
        return socket

    assert await stream(waits) == Heard("ventas", "sales", 1.0)


async def test_a_stream_that_breaks_off_is_no_answer() -> None:
    async def hangs_up(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.close()
        return socket

    with pytest.raises(RecogniserError):
        await stream(hangs_up)
    with pytest.raises(RecogniserError):
        await stream(answering("no websocket here"))
