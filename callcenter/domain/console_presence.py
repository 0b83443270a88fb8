"""A console that is gone, and is back: what becomes of an agent whose phone is the browser in which her console was open.

Her phone is gone with it, so nothing rings there. An offer that was open goes to the next agent at once, by nobody's fault; she is not
ready until she says so, once she is free. What she had asked for herself stays as it is. A desk phone does not mind.
"""

from callcenter.domain.agent import BUSY, CONSOLE_GONE, Agent
from callcenter.domain.contact import ContactState
from callcenter.domain.delivery import route_again, withdraw
from callcenter.domain.facts import AgentState, WithdrawnWhy
from callcenter.domain.presence import become, remember
from callcenter.domain.turn import Turn


def gone(turn: Turn, agent: Agent) -> None:
    """Nobody sits at her console any more."""
    config = turn.state.config.agents.get(agent.name)
    if config is None or not config.browser or agent.state is AgentState.LOGGED_OUT:
        return
    asked = agent.remembered
    if asked is not None and asked.state is not AgentState.READY:
        return  # she wants to rest, or to leave, and will
    if agent.state in BUSY or agent.state is AgentState.WRAP_UP or agent.fallback_leg:
        remember(turn, agent, AgentState.NOT_READY, CONSOLE_GONE)
        _requeue_offer(turn, agent)
    elif agent.state is AgentState.READY or asked is not None:  # else she is not ready already, and stays so
        become(turn, agent, AgentState.NOT_READY, CONSOLE_GONE)


def _requeue_offer(turn: Turn, agent: Agent) -> None:
    contact = turn.state.contacts.get(agent.contact)
    if contact is None or contact.state is not ContactState.OFFERED:
        return
    offered = next((offered for offered in contact.offers.values() if offered.agent == agent.name), None)
    if offered is not None:
        withdraw(turn, contact, offered, WithdrawnWhy.CONSOLE_GONE)
        route_again(turn, contact)


def back(turn: Turn, agent: Agent) -> None:
    """She came back before she was free: she goes on as if she had never been away. Who is not ready for it already says when she is."""
    asked = agent.remembered
    if asked is not None and asked.reason == CONSOLE_GONE and (agent.state in BUSY or agent.state is AgentState.WRAP_UP):
        remember(turn, agent, AgentState.READY)
