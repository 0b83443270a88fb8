"""Answers kept under the keys of their requests (services.idempotency.KeyStore)."""

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from callcenter.adapters.db.transaction import transaction
from callcenter.services.idempotency import GIVEN_UP_AFTER, KEPT_FOR, KeptAnswer, KeyInFlight, KeyReused

# Too old, or given up: as if it had never been.
_FORGET = text("""
    DELETE FROM idempotency_key
    WHERE owner = :owner AND key = :key AND (began_at < :kept_since OR status IS NULL AND began_at < :alive_since)
""")
_BEGIN = text("""
    INSERT INTO idempotency_key (owner, key, said, began_at, content_type, etag) VALUES (:owner, :key, :said, :now, '', '')
    ON CONFLICT DO NOTHING RETURNING key
""")
_KEPT = text("SELECT said, status, content_type, etag, body FROM idempotency_key WHERE owner = :owner AND key = :key")
_FINISH = text("""
    UPDATE idempotency_key SET status = :status, content_type = :content_type, etag = :etag, body = :body
    WHERE owner = :owner AND key = :key
""")
_RELEASE = text("DELETE FROM idempotency_key WHERE owner = :owner AND key = :key AND status IS NULL")
_TIDY = text("DELETE FROM idempotency_key WHERE began_at < :kept_since")


class PostgresKeys:
    """Those of one center."""

    def __init__(self, engine: AsyncEngine, now: Callable[[], datetime] = lambda: datetime.now(UTC), *, patience: float = 3.0) -> None:
        self._engine, self._now, self._patience = engine, now, patience

    async def begin(self, owner: str, key: str, said: str) -> KeptAnswer | None:
        now = self._now()
        row = {"owner": owner, "key": key, "said": said, "now": now, "kept_since": now - KEPT_FOR, "alive_since": now - GIVEN_UP_AFTER}
        async with transaction(self._engine, self._patience) as connection:
            await connection.execute(text("SET LOCAL synchronous_commit = on"))
            await connection.execute(_FORGET, row)
            if (await connection.execute(_BEGIN, row)).one_or_none() is not None:
                return None
            kept = (await connection.execute(_KEPT, row)).one_or_none()
        if kept is None or kept.status is None:
            if kept is not None and kept.said != said:
                raise KeyReused
            raise KeyInFlight
        if kept.said != said:
            raise KeyReused
        return KeptAnswer(kept.status, kept.content_type, bytes(kept.body or b""), kept.etag)

    async def finish(self, owner: str, key: str, answer: KeptAnswer) -> None:
        row = {
            "owner": owner,
            "key": key,
            "status": answer.status,
            "content_type": answer.content_type,
            "etag": answer.etag,
            "body": answer.body,
        }
        async with transaction(self._engine, self._patience) as connection:
            await connection.execute(text("SET LOCAL synchronous_commit = on"))
            await connection.execute(_FINISH, row)

    async def release(self, owner: str, key: str) -> None:
        async with transaction(self._engine, self._patience) as connection:
            await connection.execute(_RELEASE, {"owner": owner, "key": key})

    async def tidy(self) -> None:
        """Forget what is kept no longer."""
        async with transaction(self._engine, self._patience) as connection:
            await connection.execute(_TIDY, {"kept_since": self._now() - KEPT_FOR})
