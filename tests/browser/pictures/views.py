"""What there is to see: every page of the site, each as it looks in the middle of a day; some in more than one state.

A page that is in the table of routes and not in here fails ``tests/test_screenshots.py``.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from playwright.async_api import Browser, BrowserContext, Page, expect

from callcenter.adapters.web.access import Routes
from callcenter.apps import rights_page
from tests.browser.center import Screen
from tests.browser.pictures.scene import MARIA, Scene
from tests.support.people import PASSWORD

WIDE, NARROW = (1440, 900), (390, 844)
NO_PAGES = frozenset(
    {
        "/",  # leads on
        "/agent/caller",
        "/agent/desk",
        "/agent/waiting",
        "/config/flows/{flow}/{version}.svg",
        "/config/prompts/{language}/{prompt}/sound.wav",
        "/console/socket",
        "/healthz",
        "/metrics",
        "/phone-files/{secret}/{file}",
        "/readyz",
        "/sip/{node}",
        "/static/{file}",
        "/trends/series",
        "/wallboard/events",
        "/words/{language}/{area}.json",
    }
)
"""Routes that show no page to anybody, beside the API."""

Act = Callable[[Page, Scene], Awaitable[None]]


def pages(routes: Routes) -> Iterator[str]:
    """The routes of all pages."""
    for rule in routes.rules:
        path = rights_page.shown(rule)
        if rule.method == "GET" and path not in NO_PAGES and not path.startswith("/api/"):
            yield path


async def nothing(_page: Page, _scene: Scene) -> None: ...


@dataclass(frozen=True)
class View:
    """One thing to look at."""

    name: str
    """Of its pictures."""
    title: str
    route: str
    """Whose page it is."""
    who: str = ""
    """Who has signed in; empty: nobody."""
    path: str = ""
    """The address, where that is not the route."""
    act: Act = nothing
    """What is done on the page first."""
    before: Callable[[Scene], Awaitable[None]] | None = None
    """What happens in the center before the page is opened."""
    sample: bool = False
    """``make test`` checks it, too."""


# --- what is done ---------------------------------------------------------------------------------


async def _refused(page: Page, _scene: Scene) -> None:
    await page.get_by_label("Sign-in name").fill("alice")
    await page.get_by_label("Password").fill("a wrong guess")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_be_visible()


def _alice(state: str) -> Callable[[Scene], Awaitable[None]]:
    async def before(scene: Scene) -> None:
        await scene.alice_is(state)

    return before


def _sees(state: str) -> Act:
    async def act(page: Page, _scene: Scene) -> None:
        await expect(page.locator("#state")).to_have_text(state)
        await expect(page.locator("#state-timer")).not_to_be_empty()
        if state != "Ready":
            await expect(page.locator("#caller")).to_have_text(MARIA)
            await expect(page.locator("#calls li")).to_have_count(2)
        if state in ("Talking", "Wrap-up (ACW)"):
            await expect(page.locator("#script-text")).to_contain_text("A-20418")
        await expect(page.locator("#figures dd").first).to_be_visible()

    return act


async def _shortcuts(page: Page, _scene: Scene) -> None:
    await page.locator("#help-open").click()
    await expect(page.locator("#help")).to_be_visible()


async def _live(page: Page, _scene: Scene) -> None:
    await expect(page.locator("#connection")).to_have_text("Live")
    await expect(page.locator("#agents [data-key='carol']")).to_be_visible()


async def _full_screen(page: Page, scene: Scene) -> None:
    await _live(page, scene)
    await page.get_by_role("button", name="Full screen").click()
    await expect(page.locator("header.shell")).to_be_hidden()


async def _supervised(page: Page, scene: Scene) -> None:
    await _live(page, scene)
    await expect(page.locator("#waiting tbody tr")).to_have_count(4)
    await expect(page.locator("#alerts li")).to_have_count(1)


async def _an_agent(page: Page, scene: Scene) -> None:
    await _supervised(page, scene)
    await page.locator("#agents tr[data-key='carol']").get_by_role("button").click()
    await expect(page.locator("#agent-dialog")).to_be_visible()


async def _a_caller(page: Page, scene: Scene) -> None:
    await _supervised(page, scene)
    await page.locator("#waiting tbody tr", has_text="support").first.get_by_role("button").click()
    await expect(page.locator("#contact-dialog")).to_be_visible()


async def _why(page: Page, scene: Scene) -> None:
    await _a_caller(page, scene)
    await page.locator("#explain").click()
    await expect(page.locator("#explain-dialog")).to_be_visible()


async def _notice(page: Page, scene: Scene) -> None:
    await _supervised(page, scene)
    await page.locator("#write-notice").click()
    await page.locator("#notice-text").fill("The invoices of October are wrong. Say that we are mending them by Friday.")


async def _charts(page: Page, _scene: Scene) -> None:
    await expect(page.locator("body")).to_have_attribute("data-ready", "yes")
    await expect(page.locator("#offered canvas")).to_be_visible()


async def _faults(page: Page, _scene: Scene) -> None:
    await page.get_by_label("An offer rings for (seconds)").fill("soon")
    await page.get_by_role("button", name="Look at the change").click()
    await expect(page.get_by_role("alert")).to_be_visible()


async def _difference(page: Page, _scene: Scene) -> None:
    await page.get_by_label("An offer rings for (seconds)").fill("25")
    await page.get_by_role("button", name="Look at the change").click()
    await page.get_by_label("Reason").fill("They ring too long")


async def _graph(page: Page, _scene: Scene) -> None:
    await expect(page.locator("img")).to_be_visible()


SIGN_IN, AGENT, SUPERVISOR, ADMIN = "/sign-in", "/agent", "/supervisor", "/config/edit/{kind}/{name}"
VIEWS = (
    View("sign-in", "Sign-in", SIGN_IN, sample=True),
    View("sign-in-refused", "Sign-in that was refused", SIGN_IN, act=_refused),
    View("agent-ready", "The agent's console: ready", AGENT, "alice", act=_sees("Ready"), before=_alice("ready")),
    View(
        "agent-offered",
        "A contact is offered: the screen pop",
        AGENT,
        "alice",
        act=_sees("A caller is offered to you"),
        before=_alice("reserved"),
    ),
    View("agent-talking", "Talking", AGENT, "alice", act=_sees("Talking"), before=_alice("talking"), sample=True),
    View("agent-wrap-up", "Wrap-up", AGENT, "alice", act=_sees("Wrap-up (ACW)"), before=_alice("wrap_up")),
    View("agent-shortcuts", "The keys of the console", AGENT, "alice", act=_shortcuts, before=_alice("ready")),
    View("wallboard", "The wallboard", "/wallboard", "sue", act=_live, sample=True),
    View("wallboard-full-screen", "The wallboard on a full screen", "/wallboard", "sue", act=_full_screen),
    View("supervisor", "The supervisor's page", SUPERVISOR, "sue", act=_supervised, sample=True),
    View("supervisor-agent", "What can be done about an agent", SUPERVISOR, "sue", act=_an_agent),
    View("supervisor-caller", "What can be done about a caller who waits", SUPERVISOR, "sue", act=_a_caller),
    View("supervisor-why", "Why this caller waits", SUPERVISOR, "sue", act=_why),
    View("supervisor-notice", "A notice to agents", SUPERVISOR, "sue", act=_notice),
    View("trends", "Trends", "/trends", "sue", act=_charts, sample=True),
    View("alerts", "Alerts", "/alerts", "sue"),
    View("account", "My account", "/account", "sue", sample=True),
    View("people", "People", "/people", "ada"),
    View("person-new", "Somebody new", "/people/new", "ada"),
    View("person", "One person", "/people/{name}/edit", "ada", "/people/sue/edit", sample=True),
    View("audit", "The audit trail", "/audit", "ada"),
    View("config", "The configuration", "/config", "ada", sample=True),
    View("config-list", "Queues", "/config/list/{kind}", "ada", "/config/list/queue"),
    View("config-new", "A new calendar", "/config/new/{kind}", "ada", "/config/new/calendar"),
    View("config-center", "The center's own settings", "/config/edit/{kind}", "ada", "/config/edit/center"),
    View("config-queue", "One queue", ADMIN, "ada", "/config/edit/queue/support", sample=True),
    View("config-faults", "Faults beside their fields", ADMIN, "ada", "/config/edit/queue/support", _faults),
    View("config-difference", "The difference before it counts", ADMIN, "ada", "/config/edit/queue/support", _difference),
    View("config-history", "The history of the configuration", "/config/history", "ada"),
    View("config-version", "One version", "/config/version/{version}", "ada", "/config/version/2"),
    View("flows", "Flows", "/config/flows", "ada"),
    View("flow", "One flow", "/config/flows/{flow}", "ada", "/config/flows/main", _graph),
    View("prompts", "Prompts", "/config/prompts", "ada", "/config/prompts?find=callback"),
    View("prompt", "One prompt", "/config/prompts/{language}/{prompt}", "ada", "/config/prompts/en/welcome"),
    View("no-such-page", "An address that leads nowhere", "", "sue", "/nowhere"),
)


class Tour:
    """Goes from view to view in one browser, each person signed in once."""

    def __init__(self, browser: Browser, scene: Scene) -> None:
        self._browser, self._scene = browser, scene
        self._contexts: dict[str, BrowserContext] = {}
        self.complaints: list[str] = []
        """Whatever a page had to say against itself."""

    @asynccontextmanager
    async def at(self, view: View, locale: str = "en") -> AsyncIterator[Page]:
        """The page as the view wants it, light and wide."""
        if view.before is not None:
            await view.before(self._scene)
        context = await self._of(view.who, locale)
        screen = await Screen.make(context, self._scene.address, self._scene.folder)
        page = screen.page
        await page.goto(f"{self._scene.address}{view.path or view.route}")
        await view.act(page, self._scene)
        yield page
        expected = ("404", "403", "422")  # a page that says no is looked at, too
        self.complaints += [f"{view.name}: {said}" for said in screen.complaints if not any(status in said for status in expected)]
        await page.close()

    async def _of(self, who: str, locale: str) -> BrowserContext:
        key = f"{who} {locale}"
        if key not in self._contexts:
            context = await self._browser.new_context(viewport={"width": WIDE[0], "height": WIDE[1]}, locale=locale)
            self._contexts[key] = context
            if who:
                screen = await Screen.make(context, self._scene.address, self._scene.folder)
                await screen.page.goto(f"{self._scene.address}/sign-in?next=/account")
                await screen.signs_in(who, PASSWORD)
                await screen.page.wait_for_url(f"{self._scene.address}/account")
                await screen.page.close()
        return self._contexts[key]


async def looks(page: Page, scheme: str, size: tuple[int, int]) -> None:
    """Show the page in these colours and at this size."""
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await page.set_viewport_size({"width": size[0], "height": size[1]})
