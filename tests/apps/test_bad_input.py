"""What an operator can get wrong, through the door of the command: one sentence each, what is wrong and how to put it right."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from callcenter.adapters.db.migrate import head, migrate
from callcenter.runtime import toml_text
from callcenter.runtime.data_folder import DataFolder
from callcenter.runtime.ports import free_ports
from callcenter.runtime.postgres import EmbeddedPostgres
from callcenter.runtime.process import Process
from callcenter.runtime.settings import load
from tests.support.asterisk import raw_settings, short_folder

SECRET = "not-to-be-repeated"
AWAY = f"postgresql://callcenter:{SECRET}@127.0.0.1:1/callcenter"


@pytest.fixture
def file() -> Iterator[Path]:
    """A fine configuration file in a folder of its own; afterwards nothing of a center is left there."""
    with short_folder() as folder:
        agi, web = free_ports(2)
        yield toml_text.write(folder / "callcenter.toml", raw_settings(folder / "data", engine={"agi_port": agi}, web={"port": web}))
        left = [Process.read(path) for path in (*folder.glob("data/run/*.json"), *folder.glob("data/nodes/*/asterisk.json"))]
        assert [process for process in left if process is not None] == []
        assert EmbeddedPostgres(folder / "data" / "postgres").pid() is None


def said(file: Path, *words: str, code: int, **environment: str) -> str:
    """What the command says on its way out with this exit code: the one line of ``callcenter:``."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CALLCENTER_")}
    command = [sys.executable, "-m", "callcenter.apps.cli", *words, "--config", str(file)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, env=clean | environment, check=False)
    assert ran.returncode == code, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    assert SECRET not in ran.stdout + ran.stderr
    (sentence,) = [line for line in ran.stderr.splitlines() if line.startswith("callcenter: ")]
    return sentence.removeprefix("callcenter: ")


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


# --- the file ----------------------------------------------------------------------------------

FILES: list[tuple[str, Callable[[Path], object], str]] = [
    ("typo", lambda file: change(file, "wrap_up_s", "wrapup_s"), "queue[0].wrapup_s: is not a key; did you mean 'wrap_up_s'?"),
    (
        "time zone",
        lambda file: change(file, "America/New_York", "Mars/Olympus"),
        "center.time_zone: must be a time zone of the IANA database, such as 'Europe/Berlin' or 'America/New_York', but is 'Mars/Olympus'",
    ),
    (
        "missing queue",
        lambda file: change(file, '["support"]', '["suport"]'),
        "agent[0].queues[0]: names queue 'suport', which does not exist; queues: support",
    ),
    (
        "not TOML",
        lambda file: file.write_text("[center\n"),
        "is not valid TOML: Expected ']' at the end of a table declaration (at line 1, column 8)",
    ),
    ("not text", lambda file: file.write_bytes(b"\xff"), "is not UTF-8 text; save it as such"),
    ("not there", lambda file: file.unlink(), "cannot be read: No such file or directory; name the file with --config"),
    (
        "database URL",
        lambda file: file.write_text(f'database = {{ url = "mysql://me:{SECRET}@db/x" }}\n{file.read_text()}'),
        "database.url: must be postgresql://USER:PASSWORD@HOST:PORT/NAME; empty for an embedded PostgreSQL",
    ),
]


@pytest.mark.parametrize("command", [("serve",), ("config", "check"), ("migrate",)], ids=" ".join)
@pytest.mark.parametrize(("spoil", "sentence"), [each[1:] for each in FILES], ids=[each[0] for each in FILES])
def test_a_file_that_cannot_be_used(file: Path, spoil: Callable[[Path], object], sentence: str, command: tuple[str, ...]) -> None:
    spoil(file)
    assert said(file, *command, code=2) == f"{file}: {sentence}"
    assert not (file.parent / "data").exists()


def test_a_file_that_may_not_be_read(file: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    file.chmod(0)
    assert said(file, "serve", code=2) == f"{file}: cannot be read: Permission denied; name the file with --config"


# --- what is taken -----------------------------------------------------------------------------


@contextmanager
def listening(port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> Iterator[None]:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", port))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        yield


@pytest.mark.parametrize(("key", "kind"), [("sip_port", socket.SOCK_DGRAM), ("http_port", socket.SOCK_STREAM)])
def test_a_port_of_asterisk_in_use(file: Path, key: str, kind: socket.SocketKind) -> None:
    port = getattr(load(file).nodes[0], key)
    with listening(port, kind):
        sentence = said(file, "serve", code=1)
    which = "udp" if kind == socket.SOCK_DGRAM else "tcp"
    assert sentence == (
        f"port {port} ({which}) at 127.0.0.1 is in use by another program; stop that, or set {key} of node 'node1' to a free port"
    )


def test_the_port_of_the_pages_in_use(file: Path) -> None:
    port = load(file).web.port
    with listening(port):
        sentence = said(file, "serve", "--drain-seconds", "0", code=1)
    assert f"port {port} (tcp) at 127.0.0.1 is in use by another program; stop that, or set web.port to a free port" in sentence


@pytest.mark.parametrize("command", ["serve", "engine"])
def test_a_second_one_in_the_same_data_folder(file: Path, command: str) -> None:
    folder = DataFolder(file.parent / "data")
    folder.prepare()
    if command == "engine":
        first = subprocess.Popen(
            [sys.executable, "-m", "callcenter.apps.cli", "engine", "-c", str(file)], stderr=subprocess.PIPE, text=True
        )
        try:
            assert first.stderr is not None
            assert any("engine_up" in line for line in first.stderr)
            sentence = said(file, "engine", code=1)
        finally:
            first.terminate()
            first.communicate()
        assert sentence == f"another engine (process {first.pid}) writes the journal in {folder.root / 'journal'}; stop it first"
    else:
        with folder.alone("serve"):
            sentence = said(file, "serve", code=1)
        assert sentence == f"another 'callcenter serve' (process {os.getpid()}) works in {folder.root}; stop it first"


# --- the disk ----------------------------------------------------------------------------------

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")


@contextmanager
def disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A disk of this size below ``folder``."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=711", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@as_root
@pytest.mark.parametrize("kilobytes", [8, 400])
def test_a_data_folder_on_a_full_disk(file: Path, kilobytes: int) -> None:
    """Full at once, and full in the middle of the first start."""
    with disk(file.parent / "data", kilobytes):
        (file.parent / "data" / "other").write_bytes(bytes(4096))
        sentence = said(file, "serve", code=1)
    assert "No space left on device" in sentence
    assert "paths.data" in sentence


@as_root
def test_a_data_folder_on_a_disk_that_takes_nothing(file: Path) -> None:
    with disk(file.parent / "data", 100) as data:
        subprocess.run(["mount", "-o", "remount,ro", str(data)], check=True)
        assert said(file, "serve", code=1) == (
            f"the data folder {data} cannot be used: Read-only file system; name another one as paths.data or CALLCENTER_DATA"
        )


# --- the database ------------------------------------------------------------------------------


def test_a_database_out_of_reach(file: Path) -> None:
    sentence = said(file, "migrate", code=1, CALLCENTER_DATABASE_URL=AWAY)
    assert sentence.startswith("the database does not let itself be migrated: connection failed")
    assert sentence.endswith("start the database, or correct database.url, then: callcenter migrate")
    assert "is it running" in said(file, "kpi", code=1, CALLCENTER_DATABASE_URL=AWAY)


def test_no_database_at_all(file: Path) -> None:
    assert said(file, "kpi", code=1).endswith("is not running; start it with: callcenter serve")


@pytest.mark.parametrize("command", ["migrate", "books"])
def test_a_database_of_a_newer_schema(file: Path, database_url: str, command: str) -> None:
    migrate(database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert said(file, command, code=1, CALLCENTER_DATABASE_URL=database_url) == (
        f"the database was made by a newer version of callcenter (revision 9999; this version ends at {head()}): "
        "install that version, or restore a backup made before the upgrade"
    )
