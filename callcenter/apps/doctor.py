"""``callcenter doctor``: the checks of the runtime, with those that need the database and the engine's socket."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from callcenter.runtime.checks import Check, Level, fail, ok, warn
from callcenter.runtime.data_folder import data_folder, database_url
from callcenter.runtime.doctor import examine, healthy
from callcenter.runtime.doctor_node import CLOCK_TOLERANCE
from callcenter.runtime.postgres import PostgresError
from callcenter.runtime.process import Process
from callcenter.runtime.secrets import Secrets
from callcenter.runtime.settings import Settings, SettingsError, load
from callcenter.services.control_client import EngineAway, RequestRefused, ask

COLOURS = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}


def main(config: Path, as_json: bool) -> bool:
    """Print all checks; say whether none failed."""
    checks = list(_checks(config))
    if as_json:
        print(json.dumps({"healthy": healthy(checks), "checks": [asdict(check) for check in checks]}, indent=2))
    else:
        _print(checks)
    return healthy(checks)


def _checks(config: Path) -> Iterator[Check]:
    try:
        settings = load(config)
    except SettingsError as error:
        for problem in error.problems:
            yield fail("configuration", problem, "correct the file; 'callcenter config check' says the same")
        return
    yield ok("configuration", str(config))
    yield from examine(settings, _also)


def _also(settings: Settings, secrets: Secrets | None) -> Iterator[Check]:
    yield from _database(settings)
    if secrets is not None:
        yield from _engine(settings, secrets)


def _database(settings: Settings) -> Iterator[Check]:
    from callcenter.adapters.db.migrate import DatabaseAway, DatabaseNewer, SchemaError, check_schema, head

    try:
        url = database_url(settings)
    except PostgresError:
        yield warn("database", "the embedded PostgreSQL does not run", "start it with: callcenter serve")
        return
    try:
        check_schema(url)
    except DatabaseAway as error:
        yield fail("database", str(error), "start the database, or correct database.url; calls are taken meanwhile, reports wait")
    except DatabaseNewer as error:
        yield fail("database", str(error), "install the newer version of callcenter")
    except SchemaError as error:
        yield fail("database", str(error), "run: callcenter migrate")
    except ValueError as error:
        yield fail("database", str(error), "correct database.url or CALLCENTER_DATABASE_URL")
    else:
        yield ok("database", f"{'embedded' if not settings.database_url else 'reachable'}, schema {head()}")
        yield _database_clock(url)


def _database_clock(url: str) -> Check:
    import psycopg

    with psycopg.connect(url, connect_timeout=2) as connection:
        row = connection.execute("SELECT clock_timestamp()").fetchone()
    seconds = (row[0] - datetime.now(UTC)).total_seconds() if row else 0.0
    if abs(seconds) > CLOCK_TOLERANCE:
        return warn("database clock", f"differs from ours by {seconds:+.0f} s", "let both machines keep time by NTP")
    return ok("database clock", "agrees with ours")


def _engine(settings: Settings, secrets: Secrets) -> Iterator[Check]:
    folder = data_folder(settings)
    try:
        state = asyncio.run(ask(folder.control_socket, secrets.control_token, "state", 2.0))
    except (EngineAway, RequestRefused):
        if Process.read(folder.run / "engine.json") is not None:
            fix = f"callcenter serve restarts it within seconds; see {folder.log / 'engine.log'}"
            yield fail("engine", "runs and does not answer", fix)
        else:
            yield warn("engine", "does not run", "start it with: callcenter serve")
        return
    yield ok("engine", f"answers at {folder.control_socket}")
    yield _journal(settings, state.get("journal"))
    for name, meanwhile in (
        ("books", "facts wait in the journal, reports stand still"),
        ("web", "there are no pages, no consoles and no /readyz"),
    ):
        process = Process.read(folder.run / f"{name}.json")
        if process is not None:
            yield ok(name, f"process {process.pid}")
        else:
            fix = f"see the end of {folder.log / f'{name}.log'}, put that right, then stop and start callcenter serve"
            yield warn(name, f"does not run here: {meanwhile}", fix)


def _journal(settings: Settings, health: object) -> Check:
    """Records that wait in the engine's memory are gone if it ends before there is room."""
    told = health if isinstance(health, dict) else {}
    if told.get("trouble"):
        held, lost = told.get("held"), told.get("lost")
        detail = f"{told['trouble']}: {held} records wait in memory{f', {lost} are lost' if lost else ''}"
        return fail("journal", detail, f"make room at {settings.data} and do not stop the engine before")
    return ok("journal", "written")


def _print(checks: list[Check]) -> None:
    table = Table("check", "", box=None, pad_edge=False)
    table.add_column("found", overflow="fold")
    table.add_column("fix", overflow="fold")
    for check in checks:
        colour = COLOURS[check.level]
        table.add_row(escape(check.name), f"[{colour}]{check.level}[/]", escape(check.detail), escape(check.fix))
    console = Console()
    console.print(table)
    console.print(_verdict(checks))


def _verdict(checks: list[Check]) -> str:
    failed = sum(check.level is Level.FAIL for check in checks)
    doubtful = sum(check.level is Level.WARN for check in checks)
    if failed:
        return f"[red]{failed} of {len(checks)} checks failed.[/]"
    if not any(check.name == "engine" and check.level is Level.OK for check in checks):
        return "[yellow]Nothing stands in the way; start it with: callcenter serve[/]"
    return f"[green]Takes calls{f'; {doubtful} to look at' if doubtful else ''}.[/]"
