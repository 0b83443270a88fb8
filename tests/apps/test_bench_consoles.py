"""``callcenter bench consoles`` on a small scale: everything is real but the node, and a page in Chromium pops."""

import json
import subprocess
import sys

import pytest

from callcenter.apps.bench.consoles import Findings, quantile


@pytest.mark.long
def test_pops_are_measured_in_a_real_browser_beside_other_consoles() -> None:
    command = (
        sys.executable,
        "-m",
        "callcenter.apps.cli",
        "bench",
        "consoles",
        "--consoles",
        "6",
        "--rate",
        "2",
        "--seconds",
        "8",
        "--json",
    )
    ended = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    found = json.loads(ended.stdout)
    assert found["pops"] >= 2, ended.stderr
    assert found["socket_pops"] >= 5
    assert 0 < found["pop_p99_ms"] < 60_000
    assert (found["lost"], found["errors"]) == (0, [])
    assert {"loop_lag_p99_ms", "web_cpu_share", "client_cpu_share"} <= found.keys()


def test_a_gate_is_missed_by_each_of_its_parts() -> None:
    good = Findings(200, 20, pops=[100.0], lags=[1.0], web_cpu_share=0.5)
    assert good.passed
    assert not Findings(200, 20, pops=[], lags=[1.0], web_cpu_share=0.5).passed
    assert not Findings(200, 20, pops=[400.0], lags=[1.0], web_cpu_share=0.5).passed
    assert not Findings(200, 20, pops=[100.0], lags=[30.0], web_cpu_share=0.5).passed
    assert not Findings(200, 20, pops=[100.0], lags=[1.0], web_cpu_share=1.5).passed
    assert not Findings(200, 20, pops=[100.0], lags=[1.0], web_cpu_share=0.5, lost=1).passed
    assert quantile([3.0, 1.0, 2.0], 0.99) == 3.0
