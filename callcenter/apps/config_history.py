"""``callcenter config history``: the versions of the documents; of a center that has none yet, the files that were in use."""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from callcenter.apps import plan_words, rollback
from callcenter.apps.cli.common import tell
from callcenter.apps.configured import configuring
from callcenter.domain.documents import digest
from callcenter.runtime.settings import SettingsError, center_source
from callcenter.services.configuration import VersionNote
from callcenter.services.ledger import StoreAway


def show(file: Path, document: str, most: int, as_json: bool) -> None:
    """Print it. Raises typer.Exit with a sentence."""
    try:
        if rollback.is_of_files(file):
            rollback.history(file, as_json)
            return
        source = center_source(file)
        versions = asyncio.run(_versions(file, document, most))
    except SettingsError as error:
        _fail("; ".join(error.problems))
    except StoreAway as error:
        typer.echo(f"callcenter: the database is away ({error}); these are the configurations that the engine kept on its disk", err=True)
        rollback.history(file, as_json)
        return
    in_use = digest(source.cached.documents) if source.cached else ""
    if as_json:
        json.dump([plan_words.version_json(note, in_use) for note in versions], sys.stdout, indent=2)
        print()
        return
    for note in versions:
        for line in plan_words.version_text(note):
            tell(line)
    if not versions:
        typer.echo(f"nothing yet of {document}" if document else "nothing yet")
    if source.note:
        typer.echo(source.note)


async def _versions(file: Path, document: str, most: int) -> Sequence[VersionNote]:
    async with configuring(file) as center:
        return await center.history(document, most)


def _fail(sentence: str) -> None:
    typer.echo(f"callcenter: {sentence}", err=True)
    raise typer.Exit(2)
