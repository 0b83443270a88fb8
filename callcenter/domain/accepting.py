"""A phone outside was answered, by the agent, somebody else, or a voicemail: who presses 1 takes the caller; nobody else ever does."""

from callcenter.domain.call import Call, Leg, LegState
from callcenter.domain.commands import Play
from callcenter.domain.contact import Contact, ContactState
from callcenter.domain.delivery import connect, miss, on_leg
from callcenter.domain.facts import ContactOffered, MissedWhy, OfferToAccept
from callcenter.domain.turn import Turn

ACCEPT, DECLINE = "1", "2"
PROMPT = "press-1-to-accept"


def ask(turn: Turn, contact: Contact, offered: ContactOffered) -> None:
    """Say which key takes the call; the caller goes on waiting."""
    call = turn.state.calls[offered.call]
    agent = turn.state.agents[offered.agent]
    device = agent.devices[offered.device] if offered.device < len(agent.devices) else None
    playback = turn.ids.draw_leg(call.node)
    until = turn.now + device.accept if device else offered.until
    fact = OfferToAccept(turn.now, call.id, contact.id, offered.queue, offered.offer, agent.name, offered.leg, playback, until)
    turn.emit(fact)
    turn.want(Play(call.id, call.node, offered.leg, playback, (PROMPT, PROMPT)))


def key_pressed(turn: Turn, call: Call, leg: Leg, digit: str) -> None:
    """On a leg that is not the caller's. Keys that mean nothing there are ignored."""
    contact = on_leg(turn, call, leg.id)
    if contact is None or contact.state is not ContactState.OFFERED or leg.state is not LegState.UP or leg.closing:
        return
    offered = contact.offer_to(leg.id)
    if offered is None or not offered.number:
        return
    if digit == ACCEPT:
        connect(turn, contact, offered)
    elif digit == DECLINE:
        miss(turn, contact, offered, MissedWhy.REJECTED)
