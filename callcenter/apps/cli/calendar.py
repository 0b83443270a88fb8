"""``callcenter calendar``: opening hours, and the emergency switch."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast
from zoneinfo import ZoneInfo

import typer

from callcenter.apps.cli.common import DEFAULT, FAILED, WRONG_USE, AsJson, Config, ask_engine, fail, settings_of, tell

if TYPE_CHECKING:
    from callcenter.services.control import Json, JsonObject

calendar_app = typer.Typer(no_args_is_help=True, help="Opening hours, and the emergency switch.")

Name = Annotated[str, typer.Argument(metavar="CALENDAR", help="As callcenter.toml names it.")]
Until = Annotated[
    str | None, typer.Option("--until", help="ISO 8601, in the calendar's zone unless it says another; until it is switched back.")
]
Reason = Annotated[str, typer.Option(help="Why, for the record and for screens.")]
By = Annotated[str, typer.Option(help="Who does it, for the record.")]


@calendar_app.command("list")
def list_(config: Config = DEFAULT, as_json: AsJson = False) -> None:
    """All calendars: open or closed, why, and the next change."""
    answer = ask_engine(config, "calendar_list")
    if as_json:
        typer.echo(json.dumps(answer["calendars"], indent=2))
        return
    listed = cast("list[JsonObject]", answer["calendars"])
    if not listed:
        typer.echo("no calendars; write a [calendar.NAME] (docs/hours.md)")
    for shown in listed:
        tell(f"{shown['calendar']!s:<20} {_now(shown)}")
    for shown in listed:
        _warn(shown)


@calendar_app.command()
def show(
    calendar: Name,
    config: Config = DEFAULT,
    days: Annotated[int, typer.Option(min=1, max=400, help="For how many days the openings to come are listed.")] = 14,
    as_json: AsJson = False,
) -> None:
    """One calendar: open or closed, why, and its openings to come."""
    answer = ask_engine(config, "calendar_show", calendar=calendar, days=days)
    if as_json:
        typer.echo(json.dumps(answer, indent=2))
        return
    zone = ZoneInfo(str(answer["time_zone"]))
    typer.echo(f"{answer['calendar']} ({answer['time_zone']}) is {_now(answer)}")
    _warn(answer)
    opened: str | None = "now" if answer["open"] else None
    why = str(answer["why"])
    for change in cast("list[JsonObject]", answer["changes"]):
        if change["open"]:
            opened, why = _clock(change["at"], zone), str(change["why"])
        elif opened is not None:
            tell(f"  {opened:<21} to {_clock(change['at'], zone)}  {why}")
            opened = None
    if opened is not None:
        tell(f"  {opened:<21} to {'further notice' if not answer['changes'] else 'later'}  {why}")


@calendar_app.command()
def close(
    calendar: Name, config: Config = DEFAULT, until: Until = None, reason: Reason = "", by: By = "command line", as_json: AsJson = False
) -> None:
    """Close it now, whatever its hours say: the emergency switch."""
    _switch(config, calendar, False, until, reason, by, as_json)


@calendar_app.command("open")
def open_(
    calendar: Name, config: Config = DEFAULT, until: Until = None, reason: Reason = "", by: By = "command line", as_json: AsJson = False
) -> None:
    """Follow the hours again; with --until, stay open to that date whatever they say."""
    _switch(config, calendar, True if until is not None else None, until, reason, by, as_json)


@calendar_app.command()
def pin(
    calendar: Name,
    config: Config = DEFAULT,
    remove: Annotated[bool, typer.Option("--remove", help="Take it away: nobody can switch by phone.")] = False,
) -> None:
    """Set the PIN with which the calendar is switched by phone; it is asked for, or read from standard input."""
    from callcenter.domain.ivr.switching import holder_of
    from callcenter.runtime.pins import PinError, Pins

    settings = settings_of(config)
    if calendar not in settings.calendars:
        fail(f"there is no calendar '{calendar}'; calendars: {', '.join(sorted(settings.calendars)) or 'none'}", WRONG_USE)
    try:
        if remove:
            Pins(settings.data).remove(holder_of(calendar))
        else:
            entered = typer.prompt("PIN", hide_input=True, confirmation_prompt=True) if sys.stdin.isatty() else sys.stdin.readline().strip()
            Pins(settings.data).set(holder_of(calendar), entered)
    except PinError as error:
        fail(str(error), WRONG_USE)
    except OSError as error:
        fail(f"{error.filename or settings.data}: {error.strerror}", FAILED)
    typer.echo(f"{calendar}: {'nobody can switch it by phone any more' if remove else 'whoever knows the PIN can switch it by phone'}")


def _switch(config: Path, calendar: str, is_open: bool | None, until: str | None, reason: str, by: str, as_json: bool) -> None:
    moment = None
    if until is not None:
        try:
            at = datetime.fromisoformat(until)
        except ValueError:
            fail(f"--until must be a date and time such as 2026-11-22T15:00, but is {until!r}", WRONG_USE)
        if at.tzinfo is None:
            zone = ask_engine(config, "calendar_show", calendar=calendar, days=1)["time_zone"]
            at = at.replace(tzinfo=ZoneInfo(str(zone)))
        moment = at.isoformat()
    answer = ask_engine(config, "calendar_switch", calendar=calendar, is_open=is_open, until=moment, reason=reason, by=by)
    typer.echo(json.dumps(answer, indent=2) if as_json else f"{calendar} is {_now(answer)}")


def _warn(shown: "JsonObject") -> None:
    for warning in cast("list[str]", shown["warnings"]):
        typer.echo(f"  warning: {warning}")


def _now(shown: "JsonObject") -> str:
    """Such as ``open (weekly hours), closes Mon 2026-11-23 17:00``."""
    zone = ZoneInfo(str(shown["time_zone"]))
    state, change = ("open", "closes") if shown["open"] else ("closed", "opens")
    following = shown[f"{change}_at"]
    return f"{state} ({shown['why']}), {f'{change} {_clock(following, zone)}' if following else f'{change} at no known date'}"


def _clock(at: "Json", zone: ZoneInfo) -> str:
    return datetime.fromisoformat(str(at)).astimezone(zone).strftime("%a %Y-%m-%d %H:%M")
