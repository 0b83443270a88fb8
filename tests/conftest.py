"""What all tests share: how Hypothesis draws its examples.

``make test`` draws the same examples each time, so that it says something about the change and nothing about luck; ``make test-all``
(HYPOTHESIS_PROFILE=explore) draws new ones, and what it finds becomes a test of its own. ``quick`` draws few, for a look in between.

What takes longest begins first, so that nobody waits for it at the end; the rest is mixed, so that at any time something computes beside
what waits for phones. (xdist must keep this order: ``--no-loadscope-reorder``; by itself it begins with the files of most tests, and ends
with those of one long test.)
"""

import os

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
    "tests/apps/test_api_fuzz.py",
    "tests/pbx/test_voicemail.py",
    "tests/pbx/test_transfers.py",
    "tests/contract/test_stories.py",
    "tests/pbx/test_surveys.py",
    "tests/pbx/test_sample_flows.py",
)
WAITING = ("tests/pbx/", "tests/contract/")
"""For phones and clocks, most of the time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files (or classes) stay together; only their order changes."""
    together: dict[str, list[pytest.Item]] = {}
    for item in items:
        together.setdefault(item.nodeid.rpartition("::")[0], []).append(item)
    first = sorted((scope for scope in together if scope.startswith(FIRST)), key=_place)
    rest = [scope for scope in together if not scope.startswith(FIRST)]
    waiting = [scope for scope in rest if scope.startswith(WAITING)]
    computing = [scope for scope in rest if not scope.startswith(WAITING)]
    mixed = sorted((n / len(kind), scope) for kind in (waiting, computing) for n, scope in enumerate(kind))
    items[:] = [item for scope in (*first, *(scope for _, scope in mixed)) for item in together[scope]]


def _place(scope: str) -> int:
    return next(n for n, begin in enumerate(FIRST) if scope.startswith(begin))
