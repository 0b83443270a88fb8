"""What an agent's console shows of calls of her own and of consults: whom she talks to, and what of it is hers to decide."""

import json
from typing import Any

import pytest

from callcenter.domain import events as e
from callcenter.services.console_view import agent_view, contact_view, touched
from callcenter.services.live_view import phase_of
from callcenter.sim.world import World
from tests.domain.test_own_calls import FRIEND, config, talks


@pytest.fixture
def world() -> World:
    return World(config())


def own_call(world: World, agent: str) -> Any:
    return (agent_view(world.center.state, agent) or {})["own_call"]


def consult(world: World, agent: str) -> Any:
    return json.loads(json.dumps((contact_view(world.center.state, agent) or {})["consult"]))


def test_both_see_the_call_between_them(world: World) -> None:
    world.agent_ready("alice")
    world.agent_ready("bob")
    assert own_call(world, "alice") is None
    world.tell(e.AgentDialRequested("alice", colleague="bob"))
    assert own_call(world, "alice") == {"began_by": "alice", "to": "bob", "talks": False, "on_it": False, "resuming": False}
    world.run_for(6)
    seen = len(world.facts)
    for agent in ("alice", "bob"):
        assert own_call(world, agent) == {"began_by": "alice", "to": "bob", "talks": True, "on_it": True, "resuming": False}
    world.tell(e.AgentDialEndRequested("alice"))
    assert {"alice", "bob"} <= touched(world.center.state, world.facts[seen:])
    assert own_call(world, "alice") is own_call(world, "bob") is None


def test_who_asks_whom_and_whether_anybody_has_answered(world: World) -> None:
    talks(world)
    world.agent_ready("bob")
    world.tell(e.ConsultRequested("alice", colleague="bob"))
    asked = consult(world, "alice")
    assert (asked["agent"], asked["with"], asked["answered"]) == ("alice", "bob", False)
    world.run_for(4)
    for agent in ("alice", "bob"):
        asked = consult(world, agent)
        assert (asked["agent"], asked["with"], asked["answered"], asked["hears"]) == ("alice", "bob", True, "consulted")


def test_a_number_outside_that_is_asked(world: World) -> None:
    talks(world)
    world.tell(e.ConsultRequested("alice", number=FRIEND))
    assert consult(world, "alice") == {"contact": "", "agent": "alice", "hears": "consulted", "answered": False, "with": FRIEND}
    world.run_for(4)
    assert consult(world, "alice")["answered"]
    world.tell(e.CompleteRequested("alice"))
    (call,) = world.center.state.calls.values()
    assert phase_of(call, None) == "outside", "who watches the center sees where the caller is"
