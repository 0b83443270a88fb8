"""After the talk: how wrap-up ends, its one extension, and what the contact has achieved.

The time is the server's: it runs on whatever the agent's screen or phone does.
"""

from datetime import timedelta

from callcenter.domain import do_not_call
from callcenter.domain.agent import Agent
from callcenter.domain.config import DispositionRule
from callcenter.domain.contact import Contact
from callcenter.domain.delivery import finish_wrap_up
from callcenter.domain.facts import AgentState, DisposedBy, DispositionGiven, WrapUpExtended
from callcenter.domain.presence import remember
from callcenter.domain.turn import Turn

DO_NOT_CALL = "do_not_call"
"""The flag of a disposition that says so of the caller, from that moment on."""


def _contact(turn: Turn, agent: Agent) -> Contact:
    """The contact she talks with or wraps up."""
    return turn.state.contacts[agent.contact]


def _rule(turn: Turn, contact: Contact) -> DispositionRule:
    return turn.state.queue(contact.entered.queue).config.dispositions


def lacks_disposition(turn: Turn, agent: Agent) -> bool:
    """The queue requires a disposition of the contact she wraps up, and has none."""
    contact = _contact(turn, agent)
    return _rule(turn, contact).required and not contact.disposition


def refuse_without_disposition(turn: Turn, agent: Agent) -> bool:
    """Say that wrap-up does not end by her wish, when it does not."""
    if not lacks_disposition(turn, agent):
        return False
    contact = _contact(turn, agent)
    choices = ", ".join(_rule(turn, contact).choices)
    turn.refuse(f"queue '{contact.entered.queue}' wants a disposition before {agent.name}'s wrap-up ends; choose one of: {choices}")
    return True


def end(turn: Turn, agent: Agent) -> None:
    """She is done; what she asked for meanwhile is obeyed, else she is ready."""
    if agent.state is not AgentState.WRAP_UP:
        turn.refuse(f"{agent.name} is not in wrap-up, so there is none to end")
    elif not refuse_without_disposition(turn, agent):
        finish_wrap_up(turn, agent)


def extend(turn: Turn, agent: Agent) -> None:
    """Once per contact, by what the queue allows."""
    if agent.state is not AgentState.WRAP_UP or agent.until is None:
        turn.refuse(f"{agent.name} is not in wrap-up, so there is none to extend")
        return
    queue = turn.state.queue(_contact(turn, agent).entered.queue)
    if queue.config.wrap_up_extension <= timedelta(0):
        turn.refuse(f"queue '{queue.name}' allows no extension of wrap-up")
    elif agent.extended:
        turn.refuse(f"{agent.name} has extended this wrap-up already; once is allowed")
    else:
        turn.emit(WrapUpExtended(turn.now, agent.name, agent.contact, agent.until + queue.config.wrap_up_extension))


def may_extend(turn: Turn, agent: Agent) -> bool:
    """Whether she may extend the wrap-up she is in, and has not yet."""
    queue = turn.state.queue(_contact(turn, agent).entered.queue)
    return not agent.extended and queue.config.wrap_up_extension > timedelta(0)


def dispose(turn: Turn, agent: Agent, disposition: str) -> None:
    """Note what the contact has achieved; wrap-up goes on."""
    if agent.state not in (AgentState.TALKING, AgentState.WRAP_UP):
        turn.refuse(f"{agent.name} has no contact to give a disposition to")
        return
    contact = _contact(turn, agent)
    choices = _rule(turn, contact).choices
    if disposition not in choices:
        turn.refuse(f"queue '{contact.entered.queue}' has no disposition '{disposition}'; there are: {', '.join(choices) or 'none'}")
    else:
        _give(turn, agent, disposition, DisposedBy.AGENT)


def choices(turn: Turn, agent: Agent) -> tuple[str, ...]:
    """The dispositions she may choose from now, in the order of their keys."""
    if agent.state not in (AgentState.TALKING, AgentState.WRAP_UP):
        return ()
    return _rule(turn, _contact(turn, agent)).choices


def time_is_up(turn: Turn, agent: Agent) -> None:
    """Wrap-up ends by itself. A required disposition that is missing is noted as such, and may keep her from being ready."""
    if lacks_disposition(turn, agent):
        rule = _rule(turn, _contact(turn, agent))
        _give(turn, agent, rule.on_timeout, DisposedBy.TIME_OUT)
        if rule.then_not_ready and (agent.remembered is None or agent.remembered.state is AgentState.READY):
            remember(turn, agent, AgentState.NOT_READY, rule.then_not_ready)
    finish_wrap_up(turn, agent)


def _give(turn: Turn, agent: Agent, disposition: str, by: DisposedBy) -> None:
    entered = _contact(turn, agent).entered
    flags = turn.state.config.disposition_flags.get(disposition, ())
    turn.emit(DispositionGiven(turn.now, entered.call, entered.contact, entered.queue, agent.name, disposition, by, flags))
    if DO_NOT_CALL in flags and entered.caller:
        do_not_call.asked_of_agent(turn, entered.call, entered.caller, agent.name)
