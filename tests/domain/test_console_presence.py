"""A console that is gone: the open offer goes on to somebody else at once, and the agent is not ready once she is free."""

from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.config import QueueConfig
from callcenter.domain.facts import AgentState
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.world import World, small_center


def world_with(*agents: str, browser: bool = True, mood: Mood = Mood.RINGS_ON) -> World:
    """All are ready, alice is idle longest, and her phone is in that mood."""
    center = small_center([QueueConfig("support")], agents)
    center = replace(center, agents={name: replace(agent, browser=browser) for name, agent in center.agents.items()})
    world = World(center)
    world.pbx.phones["phone-of-alice"] = Phone(mood, lambda: timedelta(seconds=1))
    for name in agents:
        world.agent_ready(name)
        world.run_for(1)
    return world


def state(world: World) -> tuple[AgentState, str]:
    return world.agent("alice").state, world.agent("alice").reason


def test_her_open_offer_goes_to_the_next_agent_at_once_and_counts_as_no_miss() -> None:
    world = world_with("alice", "bob")
    world.pbx.phones["phone-of-bob"] = Phone(Mood.ANSWERS, lambda: timedelta(seconds=1))
    caller = world.caller_arrives()
    world.run_for(2)
    assert state(world) == (AgentState.RESERVED, "")
    world.tell(e.ConsoleGone("alice"))
    world.run_for(2)
    assert state(world) == (AgentState.NOT_READY, "console_gone")
    assert world.talking() == {"bob": caller}
    assert [fact.why for fact in world.facts if isinstance(fact, f.OfferWithdrawn)] == ["console_gone"]
    assert not [fact for fact in world.facts if isinstance(fact, f.OfferMissed)]
    assert world.faults == []


def test_a_caller_whom_nobody_else_can_take_keeps_the_place() -> None:
    world = world_with("alice")
    first = world.caller_arrives()
    world.run_for(1)
    second = world.caller_arrives()
    world.tell(e.ConsoleGone("alice"))
    assert world.waiting() == [first, second]
    world.tell(e.AgentReadyRequested("alice"))
    assert world.waiting() == [second], "offered to her again, now that she is back"


def test_who_talks_goes_on_and_is_not_ready_after_wrap_up() -> None:
    world = world_with("alice", mood=Mood.ANSWERS)
    caller = world.caller_arrives()
    world.run_for(3)
    world.tell(e.ConsoleGone("alice"))
    assert world.talking() == {"alice": caller}
    world.pbx.party_hangs_up(caller, e.Cause.NORMAL)
    world.run_for(30)
    assert state(world) == (AgentState.NOT_READY, "console_gone")


@pytest.mark.parametrize("moment", ["talking", "wrap_up"])
def test_who_comes_back_before_she_is_free_goes_on_as_if_nothing_had_been(moment: str) -> None:
    world = world_with("alice", mood=Mood.ANSWERS)
    caller = world.caller_arrives()
    world.run_for(3)
    if moment == "wrap_up":
        world.pbx.party_hangs_up(caller, e.Cause.NORMAL)
    world.tell(e.ConsoleGone("alice"))
    world.tell(e.ConsoleBack("alice"))
    if moment == "talking":
        world.pbx.party_hangs_up(caller, e.Cause.NORMAL)
    world.run_for(30)
    assert state(world) == (AgentState.READY, "")


def test_who_rests_stays_as_she_is_and_who_would_be_ready_by_herself_is_not() -> None:
    world = world_with("alice")
    world.tell(e.AgentNotReadyRequested("alice", "break"))
    world.tell(e.ConsoleGone("alice"))
    assert state(world) == (AgentState.NOT_READY, "break")
    world.tell(e.AgentReadyRequested("alice"))
    world.tell(e.PhoneUnreachable("phone-of-alice"))
    world.tell(e.ConsoleGone("alice"))
    world.tell(e.PhoneReachable("phone-of-alice"))
    assert state(world) == (AgentState.NOT_READY, "console_gone")


def test_who_asked_to_leave_leaves() -> None:
    world = world_with("alice", mood=Mood.ANSWERS)
    caller = world.caller_arrives()
    world.run_for(3)
    world.tell(e.AgentLogoutRequested("alice"))
    world.tell(e.ConsoleGone("alice"))
    world.tell(e.ConsoleBack("alice"))
    world.pbx.party_hangs_up(caller, e.Cause.NORMAL)
    world.run_for(30)
    assert state(world)[0] is AgentState.LOGGED_OUT


def test_a_desk_phone_does_not_mind() -> None:
    world = world_with("alice", browser=False)
    world.tell(e.ConsoleGone("alice"))
    assert state(world) == (AgentState.READY, "")
