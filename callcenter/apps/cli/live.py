"""What is: the running center, asked and told."""

import json

import typer

from callcenter.apps.cli.common import DEFAULT, WRONG_USE, Config, ask_engine, fail

live_app = typer.Typer()


@live_app.command()
def reload(config: Config = DEFAULT) -> None:
    """Take over changes of the configuration file; calls in progress are not touched."""
    from callcenter.runtime.center_source import Origin
    from callcenter.runtime.settings import SettingsError, center_source

    try:
        source = center_source(config)
    except SettingsError as error:
        fail("; ".join(error.problems), WRONG_USE)
    if source.origin is Origin.CONFLICT:
        fail(source.note)
    answer = ask_engine(config, "reload", 60.0)
    typer.echo(f"reloaded: {answer.get('detail') or 'done'}")


@live_app.command()
def state(config: Config = DEFAULT) -> None:
    """What is going on right now, as JSON."""
    typer.echo(json.dumps(ask_engine(config, "state"), indent=2))
