"""Who may see the live page, and what browsers may do with it.

Until people can sign in, whoever has the printed token may look. The token is shown once, in the address; from
then on a cookie that is made from it, and from which it cannot be found, opens the page.
"""

import hashlib
import hmac

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

log = structlog.get_logger(__name__)

COOKIE = "callcenter_live"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Door:
    """Lets in who knows the token."""

    def __init__(self, token: str) -> None:
        if not token:
            raise ValueError("an empty token would let everybody in")
        self._token = token.encode()
        self._cookie = hmac.new(self._token, b"callcenter live page", hashlib.sha256).hexdigest()

    def knows_token(self, request: web.Request) -> bool:
        return hmac.compare_digest(request.query.get("token", "").encode(errors="replace"), self._token)

    def is_open(self, request: web.Request) -> bool:
        return hmac.compare_digest(request.cookies.get(COOKIE, "").encode(errors="replace"), self._cookie.encode())

    def let_in(self, response: web.StreamResponse, secure: bool) -> None:
        response.set_cookie(COOKIE, self._cookie, path="/live", httponly=True, samesite="Strict", secure=secure)


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """For ``on_response_prepare``: every answer carries them, errors and streams too."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.pop("Server", None)


@web.middleware
async def contain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A bug answers 500 without a word of its own, and is logged without the query, which may hold the token."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception as bug:
        log.error("web_bug", method=request.method, path=request.path, exc_info=bug)
        return web.Response(status=500, text="Something went wrong here; the log of the web process says what.\n")
