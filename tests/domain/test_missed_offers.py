"""RONA by policy: so many misses in so long, what each cause costs, and who is told; the caller keeps the place."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.config import MissPolicy, QueueConfig
from callcenter.domain.facts import AgentState, MissedWhy
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.world import World, small_center

RING = 15
THREE = MissPolicy(most=3, within=timedelta(minutes=2), rest=timedelta(seconds=5), busy_rest=timedelta(seconds=30))


def world_with(policy: MissPolicy = THREE, *agents: str, mood: Mood = Mood.RINGS_ON) -> World:
    """Alice is ready, idle longest, and her phone is in that mood."""
    world = World(replace(small_center([QueueConfig("support")], agents or ("alice",)), missed_offers=policy))
    world.pbx.phones["phone-of-alice"] = Phone(mood, lambda: timedelta(seconds=1))
    for name in agents or ("alice",):
        world.agent_ready(name)
        world.run_for(1)
    return world


def missed(world: World, agent: str = "alice") -> list[datetime]:
    return [fact.at for fact in world.facts if isinstance(fact, f.OfferMissed) and fact.agent == agent]


def taken_out(world: World) -> list[tuple[str, MissedWhy, int]]:
    return [(fact.agent, fact.why, fact.misses) for fact in world.facts if isinstance(fact, f.AgentTakenOut)]


def test_the_first_miss_takes_her_out_unless_the_policy_says_otherwise() -> None:
    world = world_with(MissPolicy())
    world.caller_arrives()
    world.run_for(RING)
    assert (world.agent("alice").state, world.agent("alice").reason, world.agent("alice").until) == (
        AgentState.NOT_READY,
        "missed_offer",
        None,
    )
    assert taken_out(world) == [("alice", MissedWhy.NO_ANSWER, 1)]


def test_she_rests_after_each_miss_and_is_taken_out_by_the_third() -> None:
    world = world_with()
    world.caller_arrives()
    world.run_for(RING)
    assert (world.agent("alice").reason, world.agent("alice").until) == ("missed_offer", world.now + timedelta(seconds=5))
    assert taken_out(world) == []
    world.run_for(5 + RING + 5 + RING)
    first = missed(world)[0]
    assert missed(world) == [first, first + timedelta(seconds=5 + RING), first + 2 * timedelta(seconds=5 + RING)]
    assert (world.agent("alice").state, world.agent("alice").until) == (AgentState.NOT_READY, None)
    assert taken_out(world) == [("alice", MissedWhy.NO_ANSWER, 3)]
    world.tell(e.AgentReadyRequested("alice"))
    world.run_for(RING)
    assert world.agent("alice").until is not None, "the count begins anew"


def test_misses_long_ago_do_not_count() -> None:
    world = world_with()
    world.caller_arrives()
    world.run_for(2 * RING + 5)  # two misses
    world.pbx.phones["phone-of-alice"].mood = Mood.ANSWERS
    world.run_for(10)
    caller = world.talking()["alice"]
    world.run_for(120)
    world.pbx.party_hangs_up(caller)
    world.pbx.phones["phone-of-alice"].mood = Mood.RINGS_ON
    world.run_for(10)
    world.caller_arrives()
    world.run_for(RING)
    assert taken_out(world) == []
    assert len(world.agent("alice").missed_at) == 1


def test_what_is_counted_outlives_a_restart() -> None:
    world = world_with()
    world.caller_arrives()
    world.run_for(2 * RING + 5)
    world.crash_and_restore()
    world.run_for(5 + RING)
    assert taken_out(world) == [("alice", MissedWhy.NO_ANSWER, 3)]


def test_a_miss_neither_improves_her_place_nor_costs_it() -> None:
    world = world_with(THREE, "alice", "bob")
    before = world.agent("alice").idle_since
    world.caller_arrives()
    world.run_for(RING + 3)
    assert world.talking().keys() == {"bob"}
    world.run_for(5)
    assert (world.agent("alice").state, world.agent("alice").idle_since) == (AgentState.READY, before)


def test_the_caller_is_offered_next_before_others_with_the_first_date() -> None:
    world = world_with(MissPolicy(), "alice", "bob")
    first = world.caller_arrives()
    world.run_for(3)
    entered = next(fact for fact in world.facts if isinstance(fact, f.ContactEntered))
    world.tell(e.AgentNotReadyRequested("bob", "break"))
    world.run_for(RING)
    world.caller_arrives(caller="+12025550199")
    world.tell(e.AgentReadyRequested("bob"))
    world.run_for(3)
    assert world.talking() == {"bob": first}
    connected = next(fact for fact in world.facts if isinstance(fact, f.ContactConnected))
    assert connected.wait == connected.at - entered.at > timedelta(seconds=RING)


@pytest.mark.parametrize(
    ("mood", "why", "rests"),
    [(Mood.BUSY, MissedWhy.BUSY, 30), (Mood.DECLINES, MissedWhy.REJECTED, 5), (Mood.RINGS_ON, MissedWhy.NO_ANSWER, 5)],
)
def test_each_cause_has_its_rest(mood: Mood, why: MissedWhy, rests: float) -> None:
    world = world_with(mood=mood)
    world.caller_arrives()
    world.run_for(RING)
    (miss,) = [fact for fact in world.facts if isinstance(fact, f.OfferMissed)][:1]
    assert miss.why is why
    rest = next(fact for fact in world.facts if isinstance(fact, f.AgentStateChanged) and fact.reason == "missed_offer")
    assert rest.until == miss.at + timedelta(seconds=rests)


def test_a_busy_phone_need_not_count() -> None:
    world = world_with(replace(THREE, most=1, busy_counts=False), mood=Mood.BUSY)
    world.caller_arrives()
    world.run_for(120)
    assert len(missed(world)) == 4, "one at once, and one after each 30 s"
    assert taken_out(world) == []


def test_a_phone_that_could_not_be_rung_is_not_offered_again_until_it_answers() -> None:
    world = world_with(mood=Mood.UNREACHABLE)
    world.caller_arrives()
    world.run_for(300)
    assert len(missed(world)) == 1
    assert taken_out(world) == [("alice", MissedWhy.UNREACHABLE, 0)]
    world.tell(e.AgentNotReadyRequested("alice", "break"))
    world.tell(e.AgentReadyRequested("alice"))
    assert world.agent("alice").reason == "phone_unreachable", "her word does not bring the phone back"
    world.pbx.phones["phone-of-alice"].mood = Mood.ANSWERS
    world.run_for(15 + 3.5 + 2)
    assert world.talking().keys() == {"alice"}
    assert world.agent("alice").missed_at == ()


def test_the_question_is_asked_again_after_a_restart() -> None:
    world = world_with(mood=Mood.UNREACHABLE)
    world.caller_arrives()
    world.run_for(20)
    world.crash_and_restore()
    world.pbx.phones["phone-of-alice"].mood = Mood.ANSWERS
    world.run_for(70)
    assert world.talking().keys() == {"alice"}


def test_what_she_asked_for_while_it_rang_comes_before_the_policy() -> None:
    world = world_with()
    world.caller_arrives()
    world.run_for(3)
    world.tell(e.AgentNotReadyRequested("alice", "lunch"))
    world.run_for(RING)
    assert (world.agent("alice").reason, world.agent("alice").until) == ("lunch", None)


def test_asking_for_ready_ends_the_rest() -> None:
    world = world_with()
    world.caller_arrives()
    world.run_for(RING)
    world.tell(e.AgentReadyRequested("alice"))
    assert world.agent("alice").state is AgentState.RESERVED
