"""What happens to legs, told as what it means for the call."""

from callcenter.domain import (
    accepting,
    announcing,
    asking_outside,
    callbacks,
    consults,
    desk_menu,
    mailbox_visits,
    outward,
    own_calls,
    own_resuming,
    payments,
    persistent_leg,
    resuming,
    supervising,
)
from callcenter.domain.call import Call, Leg, LegState
from callcenter.domain.commands import Answer, CloseBridge, HangUp, StartRecording, StopMusic, StopRecording, StopRinging
from callcenter.domain.contact import Contact, ContactState
from callcenter.domain.delivery import agent_leg_ended, caller_leg_ended, connect, on_leg, start_music
from callcenter.domain.events import Cause
from callcenter.domain.facts import (
    CallEnded,
    ContactHeld,
    ContactResumed,
    Direction,
    LegGone,
    LegRinging,
    LegUp,
    LegWasHeld,
    LegWasResumed,
    RecordingStopped,
)
from callcenter.domain.flows import caller_left, outside_ended, say_again
from callcenter.domain.turn import Turn


def _find(turn: Turn, leg_id: str) -> tuple[Call, Leg] | None:
    """The leg and its call; None when it has ended already, which is a lost race and no error."""
    call = turn.state.legs.get(leg_id)
    return None if call is None else (call, call.legs[leg_id])


def rang(turn: Turn, leg_id: str) -> None:
    found = _find(turn, leg_id)
    if found and found[1].state is LegState.CREATED:
        turn.emit(LegRinging(turn.now, found[0].id, leg_id))


def answered(turn: Turn, leg_id: str) -> None:
    """An agent picked up. If the offer is gone meanwhile, the leg is closing already."""
    found = _find(turn, leg_id)
    if not found or found[1].state is LegState.UP:
        return
    call, leg = found
    turn.emit(LegUp(turn.now, call.id, leg_id))
    if call.began.direction is Direction.PERSISTENT:
        persistent_leg.answered(turn, call, leg)
        return
    if call.began.direction is Direction.SUPERVISION and leg_id == call.began.leg:
        supervising.answered(turn, call, leg)
        return
    callback = turn.state.callbacks.by_call.get(call.id)
    if callback is not None and not call.contact:
        callbacks.leg_answered(turn, callback, call, leg)
        return
    stories = (own_calls.answered, outward.answered, asking_outside.answered, resuming.answered)
    if any(is_its(turn, call, leg) for is_its in stories):
        return
    contact = on_leg(turn, call, leg_id)
    offered = contact.offer_to(leg_id) if contact and contact.state is ContactState.OFFERED and not leg.closing else None
    if contact and offered and offered.number:
        accepting.ask(turn, contact, offered)
    elif contact and offered:
        connect(turn, contact, offered)
    else:
        turn.hang_up(call, leg)


def _talk_of(turn: Turn, call: Call, leg: Leg) -> Contact | None:
    """The contact on this leg; one that stays up between contacts belongs to a call of its own."""
    agent = turn.state.agents.get(leg.agent)
    if agent is not None and agent.leg == leg.id:
        contact = turn.state.contacts.get(agent.contact)
        return contact if contact is not None and contact.offer_to(leg.id) is not None else None
    return on_leg(turn, call, leg.id)


def _arranged(turn: Turn, contact: Contact) -> bool:
    return consults.arranges_holds(turn, turn.state.calls[contact.entered.call])


def held(turn: Turn, leg_id: str) -> None:
    found = _find(turn, leg_id)
    if not found or found[1].held:
        return
    call, leg = found
    turn.emit(LegWasHeld(turn.now, call.id, leg_id))
    contact = _talk_of(turn, call, leg)
    if contact and contact.state is ContactState.CONNECTED and contact.held_since is None and not _arranged(turn, contact):
        turn.emit(ContactHeld(turn.now, contact.entered.call, contact.id, leg.agent))


def resumed(turn: Turn, leg_id: str) -> None:
    found = _find(turn, leg_id)
    if not found or not found[1].held:
        return
    call, leg = found
    turn.emit(LegWasResumed(turn.now, call.id, leg_id))
    contact = _talk_of(turn, call, leg)
    if contact and contact.held_since is not None and not _arranged(turn, contact):
        turn.emit(ContactResumed(turn.now, contact.entered.call, contact.id, leg.agent))


def ended(turn: Turn, leg_id: str, cause: Cause) -> None:
    """A leg is gone. The call ends with its last one."""
    found = _find(turn, leg_id)
    if not found:
        supervising.snoop_ended(turn, leg_id)
        return
    call, leg = found
    agent = turn.state.agents.get(leg.agent)
    stayed, was_to_stay = (agent.leg == leg_id, agent.leg_to_be == leg_id) if agent else (False, False)
    talked_outside = outward.talks(call)
    if talked_outside and leg_id in (call.began.leg, call.outside):
        turn.want(CloseBridge(call.id, call.node, call.bridge))
    was_outside = call.outside == leg_id
    turn.emit(LegGone(turn.now, call.id, leg_id, cause))
    supervising.leg_gone(turn, call, leg_id, cause)
    if leg_id == call.began.leg:
        mailbox_visits.caller_left(turn, call)
        desk_menu.caller_left(turn, call)
        caller_left(turn, call)
        asking_outside.caller_left(turn, call)
        caller_leg_ended(turn, call, cause)
        for other in list(call.legs.values()):
            turn.hang_up(call, other)
    elif was_outside and talked_outside:
        turn.hang_up(call, call.caller_leg)
    elif was_outside:
        outside_ended(turn, call, leg_id, cause)
    elif not consults.leg_ended(turn, call, leg, cause) and not payments.agent_left(turn, call, leg, cause):
        agent_leg_ended(turn, call, leg, cause)
    if leg_id == call.began.leg or was_outside:
        own_calls.leg_ended(turn, call, leg_id, cause)
    if agent is not None and (stayed or was_to_stay):
        persistent_leg.gone(turn, agent, leg, cause, stayed=stayed)
    if not call.legs and call.ended_at is None:
        turn.emit(CallEnded(turn.now, call.id, call.cause))


def found_alone(turn: Turn, leg_id: str) -> None:
    """After a gap it is not where it should be: bring the talk together again, or finish hanging up.

    We may have been killed in the middle of it; each of these commands means its result, so all are given again.
    """
    found = _find(turn, leg_id)
    if not found:
        return
    call, leg = found
    if leg.closing:
        turn.want(HangUp(call.id, call.node, leg_id))
        if leg.agent and call.recording:  # she left two who hear each other already, and we were killed in the middle of it
            _record_again(turn, call)
    elif call.supervision is not None:
        supervising.arrange(turn, call)
    elif call.payment is not None:
        payments.keep_apart(turn, call)
    elif call.own is not None and call.own.resuming:
        own_resuming.keep_apart(turn, call)
    elif (contact := turn.state.contacts.get(call.contact)) and contact.resuming:
        resuming.keep_apart(turn, call, contact)
    elif (contact := turn.state.contacts.get(call.contact)) and contact.state is ContactState.CONNECTED and contact.offer:
        turn.want(Answer(call.id, call.node, call.began.leg))
        turn.want(StopMusic(call.id, call.node, call.began.leg))
        _record_again(turn, call)
        if call.consult is not None:
            consults.arrange(turn, call)
        else:
            turn.connect(call, call.bridge, (call.began.leg, contact.offer.leg))
    elif outward.talks(call):
        turn.want(StopRinging(call.id, call.node, call.began.leg))
        outward.together(turn, call)


def _record_again(turn: Turn, call: Call) -> None:
    """An earlier contact's recording ends, and this one's begins."""
    for _, fact in call.history:
        if isinstance(fact, RecordingStopped):
            turn.want(StopRecording(call.id, call.node, call.began.leg, fact.recording))
    if call.recording:
        turn.want(StartRecording(call.id, call.node, call.began.leg, call.recording))


def found_silent(turn: Turn, leg_id: str) -> None:
    """After a gap the caller hears nothing: say the prompt again, or let the music play; to be answered comes first."""
    found = _find(turn, leg_id)
    if not found or found[1].closing or found[1].state is not LegState.UP:
        return
    call, _ = found
    turn.want(Answer(call.id, call.node, leg_id))
    _record_again(turn, call)
    contact = turn.state.contacts.get(call.contact)
    if call.visit is not None:
        mailbox_visits.found_silent(turn, call)
    elif call.desk is not None:
        desk_menu.say_again(turn, call)
    elif call.flow is not None:
        turn.want(StopMusic(call.id, call.node, leg_id))
        say_again(turn, call)
    elif contact and contact.state in (ContactState.WAITING, ContactState.OFFERED):
        if contact.announcing.playback:
            announcing.ended(turn, contact, contact.announcing.playback)
        else:
            start_music(turn, contact)
