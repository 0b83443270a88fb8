"""What supervisors decide for others: the state of an agent, the place of a waiting caller. Each says who wanted it, and why."""

from callcenter.domain import agent_requests, delivery
from callcenter.domain.contact import UNANSWERED, Contact
from callcenter.domain.events import AgentForceRequested, ContactMoveRequested, ContactPriorityRequested, ForcedState
from callcenter.domain.facts import AgentForced, AgentState, ContactMoved, ContactReordered, OverflowWhy, WithdrawnWhy
from callcenter.domain.router import offer_to, route_agent, route_queue
from callcenter.domain.turn import Turn


def force(turn: Turn, event: AgentForceRequested) -> None:
    """As if she had asked for it herself: in the middle of a contact it is remembered. To be ready, who is logged out logs in."""
    agent = turn.state.agents.get(event.agent)
    if agent is None:
        turn.refuse(f"there is no agent '{event.agent}'; agents: {', '.join(sorted(turn.state.agents)) or 'none'}")
        return
    reasons = turn.state.config.not_ready_reasons
    if event.state is ForcedState.NOT_READY and event.reason not in reasons:
        turn.refuse(f"'{event.reason}' is not a reason to be not ready; there are: {', '.join(reasons)}")
        return
    if event.state is ForcedState.NOT_READY and agent.state is AgentState.LOGGED_OUT:
        turn.refuse(f"{agent.name} is not logged in")
        return
    turn.emit(AgentForced(turn.now, agent.name, AgentState(event.state), event.reason, event.by, event.why, agent.state))
    if event.state is ForcedState.LOGGED_OUT:
        agent_requests.logout(turn, agent)
    elif event.state is ForcedState.NOT_READY:
        agent_requests.not_ready(turn, agent, event.reason)
    else:
        agent_requests.login(turn, agent)
        agent_requests.ready(turn, agent)


def move(turn: Turn, event: ContactMoveRequested) -> None:
    """A caller who waits goes on waiting in another queue at the old place, or is offered to that agent now."""
    contact = _waiting(turn, event.contact)
    if contact is None:
        return
    if event.agent:
        _to_agent(turn, contact, event)
    elif event.queue not in turn.state.config.queues:
        turn.refuse(f"there is no queue '{event.queue}'; queues: {', '.join(sorted(turn.state.config.queues))}")
    elif event.queue == contact.entered.queue:
        turn.refuse(f"the caller waits in queue '{event.queue}' already")
    else:
        _to_queue(turn, contact, event)


def _to_queue(turn: Turn, contact: Contact, event: ContactMoveRequested) -> None:
    entered = contact.entered
    call = turn.state.calls[entered.call]
    _moved(turn, contact, event)
    freed = delivery.leave_queue(turn, contact, OverflowWhy.MOVED)
    needs = delivery.taken_along(turn, entered, event.queue)
    priority = contact.waiter.priority
    delivery.enter_queue(turn, call, event.queue, priority, needs, place=entered.place, transferred_from=contact.id)
    for agent in freed:
        route_agent(turn, agent)


def _to_agent(turn: Turn, contact: Contact, event: ContactMoveRequested) -> None:
    """RESERVED is the whole protection against double booking, so only who is ready can be reached."""
    agent = turn.state.agents.get(event.agent)
    if agent is None or agent.name not in turn.state.config.agents:
        turn.refuse(f"there is no agent '{event.agent}'; agents: {', '.join(sorted(turn.state.config.agents))}")
        return
    if agent.name in {offered.agent for offered in contact.offers.values()}:
        return
    if agent.state is not AgentState.READY:
        turn.refuse(f"{agent.name} is {agent.state.replace('_', ' ')}{f' ({agent.reason})' if agent.reason else ''}, not ready")
        return
    _moved(turn, contact, event)
    freed = delivery.withdraw_all(turn, contact, WithdrawnWhy.CALLED_OFF)
    queue = turn.state.queue(contact.entered.queue)
    offer_to(turn, contact, agent, queue, 1, (), (f"moved by {event.by}",))
    for other in freed:
        route_agent(turn, other)


def _moved(turn: Turn, contact: Contact, event: ContactMoveRequested) -> None:
    entered = contact.entered
    turn.emit(ContactMoved(turn.now, entered.call, contact.id, entered.queue, event.queue, event.agent, event.by, event.why))


def prioritise(turn: Turn, event: ContactPriorityRequested) -> None:
    """Another priority, or the head of the line: before whoever was put there earlier. Its wait counts as before."""
    contact = _waiting(turn, event.contact)
    if contact is None:
        return
    entered, waiter = contact.entered, contact.waiter
    head, priority = event.priority is None, waiter.priority if event.priority is None else event.priority
    turn.emit(ContactReordered(turn.now, entered.call, contact.id, entered.queue, priority, head, event.by, event.why))
    route_queue(turn, turn.state.queue(entered.queue))


def _waiting(turn: Turn, name: str) -> Contact | None:
    """The caller who waits; else it is said why there is none to move."""
    contact = turn.state.contacts.get(name)
    if contact is None:
        turn.refuse(f"there is no contact '{name}', or it is over")
        return None
    call = turn.state.calls[contact.entered.call]
    if contact.state not in UNANSWERED:
        turn.refuse(f"the contact is {contact.state}, not waiting")
        return None
    if call.consult_of(contact.id) is not None or contact.bound:
        turn.refuse("the contact is for one colleague, by the wish of the agent who has the caller")
        return None
    if turn.state.node(call.node).away or call.caller_leg is None or call.caller_leg.closing:
        turn.refuse("the call is out of our reach at the moment; try again in a few seconds")
        return None
    return contact
