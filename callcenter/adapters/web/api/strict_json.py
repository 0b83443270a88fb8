"""Bodies of requests: bounded, JSON as RFC 8259 means it, and nothing in it that no later place could hold."""

import asyncio
import json
import math
from typing import NoReturn

from aiohttp import web

from callcenter.adapters.web.api.problems import Problem

DEEPEST = 32
BODY_SECONDS = 10.0
"""In which the whole body must have come."""


async def read_body(request: web.Request, largest: int) -> bytes:
    """Raises Problem: too large, too slow."""
    if request.content_length is not None and request.content_length > largest:
        raise _too_large(largest)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.content.iter_any():
                body += part
                if len(body) > largest:
                    raise _too_large(largest)
    except TimeoutError:
        raise Problem(408, "malformed", f"the body did not come within {BODY_SECONDS:g} seconds", headers={"Connection": "close"}) from None
    return bytes(body)


def read_json(body: bytes) -> object:
    """One JSON text. Raises Problem."""
    try:
        read = json.loads(body.decode("utf-8"), object_pairs_hook=_without_repetition, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise _malformed("the body is not UTF-8") from None
    except RecursionError:
        raise _malformed(f"the body is nested deeper than {DEEPEST} levels") from None
    except json.JSONDecodeError as error:
        raise _malformed(f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except ValueError as error:  # ours, and integers of thousands of digits
        raise _malformed(f"the body is not JSON: {str(error)[:100]}") from None
    _check(read)
    return read


def _check(read: object) -> None:
    """Raises Problem for what databases and sockets cannot hold: half a surrogate pair, NUL, infinity, endless depth."""
    todo: list[tuple[object, int]] = [(read, 1)]
    while todo:
        value, depth = todo.pop()
        if depth > DEEPEST:
            raise _malformed(f"the body is nested deeper than {DEEPEST} levels")
        if isinstance(value, dict):
            todo += ((part, depth + 1) for item in value.items() for part in item)
        elif isinstance(value, list):
            todo += ((part, depth + 1) for part in value)
        elif isinstance(value, str) and not is_text(value):
            raise _malformed("the body holds NUL or half a surrogate pair")
        elif isinstance(value, float) and not math.isfinite(value):
            raise _malformed("the body holds a number that is too large")


def is_text(value: str) -> bool:
    """Whether every place of ours can hold it."""
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def _without_repetition(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name comes twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _malformed(why: str) -> Problem:
    return Problem(400, "malformed", why)


def _too_large(largest: int) -> Problem:
    return Problem(413, "too_large", f"the body may have at most {largest} bytes", headers={"Connection": "close"})
