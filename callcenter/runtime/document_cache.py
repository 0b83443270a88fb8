"""The engine's own copy of the documents, on its disk: it starts and runs without the database.

    <data>/config/documents.json       one version, whole; replaced by one rename
    <data>/config/.lock                held by who changes the configuration

The database is the truth; this copy is as old as the last time somebody who reached the database wrote it. Nobody edits it.
"""

import contextlib
import fcntl
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from callcenter.domain.documents import Body, Documents, digest
from callcenter.runtime.whole_files import write_whole

FILE = "documents.json"


class CacheError(Exception):
    """The copy cannot be read; the sentence says what to do."""


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


class DocumentCache:
    """The copy in one data folder."""

    def __init__(self, data: Path) -> None:
        self.folder = data / "config"
        self.file = self.folder / FILE

    def read(self) -> Cached | None:
        """None: nothing was ever written. Raises CacheError."""
        try:
            kept = json.loads(self.file.read_text(encoding="utf-8"))
            documents: dict[str, Body] = dict(kept["documents"])
            if digest(documents) != kept["digest"]:
                raise ValueError
            return Cached(int(kept["version"]), datetime.fromisoformat(kept["at"]), str(kept["author"]), documents, str(kept["file"]))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise CacheError(f"{self.file} cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError):
            raise CacheError(
                f"{self.file} is damaged; remove it: callcenter books then writes it again from the database, and until then the engine "
                "goes by callcenter.toml"
            ) from None

    def write(self, cached: Cached) -> None:
        """Whole or not at all. Raises OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = {
            "version": cached.version,
            "at": cached.at.isoformat(),
            "author": cached.author,
            "digest": digest(cached.documents),
            "file": cached.file,
            "documents": cached.documents,
        }
        write_whole(self.file, json.dumps(kept), mode=0o600)

    def written_at(self) -> int:
        """Changes with every version that is written; 0: there is none."""
        try:
            found = self.file.stat()
        except OSError:
            return 0
        return found.st_mtime_ns if stat.S_ISREG(found.st_mode) else 0

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """One change at a time; the next one waits. Ends with the process, however that ends. Raises OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)
