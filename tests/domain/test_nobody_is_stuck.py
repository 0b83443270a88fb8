"""Corners in which a caller could wait for ever, hear nothing, or an agent could stay away for good."""

from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.domain import commands as c
from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.center import Center
from callcenter.domain.config import AgentConfig, CenterConfig, NumberConfig, QueueConfig
from callcenter.domain.facts import AgentState, OverflowWhy
from callcenter.domain.ids import Ids
from callcenter.domain.ivr.flow import Flow, HangUpNode, MenuNode, PromptNode, QueueNode
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.world import NODE, World, small_center, straight_to

ALICE = "phone-of-alice"
MENU = Flow("menu", "ask", {"ask": MenuNode("press-1", {"1": "q"}, otherwise="q"), "q": QueueNode("support")})
MENU_DID = "+18005550200"


def kinds(world: World, kind: type) -> list:  # type: ignore[type-arg]
    return [fact for fact in world.facts if isinstance(fact, kind)]


def restart_with(world: World, config: CenterConfig) -> None:
    """Our process comes back with another file of settings."""
    world.config = config
    world.crash_and_restore()
    world.tell(e.ConfigChanged(config))


@pytest.fixture
def world() -> World:
    return World(small_center(flows=[MENU]))


# --- agents who talk in the fallback ------------------------------------------------------------


def test_a_second_fallback_talk_follows_the_first_unseen(world: World) -> None:
    """The first ended and the second began while we were away: we are told of the second before the end of the first."""
    alice = world.agent_ready("alice")
    world.tell(e.FallbackTalkBegan(NODE, "f1", ALICE))
    world.tell(e.FallbackTalkBegan(NODE, "f2", ALICE))
    world.tell(e.FallbackTalkEnded("f1"))
    assert alice.reason == "fallback_call"
    world.tell(e.FallbackTalkEnded("f2"))
    assert alice.state is AgentState.READY


def test_who_logs_in_while_the_fallback_talk_goes_on_is_ready_after_it(world: World) -> None:
    world.tell(e.FallbackTalkBegan(NODE, "f1", ALICE))
    alice = world.agent_ready("alice")
    assert alice.reason == "fallback_call"
    world.tell(e.FallbackTalkEnded("f1"))
    assert alice.state is AgentState.READY


def test_who_merely_logs_in_while_the_fallback_talk_goes_on_is_not_ready_after_it(world: World) -> None:
    world.tell(e.FallbackTalkBegan(NODE, "f1", ALICE))
    world.tell(e.AgentLoginRequested("alice"))
    world.tell(e.FallbackTalkEnded("f1"))
    alice = world.agent("alice")
    assert (alice.state, alice.reason) == (AgentState.NOT_READY, "login")


def test_ready_after_an_offer_missed_because_of_a_fallback_talk_is_obeyed(world: World) -> None:
    world.pbx.phones[ALICE] = Phone(Mood.RINGS_ON)
    alice = world.agent_ready("alice")
    caller = world.caller_arrives()
    world.tell(e.FallbackTalkBegan(NODE, "f1", ALICE))
    world.run_for(20)
    assert alice.state is AgentState.NOT_READY
    world.tell(e.AgentReadyRequested("alice"))
    world.pbx.phones[ALICE].mood = Mood.ANSWERS
    world.tell(e.FallbackTalkEnded("f1"))
    world.run_for(3)
    assert world.talking() == {"alice": caller}


def test_an_unreachable_phone_that_talks_in_the_fallback_is_ready_after_it(world: World) -> None:
    world.pbx.phones[ALICE] = Phone(Mood.UNREACHABLE)
    alice = world.agent_ready("alice")
    world.caller_arrives()
    world.run_for(1)
    assert alice.reason == "phone_unreachable"
    world.tell(e.FallbackTalkBegan(NODE, "f1", ALICE))
    world.pbx.phones[ALICE].mood = Mood.ANSWERS
    world.tell(e.FallbackTalkEnded("f1"))
    assert alice.state is AgentState.RESERVED


def test_a_phone_that_was_dialing_us_when_we_came_back_is_in_no_fallback_talk(world: World) -> None:
    """The snapshot saw its leg on the way to us: outside, but not for long."""
    alice = world.agent_ready("alice")
    leg = "node1-1.77"
    world.tell(e.FallbackTalkBegan(NODE, leg, ALICE))
    world.tell(e.LegArrived(NODE, leg, e.Door.DESK_PHONE, "*11", "", endpoint=ALICE))
    world.tell(e.LegEnded(leg, e.Cause.NORMAL))
    assert alice.state is AgentState.READY
    assert not world.center.state.fallback_legs


def test_a_removed_agent_does_not_come_back_with_the_end_of_a_fallback_talk(world: World) -> None:
    world.tell(e.FallbackTalkBegan(NODE, "f1", ALICE))
    world.tell(e.ConfigChanged(small_center(agents=["bob"])))
    world.tell(e.FallbackTalkEnded("f1"))
    assert set(world.center.state.agents) == {"bob"}
    assert not world.center.state.fallback_legs


# --- phones -------------------------------------------------------------------------------------


def test_a_phone_that_failed_although_it_seems_to_be_there_is_asked_again(world: World) -> None:
    """Nobody ever says that it is back, because nobody ever said that it was gone."""
    world.pbx.phones[ALICE] = Phone(Mood.UNREACHABLE)
    world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(50)
    assert len(kinds(world, f.ContactOffered)) == 1
    world.crash_and_restore()  # the date survives
    world.pbx.phones[ALICE].mood = Mood.ANSWERS
    world.run_for(35)
    assert world.talking() == {"alice": caller}


def test_a_phone_known_to_be_gone_is_not_tried(world: World) -> None:
    world.pbx.phones[ALICE] = Phone(Mood.UNREACHABLE)
    alice = world.agent_ready("alice")
    world.caller_arrives()
    world.run_for(1)
    world.tell(e.PhoneUnreachable(ALICE))
    world.run_for(600)
    assert len(kinds(world, f.ContactOffered)) == 1
    assert alice.reason == "phone_unreachable"


def test_agents_who_swapped_phones_are_both_found(world: World) -> None:
    swapped = {"alice": AgentConfig("alice", "phone-of-bob", ("support",)), "bob": AgentConfig("bob", ALICE, ("support",))}
    world.tell(e.ConfigChanged(replace(world.config, agents=swapped)))
    assert {endpoint: agent.name for endpoint, agent in world.center.state.endpoints.items()} == {"phone-of-bob": "alice", ALICE: "bob"}


@pytest.mark.parametrize("refusal", [e.Refusal.GONE, e.Refusal.REFUSED, e.Refusal.NO_SUCH_MEDIA])
def test_a_leg_that_was_never_made_leaves_nothing_behind(world: World, refusal: e.Refusal) -> None:
    world.pbx.phones[ALICE] = Phone(Mood.RINGS_ON)
    world.agent_ready("alice")
    caller = world.caller_arrives()
    (offered,) = kinds(world, f.ContactOffered)
    del world.pbx.channels[offered.leg]  # it never was
    world.tell(e.CommandRefused(c.RingAgent(offered.call, NODE, offered.leg, "alice", ALICE, "", "", timedelta(seconds=15)), refusal))
    assert len(kinds(world, f.OfferMissed)) == 1
    world.pbx.party_hangs_up(caller)
    assert len(kinds(world, f.CallEnded)) == 1


# --- callers whose way is gone ------------------------------------------------------------------


@pytest.mark.parametrize("full", [True, False])
def test_queues_that_overflow_into_each_other_end_in_a_goodbye(full: bool) -> None:
    limits = {"max_waiting": 0} if full else {"wait_without_agents": False}
    queues = [QueueConfig(name, overflow_flow=f"to-{other}", **limits) for name, other in (("a", "b"), ("b", "a"))]
    world = World(small_center(queues, agents=[]))
    caller = world.caller_arrives("a")
    assert world.pbx.channels[caller].heard == ["goodbye"]
    world.run_for(3)
    assert not world.center.state.calls
    assert world.faults == []


def test_a_caller_whose_queue_was_taken_away_during_a_restart_is_not_left_waiting(world: World) -> None:
    caller = world.caller_arrives()
    world.run_for(5)
    restart_with(world, small_center([QueueConfig("sales")]))
    (overflowed,) = kinds(world, f.ContactOverflowed)
    assert overflowed.why is OverflowWhy.NO_AGENTS
    assert world.pbx.channels[caller].heard[-1] == "goodbye"
    assert not world.pbx.channels[caller].music
    world.run_for(3)
    assert not world.center.state.calls


@pytest.mark.parametrize(
    "changed",
    [
        {"other": MenuNode("press-1", {"1": "q"}, otherwise="q"), "q": QueueNode("support")},
        {"ask": QueueNode("support"), "other": PromptNode("welcome", "ask")},
        {"ask": HangUpNode(), "other": PromptNode("welcome", "ask")},
    ],
)
@pytest.mark.parametrize("seconds", [1, 3])
@pytest.mark.parametrize("key", ["1", ""])
def test_a_caller_in_a_flow_that_was_changed_during_a_restart_goes_on(
    world: World, changed: dict[str, PromptNode | MenuNode | QueueNode | HangUpNode], seconds: float, key: str
) -> None:
    caller = world.pbx.call_in(MENU_DID)
    world.run_for(seconds)  # the prompt is being said, or the menu listens
    restart_with(world, small_center(flows=[Flow("menu", "other", changed)]))
    if key:
        world.pbx.party_presses(caller, key)
    world.run_for(60)
    assert world.faults == []
    assert world.waiting() == [caller] or caller not in world.pbx.channels


def test_a_caller_in_a_flow_that_is_gone_after_a_restart_is_said_goodbye(world: World) -> None:
    caller = world.pbx.call_in(MENU_DID)
    world.run_for(1)
    restart_with(world, small_center())
    world.run_for(10)
    assert caller not in world.pbx.channels
    assert not world.center.state.calls
    assert world.faults == []


def test_who_loses_the_agent_in_mid_talk_comes_back_into_a_full_queue() -> None:
    world = World(small_center([QueueConfig("support", max_waiting=1)], ["alice"]))
    world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(3)
    later = world.caller_arrives()
    (leg,) = [leg for leg, channel in world.pbx.channels.items() if channel.endpoint == ALICE]
    world.pbx.party_hangs_up(leg, e.Cause.LOST)
    assert world.waiting() == [caller, later]


def test_who_comes_back_from_the_fallback_comes_into_a_full_queue() -> None:
    world = World(small_center([QueueConfig("support", max_waiting=1)], ["alice"]))
    later = world.caller_arrives()
    waited = world.pbx.call_in("+18005550100", waiting_since=world.now - timedelta(minutes=2))
    assert world.waiting() == [waited, later]


def test_a_bridge_of_an_earlier_talk_that_could_not_be_made_ends_nothing_of_now(world: World) -> None:
    world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(3)
    (connected,) = kinds(world, f.ContactConnected)
    world.pbx.party_hangs_up(connected.leg, e.Cause.LOST)
    world.tell(e.CommandRefused(c.ConnectLegs(connected.call, NODE, connected.bridge, (caller, connected.leg)), e.Refusal.REFUSED))
    assert world.waiting() == [caller]
    assert caller in world.pbx.channels


def test_a_number_that_leads_back_to_a_full_queue_still_answers() -> None:
    """A flow with a prompt before the queue may come round again and again: the caller hears something each time."""
    again = Flow("again", "say", {"say": PromptNode("please-wait", "q"), "q": QueueNode("support")})
    queue = QueueConfig("support", max_waiting=0, overflow_flow="again")
    config = CenterConfig(
        queues={"support": queue}, flows={"again": again, "in": straight_to("support")}, numbers={"+1": NumberConfig("+1", "in")}
    )
    world = World(config)
    caller = world.pbx.call_in("+1")
    world.run_for(5)
    assert world.pbx.channels[caller].heard == ["please-wait"] * 3


# --- what must not grow -------------------------------------------------------------------------


def test_a_long_day_leaves_nothing_behind() -> None:
    """Callers come and go, phones miss, agents pause: at night the center is as small as in the morning."""
    world = World(small_center([QueueConfig("support", max_wait=timedelta(hours=1))]), keep_facts=False)
    for hour in range(50):
        world.agent_ready("alice")
        world.pbx.phones[ALICE] = Phone(Mood.ANSWERS if hour % 3 else Mood.BUSY)
        caller = world.caller_arrives()
        world.run_for(20)
        world.pbx.party_hangs_up(caller)
        world.run_for(20)
        world.tell(e.AgentNotReadyRequested("alice", "break"))
        world.run_for(3600)
    state = world.center.state
    assert world.center.deadline is None
    assert (state.calls, state.contacts, state.legs) == ({}, {}, {})
    assert len(list(world.center.checkpoint())) < 12
    assert sum(len(pool.ready._heap) for pool in state.queue("support").awake) + len(state.queue("support").waiting._heap) < 200
    restored = Center.restore(world.config, Ids("r"), world.center.checkpoint()).state
    assert restored.agents["alice"].state is AgentState.NOT_READY


# --- who is free again --------------------------------------------------------------------------


def ringing_for_the_first_of_two(world: World) -> tuple[str, str]:
    """Alice's phone rings for one caller while another waits."""
    world.pbx.phones[ALICE] = Phone(Mood.RINGS_ON)
    first, second = world.caller_arrives(), world.caller_arrives()
    world.agent_ready("alice")
    world.run_for(1)
    world.pbx.phones[ALICE].mood = Mood.ANSWERS
    assert world.waiting() == [second]
    return first, second


def test_an_agent_freed_by_a_caller_who_gives_up_gets_the_next(world: World) -> None:
    first, second = ringing_for_the_first_of_two(world)
    world.pbx.party_hangs_up(first)
    world.run_for(3)
    assert world.talking() == {"alice": second}


def test_an_agent_whose_offer_got_lost_gets_the_same_caller_again(world: World) -> None:
    first, second = ringing_for_the_first_of_two(world)
    (offered,) = kinds(world, f.ContactOffered)
    world.pbx.party_hangs_up(offered.leg, e.Cause.UNKNOWN)
    world.run_for(3)
    assert world.talking() == {"alice": first}
    assert world.waiting() == [second]


def test_an_agent_whose_offer_got_lost_with_its_node_serves_the_other_queue() -> None:
    """Her caller cannot be offered any more; those of another queue can."""
    world = World(small_center([QueueConfig("support"), QueueConfig("sales")], ["alice"]))
    world.pbx.phones[ALICE] = Phone(Mood.RINGS_ON)
    first = world.caller_arrives()
    world.caller_arrives("sales")
    world.agent_ready("alice")
    call = world.center.state.legs[first]
    (offered,) = kinds(world, f.ContactOffered)
    world.tell(e.LegArrived("node2", "node2-1.1", e.Door.TRUNK, "+18005550101", ""))
    world.tell(e.NodeDisconnected(NODE))
    world.tell(e.LegEnded(offered.leg, e.Cause.UNKNOWN))
    offers = kinds(world, f.ContactOffered)
    assert len(offers) == 2
    assert offers[-1].queue == "sales"
    assert world.center.state.calls[offers[-1].call].node == "node2"
    assert call.contact in {contact.id for contact in world.center.state.contacts.values() if contact.state == "waiting"}


def test_ready_in_wrap_up_overrules_what_was_asked_for_during_the_talk(world: World) -> None:
    alice = world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(3)
    world.tell(e.AgentNotReadyRequested("alice", "break"))
    world.pbx.party_hangs_up(caller)
    world.tell(e.AgentReadyRequested("alice"))
    assert alice.state is AgentState.READY


def test_a_caller_who_presses_hold_is_still_talking(world: World) -> None:
    """Hold is what the agent does; the caller who does it to us is heard no more, but is talked to."""
    world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(3)
    world.pbx.party_holds(caller)
    world.run_for(5)
    world.pbx.party_hangs_up(caller)
    (parted,) = kinds(world, f.ContactParted)
    assert parted.hold == timedelta()
    assert not kinds(world, f.ContactHeld)


def test_the_longest_wait_counts_from_the_first_entry_in_the_fallback() -> None:
    world = World(small_center([QueueConfig("support", max_wait=timedelta(seconds=60))], []))
    world.pbx.call_in("+18005550100", waiting_since=world.now - timedelta(seconds=50))
    world.run_for(9)
    assert not kinds(world, f.ContactOverflowed)
    world.run_for(2)
    (overflowed,) = kinds(world, f.ContactOverflowed)
    assert (overflowed.why, overflowed.wait) == (OverflowWhy.MAX_WAIT, timedelta(seconds=60))


def test_a_caller_out_of_reach_is_not_transferred(world: World) -> None:
    world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(3)
    world.lose_node()
    world.tell(e.TransferRequested("alice", "support"))
    assert "out of our reach" in world.refusals[-1]
    assert world.talking() == {"alice": caller}


def test_time_that_goes_back_counts_as_standing_still(world: World) -> None:
    world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(3)
    connected_at = world.now
    out = world.center.handle(e.LegEnded(caller, e.Cause.NORMAL), connected_at - timedelta(hours=1))
    (parted,) = [fact for fact in out.facts if isinstance(fact, f.ContactParted)]
    assert parted.talk >= timedelta()
    assert all(fact.at >= kinds(world, f.ContactConnected)[0].at for fact in out.facts)


def test_a_key_ends_what_we_are_saying(world: World) -> None:
    caller = world.pbx.call_in(MENU_DID)
    world.run_for(1)
    world.pbx.party_presses(caller, "1")
    assert not world.pbx.channels[caller].playback
    assert world.waiting() == [caller]


def test_a_fallback_call_reported_twice_is_one_call(world: World) -> None:
    """After a restart the queue log is read again from the beginning."""
    first = e.FallbackCallReported(NODE, "f1", "support", "+1", "+2", world.now, world.now, log_offset=100)
    for report in (first, replace(first, leg="f2", log_offset=200), first):
        world.tell(report)
    assert [fact.leg for fact in kinds(world, f.FallbackCallEnded)] == ["f1", "f2"]


def test_an_agent_who_was_removed_and_comes_back_begins_anew_after_a_restart_too(world: World) -> None:
    """Her phone was away when she was removed; whoever has her name now is not blamed for that."""
    usual = world.config
    without = replace(usual, agents={name: agent for name, agent in usual.agents.items() if name != "alice"})
    world.tell(e.PhoneUnreachable("phone-of-alice"))
    for config in (without, usual):
        world.config = config
        world.tell(e.ConfigChanged(config))
    live = world.center.state.agents["alice"]
    restored = Center.restore(usual, Ids("restored"), world.facts).state.agents["alice"]
    assert (restored.reachable, restored.queues) == (live.reachable, live.queues) == (True, usual.agents["alice"].queues)


def test_so_does_one_who_was_removed_while_we_were_away(world: World) -> None:
    usual = world.config
    without = replace(usual, agents={name: agent for name, agent in usual.agents.items() if name != "alice"})
    world.agent_ready("alice")
    world.tell(e.AgentLogoutRequested("alice"))
    world.tell(e.PhoneUnreachable("phone-of-alice"))
    for config in (without, usual):
        world.config = config
        world.center = Center.restore(config, Ids(f"{len(world.facts)}"), world.facts)
        world.tell(e.ConfigChanged(config))  # as each start of the engine does
    assert world.center.state.agents["alice"].reachable


def test_who_is_offered_a_caller_is_not_forgotten_because_she_had_once_logged_out(world: World) -> None:
    """She is removed from the configuration while we are away and her phone rings."""
    world.agent_ready("alice")
    world.tell(e.AgentLogoutRequested("alice"))
    world.pbx.phones[ALICE] = Phone(Mood.RINGS_ON)
    world.agent_ready("alice")
    world.caller_arrives()
    without = replace(world.config, agents={name: agent for name, agent in world.config.agents.items() if name != "alice"})
    world.config = without
    world.center = Center.restore(without, Ids("restored"), world.facts)
    world.tell(e.ConfigChanged(without))
    world.run_for(60)
    assert world.faults == []
    assert set(world.center.state.agents) == {"bob"}
