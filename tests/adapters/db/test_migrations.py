"""The schema in the database is the one in the code, and nobody else's."""

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from callcenter.adapters.db.connection import driver_url
from callcenter.adapters.db.migrate import DatabaseAway, DatabaseNewer, SchemaError, but_partitions, check_schema, head, migrate
from callcenter.adapters.db.tables_alerts import metadata
from callcenter.runtime.postgres import EmbeddedPostgres
from tests.support import postgres


def test_autogenerate_on_head_is_empty(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE fact_2026_11 PARTITION OF fact FOR VALUES FROM ('2026-11-01') TO ('2026-12-01')")
    with create_engine(driver_url(database_url)).connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_object": but_partitions, "compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    assert migrate(database_url) == migrate(database_url) == head()
    check_schema(database_url)


def test_a_newer_database_is_refused_in_one_sentence(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for use in (migrate, check_schema):
        with pytest.raises(DatabaseNewer, match=r"newer version of callcenter \(revision 9999"):
            use(database_url)


def test_an_older_database_is_named_as_such(postgres_server: EmbeddedPostgres) -> None:
    with postgres.database(postgres_server, template="template1") as url, pytest.raises(SchemaError, match="run: callcenter migrate"):
        check_schema(url)


def test_a_database_out_of_reach_is_named_as_such() -> None:
    with pytest.raises(DatabaseAway):
        migrate("postgresql://callcenter:secret@127.0.0.1:1/callcenter")


def test_a_wrong_url_is_refused_without_repeating_the_password() -> None:
    for url in ("mysql://me:secret@there/db", "secret"):
        with pytest.raises(ValueError, match="database URL") as refused:
            migrate(url)
        assert "secret" not in str(refused.value)
