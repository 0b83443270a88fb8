"""Find-me: an agent's devices in their order, each with its ring time; the offer goes from one to the next.

The caller notices nothing: the contact stays offered to her until one device takes it or the last one is missed.
"""

from callcenter.domain.agent import Agent
from callcenter.domain.call import Call
from callcenter.domain.commands import Command, Dial, RingAgent
from callcenter.domain.config import Device, QueueConfig
from callcenter.domain.contact import Contact, ContactState, said_most
from callcenter.domain.facts import AgentState, ContactOffered, MissedWhy, OfferMoved
from callcenter.domain.mailbox_config import mailbox_of
from callcenter.domain.turn import Turn


def first(agent: Agent, queue: QueueConfig) -> tuple[int, Device]:
    """Where she is rung first: not at a desk phone that is known to be gone."""
    for index, device in enumerate(agent.devices):
        if device.number or agent.reachable:
            return index, device
    return 0, Device(ring=queue.ring_timeout)


def ring(turn: Turn, call: Call, leg: str, agent: Agent, device: Device) -> Command:
    """Let the device ring; she sees the caller's number at her desk, outside a number of ours."""
    began = call.began
    if not device.number:
        return RingAgent(call.id, call.node, leg, agent.name, agent.endpoint, began.caller, began.caller_name, device.ring)
    config = turn.state.config
    shown = began.dialed if began.dialed in config.numbers else next(iter(config.numbers), "")
    return Dial(call.id, call.node, leg, device.number, config.calling.trunk, shown, device.ring)


def goes_on(turn: Turn, call: Call, offered: ContactOffered, why: MissedWhy) -> bool:
    """Ring her next device, if there is one and she still wants contacts."""
    agent = turn.state.agents[offered.agent]
    asked = agent.remembered
    wants_none = asked is not None and asked.state is not AgentState.READY
    if wants_none or offered.device + 1 >= len(agent.devices) or turn.state.node(call.node).away:
        return False
    number = offered.device + 1
    device, old = agent.devices[number], call.legs.get(offered.leg)
    leg = turn.ids.draw_leg(call.node)
    until = turn.now + device.ring
    turn.emit(
        OfferMoved(turn.now, call.id, offered.contact, offered.queue, offered.offer, agent.name, leg, until, device.number, number, why)
    )
    turn.hang_up(call, old)
    turn.want(ring(turn, call, leg, agent, device))
    return True


def to_voicemail(turn: Turn, contact: Contact, agent: Agent) -> bool:
    """Whether the caller whom she has taken at none of her devices leaves her a message now: nobody else is being rung for the contact, and
    it is no consult."""
    config = turn.state.config.agents.get(agent.name)
    wanted = config is not None and config.then_voicemail and mailbox_of(agent=agent.name) in turn.state.config.mailboxes
    consult = turn.state.calls[contact.entered.call].consult_of(contact.id)
    return wanted and consult is None and contact.state is ContactState.WAITING and not contact.bound


def missed_why(offered: ContactOffered, why: MissedWhy) -> MissedWhy:
    """Why the whole offer was missed: of a device that could not be reached less can be said than of one that rang."""
    return why if offered.missed is None else said_most(offered.missed, why)
