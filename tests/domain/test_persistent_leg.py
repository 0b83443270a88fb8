"""The leg that stays up: rung once, contacts with a beep, and what becomes of her when it is lost."""

from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.agent import Agent
from callcenter.domain.config import AgentConfig, CenterConfig, QueueConfig
from callcenter.domain.events import Cause
from callcenter.domain.facts import AgentState
from callcenter.domain.routing_config import Routing, Strategy
from callcenter.sim.fake_pbx import Channel, Mood, Phone
from callcenter.sim.world import World, small_center

PHONE = "phone-of-alice"


def config(*, strategy: Strategy = Strategy.LONGEST_IDLE) -> CenterConfig:
    queue = QueueConfig("support", wrap_up=timedelta(seconds=5), routing=Routing(strategy=strategy))
    center = small_center([queue], ["alice", "bob"])
    return replace(center, agents={**center.agents, "alice": AgentConfig("alice", PHONE, ("support",), persistent=True)})


def new_world(mood: Mood = Mood.ANSWERS, center: CenterConfig | None = None) -> World:
    world = World(center or config())
    world.pbx.phones[PHONE] = Phone(mood, lambda: timedelta(seconds=2))
    return world


def off_hook(center: CenterConfig | None = None) -> World:
    """Alice is ready, and her leg is up."""
    world = new_world(center=center)
    world.agent_ready("alice")
    world.run_for(3)
    assert alice(world).state is AgentState.READY
    return world


def alice(world: World) -> Agent:
    return world.agent("alice")


def her_channel(world: World) -> Channel:
    (channel,) = [channel for channel in world.pbx.channels.values() if channel.endpoint == PHONE]
    return channel


def states(world: World) -> list[str]:
    changes = [fact for fact in world.facts if isinstance(fact, f.AgentStateChanged) and fact.agent == "alice"]
    return [f"{fact.state} {fact.reason}".strip() for fact in changes]


def test_her_phone_is_rung_once_and_she_is_ready_when_it_is_up() -> None:
    world = new_world()
    world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(1)
    assert states(world)[-1] == "not_ready leg_rings"
    assert world.waiting() == [caller]
    world.run_for(2)
    assert world.talking() == {"alice": caller}
    assert her_channel(world).heard == ["you-are-connected", "bridge", "beep"]


def test_contacts_come_at_once_with_a_beep_and_the_leg_stays() -> None:
    world = off_hook()
    leg = her_channel(world).id
    for _ in range(3):
        caller = world.caller_arrives()
        assert world.talking() == {"alice": caller}
        world.run_for(4)
        world.pbx.party_hangs_up(caller)
        world.run_for(6)
        assert her_channel(world).id == leg
        assert alice(world).state is AgentState.READY
    assert her_channel(world).heard.count("beep") == 3
    waits = [fact.wait for fact in world.facts if isinstance(fact, f.ContactConnected)]
    assert waits == [timedelta()] * 3
    assert not any(isinstance(fact, f.OfferMissed) for fact in world.facts)


def test_she_may_dial_in_by_herself() -> None:
    world = new_world(Mood.RINGS_ON)
    leg = world.pbx.dial_from_phone(PHONE, "*18")
    assert alice(world).state is AgentState.READY
    caller = world.caller_arrives()
    assert world.talking() == {"alice": caller}
    assert her_channel(world).id == leg
    world.run_for(5)
    world.pbx.party_hangs_up(caller)
    world.run_for(10)
    assert alice(world).state is AgentState.READY
    assert her_channel(world).id == leg


def test_who_is_rung_for_each_contact_cannot_dial_in() -> None:
    world = new_world()
    leg = world.pbx.dial_from_phone("phone-of-bob", "*18")
    assert world.pbx.channels[leg].heard == ["not-possible"]
    world.run_for(5)
    assert leg not in world.pbx.channels


def test_dialing_in_while_the_phone_rings_ends_the_ringing() -> None:
    world = new_world(Mood.RINGS_ON)
    world.agent_ready("alice")
    world.run_for(1)
    leg = world.pbx.dial_from_phone(PHONE, "*18")
    world.run_for(1)
    assert her_channel(world).id == leg
    assert alice(world).state is AgentState.READY


@pytest.mark.parametrize("cause", [Cause.NORMAL, Cause.LOST])
def test_a_lost_leg_keeps_her_from_being_offered_until_it_is_back(cause: Cause) -> None:
    world = off_hook()
    world.pbx.party_hangs_up(her_channel(world).id, cause)
    assert states(world)[-1] == "not_ready phone_unreachable"
    caller = world.caller_arrives()
    world.run_for(10)
    assert world.waiting() == [caller]
    world.run_for(15)  # her phone is asked, answers, and is rung for the leg
    assert world.talking() == {"alice": caller}


def test_a_leg_lost_in_mid_talk_gives_the_caller_back_at_the_head() -> None:
    world = off_hook()
    caller = world.caller_arrives()
    world.run_for(5)
    world.pbx.party_hangs_up(her_channel(world).id, Cause.LOST)
    assert world.waiting() == [caller]
    assert alice(world).state is AgentState.WRAP_UP
    world.run_for(5 + 3)
    assert world.talking() == {"alice": caller}, "after wrap-up she is rung for the leg again"


def test_she_ends_a_talk_by_hanging_up() -> None:
    world = off_hook()
    caller = world.caller_arrives()
    world.run_for(5)
    world.pbx.party_hangs_up(her_channel(world).id)
    assert caller not in world.pbx.channels
    assert [fact.why for fact in world.facts if isinstance(fact, f.ContactParted)] == [f.EndedWhy.AGENT_HUNG_UP]


@pytest.mark.parametrize(
    ("mood", "state"),
    [
        (Mood.RINGS_ON, "not_ready missed_offer"),
        (Mood.DECLINES, "not_ready missed_offer"),
        (Mood.UNREACHABLE, "not_ready phone_unreachable"),
    ],
)
def test_a_phone_that_is_not_answered_is_not_rung_for_ever(mood: Mood, state: str) -> None:
    world = new_world(mood)
    world.agent_ready("alice")
    world.run_for(60)
    assert states(world)[-1] == state
    assert not world.pbx.channels


def test_not_ready_keeps_the_leg_and_logging_out_ends_it() -> None:
    world = off_hook()
    leg = her_channel(world).id
    world.tell(e.AgentNotReadyRequested("alice", "lunch"))
    world.run_for(60)
    world.tell(e.AgentReadyRequested("alice"))
    assert (her_channel(world).id, alice(world).state) == (leg, AgentState.READY)
    world.tell(e.AgentLogoutRequested("alice"))
    world.run_for(1)
    assert not world.pbx.channels
    assert not world.center.state.calls
    assert states(world)[-1] == "logged_out"


def test_what_she_asks_for_while_it_rings_is_obeyed() -> None:
    world = new_world()
    world.agent_ready("alice")
    world.run_for(1)
    world.tell(e.AgentNotReadyRequested("alice", "lunch"))
    world.run_for(5)
    assert states(world)[-1] == "not_ready lunch"
    assert alice(world).leg == her_channel(world).id
    logged_out = new_world()
    logged_out.agent_ready("alice")
    logged_out.run_for(1)
    logged_out.tell(e.AgentLogoutRequested("alice"))
    logged_out.run_for(5)
    assert not logged_out.pbx.channels


@pytest.mark.parametrize("when", ["ringing", "ready", "talking"])
def test_a_restart_adopts_the_leg(when: str) -> None:
    world = new_world()
    world.agent_ready("alice")
    world.run_for(1 if when == "ringing" else 3)
    first = world.caller_arrives() if when == "talking" else ""
    world.run_for(0.1)
    world.crash_and_restore()
    world.run_for(4)
    if first:
        world.pbx.party_hangs_up(first)
        world.run_for(6)
    leg = her_channel(world).id
    caller = world.caller_arrives()
    assert world.talking() == {"alice": caller}
    assert her_channel(world).id == leg
    assert world.faults == []


def test_hold_is_counted_on_a_leg_that_stays() -> None:
    world = off_hook()
    caller = world.caller_arrives()
    world.pbx.party_holds(her_channel(world).id)
    world.run_for(7)
    world.pbx.party_holds(her_channel(world).id, False)
    world.run_for(3)
    world.pbx.party_hangs_up(caller)
    (parted,) = [fact for fact in world.facts if isinstance(fact, f.ContactParted)]
    assert (parted.hold, parted.talk) == (timedelta(seconds=7), timedelta(seconds=3))


def test_ring_all_gives_the_caller_to_her_at_once_and_the_others_keep_their_place() -> None:
    world = off_hook(config(strategy=Strategy.RING_ALL))
    bob = world.agent_ready("bob")
    idle = bob.idle_since
    caller = world.caller_arrives()
    assert world.talking() == {"alice": caller}
    world.run_for(1)
    assert (bob.state, bob.idle_since) == (AgentState.READY, idle)
    assert world.faults == []


def test_a_removed_agent_leaves_no_leg_behind() -> None:
    world = off_hook()
    caller = world.caller_arrives()
    world.tell(e.ConfigChanged(small_center([QueueConfig("support")], ["bob"])))
    assert world.talking() == {"alice": caller}
    world.run_for(3)
    world.pbx.party_hangs_up(caller)
    world.run_for(10)
    assert "alice" not in world.center.state.agents
    assert not world.pbx.channels
    assert not world.center.state.calls
    assert world.faults == []


def test_from_a_leg_that_stays_the_caller_is_transferred_but_nobody_is_consulted() -> None:
    world = off_hook()
    caller = world.caller_arrives()
    world.run_for(3)
    world.tell(e.ConsultRequested("alice", "support", ""))
    assert "there is no consulting yet" in world.refusals[-1]
    assert world.talking() == {"alice": caller}
    world.tell(e.TransferRequested("alice", "support"))
    world.run_for(1)
    assert world.waiting() == [caller]
    assert her_channel(world).id == alice(world).leg
    assert world.faults == []


def test_after_a_call_of_her_own_she_waits_for_the_leg_that_rings_still() -> None:
    center = config()
    center = replace(center, agents={**center.agents, "bob": replace(center.agents["bob"], extension="2002")})
    world = new_world(center=center)
    world.agent_ready("alice")
    world.run_for(1)
    world.pbx.dial_from_phone(PHONE, "2002")  # bob is not logged in
    assert states(world)[-2:] == ["not_ready own_call", "not_ready leg_rings"]
    world.run_for(2)
    assert alice(world).state is AgentState.READY


@pytest.mark.parametrize("cause", [Cause.LOST, Cause.NORMAL])
def test_who_loses_it_while_she_asks_a_colleague_on_a_second_line_leaves_the_caller_to_him(cause: Cause) -> None:
    center = config()
    center = replace(center, agents={**center.agents, "bob": replace(center.agents["bob"], extension="2002")})
    world = off_hook(center)
    leg = her_channel(world).id
    caller = world.caller_arrives()
    world.run_for(1)
    world.agent_ready("bob")
    world.pbx.dial_from_phone(PHONE, "2002")
    world.run_for(4)
    assert set(world.talking()) == {"alice", "bob"}
    world.pbx.party_hangs_up(leg, cause)
    world.run_for(1)
    assert world.talking() == {"bob": caller}
    assert alice(world).state is AgentState.WRAP_UP
