"""The configuration in a real browser: by keyboard, without scripts, and with a voice."""

import wave
from array import array
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from callcenter.apps.people import add_person
from callcenter.domain.rights import Role
from callcenter.sim.sip.tones import goertzel, tone_pair
from tests.browser.center import Center, Screen
from tests.browser.sound import fake_microphone, microphone_browser
from tests.support.people import PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="module")

expect.set_options(timeout=60_000)


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def _admin(center: Center) -> None:
    await add_person(center.database, "ada", PASSWORD, [Role.ADMIN])


@pytest_asyncio.fixture(loop_scope="module")
async def scriptless(browser: Browser, center: Center, tmp_path: Path) -> AsyncIterator[Screen]:
    """A browser that runs no scripts at all."""
    context = await browser.new_context(java_script_enabled=False)
    yield await Screen.make(context, center.address, tmp_path)
    await context.close()


async def _saved(page: Page, reason: str) -> None:
    await page.get_by_label("Reason").fill(reason)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status").filter(has_text="is in use")).to_be_visible()


async def test_a_queue_is_changed_without_scripts_and_faults_stand_at_their_fields(scriptless: Screen) -> None:
    page = await scriptless.opens("/config/edit/queue/support", "ada")
    ring = page.get_by_label("An offer rings for (seconds)")
    await ring.fill("soon")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("Nothing was changed")
    await expect(ring).to_have_attribute("aria-invalid", "true")
    await expect(page.locator("p.fault")).to_contain_text("must be a number of seconds")
    await ring.fill("25")
    await page.keyboard.press("Enter")
    await expect(page.locator(".change")).to_contain_text("ring_timeout_s")
    await _saved(page, "they ring too short")
    await page.goto(f"{scriptless.address}/config/history?document=queue/support")
    await expect(page.locator("table")).to_contain_text("they ring too short")
    assert [each for each in scriptless.complaints if "422" not in each] == []


@pytest.mark.long
async def test_a_prompt_is_recorded_in_the_browser_and_sounds_as_it_was_spoken(center: Center, tmp_path: Path) -> None:
    tones = tone_pair(64)
    async with microphone_browser(fake_microphone(tmp_path / "voice.wav", tones)) as context:
        screen = await Screen.make(context, center.address, tmp_path)
        page = await screen.opens("/config/prompts/en/welcome", "ada")
        await page.get_by_role("button", name="Record", exact=True).click()
        await expect(page.locator("[data-say]")).to_contain_text("2 s")
        await page.get_by_role("button", name="Stop").click()
        await page.get_by_role("button", name="Use this recording").click()
        await expect(page.locator("[data-say]")).to_contain_text("kept in en")
        await page.reload()
        await expect(page.locator("section").first).to_contain_text("added recording")
        answer = await page.request.get(f"{screen.address}/config/prompts/en/welcome/sound.wav")
        with wave.open(BytesIO(await answer.body())) as heard:
            assert heard.getframerate() == 8_000
            samples = array("h", heard.readframes(heard.getnframes()))
        assert len(samples) > 8_000
        middle = list(samples[4000:8000])  # half a second
        energy = sum(sample * sample for sample in middle)
        assert energy > 500 * 500 * len(middle)
        assert all(goertzel(middle, tone) / energy > 0.3 for tone in tones)
        assert screen.complaints == []
