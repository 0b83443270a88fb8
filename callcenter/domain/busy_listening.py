"""An agent who is busy with a call of her own, as listening to her mailbox, is offered nothing meanwhile; then all is as before."""

from callcenter.domain.agent import OWN_CALL, Agent
from callcenter.domain.facts import AgentState, Fact, VisitBegan, VisitEnded
from callcenter.domain.presence import become_free, rest
from callcenter.domain.router import route_agent
from callcenter.domain.turn import Turn

HEEDED = frozenset((VisitBegan, VisitEnded))


def heed(turn: Turn, fact: Fact) -> None:
    """What a fact means for the agent whose call it is."""
    if isinstance(fact, VisitBegan | VisitEnded) and (agent := turn.state.agents.get(fact.agent)) is not None:
        if agent.own_call:
            begun(turn, agent)
        else:
            over(turn, agent)


def begun(turn: Turn, agent: Agent) -> None:
    """Her idle clock runs on: she loses nothing by it."""
    if agent.state is AgentState.READY:
        rest(turn, agent, OWN_CALL, idle_since=agent.idle_since)


def over(turn: Turn, agent: Agent) -> None:
    """Back to what was before, or to what she has asked for meanwhile."""
    if agent.state is AgentState.NOT_READY and agent.reason == OWN_CALL:
        become_free(turn, agent, agent.idle_since)
        route_agent(turn, agent)
