"""What an agent becomes: the next state when she is free again, and what is remembered for later.

Who is ready is told to the router by its callers; this module only moves agents between states.
"""

from datetime import datetime

from callcenter.domain.agent import FALLBACK_CALL, PHONE_UNREACHABLE, Agent
from callcenter.domain.facts import AgentRequestRemembered, AgentState, AgentStateChanged
from callcenter.domain.turn import Turn


def become(
    turn: Turn, agent: Agent, state: AgentState, reason: str = "", *, idle_since: datetime | None = None, until: datetime | None = None
) -> None:
    """Move to a state of rest. ``idle_since`` is for READY: None means from now on."""
    if state is AgentState.READY:
        idle_since = idle_since or turn.now
    turn.emit(AgentStateChanged(turn.now, agent.name, state, reason, idle_since=idle_since, until=until))


def become_free(turn: Turn, agent: Agent, idle_since: datetime | None = None) -> None:
    """After an offer or a contact: obey what was asked for meanwhile; else ready, if she can be."""
    remembered = agent.remembered
    if agent.name not in turn.state.config.agents:
        become(turn, agent, AgentState.LOGGED_OUT)
    elif remembered is not None and remembered.state is not AgentState.READY:
        become(turn, agent, remembered.state, remembered.reason)
    elif agent.fallback_leg:
        rest(turn, agent, FALLBACK_CALL)
    elif not agent.reachable:
        rest(turn, agent, PHONE_UNREACHABLE)
    else:
        become(turn, agent, AgentState.READY, idle_since=idle_since)


def rest(turn: Turn, agent: Agent, reason: str, until: datetime | None = None) -> None:
    """Not ready for a reason that ends by itself, on that date at the latest; then she is ready again."""
    become(turn, agent, AgentState.NOT_READY, reason, until=until)
    remember(turn, agent, AgentState.READY)


def remember(turn: Turn, agent: Agent, state: AgentState, reason: str = "") -> None:
    turn.emit(AgentRequestRemembered(turn.now, agent.name, state, reason))
