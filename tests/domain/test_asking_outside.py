"""A consult with somebody outside: who hears whom, what is shown, and that no caller is left alone, whoever goes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.config import QueueConfig
from callcenter.domain.events import Cause
from callcenter.domain.facts import AgentState, OwnEndedWhy
from callcenter.sim.fake_pbx import Channel, Mood, Phone
from callcenter.sim.world import World
from tests.domain.test_own_calls import FRIEND, OTHER, PREMIUM, config, phone_of, states, talks


@pytest.fixture
def world() -> World:
    return World(config())


def outside(world: World) -> Channel | None:
    return next((each for each in world.pbx.channels.values() if each.number == FRIEND), None)


def alice(world: World) -> Channel:
    found = phone_of(world, "alice")
    assert found is not None
    return found


def asks(world: World, *, answered: bool = True) -> tuple[Channel, Channel]:
    """Alice asks her friend about her caller; caller and friend."""
    if not answered:
        world.pbx.outside[FRIEND] = Phone(Mood.RINGS_ON)
    caller = talks(world)
    world.tell(e.ConsultRequested("alice", number="(202) 555-0171"))
    assert alice(world).hears_ringing
    world.run_for(4)
    friend = outside(world)
    assert friend is not None
    return world.pbx.channels[caller], friend


def together(*channels: Channel) -> bool:
    bridges = {channel.bridge for channel in channels}
    return len(bridges) == 1 and bridges != {""}


def test_she_talks_to_the_number_while_the_caller_hears_music(world: World) -> None:
    caller, friend = asks(world)
    assert together(alice(world), friend)
    assert not together(alice(world), caller)
    assert caller.music
    assert not alice(world).hears_ringing
    (dial,) = world.pbx.dialed
    assert (dial.number, dial.shown) == (FRIEND, "+18005550100")


def test_completed_caller_and_number_talk_until_one_of_them_hangs_up(world: World) -> None:
    caller, friend = asks(world)
    world.tell(e.CompleteRequested("alice"))
    world.run_for(1)
    assert phone_of(world, "alice") is None
    assert together(caller, friend)
    assert not caller.music
    assert states(world, "alice")[-1] == "wrap_up"
    (handed,) = [fact for fact in world.facts if isinstance(fact, f.CallerHandedOutside)]
    assert (handed.agent, handed.number) == ("alice", FRIEND)
    assert handed.talk > timedelta(0)
    world.pbx.party_hangs_up(friend.id)
    world.run_for(1)
    assert world.pbx.channels == {}
    assert world.pbx.bridges == {}
    assert world.faults == []


def test_cancelled_she_and_the_caller_go_on(world: World) -> None:
    caller, _ = asks(world)
    world.tell(e.CancelRequested("alice"))
    world.run_for(1)
    assert outside(world) is None
    assert together(caller, alice(world))
    assert not caller.music
    (ended,) = [fact for fact in world.facts if isinstance(fact, f.OutsideConsultEnded)]
    assert ended.why is OwnEndedWhy.CALLED_OFF
    assert world.faults == []


def test_swapped_and_joined(world: World) -> None:
    caller, friend = asks(world)
    world.tell(e.SwapRequested("alice"))
    assert together(caller, alice(world))
    assert friend.music
    world.tell(e.ConferenceRequested("alice"))
    assert together(caller, alice(world), friend)
    assert not friend.music
    world.tell(e.SwapRequested("alice"))
    assert together(friend, alice(world))
    assert caller.music
    world.tell(e.CompleteRequested("alice"))
    assert together(caller, friend)
    assert not caller.music
    assert world.faults == []


@pytest.mark.parametrize(("mood", "why"), [(Mood.BUSY, "busy"), (Mood.RINGS_ON, "no_answer"), (Mood.UNREACHABLE, "unreachable")])
def test_nobody_answers_there_and_she_has_her_caller_again(world: World, mood: Mood, why: str) -> None:
    world.pbx.outside[FRIEND] = Phone(mood)
    caller = world.pbx.channels[talks(world)]
    world.tell(e.ConsultRequested("alice", number=FRIEND))
    world.run_for(26)
    assert [fact.why for fact in world.facts if isinstance(fact, f.OutsideConsultEnded)] == [why]
    assert together(caller, alice(world))
    assert not caller.music
    assert not alice(world).hears_ringing
    assert world.faults == []


def test_the_number_hangs_up_and_she_has_her_caller_again(world: World) -> None:
    caller, friend = asks(world)
    world.pbx.party_hangs_up(friend.id)
    world.run_for(1)
    assert together(caller, alice(world))
    assert [fact.why for fact in world.facts if isinstance(fact, f.OutsideConsultEnded)] == ["hung_up"]


def test_completed_before_an_answer_the_caller_hears_it_ring_and_comes_back_to_the_queue(world: World) -> None:
    caller, _ = asks(world, answered=False)
    world.tell(e.AgentNotReadyRequested("alice", "lunch"))
    world.tell(e.CompleteRequested("alice"))
    world.run_for(1)
    assert caller.hears_ringing
    assert phone_of(world, "alice") is None
    world.run_for(60)
    assert world.waiting() == [caller.id]
    assert world.faults == []


def test_who_hangs_up_in_the_middle_of_it_drops_no_caller(world: World) -> None:
    caller, friend = asks(world)
    world.pbx.party_hangs_up(alice(world).id)
    world.run_for(1)
    assert together(caller, friend)


@pytest.mark.parametrize("answered", [True, False])
def test_who_is_lost_leaves_the_caller_to_the_number_or_at_the_head_of_the_line(world: World, answered: bool) -> None:
    caller, friend = asks(world, answered=answered)
    world.pbx.party_hangs_up(alice(world).id, Cause.LOST)
    world.run_for(1)
    assert [fact.why for fact in world.facts if isinstance(fact, f.ContactParted)] == ["agent_lost"]
    if answered:
        assert together(caller, friend)
    else:
        assert outside(world) is None
        assert world.waiting() == [caller.id]
        first, second = (fact for fact in world.facts if isinstance(fact, f.ContactEntered))
        assert second.place == first.place
    assert world.faults == []


@pytest.mark.parametrize("answered", [True, False])
def test_the_caller_hangs_up_and_nobody_is_left(world: World, answered: bool) -> None:
    caller, _ = asks(world, answered=answered)
    world.pbx.party_hangs_up(caller.id)
    world.run_for(1)
    assert world.pbx.channels == {}
    assert world.pbx.bridges == {}
    assert world.agent("alice").state is AgentState.WRAP_UP
    assert world.faults == []


@pytest.mark.parametrize("number", ["911", OTHER, PREMIUM, "+18005550100", "12", "nobody"])
def test_nobody_is_asked_whom_she_may_not_call(number: str) -> None:
    world = World(config(premium=True))
    caller = talks(world)
    world.tell(e.ConsultRequested("alice", number=number))
    assert world.refusals
    assert world.talking() == {"alice": caller}
    assert world.pbx.dialed == []


def test_a_second_consult_and_a_payment_are_refused_meanwhile(world: World) -> None:
    asks(world)
    for asked in (e.ConsultRequested("alice", number=FRIEND), e.TransferRequested("alice", number=FRIEND), e.PaymentRequested("alice")):
        assert "consulting already" in (world.center.handle(asked, world.now).refusal or "")


def test_by_phone_from_a_second_line(world: World) -> None:
    """She holds, dials the number, talks, and transfers with Replaces or by hanging up."""
    caller = world.pbx.channels[talks(world)]
    first = alice(world)
    second = world.pbx.channels[world.pbx.dial_from_phone("phone-of-alice", "2025550171")]
    world.run_for(4)
    friend = outside(world)
    assert friend is not None
    assert together(second, friend)
    world.pbx.party_hangs_up(second.id)
    world.run_for(1)
    assert outside(world) is None
    assert together(caller, first)
    second = world.pbx.channels[world.pbx.dial_from_phone("phone-of-alice", "2025550171")]
    world.run_for(4)
    world.pbx.party_hangs_up(first.id)
    world.run_for(1)
    friend = outside(world)
    assert friend is not None
    assert together(caller, friend)
    assert world.faults == []


@pytest.mark.parametrize("step", [lambda world: None, lambda world: world.tell(e.SwapRequested("alice"))])
def test_it_outlives_a_restart(world: World, step: Callable[[World], None]) -> None:
    caller, friend = asks(world)
    step(world)
    world.crash_and_restore()
    world.run_for(1)
    world.tell(e.CompleteRequested("alice"))
    world.run_for(1)
    assert together(caller, friend)
    assert not caller.music
    assert world.faults == []


def test_what_the_number_sees_is_that_of_the_callers_queue(world: World) -> None:
    made = config()
    queues = {**made.queues, "support": QueueConfig("support", number_shown="+18005550101")}
    world = World(replace(made, queues=queues))
    asks(world)
    assert [dial.shown for dial in world.pbx.dialed] == ["+18005550101"]
