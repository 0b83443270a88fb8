"""What facts of supervision change."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from callcenter.domain import facts as f
from callcenter.domain.call import Call, Leg, LegState
from callcenter.domain.machine import IllegalTransition
from callcenter.domain.supervision import ENDED, STATE_OF, SUPERVISION_MOVES, Supervision, SupervisionState

if TYPE_CHECKING:
    from callcenter.domain.state import State


def supervision_began(state: "State", fact: f.SupervisionBegan) -> None:
    call = state.calls[fact.call]
    if call.supervision is not None or fact.supervisor in state.supervising:
        raise IllegalTransition(fact.call, "supervising", type(fact).__name__)
    call.supervision = Supervision(fact, contact=fact.contact, queue=fact.queue)
    state.supervising[fact.supervisor] = call
    state.supervised.setdefault(fact.agent, {})[call.id] = call


def supervision_turned(state: "State", fact: f.SupervisionTurned) -> None:
    _, supervision = _move(state, fact, STATE_OF[fact.mode])
    state.snoops.pop(supervision.snoop, None)
    supervision.contact, supervision.queue, supervision.watched = fact.contact, fact.queue, fact.watched
    supervision.snoop, supervision.bridge = fact.snoop, fact.bridge
    supervision.heard, supervision.was_deaf = fact.contact or supervision.heard, fact.why is f.TurnedWhy.DEAF
    if fact.snoop:
        state.snoops[fact.snoop] = state.calls[fact.call]


def supervision_ended(state: "State", fact: f.SupervisionEnded) -> None:
    call, supervision = _move(state, fact, ENDED)
    state.snoops.pop(supervision.snoop, None)
    state.supervising.pop(supervision.supervisor, None)
    others = state.supervised[supervision.agent]
    del others[call.id]
    if not others:
        del state.supervised[supervision.agent]
    call.supervision = None


def _move(state: "State", fact: f.SupervisionTurned | f.SupervisionEnded, target: SupervisionState) -> tuple[Call, Supervision]:
    call = state.calls[fact.call]
    if call.supervision is None or target not in SUPERVISION_MOVES[call.supervision.state]:
        before = call.supervision.state if call.supervision is not None else "not supervising"
        raise IllegalTransition(fact.call, before, f"{type(fact).__name__} to {target}")
    call.supervision.state = target
    return call, call.supervision


def leg_moved(state: "State", fact: f.LegMoved) -> None:
    """A restored state may no longer know the call it came from: all of that is over."""
    before = state.legs.get(fact.leg)
    leg = before.legs.pop(fact.leg) if before is not None else Leg(fact.leg, agent=fact.agent, state=LegState.UP)
    leg.agent = fact.agent
    state.add_leg(state.calls[fact.call], leg)


FOLDS: Mapping[type, Callable[..., None]] = {
    f.SupervisionBegan: supervision_began,
    f.SupervisionTurned: supervision_turned,
    f.SupervisionEnded: supervision_ended,
    f.LegMoved: leg_moved,
}
