"""An agent sends her caller to pay and gets the caller back: meanwhile she hears music, and nothing is recorded.

::

    talking ──► begun: the bridge is closed, the recording paused, the caller alone in the flow
                 │
                 ├── the flow is over, or she calls it off ──► talking again, recorded again
                 ├── the caller hangs up ──────────────────► the contact is over
                 └── her phone is gone ────────────────────► the caller goes on alone, then goodbye; the head of the line if she was lost

What the caller presses reaches nobody: the two are in no bridge together, so there is nothing to hear for her, nor for who listens to her.
"""

from callcenter.domain.agent import Agent
from callcenter.domain.call import Call, Leg
from callcenter.domain.commands import CloseBridge, StartMusic, StopMusic, StopRecording
from callcenter.domain.contact import Contact, ContactState
from callcenter.domain.delivery import part
from callcenter.domain.events import Cause
from callcenter.domain.facts import ContactHeld, ContactResumed, EndedWhy, PaymentBegan, PaymentEnded, RecordingStopped
from callcenter.domain.pausing import pause, resume
from callcenter.domain.transfers import her_caller
from callcenter.domain.turn import Turn

CALLED_OFF, FAILED, CALLER_LEFT, AGENT_LEFT, AGENT_LOST = "called_off", "failed", "caller_left", "agent_left", "agent_lost"
DONE = "done"
"""When the flow comes back without saying how it went."""


def begin(turn: Turn, agent: Agent, flow: str) -> None:
    """Without a name, the first of the flows for it."""
    flows = turn.state.config.payment_flows
    contact = her_caller(turn, agent)
    if contact is None or contact.offer is None:
        return
    flow = flow or next(iter(flows), "")
    if flow not in flows:
        turn.refuse(f"'{flow}' is no flow for payments; payments.flows: {', '.join(flows) or 'none'}")
        return
    call = turn.state.calls[contact.entered.call]
    if contact.offer.leg not in call.legs:
        turn.refuse(f"{agent.name} has a leg that stays up between contacts; from such a leg no caller can be sent to pay yet")
        return
    turn.emit(PaymentBegan(turn.now, call.id, contact.id, agent.name, flow))
    if contact.held_since is None:
        turn.emit(ContactHeld(turn.now, call.id, contact.id, agent.name))
    pause(turn, call)
    _apart(turn, call, contact)
    turn.send_on(call, flow)


def _apart(turn: Turn, call: Call, contact: Contact) -> None:
    assert contact.offer is not None
    turn.want(CloseBridge(call.id, call.node, call.bridge))
    if not contact.resuming:
        turn.want(StartMusic(call.id, call.node, contact.offer.leg, turn.state.queue(contact.entered.queue).config.music))


def keep_apart(turn: Turn, call: Call) -> None:
    """After a gap: we may have been killed before they were parted, or the recording stopped. To say it twice changes nothing."""
    contact = turn.state.contacts.get(call.contact)
    for _, fact in call.history:
        if isinstance(fact, RecordingStopped):
            turn.want(StopRecording(call.id, call.node, call.began.leg, fact.recording))
    if contact is not None:
        _apart(turn, call, contact)


def over(turn: Turn, call: Call, outcome: str) -> None:
    """The flow has ended: caller and agent hear each other again."""
    assert call.payment is not None
    contact = turn.state.contacts[call.payment.contact]
    turn.emit(PaymentEnded(turn.now, call.id, contact.id, call.payment.agent, outcome))
    if contact.state is not ContactState.CONNECTED or contact.offer is None or call.caller_leg is None:
        return
    leg = call.legs[contact.offer.leg]
    if contact.resuming:  # her phone rings again (``resuming``)
        resume(turn, call)
        turn.want(StartMusic(call.id, call.node, call.began.leg, turn.state.queue(contact.entered.queue).config.music))
        return
    if contact.held_since is not None and not leg.held:
        turn.emit(ContactResumed(turn.now, call.id, contact.id, contact.offer.agent))
    turn.want(StopMusic(call.id, call.node, leg.id))
    resume(turn, call)
    turn.connect(call, call.bridge, (call.began.leg, leg.id))


def caller_left(turn: Turn, call: Call) -> None:
    """The caller hung up while paying; the end of the contact is told by the end of the leg."""
    if call.payment is not None:
        turn.emit(PaymentEnded(turn.now, call.id, call.payment.contact, call.payment.agent, CALLER_LEFT))


def agent_left(turn: Turn, call: Call, leg: Leg, cause: Cause) -> bool:
    """Whether the leg that ended was that of the agent who waits for the payment; the caller goes on paying in peace."""
    if call.payment is None:
        return False
    contact = turn.state.contacts[call.payment.contact]
    if contact.state is not ContactState.CONNECTED or contact.offer is None or contact.offer.leg != leg.id:
        return False
    if contact.resuming and cause is not Cause.NODE_CRASH:
        cause = Cause.LOST
    lost = cause in (Cause.LOST, Cause.UNKNOWN)
    turn.emit(PaymentEnded(turn.now, call.id, contact.id, call.payment.agent, AGENT_LOST if lost else AGENT_LEFT))
    why = {Cause.NODE_CRASH: EndedWhy.NODE_CRASH, Cause.LOST: EndedWhy.AGENT_LOST, Cause.UNKNOWN: EndedWhy.AGENT_LOST}
    part(turn, contact, why.get(cause, EndedWhy.AGENT_HUNG_UP))
    return True


def lost_contact(turn: Turn, call: Call) -> Contact | None:
    """What the caller had waited for who has paid, and whose agent was lost meanwhile."""
    ended = next((fact for _, fact in reversed(call.history) if isinstance(fact, PaymentEnded)), None)
    return turn.state.contacts.get(ended.contact) if ended is not None and ended.outcome == AGENT_LOST else None


def is_open(turn: Turn, agent: Agent) -> bool:
    """Whether a caller of hers pays at the moment."""
    contact = turn.state.contacts.get(agent.contact)
    call = turn.state.calls.get(contact.entered.call) if contact is not None else None
    return call is not None and call.payment is not None and call.payment.agent == agent.name


def paying(turn: Turn, agent: Agent) -> Call | None:
    """The call whose caller this agent has sent to pay; else it is said that there is none."""
    if not is_open(turn, agent):
        turn.refuse(f"no caller of {agent.name}'s is paying")
        return None
    return turn.state.calls[turn.state.contacts[agent.contact].entered.call]
