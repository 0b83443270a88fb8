"""From queue to agent: entering, connecting, parting, wrapping up. Who gets whom is the router's matter."""

from datetime import datetime

from callcenter.domain import announcing, find_me, overflowing, promises, surveys
from callcenter.domain.agent import Agent
from callcenter.domain.call import Call, Leg
from callcenter.domain.commands import (
    CloseBridge,
    StartMusic,
    StartRecording,
    StopMusic,
    StopPlayback,
    StopRecording,
    StopRinging,
)
from callcenter.domain.contact import Contact, ContactState
from callcenter.domain.events import Cause
from callcenter.domain.facts import (
    AgentState,
    AgentStateChanged,
    AgentTalkOver,
    ContactAbandoned,
    ContactConnected,
    ContactEnded,
    ContactEntered,
    ContactOffered,
    ContactOverflowed,
    ContactParted,
    EndedWhy,
    MissedWhy,
    OfferMissed,
    OfferWithdrawn,
    OverflowWhy,
    RecordingStarted,
    RecordingStopped,
    WithdrawnWhy,
)
from callcenter.domain.ivr.flow import GOODBYE
from callcenter.domain.mailbox_config import mailbox_of
from callcenter.domain.preferred import preferred_agent
from callcenter.domain.presence import become, become_free, take_out
from callcenter.domain.router import route_agent, route_waiter
from callcenter.domain.routing_config import Needs
from callcenter.domain.turn import Turn

NO_NEEDS = Needs()


# --- entering and leaving the queue -------------------------------------------------------------


def enter_queue(
    turn: Turn,
    call: Call,
    queue_name: str,
    priority: int,
    needs: Needs = NO_NEEDS,
    *,
    entered_at: datetime | None = None,
    place: datetime | None = None,
    transferred_from: str = "",
) -> None:
    """The caller begins to wait, or overflows at once when a row of the overflow table turns newcomers away.

    Who comes back to an old place (``entered_at`` or ``place``), or to a promised one, is not turned away because others came meanwhile.
    """
    promised = promises.entry(turn, call, queue_name)
    if promised is not None:
        queue_name, priority, place = promised.queue, max(priority, promised.priority), min(place or turn.now, promised.place)
        needs = promised.needs or needs
    queue = turn.state.queue(queue_name)
    comes_back = entered_at is not None or place is not None
    entered_at = entered_at or turn.now
    contact_id = turn.ids.draw()
    alone = preferred_agent(turn, call.began.caller, queue, needs)
    turn.emit(
        ContactEntered(
            turn.now,
            call.id,
            contact_id,
            queue.name,
            priority,
            entered_at,
            place or entered_at,
            call.began.caller,
            overflowing.next_look(turn, queue, entered_at),
            transferred_from,
            *announcing.first_dates(queue.config.announce, turn.now),
            needs.require,
            needs.prefer,
            needs.rule,
            alone.agent,
            alone.until,
            alone.skipped,
        )
    )
    contact = turn.state.contacts[contact_id]
    if comes_back or not overflowing.entered(turn, contact):
        route_waiter(turn, contact.waiter)
    if promised is not None and promised.freed is not None:
        route_agent(turn, promised.freed)


def taken_along(turn: Turn, entered: ContactEntered, queue: str) -> Needs:
    """What the contact needs in its next queue: the same, for it is said of the caller; what nobody there could ever meet is but a wish."""
    require, prefer = entered.require, entered.prefer
    if require and queue != entered.queue and not turn.state.lines.could_meet(queue, require):
        require, prefer = "", f"({prefer}) and ({require})" if prefer else require
    return Needs(require, prefer, rule=entered.rule)


def start_music(turn: Turn, contact: Contact) -> None:
    """The caller has waited long enough to hear music. Starting it twice changes nothing; after an announcement it goes on anyway."""
    call = turn.state.calls[contact.entered.call]
    if turn.now >= contact.music_at and not contact.announcing.playback and call.consult_of(contact.id) is None:
        announcing.play_music(turn, call, contact)


def stop_music(turn: Turn, contact: Contact) -> None:
    """Silence, before something else is heard; what is being announced is cut off."""
    call = turn.state.calls[contact.entered.call]
    if turn.now >= contact.music_at:
        turn.want(StopMusic(call.id, call.node, call.began.leg))
    if contact.announcing.playback:
        turn.want(StopPlayback(call.id, call.node, contact.announcing.playback))


def abandon(turn: Turn, contact: Contact) -> None:
    """The caller hung up while waiting or while a phone rang."""
    queue = turn.state.queue(contact.entered.queue)
    freed = withdraw_all(turn, contact, WithdrawnWhy.CALLER_LEFT)
    wait = contact.wait(turn.now)
    _consult_is_over(turn, contact)
    turn.emit(ContactAbandoned(turn.now, contact.entered.call, contact.id, queue.name, wait, wait <= queue.config.short_abandon))
    for agent in freed:
        route_agent(turn, agent)


def overflow(turn: Turn, contact: Contact, why: OverflowWhy, flow: str = "") -> None:
    """The caller leaves the queue unanswered and goes on in that flow, in the queue's overflow flow, or is said goodbye.

    A consult is the agent's matter: she goes back to the caller.
    """
    call, queue = turn.state.calls[contact.entered.call], turn.state.queue(contact.entered.queue)
    consult = call.consult_of(contact.id)
    freed = leave_queue(turn, contact, why)
    if consult is None:
        turn.send_on(call, flow or queue.config.overflow_flow or GOODBYE.name)
    for agent in freed:
        route_agent(turn, agent)


def leave_queue(turn: Turn, contact: Contact, why: OverflowWhy, rule: str = "") -> list[Agent]:
    """The contact is over, unanswered. The agents who were rung for it are returned, to be routed once the caller has gone on."""
    freed = withdraw_all(turn, contact, WithdrawnWhy.CALLED_OFF if why is OverflowWhy.CALLED_OFF else WithdrawnWhy.OVERFLOWED)
    consult, entered = _consult_is_over(turn, contact), contact.entered
    turn.emit(ContactOverflowed(turn.now, entered.call, contact.id, entered.queue, contact.wait(turn.now), why, rule))
    if not consult:
        stop_music(turn, contact)
    return freed


def _consult_is_over(turn: Turn, contact: Contact) -> bool:
    """Whether the contact that ends was but a consult's; then the agents' legs and the bridge are seen to when the story is told."""
    call = turn.state.calls[contact.entered.call]
    consult = call.consult_of(contact.id)
    if consult is not None:
        turn.over.append((call, consult))
    return consult is not None


def let_go_forsaken(turn: Turn) -> None:
    """Callers who wait in a queue that was taken away, and that no agent serves any more, overflow; nobody waits for ever."""
    served = {name for agent in turn.state.agents.values() for name in agent.queues}.union(turn.state.config.queues)
    waiting = [contact for contact in turn.state.contacts.values() if contact.state is ContactState.WAITING]
    for contact in sorted(waiting, key=lambda contact: turn.state.queue(contact.entered.queue).place_of(contact.waiter)):
        if contact.entered.queue not in served:
            overflow(turn, contact, OverflowWhy.NO_AGENTS)


# --- what becomes of an offer -------------------------------------------------------------------


def withdraw(turn: Turn, contact: Contact, offered: ContactOffered, why: WithdrawnWhy) -> Agent:
    """End the open offer by nobody's fault.

    The agent, who keeps idle-since, is returned; route her once the contact is settled.
    """
    agent = turn.state.agents[offered.agent]
    call = turn.state.calls[offered.call]
    turn.emit(OfferWithdrawn(turn.now, call.id, contact.id, offered.queue, offered.offer, agent.name, why))
    turn.hang_up(call, call.legs.get(offered.leg))
    become_free(turn, agent, idle_since=agent.idle_since)
    return agent


def withdraw_all(turn: Turn, contact: Contact, why: WithdrawnWhy, but: str = "") -> list[Agent]:
    """End all open offers of the contact, but for that one. Route the agents, who are returned, once the contact is settled."""
    if contact.state is not ContactState.OFFERED:
        return []
    freed = [withdraw(turn, contact, offered, why) for offered in list(contact.offers.values()) if offered.offer != but]
    return sorted(freed, key=lambda agent: (agent.idle_since or turn.now, agent.name))  # they are free at once: the longest idle first


def miss(turn: Turn, contact: Contact, offered: ContactOffered, why: MissedWhy) -> None:
    """The agent's next device rings. After the last: RONA, the contact keeps its place and goes to the next agent; what becomes of this
    one depends on why."""
    agent = turn.state.agents[offered.agent]
    call = turn.state.calls[offered.call]
    if find_me.goes_on(turn, call, offered, why):
        return
    why = find_me.missed_why(offered, why)
    remembered = agent.remembered
    turn.emit(OfferMissed(turn.now, call.id, contact.id, offered.queue, offered.offer, agent.name, why))
    turn.hang_up(call, call.legs.get(offered.leg))
    if remembered is not None and remembered.state is not AgentState.READY:
        become(turn, agent, remembered.state, remembered.reason)
    else:
        take_out(turn, agent, offered.queue, why, contact.id)
    if find_me.to_voicemail(turn, contact, agent):
        leave_queue(turn, contact, OverflowWhy.VOICEMAIL)
        turn.to_mailbox.append((call, mailbox_of(agent=agent.name), contact.id))
    else:
        route_again(turn, contact)


def route_again(turn: Turn, contact: Contact) -> None:
    """An offer of it came to nothing: the next agent. A colleague was to be consulted, and cannot be: then nobody is."""
    if contact.bound and contact.state is ContactState.WAITING:
        overflow(turn, contact, OverflowWhy.NOT_ANSWERED)
    elif turn.state.calls[contact.entered.call].handed_on is not None:
        turn.unanswered.append(contact.id)
    else:
        route_waiter(turn, contact.waiter)


def connect(turn: Turn, contact: Contact, offered: ContactOffered) -> None:
    """The agent answered: other offers are withdrawn, the recording begins, and both hear each other. The recording comes first: it
    cannot be seen in a snapshot, so after a restart of ours two who hear each other are taken for recorded."""
    freed = withdraw_all(turn, contact, WithdrawnWhy.ANSWERED, but=offered.offer)
    call = turn.state.calls[offered.call]
    consult = call.consult_of(contact.id)
    bridge = consult.bridge if consult else turn.ids.draw_leg(call.node)
    wait = contact.wait(turn.now)
    turn.emit(ContactConnected(turn.now, call.id, contact.id, offered.queue, offered.offer, offered.agent, offered.leg, bridge, wait))
    turn.emit(AgentStateChanged(turn.now, offered.agent, AgentState.TALKING, contact=contact.id))
    if consult and turn.state.contacts[call.contact].resuming:  # who asks is not there at the moment
        turn.want(StartMusic(call.id, call.node, offered.leg, queue_music(turn, call)))
    elif consult:
        turn.want(StopRinging(call.id, call.node, consult.leg))
        turn.connect(call, bridge, (consult.leg, offered.leg))
    else:
        stop_music(turn, contact)
        start_recording(turn, contact, offered)
        turn.connect(call, bridge, (call.began.leg, offered.leg))
    for agent in freed:
        route_agent(turn, agent)


def queue_music(turn: Turn, call: Call) -> str:
    """What who is on hold in this call hears."""
    return turn.state.queue(turn.state.contacts[call.contact].entered.queue).config.music


def start_recording(turn: Turn, contact: Contact, answered: ContactOffered) -> None:
    """Record the caller's leg for this contact, if its queue says so and nothing is to be kept off the record."""
    if turn.state.calls[answered.call].paused or not turn.state.queue(answered.queue).config.record:
        return
    call = turn.state.calls[answered.call]
    recording = turn.ids.draw()
    turn.emit(RecordingStarted(turn.now, call.id, contact.id, answered.queue, answered.agent, call.node, recording))
    turn.want(StartRecording(call.id, call.node, call.began.leg, recording))


# --- the end of the talk ------------------------------------------------------------------------


def part(turn: Turn, contact: Contact, why: EndedWhy) -> None:
    """Agent and caller no longer hear each other. The agent wraps up; what becomes of the caller is the story's matter."""
    settle(turn, leave(turn, contact, why))


def leave(turn: Turn, contact: Contact, why: EndedWhy) -> Agent:
    """The same, as far as the caller is concerned; ``settle`` the agent, who is returned, once the caller is.

    Who was only consulted has no caller to wrap up after.
    """
    offered = contact.offer
    assert offered is not None
    call = turn.state.calls[offered.call]
    queue = turn.state.queue(offered.queue)
    consult = call.consult_of(contact.id)
    bridge, recording = (consult.bridge, "") if consult else (call.bridge, call.recording)
    _consult_is_over(turn, contact)
    until = turn.now if consult else turn.now + queue.config.wrap_up
    talk, hold = contact.talk(turn.now), contact.held(turn.now)
    turn.emit(ContactParted(turn.now, call.id, contact.id, queue.name, offered.agent, talk, hold, why, until))
    if recording:
        turn.emit(RecordingStopped(turn.now, call.id, contact.id, recording))
        if call.caller_leg is not None:
            turn.want(StopRecording(call.id, call.node, call.began.leg, recording))
    turn.emit(AgentStateChanged(turn.now, offered.agent, AgentState.WRAP_UP, contact=contact.id, until=until))
    turn.hang_up(call, call.legs.get(offered.leg))
    if bridge:
        turn.want(CloseBridge(call.id, call.node, bridge))
    return turn.state.agents[offered.agent]


def settle(turn: Turn, agent: Agent) -> None:
    """Who has no time to wrap up is free at once."""
    if agent.until is not None and agent.until <= turn.now:
        finish_wrap_up(turn, agent)


def finish_wrap_up(turn: Turn, agent: Agent) -> None:
    """Wrap-up is over, by time or because she says so; she obeys what she asked for meanwhile, or is ready."""
    end_contact(turn, agent)
    become_free(turn, agent, after_contact=True)
    route_agent(turn, agent)


def end_contact(turn: Turn, agent: Agent) -> None:
    """The contact the agent wraps up is done."""
    contact = turn.state.contacts[agent.contact]
    assert contact.parted_at is not None
    entered = contact.entered
    turn.emit(ContactEnded(turn.now, entered.call, contact.id, entered.queue, agent.name, turn.now - contact.parted_at))
    config = turn.state.config.agents.get(agent.name)
    if config is not None and config.browser:
        turn.emit(AgentTalkOver(turn.now, agent.name, entered.call, contact.id, entered.queue))


def requeue(turn: Turn, call: Call, contact: Contact) -> None:
    """The agent was lost in mid-talk: the caller is a new contact at the old place, normally the head."""
    entered = contact.entered
    needs = taken_along(turn, entered, entered.queue)
    enter_queue(turn, call, entered.queue, entered.priority, needs, place=entered.place, transferred_from=contact.id)


# --- legs ---------------------------------------------------------------------------------------

MISSED_BY_CAUSE = {
    Cause.BUSY: MissedWhy.BUSY,
    Cause.REJECTED: MissedWhy.REJECTED,
    Cause.UNREACHABLE: MissedWhy.UNREACHABLE,
    Cause.INVALID_NUMBER: MissedWhy.UNREACHABLE,
    Cause.CONGESTION: MissedWhy.UNREACHABLE,
}
"""Whatever is not listed rang and was not answered."""

NOBODYS_FAULT = frozenset({Cause.NODE_CRASH, Cause.UNKNOWN})


def on_leg(turn: Turn, call: Call, leg: str) -> Contact | None:
    """The contact that is offered, or was answered, on this leg: the caller's, or that of a consult about it."""
    names = (call.contact, call.consult.contact if call.consult else "")
    contacts = (turn.state.contacts.get(name) for name in names)
    return next((contact for contact in contacts if contact is not None and contact.offer_to(leg)), None)


def agent_leg_ended(turn: Turn, call: Call, leg: Leg, cause: Cause) -> None:
    """The agent's phone is gone: an offer is missed, or the talk is over."""
    contact = on_leg(turn, call, leg.id)
    offered = contact.offer_to(leg.id) if contact is not None else None
    if contact is None or offered is None:
        return
    if contact.state is ContactState.OFFERED:
        if cause in NOBODYS_FAULT:
            freed = withdraw(turn, contact, offered, WithdrawnWhy.NODE_AWAY)
            route_again(turn, contact)
            route_agent(turn, freed)
        else:
            miss(turn, contact, offered, MISSED_BY_CAUSE.get(cause, MissedWhy.NO_ANSWER))
    elif contact.state is ContactState.CONNECTED:
        lose_talk(turn, call, contact, Cause.LOST if contact.resuming and cause is not Cause.NODE_CRASH else cause)


def lose_talk(turn: Turn, call: Call, contact: Contact, cause: Cause) -> None:
    """The talk is over, because the agent's leg is gone: she hung up, or was lost, and then the caller is at the head again."""
    if cause is Cause.NODE_CRASH:
        part(turn, contact, EndedWhy.NODE_CRASH)
    elif call.consult_of(contact.id):
        part(turn, contact, EndedWhy.AGENT_LOST if cause in (Cause.LOST, Cause.UNKNOWN) else EndedWhy.AGENT_HUNG_UP)
    elif cause in (Cause.LOST, Cause.UNKNOWN) and call.caller_leg is not None:
        part(turn, contact, EndedWhy.AGENT_LOST)
        requeue(turn, call, contact)
    else:
        part(turn, contact, EndedWhy.AGENT_HUNG_UP)
        if not surveys.offer(turn, call, contact):
            turn.hang_up(call, call.caller_leg)


def caller_leg_ended(turn: Turn, call: Call, cause: Cause) -> None:
    """The caller is gone: abandoned, or the talk is over; and so is a consult about it."""
    if call.consult is not None and call.consult.contact:
        _caller_left(turn, turn.state.contacts[call.consult.contact], cause)
    contact = turn.state.contacts.get(call.contact)
    if contact is not None:
        _caller_left(turn, contact, cause)


def _caller_left(turn: Turn, contact: Contact, cause: Cause) -> None:
    if contact.state is ContactState.CONNECTED:
        why = {Cause.NODE_CRASH: EndedWhy.NODE_CRASH, Cause.LOST: EndedWhy.CALLER_LOST}.get(cause, EndedWhy.CALLER_HUNG_UP)
        part(turn, contact, why)
    else:
        abandon(turn, contact)
