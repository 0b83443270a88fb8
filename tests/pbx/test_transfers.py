"""Transfers with three phones on a real Asterisk: each hears whom it should, and nobody else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.books import call_touched, fold_call
from callcenter.sim.sip.call import Call
from callcenter.sim.sip.phone import Phone
from callcenter.sim.sip.policy import AnswerAfter
from callcenter.sim.sip.tones import TonePair, tone_pair
from tests.support.asterisk import DID, MUSIC_TONES, Pbx, asterisk_node, raw_settings, short_folder
from tests.support.real_parties import RealEngine

CALLER, ALICE, BOB, OUTSIDE = tone_pair(70), tone_pair(60), tone_pair(66), tone_pair(48)
FRIEND, CARRIER = "+12025550171", "127.0.0.2"


@dataclass
class Three:
    """alice talks to a caller, bob is ready."""

    running: RealEngine
    pbx: Pbx
    carrier: Phone
    bobs_phone: Phone
    caller: Call
    alice: Call
    alices_phone: Phone

    async def asks(self, event: e.Event) -> None:
        assert await self.running.engine.request(event) is None

    async def bob(self) -> Call:
        return await (await self.bobs_phone.incoming(10)).answered()


def _settings(folder: Path, *, phone_transfers: bool = True, trunk_port: int = 0) -> dict[str, Any]:
    raw = raw_settings(folder)
    if trunk_port:
        raw["trunk"] += [{"name": "far", "authentication": "address", "addresses": [CARRIER], "host": CARRIER, "port": trunk_port}]
        raw["calling"], raw["own_calls"] = {"trunk": "far"}, {"allowed": ["+1202"]}
    raw["center"]["phone_transfers"] = phone_transfers
    raw["agent"] = [{"name": name, "queues": ["support"], "extension": f"200{n}"} for n, name in enumerate(("alice", "bob"), 1)]
    return raw


@asynccontextmanager
async def three(*, phone_transfers: bool = True, trunk_port: int = 0) -> AsyncIterator[Three]:
    """Numbers outside are dialed at that port of ``CARRIER``."""
    with short_folder() as folder:
        async with (
            asterisk_node(_settings(folder, phone_transfers=phone_transfers, trunk_port=trunk_port)) as pbx,
            RealEngine([pbx], folder).running() as running,
            await Phone.start("carrier-end", server=("127.0.0.1", pbx.sip_port), tone=CALLER) as carrier,
            _phone(pbx, "alice", ALICE) as alice,
            _phone(pbx, "bob", BOB) as bob,
        ):
            await running.engine.request(e.AgentLoginRequested("alice"))
            await running.engine.request(e.AgentReadyRequested("alice"))
            caller = await carrier.invite(DID, caller_id="+12025550123")
            await caller.answered()
            at_alice = await (await alice.incoming(15)).answered()
            await caller.hears(ALICE)
            await at_alice.hears(CALLER)
            await running.engine.request(e.AgentLoginRequested("bob"))
            await running.engine.request(e.AgentReadyRequested("bob"))
            yield Three(running, pbx, carrier, bob, caller, at_alice, alice)
            await caller.hang_up()
            await running.book.until(lambda: next(iter(running.book.of(f.CallEnded)), None), "the end")
            await running.nothing_left()


@asynccontextmanager
async def _phone(pbx: Pbx, agent: str, tone: TonePair) -> AsyncIterator[Phone]:
    account = pbx.phone(agent)
    async with await Phone.start(
        account.endpoint, server=("127.0.0.1", pbx.sip_port), password=account.password, tone=tone, on_invite=AnswerAfter(0.2)
    ) as phone:
        await phone.register()
        yield phone


def heard_since(call: Call, since_s: float, *pairs: TonePair) -> set[TonePair]:
    """Which of these the call has heard for a fifth of a second since then."""
    return {tone.pair for tone in call.heard_tones(*pairs, at_least=0.2) if tone.end_s > since_s + 0.3}


def now_at(call: Call) -> float:
    return asyncio.get_running_loop().time() - call.began_at


async def test_nobody_hears_whom_they_should_not_in_a_consult() -> None:
    async with three() as it:
        await it.asks(e.ConsultRequested("alice", colleague="bob"))
        bob = await it.bob()
        await it.caller.hears(MUSIC_TONES)
        await bob.hears(ALICE)
        since = {call: now_at(call) for call in (it.caller, it.alice, bob)}
        await it.alice.hears(BOB, for_s=1)
        assert heard_since(it.caller, since[it.caller], ALICE, BOB) == set()
        assert heard_since(it.alice, since[it.alice], CALLER, MUSIC_TONES) == set()
        assert heard_since(bob, since[bob], CALLER, MUSIC_TONES) == set()

        await it.asks(e.ConferenceRequested("alice"))
        await it.caller.hears(ALICE)
        await it.caller.hears(BOB)
        await bob.hears(CALLER)

        await it.asks(e.CompleteRequested("alice"))
        await it.alice.ended()
        since = {call: now_at(call) for call in (it.caller, bob)}
        await it.caller.hears(BOB, for_s=1)
        assert heard_since(it.caller, since[it.caller], ALICE, MUSIC_TONES) == set()
        await bob.hears(CALLER)
        book = it.running.book
    (began,) = book.of(f.CallBegan)
    record = fold_call(fact for fact in book.facts if call_touched(fact) == began.call)
    assert [(contact.agent, contact.why) for contact in record.contacts] == [("alice", "transferred"), ("bob", "caller_hung_up")]
    assert [recording.agent for recording in record.recordings] == ["alice", "bob"]
    assert record.call
    assert record.call.ended_at
    assert record.call.wait + record.call.talk + record.call.hold <= record.call.ended_at - record.call.started_at


async def test_nobody_hears_whom_they_should_not_in_a_consult_with_somebody_outside() -> None:
    async with (
        await Phone.start("friend", tone=OUTSIDE, local_host=CARRIER, on_invite=AnswerAfter(0.3)) as friends,
        three(trunk_port=friends.address[1]) as it,
    ):
        await it.asks(e.ConsultRequested("alice", number=FRIEND))
        friend = await (await friends.incoming(10)).answered()
        assert f"<sip:{DID}@" in friend.invite.need("From")
        await it.caller.hears(MUSIC_TONES)
        await friend.hears(ALICE)
        since = {call: now_at(call) for call in (it.caller, it.alice, friend)}
        await it.alice.hears(OUTSIDE, for_s=1)
        assert heard_since(it.caller, since[it.caller], ALICE, OUTSIDE) == set()
        assert heard_since(it.alice, since[it.alice], CALLER, MUSIC_TONES) == set()
        assert heard_since(friend, since[friend], CALLER, MUSIC_TONES) == set()

        await it.asks(e.SwapRequested("alice"))
        await it.caller.hears(ALICE)
        await friend.hears(MUSIC_TONES)
        await it.asks(e.ConferenceRequested("alice"))
        await asyncio.gather(it.caller.hears(ALICE), it.caller.hears(OUTSIDE), friend.hears(ALICE), friend.hears(CALLER))
        await it.asks(e.CompleteRequested("alice"))
        await it.alice.ended()
        since = {call: now_at(call) for call in (it.caller, friend)}
        await it.caller.hears(OUTSIDE, for_s=1)
        await friend.hears(CALLER)
        assert heard_since(it.caller, since[it.caller], ALICE, MUSIC_TONES) == set()
    await friend.ended()  # with the caller


async def test_a_desk_phone_hands_a_caller_to_somebody_outside_whom_it_has_asked_first() -> None:
    """By its own keys: hold, dial, talk, transfer (REFER with Replaces)."""
    async with (
        await Phone.start("friend", tone=OUTSIDE, local_host=CARRIER, on_invite=AnswerAfter(0.3)) as friends,
        three(trunk_port=friends.address[1]) as it,
    ):
        await it.alice.hold()
        await it.caller.hears(MUSIC_TONES)
        second = await (await it.alices_phone.invite("2025550171")).answered()
        friend = await (await friends.incoming(10)).answered()
        await asyncio.gather(friend.hears(ALICE), second.hears(OUTSIDE))
        assert await it.alice.refer("2025550171", replacing=second) == 202
        await asyncio.gather(it.caller.hears(OUTSIDE), friend.hears(CALLER))
        await it.alice.ended()
        await second.ended()
    await friend.ended()


async def test_nobody_steps_into_a_talk_with_replaces() -> None:
    """A far end that knows the names of a dialog would take the agent's place; it is hung up, and the agent brought back."""
    async with three() as it:
        names = it.alice.signalling.replaces()
        intruder = await it.carrier.invite(DID, caller_id="+12025550199", headers=(("Replaces", names), ("Supported", "replaces")))
        await intruder.ended()
        await it.caller.hears(ALICE)
        await it.alice.hears(CALLER)


async def test_a_phone_may_not_transfer_unless_it_is_said_so() -> None:
    """And then a REFER that asks for no subscription is refused like any other; with ``ari-only`` Asterisk 22.10 would die of it."""
    async with three(phone_transfers=False) as it:
        assert await it.alice.refer("2002") == 603
        assert await it.alice.refer("2002", headers=(("Refer-Sub", "false"), ("Supported", "norefersub"))) == 603
        assert await it.caller.refer("2002", headers=(("Refer-Sub", "false"),)) == 603
        await it.caller.hears(ALICE)
