"""What facts of payments change."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from callcenter.domain import facts as f
from callcenter.domain.call import PAYMENT, Payment
from callcenter.domain.machine import IllegalTransition

if TYPE_CHECKING:
    from callcenter.domain.state import State


def payment_began(state: "State", fact: f.PaymentBegan) -> None:
    call = state.calls[fact.call]
    if call.payment is not None or call.contact != fact.contact:
        raise IllegalTransition(fact.call, "paying" if call.payment else "not in that contact", "PaymentBegan")
    call.payment = Payment(fact.contact, fact.agent, fact.flow)


def payment_ended(state: "State", fact: f.PaymentEnded) -> None:
    call = state.calls[fact.call]
    if call.payment is None:
        raise IllegalTransition(fact.call, "not paying", "PaymentEnded")
    call.payment = None
    call.attributes[PAYMENT] = fact.outcome


FOLDS: Mapping[type, Callable[..., None]] = {f.PaymentBegan: payment_began, f.PaymentEnded: payment_ended}
