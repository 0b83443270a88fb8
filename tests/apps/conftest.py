"""The same PostgreSQL fixtures as for the database's own tests."""

from tests.adapters.db.conftest import database_url, postgres_server

__all__ = ["database_url", "postgres_server"]
