"""What facts of contacts change: where each stands, and what its queue learns from it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from callcenter.domain import facts as f
from callcenter.domain.contact import CONTACT_TRANSITIONS, FINISHED, UNANSWERED, Contact, ContactState
from callcenter.domain.deadlines import MUSIC, OVERFLOW
from callcenter.domain.facts.callbacks import CallbackOffered
from callcenter.domain.figures import handled
from callcenter.domain.folds.announcements import announce_later
from callcenter.domain.machine import IllegalTransition, transition
from callcenter.domain.queue import Queue
from callcenter.domain.told import outcome
from callcenter.domain.waiter import CONTACT, Band, Waiter

if TYPE_CHECKING:
    from callcenter.domain.state import State


def contact_entered(state: "State", fact: f.ContactEntered) -> None:
    call = state.calls[fact.call]
    queue = state.queue(fact.queue)
    waiter = Waiter(fact.contact, fact.queue, fact.priority, fact.entered_at, fact.place, CONTACT, fact.require, fact.prefer)
    waiter.preferred, waiter.preferred_until = fact.preferred, fact.preferred_until
    waiter.rung, waiter.band = queue.rung_at(waiter.wait(fact.at)), queue.band_at(waiter, fact.at)
    contact = state.contacts[fact.contact] = Contact(fact, waiter, bound=fact.for_agent)
    if call.consult_of(contact.id) is None:
        call.contact = contact.id
    call.unfinished.add(contact.id)
    queue.unanswered += 1
    state.line_up_contact(contact)
    state.set_advance(waiter)
    overflow_later(state, contact, fact.overflow_at)
    state.deadlines.set(contact.music_at, MUSIC, contact.id)
    contact.announcing.status_at, contact.announcing.comfort_at = fact.status_at, fact.comfort_at
    announce_later(state, contact)
    queue.oldest.put((fact.entered_at, contact.id))
    state.recount(queue, fact.at)
    state.look_soon(queue, fact.at)


def waiter_advanced(state: "State", fact: f.WaiterAdvanced) -> None:
    waiter = state.waiter(fact.contact)
    if waiter is None:
        raise IllegalTransition(fact.contact, "not waiting", type(fact).__name__)
    stands = state.lines.step_out(waiter.id) is not None
    queue = state.queue(waiter.queue)
    waiter.rung, waiter.band, waiter.preferred = min(fact.rung, len(queue.rungs) - 1), Band(fact.band), fact.preferred
    if stands:
        state.lines.stand(waiter)
    state.set_advance(waiter)


def contact_reordered(state: "State", fact: f.ContactReordered) -> None:
    contact = state.contacts[fact.contact]
    if contact.state not in UNANSWERED:
        raise IllegalTransition(contact.id, contact.state, type(fact).__name__)
    waiter = contact.waiter
    state.step_aside(contact)
    waiter.priority, waiter.front_at = fact.priority, fact.at if fact.head else None
    waiter.band = min(waiter.band, state.queue(waiter.queue).band_at(waiter, fact.at))
    state.line_up_contact(contact)
    state.set_advance(waiter)


def contact_moved(state: "State", fact: f.ContactMoved) -> None:
    pass  # what came of it is told by the facts that follow; this is for people


def overflow_planned(state: "State", fact: f.OverflowPlanned) -> None:
    overflow_later(state, state.contacts[fact.contact], fact.overflow_at)


def overflow_later(state: "State", contact: Contact, overflow_at: datetime | None) -> None:
    contact.overflow_at = overflow_at
    if overflow_at is not None:
        state.deadlines.set(overflow_at, OVERFLOW, contact.id)


def contact_connected(state: "State", fact: f.ContactConnected) -> None:
    contact = move_contact(state, fact, fact.contact)
    contact.connected_at = fact.at
    for offer in contact.offers:
        del state.offers[offer]
    contact.offers = {fact.offer: contact.offers[fact.offer]}
    state.line_up_contact(contact)
    contact.bound = ""
    call = state.calls[fact.call]
    if call.consult_of(contact.id) is None:
        call.bridge, call.handed_on = fact.bridge, None
    queue, offered_at = _no_longer_waits(state, contact, fact.at), contact.offers[fact.offer].at
    stood_in_line = offered_at > contact.entered.at
    in_time = fact.wait <= queue.config.target_wait
    _learn_waits(state, queue, contact, fact.at, connected=True)
    queue.measures.answered(fact.at, stood_in_line=stood_in_line, rang=fact.at - offered_at, in_time=in_time)
    if contact.entered.caller and call.consult_of(contact.id) is None:
        state.remember_served(contact.entered.caller, fact.agent)
    agent = state.agents.get(fact.agent)
    if agent is not None:
        agent.tally.answered(fact.queue, fact.at, state.config.window)


def contact_abandoned(state: "State", fact: f.ContactAbandoned) -> None:
    _leave_queue(state, fact)


def contact_overflowed(state: "State", fact: f.ContactOverflowed) -> None:
    state.contacts[fact.contact].why = fact.why
    if fact.rule:
        state.calls[fact.call].overflowed_by.add(fact.rule)
    _leave_queue(state, fact)


def _leave_queue(state: "State", fact: f.ContactAbandoned | f.ContactOverflowed) -> None:
    contact = move_contact(state, fact, fact.contact)
    state.line_up_contact(contact)
    queue = _no_longer_waits(state, contact, fact.at)
    _learn_waits(state, queue, contact, fact.at, connected=False)
    queue.measures.gone(fact.at, counts=isinstance(fact, f.ContactAbandoned) and not fact.short)
    call = state.calls[fact.call]
    if call.consult_of(contact.id) is not None:
        call.consult = None
    else:
        call.contact, call.left = "", contact.id


def _no_longer_waits(state: "State", contact: Contact, at: datetime) -> Queue:
    queue = state.queue(contact.entered.queue)
    queue.unanswered -= 1
    queue.oldest.take(contact.id)
    state.recount(queue, at)
    return queue


def _learn_waits(state: "State", queue: Queue, contact: Contact, at: datetime, *, connected: bool) -> None:
    for told_at, estimate in contact.announcing.told:
        came_true = outcome(told_at, estimate.under, at, connected=connected)
        if came_true is not None:
            queue.measures.came_true(estimate.expected, came_true)


def callback_offered(state: "State", fact: CallbackOffered) -> None:
    state.contacts[fact.contact].callback_offered = True


def contact_held(state: "State", fact: f.ContactHeld) -> None:
    state.contacts[fact.contact].held_since = fact.at


def contact_resumed(state: "State", fact: f.ContactResumed) -> None:
    contact = state.contacts[fact.contact]
    contact.hold, contact.held_since = contact.held(fact.at), None


def contact_parted(state: "State", fact: f.ContactParted) -> None:
    contact = move_contact(state, fact, fact.contact)
    contact.hold, contact.held_since, contact.parted_at = fact.hold, None, fact.at
    call = state.calls[fact.call]
    if call.consult_of(contact.id) is not None:
        call.consult = None
    else:
        call.contact = call.bridge = ""
    state.queue(fact.queue).tally.talked(fact.talk)
    agent = state.agents.get(fact.agent)
    if agent is not None:
        agent.tally.talked(fact.talk, fact.at, state.config.window)


def disposition_given(state: "State", fact: f.DispositionGiven) -> None:
    contact = state.contacts[fact.contact]
    if contact.state not in (ContactState.CONNECTED, ContactState.WRAPPING):
        raise IllegalTransition(contact.id, contact.state, type(fact).__name__)
    contact.disposition = fact.disposition


def contact_ended(state: "State", fact: f.ContactEnded) -> None:
    contact = move_contact(state, fact, fact.contact)
    agent = state.agents.get(fact.agent)
    if agent is not None and contact.parted_at is not None:
        talk = contact.talk(contact.parted_at)
        agent.figures = handled(agent.figures, state.config.time_zone, fact.at, talk, contact.hold, fact.wrap_up)


def move_contact(state: "State", fact: f.Fact, contact_id: str) -> Contact:
    contact = state.contacts[contact_id]
    contact.state = transition(CONTACT_TRANSITIONS, contact_id, contact.state, fact)
    if contact.state in FINISHED:
        state.calls[contact.entered.call].unfinished.discard(contact_id)
    return contact


FOLDS: Mapping[type, Callable[..., None]] = {
    f.ContactEntered: contact_entered,
    f.WaiterAdvanced: waiter_advanced,
    f.ContactReordered: contact_reordered,
    f.ContactMoved: contact_moved,
    f.OverflowPlanned: overflow_planned,
    f.ContactConnected: contact_connected,
    f.ContactAbandoned: contact_abandoned,
    f.ContactOverflowed: contact_overflowed,
    f.CallbackOffered: callback_offered,
    f.ContactHeld: contact_held,
    f.ContactResumed: contact_resumed,
    f.ContactParted: contact_parted,
    f.DispositionGiven: disposition_given,
    f.ContactEnded: contact_ended,
}
