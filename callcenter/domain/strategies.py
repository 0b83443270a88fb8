"""In which order a queue's agents are offered its contacts: a rank per agent, lowest first, that does not change while she is ready.

A rank is (level, skill gap, what the strategy looks at, idle clock, name): never a weighted sum, and the name makes ties repeatable.
"""

from datetime import datetime, timedelta
from math import inf

from callcenter.domain.agent import Agent
from callcenter.domain.routing_config import IdleClock, Routing, Strategy

AgentRank = tuple[int, int, float, float, str]


def _date(at: datetime | None) -> float:
    return -inf if at is None else at.timestamp()


def idle_since(agent: Agent, clock: IdleClock) -> datetime | None:
    """Since when she counts as idle."""
    if clock is IdleClock.LAST_CONTACT:
        return agent.tally.contact_at
    return agent.tally.call_at if clock is IdleClock.ANY_CALL else agent.idle_since


def looked_at(strategy: Strategy, agent: Agent, queue: str, window: timedelta) -> float:
    """What the strategy ranks by; 0 where only the idle clock counts."""
    match strategy:
        case Strategy.ROUND_ROBIN:
            return _date(agent.tally.turns.get(queue))
        case Strategy.LEAST_OCCUPIED:
            return agent.tally.lasting_occupancy(window)
        case Strategy.FEWEST_CONTACTS:
            return agent.tally.contacts
        case Strategy.LEAST_TALK:
            return agent.tally.talk
        case Strategy.LIST_ORDER:
            return agent.order
    return 0.0


def rank(routing: Routing, agent: Agent, queue: str, window: timedelta, level: int, gap: int) -> AgentRank:
    """Where a ready agent stands among those who may take a contact of the queue."""
    idle = _date(idle_since(agent, routing.idle_clock))
    return level, gap, looked_at(routing.strategy, agent, queue, window), idle, agent.name
