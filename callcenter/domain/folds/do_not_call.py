"""What facts of the do-not-call list change."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from callcenter.domain import facts as f

if TYPE_CHECKING:
    from callcenter.domain.state import State


def added(state: "State", fact: f.DoNotCallAdded) -> None:
    """What was said first stands: it is the date that counts."""
    state.do_not_call.setdefault(fact.number, fact)


def removed(state: "State", fact: f.DoNotCallRemoved) -> None:
    state.do_not_call.pop(fact.number, None)


FOLDS: Mapping[type, Callable[..., None]] = {f.DoNotCallAdded: added, f.DoNotCallRemoved: removed}
