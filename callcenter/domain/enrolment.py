"""Who is configured as an agent: in which queues she counts, for what she is found, and how she is forgotten."""

from typing import TYPE_CHECKING

from callcenter.domain.agent import Agent
from callcenter.domain.config import AgentConfig
from callcenter.domain.deadlines import SKILL, expires_at
from callcenter.domain.facts import AgentState

if TYPE_CHECKING:
    from callcenter.domain.state import State

SERVING = frozenset({AgentState.READY, AgentState.RESERVED, AgentState.TALKING, AgentState.WRAP_UP})
"""Who is counted among those who serve a queue."""


def enroll(state: "State", config: AgentConfig, order: int) -> None:
    """She also goes on serving those who still wait in queues that were taken away."""
    agent = state.agent(config.name)
    _unplug(state, agent)
    state.lines.stand_back(agent)
    count_out(state, agent)
    retired = [name for name in agent.queues if name not in state.config.queues and state.queue(name).unanswered]
    agent.devices, agent.persistent = config.devices, config.persistent
    agent.endpoint, agent.queues, agent.order = config.endpoint, (*served_queues(config, agent), *retired), order
    agent.serves = state.lines.serving(config, agent.queues)
    state.endpoints[agent.endpoint] = agent
    count_in(state, agent)


def strike_off(state: "State", agent: Agent) -> None:
    """A removed agent is forgotten once logged out; until then she serves no further queue."""
    state.lines.stand_back(agent)
    count_out(state, agent)
    agent.queues, agent.serves = (), {}
    if agent.state is AgentState.LOGGED_OUT:
        forget_agent(state, agent)


def forget_agent(state: "State", agent: Agent) -> None:
    _unplug(state, agent)
    state.fallback_legs.pop(agent.fallback_leg, None)
    del state.agents[agent.name]
    state.struck_off.add(agent.name)


def _unplug(state: "State", agent: Agent) -> None:
    """Her phone is no longer hers; it may be another's already."""
    if state.endpoints.get(agent.endpoint) is agent:
        del state.endpoints[agent.endpoint]


def learn_skills(state: "State", agent: Agent) -> None:
    """What she can do now; the next expiry is a date to act on."""
    config = state.config.agents.get(agent.name)
    known = agent.skills_as_of
    skills = config.skills if config is not None else {}
    agent.skills = {name: skill.level for name, skill in skills.items() if skill.until is None or known is None or skill.until > known}
    due = expires_at(state, agent)
    if due is not None:
        state.deadlines.set(due, SKILL, agent.name)


def count_in(state: "State", agent: Agent) -> None:
    """Who is logged in counts in each of her queues."""
    if agent.state is not AgentState.LOGGED_OUT:
        for name in agent.queues:
            state.queue(name).logged_in += 1
            state.queue(name).serving += agent.state in SERVING


def count_out(state: "State", agent: Agent) -> None:
    if agent.state is not AgentState.LOGGED_OUT:
        for name in agent.queues:
            state.queue(name).logged_in -= 1
            state.queue(name).serving -= agent.state in SERVING


def served_queues(config: AgentConfig, agent: Agent) -> tuple[str, ...]:
    """Her queues, but for those she opted out of as far as she still may."""
    return tuple(name for name in config.queues if name not in agent.opted_out or name not in config.may_opt_out)
