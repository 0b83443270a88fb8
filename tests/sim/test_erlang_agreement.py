"""The production router, queue and agents in virtual time against Erlang's formulas: every figure within three standard errors."""

from datetime import UTC, datetime, timedelta
from math import inf

import pytest

from callcenter.domain import facts as f
from callcenter.domain.erlang import erlang_a
from callcenter.sim.measures import BATCHES, WARM_UP_BATCHES, Measures, Tally, ratio
from callcenter.sim.queue_simulation import Traffic, simulate

GIVING_UP = Traffic(360, 240, 24, 120)
PATIENT = Traffic(360, 240, 28)
SMALL = Traffic(100, 180, 5, 60)
WITH_WRAP_UP = Traffic(360, 240, 24, 120, wrap_up_share=0.25)
NAMES = ("p_wait", "p_abandon", "asa_s", "service_level", "occupancy")


def assert_as_erlang(measured: Measures, traffic: Traffic) -> None:
    formula = erlang_a(traffic.calls_per_hour, traffic.aht_s, traffic.agents, traffic.patience_s or inf, traffic.target_s)
    for name in NAMES:
        value, error, expected = getattr(measured, name), getattr(measured, f"{name}_se"), getattr(formula, name)
        assert abs(value - expected) <= 3 * error, f"{name}: {value} ± {error}, and not {expected}"
        assert error <= 0.3 * expected  # or the first line says nothing


@pytest.mark.parametrize("traffic", [GIVING_UP, PATIENT, SMALL, WITH_WRAP_UP])
def test_simulated_figures_are_erlangs(traffic: Traffic) -> None:
    assert_as_erlang(simulate(traffic, 16_000, seed=3), traffic)


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("traffic", [GIVING_UP, PATIENT])
def test_200_000_calls_are_erlangs(traffic: Traffic, seed: int) -> None:
    assert_as_erlang(simulate(traffic, 200_000, seed), traffic)


def test_the_same_seed_brings_the_same_day() -> None:
    assert simulate(SMALL, 400, seed=7) == simulate(SMALL, 400, seed=7)
    assert simulate(SMALL, 400, seed=7) != simulate(SMALL, 400, seed=8)


def test_who_finds_an_agent_ready_does_not_wait() -> None:
    idle = simulate(Traffic(60, 60, 50), 400, seed=1)
    assert (idle.p_wait, idle.asa_s, idle.service_level) == (0, 0, 1)
    assert idle.offered == 380


def test_ringing_is_part_of_the_wait_and_takes_the_agents_time() -> None:
    idle = simulate(Traffic(60, 60, 50, ring_s=4), 400, seed=1)
    assert (idle.p_wait, idle.asa_s) == (1, 4)
    busy, ringing = simulate(GIVING_UP, 4000, seed=1), simulate(Traffic(360, 240, 24, 120, ring_s=10), 4000, seed=1)
    assert ringing.occupancy < busy.occupancy
    assert ringing.p_abandon > busy.p_abandon


def test_the_progress_is_told() -> None:
    told: list[int] = []
    simulate(SMALL, 400, seed=1, told=told.append)
    assert told == list(range(2, 401, 2))


# --- counting -----------------------------------------------------------------------------------

BEGIN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def entered(n: int, at: float) -> f.ContactEntered:
    when = BEGIN + seconds(at)
    return f.ContactEntered(when, f"call-{n}", f"contact-{n}", "queue", 0, when, when, "")


def answered(n: int, at: float, wait: float) -> f.ContactConnected:
    return f.ContactConnected(
        BEGIN + seconds(at), f"call-{n}", f"contact-{n}", "queue", f"offer-{n}", "alice", f"leg-{n}", "bridge", seconds(wait)
    )


def abandoned(n: int, at: float, wait: float) -> f.ContactAbandoned:
    return f.ContactAbandoned(BEGIN + seconds(at), f"call-{n}", f"contact-{n}", "queue", seconds(wait), False)


def alice(at: float, state: f.AgentState) -> f.AgentStateChanged:
    return f.AgentStateChanged(BEGIN + seconds(at), "alice", state)


def test_contacts_count_where_they_entered_and_the_warm_up_counts_nowhere() -> None:
    tally = Tally(BATCHES, 1, seconds(20))
    for n in range(WARM_UP_BATCHES):  # one call a batch; alice works through the warm-up
        tally.take([entered(n, 10 * n), alice(10 * n, f.AgentState.TALKING), answered(n, 10 * n + 9, 9)])
    begin = 10 * WARM_UP_BATCHES
    tally.take([entered(2, begin), alice(begin + 5, f.AgentState.WRAP_UP), alice(begin + 8, f.AgentState.READY)])
    tally.take([entered(3, begin + 10), abandoned(2, begin + 15, 15), answered(3, begin + 31, 21)])
    for n in range(WARM_UP_BATCHES + 2, BATCHES):
        tally.take([entered(n, begin + 40 + n), answered(n, begin + 40 + n, 0)])
    measures = tally.measures()
    counted = BATCHES - WARM_UP_BATCHES
    assert tally.undecided == 0
    assert measures.offered == counted
    assert measures.p_wait == pytest.approx(2 / counted)
    assert measures.p_abandon == pytest.approx(1 / counted)
    assert measures.asa_s == pytest.approx(21 / (counted - 1))
    assert measures.service_level == pytest.approx((counted - 2) / counted)
    assert measures.occupancy == pytest.approx(8 / (40 + BATCHES - 1))


def test_a_ratio_is_as_sure_as_its_batches_are_alike() -> None:
    assert ratio([1, 2, 3], [10, 20, 30]) == (0.1, 0.0)
    value, error = ratio([4, 6, 5, 5], [10, 10, 10, 10])
    assert value == 0.5
    assert error == pytest.approx((0.02 / 3 / 4) ** 0.5)  # the standard deviation of 0.4, 0.6, 0.5, 0.5 over the root of 4


def test_too_few_calls_tell_nothing() -> None:
    with pytest.raises(ValueError, match="it takes 40 calls at least"):
        simulate(SMALL, 39, seed=1)
