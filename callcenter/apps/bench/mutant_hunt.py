"""The searches of ``make test``, one after the other, until one finds something; run in a copy of the package (``bench mutants``)."""

import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

FIRST_SEEDS = 5
"""Tried before all else, as they take seconds; the others come last."""
TESTS = ["tests/domain", "tests/services"]
MACHINE = "tests/domain/test_center_machine.py"
PYTEST = [sys.executable, "-m", "pytest", "-x", "-q", "-m", "not long", "--tb=no", "-p", "no:cacheprovider", f"--ignore={MACHINE}"]


def main(seeds: int) -> None:
    """Print ``by`` and ``what`` as JSON; both are empty when all searches were through and nothing was found."""
    logging.disable(logging.CRITICAL)
    first = min(FIRST_SEEDS, seeds)
    found = _chaos(range(1, first + 1)) or _machine() or _stories() or _chaos(range(first + 1, seeds + 1))
    by, what = found or ("", "")
    print(json.dumps({"by": by, "what": what}))


def _chaos(seeds: Iterable[int]) -> tuple[str, str] | None:
    from callcenter.apps.chaos.seed import run_seed

    for seed in seeds:
        try:
            outcome = run_seed(seed)
        except Exception as crash:  # the planted bug broke the simulation itself
            return f"chaos, seed {seed}", f"{type(crash).__name__}: {crash}"[:300]
        if outcome.violations:
            return f"chaos, seed {seed}", str(outcome.violations[0])[:300]
    return None


def _machine() -> tuple[str, str] | None:
    from hypothesis import Phase
    from hypothesis.errors import HypothesisException

    sys.path.insert(0, str(Path.cwd()))
    from tests.domain.test_center_machine import search

    for quarter in (1, 2, 3, 4):
        try:
            search(quarter, phases=[Phase.generate], database=None, derandomize=True, print_blob=False)
        except HypothesisException:
            raise
        except Exception as failure:
            return f"machine, quarter {quarter}", f"{type(failure).__name__}: {failure}"[:300]
    return None


def _stories() -> tuple[str, str] | None:
    """The other tests of the core and of the services, which tell calls from beginning to end."""
    done = subprocess.run([*PYTEST, *TESTS], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    said = re.search(r"^(?:FAILED|ERROR) (\S+)(?: - (.*))?$", done.stdout, re.MULTILINE)
    return ("test " + said[1].split("::")[-1], (said[2] or "")[:300]) if said else ("tests", done.stdout[-300:])


if __name__ == "__main__":
    main(int(sys.argv[1]))
