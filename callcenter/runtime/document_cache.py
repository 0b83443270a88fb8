"""The engine's own copy of the documents, on its disk: it starts and runs without the database.

    <data>/config/documents.json       one version, whole; replaced by one rename
    <data>/config/documents.copy.json  the same once more, written after it: used when the first one is damaged or gone
    <data>/config/.lock                held by who changes the configuration

The database is the truth; this copy is as old as the last time somebody who reached the database wrote it. Nobody edits it.
"""

import json
import stat
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from callcenter.domain.documents import Body, Documents, digest
from callcenter.runtime.whole_files import alone_in, write_whole

FILE, COPY = "documents.json", "documents.copy.json"


class CacheError(Exception):
    """Neither file can be used; the sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Cached:
    """One version of the documents."""

    version: int
    at: datetime
    author: str
    documents: Documents
    file: str = ""
    """The digest of the documents that ``callcenter.toml`` held when it was last applied; empty: it never was."""

    @property
    def is_the_files(self) -> bool:
        """Nobody has changed them otherwise since ``callcenter.toml`` was applied."""
        return self.file == digest(self.documents)


@dataclass(frozen=True, slots=True)
class Look:
    """What was found on the disk."""

    cached: Cached | None
    """None: nothing was ever written."""
    note: str = ""
    """What is wrong, and what is used instead; empty: nothing is."""


class DocumentCache:
    """The copy in one data folder."""

    def __init__(self, data: Path) -> None:
        self.folder = data / "config"
        self.file = self.folder / FILE
        self.copy = self.folder / COPY

    def read(self) -> Cached | None:
        """None: nothing was ever written. Raises CacheError."""
        return self.look().cached

    def look(self) -> Look:
        """The documents, from the second file when the first one cannot be used. Raises CacheError when neither can."""
        try:
            cached, wrong = _read(self.file), f"{self.file} is missing"
        except CacheError as error:
            cached, wrong = None, str(error)
        if cached is not None:
            return Look(cached)
        try:
            copy = _read(self.copy)
        except CacheError as error:
            raise CacheError(f"{wrong}; {error}; {_ADVICE}") from None
        if copy is None and not self.file.exists():
            return Look(None)
        if copy is None:
            raise CacheError(f"{wrong}, and there is no {self.copy.name} beside it; {_ADVICE}")
        used = f"version {copy.version} of {copy.at:%Y-%m-%d %H:%M} UTC"
        return Look(copy, f"{wrong}: the center goes by {self.copy.name} beside it, {used}; callcenter books writes both again")

    def write(self, cached: Cached) -> None:
        """Both, one after the other, each whole or not at all. Raises OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = {
            "version": cached.version,
            "at": cached.at.isoformat(),
            "author": cached.author,
            "digest": digest(cached.documents),
            "file": cached.file,
            "documents": cached.documents,
        }
        for file in (self.file, self.copy):
            write_whole(file, json.dumps(kept), mode=0o600)

    def written_at(self) -> int:
        """Changes with every version that is written; 0: there is none."""
        try:
            found = self.file.stat()
        except OSError:
            return 0
        return found.st_mtime_ns if stat.S_ISREG(found.st_mode) else 0

    def alone(self) -> AbstractContextManager[None]:
        """One change at a time; the next one waits. Ends with the process, however that ends. Raises OSError."""
        return alone_in(self.folder)


_ADVICE = (
    "callcenter serve and callcenter books write them again from the database when that answers; else restore the folder from a backup, or "
    "remove both: the center then goes by callcenter.toml"
)


def _read(file: Path) -> Cached | None:
    """None: there is no such file. Raises CacheError."""
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        documents: dict[str, Body] = dict(kept["documents"])
        if digest(documents) != kept["digest"]:
            raise ValueError
        return Cached(int(kept["version"]), datetime.fromisoformat(kept["at"]), str(kept["author"]), documents, str(kept["file"]))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise CacheError(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CacheError(f"{file} is damaged") from None
