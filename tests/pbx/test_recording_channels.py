"""Who is on which channel of a recording, whatever has happened meanwhile: the caller left, what the caller hears right.

Everybody says another tone in each phase of the talk, both from the same moment on, so the file shows which phases are in it, on which
side, and whether the two sides are still together. RTP may begin to count anywhere: both orders are tried.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from callcenter.domain import facts as f
from callcenter.services.recordings import Unfinished, finish
from callcenter.sim.sip.call import Call
from callcenter.sim.sip.phone import Phone
from callcenter.sim.sip.policy import AnswerAfter
from callcenter.sim.sip.tones import TonePair
from tests.support.asterisk import DID, MUSIC_TONES, PROMPT_TONES
from tests.support.center import AGENT_TONES, RunningCenter, running_center
from tests.support.recorded import Recorded, recorded

pytestmark = pytest.mark.pbx

_FREQUENCIES = [float(hertz) for hertz in range(550, 3300, 50)]
NAMES = [f"{party}{phase}" for phase in range(1, 8) for party in ("caller", "alice", "bob")]
TONES: dict[str, TonePair] = {name: (_FREQUENCIES[n], _FREQUENCIES[n + len(NAMES)]) for n, name in enumerate(NAMES)}
"""No frequency twice, each a whole number of times in a window."""
HEARD = {**TONES, "music": MUSIC_TONES}
LOW, HIGH = 20, 40_000
"""Numbers of first RTP packets; neither comes to 65,535 while a test lasts."""
ORDERS = pytest.mark.parametrize("counts", [{"alice": HIGH, "bob": LOW}, {"alice": LOW, "bob": HIGH}], ids=["bob lower", "alice lower"])
IN_STEP = 0.45
"""Seconds by which the two sides of a file may differ: a window each, and what Asterisk waits for."""
PAY = {
    "main": {"start": "support", "node": {"support": {"type": "queue", "queue": "support"}}},
    "pay": {
        "start": "card",
        "node": {
            "card": {"type": "collect", "prompt": "enter-code", "attribute": "card", "secret": True, "next": "back", "otherwise": "back"},
            "back": {"type": "return"},
        },
    },
}


@dataclass
class Talk:
    """A caller, and who talks to them."""

    center: RunningCenter
    counts: dict[str, int]
    phones: dict[str, Phone] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    phase: int = 0

    async def agent_comes(self, name: str) -> None:
        self.phones[name] = await self.center.agent(name, AnswerAfter(0.2), first_sequence=self.counts[name])

    async def caller_comes(self) -> None:
        carrier = await Phone.start("carrier-end", server=("127.0.0.1", self.center.pbx.sip_port))
        phone = await self.center.stack.enter_async_context(carrier)
        call = await phone.invite(DID, caller_id="+12025550123")
        self.calls["caller"] = await call.answered()

    async def takes(self, agent: str) -> None:
        self.calls[agent] = await (await self.phones[agent].incoming(20)).answered()

    async def speak(self, *agents: str, for_s: float = 1.2) -> None:
        """The next phase: the caller and these agents say something new, and hear it of each other."""
        self.phase += 1
        parties = ("caller", *agents)
        for party in parties:
            self.calls[party].play(TONES[f"{party}{self.phase}"])
        pairs = [(one, other) for one in parties for other in parties if one != other]
        await asyncio.gather(*(self.calls[one].hears(TONES[f"{other}{self.phase}"], for_s=for_s) for one, other in pairs))

    async def on_hold(self) -> None:
        """The caller says something that nobody should hear, and hears music."""
        self.phase += 1
        self.calls["caller"].play(TONES[f"caller{self.phase}"])
        await self.calls["caller"].hears(MUSIC_TONES, for_s=1.2)

    async def file(self, number: int = 1) -> Recorded:
        """The ``number``-th recording, finished as the books do it: with the length that the facts tell, and nothing lost at its end."""
        started = await self.center.fact(f.RecordingStarted, number)
        stopped = await self.center.fact(f.RecordingStopped, number)
        assert stopped.recording == started.recording
        folders = {started.node: self.center.pbx.node.recordings}
        unfinished = Unfinished(started.recording, started.node, stopped.at)
        async with asyncio.timeout(20):
            while (done := finish(folders, unfinished, datetime.now(UTC))) is None:
                await asyncio.sleep(0.1)
        assert done.file is not None, done
        found = recorded(folders[started.node] / done.file, HEARD)
        assert abs(found.seconds - (stopped.at - started.at).total_seconds()) < 0.5
        for side in (found.left, found.right):
            assert side.ends() < 0.5
        return found


@asynccontextmanager
async def talk(counts: dict[str, int], leg: str = "ring") -> AsyncIterator[Talk]:
    """alice talks to a caller."""
    agents = [*({"name": name, "queues": ["support"], "leg": leg} for name in ("alice", "bob")), {"name": "carol"}]
    queue = [{"name": "support", "music": "tones", "wrap_up_s": 0, "supervision": "both"}]
    supervisors = [{"name": "carol", "queues": ["support"]}]
    payments = {"flow": PAY, "payments": {"flows": ["pay"]}}
    async with running_center(agent=agents, queue=queue, supervisor=supervisors, **payments) as center:
        it = Talk(center, counts)
        await it.agent_comes("alice")
        await it.caller_comes()
        await it.takes("alice")
        await it.speak("alice")
        yield it
        for call in it.calls.values():
            if call.is_up:
                await call.hang_up()


def callers(*phases: int) -> list[str]:
    return [f"caller{phase}" for phase in phases]


def in_step(file: Recorded, *phases: int, agent: str = "alice") -> bool:
    """Whether the two sides of the file tell of the same moments."""
    return all(abs(file.left.begins(f"caller{phase}") - file.right.begins(f"{agent}{phase}")) < IN_STEP for phase in phases)


@pytest.mark.parametrize("counts", [{"alice": LOW}, pytest.param({"alice": HIGH}, marks=pytest.mark.long)], ids=["low", "high"])
async def test_after_the_agents_hold_key(counts: dict[str, int]) -> None:
    async with talk(counts) as it:
        for _ in range(2):
            await it.calls["alice"].hold()
            await it.on_hold()
            await it.calls["alice"].resume()
            await it.speak("alice")
        await it.calls["caller"].hang_up()
        file = await it.file()
    assert file.left.names() == callers(1, 2, 3, 4, 5)
    assert file.right.names() == ["alice1", "music", "alice3", "alice5"]
    assert in_step(file, 1, 3, 5)


@pytest.mark.long
@ORDERS
async def test_after_a_consult_a_swap_a_conference_and_for_who_has_the_caller_then(counts: dict[str, int]) -> None:
    async with talk(counts) as it:
        await it.agent_comes("bob")
        await it.center.ask("agent_consult", agent="alice", colleague="bob")
        await it.takes("bob")
        await it.on_hold()
        await it.center.ask("agent_swap", agent="alice")
        await it.speak("alice")
        await it.center.ask("agent_cancel", agent="alice")
        await it.calls["bob"].ended()
        await it.speak("alice")
        await it.center.until(lambda: it.center.all(f.AgentStateChanged, agent="bob")[-1].state == "ready")
        await it.center.ask("agent_consult", agent="alice", colleague="bob")
        await it.takes("bob")
        await it.calls["bob"].hears(TONES["alice4"])
        await it.center.ask("agent_conference", agent="alice")
        await it.speak("alice", "bob")
        await it.center.ask("agent_complete", agent="alice")
        await it.calls["alice"].ended()
        await it.speak("bob")
        await it.calls["caller"].hang_up()
        first, second = await it.file(1), await it.file(2)
    assert first.left.names() == callers(1, 2, 3, 4, 5)
    assert first.right.names() == ["alice1", "music", "alice3", "alice4", "alice5", "bob5"]
    assert in_step(first, 1, 3, 4, 5)
    assert second.left.names()[-1] == "caller6"
    assert second.right.names()[-1] == "bob6"
    assert in_step(second, 6, agent="bob")


@pytest.mark.long
@ORDERS
async def test_after_a_transfer_to_a_colleague(counts: dict[str, int]) -> None:
    async with talk(counts) as it:
        await it.agent_comes("bob")
        await it.center.ask("agent_transfer", agent="alice", colleague="bob")
        await it.takes("bob")
        await it.speak("bob")
        await it.calls["bob"].hold()
        await it.on_hold()
        await it.calls["bob"].resume()
        await it.speak("bob")
        await it.calls["caller"].hang_up()
        first, second = await it.file(1), await it.file(2)
    assert (first.left.names(), first.right.names()) == (callers(1), ["alice1"])
    assert second.left.names()[-3:] == callers(2, 3, 4)
    assert second.right.names()[-3:] == ["bob2", "music", "bob4"]
    assert in_step(second, 2, 4, agent="bob")


@pytest.mark.long
@ORDERS
async def test_after_a_kill_of_the_engine(counts: dict[str, int]) -> None:
    async with talk(counts) as it:
        await it.center.kill_engine()
        await it.speak("alice")
        await it.center.start_engine()
        await it.speak("alice")
        await it.calls["alice"].hold()
        await it.on_hold()
        await it.calls["alice"].resume()
        await it.speak("alice")
        await it.calls["caller"].hang_up()
        file = await it.file()
    assert file.left.names() == callers(1, 2, 3, 4, 5)
    assert file.right.names() == ["alice1", "alice2", "alice3", "music", "alice5"]
    assert in_step(file, 1, 2, 3, 5)


@pytest.mark.long
async def test_after_a_payment_of_which_nothing_is_in_it() -> None:
    async with talk({"alice": LOW}) as it:
        await it.center.ask("agent_payment_begin", agent="alice")
        await it.calls["caller"].hears(PROMPT_TONES["enter-code"], for_s=0.3)
        it.phase += 1
        it.calls["caller"].play(TONES[f"caller{it.phase}"])
        await it.calls["caller"].send_digits("4111")
        it.calls["caller"].play(None)
        await it.calls["caller"].send_digit("#")
        await it.calls["caller"].hears(TONES["alice1"])
        await it.speak("alice")
        await it.calls["caller"].hang_up()
        first, second = await it.file(1), await it.file(2)
    assert (first.left.names(), first.right.names()) == (callers(1), ["alice1"])
    assert (second.left.names(), second.right.names()[-1:]) == (callers(3), ["alice3"])
    assert in_step(second, 3)


@pytest.mark.long
async def test_of_each_contact_on_a_leg_that_stays_up() -> None:
    async with talk({"alice": HIGH}, leg="persistent") as it:
        await it.calls["caller"].hang_up()
        await it.center.fact(f.ContactEnded)
        await it.caller_comes()
        await it.calls["caller"].hears(TONES["alice1"])
        await it.speak("alice")
        await it.calls["caller"].hang_up()
        await it.center.ask("agent_logout", agent="alice")
        await it.calls["alice"].ended()
        first, second = await it.file(1), await it.file(2)
    assert (first.left.names(), first.right.names()) == (callers(1), ["alice1"])
    assert (second.left.names(), second.right.names()[-1:]) == (callers(2), ["alice2"])
    assert in_step(second, 2)


@pytest.mark.long
@ORDERS
async def test_while_a_supervisor_joins_and_after_it(counts: dict[str, int]) -> None:
    async with talk(counts) as it:
        phone = await it.center.phone("carol", AnswerAfter(0.2), first_sequence=counts["bob"])
        await it.center.ask("supervise_begin", supervisor="carol", agent="alice", mode="barge", by="boss")
        supervisor = await (await phone.incoming(10)).answered()
        await it.calls["caller"].hears(AGENT_TONES["carol"])
        await it.speak("alice")
        await it.center.ask("supervise_end", supervisor="carol")
        await supervisor.ended()
        await it.speak("alice")
        await it.calls["caller"].hang_up()
        file = await it.file()
    assert file.left.names() == callers(1, 2, 3)
    assert [name for name in file.right.names() if name.startswith("alice")] == ["alice1", "alice2", "alice3"]
    assert in_step(file, 1, 2, 3)
