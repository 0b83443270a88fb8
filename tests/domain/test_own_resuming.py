"""A softphone that is lost in the middle of an agent's own call: the other one is kept, and she goes on where she is back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.books import fold_call
from callcenter.domain.facts import AgentState
from callcenter.services.console_view import agent_view
from callcenter.sim.fake_pbx import Channel, Mood, Phone
from callcenter.sim.world import World
from tests.domain.test_own_calls import FRIEND, config, phone_of


def her_phone(world: World, agent: str = "alice") -> Channel:
    found = phone_of(world, agent)
    assert found is not None
    return found


def calls(whom: str, *, answered: bool = True) -> World:
    """alice, at her softphone, talks to bob at his or to a friend outside; or it rings there still."""
    plain = config()
    world = World(replace(plain, agents={name: replace(agent, browser=name != "carol") for name, agent in plain.agents.items()}))
    for agent in ("alice", "bob"):
        world.agent_ready(agent)
    colleague, number = ("bob", "") if whom == "bob" else ("", whom)
    world.tell(e.AgentDialRequested("alice", number, colleague=colleague))
    world.run_for(3)
    if answered:
        world.run_for(12)
        assert her_phone(world).bridge == other(world, whom).bridge != ""
    else:
        assert her_phone(world).hears_ringing
    return world


def other(world: World, whom: str) -> Channel:
    return next(each for each in world.pbx.channels.values() if whom in (each.number, each.endpoint.removeprefix("phone-of-")))


def ended(world: World) -> f.OwnCallEnded:
    (fact,) = (fact for fact in world.facts if isinstance(fact, f.OwnCallEnded))
    return fact


@pytest.mark.parametrize("whom", ["bob", FRIEND])
def test_her_phone_rings_again_and_the_other_one_hears_music_until_she_is_back(whom: str) -> None:
    world = calls(whom)
    lost, far = her_phone(world), other(world, whom)
    world.tell(e.AgentLegResumeRequested("alice"))
    again = her_phone(world)
    assert again.id != lost.id
    assert (bool(far.music), far.bridge) == (True, "")
    assert (agent_view(world.center.state, "alice") or {})["own_call"] == {
        "began_by": "alice", "to": whom, "talks": True, "on_it": True, "resuming": True
    }  # fmt: skip
    world.run_for(4)
    assert lost.id not in world.pbx.channels
    assert (far.music, far.bridge) == ("", again.bridge)
    assert again.bridge
    assert (world.agent("alice").state, world.agent("alice").reason) == (AgentState.NOT_READY, "own_call")
    world.pbx.party_hangs_up(again.id)
    world.run_for(1)
    assert (ended(world).why, world.pbx.channels, world.pbx.bridges) == ("hung_up", {}, {})
    books = fold_call(fact for fact in world.facts if getattr(fact, "call", "") == ended(world).call)
    assert books.call is not None
    assert (books.call.ended_by, books.call.talk) == ("caller", ended(world).talk)
    assert world.agent("alice").state is AgentState.READY
    assert world.faults == []


def test_whom_she_calls_goes_on_likewise_when_his_softphone_is_lost() -> None:
    world = calls("bob")
    alice = her_phone(world)
    world.tell(e.AgentLegResumeRequested("bob"))
    assert alice.music
    world.run_for(4)
    assert alice.bridge == her_phone(world, "bob").bridge != ""
    world.pbx.party_hangs_up(her_phone(world, "bob").id)
    world.run_for(1)
    assert (ended(world).why, world.pbx.channels) == ("hung_up", {})
    assert world.faults == []


def test_both_of_them_lose_theirs() -> None:
    world = calls("bob")
    world.pbx.phones["phone-of-bob"] = Phone(Mood.ANSWERS, lambda: timedelta(seconds=6))
    world.tell(e.AgentLegResumeRequested("bob"))
    world.tell(e.AgentLegResumeRequested("alice"))
    world.run_for(4)
    assert her_phone(world).music
    world.run_for(4)
    assert her_phone(world).bridge == her_phone(world, "bob").bridge != ""
    assert not her_phone(world).music
    assert world.faults == []


@pytest.mark.parametrize("mood", [Mood.RINGS_ON, Mood.BUSY, Mood.UNREACHABLE])
@pytest.mark.parametrize("agent", ["alice", "bob"])
def test_who_does_not_come_back_in_time_has_lost_the_call(mood: Mood, agent: str) -> None:
    world = calls("bob")
    world.pbx.phones[f"phone-of-{agent}"] = Phone(mood, lambda: timedelta(seconds=1))
    world.tell(e.AgentLegResumeRequested(agent))
    world.run_for(14)
    assert (ended(world).why, world.pbx.channels, world.pbx.bridges) == ("lost", {}, {})
    assert world.agent("alice").state is world.agent("bob").state is AgentState.READY
    assert world.faults == []


def test_a_tab_that_is_closed_and_stays_so_ends_it_as_lost() -> None:
    world = calls(FRIEND)
    world.tell(e.LegEnded(her_phone(world).id, e.Cause.LOST))
    world.run_for(1)
    assert ended(world).why == "lost"
    assert world.faults == []


def test_the_other_one_hangs_up_meanwhile_and_her_phone_stops_ringing() -> None:
    world = calls(FRIEND)
    world.pbx.phones["phone-of-alice"] = Phone(Mood.RINGS_ON, lambda: timedelta(seconds=1))
    world.tell(e.AgentLegResumeRequested("alice"))
    world.pbx.party_hangs_up(other(world, FRIEND).id)
    world.run_for(1)
    assert (ended(world).why, world.pbx.channels) == ("hung_up", {})
    assert world.faults == []


def test_while_it_rings_there_it_rings_on_and_who_answers_first_waits_for_her() -> None:
    world = calls("bob", answered=False)
    world.pbx.phones["phone-of-alice"] = Phone(Mood.ANSWERS, lambda: timedelta(seconds=6))
    world.tell(e.AgentLegResumeRequested("alice"))
    world.run_for(3)
    assert her_phone(world, "bob").music
    world.run_for(5)
    assert her_phone(world).bridge == her_phone(world, "bob").bridge != ""
    assert not her_phone(world, "bob").music
    assert world.faults == []


def test_nobody_answers_there_while_she_is_away() -> None:
    world = calls(FRIEND, answered=False)
    world.pbx.phones["phone-of-alice"] = Phone(Mood.RINGS_ON, lambda: timedelta(seconds=1))
    world.tell(e.AgentLegResumeRequested("alice"))
    world.pbx.party_hangs_up(other(world, FRIEND).id)
    world.run_for(1)
    assert ended(world).why == "unreachable"
    assert world.pbx.channels == {}
    assert world.faults == []


def test_the_engine_dies_while_her_phone_rings_again() -> None:
    world = calls("bob")
    world.pbx.phones["phone-of-alice"] = Phone(Mood.ANSWERS, lambda: timedelta(seconds=6))
    world.tell(e.AgentLegResumeRequested("alice"))
    world.crash_and_restore()
    assert her_phone(world, "bob").music
    world.run_for(8)
    assert her_phone(world).bridge == her_phone(world, "bob").bridge != ""
    assert world.faults == []


def test_a_page_that_is_loaded_twice_is_rung_twice() -> None:
    world = calls(FRIEND)
    world.tell(e.AgentLegResumeRequested("alice"))
    world.tell(e.AgentLegResumeRequested("alice"))
    world.run_for(5)
    assert len(world.pbx.channels) == 2
    assert her_phone(world).bridge == other(world, FRIEND).bridge != ""
    assert world.faults == []


def test_a_phone_that_only_rings_for_it_has_nothing_to_come_back_to() -> None:
    world = calls("bob", answered=False)
    assert "not talking" in (world.center.handle(e.AgentLegResumeRequested("bob"), world.now).refusal or "")
