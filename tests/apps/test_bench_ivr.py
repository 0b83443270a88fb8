"""``bench ivr``: a few callers in a real center, and what counts as passed."""

import json
from dataclasses import replace

from typer.testing import CliRunner

from callcenter.apps.bench.ivr import Ivr, percentile
from callcenter.apps.cli import app


def test_callers_hear_the_next_prompt_after_each_key() -> None:
    result = CliRunner().invoke(app, ["bench", "ivr", "--callers", "5", "--seconds", "8", "--json"])
    found = json.loads(result.stdout)
    assert (result.exit_code, found["failures"], found["passed"]) == (0, [], True)
    assert (found["callers"], found["at_once"]) == (5, 5)
    assert found["keys"] >= 5
    assert 0 < found["from_key_up_ms"]["p50"] <= found["from_key_up_ms"]["p99"]


def test_late_prompts_failures_and_missing_callers_do_not_pass() -> None:
    good = Ivr(callers=2, at_once=2, delays=[20.0] * 99 + [900.0])
    assert percentile(good.delays, 0.99) == 20.0
    assert good.passed
    assert not replace(good, delays=[20.0] * 98 + [251.0] * 2).passed
    assert not replace(good, failures=["caller 1: silence for 3.0 s; 9 packets came"]).passed
    assert not replace(good, at_once=1).passed
    assert not replace(good, delays=[]).passed
