"""The engine is killed, frozen, away: what callers and agents on the phone notice of it."""

import asyncio

from callcenter.domain import facts as f
from callcenter.sim.sip.policy import AnswerAfter, RingForever
from tests.support.asterisk import MENU_TONES, MUSIC_TONES
from tests.support.center import AGENT_TONES, CALLER_TONE, running_center

PLEASE_WAIT = (540.0, 760.0)
LONG_MENU = {
    "main": {
        "start": "ask",
        "node": {
            "ask": {"type": "menu", "prompt": "menu", "choices": {"2": "enter", "3": "enter"}, "otherwise": "ask", "timeout_s": 60},
            "enter": {"type": "queue", "queue": "support"},
        },
    }
}


async def test_kill_9_with_a_call_in_each_phase() -> None:
    async with running_center(flow=LONG_MENU) as center:
        alice = await center.agent("alice", AnswerAfter(0.2))
        talks = await center.call("+12025550101")
        await talks.hears(MENU_TONES, for_s=0.2)
        await talks.send_digit("2")
        await talks.hears(AGENT_TONES["alice"])
        at_alice = await alice.incoming()
        bob = await center.agent("bob", RingForever())
        rings = await center.call("+12025550102")
        await rings.hears(MENU_TONES, for_s=0.2)
        await rings.send_digit("2")
        at_bob = await (await bob.incoming()).ringing()
        waits = await center.call("+12025550103")
        await waits.hears(MENU_TONES, for_s=0.2)
        await waits.send_digit("2")
        await waits.hears(MUSIC_TONES)
        listens = await center.call("+12025550104")
        await listens.hears(MENU_TONES, for_s=0.2)
        phases = {"+12025550101": "talking", "+12025550102": "offered", "+12025550103": "waiting", "+12025550104": "flow"}
        assert await center.phases() == phases

        await center.kill_engine()
        await center.start_engine()

        assert await center.phases() == phases
        assert [call.is_up for call in (talks, rings, waits, listens)] == [True] * 4
        at_bob.answer()
        await rings.hears(AGENT_TONES["bob"])
        await listens.send_digit("3")
        await listens.hears(MUSIC_TONES)
        await at_alice.hears(CALLER_TONE)
        assert max(talks.longest_gap_s(1.0), at_alice.longest_gap_s(1.0)) < 1.0
        await talks.hang_up()
        await waits.hears(AGENT_TONES["alice"])  # before the other one, who came later
        assert (await center.phases())["+12025550104"] == "waiting"
        for call in (rings, waits, listens):
            await call.hang_up()
        await center.fact(f.CallEnded, number=4)
        recordings = {fact.recording for fact in center.all(f.RecordingStarted)}
        assert {file.stem for file in center.pbx.node.recordings.iterdir() if file.stat().st_size} == recordings
        assert len(recordings) == 3
        assert len(center.all(f.CallBegan)) == 4
        assert len(center.all(f.ContactConnected)) == 3
        assert not center.all(f.OfferMissed)


async def test_the_fallback_serves_callers_and_hands_them_back() -> None:
    async with running_center() as center:
        alice = await center.agent("alice", AnswerAfter(0.3))
        await center.kill_engine()

        served = await center.call("+12025550111")
        await served.hears(PLEASE_WAIT, for_s=0.2)
        await served.hears(AGENT_TONES["alice"])
        await (await alice.incoming()).hears(CALLER_TONE)
        bob = await center.phone("bob", RingForever())
        waits = await center.call("+12025550112")
        await waits.hears(PLEASE_WAIT, for_s=0.2)
        await waits.hears(MUSIC_TONES)
        await bob.incoming()

        await center.start_engine()
        changed = await center.fact(f.AgentStateChanged, agent="alice", reason="fallback_call")
        later = await center.call("+12025550113")
        await later.hears(MENU_TONES, for_s=0.2)
        await later.send_digit("2")
        back = await center.fact(f.CallBegan, caller="+12025550112")
        assert back.waiting_since is not None
        assert back.waiting_since < changed.at
        entered = await center.fact(f.ContactEntered, call=back.call)
        assert entered.entered_at == back.waiting_since
        await waits.hears(MUSIC_TONES)
        await served.hears(AGENT_TONES["alice"])
        assert not center.all(f.ContactOffered)

        await served.hang_up()
        ended = await center.fact(f.FallbackCallEnded)
        assert (ended.caller, ended.agent, ended.queue) == ("+12025550111", "alice", "support")
        assert ended.answered_at is not None
        assert ended.entered_at <= ended.answered_at <= ended.ended_at
        await waits.hears(AGENT_TONES["alice"])
        (connected,) = center.all(f.ContactConnected)
        assert connected.call == back.call
        for call in (waits, later):
            await call.hang_up()
        await center.fact(f.CallEnded, number=2)
        assert len(center.all(f.FallbackCallEnded)) == 1


async def test_new_callers_reach_the_fallback_when_the_engine_is_frozen() -> None:
    async with running_center() as center:
        alice = await center.agent("alice", AnswerAfter(0.3))
        talks = await center.call("+12025550121")
        await talks.send_digit("2")
        await talks.hears(AGENT_TONES["alice"])
        center.freeze_engine()
        await asyncio.sleep(4)
        caller = await center.call("+12025550122")
        await caller.hears(PLEASE_WAIT, for_s=0.2)
        await talks.hears(AGENT_TONES["alice"])
        center.thaw_engine()
        back = await center.fact(f.CallBegan, caller="+12025550122")
        assert back.waiting_since is not None
        assert len(alice.calls) == 1
        await talks.hang_up()
        await caller.hears(AGENT_TONES["alice"])
        await caller.hang_up()
        await center.fact(f.CallEnded, number=2)
