"""Whole messages at a recogniser of others: what is sent, and what becomes of what it answers."""

import asyncio
import json
import wave
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from callcenter.adapters.speech.other import LARGEST_ANSWER, Other
from callcenter.adapters.speech.transcribing import OtherTranscriber
from callcenter.services.ports import RecogniserError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SECONDS = 3


@pytest.fixture
def message(tmp_path: Path) -> Path:
    with wave.open(str(tmp_path / "m1.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\x01\x02" * 8000 * SECONDS)
    return tmp_path / "m1.wav"


async def written(handler: Handler, audio: Path, scheme: str = "http", within: float = 2.0, longest: float = 900) -> str:
    app = web.Application()
    app.router.add_route("*", "/write", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        async with aiohttp.ClientSession() as http:
            other = Other(f"{scheme}://127.0.0.1:{runner.addresses[0][1]}/write", "s3cret", answer_within=timedelta(seconds=within))
            return await OtherTranscriber(lambda: http, other, "en", timedelta(seconds=longest)).transcribe(audio)
    finally:
        await runner.cleanup()


async def test_over_http_the_whole_message_is_posted(message: Path) -> None:
    asked: list[object] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.headers["Authorization"])
        form = await request.post()
        question = form["question"]
        assert isinstance(question, bytearray)  # a field of its own content type
        asked.append(json.loads(question))
        audio = form["audio"]
        assert isinstance(audio, web.FileField)
        with wave.open(audio.file, "rb") as file:
            asked.append(file.getnframes())
        return web.json_response({"text": "call me back"})

    assert await written(answer, message) == "call me back"
    assert asked == ["Bearer s3cret", {"task": "transcribe", "rate": 8000, "language": "en"}, 8000 * SECONDS]


async def test_over_websocket_it_is_sent_as_fast_as_it_is_taken(message: Path) -> None:
    heard, begun = bytearray(), {}

    async def answer(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for part in socket:
            if part.type is aiohttp.WSMsgType.BINARY:
                heard.extend(part.data)
            elif json.loads(part.data)["type"] == "start":
                begun.update(json.loads(part.data))
            else:
                await socket.send_json({"type": "partial", "text": "call"})
                await socket.send_json({"type": "result", "text": "call me back"})
        return socket

    assert await written(answer, message, "ws") == "call me back"
    assert begun == {"type": "start", "task": "transcribe", "rate": 8000, "language": "en"}
    assert len(heard) == 2 * 8000 * SECONDS


async def test_no_more_is_sent_than_is_allowed(message: Path) -> None:
    async def answer(request: web.Request) -> web.Response:
        audio = (await request.post())["audio"]
        assert isinstance(audio, web.FileField)
        with wave.open(audio.file, "rb") as file:
            return web.json_response({"text": str(file.getnframes())})

    assert await written(answer, message, longest=1) == "8000"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("no json", "did not answer with JSON"),
        ("[1]", "did not answer with a JSON object"),
        ('{"text": 7}', "has no text"),
        ('{"phrase": "yes"}', "has no text"),
        ('{"type": "error", "reason": "busy"}', "the recogniser said: 'busy'"),
        ("x" * (LARGEST_ANSWER + 1), "answered with status 200 and 65537 bytes"),
    ],
)
async def test_nonsense_is_an_error_with_its_reason(said: str, sentence: str, message: Path) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=said)

    with pytest.raises(RecogniserError, match=sentence.replace("[", r"\[")):
        await written(answer, message)


async def test_nothing_said_is_no_error(message: Path) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"type": "nothing"})

    assert await written(answer, message) == ""


async def test_one_that_does_not_answer_is_not_waited_for(message: Path) -> None:
    async def answer(request: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    with pytest.raises(RecogniserError, match="does not answer"):
        await written(answer, message, within=0.2)


async def test_a_redirect_is_not_followed(message: Path) -> None:
    async def answer(request: web.Request) -> web.Response:
        raise web.HTTPFound("http://127.0.0.1:9/elsewhere")

    with pytest.raises(RecogniserError, match="status 302"):
        await written(answer, message)


async def test_a_message_that_is_no_sound_is_said(tmp_path: Path) -> None:
    async def answer(request: web.Request) -> web.Response:
        raise AssertionError

    (tmp_path / "m1.wav").write_bytes(b"RIFF")
    with pytest.raises(RecogniserError, match="cannot be read"):
        await written(answer, tmp_path / "m1.wav")
