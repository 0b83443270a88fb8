"""Connections to PostgreSQL, with limits on every wait."""

from collections.abc import Callable

import psycopg
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

CONNECT_TIMEOUT = 2
STATEMENT_TIMEOUT = 2.0


def driver_url(url: str) -> URL:
    """The URL for our driver, however it was written. Raises ValueError with a sentence that does not repeat the password."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ValueError("the database URL is not one; it looks like postgresql://user:password@host:port/database") from None
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise ValueError(f"the database URL names '{parsed.get_backend_name()}'; only postgresql:// is supported")
    return parsed.set(drivername="postgresql+psycopg")


def connect(url: str | Callable[[], str], *, name: str, statement_timeout: float = STATEMENT_TIMEOUT, pool_size: int = 2) -> AsyncEngine:
    """An engine; nothing is connected yet. ``name`` is what the server shows. Raises ValueError.

    A function as ``url`` is asked at each new connection: an embedded server may come back on another port.
    """
    ask = url if callable(url) else None
    if isinstance(url, str):
        driver_url(url)

    async def create() -> psycopg.AsyncConnection[tuple[object, ...]]:
        where = driver_url(ask() if ask else str(url)).set(drivername="postgresql").render_as_string(hide_password=False)
        return await psycopg.AsyncConnection.connect(
            where,
            connect_timeout=CONNECT_TIMEOUT,
            application_name=f"callcenter {name}",
            options=f"-c statement_timeout={int(statement_timeout * 1000)} -c timezone=UTC",
        )

    return create_async_engine(
        "postgresql+psycopg://", async_creator=create, pool_size=pool_size, max_overflow=0, pool_timeout=CONNECT_TIMEOUT
    )
