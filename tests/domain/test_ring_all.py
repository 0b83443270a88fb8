"""Ring-all: a contact is offered to everybody who is ready; the first who answers has it."""

from datetime import timedelta

import pytest

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.agent import Agent
from callcenter.domain.config import QueueConfig
from callcenter.domain.contact import ContactState
from callcenter.domain.facts import AgentState, WithdrawnWhy
from callcenter.domain.ids import Ids
from callcenter.domain.router import route_queue
from callcenter.domain.routing_config import Routing, Strategy
from callcenter.domain.stories import ITS_TURN
from callcenter.domain.turn import Turn
from callcenter.domain.waiter import Waiter
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.world import World, small_center

TEAM = QueueConfig("support", routing=Routing(Strategy.RING_ALL))


def kinds(world: World, kind: type) -> list:  # type: ignore[type-arg]
    return [fact for fact in world.facts if isinstance(fact, kind)]


@pytest.fixture
def world() -> World:
    return World(small_center([TEAM], ["alice", "bob", "carol"]))


def picks_up_after(world: World, agent: str, seconds: float) -> Agent:
    world.pbx.phones[f"phone-of-{agent}"] = Phone(Mood.ANSWERS, lambda: timedelta(seconds=seconds))
    return world.agent_ready(agent)


def test_all_phones_ring_and_the_first_answer_withdraws_the_rest(world: World) -> None:
    alice, bob, carol = (picks_up_after(world, name, seconds) for name, seconds in [("alice", 5), ("bob", 2), ("carol", 9)])
    idle = alice.idle_since, carol.idle_since
    world.run_for(1)
    caller = world.caller_arrives()
    assert {alice.state, bob.state, carol.state} == {AgentState.RESERVED}
    assert [len(world.center.state.offers), len(world.pbx.channels)] == [3, 4]

    world.run_for(3)

    assert world.talking() == {"bob": caller}
    assert (alice.state, carol.state) == (AgentState.READY, AgentState.READY)
    assert (alice.idle_since, carol.idle_since) == idle  # nobody's fault
    assert [(fact.agent, fact.why) for fact in kinds(world, f.OfferWithdrawn)] == [
        ("alice", WithdrawnWhy.ANSWERED),
        ("carol", WithdrawnWhy.ANSWERED),
    ]
    world.run_for(10)
    assert len(world.pbx.channels) == 2  # the other phones are silent
    assert world.faults == []


def test_who_is_freed_by_the_first_answer_rings_for_the_next_caller(world: World) -> None:
    for name, seconds in [("alice", 2), ("bob", 4), ("carol", 6)]:
        picks_up_after(world, name, seconds)
    first, second = world.caller_arrives(), world.caller_arrives()
    assert world.waiting() == [second]
    world.run_for(2.5)
    assert world.talking() == {"alice": first}
    assert sorted(fact.agent for fact in kinds(world, f.ContactOffered)[3:]) == ["bob", "carol"]
    world.run_for(5)
    assert world.talking() == {"alice": first, "bob": second}


def test_one_who_does_not_take_it_costs_the_others_nothing(world: World) -> None:
    world.pbx.phones["phone-of-alice"] = Phone(Mood.DECLINES)
    alice = world.agent_ready("alice")
    picks_up_after(world, "bob", 4)
    caller = world.caller_arrives()
    world.run_for(3)
    assert (alice.state, alice.reason) == (AgentState.NOT_READY, "missed_offer")
    (contact,) = world.center.state.contacts.values()
    assert contact.state is ContactState.OFFERED
    world.run_for(3)
    assert world.talking() == {"bob": caller}


def test_when_nobody_answers_the_caller_waits_on_at_the_old_place(world: World) -> None:
    for name in ("alice", "bob"):
        world.pbx.phones[f"phone-of-{name}"] = Phone(Mood.RINGS_ON)
        world.agent_ready(name)
    caller = world.caller_arrives()
    world.run_for(16)
    assert world.waiting() == [caller]
    assert not world.center.state.offers
    picks_up_after(world, "carol", 1)
    world.run_for(3)
    assert world.talking() == {"carol": caller}
    (connected,) = kinds(world, f.ContactConnected)
    assert connected.wait == timedelta(seconds=17.05)


def test_who_becomes_ready_meanwhile_rings_along(world: World) -> None:
    world.pbx.phones["phone-of-alice"] = Phone(Mood.RINGS_ON)
    world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(5)
    picks_up_after(world, "bob", 1)
    assert sorted(fact.agent for fact in kinds(world, f.ContactOffered)) == ["alice", "bob"]
    world.run_for(3)
    assert world.talking() == {"bob": caller}


def test_a_caller_who_gives_up_frees_everybody(world: World) -> None:
    agents = [picks_up_after(world, name, 9) for name in ("alice", "bob", "carol")]
    caller = world.caller_arrives()
    world.run_for(1)
    world.pbx.party_hangs_up(caller)
    assert {agent.state for agent in agents} == {AgentState.READY}
    world.run_for(1)
    assert not world.pbx.channels


def test_a_second_answer_in_the_same_moment_is_one_too_many(world: World) -> None:
    """Both pick up before we have taken back either offer: one talks, the other hears the end of the call."""
    for name in ("alice", "bob"):
        picks_up_after(world, name, 2)
    caller = world.caller_arrives()
    world.run_for(3)
    assert len(world.talking()) == 1
    assert set(world.talking().values()) == {caller}
    assert len(world.pbx.channels) == 2


def test_offers_survive_a_restart(world: World) -> None:
    for name, seconds in [("alice", 4), ("bob", 6)]:
        picks_up_after(world, name, seconds)
    caller = world.caller_arrives()
    world.run_for(1)
    world.crash_and_restore()
    world.run_for(5)
    assert world.talking() == {"alice": caller}
    assert world.agent("bob").state is AgentState.READY


# --- waiters that are no contacts ---------------------------------------------------------------


def test_another_kind_of_waiter_takes_its_turn_in_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Priority and place decide, whatever it is that waits; what happens then is its own story."""
    world = World()
    first = world.caller_arrives()
    world.run_for(10)
    state, turns = world.center.state, []

    def its_turn(turn: Turn, waiter: Waiter, agent: Agent) -> None:
        turns.append((waiter.id, agent.name))
        turn.state.step_out(waiter.id)

    monkeypatch.setitem(ITS_TURN, "promise", its_turn)
    at = world.now - timedelta(seconds=5)  # it came after the first caller, and before the second
    state.stand_in_line(Waiter("promise-1", "support", 0, at, at, "promise"))
    second = world.caller_arrives()
    assert [name == "promise-1" for name in state.queue("support").waiting.in_order()] == [False, True, False]
    world.pbx.phones["phone-of-alice"] = Phone(Mood.ANSWERS, lambda: timedelta(seconds=1))
    world.agent_ready("alice")
    world.run_for(2)
    assert world.talking() == {"alice": first}
    assert turns == []
    world.agent_ready("bob")
    assert turns == [("promise-1", "bob")]
    world.run_for(3)
    assert world.talking() == {"alice": first, "bob": second}


def test_a_waiter_that_comes_last_finds_the_ready_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.agent_ready("alice")
    turns = []

    def its_turn(turn: Turn, waiter: Waiter, agent: Agent) -> None:
        turns.append(agent.name)
        turn.state.step_out(waiter.id)

    monkeypatch.setitem(ITS_TURN, "promise", its_turn)
    state = world.center.state
    state.stand_in_line(Waiter("promise-1", "support", 0, world.now, world.now, "promise"))
    route_queue(Turn(state, Ids("x"), world.now, ITS_TURN), state.queue("support"))
    assert turns == ["alice"]


def test_a_turn_that_comes_to_nothing_is_a_bug_and_no_endless_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setitem(ITS_TURN, "promise", lambda turn, waiter, agent: None)
    world.center.state.stand_in_line(Waiter("promise-1", "support", 0, world.now, world.now, "promise"))
    world.tell(e.AgentLoginRequested("alice"))
    world.tell(e.AgentReadyRequested("alice"))
    assert "neither did it step out" in str(world.faults[0])
