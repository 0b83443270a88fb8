"""Wallboards: figures within a scope, thresholds, and changes told once a second however many watch."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from typing import Any, cast

import pytest

from callcenter.domain.config import QueueConfig
from callcenter.domain.rights import EVERYTHING, Scope
from callcenter.services import boards as module
from callcenter.services.boards import Boards
from callcenter.services.replica import Replica
from callcenter.services.today import TodaysFigures
from callcenter.services.wallboard import Rows, Today, View, board
from callcenter.sim.virtual_loop import run_virtual
from tests.support.watched_center import WatchedCenter, browsers

QUEUES = (QueueConfig("support", target_wait=timedelta(seconds=20)), QueueConfig("sales"))
ALL = View(EVERYTHING, details=True)
PATIENCE = 30.0


@pytest.fixture
def center() -> WatchedCenter:
    return WatchedCenter(browsers("alice", "bob", queues=QUEUES))


def tables(center: WatchedCenter, view: View = ALL, today: Today | None = None) -> dict[str, Rows]:
    assert center.state is not None
    return dict(board(center.state, view, center.world.now, today or {}).tables)


def test_it_counts_who_waits_who_talks_and_who_is_ready(center: WatchedCenter) -> None:
    center.world.agent_ready("alice")
    center.world.caller_arrives("support")
    center.world.run_for(5)
    for _ in range(2):
        center.world.caller_arrives("sales")
    seen = tables(center)
    totals = seen["totals"]["totals"]
    assert (totals["waiting"], totals["talking"], totals["logged_out"], totals["calls"]) == (2, 1, 1, 3)
    assert (seen["queues"]["support"]["talking"], seen["queues"]["sales"]["waiting"]) == (1, 2)
    assert (seen["agents"]["alice"]["state"], seen["agents"]["alice"]["queue"]) == ("talking", "support")
    assert [row["place"] for row in seen["waiting"].values()] == [1, 2]
    assert sorted(str(row["phase"]) for row in seen["calls"].values()) == ["talking", "waiting", "waiting"]


def test_a_wait_beyond_the_target_is_a_warning_and_three_times_it_an_alarm(center: WatchedCenter) -> None:
    center.world.caller_arrives("support")
    levels = []
    for seconds in (20, 1, 39, 1):
        center.world.run_for(seconds)
        found = tables(center)["queues"]["support"]["levels"]
        assert isinstance(found, dict)
        levels.append(found.get("longest"))
    assert levels == [None, "warn", "warn", "alarm"]
    assert tables(center)["totals"]["totals"]["levels"] == {"longest": "alarm"}


def test_callers_waiting_where_nobody_is_logged_in_are_alarming(center: WatchedCenter) -> None:
    center.world.caller_arrives("sales")
    assert tables(center)["queues"]["sales"]["levels"] == {"logged_in": "alarm"}


@pytest.mark.parametrize(("level", "shown"), [(0.81, None), (0.79, "warn"), (0.59, "alarm"), (None, None)])
def test_todays_service_level_is_held_against_the_target(center: WatchedCenter, level: float | None, shown: str | None) -> None:
    row = tables(center, today={"support": {"queue": "support", "service_level": level}})["queues"]["support"]
    assert isinstance(row["levels"], dict)
    assert row["levels"].get("service_level") == shown


def test_nobody_sees_beyond_her_scope(center: WatchedCenter) -> None:
    center.world.caller_arrives("support")
    center.world.caller_arrives("sales")
    seen = tables(center, View(Scope(queues=frozenset({"sales"})), details=True))
    assert list(seen["queues"]) == ["sales"]
    assert {row["queue"] for row in seen["waiting"].values()} == {"sales"}
    assert {row["queue"] for row in seen["calls"].values()} == {"sales"}
    assert seen["totals"]["totals"]["waiting"] == 1
    nobody = tables(center, View(Scope(teams=frozenset({"night"})), details=True))
    assert nobody["agents"] == {}
    assert "waiting" not in tables(center, View(EVERYTHING, details=False)), "no callers one by one"


# --- those who watch ----------------------------------------------------------------------------------


async def nothing() -> Today:
    return {}


@asynccontextmanager
async def shown(center: WatchedCenter, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Boards]:
    monkeypatch.setattr(module, "EVERY", 0.02)
    boards = Boards(cast(Replica, center), nothing, lambda: center.world.now)
    task = asyncio.create_task(boards.run())
    yield boards
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def next_of(messages: Any) -> tuple[str, dict[str, Any]]:
    async with asyncio.timeout(PATIENCE):
        kind, text = await anext(messages)
    return kind, json.loads(text)


async def test_a_screen_begins_with_everything_and_is_then_told_what_changed(
    center: WatchedCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shown(center, monkeypatch) as boards, aclosing(boards.follow(ALL)) as messages:
        kind, whole = await next_of(messages)
        assert (kind, set(whole["tables"]["agents"])) == ("whole", {"alice", "bob"})
        center.world.agent_ready("alice")
        kind, change = await next_of(messages)
        assert kind == "change"
        assert set(change["tables"]["agents"]["put"]) == {"alice"}, "bob has not changed"
        leg = center.world.caller_arrives("sales")
        (contact,) = center.world.center.state.contacts
        center.world.run_for(1)
        await next_of(messages)
        center.world.pbx.party_hangs_up(leg)
        center.world.run_for(60)
        while contact not in (change["tables"].get("calls", {}).get("gone", []) or []) and "calls" not in change["tables"]:
            kind, change = await next_of(messages)
        assert kind == "change"


async def test_many_who_watch_the_same_cost_one_picture(center: WatchedCenter, monkeypatch: pytest.MonkeyPatch) -> None:
    async with shown(center, monkeypatch) as boards:
        screens = [boards.follow(ALL) for _ in range(50)]
        assert {(await next_of(screen))[0] for screen in screens} == {"whole"}
        center.world.agent_ready("alice")
        told = {json.dumps((await next_of(screen))[1]) for screen in screens}
        assert len(told) == 1
        for screen in screens:
            await screen.aclose()


def test_while_nobody_watches_nothing_is_made(center: WatchedCenter) -> None:
    async def an_hour() -> None:
        boards = Boards(cast(Replica, center), nothing, lambda: center.world.now)
        task = asyncio.create_task(boards.run())
        screen = boards.follow(ALL)
        await anext(screen)
        await asyncio.sleep(10)
        watched = boards.made
        await screen.aclose()
        await asyncio.sleep(3600)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert (watched >= 10, boards.made - watched) == (True, 0)

    run_virtual(an_hour)


async def test_who_is_slow_gets_everything_again(center: WatchedCenter, monkeypatch: pytest.MonkeyPatch) -> None:
    async with shown(center, monkeypatch) as boards, aclosing(boards.follow(ALL)) as slow, aclosing(boards.follow(ALL)) as quick:
        await next_of(slow)
        await next_of(quick)
        for agent in ("alice", "bob"):
            center.world.agent_ready(agent)
            assert (await next_of(quick))[0] == "change"
        assert (await next_of(slow))[0] == "whole"


async def test_that_the_engine_is_away_is_shown(center: WatchedCenter, monkeypatch: pytest.MonkeyPatch) -> None:
    async with shown(center, monkeypatch) as boards, aclosing(boards.follow(ALL)) as messages:
        await next_of(messages)
        center.engine_leaves()
        _, change = await next_of(messages)
        assert change["tables"]["center"]["put"]["center"]["here"] is False
        assert change["tables"]["agents"]["gone"] == ["alice", "bob"]


async def test_todays_figures_are_asked_once_and_a_database_that_is_away_is_no_figures() -> None:
    asked = 0

    async def source() -> list[dict[str, object]]:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise ConnectionError
        return [{"queue": "support", "answered": 3}]

    figures = TodaysFigures(source)
    assert [await figures.now() for _ in range(20)] == [{"support": {"queue": "support", "answered": 3}}] * 20
    assert asked == 1
    figures._asked_at = -1000.0
    await figures.now()
    async with asyncio.timeout(PATIENCE):
        while await figures.now():
            await asyncio.sleep(0.01)
    assert asked == 2
