"""A shift on a plain SIP phone, from log-in to log-out, on a real Asterisk: no screen, no command, only keys and ears.

What she is told is proven by the tones that stand for the prompts, whom she hears by the tones of the phones.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.books import call_touched, fold_call
from callcenter.sim.sip.call import Call
from callcenter.sim.sip.ear import StreamClosed
from callcenter.sim.sip.phone import Phone
from callcenter.sim.sip.policy import AnswerAfter, Busy
from callcenter.sim.sip.tones import TonePair, tone_pair
from tests.support.asterisk import DID, MUSIC_TONES, PROMPT_TONES, Pbx, asterisk_node, raw_settings, short_folder
from tests.support.real_parties import RealEngine

CALLER, ALICE, BOB, OUTSIDE = tone_pair(70), tone_pair(60), tone_pair(66), tone_pair(74)
FRIEND, CALLED_BACK = "+12025550171", "+12025550142"
CARRIER = "127.0.0.2"
"""An address of its own, so that the trunk's carrier is told apart from the phones."""
SAID: dict[str, TonePair] = {
    name: tone_pair(number)
    for name, number in {
        "desk-log-in": 1,
        "you-are-logged-in": 4,
        "you-are-logged-out": 7,
        "reason-lunch": 10,
        "disposition-sale": 12,
        "disposition-by-phone": 15,
        "desk-callback-for": 18,
        "desk-callback-yours": 21,
        "desk-contacts": 24,
        "desk-occupancy": 27,
        "desk-line-busy": 30,
        "desk-not-allowed": 33,
        "desk-consult": 38,
        "desk-done": 40,
    }.items()
} | {
    "you-are-ready": (760.0, 960.0),
    "you-are-not-ready": (800.0, 1000.0),
    "disposition-noted": (880.0, 1080.0),
    "not-possible": (720.0, 920.0),
    "en-2": PROMPT_TONES["en-2"],
}


def _settings(folder: Path, carrier: Phone) -> dict[str, Any]:
    raw = raw_settings(folder)
    raw["center"]["phone_transfers"] = True
    trunk = {"name": "far", "authentication": "address", "addresses": [CARRIER], "host": CARRIER, "port": carrier.address[1]}
    raw["trunk"] = [*raw["trunk"], trunk]
    raw["calling"], raw["own_calls"] = {"trunk": "far"}, {"allowed": ["+1202"]}
    support = {"wrap_up_s": 60, "wrap_up_extension_s": 30, "dispositions": ["solved", "sale/by-phone"], "extension": "3001", "callback": {}}
    raw["queue"] = [raw["queue"][0] | support, {"name": "sales", "music": "tones", "wrap_up_s": 1, "extension": "3002"}]
    alice = {"name": "alice", "queues": ["support"], "extension": "2001"}
    raw["agent"] = [alice, {"name": "bob", "queues": ["support", "sales"], "extension": "2002"}]
    written = [{"id": name, "source": f"tone:{low:.0f}+{high:.0f}:0.4"} for name, (low, high) in SAID.items()]
    short = [{"id": "desk-press", "source": "tone:300+330:0.1"}]
    raw["prompt"] = [prompt for prompt in raw["prompt"] if prompt["id"] not in SAID] + written + short
    return raw


@dataclass
class Shift:
    """alice has her phone, and nothing else."""

    running: RealEngine
    carrier: Phone
    outside: Phone
    phone: Phone
    bobs: Phone

    async def dials(self, code: str, *said: str) -> Call:
        """She dials, and hears that."""
        call = await (await self.phone.invite(code)).answered()
        await self.hears(call, *said)
        return call

    async def hears(self, call: Call, *said: str) -> None:
        for name in said:
            await call.hears(SAID[name], within=20, for_s=0.2)

    async def takes(self, *heard: TonePair) -> Call:
        """Her phone rings and she picks up."""
        call = await (await self.phone.incoming(20)).answered()
        for tone in heard:
            await call.hears(tone, within=20)
        return call

    def states(self) -> list[str]:
        changes = self.running.book.of(f.AgentStateChanged, agent="alice")
        return [f"{change.state} {change.reason}".strip() for change in changes]

    async def becomes(self, *states: str) -> None:
        """From now on she is, or was meanwhile, each of these, the last one still."""
        await self.running.book.until(lambda: self.states()[-len(states) :] == list(states) or None, f"{states}")

    async def caller(self) -> Call:
        return await (await self.carrier.invite(DID, caller_id="+12025550123")).answered()


@asynccontextmanager
async def shift() -> AsyncIterator[Shift]:
    with short_folder() as folder:
        async with (
            await Phone.start("carrier", local_host=CARRIER, tone=OUTSIDE, on_invite=AnswerAfter(0.3)) as outside,
            asterisk_node(_settings(folder, outside)) as pbx,
            RealEngine([pbx], folder).running() as running,
            await Phone.start("carrier-end", server=("127.0.0.1", pbx.sip_port), tone=CALLER) as carrier,
            _phone(pbx, "alice", ALICE) as alice,
            _phone(pbx, "bob", BOB) as bob,
        ):
            yield Shift(running, carrier, outside, alice, bob)
            await running.nothing_left()


@asynccontextmanager
async def _phone(pbx: Pbx, agent: str, tone: TonePair) -> AsyncIterator[Phone]:
    account = pbx.phone(agent)
    server = ("127.0.0.1", pbx.sip_port)
    async with await Phone.start(
        account.endpoint, server=server, password=account.password, tone=tone, on_invite=AnswerAfter(0.2)
    ) as phone:
        await phone.register()
        yield phone


async def test_a_whole_shift_on_a_plain_phone_from_log_in_to_log_out() -> None:
    async with shift() as it:
        await _logs_in_and_pauses(it)
        await _takes_a_caller_consults_joins_and_hands_over(it)
        await _gives_a_disposition_and_ends_the_wrap_up(it)
        await _holds_and_sends_a_caller_to_a_queue(it)
        await _calls_a_colleague_and_outside(it)
        await _takes_a_callback(it)
        await _hears_her_figures_and_logs_out(it)


async def _logs_in_and_pauses(it: Shift) -> None:
    menu = await it.dials("*10", "desk-log-in")
    await menu.send_digits("2")
    await it.hears(menu, "you-are-logged-in")
    await menu.send_digits("2")
    await it.hears(menu, "reason-lunch")
    await menu.send_digits("2")
    await it.hears(menu, "you-are-not-ready")
    assert it.states() == ["not_ready login", "not_ready lunch"]
    await menu.send_digits("#1")
    await it.hears(menu, "you-are-ready")
    await menu.ended()
    await it.becomes("ready")


async def _takes_a_caller_consults_joins_and_hands_over(it: Shift) -> None:
    """With keys in the middle of the talk, on her only line; bob is at his desk, too."""
    caller = await it.caller()
    talk = await it.takes(CALLER)
    await caller.hears(ALICE)
    await (await it.bobs.invite("*11")).ended()
    await talk.send_digits("*22002#")
    bob = await (await it.bobs.incoming(15)).answered()
    await caller.hears(MUSIC_TONES)
    await bob.hears(ALICE)
    await talk.hears(BOB)
    await talk.send_digits("*5")
    await caller.hears(BOB)
    await caller.hears(ALICE)
    with suppress(StreamClosed):  # we hang up on the first packet that ends the key
        await talk.send_digits("*3")
    await talk.ended()
    await it.becomes("wrap_up")
    await caller.hears(BOB)
    assert caller.digits_received == ""
    await caller.hang_up()
    await (await it.bobs.invite("*22")).ended()


async def _gives_a_disposition_and_ends_the_wrap_up(it: Shift) -> None:
    menu = await it.dials("*10")
    await menu.send_digits("4")
    await it.hears(menu, "disposition-sale")
    await menu.send_digits("2")
    await it.hears(menu, "disposition-by-phone")
    await menu.send_digits("1")
    await it.hears(menu, "disposition-noted")
    assert [fact.disposition for fact in it.running.book.of(f.DispositionGiven)] == ["sale/by-phone"]
    await menu.send_digits("#3")
    await it.hears(menu, "you-are-ready")
    await menu.ended()
    await it.becomes("wrap_up", "ready")


async def _holds_and_sends_a_caller_to_a_queue(it: Shift) -> None:
    """With the hold key and the transfer key of the phone."""
    caller = await it.caller()
    talk = await it.takes(CALLER)
    await talk.hold()
    await caller.hears(MUSIC_TONES)
    await talk.resume()
    await caller.hears(ALICE)
    assert await talk.refer("911") == 202
    assert await talk.transferred() == 603
    await caller.hears(ALICE)
    assert await talk.refer("3002") == 202
    assert await talk.transferred() == 200
    await talk.ended()
    entered = await it.running.book.until(lambda: next(iter(it.running.book.of(f.ContactEntered, queue="sales")), None), "the queue")
    assert entered.transferred_from
    await caller.hears(MUSIC_TONES)
    await caller.hang_up()
    held = [fact for fact in it.running.book.of(f.ContactParted) if fact.why == f.EndedWhy.TRANSFERRED][-1]
    assert held.hold > timedelta(0)
    await (await it.dials("*13", "you-are-ready")).ended()
    await it.becomes("wrap_up", "ready")


async def _calls_a_colleague_and_outside(it: Shift) -> None:
    await (await it.dials("+19005550199", "desk-not-allowed")).ended()
    await (await it.bobs.invite("*25")).ended()
    own = await it.dials("2002")
    bob = await (await it.bobs.incoming(15)).answered()
    await own.hears(BOB)
    await bob.hears(ALICE)
    assert it.states()[-1] == "not_ready own_call"
    await own.hang_up()
    await bob.ended()
    await it.becomes("ready", "not_ready own_call", "ready")
    it.bobs.on_invite = Busy()
    await (await it.dials("2002", "desk-line-busy")).ended()
    own = await it.dials("2025550171")
    friend = await (await it.outside.incoming(15)).answered()
    assert friend.dialed == FRIEND
    assert f"<sip:{DID}@" in friend.invite.need("From")
    await own.hears(OUTSIDE)
    await friend.hears(ALICE)
    await friend.hang_up()
    await own.ended()
    await it.becomes("ready", "not_ready own_call", "ready")
    book = it.running.book
    began = [fact for fact in book.of(f.CallBegan) if fact.direction is f.Direction.OWN][-1]
    await book.until(lambda: next(iter(book.of(f.CallEnded, call=began.call)), None), "the end of the own call")
    record = fold_call(fact for fact in book.facts if call_touched(fact) == began.call)
    assert record.call is not None
    assert (record.call.agent, record.call.talk > timedelta(0), record.recordings, record.contacts) == ("alice", True, (), ())


async def _takes_a_callback(it: Shift) -> None:
    await (await it.dials("*12", "you-are-not-ready")).ended()
    wish = e.CallbackRequested("c1", "support", CALLED_BACK, due_at=it.running.book.facts[-1].at + timedelta(hours=2))
    assert await it.running.engine.request(wish) is None
    menu = await it.dials("*24", "desk-callback-for")
    await menu.send_digits("1")
    await it.hears(menu, "desk-callback-yours")
    talk = await it.takes()
    called = await (await it.outside.incoming(15)).answered()
    assert called.dialed == CALLED_BACK
    await talk.hears(OUTSIDE, within=20)
    await called.hears(ALICE)
    await called.hang_up()
    await talk.ended()
    await it.becomes("wrap_up")
    await (await it.dials("*141", "disposition-noted")).ended()
    await (await it.dials("*13")).ended()


async def _hears_her_figures_and_logs_out(it: Shift) -> None:
    figures = await it.dials("*23", "desk-contacts")
    assert it.running.engine.center.state.agents["alice"].figures.contacts == 3
    await it.hears(figures, "desk-occupancy")
    await figures.ended(20)
    await (await it.dials("*22", "you-are-logged-out")).ended()
    done = [fact.do for fact in it.running.book.of(f.DoneByPhone, agent="alice")]
    assert [do for do in done if do in ("agent_login", "agent_logout")] == ["agent_login", "agent_logout"]
    await it.becomes("logged_out")
