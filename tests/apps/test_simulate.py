"""``callcenter simulate queue``: what it prints, and what it refuses."""

import json

import pytest
from typer.testing import CliRunner

from callcenter.apps.simulate import simulate_app
from callcenter.domain.erlang import erlang_a

SMALL = ["queue", "--calls-per-hour", "100", "--aht", "180", "--agents", "5", "--calls", "2000", "--seed", "5"]


def test_json_has_every_figure_with_its_standard_error_and_erlangs_beside_it() -> None:
    result = CliRunner().invoke(simulate_app, [*SMALL, "--patience", "60", "--json"])
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    formula = erlang_a(100, 180, 5, 60)
    for name in ("p_wait", "p_abandon", "asa_s", "service_level", "occupancy"):
        assert printed[name] == pytest.approx(getattr(formula, name), rel=0.5)
        assert 0 < printed[f"{name}_se"] < printed[name]
        assert printed["erlang"][name] == getattr(formula, name)
    assert (printed["calls"], printed["seed"], printed["offered"]) == (2000, 5, 1900)


def test_the_table_names_the_formula() -> None:
    with_patience = CliRunner().invoke(simulate_app, [*SMALL, "--patience", "60"])
    without = CliRunner().invoke(simulate_app, [*SMALL[:6], "9", *SMALL[7:]])
    ringing = CliRunner().invoke(simulate_app, [*SMALL, "--patience", "60", "--ring-s", "3"])
    assert (with_patience.exit_code, without.exit_code, ringing.exit_code) == (0, 0, 0)
    assert "Erlang A" in with_patience.stdout
    assert "Erlang C" in without.stdout
    assert " SE " in without.stdout
    assert " SE " not in ringing.stdout


def test_more_work_than_agents_is_refused_when_nobody_gives_up() -> None:
    result = CliRunner().invoke(simulate_app, SMALL)
    assert result.exit_code == 2
    assert "5 agents cannot carry 5 erlangs" in result.stderr
    assert "give at least 6 --agents, or --patience" in result.stderr


def test_estimated_waits_come_true_as_often_as_aimed() -> None:
    result = CliRunner().invoke(simulate_app, ["ewt", "--scenario", "rush-hours", "--calls", "4000", "--json"])
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    (rush,) = printed["scenarios"]
    assert rush["told"] == rush["came_true"] + rush["did_not"] + rush["unknown"] > 500
    assert printed["share"] == rush["came_true"] / (rush["came_true"] + rush["did_not"])
    assert 0.8 <= printed["share"] <= 0.9
    assert printed["as_aimed"]
    assert sum(each["came_true"] for each in rush["by_under"].values()) == rush["came_true"]


def test_a_scenario_of_waits_that_there_is_not() -> None:
    result = CliRunner().invoke(simulate_app, ["ewt", "--scenario", "flood"])
    assert result.exit_code == 2
    assert "there is no scenario 'flood'; scenarios: steady, overload" in result.stderr
