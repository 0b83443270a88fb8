"""A softphone that was lost in mid-talk: its page was loaded anew, or the call is to go on at another device.

::

    talking ──► redialed: the old leg is given up, the caller hears music, her phone rings
                 │
                 ├── she answers ──────────────► talking again
                 ├── she does not ─────────────► agent_lost: the caller is at the head of the line
                 └── the caller hangs up ──────► the contact is over

In the middle of a consult the consulted hears music, too, and the consult goes on where it was; if she does not come back, the caller
goes on with the consulted. In the middle of a payment the caller pays on, and hears nothing of it.

The recording is of the caller's leg, and goes on. A tab that is closed and stays so sends no audio: Asterisk ends its leg by itself after
11 s (``rtp_timeout``), and that is ``agent_lost`` too.
"""

from datetime import timedelta

from callcenter.domain import consults, own_resuming
from callcenter.domain.agent import Agent
from callcenter.domain.call import Call, Leg
from callcenter.domain.commands import CloseBridge, RingAgent, StartMusic, StopMusic
from callcenter.domain.contact import Contact, ContactState
from callcenter.domain.facts import AgentLegRedialed, AgentLegResumed, AgentState, ContactHeld, ContactResumed, LegCreated
from callcenter.domain.turn import Turn

RING_TIME = timedelta(seconds=12)


def redial(turn: Turn, agent: Agent) -> None:
    """She wants to go on with her caller, or her own call, on the softphone that is there now."""
    if not _has_softphone(turn, agent):
        return
    if agent.own_calls and agent.state is not AgentState.TALKING:
        own_resuming.redial(turn, agent)
        return
    contact = _lost_talk(turn, agent)
    if contact is None or contact.offer is None:
        return
    call, lost = turn.state.calls[contact.entered.call], contact.offer.leg
    leg = turn.ids.draw_leg(call.node)
    turn.emit(LegCreated(turn.now, call.id, leg, agent.name))
    turn.emit(AgentLegRedialed(turn.now, call.id, contact.id, agent.name, leg, lost))
    if contact.held_since is None:
        turn.emit(ContactHeld(turn.now, call.id, contact.id, agent.name))
    turn.hang_up(call, call.legs.get(lost))
    if call.payment is None:
        keep_apart(turn, call, contact)
    began = call.began
    turn.want(RingAgent(call.id, call.node, leg, agent.name, agent.endpoint, began.caller, began.caller_name, RING_TIME))


def _has_softphone(turn: Turn, agent: Agent) -> bool:
    config = turn.state.config.agents.get(agent.name)
    if config is None or not config.browser:
        turn.refuse(f"{agent.name}'s phone is on her desk; a call goes on there, whatever becomes of the console")
        return False
    return True


def _lost_talk(turn: Turn, agent: Agent) -> Contact | None:
    """The talk that can go on; else it is said why it cannot."""
    contact = turn.state.contacts.get(agent.contact)
    if agent.state is not AgentState.TALKING or contact is None or contact.state is not ContactState.CONNECTED or contact.offer is None:
        turn.refuse(f"{agent.name} is not talking, so there is no call to go on with")
        return None
    call = turn.state.calls[contact.entered.call]
    if contact.entered.consult and call.consult_of(contact.id) is not None:
        turn.refuse(f"{agent.name} is being consulted; that cannot be taken to another phone")
        return None
    if call.consult is not None and call.consult.leg != contact.offer.leg:
        turn.refuse(f"{agent.name} has dialed the consulted with her phone; that call cannot be taken to another one")
        return None
    if contact.offer.number or contact.offer.leg not in call.legs or call.caller_leg is None or call.caller_leg.closing:
        turn.refuse(f"{agent.name} does not talk on her softphone, so there is nothing to go on with")
        return None
    return contact


def keep_apart(turn: Turn, call: Call, contact: Contact) -> None:
    """The caller hears music until she is back, and so does whom she has consulted. To say it twice changes nothing."""
    music = turn.state.queue(contact.entered.queue).config.music
    bridges = (call.bridge, call.consult.bridge) if call.consult is not None else (call.bridge,)
    for bridge in bridges:
        turn.want(CloseBridge(call.id, call.node, bridge))
    for leg in filter(None, (call.began.leg, consults.consulted(turn.state, call))):
        turn.want(StartMusic(call.id, call.node, leg, music))


def answered(turn: Turn, call: Call, leg: Leg) -> bool:
    """Whether this leg is one that she comes back on; then they hear each other again."""
    contact = turn.state.contacts.get(call.contact)
    if contact is None or not contact.resuming or contact.offer_to(leg.id) is None or leg.closing or call.caller_leg is None:
        return False
    turn.emit(AgentLegResumed(turn.now, call.id, contact.id, leg.agent, leg.id))
    if call.payment is not None:
        turn.want(StartMusic(call.id, call.node, leg.id, turn.state.queue(contact.entered.queue).config.music))
        return True
    if call.consult is not None:
        consults.hold_as_heard(turn, call)
        consults.arrange(turn, call)
        return True
    if contact.held_since is not None:
        turn.emit(ContactResumed(turn.now, call.id, contact.id, leg.agent))
    turn.want(StopMusic(call.id, call.node, call.began.leg))
    turn.connect(call, call.bridge, (call.began.leg, leg.id))
    return True
