"""Callbacks told as calls: the promise, its turn, what may go wrong on the way, and what is never done twice."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, time, timedelta
from typing import TypeVar

import pytest

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.calling_hours import CallingHours
from callcenter.domain.config import CallbackConfig, CallingConfig, CenterConfig, Device, QueueConfig
from callcenter.domain.facts import AgentState
from callcenter.domain.facts import callbacks as cf
from callcenter.domain.hours_plan import Plan, expand
from callcenter.domain.ivr.flow import CallbackNode, CollectNode, Flow, HangUpNode, PromptNode, QueueNode, faults
from callcenter.domain.ivr.validation import Known
from callcenter.domain.numbers import CheckedNumber, NumberRefusal, any_e164
from callcenter.domain.routing_config import Needs, Routing, Skill
from callcenter.domain.waiter import Band
from callcenter.sim.checker import Checker
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.timeline import EPOCH
from callcenter.sim.world import World, small_center

T = TypeVar("T")
ANN, BEN, CAROL = "+12025550101", "+12025550102", "+12025550103"
AGENT_FIRST, CALLER_FIRST = CallbackConfig(), CallbackConfig(agent_first=False)
ASK = Flow(
    "ask",
    "number",
    {
        "number": CollectNode("which-number", "number", "promise", "end"),
        "promise": CallbackNode("support", "said", "wrong", attribute="number"),
        "said": PromptNode("callback-promised", "end"),
        "wrong": PromptNode("wrong-key", "wait"),
        "wait": QueueNode("support"),
        "end": HangUpNode(),
    },
)


def center(callback: CallbackConfig = AGENT_FIRST, *, agents: Sequence[str] = ("alice",), **calling: object) -> CenterConfig:
    made = small_center([QueueConfig("support", callback=callback)], agents, [ASK])
    return replace(made, calling=CallingConfig("carrier", **calling))  # type: ignore[arg-type]


def world_of(callback: CallbackConfig = AGENT_FIRST, *, agents: Sequence[str] = ("alice",), **calling: object) -> World:
    world = World(center(callback, agents=agents, **calling))
    world.pbx.phones["phone-of-alice"] = Phone(Mood.ANSWERS, lambda: timedelta(seconds=2))
    return world


def kept(world: World, kind: type[T]) -> list[T]:
    return [fact for fact in world.facts if isinstance(fact, kind)]


def one(world: World, kind: type[T]) -> T:
    (fact,) = kept(world, kind)
    return fact


def promise(world: World, caller: str = ANN) -> str:
    """The caller waits, presses the key, and hangs up after hearing that it is promised; returns the callback."""
    leg = world.caller_arrives(caller=caller)
    world.run_for(3)
    world.pbx.party_presses(leg, "1")
    world.run_for(5)
    assert leg not in world.pbx.channels
    return kept(world, cf.CallbackCreated)[-1].callback


def hears(world: World, number: str) -> list[str]:
    """What somebody heard whom we called, and who is still there."""
    return next(channel.heard for channel in world.pbx.channels.values() if channel.number == number)


def talk(world: World, number: str, seconds: float = 20) -> None:
    """They talk, then the caller hangs up."""
    world.run_for(seconds)
    leg = next(channel.id for channel in world.pbx.channels.values() if channel.number == number)
    world.pbx.party_hangs_up(leg)
    world.run_for(1)


# --- the whole story ----------------------------------------------------------------------------


def test_who_presses_the_key_is_told_so_hangs_up_and_is_called_when_the_turn_comes_agent_first() -> None:
    world = world_of()
    callback = promise(world)
    original = one(world, f.ContactEntered)
    overflowed = one(world, f.ContactOverflowed)
    assert overflowed.why is f.OverflowWhy.CALLBACK_TAKEN
    assert one(world, cf.CallbackCreated).place == original.place
    assert world.pbx.dialed == []

    world.agent_ready("alice")
    world.run_for(1)
    assert world.agent("alice").state is AgentState.RESERVED
    assert world.pbx.dialed == []  # first the agent
    world.run_for(4)
    assert [dial.number for dial in world.pbx.dialed] == [ANN]
    assert world.agent("alice").state is AgentState.TALKING
    talk(world, ANN)

    reached = kept(world, f.ContactEntered)[1]
    connected = one(world, f.ContactConnected)
    assert (reached.place, reached.entered_at) == (original.place, one(world, cf.CallbackReached).at)
    assert connected.wait == timedelta()  # who was called back has not waited for it on the line
    assert [type(fact) for fact in world.facts if getattr(fact, "callback", "") == callback] == [
        cf.CallbackCreated,
        cf.CallbackDue,
        cf.CallbackReserved,
        cf.CallbackAttempted,
        cf.CallbackReached,
        cf.CallbackBridged,
        cf.CallbackKept,
    ]
    assert one(world, cf.CallbackKept).in_time
    assert world.faults == []
    assert world.center.state.callbacks.open == {}
    assert world.pbx.channels == {}


def test_caller_first_hears_a_greeting_while_the_agent_is_kept_for_her() -> None:
    world = world_of(CALLER_FIRST)
    promise(world)
    world.agent_ready("alice")
    world.run_for(1)
    assert world.agent("alice").state is AgentState.RESERVED
    assert not any(channel.endpoint == "phone-of-alice" for channel in world.pbx.channels.values())
    world.run_for(2)
    assert hears(world, ANN) == ["callback-greeting"]
    world.run_for(4)
    assert world.agent("alice").state is AgentState.TALKING
    entered = kept(world, f.ContactEntered)
    assert entered[1].place == entered[0].place
    talk(world, ANN)
    assert one(world, cf.CallbackKept).how is cf.KeptHow.BRIDGED
    assert world.faults == []


def test_the_place_is_kept_among_those_who_stayed_on_the_line() -> None:
    world = world_of()
    ben_first = world.caller_arrives(caller=BEN)
    world.run_for(1)
    promise(world, ANN)
    carol_last = world.caller_arrives(caller=CAROL)
    world.agent_ready("alice")
    world.run_for(3)
    assert world.talking() == {"alice": ben_first}
    world.pbx.party_hangs_up(ben_first)
    world.run_for(15)
    assert [dial.number for dial in world.pbx.dialed] == [ANN]
    assert carol_last in world.pbx.channels
    talk(world, ANN)
    world.run_for(14)
    assert world.talking() == {"alice": carol_last}


def test_nobody_is_called_who_is_still_on_the_line_with_us() -> None:
    world = world_of()
    leg = world.caller_arrives(caller=ANN)
    world.run_for(1)
    world.pbx.party_presses(leg, "1")
    world.agent_ready("alice")
    world.run_for(1)
    assert leg in world.pbx.channels  # she hears that it is promised
    assert world.agent("alice").state is AgentState.READY
    world.run_for(2)
    assert world.agent("alice").state is AgentState.RESERVED


# --- the number ---------------------------------------------------------------------------------


def test_a_caller_without_a_number_enters_one_and_keeps_the_place() -> None:
    world = world_of(replace(AGENT_FIRST, flow="ask"), rules=lambda text: any_e164(f"+1{text}" if len(text) == 10 else text))
    leg = world.caller_arrives(caller="")
    world.run_for(2)
    world.pbx.party_presses(leg, "1")
    world.run_for(3)
    for digit in "2025550101#":
        world.pbx.party_presses(leg, digit)
    world.run_for(3)
    created = one(world, cf.CallbackCreated)
    assert (created.number, created.place) == (ANN, one(world, f.ContactEntered).place)
    assert created.contact == one(world, f.ContactOverflowed).contact


def test_who_enters_what_is_no_number_waits_on_at_the_old_place() -> None:
    world = world_of(replace(AGENT_FIRST, flow="ask"))
    leg = world.caller_arrives(caller="")
    world.caller_arrives(caller=BEN)
    world.run_for(2)
    world.pbx.party_presses(leg, "1")
    world.run_for(3)
    for digit in "911#":
        world.pbx.party_presses(leg, digit)
    world.run_for(5)
    assert kept(world, cf.CallbackCreated) == []
    assert world.waiting()[0] == leg


def test_another_number_corrects_the_promise_in_the_same_call() -> None:
    world = world_of(replace(AGENT_FIRST, flow="ask"), rules=lambda text: any_e164(f"+1{text}" if len(text) == 10 else text))
    leg = world.caller_arrives(caller=ANN)
    world.run_for(2)
    world.pbx.party_presses(leg, "1")
    world.run_for(3)
    assert one(world, cf.CallbackCreated).number == ANN
    for digit in "2025550102#":
        world.pbx.party_presses(leg, digit)
    world.run_for(3)
    assert one(world, cf.CallbackEdited).number == BEN
    world.agent_ready("alice")
    world.run_for(3)
    assert [dial.number for dial in world.pbx.dialed] == [BEN]


def test_without_a_number_and_without_a_flow_the_key_does_nothing() -> None:
    world = world_of()
    leg = world.caller_arrives(caller="anonymous")
    world.run_for(2)
    world.pbx.party_presses(leg, "1")
    world.run_for(2)
    assert world.waiting() == [leg]


def test_a_key_while_the_agents_phone_rings_does_not_send_the_caller_away() -> None:
    world = world_of()
    world.agent_ready("alice")
    leg = world.caller_arrives(caller=ANN)
    world.run_for(1)
    world.pbx.party_presses(leg, "1")
    world.run_for(2)
    assert world.talking() == {"alice": leg}


# --- the caller calls first ---------------------------------------------------------------------


@pytest.mark.parametrize("when", ["waiting", "agent rings", "caller rings"])
def test_the_caller_who_calls_first_stands_at_the_promised_place_and_is_never_dialed(when: str) -> None:
    world = world_of(agents=("alice", "bob"))
    callback = promise(world)
    world.caller_arrives(caller=BEN)
    world.pbx.phones["phone-of-alice"] = Phone(Mood.ANSWERS if when == "caller rings" else Mood.RINGS_ON)
    world.pbx.outside[ANN] = Phone(Mood.RINGS_ON)
    if when != "waiting":
        world.agent_ready("alice")
        world.run_for(4)
    world.pbx.phones["phone-of-alice"] = Phone()
    leg = world.caller_arrives(caller=ANN)
    world.run_for(1)
    merged = one(world, cf.CallbackKept)
    assert (merged.callback, merged.how, merged.in_time) == (callback, cf.KeptHow.MERGED, True)
    entered = kept(world, f.ContactEntered)
    assert entered[-1].place == entered[0].place
    assert len(world.pbx.dialed) == (when == "caller rings")
    if when == "waiting":
        assert world.waiting()[0] == leg
    world.agent_ready("alice")
    world.agent_ready("bob")
    world.run_for(60)
    assert set(world.talking().values()) >= {leg}
    assert len(world.pbx.dialed) == (when == "caller rings")
    assert not any(channel.number for channel in world.pbx.channels.values())
    assert world.faults == []


def test_the_same_number_is_promised_once() -> None:
    world = world_of()
    promise(world)
    leg = world.caller_arrives(caller=ANN)  # merged
    world.run_for(2)
    world.pbx.party_presses(leg, "1")
    world.run_for(5)
    assert len(world.center.state.callbacks.open) == 1
    created = kept(world, cf.CallbackCreated)
    assert created[1].place == created[0].place


# --- nobody there -------------------------------------------------------------------------------


@pytest.mark.parametrize("config", [AGENT_FIRST, CALLER_FIRST], ids=["agent first", "caller first"])
@pytest.mark.parametrize(
    ("mood", "outcome"),
    [
        (Mood.BUSY, cf.AttemptOutcome.BUSY),
        (Mood.DECLINES, cf.AttemptOutcome.REJECTED),
        (Mood.RINGS_ON, cf.AttemptOutcome.NO_ANSWER),
        (Mood.UNREACHABLE, cf.AttemptOutcome.FAILED),
    ],
)
def test_an_attempt_that_reaches_nobody_is_repeated_by_the_retry_rule_and_then_the_promise_is_broken(
    config: CallbackConfig, mood: Mood, outcome: cf.AttemptOutcome
) -> None:
    world = world_of(config)
    promise(world)
    world.pbx.outside[ANN] = Phone(mood)
    idle_since = world.agent_ready("alice").idle_since
    world.run_for(40)
    assert len(world.pbx.dialed) == 1
    unreached = one(world, cf.CallbackUnreached)
    assert unreached.outcome is outcome
    assert world.agent("alice").state is AgentState.READY
    assert world.agent("alice").idle_since == idle_since  # not her fault
    world.run_until(unreached.at + config.retry_after - timedelta(seconds=1))
    assert len(world.pbx.dialed) == 1
    world.run_for(60 * 20)
    assert len(world.pbx.dialed) == config.attempts == 3
    assert len({dial.leg for dial in world.pbx.dialed}) == 3
    assert one(world, cf.CallbackBroken).why is cf.BrokenWhy.UNREACHED
    assert world.pbx.channels == {}
    assert world.faults == []
    world.run_for(3600 * 100)
    assert len(world.pbx.dialed) == 3


def test_a_number_that_does_not_exist_is_not_tried_again() -> None:
    world = world_of()
    promise(world)
    world.agent_ready("alice")
    world.pbx.outside[ANN] = Phone(Mood.RINGS_ON)
    world.run_for(3)
    world.pbx.party_hangs_up(world.pbx.dialed[0].leg, e.Cause.INVALID_NUMBER)
    assert one(world, cf.CallbackBroken).why is cf.BrokenWhy.INVALID_NUMBER


def test_an_agent_who_does_not_take_it_costs_no_attempt_and_the_next_is_asked() -> None:
    world = world_of(agents=("alice", "bob"))
    promise(world)
    world.pbx.phones["phone-of-alice"] = Phone(Mood.RINGS_ON)
    world.agent_ready("alice")
    world.run_for(1)
    world.agent_ready("bob")
    world.run_for(14)
    assert (world.agent("alice").state, world.agent("alice").reason) == (AgentState.NOT_READY, "missed_offer")
    world.run_for(5)
    assert [fact.agent for fact in kept(world, cf.CallbackReserved)] == ["alice", "bob"]
    assert one(world, cf.CallbackAttempted).agent == "bob"
    talk(world, ANN)
    assert one(world, cf.CallbackKept).how is cf.KeptHow.BRIDGED


def test_an_agent_who_hangs_up_while_we_dial_uses_up_the_attempt_and_the_caller_is_let_go() -> None:
    world = world_of()
    promise(world)
    world.pbx.outside[ANN] = Phone(Mood.RINGS_ON)
    world.agent_ready("alice")
    world.run_for(3)
    world.pbx.party_hangs_up(next(leg for leg, channel in world.pbx.channels.items() if channel.endpoint == "phone-of-alice"))
    world.run_for(1)
    assert one(world, cf.CallbackUnreached).outcome is cf.AttemptOutcome.CANCELLED
    assert world.pbx.channels == {}


def test_a_reached_caller_who_leaves_before_an_agent_is_there_is_called_again() -> None:
    world = world_of(CALLER_FIRST)
    promise(world)
    world.pbx.phones["phone-of-alice"] = Phone(Mood.RINGS_ON)
    world.agent_ready("alice")
    world.run_for(6)
    leg = world.pbx.dialed[0].leg
    assert one(world, cf.CallbackReached)
    world.pbx.party_hangs_up(leg)
    world.run_for(1)
    assert one(world, cf.CallbackUnreached).outcome is cf.AttemptOutcome.ABANDONED
    assert kept(world, f.ContactAbandoned)
    world.agent_ready("alice")
    world.pbx.phones["phone-of-alice"] = Phone()
    world.run_for(310)
    assert len(world.pbx.dialed) == 2


# --- when and whether we may call ---------------------------------------------------------------


def test_a_turn_outside_the_calling_hours_waits_for_their_beginning() -> None:
    hours = CallingHours("UTC", {day: ((time(10), time(20)),) for day in range(7)})  # the world begins at 09:00
    world = world_of(hours=hours)
    promise(world)
    world.agent_ready("alice")
    world.run_for(600)
    assert world.pbx.dialed == []
    assert world.agent("alice").state is AgentState.READY
    begins = world.now.replace(hour=10, minute=0, second=0, microsecond=0)
    assert one(world, cf.CallbackPutOff).due_at == begins
    world.run_until(begins + timedelta(seconds=5))
    assert len(world.pbx.dialed) == 1


def test_a_calendar_says_when_we_call_and_its_emergency_switch_too() -> None:
    calendar = expand(Plan("main", "UTC", dict.fromkeys(range(7), ((time(9), time(20)),))), EPOCH.date())
    world = World(replace(center(AGENT_FIRST, agents=("alice",), calendar="main"), calendars={"main": calendar}))
    world.tell(e.HoursSwitchRequested("main", False, reason="power cut"))
    promise(world)
    world.agent_ready("alice")
    world.run_for(20 * 60)
    assert world.pbx.dialed == []
    world.tell(e.HoursSwitchRequested("main", None))
    world.run_for(20 * 60)
    assert len(world.pbx.dialed) == 1, "it was not put off to its end because nobody knew how long the switch would last"


@pytest.mark.parametrize(
    ("zones", "called_at"),
    [
        (("Europe/Berlin",), "09:00"),  # the world begins at 09:00 UTC, promised at 09:00 and some seconds
        (("America/New_York",), "13:00"),
        (("Europe/Berlin", "America/New_York"), "13:00"),
        (("America/Los_Angeles", "Pacific/Auckland", "Asia/Kolkata", "Europe/Berlin"), "09:00"),  # at no time in all
        ((), "09:00"),
    ],
)
def test_the_clock_where_the_caller_may_be_counts_in_all_its_zones(zones: tuple[str, ...], called_at: str) -> None:
    world = world_of(local=((time(8), time(21)),), rules=lambda text: CheckedNumber(text, zones=zones))
    promise(world)
    world.agent_ready("alice")
    world.run_for(6 * 3600)
    attempted = kept(world, cf.CallbackAttempted)[0]
    assert attempted.at.strftime("%H:%M") == called_at


def test_hours_that_never_come_again_break_the_promise_when_it_expires() -> None:
    world = world_of(hours=CallingHours("UTC", {}, {date(2020, 1, 1): ()}))
    promise(world)
    world.agent_ready("alice")
    world.run_for(3600 * 97)
    assert one(world, cf.CallbackBroken).why is cf.BrokenWhy.EXPIRED
    assert world.pbx.dialed == []


def test_a_number_that_came_onto_the_do_not_call_list_meanwhile_is_not_dialed() -> None:
    world = world_of()
    promise(world)

    def rules(text: str) -> CheckedNumber:
        return CheckedNumber(text, NumberRefusal.DO_NOT_CALL, "it is on the list")

    world.tell(e.ConfigChanged(center(rules=rules)))
    world.agent_ready("alice")
    world.run_for(60)
    assert world.pbx.dialed == []
    assert one(world, cf.CallbackBroken).why is cf.BrokenWhy.DO_NOT_CALL
    assert world.agent("alice").state is AgentState.READY


def test_a_promise_that_nobody_could_keep_expires() -> None:
    world = world_of(replace(AGENT_FIRST, expires_after=timedelta(hours=1)))
    promise(world)
    world.run_for(3601)
    assert one(world, cf.CallbackBroken).why is cf.BrokenWhy.EXPIRED
    world.agent_ready("alice")
    world.run_for(60)
    assert world.pbx.dialed == []


# --- chosen times and owners --------------------------------------------------------------------


def ask(world: World, number: str = ANN, **more: object) -> str:
    callback = f"asked-{len(kept(world, cf.CallbackCreated))}"
    world.tell(e.CallbackRequested(callback, "support", number, **more))  # type: ignore[arg-type]
    return callback


def test_a_chosen_time_is_kept_and_not_before() -> None:
    world = world_of()
    world.agent_ready("alice")
    at = world.now + timedelta(hours=3)
    ask(world, due_at=at)
    world.run_until(at - timedelta(seconds=1))
    assert world.pbx.dialed == []
    world.run_until(at + timedelta(seconds=4))
    assert len(world.pbx.dialed) == 1
    talk(world, ANN)
    assert one(world, cf.CallbackKept).in_time


def test_a_chosen_time_that_passes_while_all_are_busy_is_kept_late() -> None:
    world = world_of()
    at = world.now + timedelta(minutes=10)
    ask(world, due_at=at)
    world.run_until(at + timedelta(minutes=16))
    world.agent_ready("alice")
    world.run_for(5)
    talk(world, ANN)
    assert not one(world, cf.CallbackKept).in_time


def test_an_agents_own_callback_waits_for_her_and_then_is_anybodys() -> None:
    world = world_of(agents=("alice", "bob"))
    world.agent_ready("bob")
    ask(world, owner="alice", owned_for=timedelta(minutes=5))
    world.run_for(299)
    assert world.pbx.dialed == []
    assert world.agent("bob").state is AgentState.READY
    world.run_for(10)
    assert world.pbx.dialed[0].number == ANN
    assert one(world, cf.CallbackAttempted).agent == "bob"


def test_an_agents_own_callback_comes_to_her_even_of_a_queue_that_she_has_opted_out_of() -> None:
    """It was promised that she would call. The bookkeeper who reads the facts knows that."""
    config = center()
    world = World(replace(config, agents={"alice": replace(config.agents["alice"], may_opt_out=("support",), least_queues=0)}))
    bookkeeper = Checker()
    bookkeeper.keep(world.facts, world.config)
    world.on_facts = lambda facts: (world.facts.extend(facts), bookkeeper.keep(facts, world.config))[0]
    world.agent_ready("alice")
    world.tell(e.OptOutRequested("alice", "support"))
    ask(world, owner="alice")
    world.run_for(5)
    assert one(world, cf.CallbackAttempted).agent == "alice"
    assert [str(violation) for violation in bookkeeper.violations] == []


def test_an_agents_own_callback_comes_before_others_once_she_is_free() -> None:
    world = world_of(agents=("alice", "bob"))
    ask(world, owner="alice")
    caller = world.caller_arrives(caller=BEN)
    world.agent_ready("alice")
    world.run_for(5)
    assert one(world, cf.CallbackAttempted).agent == "alice"
    assert world.waiting() == [caller]


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (e.CallbackRequested("x", "nowhere", ANN), "nobody is called back from a queue 'nowhere'; queues with callbacks: support"),
        (e.CallbackRequested("x", "support", "911"), "not a telephone number"),
        (e.CallbackRequested("x", "support", ANN, owner="mallory"), "there is no agent 'mallory'"),
        (e.CallbackEditRequested("nothing"), "there is no open callback 'nothing'"),
        (e.CallbackCancelRequested("nothing"), "there is no open callback 'nothing'"),
    ],
)
def test_what_people_cannot_have_is_refused_with_a_sentence(event: e.Event, said: str) -> None:
    world = world_of()
    world.tell(event)
    assert said in world.refusals[-1]
    assert kept(world, cf.CallbackCreated) == []


def test_a_supervisor_edits_and_cancels() -> None:
    world = world_of()
    callback = promise(world)
    later = world.now + timedelta(hours=1)
    world.tell(e.CallbackEditRequested(callback, number=BEN, due_at=later, by="sue"))
    world.agent_ready("alice")
    world.run_until(later - timedelta(seconds=1))
    assert world.pbx.dialed == []
    world.tell(e.CallbackCancelRequested(callback, by="sue"))
    world.run_for(3600)
    assert world.pbx.dialed == []
    broken = one(world, cf.CallbackBroken)
    assert (broken.why, broken.by) == (cf.BrokenWhy.CANCELLED, "sue")
    assert world.refusals == []


def test_what_is_being_called_is_neither_edited_nor_cancelled() -> None:
    world = world_of()
    callback = promise(world)
    world.agent_ready("alice")
    world.run_for(3)
    world.tell(e.CallbackCancelRequested(callback))
    assert "is being called right now" in world.refusals[-1]
    talk(world, ANN)
    assert one(world, cf.CallbackKept)


def test_asking_twice_for_the_same_callback_promises_once_and_another_for_the_number_is_refused() -> None:
    world = world_of()
    for _ in range(2):
        world.tell(e.CallbackRequested("one", "support", ANN))
    assert world.refusals == []
    world.tell(e.CallbackRequested("two", "support", ANN))
    assert "already: one" in world.refusals[-1]
    assert len(kept(world, cf.CallbackCreated)) == 1


# --- restarts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("config", [AGENT_FIRST, CALLER_FIRST], ids=["agent first", "caller first"])
def test_a_restart_at_every_step_dials_once_and_keeps_the_promise(config: CallbackConfig) -> None:
    world = world_of(config)
    leg = world.caller_arrives(caller=ANN)
    world.run_for(2)
    world.pbx.party_presses(leg, "1")
    world.agent_ready("alice")
    for _ in range(30):
        world.crash_and_restore()
        world.run_for(0.5)
    assert world.agent("alice").state is AgentState.TALKING
    assert len(world.pbx.dialed) == 1
    talk(world, ANN)
    assert one(world, cf.CallbackKept).how is cf.KeptHow.BRIDGED
    assert world.faults == []


def test_an_attempt_whose_leg_is_not_there_after_a_restart_is_used_up() -> None:
    """Nobody knows whether the command was carried out: the retry rule goes on from there."""
    world = world_of()
    promise(world)
    world.pbx.outside[ANN] = Phone(Mood.RINGS_ON)
    world.agent_ready("alice")
    world.run_for(3)
    attempted = one(world, cf.CallbackAttempted)
    world.lose_node()
    del world.pbx.channels[attempted.leg]
    world.pbx.listening = True
    world.tell(e.LegEnded(attempted.leg, e.Cause.UNKNOWN))
    world.tell(e.NodeConnected("node1", world.pbx.started_at))
    assert one(world, cf.CallbackUnreached).outcome is cf.AttemptOutcome.FAILED
    world.run_for(299)
    assert len(world.pbx.dialed) == 1
    world.run_for(5)
    assert len(world.pbx.dialed) == 2


def test_while_no_node_is_there_nobody_is_reserved_and_afterwards_it_goes_on() -> None:
    world = world_of()
    promise(world)
    world.lose_node()
    world.agent_ready("alice")
    world.run_for(60)
    assert world.agent("alice").state is AgentState.READY
    world.pbx.listening = True
    world.tell(e.NodeConnected("node1", world.pbx.started_at))
    world.run_for(4)
    assert len(world.pbx.dialed) == 1


# --- flows --------------------------------------------------------------------------------------


def test_callback_nodes_that_go_in_a_circle_are_refused() -> None:
    flow = Flow(
        "f",
        "a",
        {"a": CallbackNode("support", "end", "b"), "b": CallbackNode("support", "end", "a"), "end": HangUpNode()},
    )
    assert any("comes back to itself" in fault.sentence for fault in faults(flow, Known({"queue": ["support"]})))


def test_a_flow_promises_a_callback_at_a_chosen_time() -> None:
    flow = Flow(
        "later",
        "promise",
        {
            "promise": CallbackNode("support", "said", "end", after=timedelta(hours=1)),
            "said": PromptNode("callback-promised", "end"),
            "end": HangUpNode(),
        },
    )
    made = small_center([QueueConfig("support", callback=AGENT_FIRST)], ("alice",), [flow])
    world = World(replace(made, calling=CallingConfig("carrier")))
    world.agent_ready("alice")
    world.pbx.call_in("+18005550200", ANN)
    world.run_for(3590)
    assert world.pbx.dialed == []
    world.run_for(20)
    assert [dial.number for dial in world.pbx.dialed] == [ANN]
    assert one(world, cf.CallbackCreated).source is cf.CallbackSource.FLOW


@pytest.mark.parametrize("first", ["agent", "caller"])
def test_what_the_caller_needed_of_an_agent_is_kept_for_the_callback(first: str) -> None:
    spanish = Flow("spanish", "in", {"in": QueueNode("support", needs=Needs(require="spanish >= 50"))})
    made = small_center([QueueConfig("support", callback=replace(AGENT_FIRST, agent_first=first == "agent"))], ("alice", "bob"), [spanish])
    bob = replace(made.agents["bob"], skills={"spanish": Skill(80)})
    world = World(replace(made, calling=CallingConfig("carrier"), agents={**made.agents, "bob": bob}))
    leg = world.pbx.call_in("+18005550200", ANN)
    world.run_for(2)
    world.pbx.party_presses(leg, "1")
    world.run_for(4)
    world.agent_ready("alice")
    world.run_for(30)
    assert world.pbx.dialed == []
    world.agent_ready("bob")
    world.run_for(20)
    assert world.talking() == {"bob": world.pbx.dialed[0].leg}
    assert [fact.require for fact in kept(world, f.ContactEntered)] == ["spanish >= 50", "spanish >= 50"]
    assert world.faults == []


def test_a_callback_that_waits_is_moved_up_by_its_ageing_and_keeps_that_when_the_configuration_changes() -> None:
    ageing = Routing(acceleration=1.0, starve_after=timedelta(minutes=10))
    config = replace(
        small_center([QueueConfig("support", callback=AGENT_FIRST, routing=ageing)], ("alice",)), calling=CallingConfig("carrier")
    )
    world = World(config)
    callback = promise(world)
    world.run_for(660)
    (waiter,) = [waiter for waiter in world.center.state.waiters.values() if waiter.id == callback]
    assert waiter.band is Band.STARVING
    world.tell(e.ConfigChanged(config))
    assert world.center.state.waiters[callback].band is Band.STARVING
    assert world.faults == []


def test_an_agent_on_a_phone_outside_is_called_after_the_caller_and_accepts_with_1() -> None:
    made = center()
    mobile = Device(CAROL, ring=timedelta(seconds=10))
    world = World(replace(made, agents={"alice": replace(made.agents["alice"], devices=(mobile,))}))
    promise(world)
    world.pbx.outside[CAROL] = Phone(Mood.ANSWERS)
    world.agent_ready("alice")
    world.run_for(8)
    assert [dial.number for dial in world.pbx.dialed] == [ANN, CAROL]
    leg = next(channel.id for channel in world.pbx.channels.values() if channel.number == CAROL)
    world.pbx.party_presses(leg, "1")
    world.run_for(1)
    assert world.talking() == {"alice": world.pbx.dialed[0].leg}
    talk(world, ANN)
    assert one(world, cf.CallbackKept).how is cf.KeptHow.BRIDGED
    assert world.faults == []


def test_who_calls_before_the_chosen_time_stands_in_line_from_now_on() -> None:
    """Not from the chosen time, which would put everybody who calls meanwhile before them."""
    world = world_of(agents=())
    world.tell(e.CallbackRequested("later", "support", ANN, world.now + timedelta(hours=1)))
    world.caller_arrives(caller=ANN)
    entered = kept(world, f.ContactEntered)[-1]
    assert entered.place == entered.at
