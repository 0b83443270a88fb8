"""``callcenter bench flow`` and ``callcenter simulate flow-fuzz``: what they print, and that what they measure is what they say."""

import json

import pytest
from typer.testing import CliRunner

from callcenter.apps.bench import flow as bench
from callcenter.apps.cli import app
from callcenter.sim import flow_fuzz


def test_a_round_passes_each_node_once() -> None:
    walker = bench.Walker()
    walker.go(bench.interpreter.arrive(walker.run, walker.around))
    for rounds in range(1, 4):
        walker.round()
        assert (walker.run.node, walker.nodes) == ("menu", 8 * rounds)
    assert walker.run.attributes == {"account": "1234", "tier": "gold-1234"}


def test_the_figures_are_printed_and_the_gate_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    result = CliRunner().invoke(app, ["bench", "flow", "--rounds", "2000", "--json"])
    printed = json.loads(result.stdout)
    assert printed["node_steps_per_s"] > 1000
    assert printed["passed"] is (printed["node_steps_per_s"] >= 100_000) is (result.exit_code == 0)
    monkeypatch.setattr(bench, "GATE", 10**9)
    assert CliRunner().invoke(app, ["bench", "flow", "--rounds", "100"]).exit_code == 1


def test_the_fuzz_says_what_it_did() -> None:
    result = CliRunner().invoke(app, ["simulate", "flow-fuzz", "--steps", "3000", "--seed", "2", "--json"])
    printed = json.loads(result.stdout)
    assert (result.exit_code, printed["steps"], printed["faults"], printed["seed"]) == (0, 3000, 0, 2)
    assert sum(printed["exits"].values()) == printed["started"]


def test_a_fault_is_said_and_is_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(steps: int, seed: int) -> None:
        raise flow_fuzz.FlowFault("silence at main/n1")

    monkeypatch.setattr(flow_fuzz, "fuzz", fault)
    result = CliRunner().invoke(app, ["simulate", "flow-fuzz", "--steps", "100"])
    assert result.exit_code == 1
    assert "silence at main/n1" in result.output
