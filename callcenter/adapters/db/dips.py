"""Asks a source in PostgreSQL: one SELECT with bound parameters in a read-only transaction, its first row.

Never in the engine's process. The statement goes over the extended protocol, in which a server takes one statement only.
"""

from collections.abc import Callable, Mapping

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from callcenter.adapters.db.connection import connect
from callcenter.domain.dips.reading import attributes
from callcenter.domain.dips.source import DipAnswer, Outcome, SqlSource
from callcenter.services.dips.runner import SourceFailed

POOL = 4
_WRONG_VALUE = ("22", "23")
"""SQLSTATE classes that speak against the values of this question: a customer number that is no number, say."""


def dip_connection(url: str | Callable[[], str], name: str, statement_timeout: float) -> AsyncEngine:
    """A few connections of one configured database; each forgets its question when the budget is over. Raises ValueError."""
    return connect(url, name=f"dip {name}", statement_timeout=statement_timeout, pool_size=POOL)


class SqlAsker:
    """Implements ``services.dips.runner.Asker`` for one source."""

    def __init__(self, source: SqlSource, engine: AsyncEngine) -> None:
        self._source = source
        self._engine = engine

    async def ask(self, values: Mapping[str, str]) -> DipAnswer:
        """Raises SourceFailed, Garbage, ValueRefused."""
        statement, rules = self._source.statement, self._source.rules
        bound = statement.bind(values)
        milliseconds = int(rules.budget.total_seconds() * 1000)
        try:
            async with self._engine.connect() as connection, connection.begin():
                await connection.execute(text(f"SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = {milliseconds:d}"))
                result = await connection.exec_driver_sql(f"SELECT * FROM ({statement.text}) AS dip LIMIT 1", bound)
                row = result.mappings().first()
        except DBAPIError as error:
            state = getattr(error.orig, "sqlstate", None) or ""
            raise SourceFailed(f"PostgreSQL says {state or type(error.orig).__name__}", blameless=state.startswith(_WRONG_VALUE)) from None
        except (SQLAlchemyError, OSError, ValueError) as error:
            raise SourceFailed(f"no connection: {type(error).__name__}") from None
        if row is None:
            return DipAnswer(Outcome.NOT_FOUND)
        return DipAnswer(Outcome.FOUND, attributes(dict(row), rules.attributes))
