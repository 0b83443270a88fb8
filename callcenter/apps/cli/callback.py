"""``callcenter callback``: what supervisors and agents see and do of callbacks."""

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from callcenter.apps.cli.common import DEFAULT, WRONG_USE, AsJson, Config, ask_engine, fail, settings_of, tell

if TYPE_CHECKING:
    from callcenter.services.control import Json, JsonObject

callback_app = typer.Typer(no_args_is_help=True, help="Callbacks: what we have promised callers.")

Id = Annotated[str, typer.Argument(metavar="CALLBACK", help="As 'callcenter callback list' names it.")]
At = Annotated[str | None, typer.Option("--at", help="ISO 8601, in the center's zone unless it says another.")]
By = Annotated[str, typer.Option(help="Who asks for it, for the record.")]


def _moment(config: Path, text: str | None) -> str | None:
    """A date with its zone. Ends with a sentence when it is none."""

    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        fail(f"--at must be a date and time such as 2026-11-22T15:00, but is {text!r}", WRONG_USE)
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(settings_of(config).center.time_zone))
    return at.isoformat()


@callback_app.command("list")
def list_(
    config: Config = DEFAULT,
    queue: Annotated[str | None, typer.Option(help="Only this queue's.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only this agent's own.")] = None,
    as_json: AsJson = False,
) -> None:
    """Those that are not settled, in the order in which they are due."""

    answer = ask_engine(config, "callback_list", queue=queue, owner=owner)
    if as_json:
        typer.echo(json.dumps({"callbacks": answer["callbacks"], "count": answer["count"]}, indent=2))
        return
    zone = ZoneInfo(settings_of(config).center.time_zone)
    listed = answer["callbacks"]
    assert isinstance(listed, list)
    if not listed:
        typer.echo("no callbacks are open")
    for shown in listed:
        assert isinstance(shown, dict)
        due = datetime.fromisoformat(str(shown["due_at"])).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") if shown["due_at"] else "-"
        owned = f"  {shown['owner']}'s" if shown["owner"] else ""
        tries = f"  {shown['attempts']} attempts" if shown["attempts"] else ""
        tell(f"{shown['callback']}  {shown['state']:<11} {due}  {shown['queue']:<12} {shown['number']}{owned}{tries}")


@callback_app.command()
def add(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="Whom to call.")],
    queue: Annotated[str, typer.Option(help="Whose agents call.")],
    config: Config = DEFAULT,
    at: At = None,
    owner: Annotated[str, typer.Option(help="The agent whose callback it is.")] = "",
    owned_for_s: Annotated[float | None, typer.Option(help="How long it waits for her alone; as the queue says by default.")] = None,
    name: Annotated[str, typer.Option(help="The caller's name.")] = "",
    priority: Annotated[int, typer.Option(help="Within the queue; higher first.")] = 0,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Promise a callback: as soon as it is its turn, or at a chosen time."""
    more: dict[str, Json] = {}
    if (moment := _moment(config, at)) is not None:
        more["at"] = moment
    if owned_for_s is not None:
        more["owned_for_s"] = owned_for_s
    answer = ask_engine(config, "callback_add", 5.0, number=number, queue=queue, owner=owner, name=name, priority=priority, by=by, **more)
    _tell(answer, as_json, "promised")


@callback_app.command()
def edit(
    callback: Id,
    config: Config = DEFAULT,
    number: Annotated[str | None, typer.Option(help="Whom to call.")] = None,
    queue: Annotated[str | None, typer.Option(help="Whose agents call.")] = None,
    at: At = None,
    owner: Annotated[str | None, typer.Option(help="The agent whose callback it is; empty: anybody's.")] = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Change what is promised; what is not given stays."""
    changed: dict[str, Json] = {}
    for field, value in (("number", number), ("queue", queue), ("owner", owner), ("at", _moment(config, at))):
        if value is not None:
            changed[field] = value
    _tell(ask_engine(config, "callback_edit", 5.0, callback=callback, by=by, **changed), as_json, "changed")


@callback_app.command()
def cancel(callback: Id, config: Config = DEFAULT, by: By = "", as_json: AsJson = False) -> None:
    """Take the promise back."""
    _tell(ask_engine(config, "callback_cancel", callback=callback, by=by), as_json, "cancelled")


def _tell(answer: "JsonObject", as_json: bool, done: str) -> None:
    if as_json:
        typer.echo(json.dumps({"callback": answer["callback"], **({"shown": answer["shown"]} if "shown" in answer else {})}, indent=2))
    else:
        typer.echo(f"{answer['callback']}: {done}")
