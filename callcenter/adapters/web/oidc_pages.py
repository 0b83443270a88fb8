"""To the OIDC provider and back."""

import hmac
import json

import structlog
from aiohttp import web

from callcenter.adapters.web.access import PUBLIC, SECRET, Origins, Routes, address_of
from callcenter.adapters.web.shell import BEGINNING, Shell, local_path
from callcenter.adapters.web.sign_in_pages import SignInPages
from callcenter.services.people.oidc import Begun, OidcRefused, Provider
from callcenter.services.people.signing import Signing
from callcenter.services.people.store import PeopleAway

log = structlog.get_logger(__name__)

COOKIE, PATH = "callcenter_oidc", "/sign-in/oidc"
LASTS = 600


class OidcPages:
    def __init__(self, shell: Shell, signing: Signing, origins: Origins, provider: Provider, pages: SignInPages) -> None:
        self._shell = shell
        self._signing = signing
        self._origins = origins
        self._provider = provider
        self._pages = pages
        pages.provider = provider.shown

    def register(self, routes: Routes) -> None:
        routes.add("GET", PATH, self.go, needs=PUBLIC)
        routes.add("GET", f"{PATH}/back", self.come_back, needs=PUBLIC)

    def _back(self, request: web.Request) -> str:
        """As it is registered with the provider, to the letter."""
        here = self._origins.public_url.rstrip("/") if self._origins.public_url else f"{request.scheme}://{request.host}"
        return f"{here}{PATH}/back"

    async def go(self, request: web.Request) -> web.StreamResponse:
        begun = Begun()
        try:
            there = await self._provider.address(begun, self._back(request))
        except OidcRefused as refused:
            return self._no(request, refused)
        answer = web.Response(status=303, headers={"Location": there})
        kept = json.dumps([begun.state, begun.nonce, begun.verifier, local_path(request.query.get("next", BEGINNING))])
        secure = self._origins.secure(request)
        answer.set_cookie(COOKIE, kept.encode().hex(), path=PATH, httponly=True, samesite="Lax", secure=secure, max_age=LASTS)
        return answer

    async def come_back(self, request: web.Request) -> web.StreamResponse:
        """Only to the browser that went, and only once."""
        try:
            begun, then = _kept(request)
            if not hmac.compare_digest(request.query.get("state", "").encode(errors="replace"), begun.state.encode()):
                raise OidcRefused("sign_in.oidc_wrong", "another state than we sent")
            if "code" not in request.query:
                raise OidcRefused("sign_in.oidc_wrong", f"the provider said {request.query.get('error', '')[:60]!r}")
            identity = await self._provider.identity(request.query["code"][:4096], begun, self._back(request))
            opened = await self._signing.sign_in_as(identity, address_of(request), request.headers.get("User-Agent", ""))
        except OidcRefused as refused:
            return self._no(request, refused)
        except PeopleAway:
            return await self._shell.refuse(request, 503, "shell.away")
        if SECRET in request:
            await self._signing.sign_out(request[SECRET], address_of(request))
        answer = self._pages.let_in(request, opened, then)
        answer.del_cookie(COOKIE, path=PATH)
        return answer

    def _no(self, request: web.Request, refused: OidcRefused) -> web.Response:
        log.warning("oidc_refused", why=refused.why, detail=refused.detail, address=address_of(request))
        return self._pages.page(request, status=403, said=refused.why)


def _kept(request: web.Request) -> tuple[Begun, str]:
    try:
        state, nonce, verifier, then = json.loads(bytes.fromhex(request.cookies.get(COOKIE, "")))
        return Begun(str(state), str(nonce), str(verifier)), local_path(str(then))
    except ValueError:
        raise OidcRefused("sign_in.oidc_wrong", "this browser has not begun a sign-in") from None
