"""Transfers, consults and conferences in virtual time: who hears whom, and what is counted where."""

from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.books import call_touched, fold_call
from callcenter.domain.config import QueueConfig
from callcenter.domain.contact import Contact, ContactState
from callcenter.domain.facts import AgentState, EndedWhy, MissedWhy, OverflowWhy
from callcenter.domain.ivr.flow import Flow, QueueNode
from callcenter.domain.overflow_rules import Overflow, OverflowRow, OverflowTo
from callcenter.domain.records import CallBooks
from callcenter.domain.routing_config import Needs, Skill
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.world import World, small_center

QUEUES = (QueueConfig("support", max_wait=timedelta(minutes=5)), QueueConfig("sales", wrap_up=timedelta(seconds=3), max_waiting=2))
MINUTES = timedelta(minutes=1)


@pytest.fixture
def world() -> World:
    """alice (2001) and bob (2002) serve both queues, carol (2003) sales (8002) only; alice has a caller."""
    config = small_center(QUEUES, ("alice", "bob", "carol"))
    agents = {name: replace(agent, extension=f"200{n}") for n, (name, agent) in enumerate(config.agents.items(), 1)}
    agents["carol"] = replace(agents["carol"], queues=("sales",))
    queues = {name: replace(queue, extension=f"800{n}") for n, (name, queue) in enumerate(config.queues.items(), 1)}
    world = World(replace(config, agents=agents, queues=queues))
    world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(3)
    assert world.talking() == {"alice": caller}
    return world


def kept(world: World, kind: type) -> list:  # type: ignore[type-arg]
    return [fact for fact in world.facts if isinstance(fact, kind)]


def caller(world: World) -> str:
    (began,) = [fact for fact in kept(world, f.CallBegan) if fact.direction is f.Direction.INBOUND]
    return str(began.leg)


def together(world: World) -> set[frozenset[str]]:
    """Who hears whom: agents by name, the caller as such."""

    def name(leg: str) -> str:
        channel = world.pbx.channels[leg]
        return channel.endpoint.removeprefix("phone-of-") if channel.endpoint.startswith("phone") else "caller"

    return {frozenset(map(name, members)) for members in world.pbx.bridges.values() if len(members) > 1}


def music(world: World) -> set[str]:
    return {channel.endpoint.removeprefix("phone-of-") for channel in world.pbx.channels.values() if channel.music}


def contacts(world: World) -> list[Contact]:
    state = world.center.state
    return [state.contacts[fact.contact] for fact in kept(world, f.ContactEntered) if fact.contact in state.contacts]


def books(world: World) -> CallBooks:
    """Of the caller's call, once it is over."""
    world.run_for(60)
    (began,) = [fact for fact in kept(world, f.CallBegan) if fact.direction is f.Direction.INBOUND]
    assert world.faults == []
    assert not world.pbx.bridges
    assert not world.pbx.recordings
    return fold_call(fact for fact in world.facts if call_touched(fact) == began.call)


def consult(world: World, colleague: str = "bob") -> None:
    """bob is asked, and has answered after two seconds."""
    world.agent_ready(colleague)
    world.tell(e.ConsultRequested("alice", "", colleague))
    world.run_for(3)
    assert together(world) == {frozenset({"alice", colleague})}


# --- blind --------------------------------------------------------------------------------------


def test_a_caller_moved_to_a_colleague_is_a_contact_of_the_same_queue_for_her_alone(world: World) -> None:
    world.agent_ready("bob")
    world.run_for(5)
    world.agent_ready("carol")
    world.tell(e.TransferRequested("alice", "", "carol"))
    assert world.agent("alice").state is AgentState.WRAP_UP
    assert world.agent("bob").state is AgentState.READY
    world.run_for(3)
    assert together(world) == {frozenset({"caller", "carol"})}
    old, new = contacts(world)
    assert (new.entered.queue, new.entered.transferred_from, new.entered.for_agent) == ("support", old.id, "carol")
    assert new.entered.entered_at == old.parted_at
    assert old.entered == kept(world, f.ContactEntered)[0]


def test_a_colleague_who_does_not_answer_leaves_the_caller_at_the_head_of_the_line(world: World) -> None:
    other = world.caller_arrives()  # waits: nobody else is there
    world.pbx.phones["phone-of-carol"] = Phone(Mood.DECLINES)
    world.agent_ready("carol")
    world.tell(e.TransferRequested("alice", "", "carol"))
    world.run_for(3)
    (missed,) = kept(world, f.OfferMissed)
    assert (missed.agent, missed.why) == ("carol", MissedWhy.REJECTED)
    first = kept(world, f.CallBegan)[0].leg
    assert world.waiting() == [first, other]


def test_a_colleague_who_is_rung_for_another_is_not_to_be_had(world: World) -> None:
    world.pbx.phones["phone-of-bob"] = Phone(Mood.RINGS_ON)
    world.agent_ready("bob")
    world.caller_arrives()
    world.tell(e.TransferRequested("alice", "", "bob"))
    assert world.refusals == ["bob is reserved, not ready"]
    assert together(world) == {frozenset({"caller", "alice"})}


def test_priority_goes_along_to_the_second_queue(world: World) -> None:
    world.tell(e.TransferRequested("alice", "sales"))
    world.agent_ready("carol")
    world.run_for(3)
    assert together(world) == {frozenset({"caller", "carol"})}
    world.pbx.party_hangs_up(caller(world))
    record = books(world)
    assert [(contact.queue, contact.why) for contact in record.contacts] == [("support", "transferred"), ("sales", "caller_hung_up")]
    assert record.call
    assert record.call.wait + record.call.talk == record.call.ended_at - record.call.started_at  # type: ignore[operator]


# --- consult ------------------------------------------------------------------------------------


def test_the_caller_hears_music_while_the_agent_talks_to_the_consulted(world: World) -> None:
    world.agent_ready("bob")
    world.tell(e.ConsultRequested("alice", "", "bob"))
    assert music(world) == {"carrier"}
    assert [c.hears_ringing for c in world.pbx.channels.values() if c.endpoint == "phone-of-alice"] == [True]
    world.run_for(3)
    assert together(world) == {frozenset({"alice", "bob"})}
    assert music(world) == {"carrier"}
    assert not any(channel.hears_ringing for channel in world.pbx.channels.values())
    assert world.agent("bob").state is AgentState.TALKING


def test_a_completed_consult_gives_the_caller_to_the_consulted(world: World) -> None:
    consult(world)
    world.run_for(10)
    world.tell(e.CompleteRequested("alice"))
    assert together(world) == {frozenset({"caller", "bob"})}
    assert music(world) == set()
    assert world.agent("alice").state is AgentState.WRAP_UP
    world.run_for(30)
    world.pbx.party_hangs_up(caller(world))
    assert world.agent("bob").state is AgentState.WRAP_UP
    record = books(world)
    hers, his = record.contacts
    assert (hers.agent, hers.why, hers.hold) == ("alice", EndedWhy.TRANSFERRED, timedelta(seconds=13))
    assert (his.agent, his.why, his.queue) == ("bob", EndedWhy.CALLER_HUNG_UP, "support")
    assert his.wait == timedelta(seconds=2.05)
    assert his.talk == timedelta(seconds=40.95)  # of which he talked 10.95 with alice
    assert record.call
    assert record.call.talk == (hers.talk or timedelta()) + timedelta(seconds=30)
    assert record.call.wait == hers.wait
    assert record.call.agent == "bob"
    assert [recording.agent for recording in record.recordings] == ["alice", "bob"]
    assert [recording.stopped_at for recording in record.recordings] == [hers.parted_at, his.parted_at]


def test_a_cancelled_consult_brings_the_agent_back_to_the_caller(world: World) -> None:
    consult(world)
    idle_before = kept(world, f.ContactOffered)[-1]
    world.tell(e.CancelRequested("alice"))
    assert together(world) == {frozenset({"caller", "alice"})}
    assert music(world) == set()
    assert world.agent("bob").state is AgentState.READY  # no caller, no wrap-up
    world.run_for(5)
    world.pbx.party_hangs_up(caller(world))
    record = books(world)
    hers, his = record.contacts
    assert (hers.hold, hers.why) == (timedelta(seconds=3), EndedWhy.CALLER_HUNG_UP)
    assert (his.why, his.wrap_up, his.agent) == (EndedWhy.CALLED_OFF, timedelta(), idle_before.agent)
    assert record.call
    assert (record.call.agent, record.call.hold) == ("alice", timedelta(seconds=3))
    assert len(record.recordings) == 1


def test_a_consult_is_cancelled_while_the_phone_rings(world: World) -> None:
    world.pbx.phones["phone-of-bob"] = Phone(Mood.RINGS_ON)
    bob = world.agent_ready("bob")
    idle_since = bob.idle_since
    world.run_for(1)
    world.tell(e.ConsultRequested("alice", "", "bob"))
    world.run_for(4)
    world.tell(e.CancelRequested("alice"))
    assert (bob.state, bob.idle_since) == (AgentState.READY, idle_since)
    assert together(world) == {frozenset({"caller", "alice"})}
    assert [fact.why for fact in kept(world, f.ContactOverflowed)] == [OverflowWhy.CALLED_OFF]


@pytest.mark.parametrize("mood", [Mood.RINGS_ON, Mood.BUSY, Mood.DECLINES, Mood.UNREACHABLE])
def test_who_does_not_answer_is_not_consulted(world: World, mood: Mood) -> None:
    world.pbx.phones["phone-of-bob"] = Phone(mood)
    world.agent_ready("bob")
    world.tell(e.ConsultRequested("alice", "", "bob"))
    world.run_for(16)
    assert together(world) == {frozenset({"caller", "alice"})}
    assert music(world) == set()
    assert [fact.why for fact in kept(world, f.ContactOverflowed)] == [OverflowWhy.NOT_ANSWERED]
    assert world.agent("bob").state is AgentState.NOT_READY


def test_a_consult_to_a_queue_goes_to_the_next_agent_when_the_first_does_not_answer(world: World) -> None:
    world.pbx.phones["phone-of-bob"] = Phone(Mood.RINGS_ON)
    world.agent_ready("bob")
    world.run_for(1)
    world.agent_ready("carol")
    world.tell(e.ConsultRequested("alice", "sales", ""))
    world.run_for(20)
    assert together(world) == {frozenset({"alice", "carol"})}
    assert world.waiting("sales") == []


def test_a_consult_completed_before_anybody_answers_lets_the_caller_wait_on(world: World) -> None:
    world.tell(e.ConsultRequested("alice", "sales", ""))
    world.run_for(20)
    world.tell(e.CompleteRequested("alice"))
    assert world.waiting("sales") == [caller(world)]
    assert music(world) == {"carrier"}
    world.run_for(5)
    world.agent_ready("carol")
    world.run_for(3)
    assert together(world) == {frozenset({"caller", "carol"})}
    assert music(world) == set()
    world.pbx.party_hangs_up(caller(world))
    hers, next_one = books(world).contacts
    assert (next_one.queue, next_one.wait) == ("sales", timedelta(seconds=27.05))
    assert hers.hold == timedelta(seconds=20)


def test_who_is_handed_over_and_answered_at_once_no_longer_hears_the_music_of_the_hold(world: World) -> None:
    world.pbx.phones["phone-of-carol"] = Phone(Mood.ANSWERS, timedelta)
    world.tell(e.ConsultRequested("alice", "sales", ""))
    world.tell(e.CompleteRequested("alice"))
    world.agent_ready("carol")
    world.run_for(0.2)
    assert together(world) == {frozenset({"caller", "carol"})}
    assert music(world) == set()


def test_who_hangs_up_while_consulting_leaves_the_caller_to_the_consulted(world: World) -> None:
    consult(world)
    (own,) = [channel.id for channel in world.pbx.channels.values() if channel.endpoint == "phone-of-alice"]
    world.pbx.party_hangs_up(own)
    assert together(world) == {frozenset({"caller", "bob"})}
    assert kept(world, f.ContactParted)[0].why is EndedWhy.TRANSFERRED


def test_a_consulted_who_hangs_up_leaves_agent_and_caller_together(world: World) -> None:
    consult(world)
    (his,) = [channel.id for channel in world.pbx.channels.values() if channel.endpoint == "phone-of-bob"]
    world.pbx.party_hangs_up(his)
    assert together(world) == {frozenset({"caller", "alice"})}
    assert world.agent("bob").state is AgentState.READY


def test_a_caller_who_hangs_up_ends_the_consult(world: World) -> None:
    consult(world)
    world.pbx.party_hangs_up(caller(world))
    assert world.agent("alice").state is AgentState.WRAP_UP
    assert world.agent("bob").state is AgentState.READY
    assert not world.pbx.channels
    assert [contact.why for contact in books(world).contacts] == ["caller_hung_up", "caller_hung_up"]


def test_a_caller_who_hangs_up_while_a_consult_rings_has_abandoned_the_second_queue(world: World) -> None:
    world.tell(e.ConsultRequested("alice", "sales", ""))
    world.run_for(8)
    world.pbx.party_hangs_up(caller(world))
    assert [contact.state for contact in books(world).contacts] == [ContactState.ENDED, ContactState.ABANDONED]


def test_swapping_puts_the_other_one_on_hold(world: World) -> None:
    consult(world)
    world.tell(e.SwapRequested("alice"))
    assert together(world) == {frozenset({"caller", "alice"})}
    assert music(world) == {"bob"}
    world.run_for(7)
    world.tell(e.SwapRequested("alice"))
    assert together(world) == {frozenset({"bob", "alice"})}
    assert music(world) == {"carrier"}
    world.run_for(1)
    world.tell(e.SwapRequested("alice"))
    world.tell(e.CompleteRequested("alice"))
    assert together(world) == {frozenset({"caller", "bob"})}
    assert music(world) == set()
    world.pbx.party_hangs_up(caller(world))
    hers, his = books(world).contacts
    assert (hers.hold, his.hold) == (timedelta(seconds=4), timedelta(seconds=7))


def test_a_conference_of_three_goes_on_without_whoever_leaves(world: World) -> None:
    consult(world)
    world.tell(e.ConferenceRequested("alice"))
    assert together(world) == {frozenset({"caller", "alice", "bob"})}
    assert music(world) == set()
    world.run_for(20)
    world.tell(e.CompleteRequested("alice"))
    assert together(world) == {frozenset({"caller", "bob"})}
    assert kept(world, f.ContactParted)[0].hold == timedelta(seconds=3)


def test_the_consulted_may_leave_a_conference(world: World) -> None:
    consult(world)
    world.tell(e.ConferenceRequested("alice"))
    (his,) = [channel.id for channel in world.pbx.channels.values() if channel.endpoint == "phone-of-bob"]
    world.pbx.party_hangs_up(his)
    assert together(world) == {frozenset({"caller", "alice"})}


# --- by phone -----------------------------------------------------------------------------------


def leg_of(world: World, agent: str) -> str:
    return next(channel.id for channel in world.pbx.channels.values() if channel.endpoint == f"phone-of-{agent}")


@pytest.mark.parametrize(("dialed", "queue"), [("8002", "sales"), ("2003", "support")])
def test_a_phone_transfers_blind_to_an_extension(world: World, dialed: str, queue: str) -> None:
    world.agent_ready("carol")
    own = world.pbx.channels[leg_of(world, "alice")]
    world.pbx.party_refers(own.id, dialed)
    assert own.referred == [True]
    world.run_for(3)
    assert together(world) == {frozenset({"caller", "carol"})}
    assert contacts(world)[-1].entered.queue == queue


@pytest.mark.parametrize("dialed", ["+12025550123", "911", "2001", "2009", "2002", "", "*11"])
def test_a_phone_is_refused_what_is_no_extension_of_somebody_ready(world: World, dialed: str) -> None:
    own = world.pbx.channels[leg_of(world, "alice")]
    world.pbx.party_refers(own.id, dialed)
    assert own.referred == [False]
    assert together(world) == {frozenset({"caller", "alice"})}


def test_nobody_but_the_agent_of_the_caller_may_refer(world: World) -> None:
    world.agent_ready("carol")
    at_caller = world.pbx.channels[caller(world)]
    world.pbx.party_refers(at_caller.id, "8002")
    assert at_caller.referred == [False]
    star = world.pbx.dial_from_phone("phone-of-bob", "*11")
    world.pbx.party_refers(star, "8002")
    assert world.pbx.channels[star].referred == [False]
    assert together(world) == {frozenset({"caller", "alice"})}


def consult_by_phone(world: World, dialed: str = "2002") -> tuple[str, str]:
    """alice presses hold and dials; returns her two legs once bob has answered."""
    world.agent_ready("bob")
    own = leg_of(world, "alice")
    world.pbx.party_holds(own)
    second = world.pbx.dial_from_phone("phone-of-alice", dialed)
    assert world.pbx.channels[second].hears_ringing
    world.run_for(3)
    assert frozenset({"alice", "bob"}) in together(world)
    return own, second


@pytest.mark.parametrize("on_second", [False, True])
def test_a_phone_transfers_attended(world: World, on_second: bool) -> None:
    own, second = consult_by_phone(world)
    first, into = (second, own) if on_second else (own, second)
    referred = world.pbx.channels[first]
    world.pbx.party_refers(first, "2002", into)
    assert referred.referred == [True]
    assert together(world) == {frozenset({"caller", "bob"})}
    assert {channel.endpoint for channel in world.pbx.channels.values()} == {"carrier", "phone-of-bob"}
    assert len([fact for fact in kept(world, f.CallBegan) if fact.leg == second]) == 0  # the same call
    world.pbx.party_hangs_up(caller(world))
    hers, his = books(world).contacts
    assert (hers.why, hers.hold, his.agent) == ("transferred", timedelta(seconds=3), "bob")


def test_a_dialog_that_is_not_hers_is_not_replaced(world: World) -> None:
    own, _ = consult_by_phone(world)
    for into in ("nobody", caller(world), own):
        world.pbx.party_refers(own, "2002", into)
    assert world.pbx.channels[own].referred == [False] * 3
    assert frozenset({"alice", "bob"}) in together(world)


def test_hanging_up_the_second_leg_goes_back_to_the_caller(world: World) -> None:
    own, second = consult_by_phone(world)
    world.pbx.party_hangs_up(second)
    assert leg_of(world, "alice") == own
    assert world.agent("bob").state is AgentState.READY
    world.pbx.party_holds(own, False)
    assert together(world) == {frozenset({"caller", "alice"})}


def test_keys_of_the_phone_and_words_at_the_console_do_not_mix(world: World) -> None:
    consult_by_phone(world)
    world.tell(e.SwapRequested("alice"))
    world.tell(e.ConferenceRequested("alice"))
    assert world.refusals == ["alice has dialed the consulted with her phone; its own keys swap and join"] * 2
    world.tell(e.CompleteRequested("alice"))
    assert together(world) == {frozenset({"caller", "bob"})}


def test_a_number_nobody_has_is_not_possible_in_a_talk_either(world: World) -> None:
    leg = world.pbx.dial_from_phone("phone-of-alice", "2009")
    world.run_for(0.1)
    assert world.pbx.channels[leg].heard == ["not-possible"]


# --- trouble ------------------------------------------------------------------------------------


def test_a_restart_in_the_middle_of_a_consult_changes_nothing(world: World) -> None:
    consult(world)
    world.crash_and_restore()
    world.run_for(2)
    world.tell(e.SwapRequested("alice"))
    world.crash_and_restore()
    world.tell(e.CompleteRequested("alice"))
    assert together(world) == {frozenset({"caller", "bob"})}


def test_out_of_reach_nothing_is_moved(world: World) -> None:
    consult(world)
    world.lose_node()
    for event in (e.CompleteRequested("alice"), e.CancelRequested("alice"), e.SwapRequested("alice"), e.ConferenceRequested("alice")):
        world.tell(event)
    assert world.refusals == ["the call is out of our reach at the moment; try again in a few seconds"] * 4


def test_a_full_queue_is_not_consulted(world: World) -> None:
    for _ in range(2):
        world.caller_arrives("sales")
    world.tell(e.ConsultRequested("alice", "sales", ""))
    assert world.refusals == ["queue 'sales' is full: 2 wait there"]
    assert together(world) == {frozenset({"caller", "alice"})}


def test_who_waits_too_long_for_a_consult_is_back_with_the_caller(world: World) -> None:
    world.tell(e.ConsultRequested("alice", "support", ""))
    world.run_for(301)
    assert [fact.why for fact in kept(world, f.ContactOverflowed)] == [OverflowWhy.MAX_WAIT]
    assert together(world) == {frozenset({"caller", "alice"})}


# --- what the caller needs ----------------------------------------------------------------------


def speaking_world(require: str, *queues: QueueConfig) -> World:
    """alice (support), bob and carol (sales); alice and carol speak Spanish. Callers of support need that; bob and carol are ready."""
    config = small_center(queues or QUEUES, ("alice", "bob", "carol"))
    spanish = {"spanish": Skill(80)}
    agents = {name: replace(agent, queues=("support",) if name == "alice" else ("sales",)) for name, agent in config.agents.items()}
    agents |= {name: replace(agents[name], skills=spanish) for name in ("alice", "carol")}
    flows = {**config.flows, "to-support": Flow("to-support", "enter", {"enter": QueueNode("support", 2, Needs(require))})}
    world = World(replace(config, agents=agents, flows=flows))
    world.agent_ready("bob")
    world.run_for(60)  # the longest idle of sales
    world.agent_ready("carol")
    return world


@pytest.mark.parametrize("ask", [e.TransferRequested, e.ConsultRequested])
def test_what_the_caller_needs_goes_along_into_the_next_queue(ask: type[e.TransferRequested | e.ConsultRequested]) -> None:
    world = speaking_world("spanish >= 50")
    world.agent_ready("alice")
    world.caller_arrives()
    world.run_for(3)
    world.tell(ask("alice", "sales"))
    world.run_for(1)
    new = kept(world, f.ContactEntered)[-1]
    assert (new.queue, new.require, new.priority) == ("sales", "spanish >= 50", 2)
    assert kept(world, f.ContactOffered)[-1].agent == "carol"


def test_what_nobody_of_the_next_queue_could_ever_meet_is_but_a_wish_there() -> None:
    """Nobody waits for ever because a colleague has moved the call."""
    world = speaking_world("spanish >= 50")
    config = world.config
    world.tell(e.ConfigChanged(replace(config, agents=config.agents | {"carol": replace(config.agents["carol"], skills={})})))
    world.agent_ready("alice")
    world.caller_arrives()
    world.run_for(3)
    world.tell(e.TransferRequested("alice", "sales"))
    world.run_for(3)
    new = kept(world, f.ContactEntered)[-1]
    assert (new.require, new.prefer) == ("", "spanish >= 50")
    assert list(world.talking()) == ["bob"]


def test_what_the_caller_needs_goes_along_with_an_overflow() -> None:
    away = OverflowRow(Overflow(OverflowTo.QUEUE, "sales"), waited=timedelta(seconds=20))
    world = speaking_world("spanish >= 50", QueueConfig("support", overflows=(away,)), QueueConfig("sales"))
    caller = world.caller_arrives()
    world.run_for(25)
    assert world.talking() == {"carol": caller}
