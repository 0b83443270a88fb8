"""``callcenter do-not-call``: who asked not to be called."""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from callcenter.apps.cli.common import DEFAULT, AsJson, Config, ask_engine, settings_of, tell

if TYPE_CHECKING:
    pass

do_not_call_app = typer.Typer(no_args_is_help=True, help="The do-not-call list: who asked not to be called any more.")

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="In national form or with a plus sign.")]
By = Annotated[str, typer.Option(help="Who asks for it, for the record.")]


@do_not_call_app.command("list")
def list_(config: Config = DEFAULT, as_json: AsJson = False) -> None:
    """What callers and people have said, with its date and source; the list in the configuration is not repeated."""

    answer = ask_engine(config, "do_not_call_list")
    if as_json:
        typer.echo(json.dumps({"numbers": answer["numbers"], "count": answer["count"]}, indent=2))
        return
    zone = ZoneInfo(settings_of(config).center.time_zone)
    listed = answer["numbers"]
    assert isinstance(listed, list)
    if not listed:
        typer.echo("nobody has asked not to be called")
    for shown in listed:
        assert isinstance(shown, dict)
        since = datetime.fromisoformat(str(shown["since"])).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
        more = "  ".join(str(shown[name]) for name in ("by", "note") if shown[name])
        tell(f"{shown['number']:<16} {since}  {shown['source']:<7} {more}".rstrip())


@do_not_call_app.command()
def add(
    number: Number, config: Config = DEFAULT, by: By = "", note: Annotated[str, typer.Option(help="Why, or where it was said.")] = ""
) -> None:
    """Call this number no more, from now on; what was promised it is taken back."""
    ask_engine(config, "do_not_call_add", number=number, by=by, note=note)
    typer.echo(f"{number}: is not called any more")


@do_not_call_app.command()
def remove(number: Number, config: Config = DEFAULT, by: By = "") -> None:
    """Call this number again."""
    ask_engine(config, "do_not_call_remove", number=number, by=by)
    typer.echo(f"{number}: may be called again")
