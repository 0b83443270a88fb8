"""The live page in a real browser: it lets in who has signed in, keeps itself up to date, and nothing a caller sends can break it."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Error, Locator, Page, expect

from tests.adapters.web.test_pages import HOSTILE
from tests.browser.axe import axe
from tests.browser.center import NAME, Center, Screen, person, picture
from tests.support.day import answered_call

pytestmark = pytest.mark.asyncio(loop_scope="module")

expect.set_options(timeout=60_000)
REGIONS = ("Queues", "Opening hours", "Agents", "Callers waiting", "Calls in progress", "Today")
NOTICE = "The engine does not answer"
LONG_NAMES = ["A" * 200, "Wolfeschlegelsteinhausenbergerdorff " * 6, "م" * 200, "\u202e" + "evil" * 50, "漢" * 200]


def cell(page: Page, table: str, key: str, column: str) -> Locator:
    return page.locator(f"#{table} tr[data-key='{key}'] [data-column='{column}']")


def total(page: Page, name: str) -> Locator:
    return page.locator(f"#totals dd[data-column='{name}']")


# --- the door ----------------------------------------------------------------------------------------


async def test_who_has_not_signed_in_is_asked_to(screen: Screen) -> None:
    await screen.page.goto(f"{screen.address}/live")
    assert screen.page.url == f"{screen.address}/sign-in?next=/live"
    assert await screen.page.locator("table").count() == 0
    assert await screen.page.context.cookies() == []
    await screen.signs_in("sue", "another password")
    await expect(screen.page.get_by_role("alert")).to_contain_text("do not fit")
    await screen.signs_in("sue")
    await expect(screen.page.locator("#queues")).to_be_visible()


async def test_the_session_is_a_cookie_that_no_script_reads(screen: Screen, center: Center) -> None:
    page = await screen.opens()
    assert page.url == f"{screen.address}/live"
    (cookie,) = await page.context.cookies()
    assert (cookie.get("httpOnly"), cookie.get("sameSite"), cookie.get("path")) == (True, "Lax", "/")
    assert await page.evaluate("document.cookie") == ""
    await page.reload()
    await expect(page.locator("#queues")).to_be_visible()
    assert not [line for line in center.log if str(cookie.get("value")) in line]


# --- what it shows -----------------------------------------------------------------------------------


async def test_it_shows_queues_agents_calls_and_today(screen: Screen) -> None:
    page = await screen.opens()
    await expect(page).to_have_title(f"{NAME}: live")
    await expect(page.get_by_role("heading", level=1)).to_have_text(NAME)
    await expect(cell(page, "queues", "support", "waiting")).to_have_text("1")
    await expect(cell(page, "waiting", "c2", "caller")).to_have_text("+15551234567")
    await expect(cell(page, "agents", "bob", "state")).to_have_text("not ready: missed offer")
    await expect(cell(page, "agents", "bob", "phone")).to_have_text("unreachable")
    await expect(cell(page, "calls", "k1", "agent")).to_have_text("alice")
    await expect(cell(page, "kpi", "support", "abandoned")).to_have_text("1")
    await expect(total(page, "talking")).to_have_text("1")
    await expect(total(page, "longest")).to_have_text(re.compile(r"^\d:\d\d$"))
    await expect(page.locator("#connection")).to_have_text("Live")
    assert screen.complaints == []


async def test_what_happens_is_shown_without_a_reload(screen: Screen, center: Center) -> None:
    page = await screen.opens()
    await expect(total(page, "waiting")).to_have_text("1")
    row = await page.locator("#agents tr[data-key='alice']").element_handle()
    assert row is not None
    center.picture = picture([person("c2", "+15551234567"), person("c3", "+15550000003")], [], alice="ready")
    center.happens()
    await expect(cell(page, "waiting", "c3", "caller")).to_have_text("+15550000003")
    await expect(total(page, "waiting")).to_have_text("2")
    await expect(total(page, "ready")).to_have_text("1")
    await expect(page.get_by_text("No calls.", exact=True)).to_be_visible()
    assert "ready" in await row.inner_text(), "a row stays the same element, so that nobody loses their place"
    center.picture = picture([], [])
    center.happens()
    await expect(page.get_by_text("Nobody waits.")).to_be_visible()
    assert screen.complaints == []


async def test_todays_figures_follow_the_books(screen: Screen, center: Center) -> None:
    page = await screen.opens()
    answered = cell(page, "kpi", "sales", "answered")
    await expect(answered).to_have_text("0")
    await center.keeps(*answered_call("c9", datetime.now(UTC) - timedelta(minutes=30), "bob", queue="sales"))
    await expect(answered).to_have_text("1")


async def test_durations_run_between_two_messages(screen: Screen) -> None:
    page = await screen.opens()
    lasting = cell(page, "calls", "k1", "began")
    await expect(lasting).to_have_text(re.compile(r"^1:\d\d$"))
    before = await lasting.inner_text()
    await expect(lasting).not_to_have_text(before)


# --- when something goes away ------------------------------------------------------------------------


async def test_it_says_that_the_engine_is_away_and_goes_on_when_it_is_back(screen: Screen, center: Center) -> None:
    page = await screen.opens()
    notice = page.get_by_role("alert")
    await expect(notice).to_be_hidden()
    await center.engine_leaves()
    await expect(notice).to_be_visible()
    await expect(notice).to_contain_text(NOTICE)
    await expect(total(page, "waiting")).to_have_text("–")
    center.picture = picture([person("c7", "+15550000007")], [])
    await center.engine_comes()
    await expect(notice).to_be_hidden()
    await expect(cell(page, "waiting", "c7", "caller")).to_have_text("+15550000007")
    assert screen.complaints == []


async def test_it_finds_back_when_the_web_process_was_restarted(screen: Screen, center: Center) -> None:
    page = await screen.opens()
    connection = page.locator("#connection")
    await expect(connection).to_have_text("Live")
    await center.stop_web()
    await expect(connection).to_have_text("Connection lost; trying again")
    center.picture = picture([person("c8", "+15550000008")], [])
    await center.start_web()
    await expect(connection).to_have_text("Live")
    await expect(cell(page, "waiting", "c8", "caller")).to_have_text("+15550000008")


# --- hostile callers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1440, 360])
async def test_whatever_callers_send_no_script_runs_and_the_page_keeps_its_shape(screen: Screen, center: Center, width: int) -> None:
    await screen.page.set_viewport_size({"width": width, "height": 900})
    page = await screen.opens()
    elements = await kinds_of_elements(page)
    people = [person(f"h{place}", caller) for place, caller in enumerate([*HOSTILE, *LONG_NAMES])]
    center.picture = picture(people, people)
    center.happens()
    await expect(page.locator("#waiting tbody tr")).to_have_count(len(people))  # written by the script
    await in_good_shape(page)
    assert await kinds_of_elements(page) == elements
    await page.reload()  # written by the server
    await expect(page.locator("#calls tbody tr")).to_have_count(len(people))
    await in_good_shape(page)
    assert await kinds_of_elements(page) == elements
    for shown in await page.locator("#waiting tbody th").all_inner_texts():
        assert len(shown) <= 80
        assert not [sign for sign in shown if unicodedata.category(sign) in ("Cc", "Cf", "Cs")]
    await page.screenshot(path=screen.folder / "hostile.png", full_page=True)
    assert screen.complaints == []


async def kinds_of_elements(page: Page) -> list[str]:
    found = await page.locator("body *").evaluate_all("all => [...new Set(all.map(one => one.tagName))].sort()")
    return [str(kind) for kind in found if kind != "BDI"]


async def in_good_shape(page: Page) -> None:
    """Nothing sticks out: the page does not scroll sideways, each text stays in its cell, no row is taller than five lines."""
    assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    cells = await page.locator("tbody tr > *").evaluate_all(
        """cells => cells.map(cell => {
            const outer = cell.getBoundingClientRect(), inner = cell.firstElementChild.getBoundingClientRect();
            return {text: cell.innerText, height: outer.height,
                out: inner.left < outer.left - 1 || inner.right > outer.right + 1 || inner.bottom > outer.bottom + 1};
        })"""
    )
    assert cells
    assert [seen for seen in cells if seen["out"] or seen["height"] > 5 * 26] == []
    boxes = [box for section in await page.locator("section").all() if (box := await section.bounding_box())]
    for place, one in enumerate(boxes):
        for other in boxes[place + 1 :]:
            beside = one["x"] + one["width"] <= other["x"] + 1 or other["x"] + other["width"] <= one["x"] + 1
            assert beside or one["y"] + one["height"] <= other["y"] + 1, "sections overlap"


async def test_even_markup_could_not_run_a_script(screen: Screen) -> None:
    """The second wall: were a text ever taken for markup, the browser would refuse it."""
    page = await screen.opens()
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


# --- for everybody -----------------------------------------------------------------------------------


async def test_it_is_built_for_screen_readers(screen: Screen) -> None:
    page = await screen.opens()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await expect(page.get_by_role("main")).to_have_count(1)
    await expect(page.get_by_role("banner")).to_have_count(1)
    levels = await page.get_by_role("heading").evaluate_all("all => all.map(one => Number(one.tagName[1]))")
    assert levels == [1, *[2] * len(REGIONS)]
    for name in REGIONS:
        region = page.get_by_role("region", name=re.compile(f"^{name}")).filter(has=page.get_by_role("table"))
        assert await region.count() >= 1, name
        await expect(page.get_by_role("table", name=re.compile(f"^{name}"))).to_have_count(1)
    assert await page.locator("th:not([scope=col]):not([scope=row])").count() == 0
    assert await page.locator("tbody tr:not(:has(> th[scope=row]))").count() == 0
    ids = await page.locator("[id]").evaluate_all("all => all.map(one => one.id)")
    assert len(ids) == len(set(ids))


async def test_the_keyboard_reaches_everything_and_focus_is_seen(screen: Screen) -> None:
    page = await screen.opens()
    await page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the tables")
    await expect(skip).to_be_focused()
    box = await skip.bounding_box()
    assert box is not None
    assert box["width"] > 100
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main")).to_be_focused()
    for name in REGIONS:
        await page.keyboard.press("Tab")
        region = page.locator(".scroll:focus")
        await expect(region).to_have_accessible_name(re.compile(f"^{name}"))
        outline = await region.evaluate("one => { const style = getComputedStyle(one); return [style.outlineStyle, style.outlineWidth] }")
        assert outline == ["solid", "3px"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_stands_out_from_its_ground(screen: Screen, center: Center, scheme: str) -> None:
    await screen.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page = await screen.opens()
    await expect(page.locator("#connection")).to_have_text("Live")
    await page.screenshot(path=screen.folder / f"{scheme}.png", full_page=True)
    seen = await texts(page)
    center.picture = picture([], [], alice="wrap_up")
    center.happens()
    await expect(cell(page, "agents", "alice", "state")).to_have_text("wrap-up (ACW)")
    seen |= await texts(page)
    center.picture = picture([], [], alice="ready")
    await center.engine_leaves()
    await expect(page.get_by_role("alert")).to_be_visible()
    seen |= await texts(page)
    await center.engine_comes()
    await expect(cell(page, "agents", "alice", "state")).to_have_text("ready")
    seen |= await texts(page)
    assert len(seen) >= 8, "tables, headings, notices and the states' colours"
    assert [(ink, ground) for ink, ground in seen if contrast(ink, ground) < 4.5] == []
    grounds = {brightness(ground) < 0.5 for _, ground in seen}
    assert grounds == {scheme == "dark"}


Colour = tuple[int, ...]


async def texts(page: Page) -> set[tuple[Colour, Colour]]:
    """The colour and the ground of every visible text."""
    pairs = await page.locator("body *").evaluate_all(
        """all => all.filter(one => one.checkVisibility() && [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
            .map(one => {
                let under = one;
                while (under.parentElement && getComputedStyle(under).backgroundColor === "rgba(0, 0, 0, 0)") under = under.parentElement;
                return [getComputedStyle(one).color, getComputedStyle(under).backgroundColor];
            })"""
    )
    return {(rgb(ink), rgb(ground)) for ink, ground in pairs}


def rgb(written: str) -> Colour:
    found = re.fullmatch(r"rgb\((\d+), (\d+), (\d+)\)", written)
    assert found, f"{written}: only opaque colours can be compared"
    return tuple(map(int, found.groups()))


def brightness(colour: Colour) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [part / 255 for part in colour]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(ink: Colour, ground: Colour) -> float:
    dark, light = sorted((brightness(ink), brightness(ground)))
    return (light + 0.05) / (dark + 0.05)


async def test_it_reads_from_right_to_left_too(screen: Screen) -> None:
    page = await screen.opens()
    await page.evaluate("document.documentElement.dir = 'rtl'")
    await in_good_shape(page)
    first, last = page.locator("#queues thead th").first, page.locator("#queues thead th").last
    left, right = await last.bounding_box(), await first.bounding_box()
    assert left is not None
    assert right is not None
    assert left["x"] < right["x"]
    await expect(cell(page, "waiting", "c2", "caller")).to_have_text("+15551234567")
    await page.screenshot(path=screen.folder / "rtl.png", full_page=True)
    assert screen.complaints == []


@pytest.mark.parametrize("width", [320, 768, 1440, 2560])
async def test_it_fits_every_screen(screen: Screen, width: int) -> None:
    await screen.page.set_viewport_size({"width": width, "height": 900})
    page = await screen.opens()
    await expect(page.locator("#connection")).to_have_text("Live")
    await in_good_shape(page)
    await page.screenshot(path=screen.folder / f"{width}.png", full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious(screen: Screen, scheme: str) -> None:
    await screen.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page = await screen.opens()
    assert await axe(page) == []
    await page.evaluate("document.querySelector('h1').style.color = 'lightgrey'; document.documentElement.removeAttribute('lang')")
    found = await axe(page)
    assert [one for one in found if "html-has-lang" in one]
    assert scheme == "dark" or [one for one in found if "color-contrast" in one]
