"""Messages are given to the recogniser one after the other, again after a pause, and not for ever."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from callcenter.services.ports import RecogniserError
from callcenter.services.transcripts import LONGEST, MOST_ATTEMPTS, Transcripts

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Store:
    """Messages without transcripts, and those with."""

    def __init__(self, *messages: str) -> None:
        self.waiting = list(messages)
        self.written: dict[str, str] = {}

    async def untranscribed(self, since: datetime, but: Sequence[str], limit: int) -> Sequence[str]:
        return [message for message in self.waiting if message not in but and message not in self.written][:limit]

    async def transcribed(self, message: str, transcript: str) -> None:
        self.written[message] = transcript


class Recogniser:
    """Understands what it is told, or fails."""

    def __init__(self, **texts: str | Exception) -> None:
        self.texts = texts
        self.asked: list[str] = []

    async def transcribe(self, audio: Path) -> str:
        self.asked.append(audio.stem)
        text = self.texts[audio.stem]
        if isinstance(text, Exception):
            raise text
        return text


async def test_what_was_said_is_kept_as_one_line() -> None:
    store, recogniser = Store("m1", "m2"), Recogniser(m1="call\r\nme\x00 back", m2="x" * 100_000)
    assert await Transcripts(store, Path("/kept")).write_some(recogniser, NOW) == 2
    assert store.written == {"m1": "call me back", "m2": "x" * LONGEST}


async def test_one_that_fails_is_tried_again_after_growing_pauses_and_then_not_any_more() -> None:
    store, recogniser = Store("m1", "m2"), Recogniser(m1=RecogniserError("away"), m2="hello")
    transcripts, now = Transcripts(store, Path("/kept")), NOW
    for _ in range(2000):
        await transcripts.write_some(recogniser, now)
        now += timedelta(seconds=1)
    assert recogniser.asked.count("m1") == MOST_ATTEMPTS
    assert recogniser.asked.count("m2") == 1, "the other one does not wait for it"
    assert store.written == {"m1": "", "m2": "hello"}


async def test_a_file_that_is_gone_or_a_name_that_is_none_holds_up_nobody() -> None:
    store = Store("../../etc/passwd", "m1", "m2")
    recogniser = Recogniser(m1=FileNotFoundError("gone"), m2="here")
    assert await Transcripts(store, Path("/kept")).write_some(recogniser, NOW) == 1
    assert recogniser.asked == ["m1", "m2"]
