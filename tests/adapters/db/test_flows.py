"""Flows in the books: rows are the pure fold of their facts, and what they add up to is the same in Python and in SQL."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest
from rich.console import Console
from rich.table import Table

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.ledger import PostgresLedger
from callcenter.apps.flow_report import flow_report, tables
from callcenter.apps.report_tables import WIDE
from callcenter.domain import facts as f
from callcenter.domain.books import fold_call
from callcenter.domain.config import QueueConfig
from callcenter.domain.flow_books import FlowOutcome, FlowStay, containment, drop_off, edges, flow_sums, node_sums, repeat_calls
from callcenter.domain.ivr.flow import CollectNode, Flow, HangUpNode, MenuNode, PromptNode, QueueNode, ReturnNode, SubflowNode
from callcenter.domain.records import CallBooks
from callcenter.services.journal import Journal
from callcenter.services.ledger import Shipper
from callcenter.sim.world import World, small_center

BALANCE = Flow(
    "balance",
    "account",
    {
        "account": CollectNode("enter-account", "account", "tell", "gave-up", min_length=2, max_length=2, tries=2),
        "tell": PromptNode("your-balance", "done"),
        "done": ReturnNode("told"),
        "gave-up": ReturnNode("gave_up"),
    },
)
MAIN = Flow(
    "main",
    "greeting",
    {
        "greeting": PromptNode("welcome", "choice"),
        "choice": MenuNode("menu", {"1": "balance", "2": "support"}, "end", timeout=timedelta(seconds=4), tries=2),
        "balance": SubflowNode("balance", "end", outcomes={"gave_up": "support"}),
        "support": QueueNode("support"),
        "end": HangUpNode(),
    },
)


def a_day(seed: int) -> tuple[World, list[Sequence[f.Fact]]]:
    """Callers who press this and that, or nothing, or hang up; some call again and again."""
    chance = random.Random(seed)
    records: list[Sequence[f.Fact]] = []
    world = World(small_center([QueueConfig("support")], ("alice",), [MAIN, BALANCE]), keep_facts=False)
    world.on_facts = lambda facts: records.append(list(facts)) if facts else None
    world.agent_ready("alice")
    for _ in range(150):
        leg = world.pbx.call_in("+18005550200", f"+1202555{chance.randrange(100, 160):04d}" if chance.random() < 0.9 else "")
        for _ in range(chance.randrange(8)):
            world.run_for(chance.choice([0.5, 2, 6]))
            world.pbx.party_presses(leg, chance.choice("1127#"))
        if chance.random() < 0.3:
            world.pbx.party_hangs_up(leg)
        for talking in [leg for leg, channel in world.pbx.channels.items() if channel.bridge and chance.random() < 0.5]:
            world.pbx.party_hangs_up(talking)
        world.run_for(chance.choice([1, 30, 40_000]))
    world.run_for(5)
    assert world.faults == []
    return world, records


def folded(records: Sequence[Sequence[f.Fact]]) -> list[CallBooks]:
    of_call: dict[str, list[f.Fact]] = defaultdict(list)
    for fact in (fact for record in records for fact in record):
        if call := getattr(fact, "call", ""):
            of_call[call].append(fact)
    return [fold_call(facts) for facts in of_call.values()]


async def _ship(database_url: str, folder: Path, records: Sequence[Sequence[f.Fact]], most: int) -> None:
    journal = Journal(folder / "journal")
    for facts in records:
        journal.append(facts)
    journal.close()
    engine = connect(database_url, name="test")
    shipper = Shipper(folder / "journal", PostgresLedger(engine), dead_letters=folder, most=most)
    while await shipper.step():
        pass
    await engine.dispose()


@pytest.mark.parametrize("most", [1, 1000])
async def test_rows_are_the_fold_and_sums_are_the_same_in_sql(database_url: str, tmp_path: Path, most: int) -> None:
    world, records = a_day(seed=most)
    await _ship(database_url, tmp_path, records, most)
    books = folded(records)
    stays = [stay for each in books for stay in each.stays]
    calls = [each.call for each in books if each.call and each.call.flow]
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT call_id, n, flow, version, node, entered_at, left_at, exit, to_node, tries FROM flow_stay ORDER BY call_id, n"
        ).fetchall()
        outcomes = dict(connection.execute("SELECT call_id, flow_outcome FROM cdr").fetchall())
        view = connection.execute("SELECT sum(calls), sum(contained), sum(dropped) FROM kpi_flows WHERE flow = 'main'").fetchone()
    assert sorted(stays, key=lambda stay: (stay.call_id, stay.n)) == [FlowStay(*row) for row in rows]
    assert all(outcomes[call.call_id] == call.flow_outcome for call in calls)

    report = await flow_report(database_url, records[0][0].at, world.now + timedelta(hours=1), ZoneInfo("UTC"))
    came: dict[str, list[datetime]] = defaultdict(list)
    for call in sorted(calls, key=lambda call: call.started_at):
        came[call.caller].append(call.started_at)
    sums = flow_sums([(call.caller, call.started_at, call.flow_outcome) for call in calls], came)
    assert report.flows["main"] == sums
    assert sums.calls == 150 == sums.contained + sums.dropped + sums.queued + sums.voicemail + sums.transferred + sums.failed + sums.open
    assert view == (sums.calls, sums.contained, sums.dropped)
    assert dict(report.edges) == edges(stays)
    for key in {(stay.flow, stay.node) for stay in stays}:
        assert report.nodes[key] == node_sums(stay for stay in stays if (stay.flow, stay.node) == key)
    assert 0 < sums.contained_returned < sums.contained_known < sums.contained
    ratios = containment(sums), drop_off(sums), repeat_calls(sums)
    assert all(ratio is not None and 0 < ratio < 1 for ratio in ratios)


async def test_the_report_as_tables_and_as_json(database_url: str, tmp_path: Path) -> None:
    world, records = a_day(seed=3)
    await _ship(database_url, tmp_path, records, 1000)
    report = (await flow_report(database_url, records[0][0].at, world.now, ZoneInfo("UTC"), "balance")).as_json()
    (balance,) = report["flows"]  # type: ignore[misc]
    assert (balance["flow"], balance["calls"]) == ("balance", 0)  # nobody began there  # type: ignore[call-overload, index]
    account = next(node for node in balance["nodes"] if node["node"] == "account")
    assert account["stays"] == sum(way["callers"] for way in account["exits"])
    text = shown(tables(balance))
    for words in ("account", "tell", "next → tell", "caller_left → end"):
        assert words in text


def shown(parts: Iterable[Table]) -> str:
    out = StringIO()
    console = Console(file=out, width=WIDE)
    for part in parts:
        console.print(part)
    return out.getvalue()


def test_every_caller_who_left_a_node_is_found_again_at_the_next_one() -> None:
    _, records = a_day(seed=5)
    for books in folded(records):
        for stay, after in zip(books.stays, books.stays[1:], strict=False):
            assert stay.entered_at <= after.entered_at
            if stay.to_node:
                assert any((each.node, each.entered_at) == (stay.to_node, stay.left_at) for each in books.stays[stay.n :])
        dropped = [stay for stay in books.stays if stay.exit == "caller_left"]
        assert len(dropped) <= 1
        if books.call and books.call.flow_outcome is FlowOutcome.DROPPED:
            assert len(dropped) == 1


def test_a_sub_flow_is_part_of_the_way_and_retries_are_counted_where_they_happen() -> None:
    world = World(small_center([QueueConfig("support")], ("alice",), [MAIN, BALANCE]))
    leg = world.pbx.call_in("+18005550200", "+12025550123")
    world.run_for(5)
    for digit in "9", "1":  # a wrong key first
        world.pbx.party_presses(leg, digit)
        world.run_for(5)
    for digit in "42":
        world.pbx.party_presses(leg, digit)
    world.run_for(10)
    (books,) = folded([world.facts])
    way = [(stay.flow, stay.node, stay.exit, stay.to_node, stay.tries) for stay in books.stays]
    assert way == [
        ("main", "greeting", "next", "choice", 0),
        ("main", "choice", "1", "balance", 1),
        ("main", "balance", "next", "end", 0),
        ("balance", "account", "next", "tell", 0),
        ("balance", "tell", "next", "done", 0),
        ("balance", "done", "told", "", 0),
        ("main", "end", "hang_up", "", 0),
    ]
    assert books.call is not None
    assert books.call.flow_outcome is FlowOutcome.CONTAINED
    assert Counter(stay.left_at is None for stay in books.stays) == {False: 7}


def test_who_hangs_up_in_a_sub_flow_is_dropped_there_and_not_where_it_was_entered() -> None:
    world = World(small_center([QueueConfig("support")], ("alice",), [MAIN, BALANCE]))
    leg = world.pbx.call_in("+18005550200", "+12025550123")
    world.run_for(5)
    world.pbx.party_presses(leg, "1")
    world.run_for(1)
    world.pbx.party_hangs_up(leg)
    (books,) = folded([world.facts])
    assert [(stay.node, stay.exit) for stay in books.stays][-2:] == [("balance", "inside"), ("account", "caller_left")]
    assert books.call is not None
    assert books.call.flow_outcome is FlowOutcome.DROPPED


def test_who_entered_a_queue_was_queued_whatever_came_of_it() -> None:
    world = World(small_center([QueueConfig("support")], (), [MAIN, BALANCE]))
    leg = world.pbx.call_in("+18005550200", "+12025550123")
    world.run_for(5)
    world.pbx.party_presses(leg, "2")
    (still,) = folded([world.facts])
    world.run_for(5)
    world.pbx.party_hangs_up(leg)
    (books,) = folded([world.facts])
    for each in (still, books):
        assert each.call is not None
        assert each.call.flow_outcome is FlowOutcome.QUEUED
    assert books.call == replace(books.call, flow="main", queue="support")
