"""Consoles: each is told what concerns it, at once and in order; who comes back misses nothing; who does not is gone."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest

from callcenter.domain.events import AgentRequest, Cause, ConsoleBack, ConsoleGone
from callcenter.services import consoles as module
from callcenter.services.consoles import EVENTS_KEPT, TABS, WAITING_MOST, Console, Consoles, Full, Tab
from callcenter.services.control import Json, JsonObject
from callcenter.services.control_client import EngineAway
from callcenter.services.replica import Replica
from callcenter.sim.fake_pbx import Mood, Phone
from tests.support.watched_center import WatchedCenter, browsers

PATIENCE = 30.0


@dataclass
class Hall:
    """A center, the consoles in front of it, and everything the engine was asked."""

    center: WatchedCenter = field(default_factory=lambda: WatchedCenter(browsers("alice", "bob")))
    asked: list[tuple[str, JsonObject]] = field(default_factory=list)
    away: bool = False
    tried: int = 0

    def __post_init__(self) -> None:
        self.consoles = Consoles(cast(Replica, self.center), self.ask)

    async def ask(self, do: str, **fields: Json) -> JsonObject:
        self.tried += 1
        if self.away:
            raise EngineAway("away")
        self.asked.append((do, fields))
        kinds: dict[str, type[AgentRequest]] = {"console_gone": ConsoleGone, "console_back": ConsoleBack}
        self.center.world.tell(cast(Any, kinds[do])(fields["agent"]))
        return {}

    def opens(self, agent: str = "alice", session: str = "", since: int = 0) -> "Page":
        return Page(self, agent, session, since)


class Page:
    """One tab, and what it was told."""

    def __init__(self, hall: Hall, agent: str, session: str, since: int) -> None:
        self._hall = hall
        self.closed = ""
        self.tab = Tab(self._close, lambda: None)
        self.console: Console = hall.consoles.enter(f"{agent}@example", agent, self.tab, session, since)

    def _close(self, why: str) -> None:
        self.closed = why

    def hears(self) -> list[dict[str, Any]]:
        """All that was told since somebody asked last."""
        told = [json.loads(message) for message in self.tab.waiting]
        self.tab.waiting.clear()
        return told

    def events(self) -> list[str]:
        return [message["event"] for message in self.hears()]

    def leaves(self) -> None:
        self._hall.consoles.leave(self.console, self.tab)


@pytest.fixture
async def hall() -> Hall:
    hall = Hall()
    hall.center.world.pbx.phones["phone-of-alice"] = Phone(Mood.ANSWERS, lambda: timedelta(seconds=3))
    hall.center.world.agent_ready("alice")
    return hall


async def test_a_console_begins_with_a_picture(hall: Hall) -> None:
    hello, picture = hall.opens().hears()
    assert (hello["event"], hello["lead"], hello["agent"], hello["engine"]) == ("hello", True, "alice", True)
    assert (picture["agent"]["state"], picture["contact"]) == ("ready", None)


async def test_an_offer_is_told_before_anything_else_with_all_that_is_known_of_the_caller(hall: Hall) -> None:
    page = hall.opens()
    page.hears()
    hall.center.world.caller_arrives(caller="+12025550177")
    offer, agent = page.hears()
    assert (offer["event"], offer["contact"]["caller"], offer["contact"]["queue"]) == ("offer", "+12025550177", "support")
    assert offer["contact"]["attributes"] == {"caller": "+12025550177"}
    assert (agent["event"], agent["agent"]["state"]) == ("agent", "reserved")


async def test_a_contact_is_followed_to_its_end(hall: Hall) -> None:
    page = hall.opens()
    caller = hall.center.world.caller_arrives()
    hall.center.world.run_for(4)
    page.hears()
    hall.center.world.pbx.party_hangs_up(caller, Cause.NORMAL)
    told = page.hears()
    assert [message["contact"]["state"] for message in told if message["event"] == "contact"] == ["wrapping"]
    hall.center.world.run_for(30)
    assert page.hears()[-2:] == [
        {"seq": page.console.seq - 1, "event": "contact", "contact": None},
        {"seq": page.console.seq, "event": "agent", "agent": json.loads(page.console.shown["agent"])},
    ]


async def test_what_concerns_somebody_else_is_not_told(hall: Hall) -> None:
    bob = hall.opens("bob")
    bob.hears()
    hall.center.world.caller_arrives()
    hall.center.world.run_for(10)
    assert bob.hears() == []


async def test_numbers_rise_by_one_and_all_tabs_are_told_the_same(hall: Hall) -> None:
    first, second = hall.opens(), hall.opens()
    first.hears(), second.hears()
    hall.center.world.caller_arrives()
    hall.center.world.run_for(60)
    told = first.hears()
    assert told == second.hears()
    assert [message["seq"] for message in told] == list(range(1, len(told) + 1))


async def test_the_newest_tab_leads_and_when_it_closes_the_one_before(hall: Hall) -> None:
    first = hall.opens()
    first.hears()
    second = hall.opens()
    assert first.hears() == [{"event": "lead", "lead": False}]
    assert second.hears()[0]["lead"] is True
    hall.consoles.lead(first.console, first.tab)
    assert (first.hears(), second.hears()) == ([{"event": "lead", "lead": True}], [{"event": "lead", "lead": False}])
    first.leaves()
    assert second.hears() == [{"event": "lead", "lead": True}]


async def test_who_comes_back_is_told_exactly_what_she_missed(hall: Hall) -> None:
    page = hall.opens()
    hall.center.world.caller_arrives()
    known = [message["seq"] for message in page.hears() if "seq" in message][-1]
    session = page.console.session
    page.leaves()
    hall.center.world.run_for(60)
    back = hall.opens(session=session, since=known)
    hello, *missed = back.hears()
    assert hello["resumed"] is True
    assert [message["seq"] for message in missed] == list(range(known + 1, back.console.seq + 1))


@pytest.mark.parametrize("how", ["another session", "from the future", "too long ago"])
async def test_what_can_no_longer_be_had_is_a_picture(hall: Hall, how: str) -> None:
    page = hall.opens()
    session, since = page.console.session, 0
    page.leaves()
    if how == "another session":
        session = "0" * 16
    elif how == "from the future":
        since = 10_000
    else:
        for number in range(EVENTS_KEPT + 1):
            page.console.tell("notice", notice=str(number))
    back = hall.opens(session=session, since=since)
    assert back.events() == ["hello", "picture"]


async def test_a_tab_that_reads_nothing_is_closed_and_costs_a_bounded_heap(hall: Hall) -> None:
    page = hall.opens()
    for number in range(WAITING_MOST + 10):
        page.console.tell("notice", notice=str(number))
    assert page.closed == "too slow"
    assert len(page.tab.waiting) == 0


async def test_nobody_opens_tabs_without_limit(hall: Hall) -> None:
    for _ in range(TABS):
        hall.opens()
    with pytest.raises(Full):
        hall.opens()


async def test_that_the_engine_is_away_is_told(hall: Hall) -> None:
    page = hall.opens()
    page.hears()
    hall.center.engine_leaves()
    hall.center.engine_comes()
    assert [(message["event"], message["here"]) for message in page.hears()] == [("engine", False), ("engine", True)]


# --- gone ---------------------------------------------------------------------------------------------


@pytest.fixture
async def watching(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hall]:
    """Whoever is silent for a moment is gone."""
    monkeypatch.setattr(module, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(module, "GONE_AFTER", 0.2)
    task = asyncio.create_task(hall.consoles.run())
    yield hall
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until(hall: Hall, *asked: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while [do for do, _ in hall.asked] != list(asked):
            await asyncio.sleep(0.01)


async def test_a_closed_console_is_gone_and_its_open_offer_goes_on(watching: Hall) -> None:
    page = watching.opens()
    watching.center.world.caller_arrives()
    page.leaves()
    await until(watching, "console_gone")
    state = watching.center.world.center.state
    assert (state.agents["alice"].state, state.agents["alice"].reason) == ("not_ready", "console_gone")
    assert watching.center.world.waiting() != []


async def test_who_reloads_the_page_was_never_gone(watching: Hall) -> None:
    page = watching.opens()
    for _ in range(30):
        page.leaves()
        page = watching.opens(session=page.console.session, since=page.console.seq)
        await asyncio.sleep(0.01)
    assert watching.asked == []


async def test_who_is_back_is_told_of_and_can_be_gone_again(watching: Hall) -> None:
    watching.opens().leaves()
    await until(watching, "console_gone")
    page = watching.opens()
    await until(watching, "console_gone", "console_back")
    page.leaves()
    await until(watching, "console_gone", "console_back", "console_gone")


async def test_while_the_engine_is_away_it_is_told_later(watching: Hall) -> None:
    watching.away = True
    watching.opens().leaves()
    async with asyncio.timeout(PATIENCE):
        while watching.tried < 3:
            await asyncio.sleep(0.01)
    watching.away = False
    await until(watching, "console_gone")


async def test_whose_console_did_not_come_back_after_our_own_restart_is_gone(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(module, "BACK_AFTER_START", 0.2)
    task = asyncio.create_task(hall.consoles.run())
    await until(hall, "console_gone")
    assert hall.asked == [("console_gone", {"agent": "alice"})], "bob is logged out"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
