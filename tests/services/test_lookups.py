"""What a customer's own dialplan is answered."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.config import CallingConfig
from callcenter.domain.events import HoursSwitchRequested
from callcenter.domain.hours_plan import Plan, expand
from callcenter.domain.routing_config import CallerList, ListedNumber
from callcenter.runtime.dialing_rules import DialingRules
from callcenter.services.lookups import UnknownQuestion, answer
from callcenter.sim.timeline import EPOCH
from callcenter.sim.world import World, small_center

VIP = CallerList("vip", entries=(ListedNumber("+12025550101", "gold"), ListedNumber("+1202555*", "district")), priority=5)
BLOCKED = CallerList(
    "nuisance", entries=(ListedNumber("+12025550199", "insults", until=EPOCH + timedelta(days=1)),), blocked=True, priority=-2
)
OFFICE = Plan("main", "UTC", {day: ((EPOCH.time(), (EPOCH + timedelta(hours=8)).time()),) for day in range(5)})


@pytest.fixture
def world() -> World:
    calling = CallingConfig(rules=DialingRules("US", ours=["+18005550100"]))
    calendars = {"main": expand(OFFICE, EPOCH.date())}
    return World(replace(small_center(), calling=calling, caller_lists=(VIP, BLOCKED), calendars=calendars))


def ask(world: World, name: str, channel: dict[str, str] | None = None, **query: str) -> dict[str, str]:
    found = answer(world.center.state, world.now, name, query, channel or {})
    return {variable.removeprefix("CALLCENTER_"): value for variable, value in found}


SUPPORT = {"FOUND": "1", "NUMBER": "+18005550100", "FLOW": "to-support", "QUEUE": "support"}


def test_where_a_number_leads(world: World) -> None:
    assert ask(world, "flow", number="+18005550100") == SUPPORT
    assert ask(world, "flow", number="(800) 555-0100") == SUPPORT
    assert ask(world, "flow", {"dnid": "8005550100", "extension": "s"}) == SUPPORT
    assert ask(world, "flow", {"dnid": "unknown", "extension": "+18005550100"}) == SUPPORT
    assert ask(world, "flow", number="+18005550177") == {"FOUND": "0", "NUMBER": "", "FLOW": "", "QUEUE": ""}


def test_what_we_know_of_a_caller(world: World) -> None:
    assert ask(world, "caller", number="+12025550101") == {"FOUND": "1", "LISTS": "vip", "PRIORITY": "5", "BLOCKED": "0"}
    assert ask(world, "caller", {"callerid": "2025550199"}) == {"FOUND": "1", "LISTS": "nuisance,vip", "PRIORITY": "3", "BLOCKED": "1"}
    assert ask(world, "caller", {"callerid": "unknown"}) == {"FOUND": "0", "LISTS": "", "PRIORITY": "0", "BLOCKED": "0"}


def test_whether_a_calendar_is_open(world: World) -> None:
    world.run_for(1)
    assert ask(world, "hours", calendar="main") == {"FOUND": "1", "OPEN": "1", "WHY": "weekly hours", "OPENS_AT": ""}
    world.tell(HoursSwitchRequested("main", False, EPOCH + timedelta(hours=2), "fire"))
    reopens = str(int((EPOCH + timedelta(hours=2)).timestamp()))
    assert ask(world, "hours", calendar="main") == {"FOUND": "1", "OPEN": "0", "WHY": "switch: fire", "OPENS_AT": reopens}
    assert ask(world, "hours", calendar="lunch")["FOUND"] == "0"


def test_other_questions_are_not_answered(world: World) -> None:
    with pytest.raises(UnknownQuestion, match="there is no 'weather'; ask for caller, flow, hours"):
        ask(world, "weather")


@given(st.sampled_from(["flow", "caller", "hours"]), st.text(max_size=200), st.text(max_size=200))
def test_whatever_a_caller_sends_the_answer_has_its_variables(name: str, asked: str, sent: str) -> None:
    world = World(replace(small_center(), calling=CallingConfig(rules=DialingRules("US"))))
    found = ask(world, name, {"callerid": sent, "dnid": sent}, number=asked, calendar=asked)
    assert found["FOUND"] == "0"
