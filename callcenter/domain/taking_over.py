"""A supervisor takes an agent's caller: for the books a transfer, by the supervisor's leg that is up already.

The agent wraps up. The caller is a new contact of the same queue and place, the supervisor's; it is recorded anew if the queue says so.
"""

from callcenter.domain import overflowing
from callcenter.domain.agent import LOGIN, Agent
from callcenter.domain.call import Call
from callcenter.domain.contact import Contact
from callcenter.domain.delivery import connect, leave, settle, taken_along
from callcenter.domain.events import Cause
from callcenter.domain.facts import (
    AgentPhoneChanged,
    AgentState,
    AgentStateChanged,
    CallEnded,
    ContactEntered,
    ContactOffered,
    EndedWhy,
    LegMoved,
)
from callcenter.domain.presence import become, remember
from callcenter.domain.turn import Turn


def take_over(turn: Turn, own: Call, supervisor: Agent, contact: Contact, leg: str) -> None:
    """``own`` is the supervisor's call, which is over: its ``leg`` belongs to the contact's call from now on."""
    call = turn.state.calls[contact.entered.call]
    asked = supervisor.remembered
    before = (asked.state, asked.reason) if asked is not None else (supervisor.state, supervisor.reason)
    agent = leave(turn, contact, EndedWhy.TRANSFERRED)
    new = _enter(turn, call, contact, supervisor)
    turn.emit(LegMoved(turn.now, call.id, leg, supervisor.name, own.id))
    turn.emit(CallEnded(turn.now, own.id, Cause.NORMAL))
    _offer(turn, call, new, supervisor, leg)
    connect(turn, new, new.offers[next(iter(new.offers))])
    remember(turn, supervisor, *before)
    settle(turn, agent)


def _enter(turn: Turn, call: Call, old: Contact, supervisor: Agent) -> Contact:
    entered, queue = old.entered, turn.state.queue(old.entered.queue)
    along = taken_along(turn, entered, queue.name)
    new = ContactEntered(
        *(turn.now, call.id, turn.ids.draw(), queue.name, entered.priority, turn.now, entered.place, entered.caller),
        overflow_at=overflowing.next_look(turn, queue, turn.now),
        transferred_from=old.id,
        require=along.require,
        prefer=along.prefer,
        rule=along.rule,
        for_agent=supervisor.name,
    )
    turn.emit(new)
    return turn.state.contacts[new.contact]


def _offer(turn: Turn, call: Call, contact: Contact, supervisor: Agent, leg: str) -> None:
    """All at once: whoever was not at work is, for this contact; RESERVED protects from a second one as ever."""
    if not supervisor.reachable:
        turn.emit(AgentPhoneChanged(turn.now, supervisor.name, reachable=True))  # it talks
    if supervisor.state is AgentState.LOGGED_OUT:
        become(turn, supervisor, AgentState.NOT_READY, LOGIN)
    become(turn, supervisor, AgentState.READY)
    until = turn.now + turn.state.queue(contact.entered.queue).config.ring_timeout
    offer = turn.ids.draw()
    turn.emit(
        ContactOffered(turn.now, call.id, contact.id, contact.entered.queue, offer, supervisor.name, leg, until, 1, (), ("took over",))
    )
    turn.emit(AgentStateChanged(turn.now, supervisor.name, AgentState.RESERVED, contact=contact.id, idle_since=supervisor.idle_since))
