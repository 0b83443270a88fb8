"""What commands share: where the configuration is, how they end, and how the engine is asked."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from callcenter.adapters.web.words import visible

if TYPE_CHECKING:
    from callcenter.runtime.settings import Settings
    from callcenter.services.control import Json, JsonObject

FAILED, WRONG_USE = 1, 2

Config = Annotated[Path, typer.Option("--config", "-c", envvar="CALLCENTER_CONFIG", help="The configuration file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
DEFAULT = Path("callcenter.toml")
From = Annotated[str | None, typer.Option("--from", help="ISO 8601, in the center's zone; a date is its midnight. By default today's.")]
To = Annotated[str | None, typer.Option("--to", help="ISO 8601, in the center's zone, itself not included. By default now.")]
Queue = Annotated[str | None, typer.Option("--queue", help="Only this queue.")]


def fail(sentence: str, code: int = FAILED) -> NoReturn:
    """Say why, and end."""
    typer.echo(f"callcenter: {sentence}", err=True)
    raise typer.Exit(code)


def tell(*lines: str) -> None:
    """Lines with other people's words in them: whatever would steer the terminal, or break a line, is shown as a sign."""
    typer.echo("\n".join(map(visible, lines)))


def settings_of(config: Path, *, of_the_file: bool = False) -> "Settings":
    """What the center goes by; or what the file says itself, to be tried, if it says anything of the center."""
    from callcenter.runtime.settings import SettingsError, center_source, load, load_file

    try:
        return load_file(config) if of_the_file and center_source(config).in_file else load(config)
    except SettingsError as error:
        for problem in error.problems:
            typer.echo(f"callcenter: {problem}", err=True)
        raise typer.Exit(WRONG_USE) from None


def ask_engine(config: Path, do: str, within: float = 5.0, **fields: "Json") -> "JsonObject":
    """One question to the running engine, without the fields that are None; says why and ends when it cannot be had."""
    from callcenter.runtime.data_folder import data_folder
    from callcenter.runtime.secrets import SecretsError, load_secrets
    from callcenter.services.control_client import EngineAway, RequestRefused, ask

    settings = settings_of(config)
    try:
        if not settings.data.is_dir():
            raise EngineAway("the engine does not run; start it with 'callcenter serve'")
        token = load_secrets(settings.data).control_token
        return asyncio.run(
            ask(
                data_folder(settings).control_socket,
                token,
                do,
                within,
                **{name: value for name, value in fields.items() if value is not None},
            )
        )
    except (EngineAway, RequestRefused, SecretsError) as error:
        fail(str(error))
