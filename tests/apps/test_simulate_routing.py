"""``callcenter simulate routing``: what it prints, its exit code, and the examples of its page."""

import json
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callcenter.apps.cli import app
from callcenter.sim.routing_scenarios import SCENARIOS

PAGE = Path(__file__).parent.parent.parent / "docs" / "simulate.md"
EXAMPLES = re.findall(r"^callcenter (simulate routing .+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_page_has_an_example_of_each_scenario() -> None:
    assert [SCENARIOS.keys()] == [dict.fromkeys(re.search(r"--scenario (\S+)", example)[1] for example in EXAMPLES).keys()]  # type: ignore[index]


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_run(example: str) -> None:
    """In small: whether the gate is passed with so few calls is chance, but it is said."""
    result = CliRunner().invoke(app, [*shlex.split(example), "--calls", "400"])
    assert result.exit_code in (0, 1), result.output
    if "--json" in example:
        printed = json.loads(result.stdout)
        assert printed["calls"] == 400
        assert printed["passed"] is (result.exit_code == 0)
        assert printed["scenario"] in example
        assert printed["gate"]
        assert printed["figures"]
        assert {run["rule"] for run in printed["runs"]}
    else:
        assert "400 calls in each run" in result.stdout
        assert ("passed" in result.stdout) is (result.exit_code == 0)


def test_standard_errors_stand_beside_means() -> None:
    result = CliRunner().invoke(app, ["simulate", "routing", "--scenario", "v-model", "--calls", "400", "--json"])
    for run in json.loads(result.stdout)["runs"]:
        assert 0 < run["cost_per_call_se"] < run["cost_per_call"]


def test_the_same_seed_brings_the_same_figures() -> None:
    def figures(seed: str) -> str:
        result = CliRunner().invoke(app, ["simulate", "routing", "--scenario", "vip", "--calls", "400", "--json", "--seed", seed])
        return json.dumps(json.loads(result.stdout)["runs"])

    assert figures("5") == figures("5") != figures("6")


def test_an_unknown_scenario_is_refused_with_those_there_are() -> None:
    result = CliRunner().invoke(app, ["simulate", "routing", "--scenario", "luck"])
    assert result.exit_code == 2
    assert result.stderr == "callcenter: there is no scenario 'luck'; scenarios: v-model, chain, fairness, vip\n"
