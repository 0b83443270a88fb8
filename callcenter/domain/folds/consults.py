"""What facts of consults change."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from callcenter.domain import facts as f
from callcenter.domain.call import Consult, Leg
from callcenter.domain.contact import ContactState
from callcenter.domain.deadlines import CONSULT
from callcenter.domain.machine import IllegalTransition

if TYPE_CHECKING:
    from callcenter.domain.state import State


def consult_began(state: "State", fact: f.ConsultBegan) -> None:
    state.calls[fact.call].consult = Consult(fact.contact, fact.agent, fact.leg, fact.bridge)


def consult_turned(state: "State", fact: f.ConsultTurned) -> None:
    _consult(state, fact).hears = fact.hears


def caller_handed_over(state: "State", fact: f.CallerHandedOver) -> None:
    call, contact = state.calls[fact.call], state.contacts[fact.contact]
    bridge = _consult(state, fact).bridge
    call.contact, call.consult = contact.id, None
    call.bridge = bridge if contact.state is ContactState.CONNECTED else ""
    if contact.state is ContactState.CONNECTED and contact.offer and contact.entered.caller:
        state.remember_served(contact.entered.caller, contact.offer.agent)


def outside_consulted(state: "State", fact: f.OutsideConsulted) -> None:
    call = state.calls[fact.call]
    if call.consult is not None:
        raise IllegalTransition(fact.call, "consulting already", type(fact).__name__)
    call.consult = Consult("", fact.agent, fact.own_leg, fact.bridge, outside=fact)
    state.add_leg(call, Leg(fact.leg))
    state.deadlines.set(fact.until, CONSULT, fact.call)


def outside_consult_answered(state: "State", fact: f.OutsideConsultAnswered) -> None:
    _outside(state, fact).answered_at = fact.at


def outside_consult_ended(state: "State", fact: f.OutsideConsultEnded) -> None:
    _outside(state, fact)
    state.calls[fact.call].consult = None


def caller_handed_outside(state: "State", fact: f.CallerHandedOutside) -> None:
    call, consult = state.calls[fact.call], _outside(state, fact)
    call.consult, call.outside, call.bridge = None, fact.leg, consult.bridge


def _outside(state: "State", fact: f.OutsideConsultAnswered | f.OutsideConsultEnded | f.CallerHandedOutside) -> Consult:
    consult = state.calls[fact.call].consult
    if consult is None or consult.outside is None or consult.outside.leg != fact.leg:
        raise IllegalTransition(fact.call, "no consult of that number", type(fact).__name__)
    return consult


def _consult(state: "State", fact: f.ConsultTurned | f.CallerHandedOver) -> Consult:
    consult = state.calls[fact.call].consult_of(fact.contact)
    if consult is None:
        raise IllegalTransition(fact.contact, "not a consult", type(fact).__name__)
    return consult


FOLDS: Mapping[type, Callable[..., None]] = {
    f.ConsultBegan: consult_began,
    f.ConsultTurned: consult_turned,
    f.CallerHandedOver: caller_handed_over,
    f.OutsideConsulted: outside_consulted,
    f.OutsideConsultAnswered: outside_consult_answered,
    f.OutsideConsultEnded: outside_consult_ended,
    f.CallerHandedOutside: caller_handed_outside,
}
