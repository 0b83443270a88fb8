"""Agents' own calls: to a colleague by extension or name, or to a number outside that they may call.

::

    her phone dials  ──────────────────┐
    at her screen: her phone is rung ──┴─► the other one rings ──► both talk ──► one of them hangs up
                                                 └─► busy, no answer: it is said to her

She is NOT_READY(own_call) meanwhile, and so is the colleague from the moment the phone rings; then both are what they were before, with
the idle-since they had, unless they asked for something else. Such a call is nobody's contact: never recorded, in no queue's figures, a
call of its own in the CDR.
"""

from dataclasses import dataclass
from datetime import timedelta

from callcenter.domain import flows, outward, own_resuming
from callcenter.domain.agent import OWN_CALL, Agent
from callcenter.domain.call import Call, Leg, LegState, OwnCall
from callcenter.domain.commands import Dial, RingAgent, StartRinging, StopRinging
from callcenter.domain.events import AgentDialRequested, Cause
from callcenter.domain.facts import (
    AgentState,
    CallBegan,
    Direction,
    LegCreated,
    OwnCallAnswered,
    OwnCallBegan,
    OwnCallDialed,
    OwnCallEnded,
    OwnEndedWhy,
)
from callcenter.domain.ivr.flow import CONFIRM_LINE_BUSY, CONFIRM_NO_ANSWER, CONFIRM_NOT_ALLOWED, CONFIRM_NOT_POSSIBLE
from callcenter.domain.own_numbers import GRACE, WHY_BY_CAUSE, may_call_outside, shown_for
from callcenter.domain.presence import become, become_free, remember, rest
from callcenter.domain.router import route_agent
from callcenter.domain.turn import Turn

LOST = (Cause.LOST, Cause.NODE_CRASH)
FREE_ENOUGH = frozenset({AgentState.READY, AgentState.NOT_READY, AgentState.WRAP_UP})


@dataclass(frozen=True, slots=True)
class Target:
    """Whom she calls; of colleague and number one is empty."""

    colleague: str = ""
    number: str = ""
    shown: str = ""
    queue: str = ""


# --- what may be called -------------------------------------------------------------------------


def _target(turn: Turn, agent: Agent, dialed: str, colleague: str = "", queue: str = "") -> Target | None:
    to_queue, name = turn.state.extensions.get(dialed, ("", "")) if dialed else ("", "")
    name = colleague or name
    if to_queue:
        turn.refuse(f"'{dialed}' is queue '{to_queue}'; callers are transferred there, agents call each other")
    elif name:
        return _colleague(turn, agent, name)
    elif queue and queue not in turn.state.config.queues:
        turn.refuse(f"there is no queue '{queue}'; queues: {', '.join(sorted(turn.state.config.queues))}")
    elif number := may_call_outside(turn, agent, dialed):
        return Target(number=number, shown=shown_for(turn, agent, queue), queue=queue)
    return None


def _colleague(turn: Turn, agent: Agent, name: str) -> Target | None:
    colleague = turn.state.agents.get(name)
    if colleague is None or name not in turn.state.config.agents:
        turn.refuse(f"there is no agent '{name}'; agents: {', '.join(sorted(turn.state.config.agents))}")
    elif colleague is agent:
        turn.refuse(f"{name} cannot call herself")
    else:
        return Target(colleague=name)
    return None


def _busy(turn: Turn, agent: Agent) -> str:
    """Why she cannot be in an own call now; empty: she can."""
    if agent.state is AgentState.LOGGED_OUT:
        return f"{agent.name} is not logged in"
    if agent.state not in FREE_ENOUGH or agent.own_call or agent.fallback_leg or agent.name in turn.state.supervising:
        return f"{agent.name} is in a call"
    return ""


# --- the beginning ------------------------------------------------------------------------------


def dial_in(turn: Turn, call: Call, agent: Agent) -> str | None:
    """Her phone has dialed somebody; the flow that says why not, if that cannot be."""
    if why := _busy(turn, agent):
        turn.refuse(why)
        return CONFIRM_NOT_POSSIBLE.name
    target = _target(turn, agent, call.began.dialed)
    if target is None:
        return CONFIRM_NOT_ALLOWED.name
    _begin(turn, call, agent, target)
    _dial(turn, call)
    return None


def request(turn: Turn, agent: Agent, event: AgentDialRequested) -> None:
    """At her screen: her own phone is rung first, and then the other one."""
    why = _busy(turn, agent)
    if why or not agent.reachable:
        turn.refuse(why or f"{agent.name}'s phone cannot be reached")
        return
    if bool(event.number) is bool(event.colleague):
        turn.refuse("name a number or a colleague, one of both")
        return
    target, node = _target(turn, agent, event.number, event.colleague, event.queue), turn.state.node_to_call
    if target is None or not node:
        if not node:
            turn.refuse("no Asterisk is within our reach at the moment; try again in a few seconds")
        return
    call_id, leg = turn.ids.draw(), turn.ids.draw_leg(node)
    whom, config = target.colleague or target.number, turn.state.config.own_calls
    turn.emit(CallBegan(turn.now, call_id, node, leg, Direction.OWN, whom, "", "", "", leg, agent.name, made=True))
    call = turn.state.calls[call_id]
    _begin(turn, call, agent, target)
    turn.emit(LegCreated(turn.now, call_id, leg, agent.name))
    turn.want(RingAgent(call_id, node, leg, agent.name, agent.endpoint, target.number, target.colleague, config.ring))


def end(turn: Turn, agent: Agent) -> None:
    """She hangs up at her screen."""
    calls = [turn.state.calls[name] for name in sorted(agent.own_calls) if name in turn.state.calls]
    hers = [(call, leg) for call in calls if call.own is not None for leg in call.legs.values() if leg.agent == agent.name]
    if not hers:
        turn.refuse(f"{agent.name} is in no call of her own")
    for call, leg in hers[:1]:
        turn.hang_up(call, leg)


def _begin(turn: Turn, call: Call, agent: Agent, target: Target) -> None:
    turn.emit(OwnCallBegan(turn.now, call.id, agent.name, target.colleague, target.number, target.shown, target.queue))
    _occupied(turn, agent)


def _occupied(turn: Turn, agent: Agent) -> None:
    """Not ready from now on, and what she was before comes after it. A wrap-up runs on, and is not prolonged by it."""
    if agent.state is AgentState.READY:
        rest(turn, agent, OWN_CALL, idle_since=agent.idle_since)
    elif agent.state is AgentState.NOT_READY:
        before, asked = agent.reason, agent.remembered
        become(turn, agent, AgentState.NOT_READY, OWN_CALL, idle_since=agent.idle_since)
        if asked is not None:
            remember(turn, agent, asked.state, asked.reason)
        else:
            remember(turn, agent, AgentState.NOT_READY, before)


def _dial(turn: Turn, call: Call) -> None:
    """Let the other one's phone ring; a colleague who is busy is not disturbed."""
    own, config = own_of(call), turn.state.config
    began, ring = own.began, config.own_calls.ring
    colleague = turn.state.agents.get(began.colleague)
    if began.colleague and (colleague is None or _busy(turn, colleague)):
        busy = colleague is not None and colleague.state is not AgentState.LOGGED_OUT
        _not_reached(turn, call, OwnEndedWhy.BUSY if busy else OwnEndedWhy.UNREACHABLE)
        return
    leg = turn.ids.draw_leg(call.node)
    turn.emit(OwnCallDialed(turn.now, call.id, leg, began.agent, began.colleague, began.number, turn.now + ring + GRACE))
    turn.want(StartRinging(call.id, call.node, call.began.leg))
    if colleague is not None:
        _occupied(turn, colleague)
        hers = config.agents.get(began.agent)
        shown = hers.extension if hers is not None else ""
        turn.want(RingAgent(call.id, call.node, leg, colleague.name, colleague.endpoint, shown, began.agent, ring))
    else:
        turn.want(Dial(call.id, call.node, leg, began.number, config.calling.trunk, began.shown, ring))


def own_of(call: Call) -> OwnCall:
    assert call.own is not None
    return call.own


# --- what happens -------------------------------------------------------------------------------


def answered(turn: Turn, call: Call, leg: Leg) -> bool:
    """Whether this was a leg of an own call: the agent's own phone, which we rang, or the other one's."""
    if call.own is None:
        return False
    if leg.closing or call.caller_leg is None or call.caller_leg.closing:
        turn.hang_up(call, leg)
    elif leg.id in call.own.resuming:
        own_resuming.answered(turn, call, leg)
    elif leg.id == call.began.leg:
        _dial(turn, call)
    else:
        turn.emit(OwnCallAnswered(turn.now, call.id, leg.id, call.own.began.agent, turn.ids.draw_leg(call.node)))
        if call.own.resuming:
            own_resuming.keep_apart(turn, call)
        else:
            turn.want(StopRinging(call.id, call.node, call.began.leg))
            outward.together(turn, call)
    return True


def leg_ended(turn: Turn, call: Call, leg: str, cause: Cause) -> None:
    """Of whichever leg: without it the own call is over. She who is still there is told why, unless they have talked."""
    own = call.own
    if own is None:
        return
    lost = leg in own.resuming or cause in LOST
    if own.answered_at is not None:
        _over(turn, call, OwnEndedWhy.LOST if lost else OwnEndedWhy.HUNG_UP)
    elif leg == call.began.leg:
        _over(turn, call, OwnEndedWhy.LOST if lost else OwnEndedWhy.CALLED_OFF)
    else:
        _not_reached(turn, call, WHY_BY_CAUSE.get(cause, OwnEndedWhy.UNREACHABLE))


def time_is_up(turn: Turn, call: Call) -> None:
    """Nobody has said what became of the ringing."""
    turn.hang_up(call, call.legs.get(call.outside))
    _not_reached(turn, call, OwnEndedWhy.NO_ANSWER)


def _not_reached(turn: Turn, call: Call, why: OwnEndedWhy) -> None:
    _over(turn, call, why)
    caller = call.caller_leg
    if caller is not None and caller.state is not LegState.UP:  # she was to come back, and there is nothing left to come back to
        turn.hang_up(call, caller)
    elif caller is not None and not caller.closing:
        turn.want(StopRinging(call.id, call.node, caller.id))
        flows.start_flow(turn, call, (CONFIRM_LINE_BUSY if why is OwnEndedWhy.BUSY else CONFIRM_NO_ANSWER).name)


def _over(turn: Turn, call: Call, why: OwnEndedWhy) -> None:
    """Both are again what they were before."""
    own = own_of(call)
    began, talk = own.began, turn.now - own.answered_at if own.answered_at is not None else timedelta()
    names = [name for name in (began.agent, began.colleague) if name in turn.state.agents]
    involved = [agent for agent in map(turn.state.agents.__getitem__, names) if call.id in agent.own_calls]
    turn.emit(OwnCallEnded(turn.now, call.id, began.agent, began.colleague, why, talk))
    for agent in involved:
        if agent.state is AgentState.NOT_READY and agent.remembered is not None:
            become_free(turn, agent, idle_since=agent.idle_since)
            route_agent(turn, agent)
