"""Transactions whose errors are those of a store (services.ledger)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from callcenter.services.ledger import StoreAway, StoreRefused


@asynccontextmanager
async def transaction(engine: AsyncEngine, patience: float) -> AsyncIterator[AsyncConnection]:
    """One transaction within ``patience`` seconds. Cancelled or late, its connection is thrown away. Raises StoreAway, StoreRefused."""
    try:
        async with asyncio.timeout(patience), engine.begin() as connection:
            await connection.execute(text("SET LOCAL synchronous_commit = off"))
            yield connection
    except TimeoutError as error:
        raise StoreAway(f"the database does not answer within {patience:g} s") from error
    except OSError as error:
        raise StoreAway(f"the database cannot be reached: {error}") from error
    except DBAPIError as error:
        sentence = " ".join(str(error.orig).split())
        raise (StoreRefused if is_refusal(error) else StoreAway)(sentence) from error
    except SQLAlchemyError as error:
        raise StoreAway(" ".join(str(error).split())) from error


def is_refusal(error: DBAPIError) -> bool:
    """Whether the fault lies in what was sent: wrong values (22), broken rules (23), sizes beyond a limit (54)."""
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return type(error).__name__ == "DataError"  # found by the driver, such as NUL in a text
    return str(state)[:2] in ("22", "23", "54")
