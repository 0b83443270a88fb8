"""Supervisors on a real Asterisk: who hears whom in every mode, by distinct tones, asked for at a screen and by the keys of a phone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from callcenter.domain import facts as f
from callcenter.domain.facts import SupervisionMode
from callcenter.sim.sip.call import Call
from callcenter.sim.sip.phone import Phone
from callcenter.sim.sip.policy import AnswerAfter
from callcenter.sim.sip.tones import TonePair, tone_pair
from tests.support.asterisk import PROMPT_TONES
from tests.support.center import AGENT_TONES, CALLER_TONE, RunningCenter, running_center

AGENT_TONES |= {"sam": tone_pair(42), "tess": tone_pair(23)}
LISTEN, WHISPER, BARGE, TAKE_OVER = SupervisionMode
CONFIRMED = {LISTEN: "you-listen", WHISPER: "you-whisper", BARGE: "you-are-in-the-call", TAKE_OVER: "the-caller-is-yours"}
KEYS = {LISTEN: "4", WHISPER: "5", BARGE: "6", TAKE_OVER: "7"}
HEARD: dict[SupervisionMode, dict[str, set[str]]] = {
    LISTEN: {"caller": {"alice"}, "alice": {"caller"}, "sam": {"caller", "alice"}},
    WHISPER: {"caller": {"alice"}, "alice": {"caller", "sam"}, "sam": {"caller", "alice"}},
    BARGE: {"caller": {"alice", "sam"}, "alice": {"caller", "sam"}, "sam": {"caller", "alice"}},
    TAKE_OVER: {"caller": {"sam"}, "sam": {"caller"}},
}
TONES: dict[str, TonePair] = {"caller": CALLER_TONE, **AGENT_TONES}
PEOPLE = [
    {"name": "alice", "queues": ["support"], "extension": "2001"},
    {"name": "bob", "queues": ["support"], "extension": "2002"},
    {"name": "sam"},
    {"name": "tess"},
]
SUPERVISORS = [{"name": "sam", "queues": ["support"]}, {"name": "tess", "queues": ["*"]}]


@dataclass
class Floor:
    """alice talks to a caller, and sam's phone is there."""

    center: RunningCenter
    phones: dict[str, Phone]
    calls: dict[str, Call] = field(default_factory=dict)

    async def alice_talks(self) -> None:
        self.calls["caller"] = caller = await self.center.call()
        await caller.send_digit("2")
        self.calls["alice"] = await self.phones["alice"].incoming(20)
        await caller.hears(TONES["alice"])
        await self.calls["alice"].hears(CALLER_TONE)

    async def begins(self, mode: SupervisionMode, supervisor: str = "sam", **more: Any) -> None:
        await self.center.ask("supervise_begin", supervisor=supervisor, agent="alice", mode=str(mode), reason="coaching", by="boss", **more)
        self.calls[supervisor] = await (await self.phones[supervisor].incoming(10)).answered()

    async def dials(self, code: str, supervisor: str = "sam") -> None:
        self.calls[supervisor] = await self.phones[supervisor].invite(code)

    async def switches(self, mode: SupervisionMode) -> None:
        await self.center.ask("supervise_switch", supervisor="sam", mode=str(mode), by="boss")

    async def confirmed(self, mode: SupervisionMode) -> None:
        await self.calls["sam"].hears(PROMPT_TONES[CONFIRMED[mode]], for_s=0.3)

    async def proves(self, heard: dict[str, set[str]], for_s: float = 0.7) -> None:
        """Each hears whom it should for so long, and from then on not a moment of anybody else."""
        for party, others in heard.items():
            for other in sorted(others):
                await self.calls[party].hears(TONES[other], for_s=0.3)
        since = {party: _now_at(self.calls[party]) for party in heard}
        await asyncio.sleep(for_s)
        for party, others in heard.items():
            strangers = {name: pair for name, pair in TONES.items() if name not in others and name != party}
            tones = self.calls[party].heard_tones(*strangers.values(), at_least=0.2)
            found = {tone.pair for tone in tones if tone.end_s > since[party] + 0.3}
            assert [name for name, pair in strangers.items() if pair in found] == [], party

    async def nothing_left(self, channels: int = 2, bridges: int = 1) -> None:
        pbx = self.center.pbx
        await self.center.until(lambda: f"\n{channels} active channels" in "\n" + pbx.cli("core show channels count"))
        await self.center.until(lambda: len(pbx.cli("bridge show all").splitlines()) == 1 + bridges)


def _now_at(call: Call) -> float:
    return asyncio.get_running_loop().time() - call.began_at


@asynccontextmanager
async def floor(**queue: Any) -> AsyncIterator[Floor]:
    queues = [{"name": "support", "music": "tones", "wrap_up_s": 1, **queue}]
    async with running_center(agent=PEOPLE, supervisor=SUPERVISORS, queue=queues) as center:
        phones = {"alice": await center.agent("alice", AnswerAfter(0.2))}
        for name in ("sam", "tess"):
            phones[name] = await center.phone(name, AnswerAfter(0.2))
        it = Floor(center, phones)
        await it.alice_talks()
        yield it
        for call in it.calls.values():
            if call.is_up:
                await call.hang_up()
        await it.nothing_left(0, 0)


async def test_listen_whisper_barge_take_over_from_a_screen_and_by_phone() -> None:
    async with floor() as it:
        await it.begins(LISTEN)
        await it.confirmed(LISTEN)
        await it.proves(HEARD[LISTEN])
        await it.switches(WHISPER)
        await it.proves(HEARD[WHISPER])
        await it.switches(BARGE)
        await it.proves(HEARD[BARGE])
        await it.center.ask("supervise_end", supervisor="sam")
        await it.calls["sam"].ended()
        await it.proves({"caller": {"alice"}, "alice": {"caller"}}, 0.4)
        await it.nothing_left()

        await it.dials("*452001")
        await it.confirmed(WHISPER)
        await it.proves(HEARD[WHISPER])
        await it.calls["sam"].send_digit("7")
        await it.confirmed(TAKE_OVER)
        await it.calls["alice"].ended()
        await it.proves(HEARD[TAKE_OVER])
        assert [contact.agent for contact in it.center.all(f.ContactConnected)] == ["alice", "sam"]
        assert [turned.by for turned in it.center.all(f.SupervisionTurned)][:3] == ["", "boss", "boss"]
