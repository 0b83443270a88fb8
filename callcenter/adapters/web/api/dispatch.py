"""Carries out requests as their endpoints are declared: body, parameters and key are checked once, here, and every error has one shape."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, ValidationError

from callcenter.adapters.web.access import PUBLIC, NotAllowed, Routes, signed
from callcenter.adapters.web.api.endpoint import PARAMETERS, Answer, Asked, Endpoint, Nothing
from callcenter.adapters.web.api.openapi import BASE
from callcenter.adapters.web.api.openapi import text as document_text
from callcenter.adapters.web.api.ports import Ports
from callcenter.adapters.web.api.problems import Fault, Problem, away, bug_here, not_found, right_missing
from callcenter.adapters.web.api.rate import Buckets
from callcenter.adapters.web.api.strict_json import is_text, read_body, read_json
from callcenter.services.control_client import EngineAway, RequestRefused
from callcenter.services.idempotency import KeptAnswer, KeyInFlight, KeyReused, fingerprint
from callcenter.services.ledger import StoreAway, StoreRefused
from callcenter.services.people.store import PeopleAway
from callcenter.services.webhooks import WebhookError

log = structlog.get_logger(__name__)

SECONDS = 30.0
"""In which a request must be done."""
LONGEST_KEY = 200


class Api:
    """All endpoints of one web process."""

    def __init__(self, endpoints: Sequence[Endpoint], ports: Ports, tags: Mapping[str, str], *, rate: float, burst: int) -> None:
        self._endpoints = endpoints
        self._tags = tags
        self._ports = ports
        self._buckets = Buckets(rate, burst, time.monotonic)

    def register(self, routes: Routes) -> None:
        """Each endpoint with its right; and the document that describes them, which is no secret."""
        described = document_text(self._endpoints, self._tags).encode()

        async def describe(request: web.Request) -> web.Response:
            return web.Response(body=described, headers={"Content-Type": "application/json"})

        routes.add("GET", f"{BASE}/openapi.json", describe, needs=PUBLIC)
        for endpoint in self._endpoints:
            routes.add(endpoint.method, BASE + endpoint.path, self._handler(endpoint), needs=endpoint.needs)

    def _handler(self, endpoint: Endpoint) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                async with asyncio.timeout(SECONDS):
                    return await self._handle(endpoint, request)
            except Problem as problem:
                return problem.response()
            except TimeoutError:
                return away(f"it was not done within {SECONDS:g} seconds").response()

        return handle

    async def _handle(self, endpoint: Endpoint, request: web.Request) -> web.StreamResponse:
        who = signed(request)
        owner = f"token:{who.token}" if who.token else f"person:{who.person}"
        if wait := self._buckets.take(owner):
            raise Problem(429, "too_many", "too many requests at once", headers={"Retry-After": str(wait)})
        raw = await read_body(request, endpoint.largest) if endpoint.changes else b""
        asked: Asked[Any, Any] = Asked(who, _path(request), _query(endpoint, request), _body(endpoint, request, raw), request)
        key = _key(request) if endpoint.changes else ""
        if not key:
            return await self._do(endpoint, asked)
        return await self._once(endpoint, asked, owner, key, fingerprint(request.method, request.path_qs, raw))

    async def _once(self, endpoint: Endpoint, asked: Asked[Any, Any], owner: str, key: str, said: str) -> web.StreamResponse:
        """The first request with this key is done; others get its answer."""
        keys = self._ports.keys
        try:
            kept = await keys.begin(owner, key, said)
        except KeyReused:
            raise Problem(422, "key_reused", "this Idempotency-Key was used for another request; take a new one for this one") from None
        except KeyInFlight:
            raise Problem(409, "in_flight", "the first request with this key is still going on", headers={"Retry-After": "1"}) from None
        except (StoreAway, StoreRefused):
            raise away("the database, where keys are kept, is out of reach; without a key it would be done") from None
        if kept is not None:
            headers = {"Idempotent-Replay": "true", **({"ETag": kept.etag} if kept.etag else {})}
            return web.Response(status=kept.status, body=kept.body or None, headers={**headers, "Content-Type": kept.content_type})
        try:
            response = await self._do(endpoint, asked)
        except Problem as problem:
            response = problem.response()
        except BaseException:
            await self._let_go(owner, key)
            raise
        if response.status >= 500 or response.status == 429 or not isinstance(response, web.Response):
            await self._let_go(owner, key)
            return response
        body = response.body if isinstance(response.body, bytes) else b""
        answer = KeptAnswer(response.status, response.headers.get("Content-Type", ""), body, response.headers.get("ETag", ""))
        try:
            await keys.finish(owner, key, answer)
        except (StoreAway, StoreRefused) as error:  # it was done; only its repetition would not be recognised after a while
            log.warning("idempotency_key_not_kept", error=str(error))
        return response

    async def _let_go(self, owner: str, key: str) -> None:
        try:
            await self._ports.keys.release(owner, key)
        except (StoreAway, StoreRefused) as error:
            log.warning("idempotency_key_not_released", error=str(error))

    async def _do(self, endpoint: Endpoint, asked: Asked[Any, Any]) -> web.StreamResponse:
        """Raises Problem, and nothing else but what the door knows."""
        try:
            return _response(endpoint, await endpoint.do(asked, self._ports))
        except Problem:
            raise
        except NotAllowed as right:
            raise Problem(403, "forbidden", right_missing(str(right))) from None
        except EngineAway as error:
            raise away(str(error)) from None
        except RequestRefused as error:
            raise Problem(409, "refused", str(error)) from None
        except WebhookError as error:
            raise _of_webhook(error) from None
        except (StoreAway, PeopleAway) as error:
            log.warning("database_away", error=str(error))
            raise away("the database is out of reach") from None
        except StoreRefused as error:
            log.warning("store_refused", error=str(error))
            raise Problem(422, "invalid", "the database does not take these values") from None
        except TimeoutError:
            raise
        except Exception as bug:
            log.error("api_bug", operation=endpoint.operation, exc_info=bug)
            raise bug_here() from None


def _of_webhook(error: WebhookError) -> Problem:
    if error.unknown:
        return not_found(str(error))
    if error.changed:
        return Problem(412, "changed_meanwhile", str(error))
    if error.field:
        return Problem(422, "invalid", str(error), faults=[Fault(where=f"/{error.field}", what=str(error))])
    return Problem(409, "refused", str(error))


def _path(request: web.Request) -> Mapping[str, str]:
    found = dict(request.match_info)
    for name, value in found.items():
        if not PARAMETERS[name].fits(value):
            raise not_found(f"there is no {name.replace('_', ' ')} of that name")
    return found


def _query(endpoint: Endpoint, request: web.Request) -> BaseModel:
    given: dict[str, object] = {}
    for name in request.query:
        values = request.query.getall(name)
        if len(values) > 1:
            raise _invalid([Fault(where=name[:100], what="comes more than once")])
        if not is_text(values[0]) or not is_text(name):
            raise _invalid([Fault(where="?", what="holds NUL, or bytes that are not UTF-8")])
        given[name] = values[0]
    return _fits(lambda: endpoint.query.model_validate_strings(given), "")


def _body(endpoint: Endpoint, request: web.Request, raw: bytes) -> BaseModel:
    if endpoint.body is None:
        if raw.strip():
            raise Problem(400, "malformed", "this request takes no body")
        return Nothing()
    if not raw.strip() and endpoint.optional_body:
        return _fits(endpoint.body, "/")
    if request.content_type != "application/json":
        raise Problem(415, "media_type", "send application/json")
    if (request.charset or "utf-8").lower() != "utf-8":
        raise Problem(415, "media_type", "send UTF-8")
    read_json(raw)
    body = endpoint.body
    return _fits(lambda: body.model_validate_json(raw, strict=True), "/")


def _fits(validate: Callable[[], BaseModel], root: str) -> BaseModel:
    try:
        return validate()
    except ValidationError as error:
        each_fault = error.errors(include_url=False, include_context=False, include_input=False)[:20]
        raise _invalid(
            [Fault(where=_pointer(root, each["loc"]), what=each["msg"].removeprefix("Value error, ")) for each in each_fault]
        ) from None


def _pointer(root: str, parts: Sequence[int | str]) -> str:
    """A JSON pointer (RFC 6901)."""
    return root + "/".join(str(part).replace("~", "~0").replace("/", "~1")[:100] for part in parts)


def _invalid(faults: Sequence[Fault]) -> Problem:
    first = faults[0]
    return Problem(422, "invalid", f"{first.where}: {first.what}", faults=faults)


def _key(request: web.Request) -> str:
    """The key, as a string of RFC 9651 or bare; empty: there is none. Raises Problem."""
    given = request.headers.getall("Idempotency-Key", [])
    if not given:
        return ""
    key = given[0].strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if len(given) > 1 or not 1 <= len(key) <= LONGEST_KEY or not all("!" <= sign <= "~" for sign in key):
        raise Problem(400, "malformed", f"Idempotency-Key must be one text of at most {LONGEST_KEY} visible ASCII characters")
    return key


def _response(endpoint: Endpoint, result: BaseModel | Answer | web.StreamResponse | None) -> web.StreamResponse:
    if isinstance(result, web.StreamResponse):
        return result
    answer = result if isinstance(result, Answer) else Answer(result)
    headers = {**answer.headers, **({"ETag": answer.etag} if answer.etag else {})}
    if answer.body is None:
        status = answer.status or (204 if endpoint.status == 200 else endpoint.status)
        return web.Response(status=status, headers=headers)
    body = answer.body.model_dump_json().encode("utf-8", "replace")
    return web.Response(status=answer.status or endpoint.status, body=body, headers={**headers, "Content-Type": "application/json"})
