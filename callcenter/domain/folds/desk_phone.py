"""What facts of the spoken menu change."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from callcenter.domain import facts as f
from callcenter.domain.deadlines import MENU

if TYPE_CHECKING:
    from callcenter.domain.state import State


def desk_menu_moved(state: "State", fact: f.DeskMenuMoved) -> None:
    state.calls[fact.call].desk = fact
    if fact.until is not None:
        state.deadlines.set(fact.until, MENU, fact.call)


def desk_menu_left(state: "State", fact: f.DeskMenuLeft) -> None:
    state.calls[fact.call].desk = None


def done_by_phone(state: "State", fact: f.DoneByPhone) -> None:
    pass


FOLDS: Mapping[type, Callable[..., None]] = {
    f.DeskMenuMoved: desk_menu_moved,
    f.DeskMenuLeft: desk_menu_left,
    f.DoneByPhone: done_by_phone,
}
