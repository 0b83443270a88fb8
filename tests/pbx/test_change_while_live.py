"""The configuration changes under a live call on a real Asterisk, and one command brings the old one back."""

import asyncio
import sys
import tomllib

from callcenter.domain import facts as f
from callcenter.domain.facts import AgentState
from callcenter.runtime import toml_text
from callcenter.runtime.secrets import load_secrets
from callcenter.sim.sip.policy import AnswerAfter
from tests.support.asterisk import MENU_TONES, MUSIC_TONES
from tests.support.center import AGENT_TONES, CALLER_TONE, RunningCenter, running_center


async def command(center: RunningCenter, *words: str) -> tuple[int, str]:
    """``callcenter`` as people run it."""
    arguments = (sys.executable, "-m", "callcenter.apps.cli", *words, "--config", str(center.file))
    ran = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    said, _ = await ran.communicate()
    return ran.returncode or 0, said.decode().strip()


async def test_an_agent_removed_while_talking_finishes_the_call_and_a_rollback_brings_her_back() -> None:
    async with running_center() as center:
        alice = await center.agent("alice", AnswerAfter(0.2))
        caller = await center.call()
        await caller.hears(MENU_TONES, for_s=0.2)
        await caller.send_digit("2")
        at_alice = await alice.incoming()
        await caller.hears(AGENT_TONES["alice"])
        waiting = await center.call("+12025550177")
        await waiting.hears(MENU_TONES, for_s=0.2)
        await waiting.send_digit("2")
        await waiting.hears(MUSIC_TONES)
        endpoint = load_secrets(center.pbx.settings.data).phones["alice"].endpoint

        raw = tomllib.loads(center.file.read_text())
        raw["agent"] = [agent for agent in raw["agent"] if agent["name"] != "alice"]
        raw["queue"][0]["wrap_up_s"] = 1
        toml_text.write(center.file, raw)
        code, said = await command(center, "reload")
        assert code == 0, said

        await caller.hears(AGENT_TONES["alice"], for_s=1.0)
        await at_alice.hears(CALLER_TONE, for_s=1.0)
        await waiting.hears(MUSIC_TONES, for_s=0.5)
        await at_alice.hang_up()
        await caller.ended()
        parted = await center.fact(f.ContactParted)
        assert (parted.agent, parted.why) == ("alice", f.EndedWhy.AGENT_HUNG_UP)
        left = await center.fact(f.AgentStateChanged, agent="alice", state=AgentState.LOGGED_OUT)
        assert left.at >= parted.at

        code, said = await command(center, "config", "rollback")
        assert code == 0, said
        assert said.startswith("version 1 of ")
        assert "restored and taken over" in said
        assert load_secrets(center.pbx.settings.data).phones["alice"].endpoint == endpoint
        await waiting.hears(MUSIC_TONES, for_s=0.5)
        await alice.register()
        await center.ask("agent_login", agent="alice")
        await center.until(lambda: center._ready("alice"))
        await (await alice.incoming()).hears(CALLER_TONE)
        await waiting.hears(AGENT_TONES["alice"])
        code, said = await command(center, "config", "history")
        assert [line.split()[0] for line in said.splitlines()] == ["3", "2", "1"]
        assert "in use" in said.splitlines()[0]
        await waiting.hang_up()


async def test_what_cannot_be_used_is_refused_and_the_calls_go_on() -> None:
    async with running_center() as center:
        alice = await center.agent("alice", AnswerAfter(0.2))
        caller = await center.call()
        await caller.send_digit("2")
        await alice.incoming()
        await caller.hears(AGENT_TONES["alice"])
        good = center.file.read_text()
        raw = tomllib.loads(good)
        raw["agent"][0]["queues"] = ["nowhere"]
        toml_text.write(center.file, raw)
        code, said = await command(center, "reload")
        assert code != 0
        assert "names queue 'nowhere', which does not exist" in said
        code, said = await command(center, "config", "rollback", "1")
        assert code == 0, said
        assert center.file.read_text() == good
        await caller.hears(AGENT_TONES["alice"], for_s=0.5)
        assert center.all(f.ContactParted) == []
        await caller.hang_up()
