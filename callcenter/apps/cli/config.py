"""``callcenter config``: the documents of the center as text files; what would change, changing it, its history, and back."""

import asyncio
import getpass
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from callcenter.apps.cli.common import DEFAULT, FAILED, WRONG_USE, AsJson, Config, From, To, fail, settings_of

if TYPE_CHECKING:
    from callcenter.apps.configuring import Configuring
    from callcenter.domain.documents import Documents
    from callcenter.services.configuration import Change, Plan

T = TypeVar("T")
DIFFERENT, TROUBLE = 1, 2
"""Exit codes of ``plan``, as ``diff`` has them."""

config_app = typer.Typer(no_args_is_help=True, help="The configuration: callcenter.toml, the documents, and their history.")

Files = Annotated[list[Path] | None, typer.Argument(metavar="PATH...", help="TOML files, or folders of them; by default callcenter.toml.")]
Partial = Annotated[bool, typer.Option("--partial", help="What is not in the files stays as it is, instead of being taken away.")]
Base = Annotated[int | None, typer.Option(help="Refuse unless the documents are at this version.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Reason = Annotated[str, typer.Option("--reason", "-m", help="Why, for the history.")]
Author = Annotated[str, typer.Option(help="Who changes it; by default the account that runs this.")]
Document = Annotated[str, typer.Option("--document", help="One document, such as queue/support.")]


@config_app.command()
def check(
    file: Annotated[Path | None, typer.Argument(help="The file to check; without it, the one that is used.")] = None,
    config: Config = DEFAULT,
) -> None:
    """Say what is wrong in the configuration file, and what is allowed there."""
    from datetime import UTC, datetime

    from callcenter.runtime.settings import SettingsError, center_source, load, load_file
    from callcenter.runtime.settings_calendars import forsaken_imports
    from callcenter.services.hours_keeper import warnings_of

    try:
        settings = load_file(file) if file is not None else load(config)
        note = "" if file is not None and file.absolute() != config.absolute() else center_source(settings.file).note
    except SettingsError as error:
        for problem in error.problems:
            typer.echo(f"callcenter: {problem}", err=True)
        raise typer.Exit(WRONG_USE) from None
    typer.echo(
        f"{settings.file}: fine ({len(settings.numbers)} numbers, {len(settings.queues)} queues, "
        f"{len(settings.agents)} agents, {len(settings.flows)} flows)"
    )
    for said in (*settings.flow_sources.notes, *([note] if note else [])):
        typer.echo(said)
    today = datetime.now(UTC).date()
    for warning in warnings_of(settings.opening_hours(today)):
        typer.echo(f"callcenter: {settings.file}: {warning}", err=True)
    if any(forsaken_imports(settings, today)):
        raise typer.Exit(WRONG_USE)


@config_app.command()
def export(
    config: Config = DEFAULT,
    to: Annotated[Path | None, typer.Option("--to", help="A folder: one file for each kind.")] = None,
    into: Annotated[Path | None, typer.Option("--into", help="A callcenter.toml, whose site settings stay; its comments do not.")] = None,
    version: Annotated[int | None, typer.Option(help="As they were in this version.")] = None,
    as_json: AsJson = False,
) -> None:
    """The documents as text that `apply` takes back; without a place, on the terminal. Site settings and secrets are not among them."""
    from callcenter.apps import document_files as files

    documents = _with(config, lambda center: _documents(center, version))
    try:
        if to is not None:
            for file in files.write_folder(to, documents):
                typer.echo(str(file))
        elif into is not None:
            typer.echo(f"{into}: written; the former one is {files.write_into(into, documents)}")
        elif as_json:
            typer.echo(json.dumps(documents, indent=2, ensure_ascii=False))
        else:
            typer.echo(files.as_text(documents), nl=False)
    except files.FilesError as error:
        fail(str(error))


async def _documents(center: "Configuring", version: int | None) -> "Documents":
    return (await center.now()).documents if version is None else await center.version(version)


@config_app.command()
def plan(paths: Files = None, config: Config = DEFAULT, partial: Partial = False, as_json: AsJson = False) -> None:
    """What `apply` would change, and what that means for the people of this moment. Exit code: 0 nothing, 1 something, 2 trouble."""
    from callcenter.apps import plan_words

    planned = _with(config, lambda center: _plan(center, paths or [config], partial=partial, config=config), TROUBLE)
    if as_json:
        typer.echo(json.dumps(plan_words.plan_json(planned), indent=2, ensure_ascii=False))
    else:
        for line in plan_words.plan_text(planned):
            typer.echo(line)
    raise typer.Exit(0 if planned.is_empty else DIFFERENT)


@config_app.command()
def apply(
    paths: Files = None,
    config: Config = DEFAULT,
    partial: Partial = False,
    base: Base = None,
    yes: Yes = False,
    reason: Reason = "",
    author: Author = "",
    as_json: AsJson = False,
) -> None:
    """Make the documents those of these files: shown first, then asked; live calls are not touched."""
    from callcenter.services.configuration import Change

    asked = paths or [config]
    own = _is_own(asked, config) and not partial
    change = Change(author or _who(), reason, "file" if own else "command")

    async def work(center: "Configuring") -> None:
        await center.catch_up()
        planned = await _plan(center, asked, partial=partial, config=config, base=base)
        await _carry_out(center, planned, change, yes=yes, as_json=as_json)

    _with(config, work)


@config_app.command()
def history(
    config: Config = DEFAULT,
    document: Document = "",
    most: Annotated[int, typer.Option(min=1, max=10_000, help="So many versions.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Who changed what, when and why; the newest first."""
    from callcenter.apps import config_history

    config_history.show(config, document, most, as_json)


@config_app.command()
def rollback(
    version: Annotated[int | None, typer.Argument(help="Its number in the history; by default, the one before the present one.")] = None,
    config: Config = DEFAULT,
    document: Document = "",
    yes: Yes = False,
    reason: Reason = "",
    author: Author = "",
    as_json: AsJson = False,
) -> None:
    """Bring an earlier version back, whole or one document of it: shown first, then asked; it is a new version that says the same."""
    from callcenter.apps import rollback as of_files
    from callcenter.runtime.settings import SettingsError
    from callcenter.services.configuration import Change
    from callcenter.services.ledger import StoreAway

    try:
        if of_files.is_of_files(config):
            typer.echo(of_files.rollback(config, version))
            return
    except of_files.RollbackError as error:
        fail(str(error))
    except (SettingsError, StoreAway) as error:
        fail(str(error))

    async def work(center: "Configuring") -> None:
        await center.catch_up()
        number = version if version is not None else await _before(center, document)
        planned = await center.plan_back(number, document)
        change = Change(author or _who(), reason or f"back to version {number}", "rollback")
        await _carry_out(center, planned, change, yes=yes, as_json=as_json)

    _with(config, work)


async def _before(center: "Configuring", document: str) -> int:
    from callcenter.services.configuration import NoSuchVersion

    if document:
        changed_in = (await center.now()).changed_in.get(document, 0)
        if changed_in > 1:
            return changed_in - 1
    elif (now := (await center.now()).version) > 1:
        return now - 1
    raise NoSuchVersion(f"there is no earlier version{f' of {document}' if document else ''}; see: callcenter config history")


async def _plan(center: "Configuring", paths: list[Path], *, partial: bool, config: Path, base: int | None = None) -> "Plan":
    from callcenter.apps.document_files import read_documents
    from callcenter.domain.documents import changed

    documents, others = read_documents(paths)
    if others and not _is_own(paths, config):
        typer.echo(f"left out, because they are settings of a site, which stay in {config}: {', '.join(others)}", err=True)
    if partial:
        documents = changed((await center.now()).documents, documents)
    return await center.plan_whole(documents, base)


async def _carry_out(center: "Configuring", planned: "Plan", change: "Change", *, yes: bool, as_json: bool) -> None:
    """Show, ask, do."""
    from callcenter.apps import plan_words

    if planned.is_empty and planned.base:
        typer.echo(json.dumps({"version": planned.base, "changed": False}) if as_json else "no difference; nothing to do")
        return
    if not as_json:
        for line in plan_words.plan_text(planned):
            typer.echo(line)
    if not yes:
        if as_json or not _asks():
            fail("say --yes to apply it without being asked", WRONG_USE)
        typer.confirm("Apply this?", abort=True)
    done = await center.apply(planned, change)
    if as_json:
        typer.echo(json.dumps({"version": done.version, "changed": True, "taken_up": done.taken_up, **plan_words.plan_json(planned)}))
    elif done.taken_up:
        typer.echo(f"version {done.version}: in use ({done.detail or 'done'})")
    else:
        typer.echo(f"version {done.version}: kept; the engine does not run, and goes by it when it starts")


def _asks() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty()


def _is_own(paths: list[Path], config: Path) -> bool:
    """Whether it is the center's own ``callcenter.toml``."""
    return [path.resolve() for path in paths] == [config.resolve()]


def _with(config: Path, work: "Callable[[Configuring], Awaitable[T]]", code: int = FAILED) -> T:
    """Do it with the center's documents; whatever is in the way is told in a sentence."""
    from callcenter.apps.configured import configuring
    from callcenter.apps.document_files import FilesError
    from callcenter.runtime.settings import SettingsError
    from callcenter.services.configuration import ChangeRefused, Faulty, NoSuchVersion, Stale
    from callcenter.services.ledger import StoreAway, StoreRefused

    async def doing() -> T:
        async with configuring(config) as center:
            return await work(center)

    try:
        return asyncio.run(doing())
    except StoreAway as error:
        fail(f"the database is away, and documents are changed together with it only: {error}", code)
    except Faulty as error:
        for fault in error.faults:
            typer.echo(f"callcenter: {fault}", err=True)
        fail("nothing was changed: what would be in use has faults", WRONG_USE)
    except SettingsError as error:
        fail("; ".join(error.problems), WRONG_USE)
    except Stale as error:
        fail(f"{error}; look at it again: callcenter config history; callcenter config plan", code)
    except (NoSuchVersion, ChangeRefused, FilesError, StoreRefused) as error:
        fail(str(error), code)


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


@config_app.command("dry-run")
def config_dry_run(config: Config = DEFAULT, from_: From = None, to: To = None, as_json: AsJson = False) -> None:
    """Try the file's routing rules on the contacts of a stretch of time: which rule would have won, and what would change."""
    from callcenter.apps import dry_run
    from callcenter.apps.reports import ReportError
    from callcenter.runtime.postgres import PostgresError

    try:
        typer.echo(dry_run.run(settings_of(config, of_the_file=True), from_, to, as_json))
    except (ReportError, PostgresError) as error:
        fail(str(error))
