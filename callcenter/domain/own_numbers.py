"""Which numbers outside an agent may call by herself, or send her callers to; what they are shown, and for how long they ring."""

from datetime import timedelta

from callcenter.domain.agent import Agent
from callcenter.domain.events import Cause
from callcenter.domain.facts import OwnEndedWhy
from callcenter.domain.numbers import NumberRefusal
from callcenter.domain.promises import may_be_called
from callcenter.domain.turn import Turn

GRACE = timedelta(seconds=5)
"""How long after its ring time a leg has to say that nobody answered."""
WHY_BY_CAUSE = {
    Cause.BUSY: OwnEndedWhy.BUSY,
    Cause.REJECTED: OwnEndedWhy.BUSY,
    Cause.NO_ANSWER: OwnEndedWhy.NO_ANSWER,
}
"""Whatever is not listed could not be reached."""


def may_call_outside(turn: Turn, agent: Agent, text: str, *, transfer: bool = False) -> str:
    """The number in E.164 if she may call it; empty, and refused with why, if not. No caller is ever sent to a number that costs more."""
    config = turn.state.config
    hers = config.agents.get(agent.name)
    allowed = hers.may_dial if hers is not None else ()
    if not allowed or not config.calling.trunk:
        turn.refuse(f"{agent.name} may not call outside; own_calls.allowed and the agent's may_dial say who may")
        return ""
    checked = may_be_called(turn, text)
    premium = config.own_calls.premium and not transfer
    paid = premium and checked.refusal is NumberRefusal.PREMIUM and checked.number not in turn.state.do_not_call
    if not checked.may_be_dialed and not paid:
        turn.refuse(checked.sentence)
    elif not checked.number.startswith(allowed):
        turn.refuse(f"{agent.name} may not call {checked.number}; she may call: {', '.join(f'{each}…' for each in allowed)}")
    else:
        return checked.number
    return ""


def shown_for(turn: Turn, agent: Agent, queue: str) -> str:
    """The number of the queue she calls for, else of the first of hers that has one, else the center's first."""
    config = turn.state.config
    hers = config.agents.get(agent.name)
    names = (queue,) if queue else hers.queues if hers is not None else ()
    shown = (config.queues[name].number_shown for name in names if name in config.queues)
    return next(filter(None, shown), "") or next(iter(config.numbers), "")


def is_one(dialed: str) -> bool:
    """What an agent's phone has dialed is no star code, so it is somebody she wants to talk to."""
    return not dialed.startswith("*")
