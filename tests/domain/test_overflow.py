"""The overflow table: which callers leave a queue, when, and where they go."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from itertools import pairwise

import pytest

from callcenter.domain import facts as f
from callcenter.domain.conditions import Comparator, Condition, Metric
from callcenter.domain.config import CallbackConfig, CallingConfig, QueueConfig
from callcenter.domain.events import CalendarsRenewed, HoursSwitchRequested
from callcenter.domain.facts import OverflowWhy
from callcenter.domain.hours_plan import Plan, expand
from callcenter.domain.ivr.flow import Flow, HangUpNode, PromptNode, QueueNode
from callcenter.domain.overflow_rules import Closing, Overflow, OverflowRow, OverflowTo, cycle
from callcenter.domain.routing_config import Needs
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.timeline import EPOCH
from callcenter.sim.world import World, small_center

SORRY = Flow("sorry", "say", {"say": PromptNode("sorry", "end"), "end": HangUpNode()})
TO_SALES = Overflow(OverflowTo.QUEUE, "sales")
TO_SORRY = Overflow(OverflowTo.FLOW, "sorry")
MANY = Condition(Metric.WAITING, Comparator.ABOVE, 2)
DAILY = Plan("main", "Europe/London", dict.fromkeys(range(7), ((time(10), time(9, 1)),)))
NOBODY = Condition(Metric.AGENTS_LOGGED_IN, Comparator.AT_MOST, 0, timedelta(seconds=5))


def world_with(*rows: OverflowRow, **queue: object) -> World:
    support = QueueConfig("support", overflows=rows, **queue)  # type: ignore[arg-type]
    config = small_center([support, QueueConfig("sales")], flows=[SORRY])
    agents = {name: replace(agent, queues=("sales",) if name == "bob" else ("support",)) for name, agent in config.agents.items()}
    calendars = {"main": expand(DAILY, EPOCH.date())}
    return World(replace(config, agents=agents, calling=CallingConfig("carrier"), calendars=calendars))


def callers(world: World, count: int) -> list[str]:
    legs = []
    for _ in range(count):
        legs.append(world.caller_arrives())
        world.run_for(0.1)
    return legs


def left(world: World) -> list[tuple[str, str]]:
    """Why contacts overflowed, and by which row."""
    return [(str(fact.why), fact.rule) for fact in world.facts if isinstance(fact, f.ContactOverflowed)]


# --- conditions ---------------------------------------------------------------------------------


def test_who_would_make_the_line_too_long_goes_to_another_queue() -> None:
    world = world_with(row := OverflowRow(TO_SALES, MANY))
    first, second, third = callers(world, 3)
    assert world.waiting("support") == [first, second]
    assert world.waiting("sales") == [third]
    assert left(world) == [("rule", row.key)]
    assert row.key == "waiting > 2: queue:sales"
    (_, _, contact, again) = (fact for fact in world.facts if isinstance(fact, f.ContactEntered))
    assert (again.queue, again.place, again.transferred_from) == ("sales", contact.place, contact.contact)


def test_when_the_line_gets_too_long_the_last_go_one_a_second_until_it_is_better() -> None:
    row = OverflowRow(TO_SALES, Condition(Metric.WAITING, Comparator.ABOVE, 2, timedelta(seconds=10), release=1))
    world = world_with(row)
    legs = callers(world, 5)
    world.run_for(9)
    assert world.waiting("support") == legs
    lengths = []
    for _ in range(10):
        world.run_for(1)
        lengths.append(len(world.waiting("support")))
    assert sorted(set(lengths), reverse=True)[:2] in ([5, 4], [4, 3])
    assert all(before - after <= 1 for before, after in pairwise(lengths))
    assert world.waiting("support") == legs[:1]  # released at 1
    assert world.waiting("sales") == legs[1:]  # by the place they had


def test_when_nobody_is_there_all_go_at_once_and_newcomers_too() -> None:
    world = world_with(OverflowRow(TO_SORRY, NOBODY))
    legs = callers(world, 3)
    world.run_for(4)
    assert world.waiting("support") == legs
    world.run_for(2.5)
    assert world.waiting("support") == []
    late = world.caller_arrives()
    assert world.pbx.channels[late].heard == ["sorry"]
    assert left(world) == [("rule", "agents_logged_in <= 0 for 5 s: flow:sorry")] * 4
    world.run_for(10)
    assert not world.pbx.channels
    world.agent_ready("alice")
    stays = world.caller_arrives()
    world.run_for(3)
    assert world.talking() == {"alice": stays}


def test_the_longest_wait_lets_the_longest_waiting_go() -> None:
    world = world_with(OverflowRow(TO_SALES, Condition(Metric.LONGEST_WAIT, Comparator.ABOVE, 30)))
    first = callers(world, 1)[0]
    world.run_for(20)
    second = callers(world, 1)[0]
    world.run_for(12)
    assert (world.waiting("support"), world.waiting("sales")) == ([second], [first])


def test_a_caller_goes_while_a_phone_rings_by_date_and_the_agent_is_not_to_blame() -> None:
    world = world_with(OverflowRow(TO_SALES, waited=timedelta(seconds=20)))
    leg = callers(world, 1)[0]
    world.run_for(15)
    world.pbx.phones["phone-of-alice"] = Phone(Mood.RINGS_ON)
    alice = world.agent_ready("alice")
    world.run_for(6)
    assert world.waiting("sales") == [leg]
    assert alice.state == "ready"
    (withdrawn,) = (fact for fact in world.facts if isinstance(fact, f.OfferWithdrawn))
    assert withdrawn.why == "overflowed"


def test_having_waited_and_a_condition_must_both_be_so() -> None:
    row = OverflowRow(TO_SALES, Condition(Metric.WAITING, Comparator.AT_LEAST, 2), waited=timedelta(seconds=30))
    world = world_with(row)
    first = callers(world, 1)[0]
    world.run_for(40)
    assert world.waiting("support") == [first]  # waited, but alone
    second = callers(world, 1)[0]
    world.run_for(2)
    assert (world.waiting("support"), world.waiting("sales")) == ([second], [first])


def test_the_first_row_that_applies_is_obeyed() -> None:
    world = world_with(OverflowRow(TO_SORRY, Condition(Metric.WAITING, Comparator.ABOVE, 1)), OverflowRow(TO_SALES, MANY), max_waiting=1)
    _, second = callers(world, 2)
    assert world.pbx.channels[second].heard[-1] == "sorry"


def test_who_comes_back_is_not_sent_round_again_by_the_same_row() -> None:
    there = OverflowRow(Overflow(OverflowTo.QUEUE, "sales"), waited=timedelta(seconds=5))
    back = OverflowRow(Overflow(OverflowTo.QUEUE, "support"), waited=timedelta(seconds=5))
    world = World(small_center([QueueConfig("support", overflows=(there,)), QueueConfig("sales", overflows=(back,))], agents=()))
    leg = world.caller_arrives()
    world.run_for(300)
    assert world.waiting("support") == [leg]
    assert len(left(world)) == 2


# --- shorthands ---------------------------------------------------------------------------------


def test_the_shorthands_are_rows_of_the_same_table() -> None:
    queue = QueueConfig("q", max_wait=timedelta(seconds=9), max_waiting=4, wait_without_agents=False, overflow_flow="sorry")
    assert [(row.kind.value, row.key, row.entering) for row in queue.rows] == [
        ("full", "waiting > 4: flow:sorry", True),
        ("no_agents", "agents_logged_in <= 0: flow:sorry", True),
        ("max_wait", "waited 9 s: flow:sorry", False),
    ]
    assert queue.conditions == ()  # newcomers are measured at once; nothing need be looked at each second


# --- keys ---------------------------------------------------------------------------------------


def test_a_key_during_the_wait() -> None:
    world = world_with(keys={"9": TO_SORRY, "8": TO_SALES})
    first, second = callers(world, 2)
    world.run_for(5)
    world.pbx.party_presses(first, "5")
    assert world.waiting("support") == [first, second]
    world.pbx.party_presses(first, "9")
    world.pbx.party_presses(second, "8")
    assert world.pbx.channels[first].heard[-1] == "sorry"
    assert world.waiting("sales") == [second]
    assert left(world) == [("key_pressed", ""), ("key_pressed", "")]


# --- callbacks ----------------------------------------------------------------------------------


def offering() -> World:
    offer = OverflowRow(Overflow(OverflowTo.CALLBACK), waited=timedelta(seconds=20))
    return world_with(offer, callback=CallbackConfig(key=""))


def test_a_callback_is_offered_once_and_taken() -> None:
    world = offering()
    leg = callers(world, 1)[0]
    world.run_for(21)
    assert world.pbx.channels[leg].heard[-1] == "callback-offer"
    world.pbx.party_presses(leg, "1")
    assert world.pbx.channels[leg].heard[-1] == "callback-promised"
    (created,) = (fact for fact in world.facts if type(fact).__name__ == "CallbackCreated")
    entered = next(fact for fact in world.facts if isinstance(fact, f.ContactEntered))
    assert (created.queue, created.place) == ("support", entered.place)  # type: ignore[attr-defined]


def test_who_declines_a_callback_comes_back_to_the_old_place() -> None:
    world = offering()
    first = callers(world, 1)[0]
    world.run_for(10)
    second = callers(world, 1)[0]
    world.run_for(10 + 2 + 6)  # the offer, and no key
    assert world.waiting("support") == [first, second]
    world.run_for(300)
    assert world.pbx.channels[first].heard.count("callback-offer") == 1
    assert world.waiting("support") == [first, second]


def test_who_declines_a_callback_keeps_priority_and_needs() -> None:
    vip = Flow("vip", "enter", {"enter": QueueNode("support", priority=5, needs=Needs(require="spanish"))})
    offer = OverflowRow(Overflow(OverflowTo.CALLBACK), waited=timedelta(seconds=20))
    config = small_center([QueueConfig("support", overflows=(offer,), callback=CallbackConfig(key=""))], flows=[vip], agents=())
    world = World(replace(config, calling=CallingConfig("carrier")))
    world.pbx.call_in("+18005550200")
    world.run_for(60)
    first, again = (fact for fact in world.facts if isinstance(fact, f.ContactEntered))
    assert (again.priority, again.require, again.place) == (first.priority, first.require, first.place) == (5, "spanish", first.entered_at)


# --- closing time -------------------------------------------------------------------------------


def closing(drain: bool) -> World:
    """It is 9:00 in London when the world begins; it closes a minute later, for an hour less one minute."""
    return world_with(hours="main", closing=Closing(TO_SORRY, drain))


def test_at_closing_time_who_waits_goes() -> None:
    world = closing(drain=False)
    leg = callers(world, 1)[0]
    world.run_for(58)
    assert world.waiting("support") == [leg]
    world.run_for(2)
    assert world.pbx.channels[leg].heard[-1] == "sorry"
    late = callers(world, 1)[0]
    assert world.pbx.channels[late].heard == ["sorry"]
    assert left(world) == [("closed", "")] * 2
    world.run_for(3600)
    again = callers(world, 1)[0]
    assert world.waiting("support") == [again]


def test_or_is_served_to_the_end() -> None:
    world = closing(drain=True)
    leg = callers(world, 1)[0]
    world.run_for(70)
    callers(world, 1)
    assert world.waiting("support") == [leg]
    assert left(world) == [("closed", "")]


def switch(world: World, is_open: bool | None, until: datetime | None = None) -> None:
    world.tell(HoursSwitchRequested("main", is_open, until, "the power is out", "supervisor"))


@pytest.mark.parametrize("drain", [False, True])
def test_the_emergency_switch_closes_at_once_and_opens_again(drain: bool) -> None:
    world = closing(drain)
    leg = callers(world, 1)[0]
    switch(world, False)
    assert world.waiting("support") == ([leg] if drain else [])
    turned_away = callers(world, 1)[0]
    assert world.pbx.channels[turned_away].heard == ["sorry"]
    switch(world, None)
    stays = callers(world, 1)[0]
    assert world.waiting("support")[-1] == stays


def test_the_switch_survives_a_restart_and_ends_by_its_date() -> None:
    world = closing(drain=False)
    switch(world, False, EPOCH + timedelta(hours=2))
    world.run_for(60)
    world.crash_and_restore()
    world.run_until(EPOCH + timedelta(hours=1, minutes=30))  # by its hours it would be open
    assert world.pbx.channels[callers(world, 1)[0]].heard == ["sorry"]
    world.run_until(EPOCH + timedelta(hours=2, seconds=1))
    assert isinstance(world.facts[-1], f.HoursSwitchedBack)
    stays = callers(world, 1)[0]
    assert world.waiting("support") == [stays]


def test_kept_open_by_hand_it_closes_at_that_date() -> None:
    world = closing(drain=False)
    switch(world, True, EPOCH + timedelta(minutes=20))
    leg = callers(world, 1)[0]
    world.run_for(18 * 60)
    assert world.waiting("support") == [leg]
    world.run_for(120)
    assert world.waiting("support") == []
    assert left(world) == [("closed", "")]


def test_hours_made_anew_move_the_closing_of_who_waits_already() -> None:
    world = closing(drain=False)
    leg = callers(world, 1)[0]
    always = expand(Plan("main", "UTC", dict.fromkeys(range(7), ((time(0), time(0)),))), EPOCH.date())
    world.tell(CalendarsRenewed({"main": always}))
    world.run_for(120)
    assert world.waiting("support") == [leg]
    world.tell(CalendarsRenewed({"main": expand(DAILY, EPOCH.date())}))
    assert world.waiting("support") == []


def test_an_unknown_calendar_or_a_past_date_is_refused() -> None:
    world = closing(drain=False)
    world.tell(HoursSwitchRequested("lunch", False))
    switch(world, False, EPOCH - timedelta(seconds=1))
    assert world.refusals == [
        "there is no calendar 'lunch'; calendars: main",
        f"{(EPOCH - timedelta(seconds=1)).isoformat()} is in the past",
    ]


# --- restarts and circles -----------------------------------------------------------------------


def test_a_row_that_must_wait_survives_a_restart() -> None:
    world = world_with(OverflowRow(TO_SALES, waited=timedelta(seconds=60)), OverflowRow(TO_SORRY, NOBODY))
    world.agent_ready("alice")
    world.pbx.phones["phone-of-alice"] = Phone(Mood.RINGS_ON)
    leg = callers(world, 1)[0]
    world.run_for(50)
    world.crash_and_restore()
    world.run_for(12)
    assert world.waiting("sales") == [leg]


def test_a_circle_of_queues_is_found() -> None:
    assert cycle({"a": ["b"], "b": ["c"], "c": ["b"]}) == ["b", "c", "b"]
    assert cycle({"a": ["a"]}) == ["a", "a"]
    assert cycle({"a": ["b", "c"], "b": ["c"], "c": []}) is None


def test_why_is_kept_with_the_contact() -> None:
    assert {why.value for why in OverflowWhy} >= {"rule", "key_pressed", "closed", "max_wait", "full", "no_agents", "callback_taken"}
