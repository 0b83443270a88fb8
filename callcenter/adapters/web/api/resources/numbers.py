"""Caller lists, and who asked not to be called any more."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from callcenter.adapters.web.api.endpoint import Asked, Endpoint, Line, Name, Nothing, Request, Shown
from callcenter.adapters.web.api.paging import Cursors, Page, PageQuery
from callcenter.adapters.web.api.ports import Ports
from callcenter.adapters.web.api.problems import not_found
from callcenter.domain.rights import Right


class DoNotCallShown(Shown):
    """A number that is not called any more."""

    number: str
    since: AwareDatetime
    source: str
    call: Annotated[str, Field(description="In which the caller said so.")]
    by: str
    note: str


class DoNotCallPage(Page[DoNotCallShown]):
    """Numbers, in the order in which they were put on the list; without those of the configuration."""


class DoNotCallQuery(PageQuery):
    """As every list."""


class DoNotCallRequest(Request):
    number: Annotated[Name, Field(description="As people write it; E.164 is best.")]
    note: Line = ""


class EntryShown(Shown):
    """A number, or the beginning of numbers."""

    number: str
    reason: str


class CallerListShown(Shown):
    """A named list of numbers, as configured."""

    name: str
    entries: list[EntryShown]


class CallerLists(Shown):
    """All caller lists."""

    items: list[CallerListShown]


async def listed(asked: Asked[DoNotCallQuery, Nothing], ports: Ports) -> DoNotCallPage:
    query, cursors = asked.query, Cursors(ports.cursor_key)
    place = cursors.read("do-not-call", query)
    after = (datetime.fromisoformat(place[0]), place[1]) if place else None
    found = (await ports.engine("do_not_call_list")).get("numbers")
    rows: list[Any] = found if isinstance(found, list) else []
    left = [DoNotCallShown.model_validate(row) for row in rows]
    left = [row for row in left if after is None or (row.since, row.number) > after]
    shown = left[: query.limit]
    more = len(left) > len(shown)
    return DoNotCallPage(
        items=shown, next=cursors.make("do-not-call", query, (shown[-1].since.isoformat(), shown[-1].number)) if more else None
    )


async def add(asked: Asked[Nothing, DoNotCallRequest], ports: Ports) -> None:
    """The answer comes when it is on disk."""
    await ports.engine("do_not_call_add", number=asked.body.number, note=asked.body.note, by=asked.by.person)


async def remove(asked: Asked[Nothing, Nothing], ports: Ports) -> None:
    await ports.engine("do_not_call_remove", number=asked.path["number"], by=asked.by.person)


async def lists(asked: Asked[Nothing, Nothing], ports: Ports) -> CallerLists:
    return CallerLists(items=[_shown(name, ports) for name in sorted(ports.configured().caller_lists)])


async def one(asked: Asked[Nothing, Nothing], ports: Ports) -> CallerListShown:
    name = asked.path["list"]
    if name not in ports.configured().caller_lists:
        raise not_found(f"there is no caller list '{name}'")
    return _shown(name, ports)


def _shown(name: str, ports: Ports) -> CallerListShown:
    return CallerListShown.model_validate({"name": name, "entries": list(ports.configured().caller_lists[name])})


ENDPOINTS = (
    Endpoint(
        "GET",
        "/do-not-call",
        listed,
        "Who asked not to be called",
        Right.HANDLE_CALLBACKS,
        "do-not-call",
        query=DoNotCallQuery,
        answers=DoNotCallPage,
    ),
    Endpoint("POST", "/do-not-call", add, "Put a number on it", Right.HANDLE_CALLBACKS, "do-not-call", body=DoNotCallRequest, status=204),
    Endpoint("DELETE", "/do-not-call/{number}", remove, "Take a number off it", Right.EDIT_LEADS, "do-not-call", status=204),
    Endpoint("GET", "/caller-lists", lists, "Caller lists", Right.SEE_CONFIG, "caller-lists", answers=CallerLists),
    Endpoint("GET", "/caller-lists/{list}", one, "One caller list", Right.SEE_CONFIG, "caller-lists", answers=CallerListShown),
)
