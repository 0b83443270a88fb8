"""Signing in at an OIDC provider: a small one that runs here, honest and dishonest, and the real pages in front of it."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from urllib.parse import parse_qs, quote_plus, urlsplit

import pytest
from aiohttp import ClientResponse, encode_basic_auth, web
from aiohttp.test_utils import TestServer
from joserfc import jwt
from joserfc.jwk import RSAKey

from callcenter.adapters.oidc.provider import OidcClient, OidcProvider
from callcenter.adapters.web.oidc_pages import COOKIE, OidcPages
from callcenter.adapters.web.site import Site
from callcenter.domain.audit import By
from callcenter.domain.rights import Role
from callcenter.services.people.passwords import Passwords
from callcenter.services.people.signing import Signing
from tests.support.people import FakePeople, SignedClient, person, signed_client

CLIENT, SECRET = "callcenter", "a secret of the client"
Claims = dict[str, object]


class Provider:
    """Knows one user, and does what a provider must; tests bend it."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})
        self.shown_keys = [self.key]
        self.user: Claims = {"sub": "u-1", "preferred_username": "alice"}
        self.bend: Callable[[Claims], Claims] = lambda claims: claims
        self.header: dict[str, object] = {"alg": "RS256", "kid": "k1"}
        self.sign_with = self.key
        self.away = False
        self.forged = ""
        """An id token in place of the honest one."""
        self.issuer = ""
        self.codes: dict[str, dict[str, str]] = {}
        self.asked_keys = 0
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self.discovery)
        app.router.add_get("/authorize", self.authorize)
        app.router.add_post("/token", self.token)
        app.router.add_get("/keys", self.keys)
        self.server = TestServer(app)

    async def discovery(self, request: web.Request) -> web.Response:
        if self.away:
            return web.Response(status=503)
        places = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
        return web.json_response({"issuer": self.issuer, **{name: self.issuer + path for name, path in places.items()}})

    async def authorize(self, request: web.Request) -> web.Response:
        asked = dict(request.query)
        assert (asked["response_type"], asked["client_id"], asked["code_challenge_method"]) == ("code", CLIENT, "S256")
        assert "openid" in asked["scope"].split()
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return web.Response(status=302, headers={"Location": f"{asked['redirect_uri']}?code={code}&state={asked['state']}"})

    async def token(self, request: web.Request) -> web.Response:
        sent = await request.post()
        asked = self.codes.pop(str(sent["code"]), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(str(sent["code_verifier"]).encode()).digest()).rstrip(b"=").decode()
        right = asked is not None and asked["code_challenge"] == challenge and asked["redirect_uri"] == sent["redirect_uri"]
        if not right or request.headers["Authorization"] != encode_basic_auth(CLIENT, quote_plus(SECRET)):
            return web.json_response({"error": "invalid_grant"}, status=400)
        assert asked is not None
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"], **self.user}
        id_token = jwt.encode(self.header, self.bend(claims), self.sign_with)
        return web.json_response({"id_token": self.forged or id_token, "token_type": "Bearer"})

    async def keys(self, request: web.Request) -> web.Response:
        self.asked_keys += 1
        return web.json_response({"keys": [key.as_dict(private=False) for key in self.shown_keys]})


class World:
    def __init__(self) -> None:
        self.provider = Provider()
        self.people = FakePeople(
            person("alice", Role.AGENT, password_hash=""), person("ada", Role.ADMIN), person("gone", password_hash="", active=False)
        )
        self.signing = Signing(self.people, Passwords())
        self.site = Site("Example", self.signing)

    async def __aenter__(self) -> "World":
        await self.provider.server.start_server()
        self.provider.issuer = str(self.provider.server.make_url("")).rstrip("/")
        client = OidcProvider(OidcClient(self.provider.issuer, CLIENT, SECRET, "Example Login"))
        self.site.add(OidcPages(self.site.shell, self.signing, self.site.origins, client, self.site.sign_in_pages))
        self.browser: SignedClient = await signed_client(self.site.application(), self.signing, None)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.browser.client.close()
        await self.provider.server.close()

    async def goes(self, then: str = "/account") -> str:
        """To the provider, which sends the browser back to this address."""
        there = await self.browser.get(f"/sign-in/oidc?next={then}")
        assert there.status == 303, await there.text()
        async with self.browser.client.session.get(there.headers["Location"], allow_redirects=False) as answer:
            return answer.headers["Location"]

    async def comes_back(self, address: str) -> ClientResponse:
        parts = urlsplit(address)
        return await self.browser.get(f"{parts.path}?{parts.query}")

    async def signs_in(self) -> ClientResponse:
        return await self.comes_back(await self.goes())

    def inside(self) -> list[str]:
        return [session.person for session in self.people.open.values()]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with asyncio.timeout(60), World() as world:
        yield world


async def test_who_was_let_in_without_a_password_signs_in_and_is_linked(world: World) -> None:
    assert "Example Login" in await (await world.browser.get("/sign-in")).text()
    answer = await world.signs_in()
    assert (answer.status, answer.headers["Location"]) == (303, "/account")
    assert world.inside() == ["alice"]
    assert world.people.known["alice"].subject == "u-1"
    world.provider.user = {"sub": "u-1", "preferred_username": "renamed"}
    assert (await world.signs_in()).status == 303, "from then on she is known by her subject"
    assert [entry.deed.what for entry in world.people.trail].count("oidc_linked") == 1


@pytest.mark.parametrize(
    "user",
    [
        {"sub": "u-9", "preferred_username": "stranger"},
        {"sub": "u-9", "preferred_username": "ada"},
        {"sub": "u-9", "preferred_username": "gone"},
        {"sub": "u-9", "preferred_username": "alice'; --"},
        {"sub": "u-9", "preferred_username": ["alice"]},
        {"sub": "u-9"},
        {"sub": "", "preferred_username": "alice"},
        {"sub": 7, "preferred_username": "alice"},
        {"sub": "x" * 300, "preferred_username": "alice"},
    ],
)
async def test_whom_nobody_let_in_is_not_let_in(world: World, user: Claims) -> None:
    """Nor is somebody who has a password of her own taken over by whoever has her name at the provider."""
    world.provider.user = user
    answer = await world.signs_in()
    assert answer.status == 403
    assert world.inside() == []


async def test_one_of_ours_is_linked_once(world: World) -> None:
    await world.signs_in()
    await world.people.end_sessions("alice", By("admin"))
    world.provider.user = {"sub": "u-2", "preferred_username": "alice"}
    assert (await world.signs_in()).status == 403
    assert world.inside() == []


BENDS: dict[str, Callable[[Claims], Claims]] = {
    "another issuer": lambda claims: {**claims, "iss": "https://evil.example"},
    "another audience": lambda claims: {**claims, "aud": "another"},
    "made for another of several": lambda claims: {**claims, "aud": [CLIENT, "another"], "azp": "another"},
    "expired": lambda claims: {**claims, "exp": int(time.time()) - 3600},
    "without an end": lambda claims: {name: value for name, value in claims.items() if name != "exp"},
    "another nonce": lambda claims: {**claims, "nonce": "replayed"},
    "without a nonce": lambda claims: {name: value for name, value in claims.items() if name != "nonce"},
    "without a date": lambda claims: {name: value for name, value in claims.items() if name != "iat"},
    "from the future": lambda claims: {**claims, "iat": int(time.time()) + 3600, "nbf": int(time.time()) + 3600},
}


@pytest.mark.parametrize("bend", BENDS)
async def test_an_id_token_that_is_not_for_this_sign_in_opens_nothing(world: World, bend: str) -> None:
    world.provider.bend = BENDS[bend]
    assert (await world.signs_in()).status == 403
    assert world.inside() == []


async def test_a_signature_by_somebody_else_opens_nothing(world: World) -> None:
    world.provider.sign_with = RSAKey.generate_key(2048, {"kid": "k1"})
    assert (await world.signs_in()).status == 403


async def test_a_shared_secret_made_of_the_public_key_opens_nothing(world: World) -> None:
    """The old confusion of algorithms, by hand: no library of today would sign so."""

    def forge(claims: Claims) -> Claims:
        parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "HS256", "kid": "k1"}, claims)]
        signed = b".".join(parts)
        signature = hmac.new(world.provider.key.as_pem(private=False), signed, hashlib.sha256).digest()
        world.provider.forged = (signed + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()
        return claims

    world.provider.bend = forge
    assert (await world.signs_in()).status == 403
    assert world.provider.forged
    assert world.inside() == []


async def test_a_token_without_a_signature_opens_nothing(world: World) -> None:
    def forge(claims: Claims) -> Claims:
        parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in ({"alg": "none"}, claims)]
        world.provider.forged = f"{parts[0]}.{parts[1]}."
        return claims

    world.provider.bend = forge
    assert (await world.signs_in()).status == 403
    assert world.inside() == []


async def test_keys_that_were_exchanged_are_asked_for_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callcenter.adapters.oidc.provider.KEYS_AGAIN", -1)
    assert (await world.signs_in()).status == 303
    fresh = RSAKey.generate_key(2048, {"kid": "k2", "use": "sig"})
    world.provider.shown_keys, world.provider.sign_with, world.provider.header = [fresh], fresh, {"alg": "RS256", "kid": "k2"}
    assert (await world.signs_in()).status == 303
    assert world.provider.asked_keys == 2


async def test_unknown_keys_make_nobody_ask_again_and_again(world: World) -> None:
    world.provider.header = {"alg": "RS256", "kid": "unknown"}
    world.provider.sign_with = RSAKey.generate_key(2048, {"kid": "unknown"})
    for _ in range(5):
        assert (await world.signs_in()).status == 403
    assert world.provider.asked_keys == 1


async def test_the_way_back_is_for_the_browser_that_went_and_only_once(world: World) -> None:
    back = await world.goes()
    other = await signed_client(world.site.application(), world.signing, None)
    parts = urlsplit(back)
    assert (await other.get(f"{parts.path}?{parts.query}")).status == 403, "another browser"
    await other.client.close()
    assert (await world.comes_back(back)).status == 303
    assert (await world.comes_back(back)).status == 403, "a second time"
    assert world.inside() == ["alice"]


@pytest.mark.parametrize(
    "query", ["", "code=x", "state=x", "code=x&state=x", "error=access_denied&state={state}", "code={code}&state=%ud800"]
)
async def test_what_did_not_come_from_the_provider_is_refused(world: World, query: str) -> None:
    asked = parse_qs(urlsplit(await world.goes()).query)
    filled = query.replace("{state}", asked["state"][0]).replace("{code}", asked["code"][0])
    assert (await world.browser.get(f"/sign-in/oidc/back?{filled}")).status == 403
    assert world.inside() == []


async def test_a_code_of_another_sign_in_is_worth_nothing(world: World) -> None:
    """Of PKCE: who steals a code lacks its verifier."""
    stolen = parse_qs(urlsplit(await world.goes()).query)["code"][0]
    own = parse_qs(urlsplit(await world.goes()).query)
    assert (await world.browser.get(f"/sign-in/oidc/back?code={stolen}&state={own['state'][0]}")).status == 403


@pytest.mark.parametrize("cookie", ["", "zz", json.dumps([1]).encode().hex(), json.dumps({"a": 1}).encode().hex(), "ff" * 3000])
async def test_a_forged_cookie_is_no_beginning(world: World, cookie: str) -> None:
    answer = await world.browser.client.get("/sign-in/oidc/back?code=x&state=y", headers={"Cookie": f"{COOKIE}={cookie}"})
    assert answer.status in (400, 403)


async def test_a_provider_that_is_away_is_said_to_be_and_passwords_go_on(world: World) -> None:
    world.provider.away = True
    answer = await world.browser.get("/sign-in/oidc")
    assert answer.status == 403
    assert "does not answer" in await answer.text()
    assert (await world.browser.post("/sign-in", {"name": "ada", "password": "four green horses swim"})).status == 303


async def test_a_provider_that_calls_itself_otherwise_is_not_believed(world: World) -> None:
    world.provider.issuer += "/other"
    assert (await world.browser.get("/sign-in/oidc")).status == 403


async def test_nobody_is_led_elsewhere_afterwards(world: World) -> None:
    answer = await world.comes_back(await world.goes("//evil.example"))
    assert (answer.status, answer.headers["Location"]) == (303, "/")
