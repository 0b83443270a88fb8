"""Callers speak to a flow, on a real Asterisk, with the real recogniser in a process of its own; the words are espeak-ng's."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from callcenter.domain import facts as f
from callcenter.runtime.data_folder import data_folder
from callcenter.services.control_client import answers
from callcenter.sim.sip.call import Call
from callcenter.sim.sip.tones import TonePair, tone_pair
from tests.support.asterisk import raw_settings
from tests.support.center import RunningCenter, running_center
from tests.support.spoken import spoken

pytestmark = pytest.mark.pbx

WHICH, SALES, SUPPORT, NOBODY, AGAIN, SURE = (tone_pair(n) for n in (2, 12, 22, 32, 42, 52))
PROMPTS = {"which": WHICH, "sales": SALES, "support": SUPPORT, "nobody": NOBODY, "again": AGAIN, "sure": SURE}
LISTEN_S = 6


def say(prompt: str) -> dict[str, str]:
    return {"type": "prompt", "prompt": prompt, "next": "end"}


FLOW: dict[str, Any] = {
    "start": "ask",
    "node": {
        "ask": {
            "type": "speech",
            "prompt": "which",
            "phrases": {"en": {"sales": "sales", "support": "support", "technical support": "support"}},
            "keys": {"1": "sales", "2": "support"},
            "choices": {"sales": "sales", "support": "support"},
            "otherwise": "nobody",
            "invalid_prompt": "again",
            "confirm_prompt": "sure",
            "no_speech_s": 2,
            "listen_s": LISTEN_S,
            "accept": 0.6,
            "tries": 2,
        },
        **{name: say(name) for name in ("sales", "support", "nobody")},
        "end": {"type": "hang_up"},
    },
}

PATIENT = {**FLOW, "node": {**FLOW["node"], "ask": {**FLOW["node"]["ask"], "no_speech_s": 15, "listen_s": 20}}}
"""Who does not speak is not asked again while the test looks elsewhere."""


def tone(name: str, pair: TonePair) -> dict[str, str]:
    return {"id": name, "source": f"tone:{pair[0]:.0f}+{pair[1]:.0f}:1.2"}


def tables(flow: dict[str, Any], **more: Any) -> dict[str, Any]:
    ours = [tone(name, pair) for name, pair in PROMPTS.items()]
    usual = [prompt for prompt in raw_settings(Path("/")).pop("prompt") if prompt["id"] not in PROMPTS]
    return {"flow": {"main": flow}, "prompt": [*usual, *ours], **more}


class Recogniser:
    """``callcenter recogniser``, as the supervisor would keep it."""

    def __init__(self, center: RunningCenter) -> None:
        self._center = center
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        log = self._center.file.with_name("recogniser.log").open("ab")
        with log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "callcenter.apps.cli", "recogniser", "--config", str(self._center.file)), stdout=log, stderr=log
            )
        socket = data_folder(self._center.pbx.settings).recogniser_socket
        async with asyncio.timeout(30):
            while not await answers(socket, self._center.pbx.secrets.control_token):
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)
        await self.process.wait()


@asynccontextmanager
async def center(flow: dict[str, Any] = PATIENT, **more: Any) -> AsyncIterator[tuple[RunningCenter, Recogniser]]:
    async with running_center(**tables(flow, **more)) as running:
        recogniser = Recogniser(running)
        await recogniser.start()
        try:
            yield running, recogniser
        finally:
            await recogniser.kill()


async def listening(it: RunningCenter, call: Call, number: int = 1) -> None:
    """The caller has been asked, and is listened to."""
    await call.hears(WHICH)
    await it.fact(f.FlowAsked, number)
    await it.until(lambda: "WebSocket/" in it.pbx.cli("core show channels concise"))


async def say_word(call: Call, text: str, voice: str = "en-us") -> float:
    """The caller says it, in real time; returns when the last of it was said, by the loop's clock."""
    await call.say(list(spoken(text, voice, 150)))
    return asyncio.get_running_loop().time()


async def silent(it: RunningCenter, caller: str) -> Call:
    return await it.call(caller, tone=None)  # type: ignore[arg-type]


async def test_callers_speak_or_are_silent_or_talk_nonsense() -> None:
    async with center(FLOW) as (it, _):

        async def department(n: int, word: str, branch: TonePair) -> float:
            call = await silent(it, f"+1202555010{n}")
            await call.hears(WHICH)
            await asyncio.sleep(1)  # a person thinks for a moment
            ended = await say_word(call, word)
            await call.hears(branch, for_s=0.2)
            took = asyncio.get_running_loop().time() - ended
            await call.ended()
            return took

        took = [await department(1, "sales", SALES), await department(2, "technical support", SUPPORT)]
        print(f"from the end of the word to having heard 0.2 s of the next prompt: {', '.join(f'{each:.2f} s' for each in took)}")
        assert max(took) < 3
        heard = [fact for fact in it.read() if isinstance(fact, f.FlowAnswered)]
        assert {fact.outcome for fact in heard} <= {"understood", "unsure"}

        nobody_speaks = await silent(it, "+12025550103")
        await nobody_speaks.hears(WHICH)
        await nobody_speaks.hears(AGAIN, within=10)
        await nobody_speaks.send_digit("2")
        await nobody_speaks.hears(SUPPORT)

        nonsense = await silent(it, "+12025550104")
        for prompt in (AGAIN, NOBODY):
            await nonsense.hears(WHICH)
            await asyncio.sleep(0.7)
            await say_word(nonsense, "my telephone is broken")
            await nonsense.hears(prompt, within=12, for_s=0.3)
        await nonsense.ended()


async def test_the_recogniser_is_killed_while_it_listens() -> None:
    async with center() as (it, recogniser):
        by_key = await silent(it, "+12025550111")
        await listening(it, by_key)
        waiting = await silent(it, "+12025550112")
        await listening(it, waiting, 2)
        await recogniser.kill()
        await it.fact(f.FlowAnswered, 2, outcome="failed")
        await by_key.send_digit("1")
        await by_key.hears(SALES)
        await waiting.hears(AGAIN, within=25)
        await waiting.hears(WHICH)
        await waiting.send_digit("2")
        await waiting.hears(SUPPORT)
        await asyncio.gather(by_key.ended(), waiting.ended())
        assert {fact.outcome for fact in it.all(f.FlowAnswered)} <= {"failed", "key"}

        await recogniser.start()
        call = await silent(it, "+12025550113")
        await call.hears(WHICH)
        await asyncio.sleep(0.7)
        await say_word(call, "technical support")
        await call.hears(SUPPORT, within=10)


async def test_the_engine_is_killed_while_it_listens() -> None:
    async with center() as (it, _):
        call = await silent(it, "+12025550121")
        await listening(it, call)
        await it.kill_engine()
        await it.start_engine()
        await it.fact(f.FlowAsked, 2)  # it is asked again, for the time that is left
        await call.send_digit("2")
        await call.hears(SUPPORT, within=15)


async def test_one_too_many_uses_keys() -> None:
    async with center(speech={"at_once": 1}) as (it, _):
        first = await silent(it, "+12025550131")
        await listening(it, first)
        second = await silent(it, "+12025550132")
        answered = await it.fact(f.FlowAnswered, outcome="busy")
        assert answered.names == ()
        await second.send_digit("1")
        await second.hears(SALES)
        await first.send_digit("2")
        await first.hears(SUPPORT)
