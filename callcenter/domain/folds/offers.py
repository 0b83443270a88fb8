"""What facts of offers change."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from callcenter.domain import facts as f
from callcenter.domain.call import Leg
from callcenter.domain.contact import Contact, ContactState, said_most
from callcenter.domain.deadlines import OFFER
from callcenter.domain.folds.announcements import announce_later
from callcenter.domain.folds.contacts import move_contact
from callcenter.domain.machine import IllegalTransition

if TYPE_CHECKING:
    from callcenter.domain.state import State


def contact_offered(state: "State", fact: f.ContactOffered) -> None:
    contact = move_contact(state, fact, fact.contact)
    contact.offers[fact.offer] = fact
    state.offers[fact.offer] = contact
    state.line_up_contact(contact)
    call = state.calls[fact.call]
    if not fact.stays and fact.leg not in call.legs:  # agent first, she is there before the caller is
        state.add_leg(call, Leg(fact.leg, agent=fact.agent))
    state.deadlines.set(fact.until, OFFER, fact.offer)
    state.recount(state.queue(fact.queue), fact.at)


def offer_moved(state: "State", fact: f.OfferMoved) -> None:
    contact = _with_offer(state, fact)
    offered = contact.offers[fact.offer]
    missed = fact.why if offered.missed is None else said_most(offered.missed, fact.why)
    at_next = replace(offered, leg=fact.leg, until=fact.until, number=fact.number, device=fact.device, missed=missed)
    contact.offers[fact.offer] = at_next
    state.add_leg(state.calls[fact.call], Leg(fact.leg, agent=fact.agent))
    state.deadlines.set(fact.until, OFFER, fact.offer)


def offer_to_accept(state: "State", fact: f.OfferToAccept) -> None:
    contact = _with_offer(state, fact)
    contact.offers[fact.offer] = replace(contact.offers[fact.offer], until=fact.until)
    state.deadlines.set(fact.until, OFFER, fact.offer)


def _with_offer(state: "State", fact: f.OfferMoved | f.OfferToAccept) -> Contact:
    """The contact with that open offer."""
    contact = state.contacts[fact.contact]
    if contact.state is not ContactState.OFFERED or fact.offer not in contact.offers:
        raise IllegalTransition(contact.id, contact.state, type(fact).__name__)
    return contact


def offer_missed(state: "State", fact: f.OfferMissed) -> None:
    _take_back(state, fact)
    agent = state.agents.get(fact.agent)
    if agent is not None:
        agent.tally.missed(fact.queue, fact.at)


def offer_withdrawn(state: "State", fact: f.OfferWithdrawn) -> None:
    _take_back(state, fact)


def _take_back(state: "State", fact: f.OfferMissed | f.OfferWithdrawn) -> None:
    contact = state.contacts[fact.contact]
    if fact.offer not in contact.offers:
        raise IllegalTransition(contact.id, contact.state, fact)
    if contact.offers.keys() == {fact.offer} or contact.state is not ContactState.OFFERED:
        move_contact(state, fact, fact.contact)
    del contact.offers[fact.offer], state.offers[fact.offer]
    if state.calls[fact.call].consult_of(contact.id) is None:
        contact.bound = ""
    state.line_up_contact(contact)
    announce_later(state, contact)
    state.recount(state.queue(fact.queue), fact.at)


FOLDS: Mapping[type, Callable[..., None]] = {
    f.ContactOffered: contact_offered,
    f.OfferMoved: offer_moved,
    f.OfferToAccept: offer_to_accept,
    f.OfferMissed: offer_missed,
    f.OfferWithdrawn: offer_withdrawn,
}
