"""What was: key figures, CDR, surveys, a contact explained, a day replayed."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from callcenter.apps.cli.common import DEFAULT, AsJson, Config, From, Queue, To, fail, settings_of

record_app = typer.Typer()
report_app = typer.Typer(no_args_is_help=True, help="Reports beside kpi, cdr and flow report.")
record_app.add_typer(report_app, name="report")


@record_app.command()
def kpi(config: Config = DEFAULT, from_: From = None, to: To = None, queue: Queue = None, as_json: AsJson = False) -> None:
    """Key figures per queue: offered, answered, abandoned, service level ..."""
    from callcenter.apps import reports

    reports.kpi(settings_of(config), from_, to, queue, as_json)


@report_app.command()
def surveys(config: Config = DEFAULT, from_: From = None, to: To = None, queue: Queue = None, as_json: AsJson = False) -> None:
    """What callers answered in surveys: CSAT, NPS and choices, by queue, agent and day."""
    from callcenter.apps import survey_report

    survey_report.surveys(settings_of(config), from_, to, queue, as_json)


@record_app.command()
def cdr(config: Config = DEFAULT, from_: From = None, to: To = None, queue: Queue = None, as_json: AsJson = False) -> None:
    """One line per call."""
    from callcenter.apps import reports

    reports.cdr(settings_of(config), from_, to, queue, as_json)


@record_app.command()
def explain(
    contact: Annotated[str, typer.Argument(metavar="CONTACT", help="Its id, the beginning of it, or the number of a caller who waits.")],
    config: Config = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Why a contact waits, or why it was offered to whom it was: who was eligible, why each other agent lost, what changes when."""
    from callcenter.apps import explain as explaining
    from callcenter.apps.reports import ReportError
    from callcenter.runtime.data_folder import data_folder
    from callcenter.runtime.postgres import PostgresError
    from callcenter.runtime.secrets import SecretsError, load_secrets
    from callcenter.services.control_client import EngineAway, RequestRefused, ask

    settings = settings_of(config)
    explained: Mapping[str, object]
    try:
        if not settings.data.is_dir():
            raise EngineAway("no engine has run here")
        token = load_secrets(settings.data).control_token
        explained = asyncio.run(ask(data_folder(settings).control_socket, token, "explain", 10.0, contact=contact))
    except (EngineAway, RequestRefused, SecretsError) as not_waiting:
        if "give more of the id" in str(not_waiting):
            fail(str(not_waiting))
        try:
            explained = explaining.from_the_past(settings, contact)
        except (ReportError, PostgresError) as error:
            fail(f"{not_waiting}; and of the past: {error}")
    typer.echo(json.dumps(explained, indent=2) if as_json else explaining.words(explained))


@record_app.command()
def replay(
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="The configuration to try; without it, the day is replayed as it was.")
    ] = None,
    center: Annotated[
        Path | None,
        typer.Option(envvar="CALLCENTER_CONFIG", help="The center's own file: where the facts are, and the unchanged configuration."),
    ] = None,
    from_: From = None,
    to: To = None,
    journal: Annotated[Path | None, typer.Option(help="Read the facts from this journal folder, not from PostgreSQL.")] = None,
    seed: Annotated[int, typer.Option(help="Of what the record does not say and is drawn.")] = 1,
    strict: Annotated[bool, typer.Option("--strict", help="Fail when the unchanged configuration does not reproduce the record.")] = False,
    as_json: AsJson = False,
) -> None:
    """A recorded day once more, in virtual time, as it was or with another configuration: who would have waited how long?"""
    from callcenter.apps import replay as replaying

    own = center or (DEFAULT if DEFAULT.exists() or config is None else config)
    other = settings_of(config, of_the_file=True) if config is not None and config.absolute() != own.absolute() else None
    replaying.main(replaying.Asked(settings_of(own), other, from_, to, journal, seed), strict=strict, as_json=as_json)
