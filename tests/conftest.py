"""What all tests share: how Hypothesis draws its examples.

``make test`` draws the same examples each time, so that it says something about the change and nothing about luck; ``make test-all``
(HYPOTHESIS_PROFILE=explore) draws new ones, and what it finds becomes a test of its own. ``quick`` draws few, for a look in between.

What takes longest begins first, so that nobody waits for it at the end: what computes beside what waits for phones.
"""

import os
from collections.abc import Sequence

import pytest
from hypothesis import settings

settings.register_profile("repeat", derandomize=True)
settings.register_profile("explore", derandomize=False, print_blob=True)
settings.register_profile("quick", derandomize=True, max_examples=20)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeat"))

FIRST: Sequence[str] = (
    "tests/sim/test_flow_fuzz.py",
    "tests/pbx/test_payments.py",
    "tests/domain/test_center_machine.py::TestFirst",
    "tests/pbx/test_speech.py",
    "tests/domain/test_center_machine.py",
    "tests/pbx/",
    "tests/contract/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: next((n for n, begin in enumerate(FIRST) if item.nodeid.startswith(begin)), len(FIRST)))
