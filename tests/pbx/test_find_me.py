"""Find-me on a real Asterisk: desk, mobile, home; a SIP test phone plays the carrier's end of the trunk."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from callcenter.domain import facts as f
from callcenter.domain.facts import MissedWhy
from callcenter.sim.sip.call import Call
from callcenter.sim.sip.ear import StreamClosed
from callcenter.sim.sip.phone import Phone
from callcenter.sim.sip.policy import AnswerAfter, RingForever
from callcenter.sim.sip.tones import tone_pair
from tests.support.asterisk import MENU_TONES, MUSIC_TONES, raw_settings
from tests.support.center import CALLER_TONE, RunningCenter, running_center

CARRIER = "127.0.0.2"
OUTSIDE_TONE = tone_pair(74)
ACCEPT_TONES = (1040.0, 1240.0)
MOBILE, HOME = "+12025550171", "+12025550172"


@asynccontextmanager
async def center_with_outside(devices: list[dict[str, Any]]) -> AsyncIterator[tuple[RunningCenter, Phone]]:
    """Alice is looked for at these devices; every number outside is answered, by who says a tone and presses nothing."""
    async with await Phone.start("carrier", local_host=CARRIER, tone=OUTSIDE_TONE, on_invite=AnswerAfter(0.2)) as carrier:
        far = {"name": "far", "authentication": "address", "addresses": [CARRIER], "host": CARRIER, "port": carrier.address[1]}
        trunks = raw_settings(Path("anywhere"))["trunk"]
        agents = [{"name": "alice", "queues": ["support"], "find_me": devices}, {"name": "bob", "queues": ["support"]}]
        async with running_center(trunk=[*trunks, far], agent=agents, calling={"trunk": "far"}) as center:
            yield center, carrier


async def waiting_caller(center: RunningCenter) -> Call:
    caller = await center.call()
    await caller.hears(MENU_TONES, for_s=0.2)
    await caller.send_digit("2")
    await caller.hears(MUSIC_TONES)
    return caller


async def test_desk_voicemail_of_the_mobile_then_home_where_1_is_pressed() -> None:
    devices = [
        {"phone": "desk", "ring_s": 2},
        {"number": MOBILE, "ring_s": 10, "accept_s": 3},
        {"number": HOME, "ring_s": 10, "accept_s": 20},
    ]
    async with center_with_outside(devices) as (center, carrier):
        desk = await center.agent("alice", RingForever())
        caller = await waiting_caller(center)
        await (await desk.incoming()).ended()
        voicemail = await carrier.incoming()
        assert voicemail.dialed == MOBILE
        assert "<sip:+18005550100@" in voicemail.invite.need("From"), "outside she sees a number of ours"
        await voicemail.hears(ACCEPT_TONES, for_s=0.3)
        await caller.hears(MUSIC_TONES, for_s=0.5)
        await voicemail.ended()
        at_home = await carrier.incoming()
        assert at_home.dialed == HOME
        await at_home.hears(ACCEPT_TONES, for_s=0.3)
        assert center.all(f.ContactConnected) == []
        await at_home.send_digit("1")
        await caller.hears(OUTSIDE_TONE, for_s=0.5)
        await at_home.hears(CALLER_TONE, for_s=0.5)
        moves = [(fact.number, fact.why) for fact in center.all(f.OfferMoved)]
        assert moves == [(MOBILE, MissedWhy.NO_ANSWER), (HOME, MissedWhy.NO_ANSWER)]
        (connected,) = center.all(f.ContactConnected)
        (offered,) = center.all(f.ContactOffered)
        assert (connected.offer, connected.agent) == (offered.offer, "alice")
        await caller.hang_up()
        await at_home.ended()
        ended = await center.fact(f.ContactParted)
        assert (ended.agent, ended.why) == ("alice", f.EndedWhy.CALLER_HUNG_UP)
        await center.fact(f.RecordingStopped)


async def test_who_declines_outside_leaves_the_caller_to_the_next_agent_and_a_restart_changes_nothing() -> None:
    async with center_with_outside([{"number": MOBILE, "ring_s": 10, "accept_s": 20}]) as (center, carrier):
        await center.phone("alice", RingForever())
        await center.ask("agent_login", agent="alice")
        await center.ask("agent_ready", agent="alice")
        caller = await center.call()
        await caller.send_digit("2")
        mobile = await carrier.incoming()
        await mobile.hears(ACCEPT_TONES, for_s=0.3)
        await caller.hears(MUSIC_TONES)
        await center.kill_engine()
        await center.start_engine()
        bob = await center.agent("bob", AnswerAfter(0.2))
        with suppress(StreamClosed):  # we hang up as soon as the key is known
            await mobile.send_digit("2")
        await mobile.ended()
        await (await bob.incoming()).hears(CALLER_TONE, for_s=0.3)
        missed = await center.fact(f.OfferMissed)
        assert (missed.agent, missed.why) == ("alice", MissedWhy.REJECTED)
        await caller.hang_up()
