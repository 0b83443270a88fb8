"""``callcenter bench acd`` measures what it says: long lines of callers and of agents, every kind of event."""

import gc
import json

import pytest
from typer.testing import CliRunner

from callcenter.apps.bench import acd, bench_app


def test_json_has_the_sizes_in_ascending_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acd, "SIZES", (160, 320))
    monkeypatch.setattr(acd, "WAITING", 200)
    thresholds = gc.get_threshold()
    result = CliRunner().invoke(bench_app, ["acd", "--events", "3000", "--json"])
    assert result.exit_code == 0
    sizes = json.loads(result.stdout)["sizes"]
    assert [size["agents"] for size in sizes] == [160, 320]
    for size in sizes:
        assert 0 < size["p50_us"] < size["p99_us"]
        assert size["p99_cpu_us"] > 0
        assert size["events"] >= 3000
        assert size["ready"] > 0
        assert 150 < size["waiting"] <= 220
        assert set(size["by_event"]) >= {"caller arrives", "agent answers", "caller hangs up", "phone is down", "agent is free again"}
    for size in json.loads(result.stdout)["every_rule"]:
        assert size["ready"] > 0
        assert size["waiting"] > 100
        assert set(size["by_event"]) >= {"caller arrives", "agent answers", "caller hangs up", "a date comes"}
    assert (gc.get_threshold(), gc.get_freeze_count()) == (thresholds, 0)


def test_a_percentile_is_what_that_share_does_not_exceed() -> None:
    quiet = [("caller arrives", ns) for ns in range(1_000, 101_000, 1_000)]
    assert acd.at_most_us(quiet, 0.5) == 50
    assert acd.at_most_us(quiet, 0.99) == 99
    assert acd.at_most_us(quiet, 1) == 100
