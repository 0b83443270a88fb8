"""A laptop that sleeps, and a network that is lost, while the console is the phone: the server owns the call.

Short, it is a silence; long, the caller is at the head of the line within 12 s, and she finds her console as the center says it is.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from callcenter.domain import facts as f
from callcenter.sim.sip.call import Call
from callcenter.sim.sip.phone import Phone
from callcenter.sim.sip.policy import AnswerAfter
from tests.browser.laptop import asleep, no_network
from tests.browser.shift import ALICE_TONE, FRIEND, Shift, hears, shift, silent
from tests.support.asterisk import MUSIC_TONES
from tests.support.center import AGENT_TONES, CALLER_TONE

pytestmark = pytest.mark.long
SHORT = 5.0
GIVEN_UP_AFTER = timedelta(seconds=12)
Away = Callable[[], AbstractContextManager[None]]
either_way = pytest.mark.parametrize("away", [asleep, no_network])


@either_way
async def test_in_the_middle_of_a_talk(tmp_path: Path, database: str, away: Away) -> None:
    async with shift(tmp_path, database) as at:
        page = await at.signs_in()
        await at.is_ready(page)
        caller = await at.talking(page)
        await _a_short_silence(at, page, caller, away)
        bob = await at.center.agent("bob", AnswerAfter(0.2))
        await _the_caller_is_bobs(at, caller, bob, away)
        await expect(page.locator("#state")).to_have_text("Not ready (console gone)")
        await caller.hang_up()
        await at.center.ask("agent_logout", agent="bob")
        await _she_goes_on(at, page)


async def _a_short_silence(at: Shift, page: Page, caller: Call, away: Away) -> None:
    with away():
        await asyncio.gather(silent(caller), asyncio.sleep(SHORT))  # so long she is away; nothing happens that could be waited for
    await caller.hears(ALICE_TONE, for_s=1)
    await hears(page, CALLER_TONE)
    await expect(page.locator("#phone")).to_have_text("Phone: here, connected")
    assert at.center.all(f.ContactParted) == []
    assert at.center.all(f.AgentLegRedialed) == []


async def _the_caller_is_bobs(at: Shift, caller: Call, bob: Phone, away: Away) -> None:
    began = datetime.now(UTC)
    with away():
        parted = await at.center.fact(f.ContactParted)
        entered = await at.center.fact(f.ContactEntered, 2)
        at_bob = await bob.incoming(within=40)
        await at_bob.hears(CALLER_TONE)
        await caller.hears(AGENT_TONES["bob"])
        await at.center.fact(f.AgentStateChanged, agent="alice", reason="console_gone")
    assert parted.why == "agent_lost"
    assert entered.place == at.center.all(f.ContactEntered)[0].place
    assert entered.at - began < GIVEN_UP_AFTER + timedelta(seconds=1)


async def _she_goes_on(at: Shift, page: Page) -> None:
    """Nothing is left over of the call that went on without her."""
    await expect(page.locator("#phone")).to_have_text("Phone: here, connected")
    await page.locator("#wrap-up-end").click() if await page.locator("#wrap-up-end").is_visible() else None
    await page.locator("#ready").click()
    await expect(page.locator("#state")).to_have_text("Ready")
    again = await at.caller(caller="+12025550155")
    await page.locator("#answer").click()
    await again.hears(ALICE_TONE)
    await hears(page, CALLER_TONE)
    await page.locator("#hang-up").click()
    await again.ended()
    await expect(page.locator("#hang-up")).to_be_hidden()


@either_way
async def test_while_a_caller_is_offered(tmp_path: Path, database: str, away: Away) -> None:
    """The ring time would be 60 s."""
    queue = {"name": "support", "music": "tones", "ring_timeout_s": 60, "wrap_up_s": 1}
    async with shift(tmp_path, database, queue=[queue], disposition={}) as at:
        page = await at.signs_in()
        await at.is_ready(page)
        caller = await at.caller()
        await expect(page.locator("#answer")).to_be_visible()
        bob = await at.center.agent("bob", AnswerAfter(0.2))
        began = datetime.now(UTC)
        with away():
            at_bob = await bob.incoming(within=40)
            await at_bob.hears(CALLER_TONE)
        withdrawn = await at.center.fact(f.OfferWithdrawn)
        assert withdrawn.why is f.WithdrawnWhy.CONSOLE_GONE
        assert withdrawn.at - began < GIVEN_UP_AFTER + timedelta(seconds=4), "looked at each second, told by pings each three"
        assert at.center.all(f.OfferMissed) == [], "nobody's fault"
        await expect(page.locator("#state")).to_have_text("Not ready (console gone)")
        await expect(page.locator("#answer")).to_be_hidden()
        await caller.hang_up()
        await at.center.ask("agent_logout", agent="bob")
        await _she_goes_on(at, page)


async def test_in_the_middle_of_a_consult(tmp_path: Path, database: str) -> None:
    """Whom she asks has the caller then, and is in no dead line."""
    async with shift(tmp_path, database) as at:
        page = await at.signs_in()
        await at.is_ready(page)
        caller = await at.talking(page)
        bob = await at.center.agent("bob", AnswerAfter(0.2))
        await page.locator("#target").select_option("colleague:bob")
        await page.locator("#consult").click()
        at_bob = await bob.incoming()
        await at_bob.hears(ALICE_TONE)
        with asleep():
            await at.center.fact(f.CallerHandedOver)
            await asyncio.gather(caller.hears(AGENT_TONES["bob"]), at_bob.hears(CALLER_TONE))
        assert [(fact.agent, fact.why) for fact in at.center.all(f.ContactParted)] == [("alice", "agent_lost")]
        await expect(page.locator("#consulting")).to_be_hidden()
        await caller.hang_up()


async def test_in_the_middle_of_a_call_of_her_own(tmp_path: Path, database: str) -> None:
    """Nobody waits in it for a caller: it is over, and the other one is not left in silence."""
    async with shift(tmp_path, database, own_calls={"allowed": ["+1202"]}) as at:
        outside = await at.outside()
        page = await at.signs_in()
        await at.is_ready(page)
        await page.locator("#dial-to").fill(FRIEND)
        await page.locator("#dial button[type=submit]").click()
        friend = await outside.incoming()
        await friend.hears(ALICE_TONE)
        with asleep():
            await friend.ended(within=40)
            assert (await at.center.fact(f.OwnCallEnded)).why == "lost"
        await expect(page.locator("#own-call")).to_be_hidden()
        await expect(page.locator("#hang-up")).to_be_hidden()
        await expect(page.locator("#dial-to")).to_be_visible()  # ready or not: Asterisk's 11 s and the console's 12 s end nearly together


async def test_in_the_middle_of_a_payment(tmp_path: Path, database: str) -> None:
    """The caller pays in peace, and is at the head of the line then."""
    pay = {"type": "collect", "prompt": "enter-code", "attribute": "code", "max_length": 1, "first_digit_s": 40}
    end = {"type": "return", "outcome": "paid"}
    flows = {
        "main": {"start": "menu", "node": {"menu": MENU, "support": {"type": "queue", "queue": "support"}}},
        "pay": {"start": "enter", "node": {"enter": {**pay, "next": "end", "otherwise": "end"}, "end": end}},
    }
    async with shift(tmp_path, database, flow=flows, payments={"flows": ["pay"]}) as at:
        page = await at.signs_in()
        await at.is_ready(page)
        caller = await at.talking(page)
        await page.locator("#pay").click()
        await hears(page, MUSIC_TONES)
        with asleep():
            await at.center.fact(f.ContactParted, why="agent_lost")
            await caller.send_digit("7")
            await caller.hears(MUSIC_TONES)
            await at.center.fact(f.ContactEntered, 2)
        await caller.hang_up()


MENU = {"type": "menu", "prompt": "menu", "choices": {"2": "support"}, "otherwise": "support", "timeout_s": 10}
