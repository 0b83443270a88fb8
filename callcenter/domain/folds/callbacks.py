"""What facts of callbacks change; but that one was offered, which changes the contact alone (``folds.contacts``)."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from callcenter.domain.facts.callbacks import CallbackFact

if TYPE_CHECKING:
    from callcenter.domain.state import State


def callback_changed(state: "State", fact: CallbackFact) -> None:
    state.callbacks.apply(fact)


FOLDS: Mapping[type, Callable[..., None]] = dict.fromkeys(CallbackFact.__args__, callback_changed)
