"""Hostile texts in every place where other people's words enter, looked at in a real browser on every page: no script runs, nothing is
fetched from elsewhere, the page keeps its shape, and the text is shown as a text. The pages are those of the routing table.

``make test`` takes a sample of the texts, ``make test-all`` all of them.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from urllib.parse import quote

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from callcenter.adapters.web.access import Rule
from callcenter.adapters.web.door import HEADERS
from callcenter.apps import rights_page
from callcenter.runtime.document_kinds import KINDS
from tests.browser.hostile_center import HostileCenter, plain
from tests.browser.watched import ELEMENTS, Watched
from tests.support.hostile_texts import ALL, SAMPLE
from tests.support.people import PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = "root"
WITHOUT_PAGES = frozenset({"/sip/{node}", "/console/socket", "/live"})
"""Sockets, and a page that has its own such test."""
STREAMS = frozenset({"/wallboard/events", "/live/events"})
"""Events, which pages of ours show; as a page they would never end."""
CHUNK = 90
"""Versions of the documents that the history's page shows at once, and a few to spare."""


every_text = pytest.mark.parametrize("center", [pytest.param("all", marks=pytest.mark.long)], indirect=True)
a_sample_too = pytest.mark.parametrize("center", ["sample", pytest.param("all", marks=pytest.mark.long)], indirect=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def center(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, database: str) -> AsyncIterator[HostileCenter]:
    texts = SAMPLE if request.param == "sample" else ALL
    center = HostileCenter(tmp_path_factory.mktemp("hostile"), database, texts)
    await center.seed()
    async with center:
        center.alices_phone()
        yield center


@pytest_asyncio.fixture(loop_scope="module")
async def watched(browser: Browser, center: HostileCenter) -> AsyncIterator[Watched]:
    """A window in which somebody with every right is signed in."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    watched = await Watched.make(context, center.address)
    await watched.page.goto(f"{center.address}/sign-in")
    await watched.page.locator("#name").fill(ROOT)
    await watched.page.locator("#password").fill(PASSWORD)
    await watched.page.keyboard.press("Enter")
    await expect(watched.page.locator("form.sign-out")).to_be_visible()
    yield watched
    await context.close()


# --- every page ------------------------------------------------------------------------------------


def values(center: HostileCenter) -> Mapping[str, Sequence[str]]:
    """What the parts of addresses may be; where objects are hostile themselves, each of them."""
    every = range(len(center.texts) if center.texts is ALL else 2)
    return {
        "kind": [kind for kind in KINDS if kind != "flow"] if center.texts is ALL else ["caller_list", "script", "center"],
        "flow": ["main"],
        "language": ["en"],
        "prompt": [f"hostile-{n}" for n in every],
        "version": ["1", "0"],
        "agent": ["alice"],
        "queue": ["support"],
        "calendar": ["office"],
        "callback": [f"b{n}" for n in every],
        "call": [f"h{n}" for n in every],
        "contact": [f"h{n}-contact" for n in every],
        "list": ["vip"],
        "message": [f"m{n}" for n in every],
        "recording": ["h0-recording"],
        "webhook": [f"w{n}" for n in every],
        "area": ["agent"],
        "file": ["agent/console.js"],
    }


NAMED: Mapping[str, str] = {"/people/{name}/edit": "h{n}", "/config/edit/{kind}/{name}": "hostile-{n}.en"}
"""``{name}`` means something else on each page."""


def addresses(rule: Rule, center: HostileCenter) -> Iterator[str]:
    """Where this route leads, filled in with all there is of each kind."""
    path = rights_page.shown(rule)
    if path in NAMED:
        for n in range(len(center.texts) if center.texts is ALL else 4):
            yield path.replace("{kind}", "prompt").replace("{name}", NAMED[path].replace("{n}", str(n)))
        return
    found = [path]
    for part in re.findall(r"\{(\w+)\}", path):
        assert part in values(center), f"{rule.path}: say in 'values' what {{{part}}} may be, so that this page is looked at, too"
        found = [each.replace(f"{{{part}}}", value) for each in found for value in values(center)[part]]
    yield from found


@a_sample_too
async def test_every_page_there_is(watched: Watched, center: HostileCenter) -> None:
    """Each is opened, whatever it is: pages, pictures, documents of JSON, sounds."""
    looked = 0
    for rule in rights_page.routes().rules:
        if rule.method != "GET" or rule.path in WITHOUT_PAGES | STREAMS:
            continue
        kinds: set[str] = set()
        for n, address in enumerate(addresses(rule, center)):
            if n < (LOOKED_AT if center.texts is ALL else 1):
                kinds.add(await kind_of(watched, address))
            if kinds & PAGES:
                await watched.page.goto(f"{center.address}{address}")
                await watched.shows(expected(address, center))
                looked += 1
            elif n >= LOOKED_AT or center.texts is SAMPLE:
                break
        assert kinds & PAGES or kinds <= SAFE, rule.path
    assert watched.complaints == []
    assert looked >= 25


async def kind_of(watched: Watched, address: str) -> str:
    """The media type of what is there; empty: nothing is, or it is elsewhere."""
    answer = await watched.page.context.request.get(f"{watched.address}{address}", max_redirects=0)
    assert answer.status < 500, f"{address}: {answer.status} {await answer.text()}"
    assert answer.headers["x-content-type-options"] == "nosniff", address
    return answer.headers.get("content-type", "").partition(";")[0] if answer.ok else ""


PAGES = frozenset({"text/html", "image/svg+xml"})
LOOKED_AT = 3
"""Objects, of what is no page."""
SAFE = frozenset(
    {
        "",
        "application/json",
        "application/problem+json",
        "application/openapi+json",
        "text/plain",
        "text/javascript",
        "text/css",
        "audio/wav",
        "audio/x-wav",
    }
)
"""What no browser takes for a page."""


def expected(address: str, center: HostileCenter) -> Sequence[str]:
    """The texts that have to be seen there."""
    texts = center.texts
    found = re.fullmatch(r"/people/h(\d+)/edit|/config/(?:edit/prompt|prompts/en)/hostile-(\d+)(?:\.en)?", address)
    if found:
        place = int(found[1] or found[2])
        return [texts[place] if found[1] else plain(texts[place])]
    if address in ("/people", "/account"):
        return texts
    if address == "/alerts":
        return texts[:200]
    if address == "/audit":
        return texts[-90:]
    if address == "/config/edit/caller_list/vip":
        return [plain(each) for each in texts]
    return ()


@every_text
async def test_the_history_of_the_configuration(watched: Watched, center: HostileCenter) -> None:
    """By hostile authors, for hostile reasons, of documents with hostile names; each version, and the history of each such document."""
    await center.versions(["the one before"], 999)
    first = 1000
    for begin in range(0, len(center.texts), CHUNK):
        chunk = center.texts[begin : begin + CHUNK]
        await center.versions(chunk, first)
        await watched.page.goto(f"{center.address}/config/history")
        await watched.shows(chunk)
        for number, hostile in enumerate(chunk, start=first):
            await watched.page.goto(f"{center.address}/config/version/{number}")
            await watched.shows([hostile])
        first += len(chunk)
    assert watched.complaints == []


REFLECTED = (
    "/config/prompts?find={}",
    "/config/history?document={}",
    "/audit?person={}&what={}",
    "/config/flows/main?version={}",
    "/alerts?done={}",
    "/config?saved={}&later={}",
    "/sign-in?next={}",
    "/{}",
    "/people/{}/edit",
    "/config/edit/queue/{}",
    "/config/flows/{}",
    "/config/prompts/en/{}",
    "/trends?queue={}",
)
"""What is asked for is said again, or is not found: with hostile words in the address."""


@every_text
@pytest.mark.parametrize("address", REFLECTED)
async def test_hostile_addresses(watched: Watched, center: HostileCenter, address: str) -> None:
    for hostile in center.texts:
        asked = address.replace("{}", quote(hostile[:500], safe=""))
        answer = await watched.page.goto(f"{center.address}{asked}")
        assert answer is not None
        assert answer.status < 500, asked
        if answer.headers.get("content-type", "").startswith("text/html"):
            await watched.shows()
    assert watched.complaints == []


# --- forms -----------------------------------------------------------------------------------------

FILL = """hostile => {
  const written = "input:not([type]), input[type=text], input[type=number], textarea";
  const forms = [...document.querySelectorAll("main form[method=post]")].filter((form) => form.querySelector(written));
  if (forms.length === 0) return 0;
  const form = forms[window.__which ?? 0];
  for (const one of form.querySelectorAll("input, textarea")) {
    if (["hidden", "checkbox", "radio", "submit", "password"].includes(one.type)) continue;
    one.removeAttribute("maxlength");
    one.value = hostile;
  }
  form.noValidate = true;
  form.requestSubmit();
  return forms.length;
}"""
FORMS = (
    "/people/new",
    "/people/h0/edit",
    "/account",
    "/alerts",
    "/config/flows/main",
    *(f"/config/new/{kind}" for kind in KINDS if kind != "flow"),
)


async def submit(page: Page, which: int, hostile: str) -> int:
    """Fill this form with the text and send it; how many there are. The answer is on the screen then."""
    await page.evaluate("which => { window.__which = which }", which)
    async with page.expect_navigation():
        count = await page.evaluate(FILL, hostile)
        assert count, page.url
    return int(count)


@every_text
@pytest.mark.parametrize("path", FORMS)
async def test_hostile_forms(watched: Watched, center: HostileCenter, path: str) -> None:
    """What was wrong is said beside what was written, as a text."""
    texts = SAMPLE if path.startswith("/config/new/") and path != "/config/new/caller_list" else center.texts
    for hostile in texts:
        which = count = 0
        while which <= count:
            await watched.page.goto(f"{center.address}{path}")
            count = await submit(watched.page, which, hostile) - 1
            await watched.shows()
            which += 1
    assert watched.complaints == []


# --- what moves ------------------------------------------------------------------------------------


@every_text
async def test_live_pages(watched: Watched, center: HostileCenter) -> None:
    """Many wait at once; their dialogs are opened, too."""
    center.alices_phone()
    for path in ("/supervisor", "/wallboard", "/live"):
        if path not in {rule.path for rule in rights_page.routes().rules}:
            continue
        await watched.page.goto(f"{center.address}{path}")
        legs = [center.calls(hostile) for hostile in center.texts]
        if path != "/wallboard":
            await watched.shows_soon(center.texts)  # all of them, at some moment; they move on
        else:
            await expect(watched.page.locator("#totals [data-column='waiting']")).to_have_text(str(len(legs)))
            await watched.shows()
        if path == "/supervisor":
            for button in await watched.page.locator("#waiting tbody button").all():
                await button.click()
                await watched.page.locator("#explain").click()
                await watched.page.locator("#explain-dialog button").last.click()
        await watched.shows()
        await center.everybody_leaves()
    assert watched.complaints == []


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


@every_text
async def test_notices(watched: Watched, center: HostileCenter) -> None:
    page = watched.page
    await page.goto(f"{center.address}/agent")
    await expect(page.locator("body")).to_have_attribute("data-page", "ready")
    for hostile in map(plain, center.texts):
        if hostile.isprintable():
            await center.ask("notice_send", text=hostile, agents=["alice"], by=hostile[:60])
            await watched.shows_soon([hostile])
            await page.locator("#notices button").click()
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
