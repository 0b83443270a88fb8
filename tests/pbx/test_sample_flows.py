"""Callers walk the flows of ``samples/toll-free`` on a real Asterisk and hear each prompt, recorded as a tone of its own in each language.

A path is what a caller hears and does, in order: ``hello`` is heard, ``>1`` pressed; ``es:`` says the rest in that language; ``~`` is
something said that is no prompt of the flow, such as an amount; at ``...`` the caller speaks for three seconds; ``music`` is that of
the queue.
"""

import asyncio
import contextlib
import json
import sys
import tomllib
from collections.abc import AsyncIterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from callcenter.domain import facts as f
from callcenter.runtime.data_folder import data_folder
from callcenter.services.control_client import answers
from callcenter.sim.sip.call import Call
from callcenter.sim.sip.g711 import BY_PAYLOAD_TYPE
from callcenter.sim.sip.policy import AnswerAfter
from callcenter.sim.sip.tones import RATE, TonePair, samples_of, tone_pair
from tests.support.asterisk import MUSIC_TONES
from tests.support.audio import wav
from tests.support.center import CALLER_TONE, RunningCenter, running_center
from tests.support.dip_source import DipServerEnd, dip_source, saying, silence

pytestmark = pytest.mark.pbx

SAMPLE = Path(__file__).parents[2] / "samples" / "toll-free"
LINE, APPOINTMENT, STRAIGHT = "+18005550100", "+18005550109", "+18005550108"
FITS, FORGOTTEN, DOWN = "100008", "200006", "300004"
"""Account numbers: with a balance; whose PIN is another; for which the account system does not answer."""
MESSAGE = tone_pair(70)
CHOOSE = "hello for-english para-espanol"
ASKED = f"{CHOOSE} >1 main-menu >1 enter-account"
TOLD = "one-moment balance-is ~ anything-else"

OPEN = {
    "the balance": f"{ASKED} >{FITS} enter-pin >1234 {TOLD} bye",
    "the balance, then a person": f"{CHOOSE} >2 es: main-menu >1 enter-account >{FITS} enter-pin >1234 {TOLD} >2 music",
    "a PIN that does not fit": f"{ASKED} >{FORGOTTEN} enter-pin >1234 one-moment not-right music",
    "no answer about the balance": f"{ASKED} >{DOWN} enter-pin >1234 one-moment no-balance music",
    "no account number of ours": f"{ASKED} >100000 no-such-account enter-account >123 no-such-account enter-account music",
    "a person": f"{CHOOSE} >1 main-menu >2 music",
    "nothing at all": "hello for-english para-espanol main-menu main-menu main-menu-again music",
    "the menu once more, in Spanish": "hello for-english para-espanol >2 es: main-menu >* main-menu >2 music",
    "no time for the greeting": ">1 main-menu >2 music",
}
BUSY = {
    "a callback": f"{CHOOSE} >1 main-menu >2 busy >1 we-call-back",
    "stays on the line": f"{CHOOSE} >1 main-menu >2 busy music",
}
CLOSED = {
    "a message": f"{CHOOSE} >1 closed leave-message >1 voicemail-greeting ... ># voicemail-review >1 voicemail-kept thanks",
    "no message, in Spanish": f"{CHOOSE} >2 es: closed leave-message leave-message",
}
REMINDER = "this-is ~ at ~ confirm"
APPOINTMENTS = {
    "confirmed": f"{REMINDER} >1 confirmed",
    "cancelled": f"{REMINDER} >3 cancelled",
    "never again": f"{REMINDER} >9 no-more",
    "a person": f"{REMINDER} >2 music",
    "not there": f"{REMINDER} {REMINDER} {REMINDER}",
}
SURVEYS = {"very satisfied": "satisfied >5 recommend >10 thanks", "no answer": "satisfied satisfied thanks"}
"""Both a short and a long key in the second."""

TONES: dict[tuple[str, str], TonePair] = {}
"""By prompt and language."""
_numbers = count()
SPANISH_TOO = {"support-line", "after-hours"}
"""Flows whose Spanish prompts are told from the English ones; there are not tones enough for all."""


def tone_of(prompt: str, language: str) -> TonePair:
    return TONES.setdefault((prompt, language), tone_pair(next(_numbers)))


def with_tones(document: str, files: dict[str, bytes]) -> bytes:
    """The document with recordings in place of texts, as people would put theirs; those go to ``files``."""
    flow = yaml.safe_load(document)
    for prompt, texts in flow["prompts"].items():
        for language in texts:
            file = f"flows/{flow['flow']}-{prompt}-{language}.wav"
            told_apart = language if flow["flow"] in SPANISH_TOO else "en"
            files[file] = wav(*tone_of(f"{flow['flow']}/{prompt}", told_apart), seconds=0.7)
            texts[language] = {"file": Path(file).name}
    return yaml.safe_dump(flow, allow_unicode=True).encode()


# --- the center -----------------------------------------------------------------------------------


def accounts(end: DipServerEnd) -> Any:
    """The account system: takes a second, so that the caller is told to wait."""

    async def answer() -> None:
        asked = json.loads(end.body)
        await asyncio.sleep(1)
        if asked["account"] == DOWN:
            await silence(end)
        elif asked["account"] == FORGOTTEN:
            await saying({}, "404 Not Found")(end)
        else:
            await saying({"balance": "12.50 USD"})(end)

    return answer()


def tables(source: str) -> dict[str, Any]:
    """The sample's own settings, but for what is here and not there; it is open day and night."""
    raw = tomllib.loads((SAMPLE / "callcenter.toml").read_text())
    raw["trunk"][0] |= {"addresses": ["127.0.0.1"], "host": "127.0.0.1"}
    raw["dip"]["balance"] |= {"url": f"{source}/balance", "allow_private": True}
    raw["calendar"]["support"] = {"weekly": ["mon-sun 00:00-24:00"]}
    raw["queue"][0] |= {"music": "tones", "wrap_up_s": 1}
    raw["number"] += [{"did": APPOINTMENT, "flow": "reminder"}, {"did": STRAIGHT, "flow": "straight"}]
    raw["prompt"] = [
        {"id": prompt, "source": "tone:{:.0f}+{:.0f}:0.7".format(*tone_of(prompt, "en"))}
        for prompt in ("voicemail-greeting", "voicemail-review", "voicemail-kept")
    ]
    enter = {"type": "flow", "flow": "appointment", "parameters": {"day": "2026-12-24", "hour": "10:30"}, "next": "end"}
    raw["flow"] = {
        "reminder": {"start": "enter", "languages": ["en", "es"], "node": {"enter": enter, "end": {"type": "hang_up"}}},
        "straight": {"start": "line", "node": {"line": {"type": "queue", "queue": "support"}}},
    }
    return raw


@contextlib.asynccontextmanager
async def sample_center() -> AsyncIterator[RunningCenter]:
    """With the process that asks the account system."""
    files: dict[str, bytes] = {}
    for document in sorted((SAMPLE / "flows").glob("*.yaml")):
        files[f"flows/{document.name}"] = with_tones(document.read_text(), files)
    async with dip_source(accounts) as source, running_center(beside=files, **tables(source.url)) as center:
        folder, token = data_folder(center.pbx.settings), center.pbx.secrets.control_token
        arguments = (sys.executable, "-m", "callcenter.apps.cli", "dips", "--config", str(center.file))
        with (folder.log / "dips.log").open("ab") as log:
            dips = await asyncio.create_subprocess_exec(*arguments, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            async with asyncio.timeout(30):
                while not await answers(folder.dips_socket, token):
                    await asyncio.sleep(0.05)
            yield center
        finally:
            dips.terminate()
            await dips.wait()


# --- walking --------------------------------------------------------------------------------------


class Walk:
    """One caller on one path through a flow and those it enters."""

    def __init__(self, call: Call, *flows: str, inband: bool = False) -> None:
        self.call = call
        self._inband = inband
        self._flows = flows
        self._language = "en"
        self.said: list[TonePair] = []

    async def through(self, path: str) -> None:
        """Not to the end of the call."""
        for word in path.split():
            if word.startswith(">"):
                await self._presses(word[1:])
            elif word == "es:":
                self._language = "es"
            elif word == "...":
                await self.call.say(samples_of(MESSAGE, 3 * RATE))
            elif word == "music":
                await self.call.hears(MUSIC_TONES, within=20)
            elif word != "~":
                await self._hears(word)

    async def along(self, path: str) -> None:
        """To its end; each prompt must be heard, in order, and none besides."""
        await self.through(path)
        words = path.split()
        if words[-1] != "music":
            await self.call.ended(within=20)
        await self.call.hang_up()
        heard = [tone.pair for tone in self.call.heard_tones(*set(TONES.values()), at_least=0.15)]
        assert [name(pair) for pair in heard] == [name(pair) for pair in self.said]
        for before, after in zip(words, words[2:], strict=False):
            if words[words.index(before) + 1] == "~":
                assert self._between(before, after) > 0.5, f"nothing is said between {before} and {after}"

    async def _presses(self, keys: str) -> None:
        """As events where they were agreed on; else the caller's telephone makes the tones."""
        if not self._inband:
            await self.call.send_digits(keys)
        for key in keys if self._inband else ():
            await self.call.send_inband_digit(key)

    async def _hears(self, prompt: str) -> None:
        """For the first time, or once more than before."""
        pair = self._tone(prompt)
        self.said.append(pair)
        await self.call.hears(pair, within=20, for_s=0.25)
        async with asyncio.timeout(20):
            while len(self.call.heard_tones(pair, at_least=0.15)) < self.said.count(pair):
                await self.call.hears_packets(5)

    def _tone(self, prompt: str) -> TonePair:
        flow = next((flow for flow in self._flows if (f"{flow}/{prompt}", self._language) in TONES), "")
        return TONES[(f"{flow}/{prompt}" if flow else prompt, self._language)]

    def _between(self, before: str, after: str) -> float:
        """Seconds of sound after one prompt and before another."""
        ends, begins = (self.call.heard_tones(self._tone(prompt), at_least=0.15)[-1] for prompt in (before, after))
        loud = [
            len(payload) / 8000
            for at, kind, payload in self.call.ear.payloads()
            if ends.end_s + 0.1 < at - self.call.began_at < begins.start_s - 0.1 and payload.translate(None, BY_PAYLOAD_TYPE[kind].quiet)
        ]
        return sum(loud)


def name(pair: TonePair) -> str:
    return next(f"{prompt} ({language})" for (prompt, language), tone in TONES.items() if tone == pair)


async def walk(center: RunningCenter, number: str, path: str, *flows: str, inband: bool = False) -> Walk:
    """``inband``: the caller's carrier knows no telephone events (RFC 4733), so keys are tones among the sound."""
    caller = f"+1202555{next(_callers):04d}"
    call = await center.call(caller, number, telephone_events=not inband, tone=None if inband else CALLER_TONE)
    walk = Walk(call, *flows, inband=inband)
    try:
        await walk.along(path)
    except AssertionError as error:
        raise AssertionError(f"{path}: {error}") from None
    return walk


_callers = count(100)


async def all_of(center: RunningCenter, number: str, paths: Mapping[str, str], *flows: str) -> None:
    """At once: they have nothing to do with each other."""
    async with asyncio.TaskGroup() as callers:
        for path in paths.values():
            callers.create_task(walk(center, number, path, *flows))


# --- the paths ------------------------------------------------------------------------------------


async def test_a_balance_is_told_and_an_appointment_confirmed() -> None:
    async with sample_center() as center, asyncio.TaskGroup() as callers:
        callers.create_task(walk(center, LINE, OPEN["the balance"], "support-line"))
        callers.create_task(walk(center, LINE, OPEN["the menu once more, in Spanish"], "support-line"))
        callers.create_task(walk(center, LINE, OPEN["no time for the greeting"], "support-line"))
        callers.create_task(walk(center, APPOINTMENT, APPOINTMENTS["confirmed"], "appointment"))
        callers.create_task(walk(center, APPOINTMENT, APPOINTMENTS["confirmed"], "appointment", inband=True))


@pytest.mark.long
async def test_every_path_of_the_support_line_while_it_is_open() -> None:
    async with sample_center() as center:
        await all_of(center, LINE, OPEN, "support-line")


@pytest.mark.long
async def test_who_meets_a_long_line_may_be_called_back_or_stay() -> None:
    async with sample_center() as center:
        waiting = [await center.call(f"+1202555{number:04d}", STRAIGHT) for number in range(10)]
        for call in waiting:
            await call.hears(MUSIC_TONES, within=20)
        await all_of(center, LINE, BUSY, "support-line")
        assert len(center.all(f.CallbackCreated)) == 1
        for call in waiting:
            await call.hang_up()


@pytest.mark.long
async def test_every_path_after_hours() -> None:
    async with sample_center() as center:
        await center.ask("calendar_switch", calendar="support", is_open=False)
        await all_of(center, LINE, CLOSED, "support-line", "after-hours")
        assert len(center.all(f.MessageLeft)) == 1


@pytest.mark.long
async def test_who_presses_keys_as_tones_in_the_sound_walks_every_flow_too() -> None:
    async with sample_center() as center:
        async with asyncio.TaskGroup() as callers:  # a tone is a key when it has ended: whoever has no time hears the greeting's beginning
            for path in ("the balance", "the balance, then a person", "the menu once more, in Spanish"):
                callers.create_task(walk(center, LINE, OPEN[path], "support-line", inband=True))
            callers.create_task(walk(center, APPOINTMENT, APPOINTMENTS["never again"], "appointment", inband=True))
        alice = await center.agent("alice", AnswerAfter(0.2))
        call = await center.call(f"+1202555{next(_callers):04d}", LINE, telephone_events=False, tone=None)
        walking = Walk(call, "support-line", "after-talk", inband=True)
        await walking.through(f"{CHOOSE} >1 main-menu >2")
        at_alice = await alice.incoming()
        await center.fact(f.ContactConnected)
        await at_alice.hang_up()
        await walking.along(SURVEYS["very satisfied"])
        assert [(fact.question, fact.value) for fact in center.all(f.SurveyAnswered)] == [("satisfied", "5"), ("recommend", "10")]
        await center.ask("agent_logout", agent="alice")
        await center.ask("calendar_switch", calendar="support", is_open=False)
        await walk(center, LINE, CLOSED["a message"], "support-line", "after-hours", inband=True)
        assert len(center.all(f.MessageLeft)) == 1


@pytest.mark.long
async def test_every_answer_about_an_appointment() -> None:
    async with sample_center() as center:
        await all_of(center, APPOINTMENT, APPOINTMENTS, "appointment")


@pytest.mark.long
async def test_what_callers_answer_after_the_talk() -> None:
    async with sample_center() as center:
        alice = await center.agent("alice", AnswerAfter(0.2))
        for path in SURVEYS.values():
            walking = Walk(await center.call(f"+1202555{next(_callers):04d}", LINE), "support-line", "after-talk")
            await walking.through(f"{CHOOSE} >1 main-menu >2")
            at_alice = await alice.incoming()
            await center.fact(f.ContactConnected, len(center.all(f.ContactParted)) + 1)
            await at_alice.hang_up()
            await walking.along(path)
        answers_given = [(fact.question, fact.value) for fact in center.all(f.SurveyAnswered)]
        assert answers_given == [("satisfied", "5"), ("recommend", "10")]
