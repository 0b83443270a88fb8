"""The emergency switch by phone: PIN, how it stands, close or open again; and people who guess."""

from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.domain import facts as f
from callcenter.domain.config import NumberConfig, QueueConfig
from callcenter.domain.hours_plan import Plan, expand
from callcenter.domain.ivr.questions import ANSWERED, FAILED, Question
from callcenter.domain.ivr.switch_flow import hours_switch
from callcenter.domain.ivr.switching import WRONG, PinQuestion
from callcenter.sim.scripted_answers import Scripted
from callcenter.sim.timeline import EPOCH
from callcenter.sim.world import World, small_center

PIN = "8024"
SWITCH = "+18005550190"
ALWAYS = dict.fromkeys(range(7), ((EPOCH.time().replace(hour=0), EPOCH.time().replace(hour=0)),))
MIDNIGHT_IN_NEW_YORK = EPOCH.replace(hour=5) + timedelta(days=1)


def knows(question: Question) -> Scripted:
    assert isinstance(question, PinQuestion)
    return Scripted(ANSWERED if (question.holder, question.digits) == ("calendar:main", PIN) else WRONG, after=timedelta(seconds=0.2))


@pytest.fixture
def world() -> World:
    center = small_center([QueueConfig("support", hours="main")])
    calendars = {"main": expand(Plan("main", "America/New_York", ALWAYS), EPOCH.date())}
    numbers = {**center.numbers, SWITCH: NumberConfig(SWITCH, hours_switch("main"))}
    world = World(replace(center, calendars=calendars, numbers=numbers))
    world.answers.script = knows
    return world


def press(world: World, leg: str, keys: str) -> None:
    """Key by key, each once what is being said has ended."""
    for key in keys:
        world.pbx.party_presses(leg, key)
        world.run_for(0.5)


def dial(world: World, *entries: str) -> str:
    """Call the switch and press these, waiting after each for what follows."""
    leg = world.pbx.call_in(SWITCH)
    world.run_for(3)
    for entry in entries:
        press(world, leg, entry)
        world.run_for(4)
    return leg


def all_of(world: World, kind: type) -> list[f.Fact]:
    return [fact for fact in world.facts if isinstance(fact, kind)]


def is_open(world: World) -> bool:
    hours = world.center.state.hours("main")
    assert hours is not None
    return hours.is_open(world.now)


def test_whoever_knows_the_pin_closes_and_opens_again(world: World) -> None:
    dial(world, f"{PIN}#", "1", "1")
    (switched,) = all_of(world, f.HoursSwitched)
    assert isinstance(switched, f.HoursSwitched)
    assert (switched.calendar, switched.is_open, switched.until, switched.by) == ("main", False, None, "+12025550123")
    assert not is_open(world)
    turned_away = world.caller_arrives()
    assert world.pbx.channels[turned_away].heard == ["goodbye"]
    world.crash_and_restore()
    assert not is_open(world)
    dial(world, f"{PIN}#", "2")
    assert is_open(world)
    assert len(all_of(world, f.HoursSwitchedBack)) == 1
    assert not world.faults


NOTHING = "not switched"


@pytest.mark.parametrize(
    ("entries", "until"),
    [
        (("1", "2"), MIDNIGHT_IN_NEW_YORK),
        (("1", "3", "12#"), timedelta(hours=12)),
        (("1", "3", "0#"), NOTHING),
        (("9", "9", "9"), NOTHING),
    ],
)
def test_until_when_is_the_callers_choice(world: World, entries: tuple[str, ...], until: object) -> None:
    dial(world, f"{PIN}#", *entries)
    switched = all_of(world, f.HoursSwitched)
    if until == NOTHING:
        assert switched == []
        return
    (fact,) = switched
    assert isinstance(fact, f.HoursSwitched)
    assert fact.until == (fact.at + until if isinstance(until, timedelta) else until)


def test_a_desk_phone_dials_a_star_code(world: World) -> None:
    world.agent_ready("alice")
    leg = world.pbx.dial_from_phone("phone-of-alice", "*19")
    world.run_for(3)
    for entry in (f"{PIN}#", "1", "1"):
        press(world, leg, entry)
        world.run_for(4)
    (switched,) = all_of(world, f.HoursSwitched)
    assert isinstance(switched, f.HoursSwitched)
    assert switched.by == "alice"
    none = world.pbx.dial_from_phone("phone-of-alice", "*192")
    world.run_for(1)
    assert world.pbx.channels[none].heard == ["not-possible"]


def test_three_tries_in_a_call_then_locked_for_longer_each_time(world: World) -> None:
    guesser = dial(world, "1357#", "2468#", "9999#")
    assert guesser not in world.pbx.channels, "told that it is not possible, and hung up"
    refused = all_of(world, f.HoursPinRefused)
    assert [fact.failures for fact in refused if isinstance(fact, f.HoursPinRefused)] == [1, 2, 3]
    assert dial(world, f"{PIN}#") not in world.pbx.channels, "locked: not even the right one"
    assert len(world.answers.asked) == 3, "nobody is asked while it is locked"
    world.crash_and_restore()
    dial(world, f"{PIN}#")
    assert len(world.answers.asked) == 3, "nor after a restart"
    world.run_for(60)
    dial(world, "1111#")
    *_, last = all_of(world, f.HoursPinRefused)
    assert isinstance(last, f.HoursPinRefused)
    assert last.locked_until == last.at + timedelta(minutes=2)
    world.run_for(120)
    dial(world, f"{PIN}#", "1", "1")
    assert not is_open(world)
    assert world.center.state.pin_locks == {}


def test_many_calls_at_once_guess_no_faster(world: World) -> None:
    legs = [world.pbx.call_in(SWITCH) for _ in range(6)]
    world.run_for(3)
    for leg in legs[:5]:
        press(world, leg, "1357")
    press(world, legs[5], PIN)
    for leg in legs:
        world.pbx.party_presses(leg, "#")
    world.run_for(2)
    assert all_of(world, f.HoursPinAccepted) == [], "the right one came after three wrong ones"


@pytest.mark.parametrize("answer", [Scripted(FAILED), Scripted(ANSWERED, never=True)])
def test_without_a_pin_or_an_answer_it_is_not_possible(world: World, answer: Scripted) -> None:
    world.answers.script = lambda question: answer
    leg = world.pbx.call_in(SWITCH)
    world.run_for(3)
    press(world, leg, f"{PIN}#")
    channel = world.pbx.channels[leg]
    world.run_for(8)
    assert channel.heard[-1] == "not-possible"
    assert is_open(world)


def test_no_digit_of_the_pin_is_in_a_fact(world: World) -> None:
    dial(world, f"{PIN}#", "1", "1")
    dial(world, "", "77665544#")
    pressed = "".join(repr(fact.digit) for fact in world.facts if isinstance(fact, f.FlowDigitTaken | f.FlowKeyPressed))
    assert set(pressed) <= set("'12")
    assert "77665544" not in repr(world.facts)
    assert PIN not in repr([fact for fact in world.facts if isinstance(fact, f.FlowCollected)])
    assert PIN not in repr(world.answers.asked)
