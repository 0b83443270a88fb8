"""Callbacks in the books: the rows are the pure fold of their facts, and the funnel is the same in Python and in SQL."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.ledger import PostgresLedger
from callcenter.apps.reports import kpi_report, report_json
from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.books import fold_call
from callcenter.domain.callback_books import CallbackFunnel, callback_funnel, callback_touched, fold_callback
from callcenter.domain.config import AnnounceConfig, CallbackConfig, CallingConfig, QueueConfig
from callcenter.domain.facts import callbacks as cf
from callcenter.domain.records import CallbackRecord, ContactRecord
from callcenter.services.journal import Journal
from callcenter.services.ledger import Shipper
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.world import World, small_center

QUEUES = [
    QueueConfig(
        "support",
        callback=CallbackConfig(attempts=2, retry_after=timedelta(seconds=60)),
        announce=AnnounceConfig(comfort=("callback-offer",), comfort_every=timedelta(seconds=10)),
    ),
    QueueConfig("sales", callback=CallbackConfig(agent_first=False, in_time=timedelta(seconds=30))),
]


def a_day(seed: int) -> tuple[World, list[Sequence[f.Fact]]]:
    """Callers who wait, take callbacks, call again, are there or not; supervisors who add, edit and cancel."""
    chance = random.Random(seed)
    records: list[Sequence[f.Fact]] = []
    world = World(replace(small_center(QUEUES, ("alice", "bob")), calling=CallingConfig("carrier")), keep_facts=False)
    world.on_facts = lambda facts: records.append(list(facts)) if facts else None
    world.agent_ready("alice")
    for _ in range(120):
        number = f"+1202555{chance.randrange(100, 140):04d}"
        world.pbx.outside[number] = Phone(chance.choice([Mood.ANSWERS, Mood.ANSWERS, *Mood]))
        what = chance.random()
        if what < 0.7:
            leg = world.caller_arrives(chance.choice(["support", "sales"]), number)
            world.run_for(chance.choice([1, 12]))
            if chance.random() < 0.8:
                world.pbx.party_presses(leg, "1")
        elif what < 0.9:
            at = world.now + timedelta(seconds=chance.randrange(300))
            world.tell(e.CallbackRequested(f"asked-{len(records)}", chance.choice(["support", "sales"]), number, at))
        elif known := sorted(world.center.state.callbacks.open):
            world.tell(e.CallbackCancelRequested(chance.choice(known), "sue"))
        if chance.random() < 0.1:
            world.agent_ready("bob")
        for leg in [leg for leg, channel in world.pbx.channels.items() if channel.bridge and chance.random() < 0.5]:
            world.pbx.party_hangs_up(leg)
        world.run_for(chance.randrange(30))
    assert world.faults == []
    return world, records


def folded(records: Sequence[Sequence[f.Fact]]) -> tuple[list[CallbackRecord], list[ContactRecord]]:
    facts = [fact for record in records for fact in record]
    callbacks: dict[str, list[f.Fact]] = defaultdict(list)
    calls: dict[str, list[f.Fact]] = defaultdict(list)
    for fact in facts:
        if callback := callback_touched(fact):
            callbacks[callback].append(fact)
        if call := getattr(fact, "call", ""):
            calls[call].append(fact)
    made = [record for each in callbacks.values() if (record := fold_callback(each))]
    return made, [contact for each in calls.values() for contact in fold_call(each).contacts]


@pytest.mark.parametrize("most", [1, 1000])
async def test_rows_are_the_fold_and_the_funnel_is_the_same_in_sql(database_url: str, tmp_path: Path, most: int) -> None:
    world, records = a_day(seed=most)
    journal = Journal(tmp_path / "journal")
    for facts in records:
        journal.append(facts)
    journal.close()
    engine = connect(database_url, name="test")
    shipper = Shipper(tmp_path / "journal", PostgresLedger(engine), dead_letters=tmp_path, most=most)
    while await shipper.step():
        pass
    await engine.dispose()
    made, contacts = folded(records)
    names = [field.name for field in fields(CallbackRecord)]
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(f"SELECT {', '.join(names)} FROM callback ORDER BY callback_id".encode()).fetchall()
        view = connection.execute(b"SELECT queue, sum(offered), sum(accepted), sum(kept_in_time) FROM kpi_callbacks GROUP BY 1").fetchall()
        plan = connection.execute(b"EXPLAIN SELECT body FROM fact WHERE body->>'callback' = ANY('{x,y}')").fetchall()
    expected = sorted(made, key=lambda each: each.callback_id)
    assert rows == [tuple(getattr(each, name) for name in names) for each in expected]
    assert "fact_" in str(plan)
    assert "Seq Scan" not in str(plan) or len(records) < 10_000
    begin, end = records[0][0].at - timedelta(hours=1), world.now + timedelta(hours=1)
    report = await kpi_report(database_url, begin, end, zone=ZoneInfo("UTC"))
    for queue in ("support", "sales"):
        funnel = callback_funnel([each for each in made if each.queue == queue], [each for each in contacts if each.queue == queue])
        assert report.callbacks[queue] == funnel
        assert funnel.promised == funnel.kept + funnel.broken + funnel.open
        assert funnel.offered >= funnel.accepted
        assert funnel.bridged <= funnel.reached <= funnel.dialed
        assert (queue, funnel.offered, funnel.accepted, funnel.kept_in_time) in [(row[0], *map(int, row[1:])) for row in view]
    total = sum(report.callbacks.values(), CallbackFunnel())
    assert total.merged
    assert total.broken
    assert total.bridged
    assert any(contact.callback_offered for contact in contacts)
    (support,) = [row for row in report_json(report)["callbacks"] if row["queue"] == "support"]  # type: ignore[union-attr, index, call-overload]
    assert support["promised"] == report.callbacks["support"].promised  # type: ignore[index, call-overload]


def test_the_books_of_contacts_balance_with_callbacks_and_their_wait_is_that_on_the_line() -> None:
    _, records = a_day(seed=7)
    made, contacts = folded(records)
    for queue in ("support", "sales"):
        mine = [contact for contact in contacts if contact.queue == queue]
        states = [contact.state for contact in mine]
        left = sum(state in ("abandoned", "overflowed", "waiting", "offered") for state in states)
        assert len(mine) == left + sum(contact.answered_at is not None for contact in mine)
    by_contact = {contact.contact_id: contact for contact in contacts}
    for callback in made:
        if callback.contact_id:
            assert by_contact[callback.contact_id].why == f.OverflowWhy.CALLBACK_TAKEN
        if callback.bridged_at is not None and callback.reached_at is not None:
            wait = by_contact[callback.bridged_contact_id].wait
            assert wait is not None
            assert wait <= callback.bridged_at - callback.reached_at  # from the answer on, not from the first call on


def test_facts_of_a_callback_whose_beginning_is_missing_make_no_row() -> None:
    at = datetime.fromisoformat("2026-03-07T03:30:00+00:00")
    assert fold_callback([cf.CallbackDue(at, "x")]) is None
