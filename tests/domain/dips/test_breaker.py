"""The circuit breaker, date by date."""

from datetime import UTC, datetime, timedelta

from callcenter.domain.dips.breaker import Breaker, BreakerRule, BreakerState

RULE = BreakerRule(failures=3, open_for=timedelta(seconds=30))
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def opened() -> Breaker:
    breaker = Breaker(RULE)
    for _ in range(3):
        assert breaker.admits(at(0))
        breaker.has_failed(at(0))
    return breaker


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    breaker = Breaker(RULE)
    for _ in range(2):
        breaker.has_failed(at(0))
    breaker.answered()  # the row is broken
    for _ in range(2):
        breaker.has_failed(at(1))
    assert breaker.state is BreakerState.CLOSED
    breaker.has_failed(at(2))
    assert breaker.state is BreakerState.OPEN
    assert not breaker.admits(at(31.9))


def test_after_its_time_one_question_goes_through_and_an_answer_closes_it() -> None:
    breaker = opened()
    assert breaker.admits(at(30))
    assert not breaker.admits(at(30))  # one probe, not all at once
    breaker.answered()
    assert breaker.state is BreakerState.CLOSED
    assert breaker.admits(at(31))
    assert breaker.admits(at(31))


def test_a_probe_that_fails_opens_it_for_the_whole_time_again() -> None:
    breaker = opened()
    assert breaker.admits(at(30))
    breaker.has_failed(at(33))
    assert not breaker.admits(at(62))
    assert breaker.admits(at(63))


def test_questions_asked_before_it_opened_do_not_keep_it_open_longer() -> None:
    breaker = opened()
    breaker.has_failed(at(20))
    assert breaker.admits(at(30))


def test_a_probe_whose_fate_nobody_tells_is_forgotten() -> None:
    breaker = opened()
    assert breaker.admits(at(30))
    assert not breaker.admits(at(59))
    assert breaker.admits(at(60))


def test_a_probe_taken_back_lets_the_next_question_through() -> None:
    breaker = opened()
    assert breaker.admits(at(30))
    breaker.withdrawn()
    assert breaker.admits(at(30))
