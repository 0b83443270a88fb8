"""An agent who talks to somebody else about her caller: who hears whom, and how it ends.

::

                    ┌─ swap ─┐                              the agent leaves: the consulted has the caller
    asked ──► answered ──► conference ──► completed ──►     (asked, and not yet answered: the caller waits on)
      │           │             │
      └───────────┴─────────────┴──► called off ──────►     the agent has the caller again

The consulted is reached like anybody: a contact of its own is offered, missed, answered. Until the consult is completed it
is the agent whom they hear, and the caller's contact remains hers. She may talk to both on one leg (asked for at
the console, the legs are moved between two bridges) or have dialed the consulted on a second one (her phone holds the caller).
"""

from datetime import timedelta

from callcenter.domain import asking_outside
from callcenter.domain.call import Call, Consult, Leg
from callcenter.domain.commands import CloseBridge, StartMusic, StartRinging, StopMusic, StopRinging
from callcenter.domain.contact import Contact, ContactState
from callcenter.domain.delivery import leave, overflow, part, settle, start_recording
from callcenter.domain.events import Cause
from callcenter.domain.facts import CallerHandedOver, ContactHeld, ContactResumed, EndedWhy, Hears, OverflowWhy, OwnEndedWhy
from callcenter.domain.state import State
from callcenter.domain.supervision import ear_places
from callcenter.domain.turn import Turn


def talk_leg(state: State, call: Call) -> str:
    """The leg on which the agent talks to the caller; empty when none does."""
    contact = state.contacts.get(call.contact)
    return contact.offer.leg if contact and contact.state is ContactState.CONNECTED and contact.offer else ""


def is_by_phone(state: State, call: Call) -> bool:
    """The agent has dialed the consulted on a second leg: her phone does the holding and swapping."""
    return call.consult is not None and call.consult.leg != talk_leg(state, call)


def arranges_holds(turn: Turn, call: Call) -> bool:
    """We decide whom the agent hears, so her hold key tells nothing about who is on hold."""
    return call.payment is not None or (call.consult is not None and not is_by_phone(turn.state, call))


def consulted(state: State, call: Call) -> str:
    """The leg of the consulted who has answered; empty before."""
    if call.consult is not None and call.consult.outside is not None:
        return call.consult.outside.leg if call.consult.answered_at is not None else ""
    contact = state.contacts.get(call.consult.contact) if call.consult else None
    return contact.offer.leg if contact and contact.state is ContactState.CONNECTED and contact.offer else ""


def places(state: State, call: Call) -> dict[str, str]:
    """In which bridge each leg should be while two talk, or three consult; who is in none may be anywhere."""
    if call.supervision is not None:
        return ear_places(call)
    own, consult = talk_leg(state, call), call.consult
    if call.payment is not None or (own and state.contacts[call.contact].resuming):
        return {}
    if call.own is not None and call.own.resuming:
        return {}
    if not own:
        outside = (call.began.leg, call.outside) if call.bridge and call.outside in call.legs else ()
        return dict.fromkeys(outside, call.bridge)
    caller, other = call.began.leg, consulted(state, call)
    if consult is None:
        return {caller: call.bridge, own: call.bridge}
    if is_by_phone(state, call):
        found = {caller: call.bridge, own: call.bridge, consult.leg: consult.bridge}
    elif consult.hears is Hears.ALL:
        found = {caller: consult.bridge, own: consult.bridge}
    else:
        found = {caller: call.bridge, own: call.bridge if consult.hears is Hears.CALLER else consult.bridge}
    return {**found, other: consult.bridge} if other else found


def arrange(turn: Turn, call: Call) -> None:
    """Everybody where they should be, hearing what they should. To say it twice changes nothing."""
    consult, state = call.consult, turn.state
    assert consult is not None
    caller, other = call.began.leg, consulted(state, call)
    by_phone = is_by_phone(state, call)
    on_hold = "" if by_phone or consult.hears is Hears.ALL else other if consult.hears is Hears.CALLER else caller
    for leg in (caller, other):
        if leg and leg != on_hold:
            turn.want(StopMusic(call.id, call.node, leg))
    rooms: dict[str, tuple[str, ...]] = {}
    for leg, bridge in places(state, call).items():
        rooms[bridge] = (*rooms.get(bridge, ()), leg)
    for bridge, legs in rooms.items():
        turn.connect(call, bridge, legs)
    if on_hold:
        queue = state.queue(state.contacts[call.contact].entered.queue)
        turn.want(StartMusic(call.id, call.node, on_hold, queue.config.music))
    if not other:
        turn.want(StartRinging(call.id, call.node, consult.leg))


def hold_as_heard(turn: Turn, call: Call) -> None:
    """Whom the agent does not hear is on hold, and nobody else is."""
    consult, state = call.consult, turn.state
    assert consult is not None
    _hold(turn, state.contacts[call.contact], consult.hears is Hears.CONSULTED)
    asked = state.contacts.get(consult.contact)
    if asked is not None and asked.state is ContactState.CONNECTED:
        _hold(turn, asked, consult.hears is Hears.CALLER)


def _hold(turn: Turn, contact: Contact, hold: bool) -> None:
    assert contact.offer is not None
    call, agent = contact.entered.call, contact.offer.agent
    if hold and contact.held_since is None:
        turn.emit(ContactHeld(turn.now, call, contact.id, agent))
    elif not hold and contact.held_since is not None:
        turn.emit(ContactResumed(turn.now, call, contact.id, agent))


# --- how it ends --------------------------------------------------------------------------------


def hand_over(turn: Turn, call: Call, why: EndedWhy) -> None:
    """The agent leaves: the caller is the consulted's, or goes on waiting for one.

    Her wrap-up begins now. The contact she asked with becomes the caller's; its place in the line has not changed.
    """
    consult, state = call.consult, turn.state
    assert consult is not None
    if consult.outside is not None:
        asking_outside.hand_over(turn, call, consult, why)
        return
    asked = state.contacts[consult.contact]
    agent = leave(turn, state.contacts[call.contact], why)
    answered = asked.connected_at is not None
    wait = (asked.connected_at or turn.now) - asked.entered.entered_at
    talk, hold = (asked.talk(turn.now), asked.held(turn.now)) if answered else (timedelta(), timedelta())
    turn.emit(CallerHandedOver(turn.now, call.id, asked.id, agent.name, wait, talk, hold))
    turn.hang_up(call, call.legs.get(consult.leg))
    if answered:
        _let_hear(turn, call, asked, consult)
    else:
        turn.want(CloseBridge(call.id, call.node, consult.bridge))
        turn.want(StartMusic(call.id, call.node, call.began.leg, state.queue(asked.entered.queue).config.music))
    settle(turn, agent)


def _let_hear(turn: Turn, call: Call, contact: Contact, consult: Consult) -> None:
    """Caller and consulted hear each other, and are recorded if the contact's queue says so."""
    assert contact.offer is not None
    caller, other = call.began.leg, contact.offer.leg
    _hold(turn, contact, call.legs[other].held if other in call.legs else False)
    for leg in (caller, other):
        turn.want(StopMusic(call.id, call.node, leg))
    start_recording(turn, contact, contact.offer)
    turn.connect(call, consult.bridge, (caller, other))


def call_off(turn: Turn, call: Call) -> None:
    """The consult is over, and the agent has the caller again (see ``back_to_caller``)."""
    assert call.consult is not None
    if call.consult.outside is not None:
        asking_outside.end(turn, call, OwnEndedWhy.CALLED_OFF)
        return
    asked = turn.state.contacts[call.consult.contact]
    if asked.state is ContactState.CONNECTED:
        part(turn, asked, EndedWhy.CALLED_OFF)
    else:
        overflow(turn, asked, OverflowWhy.CALLED_OFF)


def back_to_caller(turn: Turn, call: Call, consult: Consult) -> None:
    """A consult has ended: its bridge is no longer needed, nor is the leg the agent had dialed it on; she and the caller go on."""
    own = turn.state.contacts.get(call.contact)
    leg = call.legs.get(talk_leg(turn.state, call))
    turn.want(CloseBridge(call.id, call.node, consult.bridge))
    if leg is None or consult.leg != leg.id:
        turn.hang_up(call, call.legs.get(consult.leg))
        return
    if own is not None and own.resuming:
        return
    turn.want(StopRinging(call.id, call.node, leg.id))
    if call.caller_leg is None or call.caller_leg.closing or leg.closing or own is None:
        return
    _hold(turn, own, leg.held)
    turn.want(StopMusic(call.id, call.node, call.began.leg))
    turn.connect(call, call.bridge, (call.began.leg, leg.id))


LEFT_BY_CAUSE = {Cause.NODE_CRASH: EndedWhy.NODE_CRASH, Cause.LOST: EndedWhy.AGENT_LOST, Cause.UNKNOWN: EndedWhy.AGENT_LOST}
"""How the consulting agent left, when it was not by hanging up."""


def leg_ended(turn: Turn, call: Call, leg: Leg, cause: Cause) -> bool:
    """Whether the end of this leg was the consulting agent's matter, and is dealt with.

    Who hangs up while she consults leaves: no caller is dropped by that. Who hangs up the second leg only goes back to the caller.
    """
    if call.consult is None:
        return False
    if asking_outside.leg_ended(turn, call, leg, cause):
        return True
    if leg.id == talk_leg(turn.state, call):
        if turn.state.contacts[call.contact].resuming and cause is not Cause.NODE_CRASH:
            cause = Cause.LOST
        if asking_outside.lost_while_it_rings(turn, call, cause):
            return False
        hand_over(turn, call, LEFT_BY_CAUSE.get(cause, EndedWhy.TRANSFERRED))
        return True
    if leg.id == call.consult.leg:
        call_off(turn, call)
        return True
    return False
