"""What browsers may do with our pages, and what they are told when one of them breaks."""

import logging

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler

from callcenter.adapters.web.api.problems import bug_here, is_api

log = structlog.get_logger(__name__)

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; media-src 'self' blob:; "
        "base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with no-referrer, forms would come with "Origin: null"
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class NoHttp(logging.Filter):
    """For the log of aiohttp's server: what cannot even be read as HTTP is no fault of ours, and strangers fill no log with it."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """For ``on_response_prepare``: every answer carries them, errors and streams too."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.pop("Server", None)


@web.middleware
async def contain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A bug answers 500 without a word of its own, and is logged without its query, which may hold a caller's number."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception as bug:
        log.error("web_bug", method=request.method, path=request.path, exc_info=bug)
        if is_api(request):
            return bug_here().response()
        return web.Response(status=500, text="Something went wrong here; the log of the web process says what.\n")
