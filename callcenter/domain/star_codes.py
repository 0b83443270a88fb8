"""What agents do from a plain desk phone: a star code, some with a number behind it that picks from a list."""

from collections.abc import Callable, Mapping, Sequence

from callcenter.domain import agent_requests, flows, notices, opting, payments, transfers, wrap_up
from callcenter.domain.agent import Agent
from callcenter.domain.facts import AgentState
from callcenter.domain.ivr.flow import (
    BUILT_IN_FLOWS,
    CONFIRM_DISPOSITION,
    CONFIRM_DONE,
    CONFIRM_EXTENDED,
    CONFIRM_LOGGED_IN,
    CONFIRM_LOGGED_OUT,
    CONFIRM_NOT_POSSIBLE,
    CONFIRM_NOT_READY,
    CONFIRM_OPTED_IN,
    CONFIRM_OPTED_OUT,
    CONFIRM_PAYMENT,
    CONFIRM_PAYMENT_OVER,
    CONFIRM_READY,
    NOTICE,
)
from callcenter.domain.ivr.switch_flow import hours_switch
from callcenter.domain.turn import Turn

CODE_LENGTH = 3
"""``*12`` and the like; what follows is the number of a choice, counted from 1."""

Obey = Callable[[Turn, Agent, str], str]
"""Does what the code says with the digits behind it; returns the flow that confirms it."""


def obey(turn: Turn, agent: Agent, dialed: str) -> str:
    """Do what the agent dialed; return the flow that tells her what came of it."""
    obeys = STAR_CODES.get(dialed[:CODE_LENGTH])
    if obeys is None:
        return CONFIRM_NOT_POSSIBLE.name
    confirmation = obeys(turn, agent, dialed[CODE_LENGTH:])
    if turn.out.refusal is not None:
        return CONFIRM_NOT_POSSIBLE.name
    return confirmation + NOTICE if turn.state.notices.unseen_by(agent.name) and confirmation in BUILT_IN_FLOWS else confirmation


def _chosen(turn: Turn, choices: Sequence[str], digits: str) -> str:
    """The choice of that number; none of that number is refused."""
    if digits.isascii() and digits.isdigit() and 1 <= int(digits) <= len(choices):
        return choices[int(digits) - 1]
    turn.refuse(f"there is no choice '{digits}'; there are {len(choices)}")
    return ""


def _alone(turn: Turn, digits: str) -> bool:
    """Whether the code stands alone, as it must."""
    if digits:
        turn.refuse(f"'{digits}' behind the code means nothing")
    return not digits


def _ready(turn: Turn, agent: Agent, digits: str) -> str:
    if _alone(turn, digits):
        agent_requests.login(turn, agent)
        agent_requests.ready(turn, agent)
    return CONFIRM_READY.name


def _not_ready(turn: Turn, agent: Agent, digits: str) -> str:
    reason = _chosen(turn, turn.state.config.not_ready_reasons, digits or "1")
    if reason:
        agent_requests.not_ready(turn, agent, reason)
    return CONFIRM_NOT_READY.name


def _end_wrap_up(turn: Turn, agent: Agent, digits: str) -> str:
    if _alone(turn, digits):
        wrap_up.end(turn, agent)
    return CONFIRM_READY.name if agent.state in (AgentState.READY, AgentState.RESERVED) else CONFIRM_NOT_READY.name


def _dispose(turn: Turn, agent: Agent, digits: str) -> str:
    disposition = _chosen(turn, wrap_up.choices(turn, agent), digits)
    if disposition:
        wrap_up.dispose(turn, agent, disposition)
    return CONFIRM_DISPOSITION.name


def _extend(turn: Turn, agent: Agent, digits: str) -> str:
    if _alone(turn, digits):
        wrap_up.extend(turn, agent)
    return CONFIRM_EXTENDED.name


def _queue(turn: Turn, agent: Agent, digits: str) -> str:
    config = turn.state.config.agents.get(agent.name)
    return _chosen(turn, config.queues if config else (), digits)


def _opt_in(turn: Turn, agent: Agent, digits: str) -> str:
    if queue := _queue(turn, agent, digits):
        opting.opt_in(turn, agent, queue)
    return CONFIRM_OPTED_IN.name


def _opt_out(turn: Turn, agent: Agent, digits: str) -> str:
    if queue := _queue(turn, agent, digits):
        opting.opt_out(turn, agent, queue)
    return CONFIRM_OPTED_OUT.name


def _switch(turn: Turn, agent: Agent, digits: str) -> str:
    """Whoever knows the PIN may; whose phone it is does not matter."""
    calendars = [name for name in turn.state.config.calendars if ":" not in name]
    chosen = _chosen(turn, calendars, digits or "1")
    return hours_switch(chosen) if chosen else CONFIRM_NOT_POSSIBLE.name


def _payment(turn: Turn, agent: Agent, digits: str) -> str:
    """While a caller of hers pays, the code alone brings the caller back."""
    if not digits and payments.is_open(turn, agent):
        flows.call_off_payment(turn, agent)
        return CONFIRM_PAYMENT_OVER.name
    if flow := _chosen(turn, turn.state.config.payment_flows, digits or "1"):
        payments.begin(turn, agent, flow)
    return CONFIRM_PAYMENT.name


def _log_out(turn: Turn, agent: Agent, digits: str) -> str:
    if _alone(turn, digits):
        agent_requests.logout(turn, agent)
    return CONFIRM_LOGGED_OUT.name


def _log_in(turn: Turn, agent: Agent, digits: str) -> str:
    if _alone(turn, digits):
        agent_requests.login(turn, agent)
    return CONFIRM_LOGGED_IN.name


def _to_extension(*, consults: bool) -> Obey:
    """From her second line, about the caller on the first."""

    def obeys(turn: Turn, agent: Agent, digits: str) -> str:
        transfers.to_extension(turn, agent, digits, consults=consults)
        return CONFIRM_DONE.name

    return obeys


def _about_consult(story: Callable[[Turn, Agent], None]) -> Obey:
    def obeys(turn: Turn, agent: Agent, digits: str) -> str:
        if _alone(turn, digits):
            story(turn, agent)
        return CONFIRM_DONE.name

    return obeys


def _acknowledge(turn: Turn, agent: Agent, digits: str) -> str:
    """Her notices, all of them: their text is at her screen, or told by her supervisor."""
    if _alone(turn, digits):
        notices.acknowledge_all(turn, agent)
    return CONFIRM_DISPOSITION.name


STAR_CODES: Mapping[str, Obey] = {
    "*11": _ready,
    "*12": _not_ready,
    "*13": _end_wrap_up,
    "*14": _dispose,
    "*15": _extend,
    "*16": _opt_in,
    "*17": _opt_out,
    "*19": _switch,
    "*20": _payment,
    "*22": _log_out,
    "*25": _log_in,
    "*31": _to_extension(consults=False),
    "*32": _to_extension(consults=True),
    "*33": _about_consult(transfers.complete),
    "*34": _about_consult(transfers.swap),
    "*35": _about_consult(transfers.conference),
    "*36": _about_consult(transfers.cancel),
    "*49": _acknowledge,
}
"""``*11`` logs in as well: a desk phone has no other way. ``*12`` alone is the first reason, ``*123`` the third.
``*19`` is the emergency switch of the first calendar. ``*31`` to ``*36`` are for phones with two lines (``feature_keys`` for those with
one). ``*10``, ``*18``, ``*21``, ``*23`` and ``*24`` are ``arrivals``', ``*4`` and what follows it is for supervisors."""
