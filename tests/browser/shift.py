"""A shift at the console: a whole center (Asterisk, engine, web, books, each a process), and a browser whose microphone says tones.

async with shift(tmp_path, database) as shift:
    page = await shift.signs_in()
    await shift.is_ready(page)
    caller = await shift.center.call()
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, Page, expect

from callcenter.apps.people import add_person
from callcenter.domain.rights import Role
from callcenter.runtime.ports import free_ports
from callcenter.sim.sip.call import Call, NotHeard
from callcenter.sim.sip.phone import Phone
from callcenter.sim.sip.policy import AnswerAfter, InvitePolicy
from callcenter.sim.sip.tones import TonePair, tone_pair
from tests.browser.sound import fake_microphone, microphone_browser
from tests.support.asterisk import MENU_TONES
from tests.support.center import CALLER_TONE, RunningCenter, running_center
from tests.support.people import PASSWORD

expect.set_options(timeout=60_000)
ALICE_TONE: TonePair = tone_pair(64)
"""What the browser's microphone hears."""
OUTSIDE_TONE: TonePair = tone_pair(48)
FRIEND = "+12025550171"
"""Whom alice may call."""
SCRIPT: dict[str, Any] = {
    "title": "Sale",
    "start": "hello",
    "page": {
        "hello": {
            "text": "Hello {caller_name}, you call about {topic}.",
            "field": [
                {"name": "plan", "label": "Plan", "kind": "choice", "required": True, "choices": ["gold", "silver"]},
                {"name": "email", "label": "E-mail", "kind": "email"},
            ],
            "go": [{"when": 'attribute.plan == "gold"', "to": "gold"}],
        },
        "gold": {"text": "Gold for {caller}.", "field": [{"name": "seats", "label": "Seats", "kind": "number", "least": 1}]},
    },
}
QUEUES = [
    {
        "name": "support",
        "music": "tones",
        "wrap_up_s": 60,
        "dispositions": ["sale/by-phone", "sale/by-mail", "no_sale", "leave_me_alone"],
        "disposition_required": True,
        "script": "sale",
        "screen_pop": "https://crm.example.org/find?number={caller}",
        "callback": {},
    }
]
AGENTS = [{"name": "alice", "queues": ["support"], "phone": "browser"}, {"name": "bob", "queues": ["support"]}]


@dataclass
class Shift:
    center: RunningCenter
    context: BrowserContext
    database: str
    port: int
    carrier: int
    """The port to which the trunk's calls go."""
    web: asyncio.subprocess.Process | None = None
    calls: list[Call] = field(default_factory=list)
    """Callers of so far."""
    complaints: list[str] = field(default_factory=list)
    """What the browser found wrong with our pages."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # --- the web process ------------------------------------------------------------------------

    async def start(self, name: str) -> asyncio.subprocess.Process:
        environment = {**os.environ, "CALLCENTER_DATABASE_URL": self.database}
        command = [sys.executable, "-m", "callcenter.apps.cli", name, "--config", str(self.center.file)]
        with self.log(name).open("ab") as log:
            return await asyncio.create_subprocess_exec(*command, stderr=log, stdout=log, env=environment)

    def log(self, name: str) -> Path:
        return self.center.file.with_name(f"{name}.log")

    async def start_web(self) -> None:
        before = self.log("web").read_text().count("web_up") if self.log("web").exists() else 0
        self.web = await self.start("web")
        await self.center.until(lambda: self.log("web").read_text().count("web_up") > before)

    async def stop_web(self) -> None:
        if self.web is not None and self.web.returncode is None:
            self.web.terminate()
            await self.web.wait()
        self.web = None

    # --- the browser ----------------------------------------------------------------------------

    async def tab(self) -> Page:
        page = await self.context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        page.on("console", lambda said: self.complaints.append(said.text) if "Content Security Policy" in said.text else None)
        return page

    async def signs_in(self) -> Page:
        """Alice, from the sign-in to her console with its phone connected."""
        page = await self.tab()
        await page.goto(f"{self.address}/sign-in")
        await page.get_by_label("Sign-in name").fill("alice")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page).to_have_url(f"{self.address}/agent")
        await expect(page.locator("#phone")).to_have_text("Phone: here, connected")
        return page

    async def outside(self, on_invite: InvitePolicy | None = None) -> Phone:
        """Everybody whom we dial through the trunk."""
        policy = on_invite or AnswerAfter(0.5)
        phone = await Phone.start("carrier", local_port=self.carrier, tone=OUTSIDE_TONE, on_invite=policy)
        await self.center.stack.enter_async_context(phone)
        await self.center.until(self._trunk_is_there)
        return phone

    def _trunk_is_there(self) -> bool:
        """Asterisk asks now and then; here, at once."""
        self.center.pbx.cli("pjsip qualify carrier")
        return any("carrier" in line and "Avail" in line for line in self.center.pbx.cli("pjsip show contacts").splitlines())

    async def caller(self, **more: Any) -> Call:
        """A caller who has chosen ``support``."""
        caller = await self.center.call(**more)
        self.calls.append(caller)
        await caller.hears(MENU_TONES, for_s=0.2)
        await caller.send_digit("2")
        return caller

    async def all_hang_up(self) -> None:
        """Whoever is still there."""
        for call in self.calls:
            if call.is_up:
                await call.hang_up()
        self.calls.clear()

    async def talking(self, page: Page, **more: Any) -> Call:
        """A caller talks to alice, who is ready, at her console."""
        caller = await self.caller(**more)
        await page.locator("#answer").click()
        await caller.hears(ALICE_TONE)
        await hears(page, CALLER_TONE)
        return caller

    async def is_ready(self, page: Page) -> None:
        await page.get_by_role("button", name="Log in").click()
        await expect(page.locator("#ready")).to_be_visible()
        await page.locator("#ready").click()
        await expect(page.locator("#state")).to_have_text("Ready")


@asynccontextmanager
async def shift(tmp_path: Path, database: str, *, books: bool = False, **tables: Any) -> AsyncIterator[Shift]:
    (port,) = free_ports(1)
    given = {"queue": QUEUES, "agent": AGENTS, "script": {"sale": SCRIPT}, "web": {"port": port}, "disposition": FLAGS, **tables}
    await add_person(database, "alice", PASSWORD, [Role.AGENT], agent="alice")
    (carrier,) = free_ports(1)
    given["calling"] = {"trunk": "carrier"}
    given["trunk"] = [{"name": "carrier", "authentication": "address", "addresses": ["127.0.0.1"], "host": "127.0.0.1", "port": carrier}]
    async with running_center(**given) as center, microphone_browser(fake_microphone(tmp_path / "voice.wav", ALICE_TONE)) as context:
        await context.add_init_script('localStorage.setItem("callcenter.audio", JSON.stringify({processing: false}))')
        made = Shift(center, context, database, port, carrier)
        keeping = await made.start("books") if books else None
        try:
            await made.start_web()
            yield made
            assert made.complaints == []
        except BaseException:
            print(made.log("web").read_text()[-4000:])
            raise
        finally:
            await context.close()
            await made.stop_web()
            if keeping is not None:
                keeping.terminate()
                await keeping.wait()


FLAGS = {"sale/by-phone": {"success": True, "resolved": True}, "leave_me_alone": {"do_not_call": True, "never_again": True}}


async def silent(call: Call, *tones: TonePair) -> None:
    """Wait until the far end hears nothing of these any more (of alice, when not given), and then for a whole second not a bit."""
    tones = tones or (ALICE_TONE,)
    async with asyncio.timeout(20):
        while await _heard(call, tones, 0.3, 0.7):
            pass
    assert not await _heard(call, tones, 0.1, 1.0)


async def _heard(call: Call, tones: tuple[TonePair, ...], for_s: float, within: float) -> bool:
    async def one(tone: TonePair) -> bool:
        try:
            await call.hears(tone, for_s=for_s, within=within)
        except NotHeard:
            return False
        return True

    return any(await asyncio.gather(*map(one, tones)))


async def hears(page: Page, *tones: TonePair) -> None:
    """What the page plays holds all these tones, and is loud enough to be a voice."""
    await page.wait_for_function(
        EAR + "return ear.level() > 0.01 && tones.flat().every(tone => ear.above(tone) > 20); }",
        arg=[list(pair) for pair in tones],
    )


async def hears_no_more(page: Page, *tones: TonePair) -> None:
    """For a whole second nothing of what the page plays is any of these."""
    await page.wait_for_function(
        EAR
        + """tones.every(pair => pair.some(tone => ear.above(tone) < 12)) ? (window.quiet ??= performance.now()) : (window.quiet = null);
            const over = window.quiet !== null && performance.now() - window.quiet > 1000;
            if (over) window.quiet = null;
            return over; }""",
        arg=[list(pair) for pair in tones],
    )


EAR = """async tones => {
    const { Listener } = await import("/static/agent/devices.js");
    const phone = window.callcenterPhone;
    if (!phone || !phone.audio.srcObject) return false;
    if (window.earOf !== phone.audio.srcObject) {
        window.earOf = phone.audio.srcObject;
        window.ear = new Listener(phone.audio.srcObject);
    }
    const ear = window.ear;
"""
