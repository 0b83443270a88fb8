"""The invariants of docs/invariants.md, judged from the facts alone: a naive book-keeper that shares no code with the center.

It is told every record in order, with the settings that were in force. Used by the Hypothesis machine of
``tests/domain/test_center_machine.py``, by ``callcenter simulate chaos`` and by ``callcenter bench survive``.
"""

from callcenter.sim.checker.checker import Checker as Checker
from callcenter.sim.checker.notebook import Violation as Violation
