"""What the web process tells machines: health as it is, metrics for who may have them; and the headers of every answer."""

from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families

from callcenter.adapters.web.health import Health, Sources
from callcenter.adapters.web.site import Site
from callcenter.apps import web
from callcenter.domain.rights import Role
from callcenter.domain.webhooks import MessageState
from callcenter.services.control import ControlServer, JsonObject
from callcenter.services.notices import NoticeRing
from callcenter.services.people.passwords import Passwords
from callcenter.services.people.signing import Signing
from tests.support.people import FakePeople, person

ENGINE_TOKEN = "engine-token"
METRICS = {"Authorization": "Bearer metrics-token"}
SINCE = "2026-11-22T10:00:00+00:00"


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


class World:
    """An engine with a control socket, a database that can go away, and the web process in front of them."""

    def __init__(self, folder: Path) -> None:
        self.now = picture()
        self.database = True
        socket, ring = folder / "run" / "control.sock", NoticeRing[str](lambda fact: {"fact": fact})
        self.engine = ControlServer(socket, ENGINE_TOKEN, self.answer, ring)
        self.dips: Sequence[Mapping[str, object]] | None = ()
        seen = partial(web.picture, socket, ENGINE_TOKEN)
        sources = Sources(seen, self.reach, lambda: 10, folder, self.measures, self.webhooks, "metrics-token")
        self.people = FakePeople(person("sue", Role.SUPERVISOR), person("sid", Role.SUPERVISOR, queues=["sales"]))
        self.signing = Signing(self.people, Passwords())
        site = Site("Example <Center>", self.signing)
        site.add(Health(sources, site.requests))
        self.client: TestClient = TestClient(TestServer(site.application()), cookie_jar=CookieJar(unsafe=True))  # type: ignore[type-arg]

    async def answer(self, request: JsonObject) -> JsonObject:
        return self.now

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


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/sign-in", "/static/shell.css", "/nowhere"])
async def test_every_answer_carries_the_headers(world: World, path: str) -> None:
    headers = (await world.client.get(path)).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "same-origin")


@pytest.mark.parametrize("path", ["../health.py", "access.py", "%2e%2e/door.py", "shell.css/x", "shellXcss", "..%2f..%2fdoor.py"])
async def test_no_file_is_served_but_those_for_browsers(world: World, path: str) -> None:
    await world.signs_in()
    assert (await world.client.get(f"/static/{path}")).status == 404
