"""The console whose page is the phone, with a real Asterisk and a real caller: what a center without them cannot show."""

from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import Page, expect

from tests.browser.pictures.scene import MARIA, SCRIPT
from tests.browser.pictures.views import View
from tests.browser.shift import QUEUES, shift

TEST = View("agent-phone-test", "Microphone and loudspeaker, before the shift", "/agent")
OFFERED = View("agent-phone-offered", "A contact is offered, the phone is the page", "/agent")
TALKING = View("agent-phone-talking", "Talking, the phone is the page", "/agent")
SHIFT = (TEST, OFFERED, TALKING)


async def shift_views(folder: Path, database: str) -> AsyncIterator[tuple[View, Page]]:
    """Each view with its page as it is then, one after the other."""
    center = {"name": "Example Call Center", "time_zone": "America/New_York"}
    hello = {**SCRIPT["page"]["hello"], "text": "Good afternoon, {caller_name}. What may I change for you?"}
    script = {"order": {**SCRIPT, "page": {"hello": hello}}}
    async with shift(folder, database, center=center, queue=[{**QUEUES[0], "script": "order"}], script=script) as at:
        page = await at.signs_in()
        await page.locator("#audio-open").click()
        await expect(page.locator("#input option").first).to_be_attached()
        yield TEST, page
        await page.locator("#audio-open").click()
        await at.is_ready(page)
        await at.caller(from_raw=f'"Maria Gonzalez" <sip:{MARIA}@127.0.0.1>')
        await expect(page.locator("#answer")).to_be_visible()
        yield OFFERED, page
        await page.locator("#answer").click()
        await expect(page.locator("#quality")).to_be_visible()
        await page.locator("#keypad-box summary").click()
        yield TALKING, page
        await at.all_hang_up()
