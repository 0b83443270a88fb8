"""Recording records in PostgreSQL (services.recordings.RecordingStore)."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from callcenter.adapters.db.transaction import transaction
from callcenter.services.recordings import Finished, Unfinished

_UNFINISHED = text("SELECT recording_id, node, stopped_at FROM recording WHERE state = 'stopped' ORDER BY stopped_at LIMIT :limit")
_SETTLE = text("""
    UPDATE recording SET state = :state, why = :why, file = :file, bytes = :bytes, seconds = :seconds
    WHERE recording_id = :recording_id AND state = 'stopped'
""")
_EXPIRED = text("""
    SELECT recording_id, node FROM recording
    WHERE state = 'finished' AND started_at < :before AND node = ANY(:nodes) ORDER BY started_at LIMIT :limit
""")
_DELETED = text("UPDATE recording SET state = 'deleted', file = NULL WHERE recording_id = ANY(:recordings)")


class PostgresRecordings:
    def __init__(self, engine: AsyncEngine, *, patience: float = 5.0) -> None:
        self._engine = engine
        self._patience = patience

    async def unfinished(self, limit: int) -> Sequence[Unfinished]:
        async with transaction(self._engine, self._patience) as connection:
            found = await connection.execute(_UNFINISHED, {"limit": limit})
            return [Unfinished(row.recording_id, row.node, row.stopped_at) for row in found]

    async def settle(self, finished: Sequence[Finished]) -> None:
        rows = [
            {
                "recording_id": each.recording_id,
                "state": each.state.value,
                "why": each.why,
                "file": each.file,
                "bytes": each.bytes,
                "seconds": None if each.seconds is None else Decimal(str(each.seconds)),
            }
            for each in finished
        ]
        async with transaction(self._engine, self._patience) as connection:
            await connection.execute(_SETTLE, rows)

    async def expired(self, nodes: Collection[str], before: datetime, limit: int) -> Sequence[tuple[str, str]]:
        async with transaction(self._engine, self._patience) as connection:
            found = await connection.execute(_EXPIRED, {"nodes": list(nodes), "before": before, "limit": limit})
            return [(row.recording_id, row.node) for row in found]

    async def deleted(self, recordings: Collection[str]) -> None:
        async with transaction(self._engine, self._patience) as connection:
            await connection.execute(_DELETED, {"recordings": list(recordings)})
