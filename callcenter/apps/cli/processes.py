"""``callcenter serve`` and the processes it starts; what is done before and beside: render, migrate, doctor, demo."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callcenter.apps.cli.common import DEFAULT, FAILED, WRONG_USE, AsJson, Config, fail, settings_of

if TYPE_CHECKING:
    from callcenter.runtime.settings import Settings

process_app = typer.Typer()


def _put_back(config: Path, *, start: bool = False) -> None:
    """Documents that are damaged on this disk come from the database again, and that is said."""
    from callcenter.apps.configured import put_back
    from callcenter.runtime.settings import SettingsError, data_of

    try:
        if put_back(config, start=start):
            typer.echo(
                f"callcenter: the documents in {data_of(config) / 'config'} were damaged; they are from the database again", err=True
            )
    except SettingsError as error:
        for problem in error.problems:
            typer.echo(f"callcenter: {problem}", err=True)
        raise typer.Exit(WRONG_USE) from None


@process_app.command()
def serve(
    config: Config = DEFAULT,
    drain_seconds: Annotated[float, typer.Option(min=0, help="At the end, calls get so long to end by themselves.")] = 30.0,
    show_credentials: Annotated[bool | None, typer.Option(help="Print phone passwords; by default on a terminal only.")] = None,
) -> None:
    """Run everything on this machine: Asterisk, PostgreSQL, engine, books, dips, recogniser, webhooks, web."""
    import sys

    from callcenter.apps import serve as serving
    from callcenter.runtime.data_folder import DataFolderError
    from callcenter.runtime.program import StartError
    from callcenter.runtime.secrets import SecretsError

    show = sys.stdout.isatty() if show_credentials is None else show_credentials
    _put_back(config, start=True)
    plan = serving.Plan(settings_of(config), drain_seconds, show)
    try:
        asyncio.run(serving.serve(plan))
    except (StartError, DataFolderError, SecretsError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or plan.settings.data}: {error.strerror or error}; make room or correct its rights, or move paths.data")


@process_app.command()
def engine(config: Config = DEFAULT) -> None:
    """Run the engine alone."""
    from callcenter.apps import engine as process

    _own_process(settings_of(config))
    process.main(config)


@process_app.command()
def books(
    config: Config = DEFAULT,
    retry_dead_letters: Annotated[
        bool, typer.Option("--retry-dead-letters", help="Only ship once more what PostgreSQL refused, beside running books.")
    ] = False,
) -> None:
    """Run the books alone: from the journal to PostgreSQL."""
    from callcenter.apps import books as process

    if retry_dead_letters:
        settings_of(config)
        process.retry_main(config)
        return
    _put_back(config)
    _own_process(settings_of(config))
    process.main(config)


@process_app.command()
def dips(config: Config = DEFAULT) -> None:
    """Run the dips alone: what flows ask other systems."""
    from callcenter.apps import dips as process

    _own_process(settings_of(config))
    process.main(config)


@process_app.command()
def recogniser(config: Config = DEFAULT) -> None:
    """Run the recogniser alone: who understands what callers say."""
    from callcenter.apps import recogniser as process

    _own_process(settings_of(config))
    process.main(config)


@process_app.command()
def webhooks(config: Config = DEFAULT) -> None:
    """Run the webhooks alone: who tells other systems what happens."""
    from callcenter.apps import webhooks as process

    _own_process(settings_of(config))
    process.main(config)


@process_app.command()
def web(config: Config = DEFAULT) -> None:
    """Run the web process alone: sign-in, pages, health, metrics."""
    from callcenter.apps import web as process

    _own_process(settings_of(config))
    process.main(config)


def _own_process(settings: "Settings") -> None:
    from callcenter.runtime.data_folder import DataFolderError, data_folder

    try:
        data_folder(settings).prepare()
    except DataFolderError as error:
        fail(str(error))


@process_app.command()
def render(config: Config = DEFAULT) -> None:
    """Write secrets and what Asterisk reads, without starting anything; for nodes that others start."""
    from callcenter.runtime.asterisk import AsteriskNode
    from callcenter.runtime.asterisk_root import AsteriskMissing
    from callcenter.runtime.prompts import PromptError
    from callcenter.runtime.secrets import SecretsError, load_secrets

    settings = settings_of(config)
    _own_process(settings)
    try:
        secrets = load_secrets(settings.data, [agent.name for agent in settings.agents])
        for section in settings.nodes:
            if not section.remote:
                node = AsteriskNode(settings, secrets, section)
                node.write_files()
                typer.echo(f"{node.name}: {node.folder / 'etc' / 'asterisk.conf'}")
    except (AsteriskMissing, PromptError, SecretsError, OSError) as error:
        fail(str(error))


@process_app.command()
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running at the end.")] = False,
    rounds: Annotated[
        int, typer.Option(min=1, max=5, help="The twelve callers come so often; from the second time on they are told waits.")
    ] = 1,
) -> None:
    """Show it: simulated agents and callers, real SIP and real audio, and a report that checks itself."""
    from callcenter.apps import demo as showing

    if not showing.main(keep=keep, rounds=rounds):
        raise typer.Exit(FAILED)


@process_app.command()
def doctor(config: Config = DEFAULT, as_json: AsJson = False) -> None:
    """Check this machine and what runs on it; each failure with its fix."""
    from callcenter.apps import doctor as examining

    if not examining.main(config, as_json):
        raise typer.Exit(FAILED)


@process_app.command()
def migrate(config: Config = DEFAULT) -> None:
    """Bring the database to this version's schema."""
    from callcenter.adapters.db.migrate import DatabaseAway, SchemaError
    from callcenter.adapters.db.migrate import migrate as bring_up
    from callcenter.runtime.data_folder import data_folder, database_url
    from callcenter.runtime.postgres import EmbeddedPostgres, PostgresError

    settings = settings_of(config)
    try:
        own = None if settings.database_url else EmbeddedPostgres(data_folder(settings).postgres)
        started = own is not None and not own.start()
        try:
            revision = bring_up(database_url(settings))
        finally:
            if own is not None and started:
                own.stop()
    except DatabaseAway as error:
        fail(f"{error}; start the database, or correct database.url, then: callcenter migrate")
    except (SchemaError, PostgresError, ValueError) as error:
        fail(str(error))
    typer.echo(f"the database is at revision {revision}")
