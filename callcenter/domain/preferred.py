"""Contacts that wait for one agent alone at first: a named one, or whom the caller talked with last.

The wait is bounded, and does not begin at all (or ends at once) when she is not due back within it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from callcenter.domain.agent import OWN_CALL, PHONE_UNREACHABLE, Agent
from callcenter.domain.facts import AgentState
from callcenter.domain.queue import Queue
from callcenter.domain.router import give_up_preferred
from callcenter.domain.routing_config import LAST, Needs
from callcenter.domain.skills import both, parse, unmet
from callcenter.domain.turn import Turn


@dataclass(frozen=True, slots=True)
class Alone:
    """For whom it waits alone, and until when; or why it does not."""

    agent: str = ""
    until: datetime | None = None
    skipped: str = ""


def preferred_agent(turn: Turn, caller: str, queue: Queue, needs: Needs) -> Alone:
    """The agent a contact should wait for alone."""
    name, wait = needs.agent, needs.agent_wait
    if not name and queue.routing.last_agent_wait is not None:
        name, wait = LAST, queue.routing.last_agent_wait
    if name == LAST:
        name = turn.state.last_agents.get(caller, "")
    if not name:
        return Alone()
    until = turn.now + wait
    skipped = not_due(turn, queue, name, until) or _not_for(turn, queue, name, needs)
    return Alone(skipped=f"{name}: {skipped}") if skipped else Alone(name, until)


def _not_for(turn: Turn, queue: Queue, name: str, needs: Needs) -> str:
    """Why she must not take it, however long it waits."""
    return unmet(both(parse(queue.routing.require), parse(needs.require)), turn.state.agents[name].skills)


def not_due(turn: Turn, queue: Queue, name: str, until: datetime) -> str:
    """Why she will not be there for it in time; empty when she is, may be, or nobody knows."""
    agent = turn.state.agents.get(name)
    if agent is None or queue.name not in agent.serves or not agent.serves[queue.name].own:
        return "does not serve the queue"
    if agent.remembered is not None and agent.remembered.state is not AgentState.READY:
        return "has asked not to be ready"
    match agent.state:
        case AgentState.LOGGED_OUT:
            return "is logged out"
        case AgentState.NOT_READY:
            comes_back = agent.until is not None and agent.until <= until and agent.reason not in (PHONE_UNREACHABLE, OWN_CALL)
            return "" if comes_back else f"is not ready ({agent.reason})"
        case AgentState.WRAP_UP:
            return "" if agent.until is None or agent.until <= until else "wraps up for longer"
        case AgentState.TALKING | AgentState.RESERVED:
            return "" if turn.now + _talk_left(turn, agent) <= until else "is expected to talk for longer"
    return ""


def _talk_left(turn: Turn, agent: Agent) -> timedelta:
    """How long she will probably be busy with the contact she has. However long a talk has lasted, the mean of its queue is expected to be
    left (talk times are about exponential); nothing is expected of a queue that has not seen ten."""
    contact = turn.state.contacts.get(agent.contact)
    if contact is None:
        return timedelta()
    queue = turn.state.queue(contact.entered.queue)
    if queue.tally.talks < 10:
        return timedelta()
    return timedelta(seconds=queue.tally.mean_talk_s) + queue.config.wrap_up


def look_again(turn: Turn, name: str) -> None:
    """Something about her has changed: whoever waits for her alone, and now in vain, waits for anybody."""
    line = turn.state.lines.personal.get(name)
    for waiter_id in line.in_order() if line else ():
        waiter = turn.state.waiters[waiter_id]
        if waiter.preferred_until is None or not_due(turn, turn.state.queue(waiter.queue), name, waiter.preferred_until):
            give_up_preferred(turn, waiter)
