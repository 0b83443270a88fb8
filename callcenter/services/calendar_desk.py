"""What people may ask about opening hours over the control socket: the list, the openings to come, the emergency switch."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from callcenter.domain.events import HoursSwitchRequested
from callcenter.domain.hours import Calendar, Hours
from callcenter.domain.state import State
from callcenter.services.control import ControlError, JsonObject
from callcenter.services.engine import Engine
from callcenter.services.ports import Clock

MOST_CHANGES = 500
"""Of one calendar, in one answer."""


class CalendarDesk:
    """Each operation is a method named after it."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def calendar_list(self, request: JsonObject) -> Mapping[str, object]:
        """All calendars, as they are now."""
        return {"calendars": calendars_view(self._engine.center.state, self._clock.now())}

    async def calendar_show(self, request: JsonObject) -> Mapping[str, object]:
        """One calendar, and its openings and closings to come: ``days`` of them."""
        state, now = self._engine.center.state, self._clock.now()
        name = _text(request, "calendar")
        hours = state.hours(name)
        if hours is None:
            raise ControlError(f"there is no calendar '{name}'; calendars: {', '.join(_people_s(state)) or 'none'}")
        days = request.get("days", 14)
        if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= 400:
            raise ControlError("'days' must be a whole number from 1 to 400")
        changes = [
            {"at": at.isoformat(), "open": hours.is_open(at), "why": str(hours.why(at))}
            for at in changes_of(hours, now, timedelta(days=days))
        ]
        return {**_view(name, hours, now), "known_until": hours.calendar.ends_at.isoformat(), "changes": changes[:MOST_CHANGES]}

    async def calendar_switch(self, request: JsonObject) -> Mapping[str, object]:
        """``is_open`` true or false, or null to follow the hours again; ``until`` a date."""
        is_open = request.get("is_open")
        if is_open is not None and not isinstance(is_open, bool):
            raise ControlError("'is_open' must be true, false or null")
        name = _text(request, "calendar")
        asked = HoursSwitchRequested(name, is_open, _date(request, "until"), _text(request, "reason", ""), _text(request, "by", ""))
        refusal = await self._engine.request(asked)
        if refusal is not None:
            raise ControlError(refusal)
        try:
            await self._engine.on_disk()
        except Exception as error:  # a full or failing disk, said in one sentence
            raise ControlError(f"done, but the disk does not take it at the moment: {error}") from error
        hours = self._engine.center.state.hours(name)
        assert hours is not None
        return {"ok": True, **_view(name, hours, self._clock.now())}


def calendars_view(state: State, now: datetime) -> list[Mapping[str, object]]:
    """Those that people wrote, by name."""
    found = ((name, state.hours(name)) for name in _people_s(state))
    return [_view(name, hours, now) for name, hours in found if hours is not None]


def _people_s(state: State) -> list[str]:
    """Without those that were made for queues which close by the clock."""
    return sorted(name for name in state.config.calendars if ":" not in name)


def _view(name: str, hours: Hours, now: datetime) -> dict[str, object]:
    switched = hours.switched if hours.switched is not None and hours.switched.holds(now) else None
    return {
        "calendar": name,
        "time_zone": hours.calendar.zone,
        "open": hours.is_open(now),
        "why": str(hours.why(now)),
        "opens_at": _iso(hours.opens_at(now)),
        "closes_at": _iso(hours.closes_at(now)),
        "warnings": list(hours.calendar.warnings),
        "switched": None if switched is None else {"open": switched.is_open, "until": _iso(switched.until), "reason": switched.reason},
    }


def changes_of(hours: Hours | Calendar, after: datetime, within: timedelta) -> Iterator[datetime]:
    """When it opens and closes, in order."""
    at: datetime | None = after
    while at is not None and (at := _sooner(hours.opens_at(at), hours.closes_at(at))) is not None and at <= after + within:
        yield at


def _sooner(*dates: datetime | None) -> datetime | None:
    return min((date for date in dates if date is not None), default=None)


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _text(request: JsonObject, name: str, default: str | None = None) -> str:
    text = request.get(name, default)
    if not isinstance(text, str) or (not text and default is None) or len(text) > 200 or not text.isprintable():
        raise ControlError(f"'{name}' is missing or no text")
    return text


def _date(request: JsonObject, name: str) -> datetime | None:
    text = request.get(name)
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        raise ControlError(f"'{name}' must be a date and time with its zone") from None
    if at.tzinfo is None:
        raise ControlError(f"'{name}' must be a date and time with its zone")
    return at.astimezone(UTC)
