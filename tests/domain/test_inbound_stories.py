"""Callers, queues and agents, in virtual time: each test reads like a call."""

from datetime import timedelta

import pytest

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.config import QueueConfig
from callcenter.domain.facts import AgentState, EndedWhy, MissedWhy, OverflowWhy
from callcenter.domain.ivr.flow import Flow, HangUpNode, MenuNode, PromptNode, QueueNode
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.world import World, small_center

MENU = Flow(
    "menu",
    "hello",
    {
        "hello": PromptNode("welcome", "ask"),
        "ask": MenuNode("press-1", {"1": "support"}, otherwise="bye", tries=2, invalid_prompt="sorry"),
        "support": QueueNode("support"),
        "bye": PromptNode("goodbye", "end"),
        "end": HangUpNode(),
    },
)
MENU_DID = "+18005550200"


def kinds(world: World, kind: type) -> list:  # type: ignore[type-arg]
    return [fact for fact in world.facts if isinstance(fact, kind)]


@pytest.fixture
def world() -> World:
    return World(small_center(flows=[MENU]))


def test_a_caller_reaches_the_ready_agent_and_both_part(world: World) -> None:
    alice = world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(3)
    assert world.talking() == {"alice": caller}
    assert alice.state is AgentState.TALKING
    assert {len(members) for members in world.pbx.bridges.values()} == {2}

    world.run_for(60)
    world.pbx.party_hangs_up(caller)
    assert alice.state is AgentState.WRAP_UP
    world.run_for(11)
    assert alice.state is AgentState.READY

    (connected,) = kinds(world, f.ContactConnected)
    (parted,) = kinds(world, f.ContactParted)
    (ended,) = kinds(world, f.ContactEnded)
    assert connected.wait == timedelta(seconds=2.05)
    assert (parted.talk, parted.why) == (timedelta(seconds=60.95), EndedWhy.CALLER_HUNG_UP)
    assert ended.wrap_up == timedelta(seconds=10)
    assert len(kinds(world, f.CallEnded)) == 1
    assert not world.pbx.channels
    assert not world.pbx.bridges
    assert len(world.pbx.recorded) == 1
    assert not world.center.state.calls
    assert not world.center.state.contacts


def test_the_longest_idle_agent_is_offered_first(world: World) -> None:
    world.agent_ready("bob")
    world.run_for(5)
    world.agent_ready("alice")
    world.caller_arrives()
    (offered,) = kinds(world, f.ContactOffered)
    assert (offered.agent, offered.candidates, offered.runners_up) == ("bob", 2, ("alice",))


def test_callers_are_served_by_priority_then_in_the_order_they_came() -> None:
    vip = Flow("vip", "enter", {"enter": QueueNode("support", priority=5)})
    world = World(small_center(flows=[vip]))
    first = world.caller_arrives()
    world.run_for(1)
    second = world.caller_arrives()
    world.run_for(1)
    important = world.pbx.call_in("+18005550200")
    assert world.waiting() == [important, first, second]
    world.agent_ready("alice")
    world.run_for(3)
    assert world.talking() == {"alice": important}


def test_a_missed_offer_returns_the_caller_to_the_head_of_the_line(world: World) -> None:
    caller = world.caller_arrives()
    world.run_for(2)
    alice = world.agent_ready("alice")
    world.pbx.phones["phone-of-alice"].mood = Mood.RINGS_ON
    world.run_for(1)
    later = world.caller_arrives()

    world.run_for(15)  # alice never picks up

    assert alice.state is AgentState.NOT_READY
    assert alice.reason == "missed_offer"
    assert world.waiting() == [caller, later]
    bob = world.agent_ready("bob")
    world.run_for(3)
    assert world.talking() == {"bob": caller}
    (connected,) = kinds(world, f.ContactConnected)
    assert connected.wait == timedelta(seconds=2 + 1 + 15 + 2.05)  # her wait still counts from 0
    assert bob.state is AgentState.TALKING


@pytest.mark.parametrize(
    ("mood", "why", "reason"),
    [
        (Mood.BUSY, MissedWhy.BUSY, "missed_offer"),
        (Mood.DECLINES, MissedWhy.REJECTED, "missed_offer"),
        (Mood.UNREACHABLE, MissedWhy.UNREACHABLE, "phone_unreachable"),
    ],
)
def test_a_phone_that_does_not_take_the_offer(world: World, mood: Mood, why: MissedWhy, reason: str) -> None:
    world.pbx.phones["phone-of-alice"] = Phone(mood)
    alice = world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(3)
    (missed,) = kinds(world, f.OfferMissed)
    assert missed.why is why
    assert (alice.state, alice.reason) == (AgentState.NOT_READY, reason)
    assert world.waiting() == [caller]


def test_an_unreachable_phone_is_offered_again_only_once_it_is_back(world: World) -> None:
    world.pbx.phones["phone-of-alice"] = Phone(Mood.UNREACHABLE)
    alice = world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(30)
    assert len(kinds(world, f.ContactOffered)) == 1
    world.pbx.phones["phone-of-alice"].mood = Mood.ANSWERS
    world.tell(e.PhoneReachable("phone-of-alice"))
    world.run_for(3)
    assert world.talking() == {"alice": caller}
    assert alice.state is AgentState.TALKING


def test_a_caller_who_gives_up_while_the_phone_rings_does_not_cost_the_agent_her_place(world: World) -> None:
    alice = world.agent_ready("alice")
    idle_since = alice.idle_since
    world.run_for(10)
    caller = world.caller_arrives()
    world.run_for(1)
    assert alice.state is AgentState.RESERVED
    world.pbx.party_hangs_up(caller)
    assert (alice.state, alice.idle_since) == (AgentState.READY, idle_since)
    (abandoned,) = kinds(world, f.ContactAbandoned)
    assert (abandoned.wait, abandoned.short) == (timedelta(seconds=1), True)
    assert not world.pbx.channels
    assert len(kinds(world, f.CallEnded)) == 1


def test_a_pause_pressed_while_it_rings_is_obeyed_after_the_contact(world: World) -> None:
    alice = world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(1)
    world.tell(e.AgentNotReadyRequested("alice", "break"))
    world.run_for(2)
    assert alice.state is AgentState.TALKING
    world.pbx.party_hangs_up(caller)
    world.run_for(11)
    assert (alice.state, alice.reason) == (AgentState.NOT_READY, "break")


def test_a_pause_pressed_while_it_rings_is_obeyed_when_the_caller_gives_up(world: World) -> None:
    alice = world.agent_ready("alice")
    caller = world.caller_arrives()
    world.tell(e.AgentLogoutRequested("alice"))
    world.pbx.party_hangs_up(caller)
    assert alice.state is AgentState.LOGGED_OUT


def test_ready_in_wrap_up_ends_it(world: World) -> None:
    alice = world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(3)
    world.pbx.party_hangs_up(caller)
    world.run_for(4)
    world.tell(e.AgentReadyRequested("alice"))
    assert alice.state is AgentState.READY
    (ended,) = kinds(world, f.ContactEnded)
    assert ended.wrap_up == timedelta(seconds=4)


def test_the_menu_takes_the_caller_to_the_queue(world: World) -> None:
    caller = world.pbx.call_in(MENU_DID)
    world.run_for(2.5)
    world.pbx.party_presses(caller, "1")  # before the menu prompt has ended
    assert world.waiting() == [caller]
    world.run_for(0.5)
    assert world.pbx.channels[caller].heard == ["welcome", "press-1", "music:default"]


def test_who_is_connected_at_once_hears_no_snatch_of_music(world: World) -> None:
    world.pbx.phones["phone-of-alice"] = Phone(Mood.ANSWERS, lambda: timedelta(milliseconds=100))
    world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(3)
    assert world.pbx.channels[caller].heard == ["bridge"]


def test_a_leg_that_arrives_ringing_is_answered(world: World) -> None:
    world.pbx.door_answers = False
    caller = world.caller_arrives()
    assert world.pbx.channels[caller].up


def test_a_menu_without_a_key_is_repeated_and_then_left(world: World) -> None:
    caller = world.pbx.call_in(MENU_DID)
    heard = world.pbx.channels[caller].heard
    world.run_for(60)
    assert heard == ["welcome", "press-1", "sorry", "press-1", "goodbye"]
    assert not world.pbx.channels
    assert [fact.exit for fact in kinds(world, f.FlowEnded)] == ["hang_up"]


def test_a_wrong_key_repeats_the_menu(world: World) -> None:
    caller = world.pbx.call_in(MENU_DID)
    heard = world.pbx.channels[caller].heard
    world.run_for(5)
    world.pbx.party_presses(caller, "9")
    world.pbx.party_presses(caller, "1")
    world.run_for(0.5)
    assert heard == ["welcome", "press-1", "sorry", "press-1", "music:default"]


def test_a_prompt_that_cannot_be_played_is_passed_over(world: World) -> None:
    world.pbx.broken_prompts = {"welcome"}
    caller = world.pbx.call_in(MENU_DID)
    assert world.pbx.channels[caller].heard == ["press-1"]


def test_an_unknown_number_gets_a_polite_goodbye_and_a_fact(world: World) -> None:
    caller = world.pbx.call_in("+18005559999")
    heard = world.pbx.channels[caller].heard
    world.run_for(5)
    assert heard == ["unknown-number"]
    assert not world.pbx.channels
    assert [fact.did for fact in kinds(world, f.NumberUnknown)] == ["+18005559999"]


def test_a_caller_who_waited_too_long_overflows() -> None:
    world = World(small_center([QueueConfig("support", max_wait=timedelta(seconds=30))]))
    caller = world.caller_arrives()
    heard = world.pbx.channels[caller].heard
    world.run_for(40)
    (overflowed,) = kinds(world, f.ContactOverflowed)
    assert (overflowed.why, overflowed.wait) == (OverflowWhy.MAX_WAIT, timedelta(seconds=30))
    assert heard == ["music:default", "goodbye"]
    assert not world.pbx.channels


def test_a_caller_overflows_while_the_phone_rings_and_the_agent_is_free_for_the_next() -> None:
    world = World(small_center([QueueConfig("support", max_wait=timedelta(seconds=10), overflow_flow="goodbye")]))
    world.pbx.phones["phone-of-alice"] = Phone(Mood.RINGS_ON)
    world.caller_arrives()
    world.run_for(8)
    alice = world.agent_ready("alice")
    world.run_for(3)
    assert alice.state is AgentState.READY
    assert len(kinds(world, f.ContactOverflowed)) == 1


def test_a_full_queue_and_one_without_agents_overflow_at_once() -> None:
    world = World(small_center([QueueConfig("support", max_waiting=1), QueueConfig("sales", wait_without_agents=False)]))
    world.caller_arrives()
    world.caller_arrives()
    world.caller_arrives("sales")
    assert [fact.why for fact in kinds(world, f.ContactOverflowed)] == [OverflowWhy.FULL, OverflowWhy.NO_AGENTS]
    assert all(fact.wait == timedelta() for fact in kinds(world, f.ContactOverflowed))


def test_hold_is_not_talk(world: World) -> None:
    world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(2.05)
    (agent_leg,) = set(world.pbx.channels) - {caller}
    world.run_for(10)
    world.pbx.party_holds(agent_leg)
    world.run_for(20)
    world.pbx.party_holds(agent_leg, False)
    world.run_for(5)
    world.pbx.party_hangs_up(agent_leg)
    (parted,) = kinds(world, f.ContactParted)
    assert (parted.talk, parted.hold, parted.why) == (timedelta(seconds=15), timedelta(seconds=20), EndedWhy.AGENT_HUNG_UP)
    assert not world.pbx.channels


def test_a_transfer_gives_the_caller_a_second_contact(world: World) -> None:
    world = World(small_center([QueueConfig("support"), QueueConfig("sales")]))
    alice = world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(5)
    world.tell(e.TransferRequested("alice", "sales"))
    assert alice.state is AgentState.WRAP_UP
    assert world.waiting("sales") == [caller]
    world.agent_ready("bob")
    world.run_for(3)
    assert world.talking() == {"bob": caller}
    first, second = kinds(world, f.ContactEntered)
    assert (second.queue, second.transferred_from, second.call) == ("sales", first.contact, first.call)
    world.pbx.party_hangs_up(caller)
    assert len(kinds(world, f.CallEnded)) == 1
    assert len(world.pbx.recorded) == 2


@pytest.mark.parametrize("queue", ["support", "nowhere"])
def test_an_impossible_transfer_is_refused_in_a_sentence(world: World, queue: str) -> None:
    world.tell(e.TransferRequested("alice", queue))
    assert world.refusals == ["alice is not talking to a caller, so there is nobody to transfer"]


def test_a_lost_agent_phone_returns_the_caller_to_the_head(world: World) -> None:
    alice = world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(5)
    waiting = world.caller_arrives()
    (agent_leg,) = set(world.pbx.channels) - {caller, waiting}
    world.pbx.party_hangs_up(agent_leg, e.Cause.LOST)
    assert world.waiting() == [caller, waiting]
    assert alice.state is AgentState.WRAP_UP
    (parted,) = kinds(world, f.ContactParted)
    assert parted.why is EndedWhy.AGENT_LOST


def test_star_codes_make_a_desk_phone_ready_and_not_ready(world: World) -> None:
    alice = world.agent("alice")
    leg = world.pbx.dial_from_phone("phone-of-alice", "*11")
    assert alice.state is AgentState.READY
    assert world.pbx.channels[leg].heard == ["you-are-ready"]
    world.run_for(5)
    leg = world.pbx.dial_from_phone("phone-of-alice", "*12")
    assert (alice.state, alice.reason) == (AgentState.NOT_READY, "break")
    assert world.pbx.channels[leg].heard == ["you-are-not-ready"]
    world.run_for(5)
    assert not world.pbx.channels
    assert [fact.direction for fact in kinds(world, f.CallBegan)] == ["internal", "internal"]


@pytest.mark.parametrize(("endpoint", "dialed"), [("phone-of-alice", "*99"), ("phone-of-nobody", "*11"), ("phone-of-alice", "*12")])
def test_a_star_code_that_cannot_be_obeyed_says_so(world: World, endpoint: str, dialed: str) -> None:
    leg = world.pbx.dial_from_phone(endpoint, dialed)
    assert world.pbx.channels[leg].heard == ["not-possible"]


def test_two_arrivals_of_one_leg_are_one_call(world: World) -> None:
    leg = world.caller_arrives()
    arrival = world.pbx.channels[leg].arrival
    assert arrival is not None
    world.tell(arrival)
    assert len(kinds(world, f.CallBegan)) == 1


def test_events_about_unknown_legs_mean_nothing(world: World) -> None:
    before = list(world.facts)
    for event in (
        e.LegAnswered("x"), e.LegRang("x"), e.LegHeld("x"), e.LegResumed("x"), e.LegEnded("x", e.Cause.NORMAL), e.DigitPressed("x", "1"),
        e.PlaybackEnded("x", "y"), e.LegFoundAlone("x"), e.LegFoundSilent("x"), e.FallbackTalkEnded("x"), e.PhoneReachable("x"),
    ):  # fmt: skip
        world.tell(event)
    assert world.facts == before
    assert world.faults == []


def test_requests_of_people_who_do_not_exist_are_refused(world: World) -> None:
    world.tell(e.AgentReadyRequested("mallory"))
    world.tell(e.AgentReadyRequested("alice"))
    assert world.refusals == ["there is no agent 'mallory'; agents: alice, bob", "alice is not logged in; log in first"]


def test_a_full_disk_costs_the_recording_and_not_the_call(world: World) -> None:
    world.pbx.disk_full = True
    world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(3)
    assert world.talking() == {"alice": caller}
    assert len(kinds(world, f.RecordingMissing)) == 1


def test_a_config_change_leaves_live_calls_alone(world: World) -> None:
    alice = world.agent_ready("alice")
    caller = world.caller_arrives()
    waiting = world.caller_arrives()
    world.run_for(3)
    world.tell(e.ConfigChanged(small_center([QueueConfig("sales")], ["bob"])))
    assert world.talking() == {"alice": caller}
    world.agent_ready("bob")  # still serves who waits in the queue that was taken away
    world.run_for(3)
    assert world.talking() == {"alice": caller, "bob": waiting}
    world.pbx.party_hangs_up(caller)
    world.run_for(11)
    assert alice.state is AgentState.LOGGED_OUT
    assert "alice" not in world.center.state.agents


def test_a_poison_event_costs_nobody_else(world: World) -> None:
    world.tell(e.NodeConnected(None, None))  # type: ignore[arg-type]
    world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(3)
    assert world.talking() == {"alice": caller}


def test_a_crashed_node_costs_its_calls_and_sticks_nobody(world: World) -> None:
    alice = world.agent_ready("alice")
    world.caller_arrives()
    world.run_for(3)
    world.caller_arrives()
    world.lose_node()
    world.run_for(31)
    assert {fact.cause for fact in kinds(world, f.CallEnded)} == {e.Cause.NODE_CRASH}
    assert len(kinds(world, f.CallEnded)) == 2
    world.run_for(11)
    assert alice.state is AgentState.READY
    assert not world.center.state.calls


def test_while_the_node_is_away_nobody_is_offered_and_nobody_is_blamed(world: World) -> None:
    caller = world.caller_arrives()
    world.lose_node()
    alice = world.agent_ready("alice")
    world.run_for(10)
    assert alice.state is AgentState.READY
    world.pbx.listening = True
    world.tell(e.NodeConnected("node1", world.pbx.started_at))
    world.run_for(3)
    assert world.talking() == {"alice": caller}


def test_an_agent_talking_in_the_fallback_is_left_alone_until_it_ends(world: World) -> None:
    alice = world.agent_ready("alice")
    world.tell(e.FallbackTalkBegan("node1", "node1-77", "phone-of-alice"))
    assert (alice.state, alice.reason) == (AgentState.NOT_READY, "fallback_call")
    caller = world.caller_arrives()
    world.run_for(5)
    assert world.waiting() == [caller]
    world.tell(e.FallbackTalkEnded("node1-77"))
    world.run_for(3)
    assert world.talking() == {"alice": caller}


def test_a_caller_back_from_the_fallback_keeps_the_place(world: World) -> None:
    world.run_for(60)
    first = world.caller_arrives()
    back = world.pbx.call_in("+18005550100", waiting_since=world.now - timedelta(seconds=30))
    assert world.waiting() == [back, first]
    world.agent_ready("alice")
    world.run_for(3)
    (connected,) = kinds(world, f.ContactConnected)
    assert connected.wait == timedelta(seconds=32.05)
