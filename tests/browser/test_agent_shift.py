"""The agent's console in a real browser, with real callers: from sign-in to wrap-up, and what happens when things break in between."""

import asyncio
from pathlib import Path

from playwright.async_api import Page, expect

from callcenter.domain import facts as f
from callcenter.sim.sip.call import Call, NotHeard
from callcenter.sim.sip.policy import AnswerAfter
from tests.browser.shift import ALICE_TONE, hears, shift
from tests.support.center import AGENT_TONES, CALLER_TONE


async def silent(caller: Call) -> None:
    """Wait until the caller hears nothing of alice any more."""
    async with asyncio.timeout(20):
        while True:
            try:
                await caller.hears(ALICE_TONE, within=0.7, for_s=0.3)
            except NotHeard:
                return


async def press(page: Page, key: str) -> None:
    await page.locator("body").press(key)


async def test_a_short_shift(tmp_path: Path, database: str) -> None:
    async with shift(tmp_path, database) as at:
        page = await at.signs_in()
        await at.is_ready(page)
        caller = await at.center.call()
        await caller.send_digit("2")

        await expect(page.locator("#caller")).to_have_text("+12025550123")
        await expect(page.locator("#answer")).to_be_visible()
        await press(page, "a")
        await caller.hears(ALICE_TONE)
        await hears(page, CALLER_TONE)
        await expect(page.locator("#state")).to_have_text("Talking")
        await expect(page.locator("#pop-link")).to_have_attribute("href", "https://crm.example.org/find?number=%2B12025550123")

        await press(page, "m")
        await silent(caller)
        await press(page, "m")
        await caller.hears(ALICE_TONE)
        await press(page, "h")
        await expect(page.locator("#held")).to_be_visible()
        await press(page, "h")
        await caller.hears(ALICE_TONE)
        await page.locator("#keypad-box summary").click()
        await page.locator("#keypad button", has_text="5").click()
        await caller.hears_digits("5")

        bob = await at.center.agent("bob", AnswerAfter(0.2))
        await page.locator("#target").select_option("colleague:bob")
        await page.locator("#consult").click()
        at_bob = await bob.incoming()
        await at_bob.hears(ALICE_TONE)
        await hears(page, AGENT_TONES["bob"])
        await page.locator("#complete").click()
        await caller.hears(AGENT_TONES["bob"])
        await at_bob.hears(CALLER_TONE)

        await expect(page.locator("#state")).to_have_text("Wrap-up (ACW)")
        await page.locator("#wrap-up-end").click()
        await expect(page.locator("#trouble")).to_contain_text("wants a disposition")
        await page.locator("#disposition").select_option("sale/by-phone")
        await expect(page.locator("#disposition-means")).to_have_text("success · resolved")
        await page.locator("#note").fill("Wants the blue one.")
        await page.locator("#wrap-up-end").click()
        await expect(page.locator("#state")).to_have_text("Ready")
        given = await at.center.fact(f.DispositionGiven, agent="alice")
        assert (given.disposition, given.flags) == ("sale/by-phone", ("success", "resolved"))
        assert (await at.center.fact(f.ContactNoted)).note == "Wants the blue one."
        assert (await at.center.fact(f.TalkMeasured)).received > 50
        assert len(at.center.all(f.ContactHeld, agent="alice")) >= 1
        await caller.hang_up()
