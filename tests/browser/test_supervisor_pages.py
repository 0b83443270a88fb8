"""The wallboard, the supervisor's page and the trends in a real browser, in front of a real engine whose node is not there."""

import asyncio
import re
import unicodedata
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Error, Locator, Page, expect

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.ledger import PostgresLedger
from callcenter.apps.bench.fake_center import FakeCenter
from callcenter.apps.people import add_person
from callcenter.domain.rights import Role
from callcenter.services.journal import Journal
from callcenter.services.ledger import Shipper
from callcenter.sim.fake_pbx import Mood, Phone
from tests.browser.axe import axe
from tests.browser.center import Screen, noon_zone
from tests.support.day import abandoned_call, answered_call
from tests.support.people import PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="module")

expect.set_options(timeout=60_000)
SUPPORT, SALES = "+12025550100", "+12025550101"
HOSTILE = '<img src=x onerror="alert(1)">\u202eevil'
LONG_NAMES = ["A" * 200, "Wolfeschlegelsteinhausenbergerdorff " * 6, "م" * 200, "\u202e" + "evil" * 50, "漢" * 200]
REGIONS = ("Callers waiting", "Calls in progress", "Agents", "Today", "Opening hours")


class Floor(FakeCenter):
    """Alice answers after a moment, bob's phone rings on; sue supervises, and has a phone."""

    def __init__(self, folder: Path, database_url: str) -> None:
        flow = {name: {"start": "q", "node": {"q": {"type": "queue", "queue": name}}} for name in ("support", "sales")}
        tables = {
            "center": {"name": "Example & Sons", "time_zone": noon_zone(datetime.now(UTC))},
            "queue": [{"name": "support", "wrap_up_s": 1}, {"name": "sales"}],
            "agent": [
                {"name": "alice", "queues": ["support"]},
                {"name": "bob", "queues": ["support", "sales"]},
                {"name": "sue", "queues": []},
            ],
            "supervisor": [{"name": "sue", "queues": ["*"]}],
            "number": [{"did": SUPPORT, "flow": "support"}, {"did": SALES, "flow": "sales"}],
            "flow": flow,
            "calendar": {"main": {"weekly": ["mon-sun 00:00-24:00"]}},
        }
        super().__init__(folder, tables, database_url)

    def phone(self, agent: str, mood: Mood = Mood.ANSWERS) -> None:
        self.pbx.phones[self.secrets.phones[agent].endpoint] = Phone(mood, lambda: timedelta(seconds=0.3))

    async def empty(self) -> None:
        """Nobody calls, nobody is logged in."""
        for leg in list(self.pbx.channels):
            if leg in self.pbx.channels:
                self.pbx.party_hangs_up(leg)
        for name in ("alice", "bob", "sue"):
            self.phone(name)
            await self.ask("agent_force", agent=name, state="logged_out", by="test")
        async with asyncio.timeout(60):
            while True:
                state = await self.ask("state")
                agents = [agent for agent in state["agents"] if isinstance(agent, dict)]  # type: ignore[union-attr]
                if not state["calls"] and all(agent["state"] == "logged_out" for agent in agents):
                    return
                await asyncio.sleep(0.05)

    def calls(self, did: str = SUPPORT, caller: str = "+12025550177") -> str:
        return self.pbx.call_in(did, caller)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def floor(tmp_path_factory: pytest.TempPathFactory, database: str) -> AsyncIterator[Floor]:
    folder = tmp_path_factory.mktemp("floor")
    floor = Floor(folder, database)
    await add_person(database, "sue", PASSWORD, [Role.SUPERVISOR], agent="sue")
    await keep_a_day(folder, database)
    async with floor:
        yield floor


async def keep_a_day(folder: Path, database: str) -> None:
    """What the books hold of today and of a week ago."""
    store, journal = connect(database, name="test"), Journal(folder / "before")
    shipper = Shipper(folder / "before", PostgresLedger(store), dead_letters=folder)
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    week_ago = hour_ago - timedelta(weeks=1)
    today = (*answered_call("t1", hour_ago, "alice"), *abandoned_call("t2", hour_ago, wait=40))
    for facts in (*today, *answered_call("w1", week_ago, "alice")):
        journal.append(facts)
    await journal.sync()
    while await shipper.step():
        pass
    journal.close()
    await store.dispose()


@pytest_asyncio.fixture(loop_scope="module")
async def screen(browser: Browser, floor: Floor, tmp_path: Path) -> AsyncIterator[Screen]:
    await floor.empty()
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    yield await Screen.make(context, floor.address, tmp_path)
    await context.close()


async def sticking_out(page: Page) -> list[str]:
    """What makes the page scroll sideways; tables scroll within their own region."""
    found = await page.evaluate(
        """() => document.documentElement.scrollWidth <= document.documentElement.clientWidth ? [] :
            [...document.querySelectorAll("body *")].filter((one) => {
                const box = one.getBoundingClientRect();
                return !one.closest(".scroll") && (box.right > document.documentElement.clientWidth + 1 || box.left < -1);
            }).map((one) => `${one.tagName} ${one.id} ${one.className}`).concat(["the page"])"""
    )
    return [str(one) for one in found]


def cell(page: Page, table: str, key: str, column: str) -> Locator:
    return page.locator(f"#{table} tr[data-key='{key}'] [data-column='{column}']")


async def test_the_wallboard_follows_the_center_and_reads_well_for_everybody(screen: Screen, floor: Floor) -> None:
    page = await screen.opens("/wallboard")
    await expect(page.locator("#connection")).to_have_text("Live")
    await expect(cell(page, "queues", "support", "waiting")).to_have_text("0")
    await expect(cell(page, "queues", "support", "answered")).to_have_text("1")
    await expect(page.locator("#totals [data-column='abandoned']")).to_have_text("1")
    floor.calls(caller=HOSTILE)
    waiting = cell(page, "queues", "support", "logged_in")
    await expect(waiting).to_have_attribute("data-level", "alarm")
    await expect(waiting.locator(".mark")).to_have_text("◆alarm")
    await expect(page.locator("#totals [data-column='waiting']")).to_have_text("1")
    row = await page.locator("#queues tr[data-key='support']").element_handle()
    await floor.agent_ready("alice")
    await expect(page.locator("#agents li[data-key='alice'] .tag")).to_have_text("talking")
    await expect(waiting).not_to_have_attribute("data-level", "alarm")
    lasting = page.locator("#agents li[data-key='alice'] time")
    await expect(lasting).to_have_text("0:01")
    await expect(lasting).to_have_text("0:02")
    assert row is not None
    assert await row.evaluate("one => one.isConnected"), "a row stays the same element, so that nobody loses their place"
    assert screen.complaints == []


async def test_the_pages_say_what_is_away_and_go_on_by_themselves(screen: Screen, floor: Floor) -> None:
    page = await screen.opens("/supervisor")
    trouble, connection = page.locator("#trouble"), page.locator("#connection")
    await expect(connection).to_have_text("Live")
    await expect(trouble).to_be_hidden()
    await floor.stop_engine()
    await expect(trouble).to_contain_text("The engine does not answer")
    await floor.start_engine()
    await expect(trouble).to_be_hidden()
    await floor.ask("calendar_switch", calendar="main", is_open=False, reason="fire drill", by="test")
    await expect(trouble).to_have_text("Calendar main is closed by hand.")
    await expect(cell(page, "calendars", "main", "open")).to_have_text("closed")
    assert screen.complaints == []
    await floor.stop_web()
    await expect(connection).to_have_text("Connection lost; trying again")
    floor.calls(caller="+12025550008")
    await floor.ask("calendar_switch", calendar="main", is_open=None, by="test")
    await floor.start_web()
    await expect(connection).to_have_text("Live")
    await expect(page.locator("#waiting tbody th")).to_have_text("+12025550008")
    await expect(trouble).to_be_hidden()


async def test_whatever_callers_are_called_the_page_keeps_its_shape_at_every_width_and_from_right_to_left(
    screen: Screen, floor: Floor
) -> None:
    page = await screen.opens("/supervisor")
    elements = await kinds_of_elements(page)
    names = [HOSTILE, *LONG_NAMES]
    for name in names:
        floor.pbx.call_in(SUPPORT, "+12025550177", caller_name=name)
    await expect(page.locator("#waiting tbody tr")).to_have_count(len(names))
    for shown in await page.locator("#waiting tbody th bdi").all_inner_texts():
        assert not [sign for sign in shown if unicodedata.category(sign) in ("Cc", "Cf", "Cs")]
    assert await kinds_of_elements(page) - elements <= {"TD", "TIME", "BDI", "TR"}
    for width in (320, 768, 1440, 2560):
        await page.set_viewport_size({"width": width, "height": 900})
        await in_good_shape(page)
    await page.evaluate("document.documentElement.dir = 'rtl'")
    await in_good_shape(page)
    first, last = await page.locator("#waiting thead th").first.bounding_box(), await page.locator("#waiting thead th").last.bounding_box()
    assert first is not None
    assert last is not None
    assert last["x"] < first["x"]
    assert screen.complaints == []


async def kinds_of_elements(page: Page) -> set[str]:
    return set(await page.locator("body *").evaluate_all("all => all.map(one => one.tagName)"))


async def in_good_shape(page: Page) -> None:
    """Nothing sticks out: the page does not scroll sideways, each text stays in its cell, no row is taller than eight lines."""
    assert await sticking_out(page) == []
    cells = await page.locator("tbody tr > *:has(> bdi, > time)").evaluate_all(
        """cells => cells.map(cell => {
            const outer = cell.getBoundingClientRect(), inner = cell.firstElementChild.getBoundingClientRect();
            return {text: cell.innerText, height: outer.height,
                out: inner.left < outer.left - 1 || inner.right > outer.right + 1 || inner.bottom > outer.bottom + 1};
        })"""
    )
    assert cells
    assert [seen for seen in cells if seen["out"] or seen["height"] > 8 * 26] == []


async def test_even_markup_could_not_run_a_script(screen: Screen) -> None:
    """The second wall: were a text ever taken for markup, the browser would refuse it."""
    page = await screen.opens("/supervisor")
    with pytest.raises(Error, match="TrustedHTML"):
        await page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=alert(1)>')")
    await page.evaluate("""() => {
        const image = document.createElement("img");
        image.src = "http://127.0.0.1:9/elsewhere.png";
        document.body.append(image);
    }""")
    await expect(page.locator("img")).to_have_count(1)
    assert [said for said in screen.complaints if "Content Security Policy" in said]
    assert not [said for said in screen.complaints if said.startswith("dialog")]


async def test_the_supervisors_page_is_built_for_screen_readers_and_keyboards(screen: Screen, floor: Floor) -> None:
    page = await screen.opens("/supervisor")
    await expect(page.locator("#connection")).to_have_text("Live")
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await expect(page.get_by_role("main")).to_have_count(1)
    await expect(page.get_by_role("banner")).to_have_count(1)
    for name in REGIONS:
        await expect(page.get_by_role("table", name=name, exact=True)).to_have_count(1)
    await page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    await expect(skip).to_be_focused()
    box = await skip.bounding_box()
    assert box is not None
    assert box["width"] > 100
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main")).to_be_focused()
    reached = []
    for _ in range(20):
        await page.keyboard.press("Tab")
        name, outline = await page.evaluate(
            """() => { const one = document.activeElement, style = getComputedStyle(one);
                const by = document.getElementById(one.getAttribute("aria-labelledby"));
                return [by?.textContent ?? "", `${style.outlineStyle} ${style.outlineWidth}`]; }"""
        )
        if name:
            assert outline == "solid 3px", name
            reached.append(name)
    assert reached == list(REGIONS)


@pytest.mark.long
async def test_the_wallboard_is_worked_by_keyboard_and_sounds_only_for_who_wants_it(screen: Screen, floor: Floor) -> None:
    page = await screen.opens("/wallboard")
    await expect(page.locator("#connection")).to_have_text("Live")
    sound = page.get_by_role("button", name="Sound is off")
    await expect(sound).to_have_attribute("aria-pressed", "false")
    await sound.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Sound is on")).to_have_attribute("aria-pressed", "true")
    full = page.get_by_role("button", name="Full screen")
    await full.focus()
    await page.keyboard.press("Space")
    await expect(full).to_have_attribute("aria-pressed", "true")
    await expect(page.locator("header.shell")).to_be_hidden()
    floor.calls()
    await expect(page.locator("#announcement")).to_have_text(re.compile("alarm: support"))
    assert screen.complaints == []


@pytest.mark.parametrize(("language", "direction"), [("es", "ltr"), ("ar", "rtl")])
@pytest.mark.long
async def test_the_pages_speak_other_languages_and_fit_narrow_screens(
    browser: Browser, floor: Floor, tmp_path: Path, language: str, direction: str
) -> None:
    await floor.empty()
    context = await browser.new_context(viewport={"width": 360, "height": 800}, locale=language)
    screen = await Screen.make(context, floor.address, tmp_path)
    page = await screen.opens("/wallboard")
    floor.calls()
    for path in ("/wallboard", "/supervisor", "/trends"):
        await page.goto(f"{floor.address}{path}")
        await expect(page.locator("html")).to_have_attribute("dir", direction)
        await expect(page.locator("h1")).to_be_visible()
        assert await axe(page) == [], path
        assert await sticking_out(page) == [], path
    assert screen.complaints == []
    await context.close()


async def test_a_supervisor_moves_explains_forces_and_listens(screen: Screen, floor: Floor) -> None:
    page = await screen.opens("/supervisor")
    await expect(page.locator("#connection")).to_have_text("Live")
    floor.calls(SALES, HOSTILE)
    row = page.locator("#waiting tbody tr")
    await expect(row).to_have_count(1)
    await expect(row.locator("th")).to_contain_text("<img src=x")
    await row.get_by_role("button").click()
    await page.get_by_role("button", name="Why does this caller wait?").click()
    dialog = page.get_by_role("dialog", name="Why this caller waits")
    await expect(dialog).to_contain_text("bob: is logged out")
    assert await axe(page) == []
    await dialog.get_by_role("button", name="Close").click()
    await row.get_by_role("button").click()
    await page.locator("#move-queue").select_option("support")
    await page.get_by_role("button", name="Move to a queue").click()
    await expect(page.locator("#said")).to_have_text("Done.")
    await expect(row.locator("[data-column='queue']")).to_have_text("support")
    await page.locator("#agents tr[data-key='alice']").get_by_role("button").click()
    await page.get_by_role("button", name="Ready", exact=True).click()
    await expect(cell(page, "agents", "alice", "state")).to_have_text("talking")
    await page.locator("#agents tr[data-key='alice']").get_by_role("button").click()
    await page.get_by_role("button", name="Listen", exact=True).click()
    await expect(page.locator("#supervision-says")).to_have_text("You hear alice (support); nobody hears you.")
    await page.locator("#supervision").get_by_role("button", name="Whisper").click()
    await expect(page.locator("#supervision-says")).to_have_text("You hear alice (support); only the agent hears you.")
    assert await axe(page) == []
    await page.locator("#supervision").get_by_role("button", name="End").click()
    await expect(page.locator("#supervision")).to_be_hidden()
    assert screen.complaints == []


@pytest.mark.long
async def test_what_cannot_be_is_said_and_the_call_goes_on(screen: Screen, floor: Floor) -> None:
    page = await screen.opens("/supervisor")
    await floor.agent_ready("bob")
    await page.locator("#agents tr[data-key='bob']").get_by_role("button").click()
    await page.get_by_role("button", name="Listen", exact=True).click()
    await expect(page.locator("#said")).to_contain_text("bob is not talking")
    await floor.stop_engine()
    await expect(page.locator("#trouble")).to_be_visible()
    await page.locator("#write-notice").click()
    await page.locator("#notice-text").fill("Lunch is served")
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator("#said")).to_contain_text("the engine does not answer")
    await floor.start_engine()
    await expect(page.locator("#trouble")).to_be_hidden()
    await page.locator("#write-notice").click()
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator("#said")).to_have_text("Done.")


@pytest.mark.long
async def test_trends_show_today_beside_a_week_ago_as_charts_and_as_figures(screen: Screen, floor: Floor) -> None:
    page = await screen.opens("/trends")
    await expect(page.locator("body")).to_have_attribute("data-ready", "yes")
    await expect(page.locator("#offered canvas")).to_be_visible()
    offered = page.locator("#figures tbody tr").first.locator("td").first
    await expect(offered).to_have_text("2 (1)")
    await page.locator("#queue").select_option("sales")
    await expect(page.locator("#figures tbody tr")).to_have_count(0)
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        assert await axe(page) == []
    assert screen.complaints == []


@pytest.mark.long
async def test_an_alert_is_set_up_fires_on_the_screen_and_is_over(screen: Screen, floor: Floor) -> None:
    page = await screen.opens("/alerts")
    await page.get_by_label("Name").fill("crowd <b>")
    await page.get_by_label("Figure").select_option("waiting")
    await page.get_by_label("Value", exact=True).fill("none")
    await page.get_by_label("For so many seconds").fill("1")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#value-fault")).to_have_text("A number from 0 on is needed.")
    assert await axe(page) == []
    await page.get_by_label("Value", exact=True).fill("0")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    await expect(page.locator("tbody tr").first).to_contain_text("Callers waiting > 0 · for 1 s")
    leg = floor.calls()
    await page.goto(f"{floor.address}/supervisor")
    await expect(page.locator("#alerts li")).to_have_text(re.compile(r"▲ crowd <b>: support waiting > 0 for 1 s \(now 1\)"))
    assert await axe(page) == []
    floor.pbx.party_hangs_up(leg)
    await expect(page.locator("#alerts-section")).to_be_hidden()
    await page.goto(f"{floor.address}/alerts")
    over = page.locator("section", has_text="The latest alerts").locator("tbody tr").first.locator("td").last
    await expect(over).to_have_text(re.compile(r"\w{3} 20\d\d-\d\d-\d\d \d\d:\d\d"))
    assert await axe(page) == []
    await page.get_by_role("button", name="Remove crowd <b>").click()
    await expect(page.get_by_text("There are no rules.")).to_be_visible()
    assert [said for said in screen.complaints if "422" not in said] == []
