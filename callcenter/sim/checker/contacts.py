"""Contacts: whose turn it is, who may be offered what, and whether times add up (A1 to A5, A9)."""

from collections.abc import Callable, Mapping

from callcenter.domain import facts as f
from callcenter.sim.checker.agents import may_be_offered
from callcenter.sim.checker.notebook import ZERO, Contact, Notebook


def _entered(notes: Notebook, fact: f.ContactEntered) -> None:
    notes.once("contact", fact.contact)
    contact = notes.contacts[fact.contact] = notes.live[fact.contact] = Contact(fact)
    call = notes.call(fact)
    if call is not None:
        call.contacts.append(fact.contact)
        notes.touched.add(fact.call)
    if fact.entered_at > fact.at or fact.place > fact.at:
        notes.wrong("A9", f"contact {fact.contact} enters in the future")
    before = notes.contacts.get(fact.transferred_from)
    if before is not None and before.parted_at is None and not before.over and not fact.consult:
        notes.wrong("A2", f"contact {fact.contact} comes from {fact.transferred_from}, which goes on")
    _keeps_its_place(notes, contact, before)


def _keeps_its_place(notes: Notebook, contact: Contact, before: Contact | None) -> None:
    """Who comes back to the same queue because the agent was lost stands where he stood."""
    fact = contact.entered
    if before is not None and before.why is f.EndedWhy.AGENT_LOST and contact.rank != before.rank:
        notes.wrong("A4", f"contact {fact.contact} has lost the place of {before.entered.contact}")


def _offered(notes: Notebook, fact: f.ContactOffered) -> None:
    notes.once("offer", fact.offer)
    contact, call = notes.find(fact.contact, fact), notes.call(fact)
    if call is not None and fact.leg not in notes.staying:
        call.legs.add(fact.leg)
    if contact is None:
        return
    if not contact.in_line:
        notes.wrong("A2", f"contact {fact.contact} is offered while it talks")
    promised = next((each for each in notes.reservations.values() if each.leg == fact.leg), None)
    if promised is not None:  # agent first: she has been there since before the caller was
        if promised.agent != fact.agent:
            notes.wrong("A1", f"{fact.agent} is offered {fact.contact} on the leg of {promised.agent}")
        del notes.reservations[promised.callback]
    else:
        if call is not None and call.began.node in notes.away:
            notes.wrong("A5", f"contact {fact.contact} is offered while its node {call.began.node} is away")
        may_be_offered(notes, fact.agent, fact.contact, fact.queue if contact.is_plain else "")
        _nobody_is_passed_over(notes, fact, contact)
    contact.offers[fact.offer] = fact


def _nobody_is_passed_over(notes: Notebook, fact: f.ContactOffered, contact: Contact) -> None:
    """Nobody who came earlier waits in this queue, and nobody who could take it has been idle longer."""
    if fact.queue not in notes.plain or not contact.is_plain:
        return
    for other in notes.waiting(fact.queue):
        if other.rank < contact.rank:
            notes.wrong("A4", f"{fact.contact} is offered before {other.entered.contact}, who came earlier")
    idle_since = notes.agents[fact.agent].idle_since if fact.agent in notes.agents else None
    for name, agent in notes.ready(fact.queue):
        if idle_since is not None and agent.idle_since is not None and agent.idle_since < idle_since:
            notes.wrong("A4", f"{fact.agent} is offered {fact.contact}, and {name} has been idle longer")


def _offer_moved(notes: Notebook, fact: f.OfferMoved) -> None:
    call, contact = notes.call(fact), notes.find(fact.contact, fact)
    if call is not None:
        call.legs.add(fact.leg)
    if contact is not None and fact.offer not in contact.offers:
        notes.wrong("A2", f"offer {fact.offer} rings elsewhere, and is over or never was")


def _offer_over(notes: Notebook, fact: f.OfferMissed | f.OfferWithdrawn) -> None:
    contact = notes.find(fact.contact, fact)
    if contact is not None and contact.offers.pop(fact.offer, None) is None:
        notes.wrong("A2", f"offer {fact.offer} is over a second time, or never was")
    notes.touched.add(fact.call)


def _connected(notes: Notebook, fact: f.ContactConnected) -> None:
    contact = notes.find(fact.contact, fact)
    if contact is None:
        return
    if fact.offer not in contact.offers or contact.offers[fact.offer].agent != fact.agent:
        notes.wrong("A2", f"{fact.agent} is connected to {fact.contact} without an open offer")
    contact.offers.pop(fact.offer, None)
    contact.connected_at, contact.agent, contact.offer = fact.at, fact.agent, fact.offer
    _wait_is_right(notes, contact, fact)


def _left(notes: Notebook, fact: f.ContactAbandoned | f.ContactOverflowed) -> None:
    contact = notes.find(fact.contact, fact)
    if contact is None:
        return
    if not contact.in_line or contact.offers:
        notes.wrong("A2", f"contact {fact.contact} leaves the queue while {'offered' if contact.offers else 'talking'}")
    contact.over = True
    del notes.live[fact.contact]
    _wait_is_right(notes, contact, fact)


def _wait_is_right(notes: Notebook, contact: Contact, fact: f.ContactConnected | f.ContactAbandoned | f.ContactOverflowed) -> None:
    wait = fact.at - contact.entered.entered_at
    if contact.entered.consult:
        return  # nobody of ours waits until the caller is handed over
    if fact.wait != wait or wait < ZERO:
        notes.wrong("A9", f"contact {fact.contact} is said to have waited {fact.wait}; it was {wait}")


def _directed(notes: Notebook, fact: f.ContactReordered | f.ContactMoved) -> None:
    contact = notes.find(fact.contact, fact)
    if contact is not None:
        contact.directed = True


def _held(notes: Notebook, fact: f.ContactHeld) -> None:
    contact = notes.find(fact.contact, fact)
    if contact is not None:
        contact.held_since = fact.at


def _resumed(notes: Notebook, fact: f.ContactResumed) -> None:
    contact = notes.find(fact.contact, fact)
    if contact is not None and contact.held_since is not None:
        contact.hold, contact.held_since = contact.hold + (fact.at - contact.held_since), None


def _parted(notes: Notebook, fact: f.ContactParted) -> None:
    contact = notes.find(fact.contact, fact)
    if contact is None:
        return
    if contact.connected_at is None:
        notes.wrong("A2", f"contact {fact.contact} parts and never talked")
        return
    hold = contact.hold + (fact.at - contact.held_since if contact.held_since else ZERO)
    if contact.entered.consult:
        pass  # talk counts from when the caller is handed over
    elif fact.hold != hold or fact.talk + fact.hold != fact.at - contact.connected_at or min(fact.talk, fact.hold) < ZERO:
        notes.wrong("A9", f"contact {fact.contact}: talk {fact.talk} and hold {fact.hold} of {fact.at - contact.connected_at}")
    contact.parted_at, contact.why = fact.at, fact.why
    del notes.live[fact.contact]


def _ended(notes: Notebook, fact: f.ContactEnded) -> None:
    contact = notes.contacts.get(fact.contact)
    if contact is None or contact.parted_at is None or contact.over:
        notes.wrong("A3", f"contact {fact.contact} ends, and has not parted or has ended before")
        return
    contact.over = True
    if fact.wrap_up != fact.at - contact.parted_at or fact.wrap_up < ZERO:
        notes.wrong("A9", f"contact {fact.contact}: wrap-up {fact.wrap_up} of {fact.at - contact.parted_at}")


CONTACTS: Mapping[type, Callable[..., None]] = {
    f.ContactEntered: _entered,
    f.ContactOffered: _offered,
    f.OfferMoved: _offer_moved,
    f.OfferMissed: _offer_over,
    f.OfferWithdrawn: _offer_over,
    f.ContactConnected: _connected,
    f.ContactAbandoned: _left,
    f.ContactReordered: _directed,
    f.ContactMoved: _directed,
    f.ContactOverflowed: _left,
    f.ContactHeld: _held,
    f.ContactResumed: _resumed,
    f.ContactParted: _parted,
    f.ContactEnded: _ended,
}
