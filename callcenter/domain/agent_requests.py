"""What agents ask for, by console, command line or star code; and what their phones make of it."""

from callcenter.domain import agent as a
from callcenter.domain.agent import Agent
from callcenter.domain.delivery import end_contact, finish_wrap_up
from callcenter.domain.facts import AgentFallbackTalkChanged, AgentPhoneChanged, AgentState
from callcenter.domain.lamps import show_agent
from callcenter.domain.presence import become, become_free, go_ready, remember, rest, wait_for_phone
from callcenter.domain.router import route_agent
from callcenter.domain.turn import Turn
from callcenter.domain.wrap_up import lacks_disposition, refuse_without_disposition


def login(turn: Turn, agent: Agent) -> None:
    """Logged in is not ready yet; a second login changes nothing, but calls a log-out off that waits for the end of what she is in."""
    if agent.state is not AgentState.LOGGED_OUT:
        _call_off_logout(turn, agent)
    else:
        become(turn, agent, AgentState.NOT_READY, a.LOGIN)
        if agent.fallback_leg:
            _leave_alone(turn, agent)


def _call_off_logout(turn: Turn, agent: Agent) -> None:
    """After a contact she is ready, as if she had not asked; after anything else what a login makes of her."""
    if agent.remembered is None or agent.remembered.state is not AgentState.LOGGED_OUT:
        return
    if agent.state in a.BUSY or agent.state is AgentState.WRAP_UP:
        remember(turn, agent, AgentState.READY)
    else:
        remember(turn, agent, AgentState.NOT_READY, a.LOGIN)


def ready(turn: Turn, agent: Agent) -> None:
    if agent.state is AgentState.LOGGED_OUT:
        turn.refuse(f"{agent.name} is not logged in; log in first")
    elif agent.state in a.BUSY or agent.fallback_leg or agent.name in turn.state.supervising or talks_herself(turn, agent):
        remember(turn, agent, AgentState.READY)
    elif agent.own_call and agent.state is AgentState.NOT_READY:
        rest(turn, agent, a.OWN_CALL)
    elif agent.state is AgentState.WRAP_UP:
        remember(turn, agent, AgentState.READY)  # her latest wish, whether or not the wrap-up may end at once
        if not refuse_without_disposition(turn, agent):
            finish_wrap_up(turn, agent)
    elif not agent.can_be_rung:  # she will be, as soon as her phone is
        if agent.reason != a.PHONE_UNREACHABLE:
            wait_for_phone(turn, agent)
    elif agent.state is not AgentState.READY:
        go_ready(turn, agent)
        route_agent(turn, agent)


def talks_herself(turn: Turn, agent: Agent) -> bool:
    """She talks to somebody of her own choice: what she asks for is remembered until that is over."""
    if (agent.state, agent.reason) != (AgentState.NOT_READY, a.OWN_CALL):
        return False
    return any((call := turn.state.calls.get(name)) is not None and call.own is not None for name in agent.own_calls)


def not_ready(turn: Turn, agent: Agent, reason: str) -> None:
    if agent.state is AgentState.LOGGED_OUT:
        turn.refuse(f"{agent.name} is not logged in; log in first")
    elif reason not in turn.state.config.not_ready_reasons:
        turn.refuse(f"'{reason}' is not a reason to be not ready; there are: {', '.join(turn.state.config.not_ready_reasons)}")
    else:
        _rest_or_leave(turn, agent, AgentState.NOT_READY, reason)


def logout(turn: Turn, agent: Agent) -> None:
    if agent.state is not AgentState.LOGGED_OUT:
        _rest_or_leave(turn, agent, AgentState.LOGGED_OUT, "")


def _rest_or_leave(turn: Turn, agent: Agent, state: AgentState, reason: str) -> None:
    """At once, or after the contact she is in the middle of; in wrap-up, it ends the wrap-up, unless a disposition is lacking."""
    lacking = agent.state is AgentState.WRAP_UP and lacks_disposition(turn, agent)
    if agent.state in a.BUSY or lacking or talks_herself(turn, agent) or (agent.fallback_leg and state is not AgentState.LOGGED_OUT):
        remember(turn, agent, state, reason)
        return
    if agent.state is AgentState.WRAP_UP:
        end_contact(turn, agent)
    if (agent.state, agent.reason) != (state, reason):
        become(turn, agent, state, reason)


def phone_reachable(turn: Turn, agent: Agent) -> None:
    if not agent.reachable:
        turn.emit(AgentPhoneChanged(turn.now, agent.name, reachable=True))
    if agent.state is AgentState.NOT_READY and agent.reason == a.PHONE_UNREACHABLE:
        become_free(turn, agent)
        route_agent(turn, agent)
    show_agent(turn, agent)


def phone_unreachable(turn: Turn, agent: Agent) -> None:
    """A ready agent whose phone is gone is not offered anything until it is back."""
    if agent.reachable:
        turn.emit(AgentPhoneChanged(turn.now, agent.name, reachable=False))
    if agent.state is AgentState.READY and not agent.can_be_rung:
        wait_for_phone(turn, agent)


def fallback_talk_began(turn: Turn, agent: Agent, leg: str) -> None:
    """The dialplan gave her a caller while we were away: leave her alone until that ends."""
    if agent.fallback_leg == leg:
        return
    turn.emit(AgentFallbackTalkChanged(turn.now, agent.name, leg, talking=True))
    if not agent.reachable:  # it talks, so it is there
        turn.emit(AgentPhoneChanged(turn.now, agent.name, reachable=True))
    if agent.state is AgentState.READY:
        rest(turn, agent, a.FALLBACK_CALL)
    elif agent.state is AgentState.NOT_READY and agent.reason != a.FALLBACK_CALL:
        _leave_alone(turn, agent)


def _leave_alone(turn: Turn, agent: Agent) -> None:
    """What she was not ready for, or has asked for, comes after the talk."""
    before, asked = agent.reason, agent.remembered
    become(turn, agent, AgentState.NOT_READY, a.FALLBACK_CALL)
    if asked is not None:
        remember(turn, agent, asked.state, asked.reason)
    else:
        remember(turn, agent, AgentState.NOT_READY, before)


def fallback_talk_ended(turn: Turn, agent: Agent) -> None:
    """Whatever she is not ready for: what she asked for during the talk is obeyed now."""
    turn.emit(AgentFallbackTalkChanged(turn.now, agent.name, agent.fallback_leg, talking=False))
    if agent.state is AgentState.NOT_READY and agent.remembered is not None:
        become_free(turn, agent)
        route_agent(turn, agent)
