"""ARI and AMI adapters against a real Asterisk: every command, and every event we live on."""

import asyncio
from array import array
from datetime import timedelta
from pathlib import Path

import pytest

from callcenter.domain import commands as c
from callcenter.domain import events as e
from callcenter.services.ports import CommandError
from callcenter.sim.sip.policy import AnswerAfter, Busy, InvitePolicy, Reject, RingForever
from callcenter.sim.sip.tones import goertzel
from tests.support.asterisk import DID, MUSIC_TONES, WELCOME_TONES, asterisk_node
from tests.support.telephony import ALICE_TONES, CALLER_TONES, agent_phone, arrive, caller, engine


def channels(raw: Path) -> tuple[list[int], list[int]]:
    samples = array("h", raw.read_bytes())
    return list(samples[0::2]), list(samples[1::2])


def loudest(samples: list[int]) -> tuple[float, ...]:
    """Which of the tones of this file is in there."""
    middle = samples[len(samples) // 4 : len(samples) // 4 + 4000]
    return max((CALLER_TONES, ALICE_TONES), key=lambda pair: sum(goertzel(middle, f) for f in pair))


@pytest.mark.parametrize("websocket", [True, False], ids=["websocket", "http"])
async def test_a_call_from_end_to_end(websocket: bool) -> None:
    async with asterisk_node() as pbx, engine(pbx, rest_over_websocket=websocket) as it, agent_phone(pbx) as alice, caller(pbx) as ann:
        call, leg = await arrive(it, ann)
        arrived = await it.wait_for(e.LegArrived)
        assert (arrived.node, arrived.door, arrived.dialed) == (pbx.name, e.Door.TRUNK, DID)
        assert (arrived.caller, arrived.caller_name, arrived.trunk) == ("+12025550123", "Ann", "carrier")
        assert arrived.waiting_since is None
        assert arrived.leg.startswith(f"{pbx.name}-")

        await it.run(c.Play, leg, "p1", ("welcome", "welcome"))
        await call.hears(WELCOME_TONES)
        await call.send_digit("7")
        assert (await it.wait_for(e.DigitPressed, leg)).digit == "7"
        assert (await it.wait_for(e.PlaybackEnded, leg)).playback == "p1"
        await it.run(c.StartMusic, leg, "tones")
        await call.hears(MUSIC_TONES)

        alice.on_invite = AnswerAfter(0.2)
        agent_leg = await it.ring("alice")
        await it.wait_for(e.LegRang, agent_leg)
        await it.wait_for(e.LegAnswered, agent_leg)
        at_alice = await alice.incoming()
        await it.run(c.StopMusic, leg)
        await it.run(c.ConnectLegs, "b1", (leg, agent_leg))
        await it.run(c.ConnectLegs, "b1", (leg, agent_leg))  # once more changes nothing
        recording = it.ids.draw()
        await it.run(c.StartRecording, leg, recording)
        await call.hears(ALICE_TONES)
        await at_alice.hears(CALLER_TONES)
        await at_alice.hold()
        await it.wait_for(e.LegHeld, agent_leg)
        await at_alice.resume()
        await it.wait_for(e.LegResumed, agent_leg)
        held = await it.telephony.snapshot(pbx.name, ("p1",))
        assert held.bridges == {"b1": frozenset((leg, agent_leg))}
        assert held.legs[leg].arrival == arrived
        assert held.legs[leg].up
        assert held.legs[leg].ours
        assert held.legs[agent_leg].ours
        assert held.legs[agent_leg].arrival is None
        assert held.legs[agent_leg].endpoint == pbx.phone("alice").endpoint
        assert held.playbacks == frozenset()
        await it.run(c.StopRecording, leg, recording)
        says, hears = channels(pbx.node.recordings / f"{recording}.raw")
        assert len(says) == len(hears) > 4000
        assert loudest(says) == CALLER_TONES
        assert loudest(hears) == ALICE_TONES

        await it.run(c.HangUp, agent_leg)
        assert (await it.wait_for(e.LegEnded, agent_leg)).cause is e.Cause.NORMAL
        await it.run(c.CloseBridge, "b1")
        await call.hang_up()
        assert (await it.wait_for(e.LegEnded, leg)).cause is e.Cause.NORMAL
        async with asyncio.timeout(5):  # a bridge goes once its last channel has left it
            while (left := await it.telephony.snapshot(pbx.name, ())).legs or left.bridges:
                await asyncio.sleep(0.05)
        assert len([x for x in it.events if isinstance(x, e.LegEnded)]) == 2


async def test_commands_about_what_is_gone() -> None:
    async with asterisk_node() as pbx, engine(pbx) as it:
        gone = f"{pbx.name}-1.1"
        await it.run(c.HangUp, gone)
        await it.run(c.StopPlayback, "nothing")
        await it.run(c.StopMusic, gone)
        await it.run(c.CloseBridge, "nothing")
        await it.run(c.StopRecording, gone, it.ids.draw())
        await it.telephony.release(pbx.name, gone)
        await it.telephony.destroy_bridge(pbx.name, "nothing")
        for kind, args in (
            (c.Answer, (gone,)),
            (c.Play, (gone, "p", ("welcome",))),
            (c.StartMusic, (gone, "tones")),
            (c.ConnectLegs, ("b", (gone,))),
            (c.StartRecording, (gone, it.ids.draw())),
        ):
            with pytest.raises(CommandError) as refused:
                await it.run(kind, *args)
            assert refused.value.refusal is e.Refusal.GONE, kind
        await it.run(c.CloseBridge, "b")


@pytest.mark.parametrize(
    ("policy", "cause"),
    [
        (Busy(), e.Cause.BUSY),
        (Reject(603, 0.1), e.Cause.REJECTED),
        (Reject(480), e.Cause.UNREACHABLE),
        (RingForever(), e.Cause.NO_ANSWER),
    ],
    ids=["busy", "declined", "do-not-disturb", "rings-in-vain"],
)
async def test_why_a_phone_does_not_answer(policy: InvitePolicy, cause: e.Cause) -> None:
    async with asterisk_node() as pbx, engine(pbx) as it, agent_phone(pbx) as alice:
        alice.on_invite = policy
        leg = await it.ring("alice", timedelta(seconds=1))
        assert (await it.wait_for(e.LegEnded, leg)).cause is cause


async def test_a_phone_that_is_not_registered_is_unreachable_at_once() -> None:
    async with asterisk_node() as pbx, engine(pbx) as it:
        leg = await it.ring("alice")
        assert (await it.wait_for(e.LegEnded, leg)).cause is e.Cause.UNREACHABLE


async def test_connecting_does_not_wait_for_the_end_of_a_prompt() -> None:
    async with asterisk_node() as pbx, engine(pbx) as it, agent_phone(pbx) as alice, caller(pbx) as ann:
        call, leg = await arrive(it, ann)
        agent_leg = await it.ring("alice")
        await it.wait_for(e.LegAnswered, agent_leg)
        at_alice = await alice.incoming()
        await it.run(c.Play, leg, "long", ("welcome",) * 20)
        await call.hears(WELCOME_TONES)
        await it.run(c.ConnectLegs, "b1", (leg, agent_leg))  # would run into the time limit of 2 s
        await it.wait_for(e.PlaybackEnded, leg)
        await at_alice.hears(CALLER_TONES)
