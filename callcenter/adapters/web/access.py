"""The one door for requests: no route without a rule, and nothing but what a rule allows.

Each route names the right it needs (``needs``), and where it is about one object, how to find it in the request (``of``). Who
asks is found by the session cookie or by ``Authorization: Bearer`` with an API token. A request that changes something by
cookie must come from a page of ours (``Origin``) and carry the session's form token; a WebSocket by cookie must come from a
page of ours. A route that was added around this door is refused.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware
from multidict import MultiDictProxy

from callcenter.adapters.web.api.problems import MISSING, is_api
from callcenter.domain.audit import By
from callcenter.domain.rights import Of, Right, Signed, may
from callcenter.services.people.signing import Signing, form_token
from callcenter.services.people.store import PeopleAway

log = structlog.get_logger(__name__)

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FORM_FIELD, FORM_HEADER = "form_token", "X-Form-Token"
FORM_SECONDS = 10.0
"""In which the whole form must have come."""
SIGNED: Final = web.RequestKey("signed", Signed)
SECRET: Final = web.RequestKey("secret", str)


CLOSE: Mapping[str, str] = {"Connection": "close"}
"""For an answer to a request that has not been read to its end."""
BROKEN = (ValueError, LookupError, web.PayloadAccessError, HttpProcessingError)
"""A body that is not what it says: not UTF-8, an unknown charset, chunks that are none."""


class Needs(Enum):
    """Beside the rights: what has to be said out loud."""

    PUBLIC = "public"
    """Open to everybody who reaches the port."""


PUBLIC = Needs.PUBLIC
FindObject = Callable[[web.Request], Of]


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may use one route."""

    method: str
    path: str
    needs: Right | Needs | frozenset[Right]
    """A set: any right of it is enough to come in; which of them reaches the object is for the handler to ask."""
    of: FindObject | None = None
    """The object that the address names; None: the handler shows what is in her scope, or asks ``require`` itself."""
    menu: str = ""
    """The page's name in the menu, as a key of the catalogue of words; empty: it is not in the menu."""


class Routes:
    """All routes of the web process, each with its rule."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self._handlers: list[tuple[Rule, Handler]] = []

    def add(
        self,
        method: str,
        path: str,
        handler: Handler,
        *,
        needs: Right | Needs | frozenset[Right],
        of: FindObject | None = None,
        menu: str = "",
    ) -> None:
        """A route. Raises ValueError for one that contradicts itself, or that is there already."""
        if of is not None and needs is PUBLIC:
            raise ValueError(f"{method} {path}: what is open to everybody has no object to check")
        if any((rule.method, rule.path) == (method, path) for rule in self.rules):
            raise ValueError(f"{method} {path}: is there already")
        rule = Rule(method, path, needs, of, menu)
        self.rules.append(rule)
        self._handlers.append((rule, handler))

    def put_into(self, app: web.Application) -> Mapping[web.AbstractRoute, Rule]:
        """Add all to the application; the rule of each of its routes."""
        found: dict[web.AbstractRoute, Rule] = {}
        for rule, handler in self._handlers:
            resource = app.router.add_resource(rule.path)
            found[resource.add_route(rule.method, handler)] = rule
            if rule.method == "GET":
                found[resource.add_route("HEAD", handler)] = rule
        return found

    def menu(self, who: Signed) -> Iterator[tuple[str, str]]:
        """The pages she may open: path and key of its name."""
        for rule in self.rules:
            if rule.menu and isinstance(rule.needs, Right) and may(who, rule.needs):
                yield rule.path, rule.menu


# --- for handlers ------------------------------------------------------------------------------


class NotAllowed(Exception):
    """She may not, upon this. A handler that finds its object late lets it fly."""


def signed(request: web.Request) -> Signed:
    """Who asks, in a handler of a route that is not public."""
    return request[SIGNED]


def signed_if_any(request: web.Request) -> Signed | None:
    return request.get(SIGNED)


def require(request: web.Request, right: Right, of: Of | None = None) -> Signed:
    """Who asks, if she may do this upon that. Raises NotAllowed."""
    who = signed_if_any(request)
    if who is None or not may(who, right, of):
        raise NotAllowed(right)
    return who


def by(request: web.Request) -> By:
    """Who asks and from where, for the audit trail."""
    who = signed(request)
    return By(who.person, who.via, address_of(request))


def address_of(request: web.Request) -> str:
    """Where the request comes from; behind a proxy of ours (``web.proxies``), what that says."""
    return request.app[ORIGINS].address(request)


async def form_of(request: web.Request) -> MultiDictProxy[str | bytes | bytearray | web.FileField]:
    """The fields of the form that was sent. Raises HTTPBadRequest when it is none, and what says that it is too large or too slow."""
    if request.content_type == "multipart/form-data":  # for files; no page of ours sends any this way
        raise web.HTTPBadRequest(text="This is not a form.\n", headers=CLOSE)
    most = request.client_max_size
    if (request.content_length or 0) > most:
        raise web.HTTPRequestEntityTooLarge(most, text=f"A form may have at most {most} bytes.\n", headers=CLOSE)
    try:
        async with asyncio.timeout(FORM_SECONDS):
            return await request.post()
    except TimeoutError:
        raise web.HTTPRequestTimeout(text=f"The form did not come within {FORM_SECONDS:g} seconds.\n", headers=CLOSE) from None
    except BROKEN:
        raise web.HTTPBadRequest(text="This is not a form.\n") from None


def form_token_of(request: web.Request) -> str:
    """What the page's forms and scripts send along; empty for who came by token."""
    secret = request.get(SECRET)
    return form_token(secret) if secret else ""


def while_signed_in(request: web.Request) -> AbstractContextManager[asyncio.Event]:
    """For a socket or stream: ``with while_signed_in(request) as ended``; the event is set when her session has ended anywhere."""
    return request.app[SIGNING].during(request[SECRET])


# --- where pages are -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Origins:
    """Which pages are ours, and who speaks for others."""

    public_url: str = ""
    """As browsers reach us, when that is not what we see: ``https://center.example``."""
    proxies: tuple[str, ...] = ()
    """Networks of proxies that say for whom they ask (``X-Forwarded-For``)."""

    def secure(self, request: web.Request) -> bool:
        """Whether the browser reached us by TLS."""
        return self.public_url.startswith("https://") if self.public_url else request.secure

    def is_proxy(self, address: str) -> bool:
        return _within(address, self.proxies)

    def ours(self, request: web.Request) -> bool:
        """Whether the request was made by a page of ours, as far as the browser says: it must say something."""
        origin = request.headers.get("Origin")
        if origin is None:
            return request.headers.get("Sec-Fetch-Site") == "same-origin"
        if self.public_url:
            return _origin(origin) == _origin(self.public_url)
        return origin.lower() in (f"http://{request.host.lower()}", f"https://{request.host.lower()}")

    def address(self, request: web.Request) -> str:
        seen = request.remote or ""
        if self.proxies and _within(seen, self.proxies):
            for hop in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
                if hop.strip() and not _within(hop.strip(), self.proxies):
                    return hop.strip() if _is_address(hop.strip()) else seen
        return seen


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        return parts.scheme, (parts.hostname or "").lower(), parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", "", None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _within(address: str, networks: tuple[str, ...]) -> bool:
    return _is_address(address) and any(ip_address(address) in ip_network(network, strict=False) for network in networks)


SIGNING: Final = web.AppKey("signing", Signing)
ORIGINS: Final = web.AppKey("origins", Origins)


# --- the door -----------------------------------------------------------------------------------

Refusal = Callable[[web.Request, int, str], Awaitable[web.StreamResponse]]
"""Says no in the form that suits who asked: status and a key of the catalogue of words."""


class Door:
    """The middleware. ``refuse`` makes the answer for who may not come in."""

    def __init__(self, signing: Signing, origins: Origins, refuse: Refusal) -> None:
        self._signing = signing
        self._origins = origins
        self._refuse = refuse
        self._rules: Mapping[web.AbstractRoute, Rule] = {}

    def guard(self, app: web.Application, routes: Routes) -> None:
        """Put the routes into the application; nothing else in it is reached."""
        app[SIGNING], app[ORIGINS] = self._signing, self._origins
        self._rules = routes.put_into(app)

    @property
    def middleware(self) -> Middleware:
        @web.middleware
        async def at_the_door(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._pass(request, handler)

        return at_the_door

    async def _pass(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.match_info.http_exception is not None:  # no such route, or not by this method
            return await self._refuse(request, request.match_info.http_exception.status, "shell.not_found")
        rule = self._rules.get(request.match_info.route)
        if rule is None:
            log.error("route_without_rule", path=request.path)
            return await self._refuse(request, 403, "shell.forbidden")
        if not _names_harmless(request):
            return await self._refuse(request, 404, "shell.not_found")
        if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
            return await self._packed(request)
        try:
            refusal = await self._checked(request, rule)
        except PeopleAway:
            return await self._refuse(request, 503, "shell.away")
        if refusal is not None:
            return refusal
        try:
            return await handler(request)
        except NotAllowed as right:
            _tell(request, str(right))
            return await self._refuse(request, 403, "shell.forbidden")
        except PeopleAway:
            return await self._refuse(request, 503, "shell.away")

    async def _packed(self, request: web.Request) -> web.StreamResponse:
        """What is packed is never unpacked: a kilobyte of it may become a megabyte (RFC 9110, 15.5.16 and 12.5.3)."""
        answer = await self._refuse(request, 415, "shell.packed")
        answer.headers.update({"Accept-Encoding": "identity", **CLOSE})
        return answer

    async def _checked(self, request: web.Request, rule: Rule) -> web.StreamResponse | None:
        """None: come in. What is public asks who it is only to greet her."""
        by_token = await self._identify(request, needed=rule.needs is not PUBLIC)
        if is_api(request) and rule.needs is not PUBLIC and request.get(SIGNED) is None:
            return await self._refuse(request, 401, self._nobody(request, by_token=by_token))
        if not by_token and not await self._from_our_page(request):
            log.warning("foreign_request", path=request.path, origin=request.headers.get("Origin", ""))
            return await self._refuse(request, 403, "shell.stale")
        if isinstance(rule.needs, Needs):
            return None
        who = request.get(SIGNED)
        if who is None:
            return await self._refuse(request, 401, self._nobody(request, by_token=by_token))
        rights = rule.needs if isinstance(rule.needs, frozenset) else {rule.needs}
        of = rule.of(request) if rule.of else None
        if not any(may(who, right, of) for right in rights):
            _tell(request, ", ".join(sorted(rights)))
            return await self._refuse(request, 403, "shell.forbidden")
        return None

    def _nobody(self, request: web.Request, *, by_token: bool) -> str:
        """Why nobody is signed in: a program's token opens nothing, a page's session is over, or there was neither."""
        if by_token:
            return "sign_in.no_such_token"
        return "sign_in.over" if cookie_name(self._origins.secure(request)) in request.cookies else "sign_in.no_token"

    async def _identify(self, request: web.Request, *, needed: bool) -> bool:
        """Find out who asks; whether by an API token, which no browser sends by itself."""
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        by_token = scheme.lower() == "bearer"
        secret = credentials.strip() if by_token else request.cookies.get(cookie_name(self._origins.secure(request)), "")
        try:
            who = await (self._signing.of_token(secret) if by_token else self._signing.of_cookie(secret))
        except PeopleAway:
            if needed:
                raise
            who = None
        if who is not None:
            request[SIGNED], request[SECRET] = who, secret
        return by_token

    async def _from_our_page(self, request: web.Request) -> bool:
        """A request that changes something, or opens a socket, was made by a page of ours for this session."""
        if request.method in SAFE_METHODS:
            return "websocket" not in request.headers.get("Upgrade", "").lower() or self._origins.ours(request)
        if not self._origins.ours(request):
            return False
        if request.get(SIGNED) is None:  # to sign in; there is nobody yet for whom another page could act
            return True
        sent = request.headers.get(FORM_HEADER, "")
        if not sent and request.content_type == "application/x-www-form-urlencoded":
            sent = str((await form_of(request)).get(FORM_FIELD, ""))
        return hmac.compare_digest(sent.encode(errors="replace"), form_token_of(request).encode())


def cookie_name(secure: bool) -> str:
    """With TLS the browser itself holds it to this host, this path and TLS (RFC 6265bis, ``__Host-``)."""
    return "__Host-callcenter" if secure else "callcenter"


def _names_harmless(request: web.Request) -> bool:
    """No control characters in the parts of the address that name something."""
    return all(value.isprintable() and len(value) <= 300 for value in request.match_info.values())


def _tell(request: web.Request, right: object) -> None:
    who = request.get(SIGNED)
    request[MISSING] = str(right)
    log.warning("not_allowed", person=who.person if who else "", right=str(right), method=request.method, path=request.path)
