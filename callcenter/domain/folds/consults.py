"""What facts of consults change."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from callcenter.domain import facts as f
from callcenter.domain.call import Consult
from callcenter.domain.contact import ContactState
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


def _consult(state: "State", fact: f.ConsultTurned | f.CallerHandedOver) -> Consult:
    consult = state.calls[fact.call].consult_of(fact.contact)
    if consult is None:
        raise IllegalTransition(fact.contact, "not a consult", type(fact).__name__)
    return consult


FOLDS: Mapping[type, Callable[..., None]] = {
    f.ConsultBegan: consult_began,
    f.ConsultTurned: consult_turned,
    f.CallerHandedOver: caller_handed_over,
}
