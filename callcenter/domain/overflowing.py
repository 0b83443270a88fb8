"""Callers who leave a queue unanswered, by the rows of its overflow table or by a key of theirs.

A row is tried when a caller enters, once a second per queue while its condition holds, and at the dates on which a caller has
waited long enough or the queue closes. No row applies twice to the same caller: who comes back is not sent round again.
"""

from collections.abc import Iterator
from datetime import datetime

from callcenter.domain import delivery
from callcenter.domain.contact import UNANSWERED, Contact
from callcenter.domain.facts import OverflowPlanned, OverflowWhy
from callcenter.domain.facts.callbacks import CallbackOffered
from callcenter.domain.ivr.flow import GOODBYE, callback_offer
from callcenter.domain.overflow_rules import HEAD, Overflow, OverflowRow, OverflowTo, RowKind
from callcenter.domain.queue import Queue
from callcenter.domain.router import route_agent
from callcenter.domain.turn import Turn
from callcenter.domain.watch import measure


def entered(turn: Turn, contact: Contact) -> bool:
    """Send on who should not even begin to wait; say whether that was so."""
    queue = turn.state.queue(contact.entered.queue)
    return any(row.waited is None and _turns_away(turn, queue, row) and send_on(turn, contact, row) for row in queue.config.rows)


def _turns_away(turn: Turn, queue: Queue, row: OverflowRow) -> bool:
    """Whether the row applies to who enters now: its condition is measured at once, unless it must last."""
    if row.kind is RowKind.CLOSED:
        return is_closed(turn, queue)
    if row.when is None or row.when.metric in HEAD:
        return False
    measured = turn.state.queue(row.when.queue) if row.when.queue else queue
    value = measure(turn, measured, row.when.metric)
    if value is None or (row.when.lasting and not queue.holds(row.when)):
        return False
    return not row.when.released(value) if queue.holds(row.when) else row.when.passed(value)


def look(turn: Turn, queue: Queue) -> None:
    """Once a second, after the queue was measured: rows whose condition holds, tried on those who wait."""
    for row in queue.config.rows:
        if row.when is None or row.entering or not queue.holds(row.when):
            continue
        for contact in _candidates(turn, queue, row):
            if send_on(turn, contact, row) and not row.all_at_once:
                break


def _candidates(turn: Turn, queue: Queue, row: OverflowRow) -> Iterator[Contact]:
    """Callers in line to whom the row may apply, whoever goes first first: who has waited longest, or who stands last."""
    assert row.when is not None
    by_age = row.waited is not None or row.when.metric in HEAD
    for name in queue.oldest.in_order() if by_age else reversed(queue.waiting.in_order()):
        contact = turn.state.contacts.get(name)
        if contact is not None and row.waited is not None and contact.wait(turn.now) < row.waited:
            return
        if contact is not None and name in queue.waiting:
            yield contact


def date_came(turn: Turn, contact: Contact) -> None:
    """The caller has waited so long, or the queue closes."""
    queue = turn.state.queue(contact.entered.queue)
    for row in queue.config.rows:
        if _is_due(turn, queue, contact, row) and send_on(turn, contact, row):
            return
    turn.emit(OverflowPlanned(turn.now, contact.entered.call, contact.id, next_look(turn, queue, contact.entered.entered_at)))


def is_closed(turn: Turn, queue: Queue) -> bool:
    """By its hours; a queue without hours never is."""
    hours = turn.state.hours(queue.config.hours)
    return hours is not None and not hours.is_open(turn.now)


def next_look(turn: Turn, queue: Queue, entered_at: datetime) -> datetime | None:
    """The next date on which a row may apply to who entered then; None: none."""
    hours = turn.state.hours(queue.config.hours)
    return queue.config.next_look(entered_at, hours.closes_at(turn.now) if hours is not None else None, turn.now)


def hours_changed(turn: Turn) -> None:
    """Hours are others now, or were switched by hand: who waits in a closed queue goes as at closing time, the others later."""
    for contact in [contact for contact in turn.state.contacts.values() if contact.state in UNANSWERED]:
        queue = turn.state.queue(contact.entered.queue)
        if contact.state not in UNANSWERED or not queue.config.hours:
            continue  # it left for somebody who was sent on before it
        closed = next((row for row in queue.config.rows if row.kind is RowKind.CLOSED and _is_due(turn, queue, contact, row)), None)
        planned = next_look(turn, queue, contact.entered.entered_at)
        if closed is not None:
            send_on(turn, contact, closed)
        elif planned != contact.overflow_at:
            turn.emit(OverflowPlanned(turn.now, contact.entered.call, contact.id, planned))


def _is_due(turn: Turn, queue: Queue, contact: Contact, row: OverflowRow) -> bool:
    if row.kind is RowKind.CLOSED:
        return not queue.config.closing.drain and is_closed(turn, queue)
    if row.waited is None or contact.wait(turn.now) < row.waited:
        return False
    return row.when is None or queue.holds(row.when)


def key_pressed(turn: Turn, contact: Contact, digit: str) -> bool:
    """A key during the wait; say whether it means something in this queue."""
    action = turn.state.queue(contact.entered.queue).config.keys.get(digit)
    if action is None or contact.state not in UNANSWERED:
        return False
    go(turn, contact, action, OverflowWhy.KEY_PRESSED)
    return True


def send_on(turn: Turn, contact: Contact, row: OverflowRow) -> bool:
    """Obey the row, unless it has been obeyed for this caller before."""
    call = turn.state.calls[contact.entered.call]
    if row.kind is RowKind.RULE and row.key in call.overflowed_by:
        return False
    go(turn, contact, row.action, OverflowWhy(row.kind.value), row.key if row.kind is RowKind.RULE else "")
    return True


def go(turn: Turn, contact: Contact, action: Overflow, why: OverflowWhy, rule: str = "") -> None:
    """The caller leaves the queue and goes where the action says."""
    call = turn.state.calls[contact.entered.call]
    entered = contact.entered
    consult = call.consult_of(contact.id)
    if action.to is OverflowTo.CALLBACK and not contact.callback_offered and consult is None:
        turn.emit(CallbackOffered(turn.now, call.id, contact.id, entered.queue))
    freed = delivery.leave_queue(turn, contact, why, rule)
    if consult is not None:
        pass  # the caller is the agent's still, and she goes back to the caller
    elif action.to is OverflowTo.QUEUE and action.target in turn.state.config.queues:
        needs = delivery.taken_along(turn, entered, action.target)
        delivery.enter_queue(turn, call, action.target, entered.priority, needs, place=entered.place, transferred_from=contact.id)
    elif action.to is OverflowTo.VOICEMAIL:
        turn.to_mailbox.append((call, action.target, contact.id))
    elif action.to is OverflowTo.CALLBACK:
        turn.send_on(call, callback_offer(entered.queue))
    else:
        turn.send_on(call, action.target if action.to is OverflowTo.FLOW else GOODBYE.name)
    for agent in freed:
        route_agent(turn, agent)
