"""The built-in recogniser on words that espeak-ng speaks, at telephone quality."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from callcenter.adapters.speech.sphinx import PocketsphinxRecogniser
from callcenter.domain.ivr.grammar import DIGIT, NUMBER, YES_NO, Grammar, built_in
from callcenter.services.ports import Heard, RecogniserError
from tests.support.spoken import VOICES, over_the_telephone, spoken

DEPARTMENTS = Grammar("en", {word: word for word in ("sales", "support", "billing", "operator", "technical support")})
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
NO_SPEECH, LIMIT = timedelta(seconds=3), timedelta(seconds=8)


async def frames(audio: bytes, then_s: float = 10.0) -> AsyncIterator[bytes]:
    """As Asterisk sends it, but as fast as it is taken; silence follows."""
    audio += bytes(int(then_s * 16000))
    for at in range(0, len(audio), 320):
        yield audio[at : at + 320]
        await asyncio.sleep(0)


@pytest.fixture
async def recogniser() -> AsyncIterator[PocketsphinxRecogniser]:
    made = PocketsphinxRecogniser()
    yield made
    await made.close()


async def hear(recogniser: PocketsphinxRecogniser, said: str, grammar: Grammar, voice: str = "en-us", speed: int = 160) -> Heard | None:
    return await recogniser.hear(frames(over_the_telephone(spoken(said, voice, speed))), grammar, NO_SPEECH, LIMIT)


async def test_a_department_is_heard_and_how_sure_that_is(recogniser: PocketsphinxRecogniser) -> None:
    heard = await hear(recogniser, "technical support", DEPARTMENTS)
    assert heard is not None
    assert (heard.phrase, heard.value) == ("technical support", "technical support")
    assert heard.confidence > 0.6


async def test_several_phrases_may_mean_the_same(recogniser: PocketsphinxRecogniser) -> None:
    grammar = built_in(YES_NO, "en")
    assert grammar is not None
    assert [(await hear(recogniser, word, grammar)).value for word in ("yes", "no")] == ["yes", "no"]  # type: ignore[union-attr]


async def test_words_that_were_not_asked_for_are_not_believed(recogniser: PocketsphinxRecogniser) -> None:
    for said in ("the weather is nice today", "my telephone is broken", "i would like a pizza", "paint the wall green"):
        heard = await hear(recogniser, said, DEPARTMENTS)
        assert heard is not None
        assert heard.confidence < 0.5, (said, heard)


async def test_silence_and_clicks_are_nothing(recogniser: PocketsphinxRecogniser) -> None:
    assert await recogniser.hear(frames(b""), DEPARTMENTS, NO_SPEECH, LIMIT) is None
    click = b"\x00\x40" * 80
    assert await recogniser.hear(frames(bytes(16000) + click), DEPARTMENTS, NO_SPEECH, LIMIT) is None


async def test_several_digits_in_a_row(recogniser: PocketsphinxRecogniser) -> None:
    grammar = built_in(NUMBER, "en")
    assert grammar is not None
    heard = await hear(recogniser, "one eight two", grammar, speed=130)
    assert heard is not None
    assert heard.value == "182"


async def test_a_worker_that_is_killed_costs_one_utterance_only(recogniser: PocketsphinxRecogniser) -> None:
    await recogniser.start()
    pid = recogniser.workers[0].pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)  # as if it decoded for ever
    hearing = asyncio.create_task(hear(recogniser, "sales", DEPARTMENTS))
    await asyncio.sleep(0)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(RecogniserError):
        await hearing
    heard = await hear(recogniser, "support", DEPARTMENTS)
    assert heard is not None
    assert heard.value == "support"


async def test_who_no_longer_wants_to_know_leaves_no_work_behind(recogniser: PocketsphinxRecogniser) -> None:
    await recogniser.start()
    hearing = asyncio.create_task(hear(recogniser, "sales", DEPARTMENTS))
    await asyncio.sleep(0.01)
    hearing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hearing
    assert await hear(recogniser, "billing", DEPARTMENTS) is not None


async def test_another_language_is_refused(recogniser: PocketsphinxRecogniser) -> None:
    with pytest.raises(RecogniserError, match="'es'"):
        await hear(recogniser, "no", Grammar("es", {"no": "no"}))


async def test_how_often_it_is_right(recogniser: PocketsphinxRecogniser) -> None:
    """Eight voices at two speeds. espeak-ng is harder to understand than people are; the floors are a little under what was measured."""
    yes_no, digit = built_in(YES_NO, "en"), built_in(DIGIT, "en")
    assert yes_no is not None
    assert digit is not None
    for name, words, grammar, floor in (
        ("yes_no", ("yes", "no"), yes_no, 0.85),
        ("departments", tuple(DEPARTMENTS.phrases), DEPARTMENTS, 0.85),
        ("digit", DIGITS, digit, 0.6),
    ):
        right = asked = 0
        for word in words:
            for voice in VOICES:
                for speed in (140, 175):
                    heard = await hear(recogniser, word, grammar, voice, speed)
                    asked += 1
                    right += heard is not None and heard.value == grammar.phrases[word]
        print(f"{name}: {right} of {asked} right")
        assert right / asked >= floor, name
