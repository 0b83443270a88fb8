"""Our process is killed before the n-th command of a call is carried out, for every n: nobody on the phone may be left behind."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.commands import Command
from callcenter.domain.ivr.flow import Flow, MenuNode, QueueNode
from callcenter.sim.world import small_center
from tests.support.virtual import VirtualCenter, in_virtual_time

MENU = Flow(
    "menu",
    "ask",
    {"ask": MenuNode("press-1", {"1": "q"}, otherwise="ask", timeout=timedelta(seconds=5), tries=3), "q": QueueNode("support")},
)
CONFIG = small_center(flows=[MENU])
COMMANDS = 14
"""More than the story below needs without a kill; killed later than its last command it simply ends."""


async def soon(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.01)


class KilledBefore:
    """Holds up the n-th command and all after it, and says when the moment has come."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.seen = 0
        self.now = asyncio.Event()

    def stops(self, command: Command) -> bool:
        self.seen += 1
        if self.seen >= self.number:
            self.now.set()
        return self.now.is_set()


async def kill_then(center: VirtualCenter, moment: KilledBefore) -> None:
    await moment.now.wait()
    await center.kill(spare=("story", "killer"))
    center.wire.stuck = lambda command: False
    await center.pass_time(1)
    await center.start()


@pytest.mark.parametrize("number", range(1, COMMANDS + 1))
@in_virtual_time(config=CONFIG)
async def test_a_call_goes_on(center: VirtualCenter, number: int) -> None:
    await center.agent_ready("alice")
    moment = KilledBefore(number)
    center.wire.stuck = moment.stops
    killer = asyncio.create_task(kill_then(center, moment), name="killer")
    caller = center.calls("+18005550200")
    channel = center.pbx.channels[caller]
    await soon(lambda: channel.heard[-1:] == ["press-1"] and center.pbx.listening)
    while not center.waiting() and not center.talking() and not center.together():
        center.pbx.party_presses(caller, "1")  # as callers do when nothing happens
        await center.pass_time(1.5)
    await soon(lambda: center.together() == {frozenset((caller, "phone-of-alice"))} and len(center.pbx.recordings) == 1)
    await center.pass_time(5)
    assert center.talking() == {"alice": caller}
    assert channel.up
    assert not channel.music
    assert list(center.pbx.recordings.values()) == [caller]
    center.pbx.party_hangs_up(caller)
    await center.pass_time(30)
    killer.cancel()
    assert center.agent("alice").state is f.AgentState.READY
    assert not center.pbx.channels
    assert not center.pbx.bridges
    assert [len(center.kept(kind)) for kind in (f.CallBegan, f.ContactConnected, f.ContactEnded, f.CallEnded)] == [1, 1, 1, 1]


@pytest.mark.parametrize("number", range(1, 16))
@in_virtual_time
async def test_a_consult_and_its_completion_go_on(center: VirtualCenter, number: int) -> None:
    """Whoever was to be rung when we were killed is not consulted; else the consult goes on, and can be completed."""
    await center.agent_ready("alice")
    caller = center.calls()
    await center.pass_time(4)
    await center.agent_ready("bob")
    moment = KilledBefore(number)
    center.wire.stuck = moment.stops
    killer = asyncio.create_task(kill_then(center, moment), name="killer")
    assert await center.engine.request(e.ConsultRequested("alice", colleague="bob")) is None
    await center.pass_time(8)
    alice_and = {frozenset((caller, "phone-of-alice")), frozenset(("phone-of-alice", "phone-of-bob"))}
    assert len(alice_and & center.together()) == 1
    consulting = frozenset(("phone-of-alice", "phone-of-bob")) in center.together()
    assert bool(center.pbx.channels[caller].music) is consulting
    assert await center.engine.request(e.CompleteRequested("alice")) == (None if consulting else "alice is not consulting anybody")
    await center.pass_time(8)
    assert center.together() == {frozenset((caller, "phone-of-bob" if consulting else "phone-of-alice"))}
    assert not center.pbx.channels[caller].music
    assert list(center.pbx.recordings.values()) == [caller]
    center.pbx.party_hangs_up(caller)
    await center.pass_time(30)
    killer.cancel()
    assert not center.pbx.channels
    assert not center.pbx.bridges
    entered, *ended = (len(center.kept(kind)) for kind in (f.ContactEntered, f.ContactConnected, f.ContactOverflowed))
    assert entered == sum(ended) == 2
