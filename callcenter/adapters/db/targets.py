"""What the KPI views need to know of the settings: the center's zone, and each queue's targets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from callcenter.adapters.db.rows import seconds
from callcenter.adapters.db.transaction import transaction

_CENTER = text("""
    INSERT INTO center (name, time_zone) VALUES (:name, :time_zone)
    ON CONFLICT (one) DO UPDATE SET name = excluded.name, time_zone = excluded.time_zone
""")
_QUEUE = text("""
    INSERT INTO queue_target (queue, target_ratio, target_wait_s, short_abandon_s)
    VALUES (:queue, :target_ratio, :target_wait_s, :short_abandon_s)
    ON CONFLICT (queue) DO UPDATE SET
        target_ratio = excluded.target_ratio, target_wait_s = excluded.target_wait_s, short_abandon_s = excluded.short_abandon_s
""")


@dataclass(frozen=True, slots=True)
class QueueTarget:
    """Target "80/20" is a ``ratio`` of 0.80 within a ``wait`` of 20 s."""

    queue: str
    ratio: float
    wait: timedelta
    short_abandon: timedelta


@dataclass(frozen=True, slots=True)
class CenterTargets:
    name: str
    time_zone: str
    queues: tuple[QueueTarget, ...] = ()


async def keep_targets(engine: AsyncEngine, center: CenterTargets, *, patience: float = 5.0) -> None:
    """Bring the tables up to date. A queue that is no more keeps its targets: its past needs them. Raises StoreAway, StoreRefused."""
    rows: Sequence[dict[str, object]] = [
        {
            "queue": each.queue,
            "target_ratio": each.ratio,
            "target_wait_s": seconds(each.wait),
            "short_abandon_s": seconds(each.short_abandon),
        }
        for each in center.queues
    ]
    async with transaction(engine, patience) as connection:
        await connection.execute(_CENTER, {"name": center.name, "time_zone": center.time_zone})
        if rows:
            await connection.execute(_QUEUE, rows)
