"""Callbacks with real phones: asked for in the queue, called through a real SIP trunk, heard on both ends; over restarts of the engine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from callcenter.domain import facts as f
from callcenter.domain.facts import callbacks as cf
from callcenter.sim.sip.call import Call
from callcenter.sim.sip.phone import Phone
from callcenter.sim.sip.policy import AnswerAfter, Busy, RingForever
from callcenter.sim.sip.tones import tone_pair
from tests.support.asterisk import DID, raw_settings, short_folder
from tests.support.center import AGENT_TONES, RunningCenter, running_center

CARRIER = "127.0.0.2"
ANN, ANN_TONE = "+12025550101", tone_pair(74)
PROMISED_TONES, GREETING_TONES = (880.0, 1080.0), (900.0, 1140.0)


@asynccontextmanager
async def center_with_callbacks(**callback: Any) -> AsyncIterator[tuple[RunningCenter, Phone]]:
    """A center whose trunk leads to a phone, which is everybody outside: it calls us, and is called."""
    async with await Phone.start("carrier", local_host=CARRIER, tone=ANN_TONE, on_invite=AnswerAfter(0.5)) as outside:
        trunk = {"name": "carrier", "authentication": "address", "addresses": [CARRIER], "host": CARRIER, "port": outside.address[1]}
        with short_folder() as folder:
            prompts = raw_settings(folder)["prompt"]
        prompts += [
            {"id": "callback-promised", "source": "tone:880+1080:1"},
            {"id": "callback-greeting", "source": "tone:900+1140:1"},
            {"id": "callback-to-agent", "source": "tone:920+1180:0.3"},
        ]
        queue = {"name": "support", "music": "tones", "wrap_up_s": 1, "callback": {"retry_after_s": 1, **callback}}
        async with running_center(trunk=[trunk], calling={"trunk": "carrier"}, queue=[queue], prompt=prompts) as center:
            yield center, outside


async def takes_a_callback(center: RunningCenter, outside: Phone) -> cf.CallbackCreated:
    """Ann calls, waits, presses the key, hears that it is promised, and hangs up."""
    call = await outside.invite(f"sip:{DID}@127.0.0.1:{center.pbx.sip_port}", caller_id=ANN)
    await call.answered()
    await center.fact(f.ContactEntered)
    await call.send_digit("1")
    created = await center.fact(cf.CallbackCreated)
    await call.hears(PROMISED_TONES)
    await call.ended()  # we hang up when it has been said
    return created


async def talk(center: RunningCenter, agent: Phone, at_ann: Call) -> None:
    """Both hear each other; then Ann hangs up."""
    await at_ann.answered()
    at_agent = await agent.incoming()
    await asyncio.gather(at_ann.hears(AGENT_TONES["alice"]), at_agent.hears(ANN_TONE))
    await at_ann.hang_up()
    await center.fact(f.ContactEnded)


@pytest.mark.parametrize("first", ["agent", "caller"])
async def test_a_caller_presses_the_key_hangs_up_is_called_back_once_and_talks(first: str) -> None:
    async with center_with_callbacks(first=first) as (center, outside):
        created = await takes_a_callback(center, outside)
        assert created.number == ANN
        assert (await center.fact(f.ContactOverflowed)).why is f.OverflowWhy.CALLBACK_TAKEN
        alice = await center.agent("alice", AnswerAfter(0.5))
        at_ann = await outside.incoming()
        assert at_ann.dialed == ANN
        assert f"<sip:{DID}@" in at_ann.invite.need("From")
        if first == "caller":
            await at_ann.answered()
            await at_ann.hears(GREETING_TONES)
        await talk(center, alice, at_ann)
        kept = await center.fact(cf.CallbackKept)
        assert (kept.how, kept.in_time) == (cf.KeptHow.BRIDGED, True)
        entered = center.all(f.ContactEntered)
        assert entered[1].place == entered[0].place
        assert len(center.all(cf.CallbackAttempted)) == 1
        assert len(center.all(f.ContactConnected)) == 1
        assert (await center.ask("callback_list"))["callbacks"] == []
        await center.until(lambda: len(center.all(f.CallEnded)) == len(center.all(f.CallBegan)))


async def test_an_engine_killed_while_the_caller_rings_adopts_the_leg_and_nobody_is_dialed_twice() -> None:
    async with center_with_callbacks() as (center, outside):
        await takes_a_callback(center, outside)
        outside.on_invite = RingForever()
        alice = await center.agent("alice", AnswerAfter(0.2))
        at_ann = await outside.incoming()
        await at_ann.ringing()
        await center.fact(f.LegRinging, leg=(await center.fact(cf.CallbackAttempted)).leg)
        await center.kill_engine()
        await center.start_engine()
        at_ann.answer()
        await talk(center, alice, at_ann)
        assert (await center.fact(cf.CallbackKept)).how is cf.KeptHow.BRIDGED
        assert len(center.all(cf.CallbackAttempted)) == 1


async def test_an_engine_killed_before_the_attempt_ends_counts_it_as_used_and_tries_again() -> None:
    async with center_with_callbacks(attempts=2) as (center, outside):
        await takes_a_callback(center, outside)
        outside.on_invite = RingForever()
        alice = await center.agent("alice", AnswerAfter(0.2))
        first = await outside.incoming()
        await first.ringing()
        await center.kill_engine()
        first.reject(486)
        await first.ended()
        outside.on_invite = AnswerAfter(0.5)
        await center.start_engine()
        unreached = await center.fact(cf.CallbackUnreached)
        assert unreached.outcome is cf.AttemptOutcome.FAILED  # nobody knows what became of it
        second = await outside.incoming()
        await second.answered()
        at_alice = await alice.incoming()
        while at_alice.state.name != "UP":
            at_alice = await alice.incoming()
        await second.hears(AGENT_TONES["alice"])
        await second.hang_up()
        assert (await center.fact(cf.CallbackKept)).how is cf.KeptHow.BRIDGED
        assert len(center.all(cf.CallbackAttempted)) == 2


async def test_a_busy_caller_is_tried_again_and_a_caller_who_calls_first_is_not_dialed() -> None:
    async with center_with_callbacks(attempts=3, retry_after_s=600) as (center, outside):
        await takes_a_callback(center, outside)
        outside.on_invite = Busy()
        alice = await center.agent("alice", AnswerAfter(0.2))
        assert (await center.fact(cf.CallbackUnreached)).outcome is cf.AttemptOutcome.BUSY
        call = await outside.invite(f"sip:{DID}@127.0.0.1:{center.pbx.sip_port}", caller_id=ANN)
        await call.answered()
        merged = await center.fact(cf.CallbackKept)
        assert merged.how is cf.KeptHow.MERGED
        await call.hears(AGENT_TONES["alice"])
        await call.hang_up()
        await center.fact(f.ContactEnded)
        assert len(center.all(cf.CallbackAttempted)) == 1
        assert alice.calls == []
