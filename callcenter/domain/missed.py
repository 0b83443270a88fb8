"""The end of a rest: after a missed offer she is ready again; a phone that could not be rung must answer first."""

from callcenter.domain import persistent_leg
from callcenter.domain.agent import ASK_PHONE_EVERY, LEG_RINGS, PHONE_UNREACHABLE, Agent
from callcenter.domain.commands import AskPhone
from callcenter.domain.facts import AgentPhoneAsked
from callcenter.domain.presence import become_free
from callcenter.domain.router import route_agent
from callcenter.domain.turn import Turn


def rest_is_over(turn: Turn, agent: Agent) -> None:
    """The date until which she was kept away has come. A phone outside cannot be asked, and is tried again."""
    if agent.reason == LEG_RINGS:
        persistent_leg.give_up(turn, agent)
        return
    if agent.reason == PHONE_UNREACHABLE and not agent.can_be_rung:
        _ask_phone(turn, agent)
        return
    become_free(turn, agent, idle_since=agent.idle_since)
    route_agent(turn, agent)


def _ask_phone(turn: Turn, agent: Agent) -> None:
    """Ask it, by every node that is there."""
    turn.emit(AgentPhoneAsked(turn.now, agent.name, turn.now + ASK_PHONE_EVERY))
    for node in turn.state.nodes.values():
        if not node.away:
            turn.want(AskPhone(f"phone-{agent.name}", node.name, agent.endpoint))
