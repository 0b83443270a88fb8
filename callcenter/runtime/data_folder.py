"""The one folder that holds everything we keep, and what is where in it."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from callcenter.runtime.postgres import EmbeddedPostgres
from callcenter.runtime.settings import Settings


class DataFolderError(Exception):
    """The data folder cannot be used; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Names of places; nothing is made before ``prepare``."""

    root: Path

    @property
    def run(self) -> Path:
        """Pid files and the control socket; nobody else may enter."""
        return self.root / "run"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def control_socket(self) -> Path:
        return self.run / "control.sock"

    @property
    def dips_socket(self) -> Path:
        """Where the engine asks the dips process."""
        return self.run / "dips.sock"

    @property
    def recogniser_socket(self) -> Path:
        """Where the engine asks the recogniser process."""
        return self.run / "recogniser.sock"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def nodes(self) -> Path:
        return self.root / "nodes"

    def prepare(self) -> None:
        """Make what is missing. Raises DataFolderError."""
        try:
            if not self.root.exists():
                self.root.mkdir(parents=True)
                self.root.chmod(0o711)  # made by us just now; the accounts of Asterisk and PostgreSQL pass through it
            for private in (self.run, self.log):
                private.mkdir(mode=0o700, exist_ok=True)
            probe = self.run / ".probe"
            probe.write_bytes(b"x")
            probe.unlink()
        except OSError as error:
            raise DataFolderError(
                f"the data folder {self.root} cannot be used: {error.strerror}; name another one as paths.data or CALLCENTER_DATA"
            ) from None

    @contextlib.contextmanager
    def alone(self, who: str) -> Iterator[None]:
        """Only one ``who`` at a time works in this folder. Ends with the process, however that ends. Raises DataFolderError."""
        handle = os.open(self.run / f"{who}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pid = os.read(handle, 20).decode(errors="replace").strip()
                raise DataFolderError(f"another 'callcenter {who}' (process {pid or '?'}) works in {self.root}; stop it first") from None
            os.truncate(handle, 0)
            os.write(handle, str(os.getpid()).encode())
            yield
        finally:
            os.close(handle)


def data_folder(settings: Settings) -> DataFolder:
    return DataFolder(settings.data)


def database_url(settings: Settings) -> str:
    """Where the database is right now (our own changes its port at restarts). For connections, never for logs. Raises PostgresError."""
    return settings.database_url or EmbeddedPostgres(data_folder(settings).postgres).url()
