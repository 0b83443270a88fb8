"""Which of her queues an agent serves, by her own wish and within the limits that were set for her."""

from callcenter.domain.agent import Agent
from callcenter.domain.config import AgentConfig
from callcenter.domain.facts import AgentOptedOut
from callcenter.domain.router import route_agent
from callcenter.domain.turn import Turn


def _config(turn: Turn, agent: Agent, queue: str) -> AgentConfig | None:
    """What was decided for her; None, and refused, when the queue is not hers."""
    config = turn.state.config.agents.get(agent.name)
    if config is None or queue not in config.queues:
        queues = ", ".join(config.queues) if config else ""
        turn.refuse(f"'{queue}' is not a queue of {agent.name}; there are: {queues or 'none'}")
        return None
    return config


def opt_out(turn: Turn, agent: Agent, queue: str) -> None:
    """She is offered no more contacts of the queue; one that she is offered already goes on. Twice changes nothing."""
    config = _config(turn, agent, queue)
    if config is None or queue in agent.opted_out:
        return
    left = [name for name in config.queues if name not in agent.opted_out and name != queue]
    if queue not in config.may_opt_out:
        allowed = ", ".join(config.may_opt_out) or "none"
        turn.refuse(f"{agent.name} may not opt out of queue '{queue}'; she may of: {allowed}")
    elif len(left) < config.least_queues:
        turn.refuse(f"{agent.name} must serve at least {config.least_queues} of her queues")
    else:
        turn.emit(AgentOptedOut(turn.now, agent.name, (*agent.opted_out, queue)))


def opt_in(turn: Turn, agent: Agent, queue: str) -> None:
    """She serves the queue again, and whoever waits there at once."""
    if _config(turn, agent, queue) is not None and queue in agent.opted_out:
        turn.emit(AgentOptedOut(turn.now, agent.name, tuple(name for name in agent.opted_out if name != queue)))
        route_agent(turn, agent)
