"""The pages at the door: sign in, sign out, and the beginning."""

from urllib.parse import quote

from aiohttp import web

from callcenter.adapters.web.access import (
    PUBLIC,
    SECRET,
    Origins,
    Routes,
    address_of,
    cookie_name,
    form_of,
    signed,
    signed_if_any,
)
from callcenter.adapters.web.shell import BEGINNING, Shell, local_path
from callcenter.domain.rights import Right, Role
from callcenter.services.people.signing import Opened, Signing, SignInRefused
from callcenter.services.people.store import PeopleAway

DEVICE_COOKIE = "callcenter_browser"
"""Random, the same for all who use this browser; it opens nothing, but a browser that has signed somebody in waits less."""
DEVICE_LASTS = 400 * 86_400
BEGIN_WITH = {Role.SUPERVISOR: "/supervisor", Role.AGENT: "/agent", Role.OPS: "/trends", Role.ADMIN: "/people"}
"""Where somebody begins who names no page: where she works, by the first of these roles that she has."""


class SignInPages:
    def __init__(self, shell: Shell, signing: Signing, origins: Origins, routes: Routes) -> None:
        self._shell = shell
        self._signing = signing
        self._origins = origins
        self._routes = routes
        self.provider = ""
        """The name of the OIDC provider, for its button; empty: there is none."""

    def register(self, routes: Routes) -> None:
        routes.add("GET", "/", self.beginning, needs=PUBLIC)
        routes.add("GET", "/sign-in", self.form, needs=PUBLIC)
        routes.add("POST", "/sign-in", self.sign_in, needs=PUBLIC)
        routes.add("POST", "/sign-out", self.sign_out, needs=Right.OWN_ACCOUNT)

    async def beginning(self, request: web.Request) -> web.Response:
        if (who := signed_if_any(request)) is None:
            raise web.HTTPSeeOther("/sign-in")
        hers = [path for path, _ in self._routes.menu(who)]
        raise web.HTTPSeeOther(next((path for role, path in BEGIN_WITH.items() if role in who.roles and path in hers), "/account"))

    async def form(self, request: web.Request) -> web.Response:
        if signed_if_any(request) is not None:
            raise web.HTTPSeeOther(local_path(request.query.get("next", BEGINNING)))
        try:
            said = "" if await self._signing.store.anybody() else "sign_in.nobody"
        except PeopleAway:
            said = "shell.away"
        return self.page(request, said=said)

    def page(
        self, request: web.Request, *, status: int = 200, said: str = "", wait: int = 0, name: str = "", then: str = ""
    ) -> web.Response:
        then = local_path(then or request.query.get("next", BEGINNING))
        answer = self._shell.page(
            request, "sign_in.html", status=status, said=said, wait=wait, name=name, then=then, provider=self.provider
        )
        if wait:
            answer.headers["Retry-After"] = str(wait)
        return answer

    async def sign_in(self, request: web.Request) -> web.Response:
        sent = await form_of(request)
        name, password, then = (str(sent.get(field, "")) for field in ("name", "password", "next"))
        device = request.cookies.get(DEVICE_COOKIE, "")[:100]
        try:
            opened = await self._signing.sign_in(name, password, address_of(request), request.headers.get("User-Agent", ""), device)
        except SignInRefused as refused:
            return self.page(
                request, status=429 if refused.wait_s else 403, said=refused.why, wait=refused.wait_s, name=name[:64], then=then
            )
        except PeopleAway:
            return self.page(request, status=503, said="shell.away", name=name[:64], then=then)
        if SECRET in request:  # who signs in again leaves the former session behind
            await self._signing.sign_out(request[SECRET], address_of(request))
        return self.let_in(request, opened, local_path(then or BEGINNING))

    def let_in(self, request: web.Request, opened: Opened, then: str) -> web.Response:
        """On to the page, with the cookie of the new session."""
        secure = self._origins.secure(request)
        answer = web.Response(status=303, headers={"Location": quote(then, safe="/?&=#%:@!$'()*+,;~-._")})
        lasts = round((opened.session.ends_at - opened.session.begun_at).total_seconds())
        answer.set_cookie(cookie_name(secure), opened.secret, path="/", httponly=True, samesite="Lax", secure=secure, max_age=lasts)
        return answer

    async def sign_out(self, request: web.Request) -> web.Response:
        signed(request)
        await self._signing.sign_out(request[SECRET], address_of(request))
        secure = self._origins.secure(request)
        answer = web.Response(status=303, headers={"Location": "/sign-in", "Clear-Site-Data": '"cache"'})
        answer.del_cookie(cookie_name(secure), path="/", httponly=True, samesite="Lax", secure=secure)
        return answer
