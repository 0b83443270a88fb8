"""Hostile texts in every place where other people's words enter, looked at in a real browser on every page: no script runs, nothing is
fetched from elsewhere, the page keeps its shape, and the text is shown as a text. The pages are those of the routing table.

``make test`` takes a sample of the texts, ``make test-all`` all of them.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import TypeVar
from urllib.parse import quote

import pytest
import pytest_asyncio
from playwright.async_api import Browser, StorageState, expect

from callcenter.adapters.web.door import HEADERS
from callcenter.adapters.web.static_files import FOLDER
from callcenter.runtime.postgres import EmbeddedPostgres
from tests.browser.hostile_center import HostileCenter, plain
from tests.browser.hostile_views import FORMS, PAGES, REFLECTED, SAFE, Found, addresses, ask, expected, forms_of, pages, send
from tests.browser.watched import ELEMENTS, Watched
from tests.support import postgres
from tests.support.hostile_texts import ALL, SAMPLE
from tests.support.people import PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = "root"
CHUNK = 90
"""Versions of the documents that the history's page shows at once, and a few to spare."""
LOOKED_AT = 3
"""Objects, of what is no page."""
WINDOWS = 3
"""Side by side: while one is drawn, the next is answered."""
T = TypeVar("T")

every_text = pytest.mark.parametrize("center", [pytest.param("all", marks=pytest.mark.long)], indirect=True)
a_sample_too = pytest.mark.parametrize("center", ["sample", pytest.param("all", marks=pytest.mark.long)], indirect=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def center(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres_server: EmbeddedPostgres
) -> AsyncIterator[HostileCenter]:
    """One with the sample, and one with all: each has a database of its own."""
    texts = SAMPLE if request.param == "sample" else ALL
    with postgres.database(postgres_server) as url:
        center = HostileCenter(tmp_path_factory.mktemp("hostile"), url, texts)
        await center.seed()
        async with center:
            center.alices_phone()
            yield center


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def session(browser: Browser, center: HostileCenter) -> StorageState:
    """Somebody with every right has signed in."""
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(f"{center.address}/sign-in")
    await page.locator("#name").fill(ROOT)
    await page.locator("#password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator("form.sign-out")).to_be_visible()
    state = await context.storage_state()
    await context.close()
    return state


@pytest_asyncio.fixture(loop_scope="module")
async def windows(browser: Browser, center: HostileCenter, session: StorageState) -> AsyncIterator[Sequence[Watched]]:
    """Windows of hers."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, storage_state=session)
    windows = [await Watched.make(context, center.address) for _ in range(WINDOWS)]
    yield windows
    await context.close()


@pytest.fixture
def watched(windows: Sequence[Watched]) -> Watched:
    return windows[0]


async def side_by_side(windows: Sequence[Watched], every: Iterable[T], look: Callable[[Watched, T], Awaitable[None]]) -> None:
    """Look at each of them in one of the windows; in the end nothing was complained about."""
    left = iter(every)

    async def one_after_another(watched: Watched) -> None:
        for each in left:
            await look(watched, each)

    async with asyncio.TaskGroup() as looking:
        for watched in windows:
            looking.create_task(one_after_another(watched))
    assert [complaint for watched in windows for complaint in watched.complaints] == []


# --- every page ------------------------------------------------------------------------------------


@a_sample_too
async def test_every_page_there_is(windows: Sequence[Watched], center: HostileCenter) -> None:
    """Each is opened, whatever it is: pages, pictures, documents of JSON, sounds."""
    found: list[str] = []
    for rule in pages():
        kinds: set[str] = set()
        for n, address in enumerate(addresses(rule, center)):
            if n < (LOOKED_AT if center.texts is ALL else 1):
                kinds.add((await ask(windows[0], address, as_page=False)).kind)
            if kinds & PAGES:
                found.append(address)
            elif n >= LOOKED_AT or center.texts is SAMPLE:
                break
        assert kinds & PAGES or kinds <= SAFE, rule.path
    assert len(found) >= 25

    async def look(watched: Watched, address: str) -> None:
        await watched.page.goto(f"{center.address}{address}")
        await watched.shows(expected(address, center))

    await side_by_side(windows, found, look)


@every_text
async def test_the_history_of_the_configuration(windows: Sequence[Watched], center: HostileCenter) -> None:
    """By hostile authors, for hostile reasons, of documents with hostile names; each version, and the history of each such document."""

    async def look(watched: Watched, version: tuple[int, str]) -> None:
        await watched.page.goto(f"{center.address}/config/version/{version[0]}")
        await watched.shows([version[1]])

    await center.versions(["the one before"], 999)
    first = 1000
    for begin in range(0, len(center.texts), CHUNK):
        chunk = center.texts[begin : begin + CHUNK]
        await center.versions(chunk, first)
        await windows[0].page.goto(f"{center.address}/config/history")
        await windows[0].shows(chunk)
        await side_by_side(windows, enumerate(chunk, start=first), look)
        first += len(chunk)


@every_text
@pytest.mark.parametrize("address", REFLECTED)
async def test_hostile_addresses(windows: Sequence[Watched], center: HostileCenter, address: str) -> None:
    """The browser is shown each answer that differs from those before: the same page again would bring about the same, as no script of
    ours reads where it is."""
    known: set[Found] = set()

    async def look(watched: Watched, hostile: str) -> None:
        asked = address.replace("{}", quote(hostile[:500], safe=""))
        found = await ask(watched, asked)
        assert found.kind in PAGES | SAFE, asked
        if found.kind in PAGES and found not in known:
            known.add(found)
            shown = await watched.page.goto(f"{center.address}{asked}")
            assert shown is not None
            body = await shown.body()
            assert body in (found.body, (await ask(watched, asked)).body), asked  # it may have changed meanwhile
            await watched.shows()

    await side_by_side(windows, center.texts, look)


async def test_no_script_of_ours_reads_where_it_is() -> None:
    """But host and scheme, to open its sockets there."""
    ours = {file: file.read_text() for file in FOLDER.rglob("*.js") if "vendor" not in file.parts}
    reading = ("location.search", "location.hash", "location.path", "URLSearchParams", "document.URL", "baseURI", "referrer")
    assert len(ours) > 10
    assert [(file.name, word) for file, text in ours.items() for word in reading if word in text] == []
    whole = [line.strip() for text in ours.values() for line in text.splitlines() if "location.href" in line]
    assert whole == ["this.#address = new URL(address, location.href);"]


# --- forms -----------------------------------------------------------------------------------------


@every_text
@pytest.mark.parametrize("path", FORMS)
async def test_hostile_forms(windows: Sequence[Watched], center: HostileCenter, path: str) -> None:
    """What was wrong is said beside what was written, as a text. Each form sends each text, in one of its fields; what is
    answered is filled in and sent again, as people do."""
    await windows[0].page.goto(f"{center.address}{path}")
    forms = await forms_of(windows[0].page)
    assert forms, path

    async def look(watched: Watched, job: tuple[int, deque[str]]) -> None:
        which, todo = job
        while todo:
            shown = await forms_of(watched.page)
            if shown[which : which + 1] != [forms[which]]:
                await watched.page.goto(f"{center.address}{path}")
            await send(watched.page, which, todo, forms[which][1])
            await watched.shows()

    shares = [(which, deque(center.texts[n::WINDOWS])) for which in range(len(forms)) for n in range(WINDOWS)]
    await side_by_side(windows, shares, look)


# --- what moves ------------------------------------------------------------------------------------


OPEN_ALL = """async () => {
  const there = (id) => document.getElementById(id);
  const opened = async (dialog) => {
    while (!dialog.open) await new Promise(requestAnimationFrame);
  };
  const names = [];
  for (const button of document.querySelectorAll("#waiting tbody button")) {
    button.click();
    await opened(there("contact-dialog"));
    names.push(there("contact-name").textContent);
    there("explain").click();
    await opened(there("explain-dialog"));
    there("explain-dialog").close();
  }
  return names;
}"""


@every_text
async def test_live_pages(windows: Sequence[Watched], center: HostileCenter) -> None:
    """Many wait at once; the dialogs of each are opened, too."""
    supervisor, wallboard, _ = windows
    center.alices_phone()
    await supervisor.page.goto(f"{center.address}/supervisor")
    await wallboard.page.goto(f"{center.address}/wallboard")
    legs = [center.calls(hostile) for hostile in center.texts]
    await supervisor.shows_soon(center.texts)
    await expect(wallboard.page.locator("#totals [data-column='waiting']")).to_have_text(str(len(legs)))
    await wallboard.shows()
    await supervisor.page.bring_to_front()
    names = await supervisor.page.evaluate(OPEN_ALL)
    assert len(names) == len(legs)
    await supervisor.shows()
    await center.everybody_leaves()
    assert supervisor.complaints + wallboard.complaints == []


@a_sample_too
async def test_the_agents_console(watched: Watched, center: HostileCenter) -> None:
    """Offer, screen pop with history and attributes, script, note, notice: for each text a caller of that number and name."""
    page = watched.page
    center.alices_phone()
    await page.goto(f"{center.address}/agent")
    await expect(page.locator("body")).to_have_attribute("data-page", "ready")
    await center.agent_ready("alice")
    for hostile in center.texts:
        leg = center.calls(hostile)
        await expect(page.locator("body")).to_have_attribute("data-shown", "talking/connected")
        await expect(page.locator("#script-text")).to_contain_text("Say")
        await watched.shows_soon([hostile])
        if "\x00" not in hostile:
            await page.wait_for_function("() => document.querySelectorAll('#calls li, #messages li').length > 0")
            await watched.shows([hostile])
        await page.locator("#note").fill(hostile[:4000])
        await page.locator("#note").blur()
        center.pbx.party_hangs_up(leg)
        await expect(page.locator("body")).to_have_attribute("data-shown", "ready/")
    await center.ask("agent_logout", agent="alice")
    assert watched.complaints == []


TOGETHER = 10
"""Notices that she has to acknowledge at once."""


@every_text
async def test_notices(watched: Watched, center: HostileCenter) -> None:
    page = watched.page
    await page.goto(f"{center.address}/agent")
    await expect(page.locator("body")).to_have_attribute("data-page", "ready")
    texts = [hostile for hostile in map(plain, center.texts) if hostile.isprintable()]
    for begin in range(0, len(texts), TOGETHER):
        together = texts[begin : begin + TOGETHER]
        for hostile in together:
            await center.ask("notice_send", text=hostile, agents=["alice"], by=hostile[:60])
        await watched.shows_soon(together)
        await page.evaluate("() => document.querySelectorAll('#notices button').forEach((button) => button.click())")
        await expect(page.locator("#notices button")).to_have_count(0)
    assert watched.complaints == []


# --- the watch itself ------------------------------------------------------------------------------

NOBODY = "http://127.0.0.1:9"
UNSAFE = '<!doctype html><html lang="en"><head><title>unsafe</title></head><body><main id="main"></main></body></html>'


async def test_a_page_that_writes_markup_is_caught(browser: Browser) -> None:
    """Without our policy and with ``innerHTML``, each text of the sample that is markup is found out: the watch can fail."""
    caught = []
    hostile = [each for each in SAMPLE if "<" in each] + ["<img src=x onerror=__hit(document.domain)>"]
    for each in hostile:
        context = await browser.new_context()
        watched = await Watched.make(context, NOBODY)
        page = watched.page
        await page.route("**/unsafe", lambda route: route.fulfill(body=UNSAFE, content_type="text/html"))
        await page.goto(f"{NOBODY}/unsafe")
        await page.evaluate("text => { document.getElementById('main').innerHTML = text }", each)
        await watched.shows([each])
        caught.append(bool(watched.complaints))
        await context.close()
    assert all(caught)


@pytest.mark.parametrize("policy", ["", HEADERS["Content-Security-Policy"]])
async def test_a_script_that_runs_is_caught_and_so_is_what_our_policy_stops(browser: Browser, policy: str) -> None:
    context = await browser.new_context()
    watched = await Watched.make(context, NOBODY)
    page = watched.page
    headers = {"Content-Type": "text/html", **({"Content-Security-Policy": policy} if policy else {})}
    await page.route("**/unsafe", lambda route: route.fulfill(body=UNSAFE, headers=headers))
    await page.goto(f"{NOBODY}/unsafe")
    write = "document.getElementById('main').innerHTML = '<img src=data:, onerror=__hit(document.domain)>'"
    await page.evaluate(f"try {{ {write} }} catch {{ }}")
    wanted = "against the content security policy" if policy else "a script ran"
    async with asyncio.timeout(30):
        while not any(wanted in said for said in watched.complaints):
            await page.evaluate("0")
    assert not (policy and any("a script ran" in said for said in watched.complaints))
    await context.close()


async def test_the_elements_that_are_allowed_are_those_of_our_pages() -> None:
    """None of those that bring a script, another page or a policy of their own."""
    assert not {"iframe", "object", "embed", "base", "style", "svg", "math", "frame", "frameset", "applet", "template", "portal"} & set(
        ELEMENTS
    )
