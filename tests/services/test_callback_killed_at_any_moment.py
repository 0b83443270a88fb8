"""Our process is killed before the n-th command of a callback, for every n: it is kept, and nobody is dialed twice for one attempt.

Commands that wait when the kill comes are lost with the process, and those before them were carried out.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.domain import facts as f
from callcenter.domain.config import CallbackConfig, CallingConfig, CenterConfig, QueueConfig
from callcenter.domain.facts import callbacks as cf
from callcenter.sim.world import small_center
from tests.services.test_killed_at_any_moment import KilledBefore, kill_then, soon
from tests.support.virtual import VirtualCenter, in_virtual_time

ANN = "+12025550101"
CALLBACK = CallbackConfig(attempts=3, retry_after=timedelta(seconds=5))
COMMANDS = 16
"""More than the story below needs without a kill."""


def center_of(callback: CallbackConfig) -> CenterConfig:
    return replace(small_center([QueueConfig("support", callback=callback)], ("alice",)), calling=CallingConfig("carrier"))


async def is_kept(center: VirtualCenter, number: int) -> None:
    moment = KilledBefore(number)
    center.wire.stuck = moment.stops
    killer = asyncio.create_task(kill_then(center, moment), name="killer")
    caller = center.calls(caller=ANN)
    while not center.kept(cf.CallbackCreated):
        center.pbx.party_presses(caller, "1")  # as callers do when nothing happens
        await center.pass_time(1)
    await soon(lambda: "callback-promised" in center.pbx.channels[caller].heard if caller in center.pbx.channels else True)
    center.pbx.party_hangs_up(caller)
    await center.pass_time(1)
    await soon(lambda: center.pbx.listening)
    await center.agent_ready("alice")
    await soon(lambda: {len(members) for members in center.pbx.bridges.values()} == {2})
    await center.pass_time(5)
    (leg,) = (channel.id for channel in center.pbx.channels.values() if channel.number == ANN)
    assert center.talking() == {"alice": leg}
    center.pbx.party_hangs_up(leg)
    await center.pass_time(60)
    killer.cancel()
    assert [fact.how for fact in center.kept(cf.CallbackKept)] == [cf.KeptHow.BRIDGED]
    attempted = [fact.leg for fact in center.kept(cf.CallbackAttempted)]
    dialed = [dial.leg for dial in center.pbx.dialed]
    assert len(set(dialed)) == len(dialed)
    assert set(dialed) <= set(attempted)
    assert len(attempted) <= 2  # the one that the kill cost, and the one that was kept
    assert len(center.kept(cf.CallbackUnreached)) == len(attempted) - 1
    assert not center.pbx.channels
    assert not center.pbx.bridges
    assert center.engine.center.state.callbacks.open == {}
    assert center.agent("alice").state is f.AgentState.READY


@pytest.mark.parametrize("number", range(1, COMMANDS + 1))
@in_virtual_time(config=center_of(CALLBACK), seeds=(None, 1))
async def test_agent_first(center: VirtualCenter, number: int) -> None:
    await is_kept(center, number)


@pytest.mark.parametrize("number", range(1, COMMANDS + 1))
@in_virtual_time(config=center_of(replace(CALLBACK, agent_first=False)), seeds=(None, 1))
async def test_caller_first(center: VirtualCenter, number: int) -> None:
    await is_kept(center, number)
