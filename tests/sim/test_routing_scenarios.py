"""The routing scenarios in small: what must come out whatever the size, and that the gates can be missed."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from callcenter.domain.config import AgentConfig, CenterConfig, NumberConfig, QueueConfig
from callcenter.domain.erlang import agents_for, erlang_c
from callcenter.domain.ivr.flow import Flow, QueueNode
from callcenter.sim import routing_scenarios as scenarios
from callcenter.sim.routing_scenarios import SCENARIOS, Verdict
from callcenter.sim.routing_simulation import CallerClass, difference, mean_of, quantile, simulate_routing


def run(name: str, calls: int, seed: int = 1) -> tuple[Verdict, Mapping[str, Mapping[str, float]]]:
    verdict = SCENARIOS[name].run(calls, seed, lambda more: None)
    return verdict, {str(row["rule"]): {key: float(value or 0) for key, value in row.items() if key != "rule"} for row in verdict.rows}


def test_the_marginal_cost_of_waiting_beats_both_first_come_first_served_and_strict_priority() -> None:
    verdict, rows = run("v-model", 4_000)
    assert verdict.passed
    ours, fifo, strict = (rows[rule] for rule in ("marginal_cost", "fifo", "strict_priority"))
    assert fifo["cost_per_call"] > 1.5 * ours["cost_per_call"]
    assert strict["cost_per_call"] > ours["cost_per_call"]
    assert strict["gold_wait_s"] < ours["gold_wait_s"] < fifo["gold_wait_s"]
    assert fifo["gold_wait_s"] == pytest.approx(fifo["basic_wait_s"], rel=0.1)
    # The wait that one class saves, the other pays: their sum is the same whoever comes first.
    sums = [row["gold_wait_s"] + row["basic_wait_s"] for row in rows.values()]
    assert max(sums) == pytest.approx(min(sums), rel=0.02)


def test_two_skills_in_a_chain_come_closer_to_all_skills_the_larger_the_center() -> None:
    verdict, rows = run("chain", 4_000)
    small, large = scenarios.CHAIN_AGENTS[0], scenarios.CHAIN_AGENTS[-1]
    for agents in (small, large):
        all_skills = rows[f"all_skills_{agents}"]
        assert all_skills["service_level"] > rows[f"two_skills_{agents}"]["service_level"] - 0.005
    figures = {name: float(value or 0) for name, value in verdict.figures.items()}
    assert figures[f"gap_{large}"] < figures[f"gap_{small}"]


def test_the_chain_is_offered_what_erlang_c_says_its_agents_can_answer() -> None:
    for agents in scenarios.CHAIN_AGENTS:
        rate = scenarios.chain_rate(agents)
        assert agents_for(0.8, rate, scenarios.CHAIN_AHT_S) == agents
        assert erlang_c(rate + 2, scenarios.CHAIN_AHT_S, agents).service_level < 0.8


def test_equal_agents_share_the_work_under_every_strategy_that_promises_it() -> None:
    _, rows = run("fairness", 3_000)
    assert set(rows) == {strategy.value for strategy in scenarios.PROMISING}
    for row in rows.values():
        assert row["mean"] == pytest.approx(scenarios.FAIR_LOAD, abs=0.06)
        assert row["lowest"] <= row["mean"] <= row["highest"]
        assert row["spread"] == pytest.approx(row["highest"] - row["lowest"])
    assert rows["least_occupied"]["spread"] < 0.03  # it looks at just that, so a few calls are enough
    assert rows["least_occupied"]["spread"] < rows["fewest_contacts"]["spread"]


def test_in_the_order_of_a_list_they_do_not_share_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the gate can be missed."""
    monkeypatch.setattr(scenarios, "PROMISING", (scenarios.Strategy.LIST_ORDER,))
    verdict, rows = run("fairness", 3_000)
    assert not verdict.passed
    assert rows["list_order"]["spread"] > 0.1


def test_normal_callers_beside_vips_wait_a_bounded_time() -> None:
    verdict, rows = run("vip", 4_000)
    assert verdict.passed
    before, ageing, strict = (rows[rule] for rule in ("nobody_is_vip", "vip_with_ageing", "vip_strictly_first"))
    assert ageing["vip_mean_s"] < 0.5 * before["vip_mean_s"]
    assert before["normal_mean_s"] < ageing["normal_mean_s"] < 1.25 * before["normal_mean_s"]
    assert ageing["normal_max_s"] <= strict["normal_max_s"]


@pytest.mark.long
@pytest.mark.parametrize("name", ["v-model", "fairness", "vip"])
def test_the_gates_at_full_size(name: str) -> None:
    assert run(name, SCENARIOS[name].calls)[0].passed


# --- the simulation itself ------------------------------------------------------------------------


def one_queue(agents: int) -> CenterConfig:
    queue, flow = QueueConfig("queue", wrap_up=timedelta(0), record=False), Flow("straight", "enter", {"enter": QueueNode("queue")})
    return CenterConfig(
        queues={"queue": queue},
        agents={f"agent-{n}": AgentConfig(f"agent-{n}", f"phone-{n}", ("queue",)) for n in range(agents)},
        numbers={"+1": NumberConfig("+1", "straight"), "+2": NumberConfig("+2", "straight")},
        flows={"straight": flow},
    )


CLASSES = (CallerClass("one", "+1", 40, 180), CallerClass("two", "+2", 20, 180))


def test_whatever_the_rule_the_same_callers_come_with_the_same_work() -> None:
    few, many = (simulate_routing(one_queue(agents), CLASSES, 800, seed=3) for agents in (4, 6))
    assert few.names == many.names
    assert 0.25 < few.names.count("two") / 800 < 0.42
    worse, error = difference(few, many, lambda name, wait_s: wait_s)
    assert worse > 2 * error > 0
    assert few.occupancy().keys() == {f"agent-{n}" for n in range(4)}


def test_a_simulated_pool_is_erlangs() -> None:
    outcome = simulate_routing(one_queue(5), (CallerClass("one", "+1", 80, 180),), 12_000, seed=2)
    expected = erlang_c(80, 180, 5)
    wait, error = outcome.mean(lambda name, wait_s: wait_s)
    assert abs(wait - expected.asa_s) <= 3 * error
    assert sum(outcome.occupancy().values()) / 5 == pytest.approx(expected.occupancy, abs=0.03)


def test_means_and_quantiles() -> None:
    assert mean_of([[1, 3], [2, 4]]) == (2.5, 0.5)
    assert (quantile(range(1, 101), 0.99), quantile([5.0], 0.99)) == (99, 5.0)


def test_too_few_calls_tell_nothing() -> None:
    with pytest.raises(ValueError, match="it takes 400 calls at least"):
        simulate_routing(one_queue(5), CLASSES, 399, seed=1)
