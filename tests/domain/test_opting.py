"""An agent opts in and out of queues, within the limits set for her."""

from dataclasses import replace

import pytest

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.config import AgentConfig, CenterConfig, QueueConfig
from callcenter.domain.facts import AgentState
from callcenter.sim.world import World, small_center

PHONE = "phone-of-alice"


def config(may: tuple[str, ...] = ("support", "sales"), least: int = 1) -> CenterConfig:
    center = small_center([QueueConfig("support"), QueueConfig("sales"), QueueConfig("care", wait_without_agents=False)], ["alice"])
    return replace(center, agents={"alice": AgentConfig("alice", PHONE, ("support", "sales", "care"), may, least)})


def heard(world: World, code: str) -> list[str]:
    leg = world.pbx.dial_from_phone(PHONE, code)
    heard = world.pbx.channels[leg].heard
    world.run_for(3)
    return heard


def test_who_opted_out_is_not_offered_the_queue_and_who_opts_in_serves_who_waits() -> None:
    world = World(config())
    world.tell(e.OptOutRequested("alice", "sales"))
    world.agent_ready("alice")
    caller = world.caller_arrives("sales")
    world.run_for(5)
    assert world.waiting("sales") == [caller]
    world.crash_and_restore()
    assert world.agent("alice").queues == ("support", "care")
    world.tell(e.OptInRequested("alice", "sales"))
    world.run_for(5)
    assert world.talking() == {"alice": caller}
    assert world.agent("alice").queues == ("support", "sales", "care")


def test_an_open_offer_of_the_queue_goes_on() -> None:
    world = World(config())
    world.agent_ready("alice")
    world.caller_arrives("sales")
    world.run_for(1)
    world.tell(e.OptOutRequested("alice", "sales"))
    assert world.agent("alice").state is AgentState.RESERVED
    world.run_for(3)
    assert world.talking().keys() == {"alice"}


@pytest.mark.parametrize(
    ("may", "least", "asked", "sentence"),
    [
        (("sales",), 1, ["support"], "alice may not opt out of queue 'support'; she may of: sales"),
        ((), 1, ["sales"], "alice may not opt out of queue 'sales'; she may of: none"),
        (("support", "sales"), 2, ["sales", "support"], "alice must serve at least 2 of her queues"),
        (("sales",), 1, ["nowhere"], "'nowhere' is not a queue of alice; there are: support, sales, care"),
    ],
)
def test_the_limits(may: tuple[str, ...], least: int, asked: list[str], sentence: str) -> None:
    world = World(config(may, least))
    for queue in asked:
        world.tell(e.OptOutRequested("alice", queue))
    assert world.refusals == [sentence]


def test_twice_changes_nothing() -> None:
    world = World(config())
    world.tell(e.OptOutRequested("alice", "sales"))
    world.tell(e.OptOutRequested("alice", "sales"))
    world.tell(e.OptInRequested("alice", "sales"))
    world.tell(e.OptInRequested("alice", "sales"))
    assert [fact.queues for fact in world.facts if isinstance(fact, f.AgentOptedOut)] == [("sales",), ()]
    assert world.refusals == []


def test_a_queue_whose_agents_have_all_opted_out_has_no_agents() -> None:
    world = World(config(may=("care",)))
    world.agent_ready("alice")
    world.tell(e.OptOutRequested("alice", "care"))
    world.caller_arrives("care")
    assert [fact.why for fact in world.facts if isinstance(fact, f.ContactOverflowed)] == [f.OverflowWhy.NO_AGENTS]


def test_when_the_limit_is_withdrawn_she_serves_the_queue_again() -> None:
    world = World(config())
    world.tell(e.OptOutRequested("alice", "sales"))
    world.agent_ready("alice")
    caller = world.caller_arrives("sales")
    world.tell(e.ConfigChanged(config(may=("support",))))
    world.run_for(5)
    assert world.talking() == {"alice": caller}


def test_from_a_plain_desk_phone() -> None:
    world = World(config(may=("sales",)))
    assert heard(world, "*172") == ["queue-left"]
    assert world.agent("alice").queues == ("support", "care")
    assert heard(world, "*171") == ["not-possible"]
    assert heard(world, "*174") == ["not-possible"]
    assert heard(world, "*162") == ["queue-joined"]
    assert world.agent("alice").queues == ("support", "sales", "care")
