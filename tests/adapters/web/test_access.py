"""The one door: denied unless allowed, upon what is in scope, from pages of ours, and by nothing forged."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import ClientResponse, web

from callcenter.adapters.web.access import PUBLIC, Origins, Routes, require, signed, while_signed_in
from callcenter.adapters.web.site import Site
from callcenter.domain.audit import By
from callcenter.domain.rights import Of, Right, Role, of_queue
from callcenter.services.people.passwords import Passwords
from callcenter.services.people.signing import Signing, form_token
from tests.support.people import PASSWORD, FakePeople, SignedClient, person, signed_client


def queue_in_path(request: web.Request) -> Of:
    return of_queue(request.match_info["queue"])


class Things:
    """Some routes of each kind."""

    def register(self, routes: Routes) -> None:
        routes.add("GET", "/open", self.answer, needs=PUBLIC)
        routes.add("GET", "/report", self.answer, needs=Right.SEE_REPORTS)
        routes.add("POST", "/state", self.answer, needs=Right.FORCE_STATE)
        routes.add("GET", "/queues/{queue}", self.answer, needs=Right.SEE_REPORTS, of=queue_in_path)
        routes.add("GET", "/late/{queue}", self.late, needs=Right.SEE_REPORTS)
        routes.add("GET", "/socket", self.socket, needs=Right.SEE_WALLBOARD)

    async def answer(self, request: web.Request) -> web.Response:
        return web.json_response({"who": signed(request).person if request.path != "/open" else ""})

    async def late(self, request: web.Request) -> web.Response:
        require(request, Right.LISTEN, of_queue(request.match_info["queue"]))
        return await self.answer(request)

    async def socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        with while_signed_in(request) as ended:
            await socket.send_str("open")
            await ended.wait()
            await socket.send_str("ended")
        await socket.close()
        return socket


class World:
    def __init__(self, origins: Origins | None = None) -> None:
        self.people = FakePeople(
            person("sue", Role.SUPERVISOR, queues=["support"]), person("alice", Role.AGENT), person("ada", Role.ADMIN), person("idle")
        )
        self.signing = Signing(self.people, Passwords())
        site = Site("Example", self.signing, origins)
        site.add(Things())
        self.app = site.application()
        self.clients: list[SignedClient] = []

    async def browser(self, name: str | None) -> SignedClient:
        client = await signed_client(self.app, self.signing, self.people.known[name] if name else None)
        self.clients.append(client)
        return client


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    for client in world.clients:
        await client.client.close()


# --- rights and scope -----------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "status"), [(None, 401), ("idle", 403), ("alice", 403), ("sue", 200), ("ada", 200)])
async def test_who_has_the_right_comes_in(world: World, name: str | None, status: int) -> None:
    assert (await (await world.browser(name)).get("/report")).status == status


@pytest.mark.parametrize(
    ("path", "status"), [("/queues/support", 200), ("/queues/sales", 403), ("/late/support", 200), ("/late/sales", 403)]
)
async def test_and_only_upon_what_is_in_her_scope(world: World, path: str, status: int) -> None:
    assert (await (await world.browser("sue")).get(path)).status == status


async def test_an_admin_without_the_right_to_listen_is_refused_by_the_handler_too(world: World) -> None:
    assert (await (await world.browser("ada")).get("/late/support")).status == 403


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FOO"])
async def test_other_methods_are_no_way_round(world: World, method: str) -> None:
    browser = await world.browser("alice")
    answer = await browser.request(method, "/report")
    assert answer.status in (403, 405, 400)
    assert "alice" not in await answer.text()


async def test_a_route_that_was_added_around_the_door_is_refused(world: World) -> None:
    async def unguarded(_request: web.Request) -> web.Response:
        return web.Response(text="secret")

    world.app.router.add_get("/unguarded", unguarded)
    answer = await (await world.browser("ada")).get("/unguarded")
    assert answer.status == 403
    assert "secret" not in await answer.text()


def test_a_route_cannot_be_there_twice_or_contradict_itself() -> None:
    routes = Routes()
    Things().register(routes)
    with pytest.raises(ValueError, match="is there already"):
        routes.add("GET", "/open", Things().answer, needs=PUBLIC)
    with pytest.raises(ValueError, match="open to everybody"):
        routes.add("GET", "/o/{queue}", Things().answer, needs=PUBLIC, of=queue_in_path)


async def test_programs_are_told_by_a_problem_document_and_people_by_a_page(world: World) -> None:
    browser = await world.browser("alice")
    problem = await browser.get("/report")
    assert problem.content_type == "application/problem+json"
    assert (await problem.json())["status"] == 403
    page = await browser.get("/report", headers={"Accept": "text/html"})
    assert (page.status, page.content_type) == (403, "text/html")
    assert "Not allowed" in await page.text()


# --- from where -------------------------------------------------------------------------------------


async def sent(browser: SignedClient, **headers: str) -> ClientResponse:
    return await browser.client.post("/state", headers=headers)


async def test_a_page_of_ours_with_the_form_token_changes_something(world: World) -> None:
    browser = await world.browser("sue")
    assert (await browser.post("/state")).status == 200
    origin, token = browser.headers["Origin"], browser.headers["X-Form-Token"]
    form = await browser.client.post("/state", data={"form_token": token}, headers={"Origin": origin})
    assert form.status == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1", "", "http://127.0.0.1.evil.example", "file://", "http://["]
)
async def test_no_other_site_acts_for_her(world: World, origin: str) -> None:
    browser = await world.browser("sue")
    token = browser.headers["X-Form-Token"]
    assert (await sent(browser, **{"Origin": origin, "X-Form-Token": token})).status == 403
    assert (await sent(browser, **{"X-Form-Token": token, "Sec-Fetch-Site": "cross-site"})).status == 403
    assert (await sent(browser, **{"X-Form-Token": token})).status == 403, "a browser says where it comes from"
    assert (await browser.client.post("/sign-in", data={"name": "x"}, headers={"Origin": origin})).status == 403


@pytest.mark.parametrize("token", ["", "x", form_token("another session"), "\u202e"])
async def test_without_the_sessions_form_token_nothing_changes(world: World, token: str) -> None:
    browser = await world.browser("sue")
    origin = browser.headers["Origin"]
    assert (await browser.client.post("/state", data={"form_token": token}, headers={"Origin": origin})).status == 403


async def test_behind_a_proxy_the_public_address_is_ours_and_cookies_are_for_tls() -> None:
    world = World(Origins("https://center.example", ("127.0.0.0/8",)))
    browser = await world.browser(None)
    ours = {"Origin": "https://center.example", "X-Forwarded-For": "203.0.113.5, 127.0.0.1"}
    answer = await browser.client.post("/sign-in", data={"name": "sue", "password": PASSWORD}, headers=ours, allow_redirects=False)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-callcenter=")
    assert "Secure" in cookie
    assert "Domain" not in cookie
    assert "Path=/" in cookie
    assert [one.address for one in world.people.open.values()] == ["203.0.113.5"]
    assert (await browser.client.post("/sign-in", data={}, headers={"Origin": str(browser.client.make_url("/")).rstrip("/")})).status == 403
    await browser.client.close()


async def test_nobody_but_a_proxy_of_ours_says_for_whom_it_asks(world: World) -> None:
    browser = await world.browser(None)
    headers = {**browser.headers, "X-Forwarded-For": "203.0.113.5"}
    await browser.client.post("/sign-in", data={"name": "sue", "password": PASSWORD}, headers=headers, allow_redirects=False)
    assert [one.address for one in world.people.open.values()] == ["127.0.0.1"]


# --- sockets ------------------------------------------------------------------------------------------


async def test_a_socket_opens_for_a_page_of_ours_and_ends_with_the_session(world: World) -> None:
    browser = await world.browser("alice")
    async with asyncio.timeout(30), browser.client.ws_connect("/socket", origin=browser.headers["Origin"]) as socket:
        assert await socket.receive_str() == "open"
        await world.people.end_sessions("alice", By("admin"))
        assert await socket.receive_str() == "ended"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
async def test_no_other_site_opens_a_socket_for_her(world: World, origin: str | None) -> None:
    browser = await world.browser("alice")
    headers = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    answer = await browser.client.get("/socket", headers={**headers, **({"Origin": origin} if origin else {})})
    assert answer.status == 403


# --- tokens -----------------------------------------------------------------------------------------------


async def test_a_program_with_a_token_needs_no_origin_and_has_its_scopes_alone(world: World) -> None:
    secret, _ = await world.signing.new_token(world.people.known["sue"], "x", frozenset({Right.SEE_REPORTS}), timedelta(days=1), By("sue"))
    program, bearer = (await world.browser(None)).client, {"Authorization": f"Bearer {secret}"}
    assert (await program.get("/report", headers=bearer)).status == 200
    assert (await program.get("/queues/sales", headers=bearer)).status == 403
    assert (await program.post("/state", headers=bearer)).status == 403


async def test_a_bad_token_is_not_made_good_by_a_cookie(world: World) -> None:
    browser = await world.browser("sue")
    for value in ("Bearer wrong", "Bearer", "bearer ccp_" + "x" * 43, "Bearer " + "\u00e9" * 50):
        assert (await browser.client.get("/report", headers={"Authorization": value})).status == 401


# --- what else is sent --------------------------------------------------------------------------------------


@pytest.mark.parametrize("cookie", ["", "x", "x" * 43, "x" * 8000, '"', "a=b", "%00", "../../x"])
async def test_forged_cookies_are_nobody(world: World, cookie: str) -> None:
    browser = await world.browser(None)
    answer = await browser.client.get("/report", headers={"Cookie": f"callcenter={cookie}"})
    assert answer.status in (400, 401)


async def test_a_body_that_is_too_large_is_refused(world: World) -> None:
    browser = await world.browser("sue")
    answer = await browser.client.post("/sign-in", data={"name": "x" * 200_000}, headers=browser.headers)
    assert answer.status == 413


@pytest.mark.parametrize("body", [b"\xff\xfe", b"name=%ff&password=%00", b"name" * 1000, b"", b"form_token=%ud800"])
async def test_odd_bodies_are_only_refused(world: World, body: bytes) -> None:
    browser = await world.browser(None)
    headers = {**browser.headers, "Content-Type": "application/x-www-form-urlencoded"}
    assert (await browser.client.post("/sign-in", data=body, headers=headers)).status in (400, 403)


async def test_without_the_database_who_is_in_goes_on_and_others_hear_why(world: World) -> None:
    inside, outside = await world.browser("sue"), await world.browser(None)
    assert (await inside.get("/report")).status == 200
    world.people.away = True
    assert (await inside.get("/report")).status == 200
    answer = await outside.client.get("/report", headers={"Cookie": "callcenter=" + "x" * 43})
    assert answer.status == 503
    assert "database does not answer" in (await answer.json())["detail"]
    assert (await outside.client.get("/open", headers={"Cookie": "callcenter=" + "x" * 43})).status == 200
