"""The web process: health told as it is, and a live page that only who has signed in may see and nothing can break."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families

from callcenter.adapters.web.live import page as live_page
from callcenter.adapters.web.server import Pages, Sources
from callcenter.adapters.web.site import Site
from callcenter.domain.audit import By
from callcenter.domain.rights import Role
from callcenter.domain.webhooks import MessageState
from callcenter.services.control import ControlServer, JsonObject
from callcenter.services.live_feed import LiveFeed
from callcenter.services.notices import NoticeRing
from callcenter.services.people.passwords import Passwords
from callcenter.services.people.signing import Signing
from tests.support.people import FakePeople, person

ENGINE_TOKEN = "engine-token"
METRICS = {"Authorization": "Bearer metrics-token"}
SINCE = "2026-11-22T10:00:00+00:00"
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}",
    "${7*7}",
    "'; DROP TABLE call; --",
    "javascript:alert(1)",
    "\u202egnp.exe",
    "a\u200bb\ufeffc",
    "line\r\nbreak\x1b[31m",
    "</template></table><h1>forged</h1>",
    "x" * 5000,
    "\ud800",
    "e" + "\u0301" * 1000,
    "&lt;b&gt; &#60;",
]


def picture(caller: str = "+15551234567", connected: bool = True) -> JsonObject:
    """A center in which alice talks and one caller waits."""
    return {
        "seq": 12,
        "at": SINCE,
        "nodes": [{"name": "node1", "connected": connected, "since": SINCE, "calls": 2}],
        "queues": [
            {
                "name": "support",
                "waiting": 1,
                "ready": 0,
                "logged_in": 1,
                "longest_wait_since": SINCE,
                "line": [{"contact": "c2", "caller": caller, "since": SINCE, "priority": 0}],
            }
        ],
        "agents": [
            {"name": "alice", "state": "talking", "reason": "", "since": SINCE, "queues": ["support"], "phone_reachable": True},
            {
                "name": "bob",
                "state": "not_ready",
                "reason": "missed_offer",
                "since": SINCE,
                "queues": ["support"],
                "phone_reachable": False,
            },
        ],
        "calls": [
            {
                "call": "k1",
                "caller": caller,
                "dialed": "+18005550100",
                "began_at": SINCE,
                "phase": "talking",
                "queue": "support",
                "agent": "alice",
                "since": SINCE,
            }
        ],
    }


KPI: Sequence[Mapping[str, object]] = [
    {
        "queue": "support",
        "offered": 10,
        "answered": 8,
        "abandoned": 1,
        "overflowed": 1,
        "service_level": 0.8,
        "asa_s": 12.4,
        "aht_s": 245.0,
        "abandon_rate": None,
    }
]


class World:
    """An engine with a control socket, a database that can go away, and the web process in front of them."""

    def __init__(self, folder: Path) -> None:
        self.now = picture()
        self.database = True
        self.ring: NoticeRing[str] = NoticeRing(lambda fact: {"fact": fact})
        self.engine = ControlServer(folder / "run" / "control.sock", ENGINE_TOKEN, self.answer, self.ring)
        self.dips: Sequence[Mapping[str, object]] | None = ()
        feed = LiveFeed(folder / "run" / "control.sock", ENGINE_TOKEN)
        sources = Sources(feed, self.kpi, self.reach, lambda: 10, folder, self.measures, self.webhooks, "metrics-token")
        self.people = FakePeople(person("sue", Role.SUPERVISOR), person("sid", Role.SUPERVISOR, queues=["sales"]))
        self.signing = Signing(self.people, Passwords())
        site = Site("Example <Center>", self.signing)
        self.pages = Pages(sources, site.shell, "Example <Center>", "America/New_York", site.requests)
        site.add(self.pages, self.pages.feeding)
        self.client: TestClient = TestClient(TestServer(site.application()), cookie_jar=CookieJar(unsafe=True))  # type: ignore[type-arg]

    async def answer(self, request: JsonObject) -> JsonObject:
        return self.now

    async def kpi(self) -> Sequence[Mapping[str, object]]:
        await self.reach()
        return KPI

    async def measures(self) -> Sequence[Mapping[str, object]]:
        if self.dips is None:
            raise ConnectionError
        return self.dips

    async def webhooks(self) -> Mapping[MessageState, int]:
        await self.reach()
        return {MessageState.DUE: 3, MessageState.DEAD: 1}

    async def reach(self) -> None:
        if not self.database:
            raise ConnectionError

    def happens(self) -> None:
        """Something changed: the engine tells those who listen."""
        self.ring.put(self.ring.seq + 1, ["something"])

    async def signs_in(self, name: str = "sue") -> None:
        opened = await self.signing.open(self.people.known[name], "127.0.0.1", "test", "test")
        self.client.session.cookie_jar.update_cookies({"callcenter": opened.secret}, self.client.make_url("/"))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path)
    await world.engine.start()
    async with world.client:
        yield world
    await world.engine.stop()


# --- for machines -----------------------------------------------------------------------------


async def test_health_says_that_the_process_lives_whatever_else_is_down(world: World) -> None:
    await world.engine.stop()
    world.database = False
    assert (await world.client.get("/healthz")).status == 200


async def test_ready_when_all_is_well(world: World) -> None:
    answer = await world.client.get("/readyz")
    told = await answer.json()
    assert answer.status == 200
    assert (told["ready"], told["nodes"], told["journal_lag"]) == (True, {"node1": True}, 2)


@pytest.mark.parametrize("trouble", ["engine", "database", "node"])
async def test_not_ready_says_what_is_missing(world: World, trouble: str) -> None:
    if trouble == "engine":
        await world.engine.stop()
    elif trouble == "database":
        world.database = False
    else:
        world.now = picture(connected=False)
    answer = await world.client.get("/readyz")
    told = await answer.json()
    assert answer.status == 503
    assert told["engine"] is (trouble != "engine")
    assert told["database"] is (trouble != "database")
    assert told["nodes"] == ({} if trouble == "engine" else {"node1": trouble != "node"})


async def test_metrics_hold_counts_and_no_caller(world: World) -> None:
    text = await (await world.client.get("/metrics", headers=METRICS)).text()
    seen = {
        (sample.name, *sample.labels.values()): sample.value for family in text_string_to_metric_families(text) for sample in family.samples
    }
    assert seen["callcenter_queue_waiting", "support"] == 1
    assert seen["callcenter_agents", "talking"] == 1
    assert seen["callcenter_agents", "ready"] == 0
    assert seen["callcenter_calls", "talking"] == 1
    assert seen["callcenter_node_connected", "node1"] == 1
    assert seen["callcenter_journal_lag_records",] == 2
    assert "5551234567" not in text


async def test_metrics_of_data_dips(world: World) -> None:
    took = [("0.5", 3), ("+Inf", 4)]
    world.dips = [{"source": "crm", "breaker": "open", "took": took, "took_total": 3.5, "outcomes": {"found": 3, "late": 1}}]
    text = await (await world.client.get("/metrics", headers=METRICS)).text()
    for line in (
        "callcenter_dips_up 1.0",
        'callcenter_dip_seconds_bucket{le="0.5",source="crm"} 3.0',
        'callcenter_dip_seconds_count{source="crm"} 4.0',
        'callcenter_dip_seconds_sum{source="crm"} 3.5',
        'callcenter_dip_answers_total{outcome="late",source="crm"} 1.0',
        'callcenter_dip_breaker_open{source="crm"} 1.0',
    ):
        assert line in text
    world.dips = None
    assert "callcenter_dips_up 0.0" in await (await world.client.get("/metrics", headers=METRICS)).text()


async def test_metrics_are_there_when_the_engine_is_not(world: World) -> None:
    await world.engine.stop()
    text = await (await world.client.get("/metrics", headers=METRICS)).text()
    assert "callcenter_engine_up 0.0" in text
    assert "callcenter_queue_waiting" not in text


# --- the door ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/live", "/live/events", "/live?token=", "/live?token=%ff"])
async def test_who_has_not_signed_in_sees_nothing(world: World, path: str) -> None:
    answer = await world.client.get(path)
    assert answer.status == 401
    assert "Set-Cookie" not in answer.headers
    assert "support" not in await answer.text()


async def test_a_browser_is_led_to_the_sign_in_and_back(world: World) -> None:
    answer = await world.client.get("/live", headers={"Accept": "text/html"}, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/sign-in?next=/live")


async def test_a_forged_cookie_opens_nothing(world: World) -> None:
    async with ClientSession(cookies={"callcenter": "x" * 43}, cookie_jar=CookieJar(unsafe=True)) as stranger:
        assert (await stranger.get(world.client.make_url("/live"))).status == 401


async def test_who_has_a_scope_sees_her_queues_only(world: World) -> None:
    await world.signs_in("sid")
    text = await (await world.client.get("/live")).text()
    assert "+15551234567" not in text
    assert "alice" not in text
    assert "80 %" not in text


async def test_the_events_end_with_the_session(world: World) -> None:
    async with watching(world) as pages:
        await anext(pages)
        await world.people.end_sessions("sue", By("test"))
        world.happens()
        async for _ in pages:
            world.happens()


async def test_metrics_are_for_who_has_the_token_or_the_right(world: World) -> None:
    for given in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic metrics-token"}, {"Authorization": "Bearer"}):
        refused = await world.client.get("/metrics", headers=given)
        assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
    await world.signs_in("sid")  # who is limited to a queue may not see the figures of all
    assert (await world.client.get("/metrics")).status == 401
    await world.signs_in("sue")
    assert (await world.client.get("/metrics")).status == 200


async def test_the_web_process_counts_its_own_requests_by_route(world: World) -> None:
    await world.client.get("/healthz")
    await world.client.get("/healthz")
    for strange in ("/nowhere/+12025550123", "/also-nowhere"):
        await world.client.get(strange)
    text = await (await world.client.get("/metrics", headers=METRICS)).text()
    assert 'callcenter_web_requests_total{method="GET",route="/healthz",status="200"} 2.0' in text
    assert 'callcenter_web_requests_total{method="any",route="(none)",status="404"} 2.0' in text
    assert 'callcenter_web_request_seconds_count{route="/healthz"} 2.0' in text
    assert 'callcenter_web_open{kind="request"} 1.0' in text
    assert 'callcenter_webhook_messages{state="due"} 3.0' in text
    assert 'callcenter_webhook_messages{state="dead"} 1.0' in text
    assert "12025550123" not in text
    families = list(text_string_to_metric_families(text))
    assert len({family.name for family in families}) == len(families)
    world.database = False
    assert "callcenter_webhook_messages" not in await (await world.client.get("/metrics", headers=METRICS)).text()


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/live", "/live/live.js", "/live/live.css", "/nowhere"])
async def test_every_answer_carries_the_headers(world: World, path: str) -> None:
    headers = (await world.client.get(path)).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "same-origin")


@pytest.mark.parametrize("path", ["/live/../server.py", "/live/live.py", "/live/%2e%2e/door.py", "/live/live.js/x", "/live/liveXjs"])
async def test_nothing_but_the_page_is_served(world: World, path: str) -> None:
    await world.signs_in()
    assert (await world.client.get(path)).status == 404


# --- the page ---------------------------------------------------------------------------------


class Document(HTMLParser):
    """Elements, their attributes, and the text inside ``bdi``."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.isolated: list[str] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "bdi":
            self._inside = True
            self.isolated.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "bdi":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.isolated[-1] += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


async def shown(world: World) -> Document:
    await world.signs_in()
    answer = await world.client.get("/live")
    assert answer.status == 200
    return Document(await answer.text())


async def test_the_page_shows_queues_agents_calls_and_today(world: World) -> None:
    page = await shown(world)
    assert {"support", "talking", "not ready: missed offer", "+15551234567", "80 %", "0:12", "4:05", "–"} <= set(page.isolated)
    assert page.named("time")[0]["datetime"] == SINCE


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_a_hostile_caller_id_is_only_text(world: World, hostile: str) -> None:
    plain = (await shown(world)).elements
    world.now = picture(caller=hostile)
    page = await shown(world)
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in plain]
    assert max(map(len, page.isolated)) <= 80
    assert not re.search("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]", "".join(page.isolated))


async def test_the_page_has_no_inline_script_or_style(world: World) -> None:
    page = await shown(world)
    assert [script.get("src") for script in page.named("script")] == ["/live/live.js"]
    assert page.named("style") == []
    assert not [attributes for _, attributes in page.elements if any(name == "style" or name.startswith("on") for name in attributes)]


async def test_the_page_speaks_to_screen_readers_and_keyboards(world: World) -> None:
    page = await shown(world)
    assert page.named("html")[0]["lang"] == "en"
    assert [heading for heading in page.named("th") if not heading.get("scope")] == []
    assert {"status", "alert"} <= {attributes.get("role") for _, attributes in page.elements}
    ids = {attributes["id"] for _, attributes in page.elements if attributes.get("id")}
    for region in (attributes for _, attributes in page.elements if attributes.get("role") == "region"):
        assert region["tabindex"] == "0"
        assert region["aria-labelledby"] in ids


async def test_the_page_says_what_is_away(world: World) -> None:
    await world.engine.stop()
    world.database = False
    await world.signs_in()
    text = await (await world.client.get("/live")).text()
    assert "The engine does not answer" in text
    assert "The database does not answer" in text


# --- updates ----------------------------------------------------------------------------------


@asynccontextmanager
async def watching(world: World) -> AsyncIterator[AsyncIterator[JsonObject]]:
    await world.signs_in()
    async with asyncio.timeout(60), world.client.get("/live/events") as stream:
        assert stream.content_type == "text/event-stream"

        async def pages() -> AsyncIterator[JsonObject]:
            async for line in stream.content:
                if line.startswith(b"data: "):
                    yield json.loads(line.removeprefix(b"data: "))

        yield pages()


def waiting_callers(page: JsonObject) -> list[str]:
    return [row["caller"] for row in json.loads(json.dumps(page))["tables"]["waiting"]]


async def test_what_happens_reaches_the_page_by_itself(world: World) -> None:
    async with watching(world) as pages:
        assert waiting_callers(await anext(pages)) == ["+15551234567"]
        world.now = picture(caller="")
        world.happens()
        async for page in pages:
            if waiting_callers(page) == ["withheld"]:
                break


async def test_the_page_tells_when_the_engine_leaves_and_when_it_is_back(world: World) -> None:
    async with watching(world) as pages:
        await anext(pages)
        await world.engine.stop()
        async for page in pages:
            if "engine does not answer" in str(page["status"]):
                break
        await world.engine.start()
        async for page in pages:
            if not page["status"]:
                break


async def test_nobody_watches_nobody_asks(world: World) -> None:
    async with watching(world) as pages:
        await anext(pages)
    feed = world.pages._sources.feed
    async with asyncio.timeout(60):
        while feed._watchers:
            world.happens()
            await asyncio.sleep(0.01)
    assert not feed._watched.is_set()


def test_the_page_tells_opening_hours_and_what_was_switched_by_hand() -> None:
    always = {"calendar": "always", "time_zone": "UTC", "open": True, "why": "weekly hours", "closes_at": None, "switched": None}
    main = {"calendar": "main", "time_zone": "America/New_York", "open": False, "why": "switch: <b>fire</b>", "opens_at": SINCE}
    told = live_page(
        {**picture(), "calendars": [always, {**main, "switched": {"open": False, "until": SINCE, "reason": "<b>fire</b>"}}]}, []
    )
    assert told["status"] == "Calendar main is closed by hand."
    assert told["tables"]["calendars"] == [  # type: ignore[index]
        {"key": "always", "name": "always", "state": {"text": "open", "tone": "good"}, "why": "weekly hours", "until": "–"},
        {
            "key": "main",
            "name": "main",
            "state": {"text": "closed", "tone": "wait"},
            "why": "switch: <b>fire</b>",
            "until": "Sun 2026-11-22 05:00",
        },
    ]
