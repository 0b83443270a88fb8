"""Her session ends in the middle of a call: an admin ended it, or twelve hours are over. The call goes on, and she resumes."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.people import PostgresPeople
from callcenter.domain import facts as f
from callcenter.domain.audit import By
from tests.browser.shift import ALICE_TONE, Shift, hears, shift
from tests.support.center import CALLER_TONE
from tests.support.people import PASSWORD

pytestmark = pytest.mark.long


async def sessions_end(at: Shift) -> None:
    """As an admin ends them."""
    engine = connect(at.database, name="test")
    try:
        assert await PostgresPeople(engine).end_sessions("alice", By("root")) == 1
    finally:
        await engine.dispose()


async def signs_in_again(page: Page) -> Page:
    """In the tab that the page offers; returns that."""
    async with page.expect_popup() as opened:
        await page.locator("#sign-in-again a").click()
    again = await opened.value
    await again.get_by_label("Sign-in name").fill("alice")
    await again.get_by_label("Password").fill(PASSWORD)
    await again.get_by_role("button", name="Sign in").click()
    await again.wait_for_url("**/agent")
    return again


async def test_a_session_that_ends_in_mid_call_costs_no_word(tmp_path: Path, database: str) -> None:
    async with shift(tmp_path, database) as at:
        page = await at.signs_in()
        await at.is_ready(page)
        caller = await at.talking(page)
        await sessions_end(at)
        await expect(page.locator("#trouble")).to_contain_text("Your session has ended")
        for button in ("#hold", "#not-ready", "#hang-up"):  # what nobody could be told of is not done
            await page.evaluate("() => { document.getElementById('trouble').textContent = '' }")
            await page.locator(button).click()
            await expect(page.locator("#trouble")).to_contain_text("session has ended")
        async with asyncio.timeout(30):  # longer than a console may be silent
            for _ in range(15):
                await caller.hears(ALICE_TONE, for_s=1.5)
        await hears(page, CALLER_TONE)
        assert at.center.all(f.ContactParted) == []

        again = await signs_in_again(page)
        await expect(again.locator("body")).to_have_attribute("data-shown", "talking/connected")
        await caller.hears(ALICE_TONE)
        await again.locator("#take-phone").click()  # the call comes over to the new tab
        await hears(again, CALLER_TONE)
        await caller.hears(ALICE_TONE)
        await again.locator("#hang-up").click()
        await caller.ended()
        await expect(again.locator("#hang-up")).to_be_hidden()
        assert [(fact.agent, fact.why) for fact in at.center.all(f.ContactParted)] != [("alice", "agent_lost")]
