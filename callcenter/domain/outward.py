"""Callers whom a flow hands on to a number outside: they hear it ring, and both talk until one of them hangs up.

::

    dialed ──► answered: the flow run ends, caller and the number outside hear each other
       └─────► busy, not answered in time, refused: the flow goes on by ``otherwise``

Only numbers that the center may dial are dialed, each for a bounded time, and so many at most in one call.
"""

from collections.abc import Mapping
from datetime import timedelta

from callcenter.domain import promises
from callcenter.domain.call import Call, Leg
from callcenter.domain.commands import ConnectLegs, Dial, StartRinging, StopRinging
from callcenter.domain.events import Cause
from callcenter.domain.facts import FlowAnswered, FlowDialed, FlowEnded, FlowTransferred
from callcenter.domain.ivr.kind import DialOut
from callcenter.domain.ivr.leaving import REFUSED
from callcenter.domain.ivr.questions import ANSWERED, FAILED
from callcenter.domain.turn import Turn

MOST = 5
"""Numbers dialed for one caller; a flow that goes round and round must not run up a bill."""
GRACE = timedelta(seconds=5)
"""How long after its ring time a leg has to say that nobody answered."""
OUTCOMES: Mapping[Cause, str] = {Cause.BUSY: "busy", Cause.NO_ANSWER: "no_answer", Cause.REJECTED: "busy"}


def dial(turn: Turn, call: Call, step: DialOut) -> str | None:
    """Ring the number; an outcome when that cannot be."""
    checked = promises.check(turn, step.number)
    dialed = sum(isinstance(fact, FlowDialed) for _, fact in call.history)
    if not checked.may_be_dialed or dialed >= MOST or call.payment is not None:  # an agent waits for who pays
        return REFUSED
    leg = turn.ids.draw_leg(call.node)
    config = turn.state.config
    shown = call.began.dialed if call.began.dialed in config.numbers else next(iter(config.numbers), "")
    node = call.flow.node if call.flow is not None else ""
    turn.emit(FlowDialed(turn.now, call.id, leg, checked.number, node, turn.now + step.ring + GRACE))
    turn.want(StartRinging(call.id, call.node, call.began.leg))
    turn.want(Dial(call.id, call.node, leg, checked.number, config.calling.trunk, shown, step.ring))
    return None


def outcome(cause: Cause) -> str:
    """Why nobody is there."""
    return OUTCOMES.get(cause, FAILED)


def give_up(turn: Turn, call: Call) -> None:
    """It is rung no longer; the caller hears that."""
    turn.want(StopRinging(call.id, call.node, call.began.leg))
    turn.hang_up(call, call.legs.get(call.outside))


def answered(turn: Turn, call: Call, leg: Leg) -> bool:
    """Whether that was the number outside; then both hear each other, unless it is too late."""
    if call.outside != leg.id:
        return False
    if leg.closing or call.flow is None or call.flow.ask != leg.id or call.caller_leg is None or call.caller_leg.closing:
        turn.hang_up(call, leg)
        return True
    node = call.flow.node
    turn.emit(FlowAnswered(turn.now, call.id, leg.id, ANSWERED))
    turn.emit(FlowEnded(turn.now, call.id, "transfer", node))
    turn.emit(FlowTransferred(turn.now, call.id, leg.id, turn.ids.draw_leg(call.node)))
    turn.want(StopRinging(call.id, call.node, call.began.leg))
    together(turn, call)
    return True


def talks(call: Call) -> bool:
    """Whether the caller talks to the number outside."""
    return bool(call.outside and call.bridge and call.outside in call.legs)


def together(turn: Turn, call: Call) -> None:
    """Caller and number outside hear each other; to say it twice changes nothing."""
    turn.want(ConnectLegs(call.id, call.node, call.bridge, (call.began.leg, call.outside)))
