"""Opening hours: open or closed, why, the changes to come, and the emergency switch."""

from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from callcenter.adapters.web.api.endpoint import Asked, Endpoint, Line, Nothing, Request, Shown
from callcenter.adapters.web.api.ports import Ports
from callcenter.adapters.web.api.problems import not_found
from callcenter.adapters.web.api.resources import scope
from callcenter.adapters.web.api.resources.told import tell
from callcenter.domain.rights import Of, Right

TAG = "calendars"


class Switched(Shown):
    """What people did by hand."""

    open: bool
    until: AwareDatetime | None
    reason: str


class CalendarShown(Shown):
    """A calendar at this moment."""

    calendar: str
    time_zone: str
    open: bool
    why: str
    opens_at: AwareDatetime | None
    closes_at: AwareDatetime | None
    switched: Switched | None


class CalendarList(Shown):
    """All calendars."""

    items: list[CalendarShown]


class Change(Shown):
    """When it opens or closes."""

    at: AwareDatetime
    open: bool
    why: str


class CalendarWhole(CalendarShown):
    """A calendar with its changes to come."""

    known_until: AwareDatetime
    changes: list[Change]


class CalendarQuery(Request):
    days: Annotated[int, Field(ge=1, le=400, description="For how many days changes are listed.")] = 14


class SwitchRequest(Request):
    open: Annotated[bool | None, Field(description="true or false, whatever the hours say; null: follow the hours again.")]
    until: Annotated[AwareDatetime | None, Field(description="Until then; null: until somebody switches it back.")] = None
    reason: Line = ""


async def calendars(asked: Asked[Nothing, Nothing], ports: Ports) -> CalendarList:
    return CalendarList.model_validate({"items": (await ports.engine("calendar_list"))["calendars"]})


async def calendar(asked: Asked[CalendarQuery, Nothing], ports: Ports) -> CalendarWhole:
    name = _known(asked, ports)
    return CalendarWhole.model_validate(await ports.engine("calendar_show", calendar=name, days=asked.query.days))


async def switch(asked: Asked[Nothing, SwitchRequest], ports: Ports) -> CalendarShown:
    """The emergency switch. It needs scope over all queues that keep these hours."""
    name, body = _known(asked, ports), asked.body
    for queue in _queues(ports, name):
        scope.check(asked, Right.SWITCH_HOURS, Of(queues=frozenset({queue})))
    until = body.until.isoformat() if body.until else None
    answer = await tell(asked, ports, "calendar_switch", calendar=name, is_open=body.open, until=until, reason=body.reason)
    return CalendarShown.model_validate(answer)


def _queues(ports: Ports, calendar: str) -> list[str]:
    """Those that keep these hours; "" when none does, which only who has no limit may switch."""
    return [name for name, queue in ports.configured().queues.items() if queue.get("hours") == calendar] or [""]


def _known(asked: Asked[Any, Any], ports: Ports) -> str:
    name = asked.path["calendar"]
    if name not in ports.configured().calendars:
        raise not_found(f"there is no calendar '{name}'")
    return name


ENDPOINTS = (
    Endpoint("GET", "/calendars", calendars, "All calendars", Right.SEE_WALLBOARD, TAG, answers=CalendarList),
    Endpoint(
        "GET", "/calendars/{calendar}", calendar, "One calendar", Right.SEE_WALLBOARD, TAG, query=CalendarQuery, answers=CalendarWhole
    ),
    Endpoint(
        "POST",
        "/calendars/{calendar}/switch",
        switch,
        "Open or close it by hand",
        Right.SWITCH_HOURS,
        TAG,
        body=SwitchRequest,
        answers=CalendarShown,
    ),
)
