"""Pages of a long list: a cursor names the last row that was given, so that what is added meanwhile shifts nothing.

A cursor is opaque and signed: it is of one list with one set of filters, and what was not made here is refused.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from callcenter.adapters.web.api.problems import Fault, Problem

MOST = 200
_SIGNED = 12
"""Bytes of the signature in a cursor."""

Item = TypeVar("Item", bound=BaseModel)


class PageQuery(BaseModel):
    """What every list takes."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MOST, description="How many at most.")] = 50
    cursor: Annotated[str, Field(max_length=1000, description="`next` of the page before; with the same filters.")] = ""

    def filters(self) -> str:
        """All but where in the list we are, as one text."""
        return self.model_dump_json(exclude={"limit", "cursor"})


class Page(BaseModel, Generic[Item]):
    """A part of a list."""

    items: list[Item]
    next: Annotated[str | None, Field(description="The cursor of the next page; null: there is none.")]


class Cursors:
    """Makes and reads cursors with a key of this center."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, of: str, query: PageQuery, last: Sequence[str]) -> str:
        """``of`` is the list, ``last`` the place of the row."""
        place = json.dumps(list(last), separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._sign(of, query, place) + place).decode().rstrip("=")

    def read(self, of: str, query: PageQuery) -> list[str] | None:
        """The place after which to go on; None: from the beginning. Raises Problem."""
        if not query.cursor:
            return None
        try:
            raw = base64.b64decode(query.cursor + "=" * (-len(query.cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise _unknown() from None
        signature, place = raw[:_SIGNED], raw[_SIGNED:]
        if not hmac.compare_digest(signature, self._sign(of, query, place)):
            raise _unknown()
        found = json.loads(place)
        assert isinstance(found, list)
        return found

    def _sign(self, of: str, query: PageQuery, place: bytes) -> bytes:
        text = b"\0".join((of.encode(), query.filters().encode(), place))
        return hmac.new(self._key, text, hashlib.sha256).digest()[:_SIGNED]


def _unknown() -> Problem:
    fault = Fault(where="cursor", what="it is none that this list gave for these filters")
    return Problem(422, "invalid", "cursor: take 'next' of the page before, and repeat its filters", faults=[fault])
