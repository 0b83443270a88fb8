"""``callcenter config history`` and ``rollback`` of a center that goes by its file alone, because no database was ever there.

Also what the engine kept of all that it went by, for when the database is away.
"""

import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import typer

from callcenter.runtime.config_versions import ConfigVersions, Version, VersionError, digest
from callcenter.runtime.data_folder import DataFolder
from callcenter.runtime.document_cache import CacheError, DocumentCache
from callcenter.runtime.secrets import SecretsError, load_secrets
from callcenter.runtime.settings import SettingsError, data_of, load, parse_text
from callcenter.runtime.whole_files import write_whole
from callcenter.services.control_client import EngineAway, RequestRefused, ask

RELOAD_WITHIN = 60.0


class RollbackError(Exception):
    """Nothing was rolled back; everything is as it was."""


def is_of_files(file: Path) -> bool:
    """Whether the center goes by its file alone: there are no documents of it yet."""
    try:
        return DocumentCache(data_of(file)).read() is None
    except CacheError:
        return False


def history(file: Path, as_json: bool) -> None:
    """Print the versions, the newest first."""
    versions = ConfigVersions(data_of(file))
    shown, in_use, now = versions.all(), versions.in_use(), _text(file)
    if as_json:
        json.dump([_as_json(version, in_use, now) for version in reversed(shown)], sys.stdout, indent=2)
        print()
        return
    for version in reversed(shown):
        typer.echo(f"{version.number:>4}  {version.at:%Y-%m-%d %H:%M:%S} UTC  {version.sha256}  {_words(version, in_use, now)}".rstrip())
    if not shown:
        typer.echo("nothing yet; the engine keeps each configuration that it takes over")
    elif in_use is not None and digest(now) != in_use.sha256:
        typer.echo(f"{file} was changed since; callcenter reload takes it over")


def _words(version: Version, in_use: Version | None, now: str) -> str:
    words = [] if version.used else ["never in use"]
    words += ["in use"] if version == in_use else []
    words += [] if version == in_use or version.sha256 != digest(now) else ["as the file is now"]
    return ", ".join(words)


def _as_json(version: Version, in_use: Version | None, now: str) -> dict[str, object]:
    return {
        "version": version.number,
        "at": version.at.isoformat(),
        "sha256": version.sha256,
        "used": version.used,
        "in_use": version == in_use,
        "is_the_file": version.sha256 == digest(now),
        "file": str(version.file),
    }


def rollback(file: Path, number: int | None) -> str:
    """Put a version back into the file and let the engine take it over; say what was done. Raises RollbackError: nothing was done.

    The version is checked first, as the world is now. What was in the file and never in use is kept as a version of its own.
    """
    versions = ConfigVersions(data_of(file))
    before = _text(file)
    try:
        version = versions.find(number)
        text = version.read()
        parse_text(text, file)
        in_use = versions.in_use()
        if before and (in_use is None or digest(before) != in_use.sha256) and before != text:
            versions.keep(before, datetime.now(UTC), used=False)
        write_whole(file, text, None if file.exists() else 0o600)
    except VersionError as error:
        raise RollbackError(str(error)) from None
    except SettingsError as error:
        raise RollbackError(f"version {version.number} does not fit any more: {'; '.join(error.problems)}") from None
    except OSError as error:
        raise RollbackError(f"{error.filename or file}: {error.strerror or error}; nothing was changed") from None
    return f"version {version.number} of {version.at:%Y-%m-%d %H:%M:%S} UTC: {_reload(file, before)}"


def _reload(file: Path, before: str) -> str:
    """Let the engine take it over; when it refuses, the file is put back."""
    settings = load(file)
    try:
        token = load_secrets(settings.data).control_token
        answer = asyncio.run(ask(DataFolder(settings.data).control_socket, token, "reload", RELOAD_WITHIN))
    except (EngineAway, SecretsError):
        return "restored; the engine does not run, and takes it over when it starts"
    except RequestRefused as error:
        write_whole(file, before)
        raise RollbackError(f"the engine refused it, and the file is as it was: {error}") from None
    return f"restored and taken over ({answer.get('detail') or 'done'})"


def _text(file: Path) -> str:
    """What is in the file now; empty when it cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
