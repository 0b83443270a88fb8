"""Calls that we begin: a real Asterisk dials a number outside through a trunk, and a SIP test phone plays the carrier's end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from callcenter.domain import commands as c
from callcenter.domain import events as e
from callcenter.services.ports import CommandError
from callcenter.sim.sip.phone import Phone
from callcenter.sim.sip.policy import AnswerAfter, Busy, Reject, RingForever
from tests.support.asterisk import MUSIC_TONES, asterisk_node, raw_settings, short_folder
from tests.support.telephony import CALLER_TONES, Engine, engine

SHOWN, NUMBER = "+18005550100", "+12025550177"
CARRIER = "127.0.0.2"
"""An address of its own, so that the trunk's carrier is told apart from the phones."""


@asynccontextmanager
async def outside() -> AsyncIterator[tuple[Engine, Phone]]:
    """An engine's telephony, and the carrier's end of the trunk."""
    with short_folder() as folder:
        async with await Phone.start("carrier", local_host=CARRIER, tone=CALLER_TONES, on_invite=AnswerAfter(0.2)) as carrier:
            trunk = {"name": "far", "authentication": "address", "addresses": [CARRIER], "host": CARRIER, "port": carrier.address[1]}
            async with asterisk_node(raw_settings(folder, trunk=[trunk])) as pbx, engine(pbx) as it:
                yield it, carrier


async def dial(it: Engine, ring_s: float = 10.0, number: str = NUMBER, leg: str = "") -> str:
    leg = leg or it.ids.draw_leg(it.node)
    await it.run(c.Dial, leg, number, "far", SHOWN, timedelta(seconds=ring_s))
    return leg


async def test_a_number_outside_is_dialed_once_answers_and_hears_us() -> None:
    async with outside() as (it, carrier):
        leg = await dial(it)
        await dial(it, leg=leg)  # the same leg again rings nobody twice
        await it.wait_for(e.LegRang, leg)
        await it.wait_for(e.LegAnswered, leg)
        call = await carrier.incoming()
        assert call.dialed == NUMBER
        assert f"<sip:{SHOWN}@" in call.invite.need("From")
        seen = (await it.telephony.snapshot(it.node, ())).legs[leg]
        assert (seen.ours, seen.up, seen.arrival, seen.endpoint) == (True, True, None, "far")
        await it.run(c.StartMusic, leg, "tones")
        await call.hears(MUSIC_TONES)
        await call.send_digit("1")
        assert (await it.wait_for(e.DigitPressed, leg)).digit == "1"
        assert len(carrier.calls) == 1
        await call.hang_up()
        assert (await it.wait_for(e.LegEnded, leg)).cause is e.Cause.NORMAL


async def test_how_attempts_end_that_reach_nobody() -> None:
    async with outside() as (it, carrier):
        for policy, cause in (
            (Busy(), e.Cause.BUSY),
            (Reject(603, 0.1), e.Cause.REJECTED),
            (Reject(404), e.Cause.INVALID_NUMBER),
            (Reject(503), e.Cause.CONGESTION),
            (RingForever(), e.Cause.NO_ANSWER),
        ):
            carrier.on_invite = policy
            leg = await dial(it, ring_s=1)
            assert (await it.wait_for(e.LegEnded, leg)).cause is cause, policy


async def test_only_numbers_in_e164_are_dialed() -> None:
    async with outside() as (it, carrier):
        for number in ("911", "500&Local/x@y", "+1@evil", "+12025550177@evil", "${EXTEN}", "", "+12025550177\n", "+1202555017712345"):
            with pytest.raises(CommandError, match=r"E\.164"):
                await dial(it, number=number)
        assert carrier.calls == []
