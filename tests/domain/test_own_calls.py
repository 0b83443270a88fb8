"""Agents' own calls: whom they may call, what they are meanwhile, and what they are again afterwards."""

from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.domain import commands as c
from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.books import fold_call, fold_stays
from callcenter.domain.config import CallingConfig, CenterConfig, OwnCallsConfig, QueueConfig
from callcenter.domain.facts import AgentState
from callcenter.runtime.dialing_rules import DialingRules
from callcenter.sim.fake_pbx import Channel, Mood, Phone
from callcenter.sim.world import World, small_center

FRIEND, PREMIUM, OTHER = "+12025550171", "+19005550171", "+12125550171"
QUEUES = (
    QueueConfig("support", wrap_up=timedelta(seconds=20), extension="3001"),
    QueueConfig("sales", number_shown="+18005550101"),
)


def config(*, premium: bool = False) -> CenterConfig:
    plain = small_center(QUEUES, ("alice", "bob", "carol"))
    agents = {name: replace(agent, extension=f"200{number}") for number, (name, agent) in enumerate(plain.agents.items(), 1)}
    agents["alice"] = replace(agents["alice"], may_dial=("+1202", "+1900"))
    calling = CallingConfig(trunk="carrier", rules=DialingRules("US", emergency=("911",), ours=tuple(plain.numbers)))
    return replace(plain, agents=agents, calling=calling, own_calls=OwnCallsConfig(timedelta(seconds=20), premium=premium))


@pytest.fixture
def world() -> World:
    return World(config())


def dials(world: World, whom: str, agent: str = "alice") -> Channel:
    return world.pbx.channels[world.pbx.dial_from_phone(f"phone-of-{agent}", whom)]


def states(world: World, agent: str) -> list[str]:
    changes = [fact for fact in world.facts if isinstance(fact, f.AgentStateChanged) and fact.agent == agent]
    return [f"{change.state} {change.reason}".strip() for change in changes]


def phone_of(world: World, agent: str) -> Channel | None:
    return next((each for each in world.pbx.channels.values() if each.endpoint == f"phone-of-{agent}"), None)


def test_a_colleague_is_called_both_are_not_ready_and_then_what_they_were(world: World) -> None:
    world.agent_ready("alice")
    world.tell(e.AgentLoginRequested("bob"))
    world.tell(e.AgentReadyRequested("bob"))
    world.tell(e.AgentNotReadyRequested("bob", "lunch"))
    idle_since = world.agent("alice").idle_since
    world.run_for(10)
    own = dials(world, "2002")
    assert own.hears_ringing
    assert (world.agent("alice").reason, world.agent("bob").reason) == ("own_call", "own_call")
    world.run_for(3)
    bob = phone_of(world, "bob")
    assert bob is not None
    assert bob.bridge == own.bridge != ""
    world.run_for(30)
    world.pbx.party_hangs_up(own.id)
    world.run_for(1)
    assert phone_of(world, "bob") is None
    assert states(world, "alice") == ["not_ready login", "ready", "not_ready own_call", "ready"]
    assert states(world, "bob")[-2:] == ["not_ready own_call", "not_ready lunch"]
    assert world.agent("alice").idle_since == idle_since
    assert world.faults == []


def test_it_is_a_call_of_its_own_in_the_books_and_nobodys_contact(world: World) -> None:
    world.agent_ready("alice")
    own = dials(world, FRIEND)
    world.run_for(12)
    assert own.bridge
    world.pbx.party_hangs_up(next(each.id for each in world.pbx.channels.values() if each.number == FRIEND))
    world.run_for(1)
    books = fold_call(fact for fact in world.facts if getattr(fact, "call", ""))
    assert books.call is not None
    assert (books.call.direction, books.call.agent, books.call.dialed, books.call.contacts) == ("own", "alice", FRIEND, 0)
    assert books.call.talk == timedelta(seconds=12) - timedelta(seconds=2.05)
    assert books.recordings == ()
    stays = fold_stays(fact for fact in world.facts if isinstance(fact, f.AgentStateChanged) and fact.agent == "alice")
    assert [(stay.state, stay.reason) for stay in stays][-2:] == [("not_ready", "own_call"), ("ready", "")]
    assert (world.center.state.calls, world.center.state.legs) == ({}, {})


def test_nobody_is_offered_a_contact_meanwhile_and_at_once_afterwards(world: World) -> None:
    world.agent_ready("alice")
    own = dials(world, FRIEND)
    world.run_for(5)
    caller = world.caller_arrives()
    world.run_for(5)
    assert world.waiting() == [caller]
    world.pbx.party_hangs_up(own.id)
    world.run_for(3)
    assert world.talking() == {"alice": caller}


@pytest.mark.parametrize(
    ("whom", "why"),
    [
        ("911", "emergency"),
        ("2001", "herself"),
        ("3001", "callers are transferred"),
        ("4711", "not a valid"),
        (OTHER, "may not call"),
        (PREMIUM, "premium"),
        ("+18005550100", "our own"),
        ("+4930123456", "where we do not call"),
        ("#12", "not a valid"),
    ],
)
def test_what_may_not_be_called_is_refused_with_why(world: World, whom: str, why: str) -> None:
    world.agent_ready("alice")
    assert dials(world, whom).heard == ["desk-not-allowed"]
    assert why in world.refusals[-1]
    assert world.agent("alice").state is AgentState.READY
    world.tell(e.AgentDialRequested("alice", whom))
    assert why in world.refusals[-1]
    assert world.pbx.dialed == []


def test_who_asked_not_to_be_called_is_not_called_by_hand_either(world: World) -> None:
    world.agent_ready("alice")
    world.tell(e.DoNotCallAddRequested(FRIEND))
    assert dials(world, "2025550171").heard == ["desk-not-allowed"]
    assert "do-not-call" in world.refusals[-1]


def test_premium_numbers_where_they_are_allowed() -> None:
    world = World(config(premium=True))
    world.agent_ready("alice")
    dials(world, PREMIUM)
    assert [dial.number for dial in world.pbx.dialed] == [PREMIUM]


def test_who_has_no_list_of_beginnings_calls_nobody_outside(world: World) -> None:
    world.agent_ready("bob")
    assert dials(world, FRIEND, "bob").heard == ["desk-not-allowed"]


@pytest.mark.parametrize(("queue", "shown"), [("", "+18005550101"), ("support", "+18005550100"), ("sales", "+18005550101")])
def test_the_called_party_sees_the_number_of_the_queue(world: World, queue: str, shown: str) -> None:
    """Of the one she calls for; of her first that has one, when she has named none."""
    world.agent_ready("alice")
    world.tell(e.AgentDialRequested("alice", FRIEND, queue=queue))
    world.run_for(3)
    (dial,) = world.pbx.dialed
    assert dial.shown == shown


def test_from_her_screen_her_own_phone_rings_first(world: World) -> None:
    world.agent_ready("alice")
    world.agent_ready("bob")
    world.tell(e.AgentDialRequested("alice", colleague="bob"))
    assert world.agent("alice").reason == "own_call"
    assert world.agent("bob").state is AgentState.READY
    world.run_for(6)
    alice, bob = phone_of(world, "alice"), phone_of(world, "bob")
    assert alice is not None
    assert bob is not None
    assert alice.bridge == bob.bridge != ""
    world.tell(e.AgentDialEndRequested("alice"))
    world.run_for(1)
    assert states(world, "bob")[-2:] == ["not_ready own_call", "ready"]
    assert world.refusals == []
    world.tell(e.AgentDialEndRequested("alice"))
    assert world.refusals == ["alice is in no call of her own"]


def test_who_does_not_pick_up_her_own_phone_calls_nobody(world: World) -> None:
    world.pbx.phones["phone-of-alice"] = Phone(Mood.RINGS_ON)
    world.agent_ready("alice")
    world.tell(e.AgentDialRequested("alice", FRIEND))
    world.run_for(40)
    assert world.pbx.dialed == []
    assert states(world, "alice")[-1] == "ready"
    assert [fact.why for fact in world.facts if isinstance(fact, f.OwnCallEnded)] == ["called_off"]


@pytest.mark.parametrize(
    ("mood", "said", "why"),
    [
        (Mood.BUSY, "desk-line-busy", "busy"),
        (Mood.DECLINES, "desk-line-busy", "busy"),
        (Mood.RINGS_ON, "desk-no-answer", "no_answer"),
        (Mood.UNREACHABLE, "desk-no-answer", "unreachable"),
    ],
)
def test_she_is_told_why_nobody_is_there(world: World, mood: Mood, said: str, why: str) -> None:
    world.pbx.phones["phone-of-bob"] = Phone(mood)
    world.agent_ready("alice")
    world.agent_ready("bob")
    own = dials(world, "2002")
    world.run_for(30)
    assert own.heard == ["ringing", said]
    assert not own.hears_ringing
    assert [fact.why for fact in world.facts if isinstance(fact, f.OwnCallEnded)] == [why]
    assert states(world, "alice")[-1] == states(world, "bob")[-1] == "ready"


def test_a_colleague_who_talks_is_busy_and_is_not_disturbed(world: World) -> None:
    world.agent_ready("bob")
    caller = world.caller_arrives()
    world.run_for(3)
    assert world.talking() == {"bob": caller}
    world.agent_ready("alice")
    assert dials(world, "2002").heard == ["desk-line-busy"]
    assert world.talking() == {"bob": caller}
    world.run_for(3)
    assert states(world, "alice")[-1] == "ready"


def test_who_talks_to_a_caller_or_is_logged_out_begins_no_call_of_her_own(world: World) -> None:
    assert dials(world, "2002").heard == ["not-possible"]
    world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(3)
    world.tell(e.AgentDialRequested("alice", FRIEND))
    assert world.refusals[-1] == "alice is in a call"
    assert dials(world, OTHER).heard == ["not-possible"]
    assert world.talking() == {"alice": caller}


@pytest.mark.parametrize(
    ("asked", "becomes"),
    [
        (e.AgentNotReadyRequested("alice", "meeting"), "not_ready meeting"),
        (e.AgentLogoutRequested("alice"), "logged_out"),
        (e.AgentReadyRequested("alice"), "ready"),
    ],
)
def test_what_she_asks_for_meanwhile_is_obeyed_afterwards(world: World, asked: e.AgentRequest, becomes: str) -> None:
    world.agent_ready("alice")
    world.tell(e.AgentNotReadyRequested("alice", "lunch"))
    own = dials(world, FRIEND)
    world.run_for(4)
    world.tell(asked)
    assert states(world, "alice")[-1] == "not_ready own_call"
    world.pbx.party_hangs_up(own.id)
    assert states(world, "alice")[-1] == becomes


def test_in_wrap_up_she_may_call_and_the_wrap_up_is_not_prolonged(world: World) -> None:
    world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(3)
    world.pbx.party_hangs_up(caller)
    own = dials(world, FRIEND)
    world.run_for(5)
    assert states(world, "alice")[-1] == "wrap_up"
    world.run_for(20)
    assert states(world, "alice")[-1] == "not_ready own_call"
    world.pbx.party_hangs_up(own.id)
    assert states(world, "alice")[-1] == "ready"


def test_an_own_call_outlives_a_restart(world: World) -> None:
    world.agent_ready("alice")
    own = dials(world, FRIEND)
    world.run_for(5)
    world.crash_and_restore()
    assert world.agent("alice").own_call
    assert own.bridge
    world.pbx.party_hangs_up(own.id)
    assert states(world, "alice")[-1] == "ready"
    assert world.pbx.channels == {}
    assert world.faults == []


def test_the_other_side_hears_the_keys_of_an_own_call(world: World) -> None:
    """Another center's menu, say."""
    world = World(replace(config(), feature_prefix="*"))
    world.agent_ready("alice")
    own = dials(world, FRIEND)
    world.run_for(5)
    for key in "*12":
        world.pbx.party_presses(own.id, key)
    assert next(each for each in world.pbx.channels.values() if each.number == FRIEND).digits == "*12"


def test_nothing_is_recorded(world: World) -> None:
    carried_out: list[c.Command] = []
    run = world.pbx.run
    world.pbx.run = lambda command: (carried_out.append(command), run(command))[1]  # type: ignore[method-assign, func-returns-value]
    world.agent_ready("alice")
    dials(world, FRIEND)
    world.run_for(5)
    assert [command for command in carried_out if isinstance(command, c.ConnectLegs)]
    assert [command for command in carried_out if isinstance(command, c.StartRecording)] == []


def talks(world: World) -> str:
    world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(3)
    assert world.talking() == {"alice": caller}
    return caller


def test_a_caller_is_sent_to_a_number_outside_that_she_may_call(world: World) -> None:
    caller = talks(world)
    world.tell(e.TransferRequested("alice", number="(202) 555-0171"))
    world.run_for(4)
    outside = next(each for each in world.pbx.channels.values() if each.number == FRIEND)
    assert outside.bridge == world.pbx.channels[caller].bridge != ""
    assert world.pbx.recordings == {}
    assert states(world, "alice")[-1] == "wrap_up"
    assert [fact.why for fact in world.facts if isinstance(fact, f.ContactParted)] == ["transferred"]


def test_who_reaches_nobody_outside_waits_in_the_queue_again(world: World) -> None:
    world.pbx.outside[FRIEND] = Phone(Mood.BUSY)
    caller = talks(world)
    assert phone_of(world, "alice")
    world.pbx.party_refers(next(each.id for each in world.pbx.channels.values() if each.endpoint == "phone-of-alice"), "2025550171")
    world.run_for(1)
    assert world.waiting() == [caller]


@pytest.mark.parametrize("number", ["911", OTHER, PREMIUM, "+18005550100", "", "12"])
def test_nobody_is_sent_to_an_emergency_number_or_where_she_may_not_call(number: str) -> None:
    world = World(config(premium=True))  # no caller of ours is sent to a number that costs, whatever agents may call
    caller = talks(world)
    world.tell(e.TransferRequested("alice", number=number))
    assert world.refusals
    alice = phone_of(world, "alice")
    assert alice is not None
    world.pbx.party_refers(alice.id, number)
    assert alice.referred == [False]
    assert world.talking() == {"alice": caller}
    assert world.pbx.dialed == []
