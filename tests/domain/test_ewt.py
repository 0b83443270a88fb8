"""The estimated wait: the forecast against formulas, when it is told, and what is learned from what came of it."""

from datetime import UTC, datetime, timedelta
from math import log
from random import Random

import pytest

from callcenter.domain.ewt import AIM, FIRST_LEVELS, LIMITS, STEPS, Estimate, Forecast, Seen, forecast, learned, rounded_up, to_tell
from callcenter.domain.facts import ContactAbandoned, ContactAnnounced, ContactConnected, Fact
from callcenter.domain.told import Telling, told_by

MINUTE = timedelta(minutes=1)
PATIENT = Seen(starts=100_000, agent_seconds=100_000 * 200.0, gone=0, waited_seconds=1e6, ring_seconds=0.0)
"""Each agent takes a caller every 200 s; nobody gives up; seen so often that the rate is sure."""


def test_without_impatience_each_place_adds_the_time_in_which_one_agent_becomes_free() -> None:
    for position in (1, 5, 200):
        expected = forecast(position, 10, PATIENT)
        assert expected is not None
        assert expected.mean == pytest.approx(20.0 * position)
        assert expected.deviation == pytest.approx(20.0 * position**0.5, rel=0.01)


def test_more_agents_shorten_the_wait_at_once() -> None:
    few, many = forecast(8, 5, PATIENT), forecast(8, 20, PATIENT)
    assert few is not None and many is not None  # noqa: PT018
    assert few.mean == pytest.approx(4 * many.mean)


@pytest.mark.parametrize("position", [1, 3, 30, 64, 65, 200, 5000])
def test_callers_ahead_who_give_up_shorten_it_too(position: int) -> None:
    impatient = Seen(100_000, 100_000 * 200.0, gone=1000, waited_seconds=1000 * 300.0, ring_seconds=0.0)
    expected = forecast(position, 10, impatient)
    assert expected is not None
    exact = sum(1 / (1 / 20 + index / 300) for index in range(position))
    assert expected.mean == pytest.approx(exact, rel=1e-3)
    assert expected.mean < 20.0 * position or position == 1


@pytest.mark.parametrize("shape", [1, 2, 5, 40])
@pytest.mark.parametrize("level", [0.5, 0.8, 0.85, 0.95])
def test_the_quantile_is_that_of_a_gamma_distribution(shape: int, level: float) -> None:
    chance = Random(shape)
    waits = sorted(chance.gammavariate(shape, 60.0) for _ in range(40_000))
    assert Forecast(60.0 * shape, 60.0 * shape**0.5).quantile(level) == pytest.approx(waits[int(level * len(waits))], rel=0.04)


def test_the_median_of_the_first_in_line_is_exponential() -> None:
    expected = forecast(1, 10, PATIENT)
    assert expected is not None
    assert expected.quantile(0.85) == pytest.approx(-20 * log(0.15), rel=0.03)


def test_what_is_told_is_rounded_up() -> None:
    assert [rounded_up(seconds) for seconds in (1, 60, 61, 601, 3600)] == [MINUTE, MINUTE, 2 * MINUTE, 12 * MINUTE, 60 * MINUTE]
    assert rounded_up(3601) is None
    assert list(STEPS) == sorted(STEPS)


@pytest.mark.parametrize(
    ("position", "agents", "seen"),
    [
        (1, 10, Seen(9, 9 * 200.0, 0, 500.0, 0.0)),  # too little was seen
        (5, 0, PATIENT),  # nobody serves the queue
        (3000, 10, PATIENT),  # longer than an hour
        (1, 1, PATIENT),  # one agent, one caller: anything between seconds and ten minutes
    ],
)
def test_silent_when_unsure(position: int, agents: int, seen: Seen) -> None:
    assert to_tell(position, agents, seen, FIRST_LEVELS) is None


def test_a_wide_forecast_is_told_when_it_is_short() -> None:
    assert to_tell(1, 10, PATIENT, FIRST_LEVELS) == Estimate(MINUTE, timedelta(seconds=20))


def test_the_level_settles_where_as_many_come_true_as_aimed() -> None:
    levels = FIRST_LEVELS
    for _ in range(2000):
        levels = learned(levels, 2 * MINUTE, right=True)
    assert levels == (AIM, LIMITS[0], AIM)
    for _ in range(2000):
        levels = learned(levels, 2 * MINUTE, right=False)
    assert levels == (AIM, LIMITS[1], AIM)
    right, wrong = (learned((0.5, 0.5, 0.5), MINUTE, came)[0] - 0.5 for came in (True, False))
    assert AIM * right + (1 - AIM) * wrong == pytest.approx(0)


# --- what came of it ----------------------------------------------------------------------------

START = datetime(2026, 1, 5, 9, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def announced(contact: str, seconds: float, under: timedelta | None) -> Fact:
    return ContactAnnounced(at(seconds), "c", contact, "support", "p", (), None, under, None, None, 0)


def connected(contact: str, seconds: float) -> Fact:
    return ContactConnected(at(seconds), "c", contact, "support", "o", "alice", "l", "b", timedelta())


def test_what_was_told_comes_true_or_not_or_is_never_known() -> None:
    facts = [
        announced("in-time", 0, MINUTE),
        announced("late", 0, MINUTE),
        announced("left-early", 0, MINUTE),
        announced("left-late", 0, MINUTE),
        announced("position-only", 0, None),
        announced("in-time", 50, MINUTE),
        ContactAbandoned(at(30), "c", "left-early", "support", timedelta(), False),
        connected("in-time", 60),
        connected("late", 61),
        ContactAbandoned(at(61), "c", "left-late", "support", timedelta(), False),
        connected("position-only", 70),
    ]
    told = {(each.contact, each.at): each.came_true for each in told_by(facts)}
    assert told == {
        ("left-early", at(0)): None,
        ("in-time", at(0)): True,
        ("in-time", at(50)): True,
        ("late", at(0)): False,
        ("left-late", at(0)): False,
    }
    assert isinstance(next(told_by(facts)), Telling)
