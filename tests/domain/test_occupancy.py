"""Who has been busy too much lately gets a micro-break before the next offer."""

from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.config import OccupancyRule, QueueConfig
from callcenter.domain.facts import AgentState
from callcenter.domain.load import WINDOW, Load
from callcenter.sim.world import World, small_center

BREAK = timedelta(seconds=45)
RULE = OccupancyRule(0.8, BREAK)


def busy_world(rule: OccupancyRule | None = RULE, pause: float = 10, minutes: int = 40, wrap_up: float = 30) -> World:
    """Alice has talked 3 minutes a contact, with so many seconds of waiting between contacts; the last caller has just left."""
    world = World(replace(small_center([QueueConfig("support", wrap_up=timedelta(seconds=wrap_up))], ["alice"]), occupancy=rule))
    world.agent_ready("alice")
    began = world.now
    while True:
        caller = world.caller_arrives()
        world.run_for(180)
        world.pbx.party_hangs_up(caller)
        if world.now - began > timedelta(minutes=minutes):
            return world
        world.run_for(30 + pause)
        world.tell(e.AgentReadyRequested("alice"))


def breaks(world: World) -> list[f.AgentStateChanged]:
    return [fact for fact in world.facts if isinstance(fact, f.AgentStateChanged) and fact.reason == "micro_break"]


def test_over_the_ceiling_she_gets_a_break_before_the_next_offer() -> None:
    world = busy_world()
    waiting = world.caller_arrives()
    before = len(breaks(world))
    world.run_for(31)
    alice = world.agent("alice")
    assert (alice.state, alice.reason) == (AgentState.NOT_READY, "micro_break")
    assert alice.until == breaks(world)[before].at + BREAK
    assert world.waiting() == [waiting]
    world.run_for(BREAK.total_seconds() + 3)
    assert world.talking() == {"alice": waiting}


def test_the_break_outlives_a_restart() -> None:
    world = busy_world()
    world.run_for(31)
    world.crash_and_restore()
    world.run_for(BREAK.total_seconds())
    assert world.agent("alice").state is AgentState.READY


def test_how_busy_she_was_outlives_a_restart() -> None:
    world = busy_world()
    world.crash_and_restore()
    world.run_for(31)
    assert world.agent("alice").reason == "micro_break"


@pytest.mark.parametrize(("rule", "pause", "minutes"), [(None, 10, 40), (RULE, 120, 60), (RULE, 10, 9)], ids=["no rule", "calm", "new"])
def test_without_cause_there_is_no_break(rule: OccupancyRule | None, pause: float, minutes: int) -> None:
    world = busy_world(rule, pause, minutes)
    world.run_for(31)
    assert world.agent("alice").state is AgentState.READY
    assert breaks(world) == []


def test_she_may_decline_the_break() -> None:
    world = busy_world()
    world.run_for(31)
    world.tell(e.AgentReadyRequested("alice"))
    assert world.agent("alice").state is AgentState.READY


def test_what_she_asked_for_comes_before_the_break() -> None:
    world = busy_world()
    world.tell(e.AgentNotReadyRequested("alice", "lunch"))
    assert (world.agent("alice").reason, world.agent("alice").until) == ("lunch", None)


def test_a_missing_half_hour_says_nothing_and_a_full_one_is_the_ratio() -> None:
    load = Load().after(AgentState.TALKING, timedelta(minutes=10))
    assert load.occupancy is None
    for _ in range(200):
        load = load.after(AgentState.TALKING, timedelta(minutes=3)).after(AgentState.READY, timedelta(minutes=1))
    assert load.occupancy == pytest.approx(0.75, abs=0.02)
    assert load.after(AgentState.NOT_READY, timedelta(minutes=10)).occupancy == pytest.approx(load.occupancy)
    assert load.after(AgentState.NOT_READY, WINDOW).occupancy is None, "too long ago to tell"
