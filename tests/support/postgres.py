"""A real PostgreSQL for the tests: one server per session, one database per test."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

import psycopg
from sqlalchemy.engine import make_url

from callcenter.adapters.db.migrate import migrate
from callcenter.runtime.postgres import EmbeddedPostgres

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "100"}
TEMPLATE = "template_center"


@contextmanager
def server(**settings: str) -> Iterator[EmbeddedPostgres]:
    """A server in a folder of its own, that the account which runs it can reach; gone afterwards."""
    folder = Path(mkdtemp(prefix="callcenter-postgres-"))
    folder.chmod(0o755)
    postgres = EmbeddedPostgres(folder / "postgres", settings=settings)
    try:
        postgres.start()
        yield postgres
    finally:
        postgres.stop()
        shutil.rmtree(folder)


def prepare_template(postgres: EmbeddedPostgres) -> None:
    """Migrate once; each test gets a copy."""
    _run(postgres, f"CREATE DATABASE {TEMPLATE}")
    migrate(url_of(postgres, TEMPLATE))


@contextmanager
def database(postgres: EmbeddedPostgres, template: str = TEMPLATE) -> Iterator[str]:
    """The URL of a fresh, migrated database (an empty one with ``template1``)."""
    name = f"test_{uuid4().hex[:12]}"
    _run(postgres, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield url_of(postgres, name)
    finally:
        _run(postgres, f"DROP DATABASE {name} WITH (FORCE)")


def url_of(postgres: EmbeddedPostgres, name: str) -> str:
    return make_url(postgres.url()).set(database=name).render_as_string(hide_password=False)


def _run(postgres: EmbeddedPostgres, statement: str) -> None:
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(statement.encode())
