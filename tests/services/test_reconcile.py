"""What a snapshot says of a gap: every row of the comparison, without an engine."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from callcenter.domain import events as e
from callcenter.domain.ivr.flow import Flow, MenuNode, QueueNode
from callcenter.services.ports import SeenLeg, Snapshot
from callcenter.services.reconcile import Missed, compare, playbacks
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.world import NODE, World, small_center

MENU = Flow("menu", "ask", {"ask": MenuNode("press-1", {"1": "q"}, otherwise="q"), "q": QueueNode("support")})


def idle(call: str) -> bool:
    return False


def seen(world: World, **changes: object) -> Snapshot:
    """What the fake holds now, with changes."""
    snapshot = world.pbx.snapshot(tuple(playbacks(world.center.state, NODE)))
    fields = {"node": NODE, "started_at": snapshot.started_at, "legs": snapshot.legs, "bridges": snapshot.bridges}
    return Snapshot(**{**fields, "playbacks": snapshot.playbacks, **changes})  # type: ignore[arg-type]


@pytest.fixture
def world() -> World:
    return World(small_center(flows=[MENU]))


def flow(world: World) -> str:
    leg = world.pbx.call_in("+18005550200")
    world.run_for(1)
    return leg


def waiting(world: World) -> str:
    leg = world.caller_arrives()
    world.run_for(1)
    return leg


def ringing(world: World) -> str:
    world.agent_ready("alice")
    world.pbx.phones["phone-of-alice"] = Phone(Mood.RINGS_ON)
    return waiting(world)


def talking(world: World) -> str:
    world.agent_ready("alice")
    leg = world.caller_arrives()
    world.run_for(3)
    return leg


def agent_leg(world: World, caller: str) -> str:
    return next(leg for leg in world.center.state.legs[caller].legs if leg != caller)


@pytest.mark.parametrize("phase", [flow, talking, ringing])
def test_nothing_happened(world: World, phase: Callable[[World], str]) -> None:
    """Music cannot be seen in a snapshot: for those who wait it is started once more, which harms nobody."""
    caller = phase(world)
    missed = compare(world.center.state, seen(world), idle)
    silent = [e.LegFoundSilent(caller)] if phase is ringing else []
    assert missed == Missed(events=list(silent))


def test_who_waits_gets_music_again(world: World) -> None:
    caller = waiting(world)
    assert compare(world.center.state, seen(world), idle).events == [e.LegFoundSilent(caller)]


def test_a_prompt_that_is_over(world: World) -> None:
    caller = flow(world)
    assert compare(world.center.state, seen(world, playbacks=frozenset()), idle).events == [e.LegFoundSilent(caller)]


def test_a_menu_that_listens_needs_nothing(world: World) -> None:
    flow(world)
    world.run_for(2)
    assert playbacks(world.center.state, NODE) == []
    assert compare(world.center.state, seen(world), idle) == Missed()


@pytest.mark.parametrize(("crashed", "cause"), [(False, e.Cause.UNKNOWN), (True, e.Cause.NODE_CRASH)])
@pytest.mark.parametrize("phase", [flow, waiting, ringing, talking])
def test_all_legs_are_gone(world: World, phase: Callable[[World], str], crashed: bool, cause: e.Cause) -> None:
    caller = phase(world)
    others = [leg for leg in world.center.state.legs if leg != caller]
    started_at = world.pbx.started_at + timedelta(seconds=crashed)
    missed = compare(world.center.state, seen(world, legs={}, bridges={}, started_at=started_at), idle)
    assert missed.events == [e.LegEnded(leg, cause) for leg in [caller, *others]]  # the caller's end comes first


def test_the_phone_was_answered(world: World) -> None:
    caller = ringing(world)
    agent = agent_leg(world, caller)
    legs = {**seen(world).legs, agent: SeenLeg(agent, True, False, True, "phone-of-alice")}
    assert compare(world.center.state, seen(world, legs=legs), idle).events == [e.LegAnswered(agent), e.LegFoundSilent(caller)]


def test_the_phone_has_begun_to_ring(world: World) -> None:
    world.agent_ready("alice")
    caller = world.caller_arrives()
    agent = agent_leg(world, caller)
    legs = {**seen(world).legs, agent: SeenLeg(agent, False, True, True, "phone-of-alice")}
    assert compare(world.center.state, seen(world, legs=legs), idle).events == [e.LegRang(agent), e.LegFoundSilent(caller)]


def test_the_talk_fell_apart(world: World) -> None:
    caller = talking(world)
    (bridge,) = world.pbx.bridges
    for members in (frozenset[str](), frozenset({caller})):
        assert compare(world.center.state, seen(world, bridges={bridge: members}), idle).events == [e.LegFoundAlone(caller)]


def test_a_leg_that_should_have_been_hung_up(world: World) -> None:
    caller = ringing(world)
    agent = agent_leg(world, caller)
    before = seen(world)
    world.pbx.listening = False  # our hang-up is lost
    world.run_for(15)
    missed = compare(world.center.state, seen(world, legs=before.legs), idle)
    assert missed.events == [e.LegFoundAlone(agent), e.LegFoundSilent(caller)]


def test_a_call_under_way_is_left_for_later(world: World) -> None:
    caller = waiting(world)
    call = world.center.state.legs[caller].id
    assert compare(world.center.state, seen(world, legs={}), lambda busy: busy == call) == Missed(skipped=[call])


def test_without_a_gap_only_calls_in_doubt_are_judged(world: World) -> None:
    """Who came meanwhile will be told by an event; a leg and a bridge that we made for nobody are cleared away as ever."""
    doubtful = waiting(world)
    waiting(world)
    stray = SeenLeg("node1-stray", False, True, True, "phone-of-bob")
    new = SeenLeg("node1-1.9", False, False, True, "carrier", e.LegArrived(NODE, "node1-1.9", e.Door.TRUNK, "+18005550100", ""))
    snapshot = seen(world, legs={leg.leg: leg for leg in (stray, new)}, bridges={"b": frozenset()})
    missed = compare(world.center.state, snapshot, idle, suspects={world.center.state.legs[doubtful].id})
    assert missed == Missed(events=[e.LegEnded(doubtful, e.Cause.UNKNOWN)], release=[stray.leg], destroy=["b"])


def test_a_caller_who_came_a_stray_and_a_bridge_of_nobody(world: World) -> None:
    arrival = e.LegArrived(NODE, "node1-1.9", e.Door.TRUNK, "+18005550100", "")
    legs = {
        "node1-1.9": SeenLeg("node1-1.9", False, False, True, "carrier", arrival),
        "node1-stray": SeenLeg("node1-stray", True, False, True, "phone-of-bob"),
        "node1-other": SeenLeg("node1-other", True, False, False, "carrier"),
    }
    missed = compare(world.center.state, seen(world, legs=legs, bridges={"b": frozenset()}), idle)
    assert missed == Missed(events=[arrival], release=["node1-stray"], destroy=["b"])


def test_an_agent_who_talks_in_the_fallback(world: World) -> None:
    world.agent_ready("alice")
    leg = SeenLeg("node1-1.9", True, False, False, "phone-of-alice")
    missed = compare(world.center.state, seen(world, legs={leg.leg: leg}), idle)
    assert missed == Missed(events=[e.FallbackTalkBegan(NODE, leg.leg, "phone-of-alice")], watch=[leg.leg])
    for event in missed.events:
        world.tell(event)
    assert compare(world.center.state, seen(world, legs={leg.leg: leg}), idle) == Missed(watch=[leg.leg])
    assert compare(world.center.state, seen(world), idle) == Missed(events=[e.FallbackTalkEnded(leg.leg)])


def test_another_nodes_calls_are_not_judged(world: World) -> None:
    waiting(world)
    assert compare(world.center.state, Snapshot("node2", world.now), idle) == Missed()
