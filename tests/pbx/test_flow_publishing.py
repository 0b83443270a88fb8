"""Flows are published and rolled back under real calls: every caller hears the version that the call began with."""

import asyncio
import sys

from callcenter.domain import facts as f
from callcenter.sim.sip.call import Call
from callcenter.sim.sip.tones import TonePair, tone_pair
from tests.support.audio import wav
from tests.support.center import RunningCenter, running_center

VERSIONS = 3
DOCUMENT = """\
flow: main
start: greeting
prompts:
  greeting: {file: greeting.wav}
  second: {file: second.wav}
nodes:
  greeting: {type: menu, prompt: greeting, choices: {1: second}, otherwise: second, timeout_s: 120}
  second: {type: prompt, prompt: second, next: end}
  end: {type: hang_up}
"""


def greeting(version: int) -> TonePair:
    return tone_pair(2 * version)


def second(version: int) -> TonePair:
    return tone_pair(2 * version + 1)


async def command(center: RunningCenter, *words: str) -> str:
    """``callcenter flow`` as people type it."""
    arguments = (sys.executable, "-m", "callcenter.apps.cli", "flow", *words, "--config", str(center.file))
    ran = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    said, _ = await ran.communicate()
    assert ran.returncode == 0, said.decode()
    return said.decode()


async def publish(center: RunningCenter, version: int, then: str = "in use for whoever calls from now on") -> None:
    folder = center.file.parent
    (folder / "greeting.wav").write_bytes(wav(*greeting(version), seconds=1.0))
    (folder / "second.wav").write_bytes(wav(*second(version), seconds=2.0))
    (folder / "main.yaml").write_text(DOCUMENT)
    said = await command(center, "publish", str(folder / "main.yaml"), "--note", f"number {version}")
    assert said == f"main: version {version}\n{then}\n"


async def test_callers_hear_the_version_they_began_with_whatever_is_published_meanwhile() -> None:
    async with running_center() as center:
        callers: list[Call] = []
        for version in range(1, VERSIONS + 1):
            await publish(center, version)
            callers.append(await center.call(f"+1202555010{version}"))
            await callers[-1].hears(greeting(version))
        assert f"version {VERSIONS - 1}" in await command(center, "rollback", "main")
        callers.append(await center.call("+12025550109"))
        await callers[-1].hears(greeting(VERSIONS - 1))

        for version, caller in zip([*range(1, VERSIONS + 1), VERSIONS - 1], callers, strict=True):
            await caller.send_digit("1")
            await caller.hears(second(version))
        for caller in callers:
            await caller.ended()
        assert [fact.version for fact in center.all(f.FlowStarted)] == [*range(1, VERSIONS + 1), VERSIONS - 1]
        assert {fact.exit for fact in center.all(f.FlowEnded)} == {"hang_up"}


async def test_an_engine_that_was_killed_knows_both_what_was_published_and_where_callers_are() -> None:
    async with running_center() as center:
        await publish(center, 1)
        caller = await center.call()
        await caller.hears(greeting(1))
        await center.kill_engine()
        await publish(center, 2, "the engine does not run; it takes this up when it starts")
        await center.start_engine()
        later = await center.call("+12025550102")
        await later.hears(greeting(2))
        for version, each in ((1, caller), (2, later)):
            await each.send_digit("1")
            await each.hears(second(version))
            await each.ended()
