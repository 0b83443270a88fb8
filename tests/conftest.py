"""What all tests share: how Hypothesis draws its examples.

``make test`` draws the same examples each time, so that it says something about the change and nothing about luck; ``make test-all``
(HYPOTHESIS_PROFILE=explore) draws new ones, and what it finds becomes a test of its own. ``quick`` draws few, for a look in between.
"""

import os

from hypothesis import settings

settings.register_profile("repeat", derandomize=True)
settings.register_profile("explore", derandomize=False, print_blob=True)
settings.register_profile("quick", derandomize=True, max_examples=20)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeat"))
