"""What all tests share: how Hypothesis draws its examples.

``make test`` draws the same examples each time, so that it says something about the change and nothing about luck; ``make test-all``
(HYPOTHESIS_PROFILE=explore) draws new ones, and what it finds becomes a test of its own. ``quick`` draws few, for a look in between.

What takes longest begins first, so that nobody waits for it at the end; the rest is mixed, so that at any time something computes beside
what waits for phones. (xdist must keep this order: ``--no-loadscope-reorder``; by itself it begins with the files of most tests, and ends
with those of one long test.)
"""

import os
from collections import Counter

import pytest
from hypothesis import settings

settings.register_profile("repeat", derandomize=True)
settings.register_profile("explore", derandomize=False, print_blob=True)
settings.register_profile("quick", derandomize=True, max_examples=20)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeat"))

FIRST: tuple[str, ...] = (
    "tests/sim/test_flow_fuzz.py",
    "tests/pbx/test_callbacks.py",
    "tests/domain/test_center_machine.py::TestFirst",
    "tests/pbx/test_payments.py",
    "tests/pbx/test_speech.py",
    "tests/domain/test_center_machine.py",
    "tests/pbx/test_supervision.py",
    "tests/pbx/test_desk_phone_shift.py",
    "tests/pbx/test_voicemail.py",
    "tests/pbx/test_transfers.py",
    "tests/contract/test_stories.py",
    "tests/pbx/test_surveys.py",
    "tests/pbx/test_sample_flows.py",
)
WAITING = ("tests/pbx/", "tests/contract/")
"""For phones and clocks, most of the time."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Files (or classes) stay together; only their order changes."""
    if hasattr(config, "workerinput"):
        _each_has_a_name_of_its_own(items)
    together: dict[str, list[pytest.Item]] = {}
    for item in items:
        together.setdefault(item.nodeid.rpartition("::")[0], []).append(item)
    first = sorted((scope for scope in together if scope.startswith(FIRST)), key=_place)
    rest = [scope for scope in together if not scope.startswith(FIRST)]
    waiting = [scope for scope in rest if scope.startswith(WAITING)]
    computing = [scope for scope in rest if not scope.startswith(WAITING)]
    mixed = sorted((n / len(kind), scope) for kind in (waiting, computing) for n, scope in enumerate(kind))
    items[:] = [item for scope in (*first, *(scope for _, scope in mixed)) for item in together[scope]]


def _each_has_a_name_of_its_own(items: list[pytest.Item]) -> None:
    """xdist runs one of those of the same name, and is silent about the others."""
    names = Counter(item.nodeid for item in items)
    if twice := sorted(name for name, count in names.items() if count > 1):
        raise pytest.UsageError(f"only one of those of the same name would be run; run these without -n: {', '.join(twice)}")


def _place(scope: str) -> int:
    return next(n for n, begin in enumerate(FIRST) if scope.startswith(begin))
