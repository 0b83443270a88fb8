"""What facts of calls and legs change."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from callcenter.domain import facts as f
from callcenter.domain.call import LEG_TRANSITIONS, Call, Leg, LegState
from callcenter.domain.ivr.flow import CALLER, LANGUAGE
from callcenter.domain.machine import transition

if TYPE_CHECKING:
    from callcenter.domain.state import State


def call_began(state: "State", fact: f.CallBegan) -> None:
    known = {CALLER: fact.caller, LANGUAGE: fact.language}
    call = Call(fact, attributes={name: value for name, value in known.items() if value})
    state.calls[call.id] = call
    state.node(call.node).calls.add(call.id)
    if not fact.made and fact.direction not in (f.Direction.OUTBOUND, f.Direction.PERSISTENT, f.Direction.SUPERVISION):
        state.add_leg(call, Leg(fact.leg, agent=fact.agent, state=LegState.UP))


def number_unknown(state: "State", fact: f.NumberUnknown) -> None:
    pass


def caller_list_hit(state: "State", fact: f.CallerListHit) -> None:
    call = state.calls[fact.call]
    call.lists = (*call.lists, fact.list)


def leg_created(state: "State", fact: f.LegCreated) -> None:
    call = state.calls[fact.call]
    state.add_leg(call, Leg(fact.leg, agent=fact.agent))
    agent = state.agents.get(fact.agent)
    if agent is not None and call.began.direction is f.Direction.PERSISTENT:
        agent.leg_to_be = fact.leg


def agent_leg_stays(state: "State", fact: f.AgentLegStays) -> None:
    agent = state.agents.get(fact.agent)
    if agent is not None:
        agent.leg, agent.leg_to_be = fact.leg, ""


def leg_joined(state: "State", fact: f.LegJoined) -> None:
    state.add_leg(state.calls[fact.call], Leg(fact.leg, agent=fact.agent, state=LegState.UP))


def leg_ringing(state: "State", fact: f.LegRinging) -> None:
    _move_leg(state, fact)


def leg_up(state: "State", fact: f.LegUp) -> None:
    _move_leg(state, fact)


def _move_leg(state: "State", fact: f.LegRinging | f.LegUp | f.LegGone) -> Leg:
    leg = state.calls[fact.call].legs[fact.leg]
    leg.state = transition(LEG_TRANSITIONS, leg.id, leg.state, fact)
    return leg


def leg_was_held(state: "State", fact: f.LegWasHeld) -> None:
    state.calls[fact.call].legs[fact.leg].held = True


def leg_was_resumed(state: "State", fact: f.LegWasResumed) -> None:
    state.calls[fact.call].legs[fact.leg].held = False


def leg_closing(state: "State", fact: f.LegClosing) -> None:
    state.calls[fact.call].legs[fact.leg].closing = True


def leg_gone(state: "State", fact: f.LegGone) -> None:
    call = state.calls[fact.call]
    leg = _move_leg(state, fact)
    if leg is call.caller_leg:
        call.cause = fact.cause
    del call.legs[leg.id]
    del state.legs[leg.id]
    if call.outside == leg.id and call.flow is None:
        call.outside = call.bridge = ""
    agent = state.agents.get(leg.agent)
    if agent is not None and agent.leg == leg.id:
        agent.leg = ""
    if agent is not None and agent.leg_to_be == leg.id:
        agent.leg_to_be = ""


def call_ended(state: "State", fact: f.CallEnded) -> None:
    state.calls[fact.call].ended_at = fact.at


FOLDS: Mapping[type, Callable[..., None]] = {
    f.CallBegan: call_began,
    f.NumberUnknown: number_unknown,
    f.CallerListHit: caller_list_hit,
    f.LegCreated: leg_created,
    f.AgentLegStays: agent_leg_stays,
    f.LegJoined: leg_joined,
    f.LegRinging: leg_ringing,
    f.LegUp: leg_up,
    f.LegWasHeld: leg_was_held,
    f.LegWasResumed: leg_was_resumed,
    f.LegClosing: leg_closing,
    f.LegGone: leg_gone,
    f.CallEnded: call_ended,
}
