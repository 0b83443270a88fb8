"""Supervisors who listen, whisper, barge in and take over, asked for at a screen or by the keys of a phone.

The contact is the agent's and the caller's: nothing that becomes of the supervisor's leg touches it. Who hears the agent hears what she
hears: while her caller is on hold for a consult, no more of the caller than she does, and nobody at all while her caller pays. Who has
barged in is taken out when agent and caller are parted. What concerns the supervisor's ear goes into the lane of the contact's call, so
that it comes in the order in which bridges are made and closed there.
"""

from collections.abc import Collection
from datetime import timedelta

from callcenter.domain import by_phone
from callcenter.domain.agent import SUPERVISING, Agent
from callcenter.domain.call import Call, Leg, LegState
from callcenter.domain.commands import CloseBridge, ConnectLegs, HangUp, Play, RingAgent, SnoopLeg
from callcenter.domain.contact import Contact
from callcenter.domain.events import Cause, SupervisionEndRequested, SupervisionRequested, SupervisionSwitchRequested
from callcenter.domain.facts import (
    AgentState,
    AgentStateChanged,
    CallBegan,
    ConsultBegan,
    ContactConnected,
    ContactParted,
    Direction,
    Fact,
    LegCreated,
    OutsideConsulted,
    PaymentBegan,
    PaymentEnded,
    SupervisionBegan,
    SupervisionEnded,
    SupervisionEndedWhy,
    SupervisionTurned,
    TurnedWhy,
)
from callcenter.domain.presence import become, become_free, remember
from callcenter.domain.router import route_agent
from callcenter.domain.supervision import BARGED, CALLING, STATE_OF, Supervision
from callcenter.domain.supervision_modes import SupervisionMode, SupervisionTold
from callcenter.domain.supervision_rights import heard_contact, may_begin, may_hear, may_join, pays, refuse_while_paying
from callcenter.domain.taking_over import take_over
from callcenter.domain.turn import Turn

LISTEN, WHISPER, BARGE, TAKE_OVER = SupervisionMode.LISTEN, SupervisionMode.WHISPER, SupervisionMode.BARGE, SupervisionMode.TAKE_OVER

RING_TIME = timedelta(seconds=30)
"""In which the supervisor's phone is answered."""
CONFIRMED = {LISTEN: "you-listen", WHISPER: "you-whisper", BARGE: "you-are-in-the-call", TAKE_OVER: "the-caller-is-yours"}
TOLD = "supervisor-listens"
"""What is said to those who are told."""


# --- asked for ----------------------------------------------------------------------------------


def request(turn: Turn, event: SupervisionRequested) -> None:
    """Ring the supervisor's phone; what was asked for begins when it is answered."""
    supervisor, contact = may_begin(turn, event)
    if supervisor is None:
        return
    node = turn.state.calls[contact.entered.call].node if contact is not None else turn.state.node_to_call
    if not node:
        turn.refuse("no Asterisk node is within our reach; try again in a few seconds")
        return
    call, leg = turn.ids.draw(), turn.ids.draw_leg(node)
    turn.emit(CallBegan(turn.now, call, node, leg, Direction.SUPERVISION, "", "", "", "", leg, supervisor.name))
    turn.emit(LegCreated(turn.now, call, leg, supervisor.name))
    begin(turn, turn.state.calls[call], leg, event, contact)
    turn.want(RingAgent(call, node, leg, supervisor.name, supervisor.endpoint, "", event.agent, RING_TIME))


def begin(turn: Turn, call: Call, leg: str, event: SupervisionRequested, contact: Contact | None) -> None:
    heard, queue = (contact.id, contact.entered.queue) if contact is not None else ("", "")
    asked = (event.mode, event.stay, event.reason, event.by, event.within)
    turn.emit(SupervisionBegan(turn.now, call.id, event.supervisor, event.agent, heard, queue, leg, *asked))
    _set_aside(turn, turn.state.agents[event.supervisor])


def _set_aside(turn: Turn, supervisor: Agent) -> None:
    """Who supervises is offered nothing; who is not logged in stays so."""
    if supervisor.state not in (AgentState.READY, AgentState.NOT_READY):
        return
    before, asked = (supervisor.state, supervisor.reason), supervisor.remembered
    become(turn, supervisor, AgentState.NOT_READY, SUPERVISING)
    remember(turn, supervisor, *((asked.state, asked.reason) if asked is not None else before))


def _go_back(turn: Turn, name: str) -> None:
    """What the supervisor was before, or has asked for meanwhile."""
    supervisor = turn.state.agents.get(name)
    if supervisor is not None and supervisor.state is AgentState.NOT_READY and supervisor.remembered is not None:
        become_free(turn, supervisor)
        route_agent(turn, supervisor)


def answered(turn: Turn, call: Call, leg: Leg) -> None:
    """The supervisor picked up."""
    supervision = call.supervision
    if supervision is None or leg.closing:
        turn.hang_up(call, leg)
    else:
        turn_to(turn, call, supervision.began.mode, TurnedWhy.ANSWERED)


def switch(turn: Turn, event: SupervisionSwitchRequested) -> None:
    """To another mode; to ask for the one it is changes nothing."""
    call = turn.state.supervising.get(event.supervisor)
    supervision = call.supervision if call is not None else None
    if call is None or supervision is None:
        turn.refuse(f"{event.supervisor} supervises nobody")
    elif supervision.state is CALLING:
        turn.refuse(f"{event.supervisor}'s phone has not been answered yet")
    elif supervision.state is not STATE_OF[event.mode] and _may_switch(turn, supervision, event.mode):
        turn_to(turn, call, event.mode, TurnedWhy.ASKED, event.by)


def _may_switch(turn: Turn, supervision: Supervision, mode: SupervisionMode) -> bool:
    if refuse_while_paying(turn, supervision.agent):
        return False
    contact = heard_contact(turn, supervision)
    if contact is None:
        turn.refuse(f"{supervision.agent} has no caller at the moment")
        return False
    return may_join(turn, contact, mode)


def end_requested(turn: Turn, event: SupervisionEndRequested) -> None:
    call = turn.state.supervising.get(event.supervisor)
    if call is None:
        turn.refuse(f"{event.supervisor} supervises nobody")
    else:
        end(turn, call, SupervisionEndedWhy.ASKED, event.by)


# --- who hears whom -----------------------------------------------------------------------------


def turn_to(turn: Turn, call: Call, mode: SupervisionMode, why: TurnedWhy, by: str = "") -> None:
    """From now on the supervisor is in that mode; when there is nobody to hear, she waits for the agent's next contact or it is over."""
    supervision = call.supervision
    assert supervision is not None
    contact = heard_contact(turn, supervision)
    if contact is None:
        _nobody_to_hear(turn, call, supervision)
        return
    if mode in (BARGE, TAKE_OVER) and not may_join(turn, contact, mode):
        mode = LISTEN
    if mode is TAKE_OVER:
        _take_over(turn, call, contact, by)
        return
    watched = turn.state.calls[contact.entered.call]
    before = (supervision.snoop, supervision.bridge if supervision.state is not BARGED else "")
    own = before[1] if supervision.heard == contact.id else ""
    snoop, bridge = ("", watched.bridge) if mode is BARGE else (turn.ids.draw_leg(call.node), own or turn.ids.draw_leg(call.node))
    told = turn.state.queue(contact.entered.queue).config.supervision_told if supervision.heard != contact.id else SupervisionTold.NOBODY
    turn.emit(_turned(turn, supervision, contact, mode, why, snoop, bridge, told, by))
    if mode is not BARGE:
        _drop_ear(turn, call, watched.id, before[0], "")
    arrange(turn, call)
    _drop_ear(turn, call, watched.id, before[0] if mode is BARGE else "", before[1] if before[1] != bridge else "")
    _tell(turn, watched, contact, told)
    if why is not TurnedWhy.REARRANGED:
        say(turn, call, supervision.leg, CONFIRMED[mode])


def _turned(
    turn: Turn,
    supervision: Supervision,
    contact: Contact | None,
    mode: SupervisionMode,
    why: TurnedWhy,
    snoop: str = "",
    bridge: str = "",
    told: SupervisionTold = SupervisionTold.NOBODY,
    by: str = "",
) -> SupervisionTurned:
    began = supervision.began
    whom = (contact.id, contact.entered.queue) if contact is not None else ("", "")
    watched = contact.entered.call if contact is not None else ""
    return SupervisionTurned(turn.now, began.call, began.supervisor, began.agent, *whom, mode, why, watched, snoop, bridge, told, by)


def _nobody_to_hear(turn: Turn, call: Call, supervision: Supervision) -> None:
    if pays(turn, supervision.agent):
        _hear_nothing(turn, call, TurnedWhy.PAYING)
    elif supervision.began.stay:
        _hear_nothing(turn, call, TurnedWhy.CONTACT_ENDED)
    else:
        end(turn, call, SupervisionEndedWhy.CONTACT_ENDED)


def _hear_nothing(turn: Turn, call: Call, why: TurnedWhy) -> None:
    """For now: until her next contact, or until her caller has paid."""
    supervision = call.supervision
    if supervision is None:
        return
    before = (supervision.watched, supervision.snoop, supervision.bridge if supervision.state is not BARGED else "")
    turn.emit(_turned(turn, supervision, None, LISTEN, why))
    _drop_ear(turn, call, *before)


def arrange(turn: Turn, call: Call) -> None:
    """The supervisor's leg where it should be, with an ear if it needs one. To say it twice changes nothing."""
    supervision = call.supervision
    contact = turn.state.contacts.get(supervision.contact) if supervision is not None else None
    if supervision is None or contact is None or contact.offer is None or not supervision.bridge:
        return
    lane, node = supervision.watched, call.node
    legs: tuple[str, ...] = (supervision.leg,)
    if supervision.snoop:
        whisper = supervision.state is STATE_OF[WHISPER]
        turn.want(SnoopLeg(lane, node, contact.offer.leg, supervision.snoop, whisper))
        legs = (supervision.leg, supervision.snoop)
    turn.want(ConnectLegs(lane, node, supervision.bridge, legs, absorb=True))


def _drop_ear(turn: Turn, call: Call, lane: str, snoop: str, bridge: str) -> None:
    """What was made for this supervisor alone."""
    if snoop:
        turn.want(HangUp(lane, call.node, snoop))
    if bridge:
        turn.want(CloseBridge(lane, call.node, bridge))


def _tell(turn: Turn, watched: Call, contact: Contact, told: SupervisionTold) -> None:
    """As the queue says: nobody, the agent, or both."""
    if contact.offer is None or told is SupervisionTold.NOBODY:
        return
    say(turn, watched, contact.offer.leg, TOLD)
    if told is SupervisionTold.BOTH and watched.payment is None:
        say(turn, watched, watched.began.leg, TOLD)


def say(turn: Turn, call: Call, leg: str, prompt: str) -> None:
    """To one leg; in the lane in which its ear is arranged."""
    lane = call.supervision.watched if call.supervision is not None and call.supervision.watched else call.id
    turn.want(Play(lane, call.node, leg, turn.ids.draw_leg(call.node), (prompt,)))


def _take_over(turn: Turn, call: Call, contact: Contact, by: str) -> None:
    supervision = call.supervision
    assert supervision is not None
    lane, snoop, leg = contact.entered.call, supervision.snoop, supervision.leg
    own_bridge = supervision.bridge if supervision.state is not BARGED else ""
    turn.emit(_turned(turn, supervision, contact, TAKE_OVER, TurnedWhy.ASKED, by=by))
    turn.emit(_ended(turn, supervision, SupervisionEndedWhy.TOOK_OVER, by))
    _drop_ear(turn, call, lane, snoop, "")
    take_over(turn, call, turn.state.agents[supervision.supervisor], contact, leg)
    _drop_ear(turn, call, lane, "", own_bridge)
    say(turn, turn.state.calls[lane], leg, CONFIRMED[TAKE_OVER])


# --- the end ------------------------------------------------------------------------------------


def end(turn: Turn, call: Call, why: SupervisionEndedWhy, by: str = "") -> None:
    """The supervisor hears nobody any more, and the phone is hung up."""
    supervision = call.supervision
    assert supervision is not None
    lane, snoop = supervision.watched, supervision.snoop
    own_bridge = supervision.bridge if supervision.state is not BARGED else ""
    turn.emit(_ended(turn, supervision, why, by))
    turn.hang_up(call, call.legs.get(supervision.leg))
    _drop_ear(turn, call, lane, snoop, own_bridge)
    _go_back(turn, supervision.supervisor)


def _ended(turn: Turn, supervision: Supervision, why: SupervisionEndedWhy, by: str = "") -> SupervisionEnded:
    began = supervision.began
    return SupervisionEnded(turn.now, began.call, began.supervisor, began.agent, supervision.contact, supervision.queue, why, by)


def leg_gone(turn: Turn, call: Call, leg: str, cause: Cause) -> None:
    """If that was the supervisor's leg, it is over; agent and caller notice nothing."""
    supervision = call.supervision
    if supervision is None or supervision.leg != leg:
        return
    if supervision.state is CALLING:
        why = SupervisionEndedWhy.NOT_ANSWERED
    elif cause is Cause.NORMAL:
        by_phone.note(turn, call, supervision.supervisor, "supervise_end", supervisor=supervision.supervisor)
        why = SupervisionEndedWhy.SUPERVISOR_HUNG_UP
    else:
        why = SupervisionEndedWhy.SUPERVISOR_LOST
    end(turn, call, why)


def snoop_ended(turn: Turn, snoop: str) -> None:
    """The PBX has lost a supervisor's ear. With the agent's leg it goes anyway; else there is a new one, once."""
    call = turn.state.snoops.get(snoop)
    supervision = call.supervision if call is not None else None
    if call is None or supervision is None:
        return
    contact = heard_contact(turn, supervision)
    if contact is None or contact.offer is None or contact.offer.leg not in turn.state.legs:
        return
    if supervision.was_deaf:
        end(turn, call, SupervisionEndedWhy.NOT_POSSIBLE)
        return
    mode = WHISPER if supervision.state is STATE_OF[WHISPER] else LISTEN
    turn_to(turn, call, mode, TurnedWhy.DEAF)


def refused(turn: Turn, command: object) -> bool:
    """Whether the PBX has refused what was a supervisor's alone; then that is over, and the contact goes on."""
    call = None
    if isinstance(command, SnoopLeg):
        call = turn.state.snoops.get(command.snoop)
    elif isinstance(command, ConnectLegs) and command.legs:
        own = turn.state.legs.get(command.legs[0])
        call = own if own is not None and own.supervision is not None and own.supervision.leg == command.legs[0] else None
        if own is None and len(command.legs) == 1:
            return True  # a supervisor who has gone meanwhile
    if call is None:
        return isinstance(command, SnoopLeg)
    end(turn, call, SupervisionEndedWhy.NOT_POSSIBLE)
    return True


def renew(turn: Turn) -> None:
    """Once the story is told: the agent's leg hears somebody else, or what was said to it is over, so those who hear it get new ears.

    Asterisk counts the audio of a leg that is listened to, and takes the audio of another party for late (docs/asterisk.md).
    """
    if turn.state.snoops:
        fresh = {command.snoop for command in turn.out.commands if isinstance(command, SnoopLeg)}
        moved = {leg for command in turn.out.commands if isinstance(command, ConnectLegs) for leg in command.legs}
        new_ears(turn, moved, fresh)


def new_ears(turn: Turn, legs: Collection[str], fresh: Collection[str] = ()) -> None:
    """For all who hear one of these legs: all old ears first, as Asterisk forgets only with the last. ``fresh`` are new already."""
    calls = [call for leg in sorted(legs) for call in _hearing(turn, leg) if call.supervision and call.supervision.snoop not in fresh]
    for call in calls:
        assert call.supervision is not None
        _drop_ear(turn, call, call.supervision.watched, call.supervision.snoop, "")
    for call in calls:
        supervision = call.supervision
        contact = turn.state.contacts.get(supervision.contact) if supervision is not None else None
        assert supervision is not None
        mode = WHISPER if supervision.state is STATE_OF[WHISPER] else LISTEN
        turn.emit(_turned(turn, supervision, contact, mode, TurnedWhy.NEW_EAR, turn.ids.draw_leg(call.node), supervision.bridge))
        arrange(turn, call)


def _hearing(turn: Turn, leg: str) -> list[Call]:
    """Those whose ears are on this leg."""
    of = turn.state.legs.get(leg)
    agent = of.legs[leg].agent if of is not None else ""
    found = []
    for call in turn.state.supervised.get(agent, {}).values():
        contact = turn.state.contacts.get(call.supervision.contact) if call.supervision is not None and call.supervision.snoop else None
        if contact is not None and contact.offer is not None and contact.offer.leg == leg:
            found.append(call)
    return found


# --- what becomes of the agent's contact --------------------------------------------------------


def heed(turn: Turn, fact: Fact) -> None:
    """What a fact means for those who hear this agent."""
    if not turn.state.supervised:
        return
    if isinstance(fact, ContactParted):
        for call in _of(turn, fact.agent, fact.contact, ""):
            _contact_over(turn, call)
    elif isinstance(fact, ContactConnected | PaymentEnded):
        for call in _of(turn, fact.agent, ""):
            _follow(turn, call)
    elif isinstance(fact, PaymentBegan):
        for call in _of(turn, fact.agent, fact.contact):
            if call.supervision is not None and call.supervision.state is not CALLING:
                _hear_nothing(turn, call, TurnedWhy.PAYING)
    elif isinstance(fact, ConsultBegan | OutsideConsulted):
        for call in _of(turn, fact.agent):
            if call.supervision is not None and call.supervision.state is BARGED:
                turn_to(turn, call, LISTEN, TurnedWhy.REARRANGED)
    elif isinstance(fact, AgentStateChanged) and fact.state is AgentState.LOGGED_OUT:
        for call in _of(turn, fact.agent):
            end(turn, call, SupervisionEndedWhy.CONTACT_ENDED)


def _of(turn: Turn, agent: str, *contacts: str) -> list[Call]:
    """Those who hear the agent; only those who hear one of these contacts of hers, when any is given."""
    calls = list(turn.state.supervised.get(agent, {}).values())
    return [call for call in calls if call.supervision is not None and (not contacts or call.supervision.contact in contacts)]


def _contact_over(turn: Turn, call: Call) -> None:
    supervision = call.supervision
    assert supervision is not None
    if supervision.state is not CALLING and supervision.contact:
        _nobody_to_hear(turn, call, supervision)
    elif not supervision.began.stay:
        end(turn, call, SupervisionEndedWhy.CONTACT_ENDED)


def _follow(turn: Turn, call: Call) -> None:
    """The agent's next contact; one that is none of this supervisor's matter, or out of reach, is let pass."""
    leg = call.legs.get(call.supervision.leg) if call.supervision is not None else None
    if leg is None or leg.state is not LegState.UP or call.supervision is None or call.supervision.state is CALLING:
        return
    if heard_contact(turn, call.supervision) is not None:
        turn_to(turn, call, LISTEN, TurnedWhy.FOLLOWED)


def rights_changed(turn: Turn) -> None:
    """The configuration is another one: who may no longer hear this contact does not."""
    for call in list(turn.state.supervising.values()):
        supervision = call.supervision
        if supervision is not None and not may_hear(turn, supervision.began, supervision.queue):
            end(turn, call, SupervisionEndedWhy.NOT_ALLOWED)
