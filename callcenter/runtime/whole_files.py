"""Files and folders that are there whole or not at all, whatever happens while they are written."""

import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


def write_whole(path: Path, text: str | bytes, mode: int | None = None) -> None:
    """Whole or not at all; a file that is there keeps its mode and, when it is a link, stays one. Raises OSError."""
    path = path.resolve()
    if mode is None:
        mode = path.stat().st_mode & 0o777
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode() if isinstance(text, str) else text)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


NEW = ".new-"
"""How folders begin that were not finished."""


def make_folder_whole(folder: Path, files: Mapping[str, bytes]) -> None:
    """A folder with these files, for our eyes only; it appears with all of them on disk. Raises OSError, when it is there already too."""
    made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=NEW))
    for name, content in files.items():
        handle = os.open(made / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    sync_folder(made)
    os.rename(made, folder)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """The names in it are on disk too (fsync(2)). Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """One at a time changes the folder, which is made if need be; the next one waits. Raises OSError.

    It ends with the process, however that ends.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
