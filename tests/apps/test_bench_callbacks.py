"""``callcenter bench callbacks``, small: a real engine process is killed, and what it promised is kept."""

import json
import subprocess
import sys

import pytest


@pytest.mark.parametrize("first", ["agent", "caller"])
def test_nothing_is_lost_and_nobody_called_twice(first: str) -> None:
    bench = [
        sys.executable,
        "-m",
        "callcenter.apps.cli",
        "bench",
        "callbacks",
        "--callbacks",
        "40",
        "--kills",
        "3",
        "--first",
        first,
        "--json",
    ]
    ran = subprocess.run(bench, capture_output=True, text=True, timeout=250, check=False)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert (found["promised"], found["kept"], found["lost"], found["twice"]) == (40, 40, 0, 0)
    assert found["kills"] == 3
    assert found["attempts"] >= found["dialed"] >= 40
