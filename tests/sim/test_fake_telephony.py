"""The connection to a node that is not there fails in the ways of a real one, and in no others."""

import asyncio

from callcenter.domain.events import Event, LegArrived, LegEnded
from callcenter.sim.fake_pbx import FakePbx
from callcenter.sim.fake_telephony import FakeTelephony, Wire
from callcenter.sim.processes import Process, ProcessLoop
from callcenter.sim.virtual_loop import LoopTimeline


def test_the_events_of_a_leg_stay_in_their_order_when_we_are_frozen_while_the_first_is_on_its_way() -> None:
    loop = ProcessLoop()
    heard: list[Event] = []
    process = Process("engine")

    async def caught_up(node: str) -> None:
        pass

    async def engine(wire: Wire) -> FakeTelephony:
        telephony = FakeTelephony({"node1": wire}, heard.append, caught_up)
        await telephony.start()
        return telephony

    async def live() -> str:
        pbx = FakePbx("node1", LoopTimeline(loop), lambda event: None)
        wire = Wire(pbx, lags=lambda event: (0.2, 0.2) if isinstance(event, LegArrived) else (0.0,))
        telephony = await process.spawn(engine(wire))
        await asyncio.sleep(1)
        leg = pbx.call_in("+18005550100")
        process.freeze()
        await asyncio.sleep(1)
        pbx.party_hangs_up(leg)
        process.thaw()
        await asyncio.sleep(1)
        await telephony.close()
        return leg

    asyncio.set_event_loop(loop)
    try:
        leg = loop.run_until_complete(live())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    assert [type(event) for event in heard if getattr(event, "leg", "") == leg] == [LegArrived, LegArrived, LegEnded]
