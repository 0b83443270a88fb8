"""A softphone that was lost in mid-talk: her phone rings again, the caller hears music, and nobody loses anybody."""

from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.config import QueueConfig
from callcenter.domain.facts import AgentState
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.world import World, small_center

T = TypeVar("T")


def talking(*, browser: bool = True) -> tuple[World, str]:
    """A caller talks to alice at her softphone."""
    made = small_center([QueueConfig("support")], ["alice", "bob"])
    world = World(replace(made, agents={name: replace(agent, browser=browser) for name, agent in made.agents.items()}))
    world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(4)
    assert world.talking() == {"alice": caller}
    return world, caller


def kept(world: World, kind: type[T]) -> list[T]:
    return [fact for fact in world.facts if isinstance(fact, kind)]


def leg_of(world: World) -> str:
    (contact,) = (contact for contact in world.center.state.contacts.values() if contact.connected_at)
    assert contact.offer is not None
    return contact.offer.leg


def together(world: World, *legs: str) -> bool:
    return any(set(legs) <= members for members in world.pbx.bridges.values())


def test_her_phone_rings_again_and_the_caller_hears_music_until_she_is_back() -> None:
    world, caller = talking()
    lost = leg_of(world)
    world.tell(e.AgentLegResumeRequested("alice"))
    again = leg_of(world)
    assert again != lost
    assert not together(world, caller, lost)
    assert world.pbx.channels[caller].music
    world.run_for(4)
    assert lost not in world.pbx.channels
    assert together(world, caller, again)
    assert not world.pbx.channels[caller].music
    assert world.agent("alice").state is AgentState.TALKING
    assert kept(world, f.ContactParted) == []
    assert len(kept(world, f.RecordingStarted)) == 1
    world.pbx.party_hangs_up(caller)
    world.run_for(1)
    (parted,) = kept(world, f.ContactParted)
    assert parted.why == "caller_hung_up"
    assert parted.hold > timedelta(0), "what the caller spent with music is hold, not talk"
    assert world.faults == []


@pytest.mark.parametrize("mood", [Mood.RINGS_ON, Mood.BUSY, Mood.UNREACHABLE])
def test_who_does_not_come_back_has_lost_the_caller_who_is_at_the_head_of_the_line(mood: Mood) -> None:
    world, caller = talking()
    world.pbx.phones["phone-of-alice"] = Phone(mood, lambda: timedelta(seconds=1))
    world.tell(e.AgentLegResumeRequested("alice"))
    world.run_for(13)
    (parted,) = kept(world, f.ContactParted)
    assert parted.why == "agent_lost"
    first, second = kept(world, f.ContactEntered)
    assert second.place == first.place
    assert second.transferred_from == first.contact
    world.agent_ready("bob")
    world.run_for(4)
    assert world.talking() == {"bob": caller}
    assert world.faults == []


def test_a_caller_who_hangs_up_meanwhile_ends_the_contact_and_her_phone_stops_ringing() -> None:
    world, caller = talking()
    world.pbx.phones["phone-of-alice"] = Phone(Mood.RINGS_ON, lambda: timedelta(seconds=1))
    world.tell(e.AgentLegResumeRequested("alice"))
    world.pbx.party_hangs_up(caller)
    world.run_for(1)
    assert [fact.why for fact in kept(world, f.ContactParted)] == ["caller_hung_up"]
    assert world.pbx.channels == {}
    assert world.pbx.bridges == {}
    assert world.agent("alice").state is AgentState.WRAP_UP
    assert world.faults == []


def test_a_page_that_is_loaded_twice_is_rung_twice_and_the_last_one_talks() -> None:
    world, caller = talking()
    world.tell(e.AgentLegResumeRequested("alice"))
    world.tell(e.AgentLegResumeRequested("alice"))
    world.run_for(5)
    assert together(world, caller, leg_of(world))
    assert len(world.pbx.channels) == 2
    assert len(kept(world, f.AgentLegResumed)) == 1
    assert world.faults == []


def test_nobody_is_handed_on_while_her_phone_rings_again() -> None:
    world, _ = talking()
    world.tell(e.AgentLegResumeRequested("alice"))
    for asked in (e.TransferRequested("alice", colleague="bob"), e.ConsultRequested("alice", colleague="bob"), e.PaymentRequested("alice")):
        refusal = world.center.handle(asked, world.now).refusal
        assert refusal
        assert "rings again" in refusal


def test_what_cannot_be_resumed_is_refused_with_a_sentence() -> None:
    world, _ = talking(browser=False)
    assert "on her desk" in (world.center.handle(e.AgentLegResumeRequested("alice"), world.now).refusal or "")
    world, _ = talking()
    assert "not talking" in (world.center.handle(e.AgentLegResumeRequested("bob"), world.now).refusal or "")


def consulting(*, answered: bool = True) -> tuple[World, str]:
    """Alice asks bob about her caller."""
    world, caller = talking()
    world.agent_ready("bob")
    if not answered:
        world.pbx.phones["phone-of-bob"] = Phone(Mood.ANSWERS, lambda: timedelta(seconds=3))
    world.tell(e.ConsultRequested("alice", colleague="bob"))
    world.run_for(0 if not answered else 4)
    return world, caller


def bobs(world: World) -> str:
    return next(leg.id for leg in world.pbx.channels.values() if leg.endpoint == "phone-of-bob")


def leg_of_alice(world: World) -> str:
    return next(leg.id for leg in world.pbx.channels.values() if leg.endpoint == "phone-of-alice")


@pytest.mark.parametrize("swapped", [False, True])
def test_in_the_middle_of_a_consult_all_hear_music_and_it_goes_on_where_it_was(swapped: bool) -> None:
    world, caller = consulting()
    if swapped:
        world.tell(e.SwapRequested("alice"))
    world.tell(e.AgentLegResumeRequested("alice"))
    assert world.pbx.channels[caller].music
    assert world.pbx.channels[bobs(world)].music
    assert "rings again" in (world.center.handle(e.SwapRequested("alice"), world.now).refusal or "")
    world.run_for(4)
    near, far = (caller, bobs(world)) if swapped else (bobs(world), caller)
    assert together(world, near, leg_of_alice(world))
    assert not together(world, far, leg_of_alice(world))
    assert (world.pbx.channels[near].music, bool(world.pbx.channels[far].music)) == ("", True)
    world.tell(e.CompleteRequested("alice"))
    world.run_for(1)
    assert together(world, caller, bobs(world))
    assert not world.pbx.channels[caller].music
    assert not world.pbx.channels[bobs(world)].music
    assert world.faults == []


def test_who_does_not_come_back_to_a_consult_leaves_the_caller_to_the_consulted() -> None:
    world, caller = consulting()
    world.pbx.phones["phone-of-alice"] = Phone(Mood.RINGS_ON, lambda: timedelta(seconds=1))
    world.tell(e.AgentLegResumeRequested("alice"))
    world.run_for(13)
    assert [(fact.agent, fact.why) for fact in kept(world, f.ContactParted)] == [("alice", "agent_lost")]
    assert together(world, caller, bobs(world))
    assert not world.pbx.channels[caller].music
    assert not world.pbx.channels[bobs(world)].music
    assert world.faults == []


def test_the_consulted_answers_while_her_phone_rings_again() -> None:
    world, caller = consulting(answered=False)
    world.pbx.phones["phone-of-alice"] = Phone(Mood.ANSWERS, lambda: timedelta(seconds=6))
    world.tell(e.AgentLegResumeRequested("alice"))
    world.run_for(4)
    assert world.pbx.channels[bobs(world)].music
    world.run_for(4)
    assert together(world, bobs(world), leg_of_alice(world))
    assert world.pbx.channels[caller].music
    assert not world.pbx.channels[leg_of_alice(world)].hears_ringing
    assert world.faults == []


def test_the_consulted_leaves_while_her_phone_rings_again() -> None:
    world, caller = consulting()
    world.pbx.phones["phone-of-alice"] = Phone(Mood.ANSWERS, lambda: timedelta(seconds=6))
    world.tell(e.AgentLegResumeRequested("alice"))
    world.pbx.party_hangs_up(bobs(world))
    world.run_for(1)
    assert world.pbx.channels[caller].music
    world.run_for(7)
    assert together(world, caller, leg_of_alice(world))
    assert not world.pbx.channels[caller].music
    assert world.faults == []


def test_who_is_consulted_cannot_take_that_to_another_phone() -> None:
    world, _ = consulting()
    assert "is being consulted" in (world.center.handle(e.AgentLegResumeRequested("bob"), world.now).refusal or "")
