"""Who may hear whom, and when: what the configuration and the moment allow.

Which person may ask for it at all is ``domain.permitted``'s to say; upon which queues comes from there as ``within``.
"""

from callcenter.domain.agent import Agent
from callcenter.domain.call import LegState
from callcenter.domain.contact import Contact, ContactState
from callcenter.domain.events import SupervisionRequested
from callcenter.domain.facts import AgentState, SupervisionBegan
from callcenter.domain.supervision import Supervision
from callcenter.domain.supervision_modes import EVERY_QUEUE, SupervisionMode, reaches
from callcenter.domain.turn import Turn

JOINING = frozenset({SupervisionMode.BARGE, SupervisionMode.TAKE_OVER})


def may_begin(turn: Turn, asked: SupervisionRequested) -> tuple[Agent | None, Contact | None]:
    """The supervisor, and the agent's contact if she has one; no supervisor when it cannot be, and it is said why."""
    name, agent_name = asked.supervisor, asked.agent
    supervisor, agent = turn.state.agents.get(name), turn.state.agents.get(agent_name)
    config = turn.state.config.supervisors.get(name)
    if supervisor is None or config is None:
        turn.refuse(f"{name} is no supervisor; supervisors: {', '.join(sorted(turn.state.config.supervisors)) or 'none'}")
        return None, None
    if agent is None:
        turn.refuse(f"there is no agent '{agent_name}'; agents: {', '.join(sorted(turn.state.agents))}")
        return None, None
    if not (_is_free(turn, supervisor) and _may_be_heard(turn, supervisor, agent)):
        return None, None
    contact = talking_with(turn, agent)
    if contact is not None and refuse_while_paying(turn, agent.name):
        return None, None
    if contact is None:
        return (supervisor if _may_wait(turn, asked, agent) else None), None
    queue = contact.entered.queue
    if not may_hear(turn, asked, queue):
        own = [each for each in config.queues if each == EVERY_QUEUE or reaches(asked.within, each)]
        queues = own if EVERY_QUEUE not in own else asked.within
        turn.refuse(f"{name} may not hear contacts of queue '{queue}'; {name}'s queues: {', '.join(queues) or 'none'}")
        return None, None
    return (supervisor if may_join(turn, contact, asked.mode) else None), contact


def _is_free(turn: Turn, supervisor: Agent) -> bool:
    """Who has a caller, or hears somebody already, has only two ears."""
    busy = turn.state.supervising.get(supervisor.name)
    if busy is not None and busy.supervision is not None:
        turn.refuse(f"{supervisor.name} supervises {busy.supervision.agent} already; switch or end that")
        return False
    if supervisor.state in (AgentState.RESERVED, AgentState.TALKING, AgentState.WRAP_UP) or supervisor.fallback_leg:
        turn.refuse(f"{supervisor.name} is {supervisor.state.replace('_', ' ')}, and cannot supervise at the same time")
        return False
    if supervisor.own_call:
        turn.refuse(f"{supervisor.name} is in a call of her own, and cannot supervise at the same time")
        return False
    return True


def _may_be_heard(turn: Turn, supervisor: Agent, agent: Agent) -> bool:
    if agent is supervisor:
        turn.refuse(f"{agent.name} cannot supervise herself")
        return False
    if agent.name in turn.state.config.supervisors:
        turn.refuse(f"{agent.name} is a supervisor, and those are not supervised")
        return False
    return True


def _may_wait(turn: Turn, asked: SupervisionRequested, agent: Agent) -> bool:
    """Whether the supervisor may wait for the agent's next contact."""
    if not asked.stay:
        turn.refuse(f"{agent.name} is not talking to a caller")
        return False
    if agent.state is AgentState.LOGGED_OUT:
        turn.refuse(f"{agent.name} is logged out")
        return False
    if not any(may_hear(turn, asked, queue) for queue in agent.queues):
        turn.refuse(f"{asked.supervisor} may hear contacts of none of {agent.name}'s queues")
        return False
    return True


def may_hear(turn: Turn, asked: SupervisionRequested | SupervisionBegan, queue: str) -> bool:
    """By the supervisor's queues, within those upon which who asked may listen; without a contact, it is decided when there is one."""
    config = turn.state.config.supervisors.get(asked.supervisor)
    if config is None or asked.agent == asked.supervisor:
        return False
    return not queue or (config.may_hear(queue) and reaches(asked.within, queue))


def may_join(turn: Turn, contact: Contact, mode: SupervisionMode) -> bool:
    """Whether that is possible in this contact now; else it is said why not. To be between the two, they must be together."""
    call = turn.state.calls[contact.entered.call]
    if turn.state.node(call.node).away or call.caller_leg is None or call.caller_leg.closing:
        turn.refuse("the call is out of our reach at the moment; try again in a few seconds")
        return False
    agent = contact.offer.agent if contact.offer is not None else ""
    if mode in JOINING and call.consult is not None:
        turn.refuse(f"{agent} is in a consult; until that is over, {mode.replace('_', ' ')} is not possible")
        return False
    return True


def pays(turn: Turn, agent: str) -> bool:
    """Whether her caller pays."""
    contact = turn.state.contacts.get(turn.state.agents[agent].contact) if agent in turn.state.agents else None
    return contact is not None and turn.state.calls[contact.entered.call].payment is not None


def refuse_while_paying(turn: Turn, agent: str) -> bool:
    """Say that nobody hears that, when her caller pays."""
    if not pays(turn, agent):
        return False
    turn.refuse(f"{agent}'s caller is paying; until that is over nobody hears the call")
    return True


def talking_with(turn: Turn, agent: Agent) -> Contact | None:
    """The contact in which she talks to a caller, or is consulted about one."""
    contact = turn.state.contacts.get(agent.contact)
    return contact if contact is not None and contact.state is ContactState.CONNECTED and agent.state is AgentState.TALKING else None


def heard_contact(turn: Turn, supervision: Supervision) -> Contact | None:
    """The contact that the supervisor hears, or may hear next; None: the agent has none of that kind on this node."""
    agent, own = turn.state.agents.get(supervision.agent), turn.state.legs.get(supervision.leg)
    contact = talking_with(turn, agent) if agent is not None else None
    if contact is None or own is None or own.legs[supervision.leg].state is not LegState.UP:
        return None
    call = turn.state.calls[contact.entered.call]
    return contact if call.node == own.node and call.payment is None and may_hear(turn, supervision.began, contact.entered.queue) else None
