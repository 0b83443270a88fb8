"""Each button of the console that acts, pressed twice as fast as fingers can, in real calls: it is one wish, and those who talk go on."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from callcenter.domain import facts as f
from callcenter.domain.facts import callbacks as cf
from callcenter.sim.sip.call import Call
from callcenter.sim.sip.policy import AnswerAfter
from tests.browser.shift import ALICE_TONE, FRIEND, QUEUES, Shift, hears, shift, silent
from tests.support.center import AGENT_TONES, CALLER_TONE

pytestmark = pytest.mark.long

BOB = AGENT_TONES["bob"]


async def both_hear(page: Page, caller: Call) -> None:
    await caller.hears(ALICE_TONE)
    await hears(page, CALLER_TONE)


async def talking(at: Shift, page: Page, **more: Any) -> Call:
    """Answered by a double click."""
    caller = await at.caller(**more)
    await page.locator("#answer").dblclick()
    await both_hear(page, caller)
    return caller


async def wraps_up(page: Page) -> None:
    await page.locator("#disposition").select_option("no_sale")
    await page.locator("#wrap-up-end").dblclick()
    await expect(page.locator("#state")).to_have_text("Ready")
    await expect(page.locator("#trouble")).to_be_hidden()


async def test_every_button_pressed_twice_is_one_wish(tmp_path: Path, database: str) -> None:
    async with shift(tmp_path, database, queue=[{**QUEUES[0], "wrap_up_s": 60}]) as at:
        page = await at.signs_in()
        await page.get_by_role("button", name="Log in").dblclick()
        await page.locator("#ready").dblclick()
        await expect(page.locator("#state")).to_have_text("Ready")

        caller = await talking(at, page, caller=FRIEND)
        for button in ("#mute", "#hold"):
            await page.locator(button).dblclick()
            await expect(page.locator(button)).to_have_attribute("aria-pressed", "true")
            await silent(caller)
            await page.locator(button).click()
            await both_hear(page, caller)
        tomorrow = (datetime.now().astimezone() + timedelta(days=1)).replace(hour=12, minute=0)
        await page.locator("#callback-at").fill(tomorrow.strftime("%Y-%m-%dT%H:%M"))
        await page.locator("#callback button").dblclick()
        await expect(page.locator("#callback-state")).to_have_text("Promised")
        await page.locator("#hang-up").dblclick()
        await caller.ended()
        await wraps_up(page)
        assert len(at.center.all(cf.CallbackCreated)) == 1
        assert len(at.center.all(f.ContactEnded)) == 1

        bob = await at.center.agent("bob", AnswerAfter(0.2))
        caller = await talking(at, page)
        await page.locator("#target").select_option("colleague:bob")
        await page.locator("#consult").dblclick()
        at_bob = await bob.incoming()
        await at_bob.hears(ALICE_TONE)
        await page.locator("#complete").dblclick()
        await caller.hears(BOB)
        await at_bob.hears(CALLER_TONE)
        assert len(bob.calls) == 1
        await caller.hang_up()
        await wraps_up(page)
        assert len(at.center.all(f.ContactEntered)) == 3  # two callers, of whom one was handed over once
        assert at.center.all(f.OfferMissed) == []
