"""A recogniser hears a caller on a real Asterisk, while the caller hears prompts; nothing of it stays behind."""

import asyncio
from array import array
from contextlib import aclosing

import aiohttp
import pytest

from callcenter.adapters.speech.asterisk_media import frames
from callcenter.domain import commands as c
from callcenter.domain import events as e
from callcenter.services.ports import CommandError, RecogniserError
from callcenter.sim.sip.tones import goertzel
from tests.support.asterisk import WELCOME_TONES, Pbx, asterisk_node
from tests.support.telephony import CALLER_TONES, Engine, arrive, caller, engine

pytestmark = pytest.mark.pbx


async def only(it: Engine, *legs: str) -> None:
    """The node holds these legs, and no bridge."""
    async with asyncio.timeout(5):
        while True:
            told = await it.telephony._node(it.node).client.request("GET", "channels")
            bridges = await it.telephony._node(it.node).client.request("GET", "bridges")
            if {each["id"] for each in told.json()} == set(legs) and bridges.json() == []:  # type: ignore[attr-defined]
                return
            await asyncio.sleep(0.05)


async def listen(url: str, count: int) -> array:  # type: ignore[type-arg]
    heard = array("h")
    async with aiohttp.ClientSession() as http, aclosing(frames(http, url)) as audio:
        async for frame in audio:
            heard.frombytes(frame)
            if len(heard) > count:
                break
    return heard


@pytest.mark.parametrize("rate", [8000, 16000])
async def test_what_the_caller_says_is_heard_and_the_prompt_is_not(rate: int) -> None:
    async with asterisk_node() as pbx, engine(pbx) as it, caller(pbx) as ann:
        call, leg = await arrive(it, ann)
        ear = await it.telephony.open_ear(it.node, leg, rate)
        await it.run(c.Play, leg, "p1", ("welcome", "welcome", "welcome"))
        heard, _ = await asyncio.gather(listen(ear.url, rate), call.hears(WELCOME_TONES))
        scale = 8000 / rate
        loud = [goertzel(list(heard[-rate // 2 :]), frequency * scale) for frequency in (*CALLER_TONES, *WELCOME_TONES)]
        assert min(loud[:2]) > 20 * max(loud[2:]), loud
        assert not [event for event in it.events if isinstance(event, e.LegArrived | e.LegEnded) and event.leg != leg]
        await it.telephony.close_ear(ear)
        await only(it, leg)
        await it.run(c.HangUp, leg)


async def test_nothing_stays_behind(pbx_and_engine: tuple[Pbx, Engine]) -> None:
    _, it = pbx_and_engine
    async with caller(it.pbx) as ann:
        call, leg = await arrive(it, ann)
        never_fetched = await it.telephony.open_ear(it.node, leg, 8000)
        snapshot = await it.telephony.snapshot(it.node, ())
        assert set(snapshot.legs) == {leg}, "what we hold is nobody's stray"
        assert snapshot.bridges == {}
        await it.telephony.close_ear(never_fetched)
        await only(it, leg)
        with pytest.raises(RecogniserError):
            await listen(never_fetched.url, 1)

        ear = await it.telephony.open_ear(it.node, leg, 8000)
        listening = asyncio.create_task(listen(ear.url, 80_000))
        await call.hang_up()
        await it.wait_for(e.LegEnded, leg)
        await it.telephony.close_ear(ear)
        await listening
        await only(it)
        with pytest.raises(CommandError):
            await it.telephony.open_ear(it.node, leg, 8000)
        await only(it)


async def test_what_a_killed_engine_left_is_known_as_ours(pbx_and_engine: tuple[Pbx, Engine]) -> None:
    pbx, it = pbx_and_engine
    async with caller(pbx) as ann:
        _, leg = await arrive(it, ann)
        ear = await it.telephony.open_ear(it.node, leg, 8000)
        listening = asyncio.create_task(listen(ear.url, 800_000))
        await it.telephony.close()
        async with engine(pbx) as successor:
            seen = await successor.telephony.snapshot(it.node, ())
            strays = {name for name, each in seen.legs.items() if each.ours and each.arrival is None}
            assert {ear.snoop, ear.media} <= strays | {ear.media}
            assert ear.bridge in seen.bridges
            for stray in strays:
                await successor.telephony.release(it.node, stray)
            await successor.telephony.destroy_bridge(it.node, ear.bridge)
            await listening
            await only(successor, leg)
            await successor.run(c.HangUp, leg)


@pytest.fixture
async def pbx_and_engine():  # type: ignore[no-untyped-def]
    async with asterisk_node() as pbx, engine(pbx) as it:
        yield pbx, it
