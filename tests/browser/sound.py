"""A Chromium with a microphone that says what a file says."""

import shutil
import wave
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import pi, sin
from pathlib import Path

from playwright.async_api import BrowserContext, async_playwright

from callcenter.sim.sip.tones import TonePair
from tests.browser.conftest import QUIET

RATE = 48_000


def fake_microphone(file: Path, tones: TonePair, seconds: int = 2) -> Path:
    """A WAV file that is repeated for ever; whole seconds, so that whole hertz go on without a click."""
    samples = array("h", (int(9000 * sum(sin(2 * pi * round(tone) * n / RATE) for tone in tones)) for n in range(RATE)))
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.tobytes() * seconds)
    return file


@asynccontextmanager
async def microphone_browser(file: Path) -> AsyncIterator[BrowserContext]:
    """Debian's Chromium: may use the microphone without asking, and hears that file in it."""
    program = shutil.which("chromium")
    assert program is not None, "Chromium is missing: scripts/setup.sh --tests installs it"
    flags = (
        *QUIET,
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={file}",
        "--autoplay-policy=no-user-gesture-required",
        "--disable-features=WebRtcHideLocalIpsWithMdns",
    )
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=flags)
        try:
            context = await browser.new_context(viewport={"width": 1280, "height": 900}, permissions=["microphone"])
            yield context
        finally:
            await browser.close()
