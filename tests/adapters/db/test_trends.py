"""Quarters of an hour from the books, by each queue's own target, by the center's day."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.ledger import PostgresLedger
from callcenter.adapters.db.trends import PostgresTrends
from callcenter.services.journal import Journal
from callcenter.services.ledger import Shipper
from callcenter.services.trends import TrendsAway, series
from tests.support.day import abandoned_call, answered_call

NOON = datetime(2026, 3, 9, 17, 5, tzinfo=UTC)
"""13:05 by the clock of New York, the day after the clocks went forward there."""
TARGETS = {"support": timedelta(seconds=20)}


def trends(engine: AsyncEngine, targets: Mapping[str, timedelta] = TARGETS) -> PostgresTrends:
    return PostgresTrends(engine, "America/New_York", targets, timedelta(seconds=20), lambda: NOON + timedelta(hours=1))


async def test_today_stands_beside_the_same_day_a_week_ago(database_url: str, tmp_path: Path) -> None:
    engine, journal = connect(database_url, name="test"), Journal(tmp_path / "journal")
    shipper = Shipper(tmp_path / "journal", PostgresLedger(engine), dead_letters=tmp_path)
    facts = [*answered_call("a1", NOON, "alice"), *abandoned_call("a2", NOON, wait=40), *answered_call("a3", NOON, "bob", queue="sales")]
    for event in (*facts, *answered_call("w1", NOON - timedelta(weeks=1) + timedelta(hours=1), "alice")):
        journal.append(event)
    await journal.sync()
    while await shipper.step():
        pass
    found = await series(trends(engine), ["support"])
    today, before, place = found["today"], found["week_ago"], 13 * 4
    assert isinstance(today, dict)
    assert isinstance(before, dict)
    assert (today["offered"][place], today["answered"][place], today["abandoned"][place]) == (2, 1, 1)
    assert today["service_level"][place] == 0.5
    assert before["offered"][place] == 1, "by the wall clock, which has moved by an hour since"
    assert sum(value or 0 for value in today["offered"]) == 2
    both = await series(trends(engine, {"support": timedelta(seconds=20), "sales": timedelta(0)}), ["support", "sales"])
    assert both["today"]["offered"][place] == 3  # type: ignore[index, call-overload]
    journal.close()
    await engine.dispose()


async def test_a_database_that_is_away_is_said_so() -> None:
    engine = connect("postgresql://nobody@127.0.0.1:9/none", name="test")
    with pytest.raises(TrendsAway):
        await series(trends(engine), ["support"])
    await engine.dispose()


async def test_nobody_without_queues_is_asked_about(tmp_path: Path) -> None:
    engine = connect("postgresql://nobody@127.0.0.1:9/none", name="test")
    assert (await series(trends(engine), []))["today"]["offered"] == [None] * 96  # type: ignore[index, call-overload]
    await engine.dispose()
