"""What facts of opening hours change."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from callcenter.domain import facts as f
from callcenter.domain.deadlines import SWITCH
from callcenter.domain.hours import PinLock, Switched

if TYPE_CHECKING:
    from callcenter.domain.state import State


def hours_switched(state: "State", fact: f.HoursSwitched) -> None:
    state.switches[fact.calendar] = Switched(fact.is_open, fact.until, fact.reason)
    if fact.until is not None:
        state.deadlines.set(fact.until, SWITCH, fact.calendar)


def hours_switched_back(state: "State", fact: f.HoursSwitchedBack) -> None:
    state.switches.pop(fact.calendar, None)


def pin_accepted(state: "State", fact: f.HoursPinAccepted) -> None:
    state.pin_locks.pop(fact.calendar, None)


def pin_refused(state: "State", fact: f.HoursPinRefused) -> None:
    state.pin_locks[fact.calendar] = PinLock(fact.failures, fact.locked_until)


FOLDS: Mapping[type, Callable[..., None]] = {
    f.HoursSwitched: hours_switched,
    f.HoursSwitchedBack: hours_switched_back,
    f.HoursPinAccepted: pin_accepted,
    f.HoursPinRefused: pin_refused,
}
