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


def looked_at(routing: Routing, agent: Agent, queue: str, window: timedelta) -> tuple[float, float]:
    """What the strategy ranks a ready agent by (0 where only the idle clock counts), and her idle clock."""
    idle = _date(idle_since(agent, routing.idle_clock))
    match routing.strategy:
        case Strategy.LONGEST_IDLE | Strategy.RING_ALL:
            return 0.0, idle
        case Strategy.ROUND_ROBIN:
            return _date(agent.tally.turns.get(queue)), idle
        case Strategy.LEAST_OCCUPIED:
            return agent.tally.lasting_occupancy(window), idle
        case Strategy.FEWEST_CONTACTS:
            return agent.tally.contacts, idle
        case Strategy.LEAST_TALK:
            return agent.tally.talk, idle
        case Strategy.LIST_ORDER:
            return agent.order, idle
