"""Bringing a database to this version's schema.

Tables change by Alembic revisions. KPI functions and views hold no state and are replaced from ``kpi/*.sql`` each time.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import SchemaItem

from callcenter.adapters.db.connection import CONNECT_TIMEOUT, driver_url

_HERE = Path(__file__).parent
_LOCK = 0x63616C6C  # two who migrate at once wait for each other


class SchemaError(Exception):
    """The database cannot be brought to this version's schema; the sentence says why and what to do."""


class DatabaseNewer(SchemaError):
    """A newer version of callcenter made this schema."""


class DatabaseAway(SchemaError):
    """The database cannot be reached."""


def migrate(url: str) -> str:
    """Bring the database to this version's schema; return its revision. Blocks. Raises SchemaError, ValueError."""
    engine = create_engine(driver_url(url), connect_args={"connect_timeout": CONNECT_TIMEOUT, "application_name": "callcenter migrate"})
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            _refuse_newer(connection)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            _make_kpi(connection)
            return head()
    except DBAPIError as error:
        raise DatabaseAway(f"the database does not let itself be migrated: {_sentence(error)}") from error
    finally:
        engine.dispose()


def check_schema(url: str) -> None:
    """Raise DatabaseNewer, DatabaseAway, or SchemaError for an older schema; return when it is ours. Blocks."""
    engine = create_engine(driver_url(url), connect_args={"connect_timeout": CONNECT_TIMEOUT})
    try:
        with engine.connect() as connection:
            _refuse_newer(connection)
            revision = MigrationContext.configure(connection).get_current_revision()
    except DBAPIError as error:
        raise DatabaseAway(f"the database cannot be reached: {_sentence(error)}") from error
    finally:
        engine.dispose()
    if revision != head():
        raise SchemaError(f"the database is at revision {revision or 'none'}, this version needs {head()}; run: callcenter migrate")


def head() -> str:
    """The revision of this version's schema."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision
    return revision


def but_partitions(item: SchemaItem, name: str | None, type_: str, reflected: bool, compare_to: SchemaItem | None) -> bool:
    """Alembic's ``include_object``: autogenerate must not offer to drop the monthly partitions."""
    return not (type_ == "table" and reflected and name is not None and name.startswith("fact_"))


def _refuse_newer(connection: Connection) -> None:
    revision = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision is not None and revision not in known:
        raise DatabaseNewer(
            f"the database was made by a newer version of callcenter (revision {revision}; this version ends at {head()}): "
            f"install that version, or restore a backup made before the upgrade"
        )


def _make_kpi(connection: Connection) -> None:
    """Replace functions and views in place, so that what people built on them stays. To lose a column, a revision drops the view first."""
    for path in sorted((_HERE / "kpi").glob("*.sql")):
        connection.exec_driver_sql(path.read_text().replace("%", "%%"))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE / "migrations"))
    return config


def _sentence(error: DBAPIError) -> str:
    return " ".join(str(error.orig).split())
