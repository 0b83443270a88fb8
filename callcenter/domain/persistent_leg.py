"""The leg that stays up: an agent's phone is rung once (or she dials in), and contacts are bridged to it after a short beep.

So a caller hears her at once, and nobody waits for a phone to ring. Whoever loses the leg is not offered anything until it is back.
"""

from callcenter.domain import consults
from callcenter.domain.agent import LEG_RINGS, MISSED_OFFER, Agent
from callcenter.domain.call import Call, Leg
from callcenter.domain.commands import Play
from callcenter.domain.contact import Contact, ContactState
from callcenter.domain.delivery import MISSED_BY_CAUSE, NOBODYS_FAULT, connect, lose_talk
from callcenter.domain.events import Cause
from callcenter.domain.facts import AgentLegStays, AgentPhoneChanged, AgentState, MissedWhy
from callcenter.domain.presence import become, become_free, wait_for_phone
from callcenter.domain.router import route_agent
from callcenter.domain.turn import Turn

BEEP = "beep"
CONNECTED = "you-are-connected"


def answered(turn: Turn, call: Call, leg: Leg) -> None:
    """She picked up when we rang for the leg."""
    agent = turn.state.agents.get(leg.agent)
    if agent is None or leg.closing or agent.state is AgentState.LOGGED_OUT:
        turn.hang_up(call, leg)
        return
    _stays(turn, call, agent, leg)
    if agent.state is AgentState.NOT_READY and agent.reason == LEG_RINGS:
        become_free(turn, agent)
        route_agent(turn, agent)


def dial_in(turn: Turn, call: Call, agent: Agent) -> bool:
    """She called by herself, and her call stays up; False: her phone is to be rung for each contact, or she has such a leg."""
    leg = call.caller_leg
    if leg is None or not agent.persistent or turn.state.leg_of(agent) is not None:
        return False
    ringing = turn.state.legs.get(agent.leg_to_be)
    if ringing is not None:
        turn.hang_up(ringing, ringing.legs[agent.leg_to_be])
    _stays(turn, call, agent, leg)
    return True


def _stays(turn: Turn, call: Call, agent: Agent, leg: Leg) -> None:
    turn.emit(AgentLegStays(turn.now, call.id, agent.name, leg.id))
    turn.want(Play(call.id, call.node, leg.id, turn.ids.draw_leg(call.node), (CONNECTED,)))


def take(turn: Turn, contact: Contact, offer: str) -> None:
    """The contact that was just offered on her leg is connected at once, and she hears a beep."""
    offered = contact.offers.get(offer)
    if contact.state is not ContactState.OFFERED or offered is None:
        return
    connect(turn, contact, offered)
    call = turn.state.calls[offered.call]
    turn.want(Play(call.id, call.node, offered.leg, turn.ids.draw_leg(call.node), (BEEP,)))


def gone(turn: Turn, agent: Agent, leg: Leg, cause: Cause, *, stayed: bool) -> None:
    """The leg that stayed up has ended, or the phone that was rung for it did not answer."""
    contact = turn.state.contacts.get(agent.contact)
    if stayed and agent.state is AgentState.TALKING and contact is not None and contact.offer_to(leg.id) is not None:
        call = turn.state.calls[contact.entered.call]
        if not consults.leg_ended(turn, call, leg, cause):
            lose_talk(turn, call, contact, cause)
    elif stayed and agent.state is AgentState.READY:
        wait_for_phone(turn, agent)
    elif not stayed and agent.state is AgentState.NOT_READY and agent.reason == LEG_RINGS:
        _not_answered(turn, agent, cause)


def _not_answered(turn: Turn, agent: Agent, cause: Cause) -> None:
    if cause in NOBODYS_FAULT:
        wait_for_phone(turn, agent)
    elif MISSED_BY_CAUSE.get(cause) is MissedWhy.UNREACHABLE:
        if agent.reachable:
            turn.emit(AgentPhoneChanged(turn.now, agent.name, reachable=False))
        wait_for_phone(turn, agent)
    else:
        become(turn, agent, AgentState.NOT_READY, MISSED_OFFER)


def give_up(turn: Turn, agent: Agent) -> None:
    """Nobody has said what became of the ringing."""
    call = turn.state.legs.get(agent.leg_to_be)
    if call is not None:
        turn.hang_up(call, call.legs[agent.leg_to_be])
    become(turn, agent, AgentState.NOT_READY, MISSED_OFFER)
