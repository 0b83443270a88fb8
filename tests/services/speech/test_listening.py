"""The engine asks the recogniser process over its socket, and takes away again what that needed."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from callcenter.domain.events import Refusal
from callcenter.domain.ivr.grammar import Grammar
from callcenter.services.control import ControlServer
from callcenter.services.ports import CommandError, Ear, Heard, RecogniserError
from callcenter.services.speech.desk import RecogniserDesk
from callcenter.services.speech.listening import Listening, NotListening

TOKEN = "token-of-this-test"
GRAMMAR = Grammar("en", {"sales": "1", "support": "2"})
SOON, LIMIT = timedelta(seconds=1), timedelta(seconds=5)


class Ears:
    """Notes what is open."""

    def __init__(self) -> None:
        self.open: list[Ear] = []
        self.broken = False

    async def open_ear(self, node: str, leg: str, rate: int) -> Ear:
        if self.broken:
            raise CommandError(Refusal.GONE)
        self.open.append(Ear(node, leg, f"ws://node/media/{leg}", "m", "s", "b"))
        return self.open[-1]

    async def close_ear(self, ear: Ear) -> None:
        self.open.remove(ear)


class Parrot:
    """Hears what it was told to hear, once the audio has begun."""

    rate = 8000

    def __init__(self) -> None:
        self.hears: Heard | Exception | None = Heard("sales", "1", 0.9)
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.hearing = asyncio.Event()
        self.cancelled = 0

    async def hear(self, audio: AsyncIterator[bytes], grammar: Grammar, no_speech: timedelta, limit: timedelta) -> Heard | None:
        assert (grammar, no_speech, limit) == (GRAMMAR, SOON, LIMIT)
        self.hearing.set()
        try:
            async for _ in audio:
                await self.may_answer.wait()
                break
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if isinstance(self.hears, Exception):
            raise self.hears
        return self.hears


class Center:
    """Both ends."""

    def __init__(self, folder: Path, at_once: int) -> None:
        self.parrot, self.other, self.ears = Parrot(), Parrot(), Ears()
        self.streams = 0
        self.desk = RecogniserDesk(self.parrot, self.audio, at_once, self.reload)
        self.server = ControlServer(folder / "run" / "recogniser.sock", TOKEN, self.desk.handle)
        self.listening = Listening(self.ears, self.server.path, TOKEN)

    async def audio(self, url: str) -> AsyncGenerator[bytes, None]:
        assert url.startswith("ws://node/media/")
        self.streams += 1
        try:
            while True:
                yield bytes(320)
        finally:
            self.streams -= 1

    async def reload(self) -> None:
        self.desk.configure(self.other, 1)

    async def hear(self, name: str = "ask1") -> Heard | None:
        return await self.listening.hear(name, ("node1", "leg1"), GRAMMAR, SOON, LIMIT)

    def nothing_is_left(self) -> None:
        assert (self.ears.open, self.streams, self.desk.listening) == ([], 0, 0)


@asynccontextmanager
async def center(at_once: int = 2) -> AsyncIterator[Center]:
    with tempfile.TemporaryDirectory(prefix="cc-") as folder:
        made = Center(Path(folder), at_once)
        await made.server.start()
        try:
            yield made
        finally:
            await made.server.stop()


async def test_a_caller_is_heard() -> None:
    async with center() as it:
        assert await it.hear() == Heard("sales", "1", 0.9)
        it.parrot.hears = None
        assert await it.hear() is None
        it.nothing_is_left()


async def test_one_too_many_hears_that_it_is_busy() -> None:
    async with center(at_once=2) as it:
        it.parrot.may_answer.clear()
        first, second = asyncio.create_task(it.hear("a")), asyncio.create_task(it.hear("b"))
        while it.desk.listening < 2:
            await asyncio.sleep(0.01)
        with pytest.raises(NotListening) as refused:
            await it.hear("c")
        assert refused.value.why == "busy"
        it.parrot.may_answer.set()
        assert await first == await second == Heard("sales", "1", 0.9)
        it.nothing_is_left()


async def test_no_longer_wanted_it_is_cancelled_at_both_ends() -> None:
    async with center() as it:
        it.parrot.may_answer.clear()
        hearing = asyncio.create_task(it.hear())
        await it.parrot.hearing.wait()
        hearing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await hearing
        while it.desk.listening:
            await asyncio.sleep(0.01)
        assert it.parrot.cancelled == 1
        it.nothing_is_left()


async def test_a_recogniser_that_fails_is_said_to_have_failed() -> None:
    async with center() as it:
        it.parrot.hears = RecogniserError("no model")
        with pytest.raises(NotListening, match="no model") as failed:
            await it.hear()
        assert failed.value.why == "failed"
        it.nothing_is_left()


async def test_without_the_process_or_the_leg_it_fails_at_once() -> None:
    async with center() as it:
        it.ears.broken = True
        with pytest.raises(NotListening):
            await it.hear()
        it.ears.broken = False
        await it.server.stop()
        with pytest.raises(NotListening):
            await it.hear()
        it.nothing_is_left()


async def test_when_the_process_is_killed_in_the_middle_it_fails_at_once() -> None:
    async with center() as it:
        it.parrot.may_answer.clear()
        hearing = asyncio.create_task(it.hear())
        await it.parrot.hearing.wait()
        await it.server.stop()
        with pytest.raises(NotListening) as failed:
            await hearing
        assert failed.value.why == "failed"
        assert it.ears.open == []


async def test_after_a_reload_others_listen_and_who_was_listened_to_is_still_understood() -> None:
    async with center() as it:
        it.parrot.may_answer.clear()
        it.other.hears = Heard("support", "2", 0.8)
        before = asyncio.create_task(it.hear("a"))
        await it.parrot.hearing.wait()
        await it.listening.reload()
        with pytest.raises(NotListening) as refused:  # one at once from now on
            await it.hear("b")
        assert refused.value.why == "busy"
        it.parrot.may_answer.set()
        assert await before == Heard("sales", "1", 0.9)
        assert await it.hear("c") == Heard("support", "2", 0.8)
        it.nothing_is_left()
