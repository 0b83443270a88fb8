"""What went wrong with a request, as problem details (RFC 9457): one shape for every error of the API."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

CONTENT_TYPE = "application/problem+json"
MISSING: Final = web.RequestKey("missing", str)
"""The right for want of which the door did not let a request in."""
TYPES: Mapping[str, str] = {
    "malformed": "The request cannot be read",
    "invalid": "The request does not fit",
    "signed_out": "Nobody is signed in",
    "forbidden": "The right for this is missing",
    "not_found": "There is no such thing",
    "method_not_allowed": "The method does not fit",
    "not_acceptable": "The answer cannot be had in that form",
    "refused": "It cannot be done as things are",
    "in_flight": "The first request with this key is still going on",
    "key_reused": "This key was used for another request",
    "changed_meanwhile": "It was changed meanwhile",
    "too_large": "The request is too large",
    "media_type": "The request is not JSON",
    "range": "There is no such part",
    "too_many": "Too many requests",
    "bug": "Something went wrong here",
    "away": "A part of the center is out of reach",
}
"""Title by the last part of ``type``."""


class Fault(BaseModel):
    """One thing that does not fit."""

    model_config = ConfigDict(extra="forbid")

    where: Annotated[str, Field(description="A JSON pointer (RFC 6901) into the body, or the name of a parameter.")]
    what: Annotated[str, Field(description="What is wrong there, as a sentence.")]


class ProblemDetails(BaseModel):
    """Every error has this shape (RFC 9457)."""

    model_config = ConfigDict(extra="forbid")

    type: Annotated[str, Field(description=f"`urn:callcenter:problem:` and one of {', '.join(sorted(TYPES))}.")]
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: Annotated[str, Field(description="A sentence for people.")]
    faults: list[Fault] | None = None


class Problem(Exception):
    """Answered in place of what was asked for."""

    def __init__(
        self, status: int, kind: str, detail: str, *, faults: Sequence[Fault] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail = status, kind, detail
        self.faults = list(faults)
        self.headers = dict(headers or {})

    def response(self) -> web.Response:
        told: dict[str, object] = {
            "type": f"urn:callcenter:problem:{self.kind}",
            "title": TYPES[self.kind],
            "status": self.status,
            "detail": self.detail,
        }
        if self.faults:
            told["faults"] = [fault.model_dump() for fault in self.faults]
        return web.Response(status=self.status, body=json.dumps(told).encode(), headers={**self.headers, "Content-Type": CONTENT_TYPE})


def not_found(what: str) -> Problem:
    return Problem(404, "not_found", what)


def refused(why: str) -> Problem:
    return Problem(409, "refused", why)


def away(what: str) -> Problem:
    return Problem(503, "away", what, headers={"Retry-After": "2"})


_OF_STATUS: Mapping[int, str] = {
    400: "malformed",
    401: "signed_out",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "refused",
    413: "too_large",
    415: "media_type",
    422: "invalid",
    429: "too_many",
    503: "away",
}


def bug_here() -> Problem:
    return Problem(500, "bug", "something went wrong here; the log of the web process says what")


def right_missing(rights: str) -> str:
    """A person has it not, her token was not given it, or her scope does not reach so far: which of them, she sees at ``/me``."""
    return f"this needs the right '{rights}', and upon what it names; GET /api/v1/me says which rights you have, and upon what"


def is_api(request: web.Request) -> bool:
    """Programs ask there: whatever is wrong is told as a problem, never as a page."""
    return request.path.startswith("/api/")


def refusal(request: web.Request, status: int, why: str) -> Problem:
    """What is wrong before an endpoint is reached: nobody signed in, a right missing, no such path, another method."""
    kind = _OF_STATUS.get(status, "malformed" if status < 500 else "bug")
    headers: dict[str, str] = {}
    error = request.match_info.http_exception
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    elif status == 405 and error is not None:
        allowed = headers["Allow"] = error.headers.get("Allow", "")
        why = f"{request.path[:200]} cannot be asked with {request.method[:20]}; it takes {allowed}"
    elif status == 403 and request.get(MISSING):
        why = right_missing(request[MISSING])
    elif status == 404:
        why = f"there is no {request.path[:200]}"
    elif status == 503:
        headers["Retry-After"] = "2"
    return Problem(status, kind, why, headers=headers)
