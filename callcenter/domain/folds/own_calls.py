"""What facts of agents' own calls change."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from callcenter.domain import facts as f
from callcenter.domain.call import Leg, OwnCall
from callcenter.domain.deadlines import OWN
from callcenter.domain.machine import IllegalTransition

if TYPE_CHECKING:
    from callcenter.domain.state import State


def own_call_began(state: "State", fact: f.OwnCallBegan) -> None:
    state.calls[fact.call].own = OwnCall(fact)
    _occupy(state, fact.agent, fact.call)


def own_call_dialed(state: "State", fact: f.OwnCallDialed) -> None:
    call = state.calls[fact.call]
    if call.own is None or call.outside:
        raise IllegalTransition(fact.call, "no own call that waits for its other leg", type(fact).__name__)
    call.outside, call.own.until = fact.leg, fact.until
    state.add_leg(call, Leg(fact.leg, agent=fact.colleague))
    state.deadlines.set(fact.until, OWN, fact.call)
    _occupy(state, fact.colleague, fact.call)


def own_call_answered(state: "State", fact: f.OwnCallAnswered) -> None:
    call = state.calls[fact.call]
    if call.own is None or call.outside != fact.leg:
        raise IllegalTransition(fact.call, "no own call that rings there", type(fact).__name__)
    call.bridge, call.own.until, call.own.answered_at = fact.bridge, None, fact.at


def own_leg_redialed(state: "State", fact: f.OwnLegRedialed) -> None:
    call = state.calls[fact.call]
    if call.own is None or fact.lost not in (call.began.leg, call.outside):
        raise IllegalTransition(fact.call, "no own call on that leg", type(fact).__name__)
    if fact.lost == call.began.leg:
        call.began = replace(call.began, leg=fact.leg)
    else:
        call.outside = fact.leg
    call.own.resuming = call.own.resuming - {fact.lost} | {fact.leg}


def own_leg_resumed(state: "State", fact: f.OwnLegResumed) -> None:
    own = state.calls[fact.call].own
    if own is None or fact.leg not in own.resuming:
        raise IllegalTransition(fact.call, "nobody comes back on that leg", type(fact).__name__)
    own.resuming -= {fact.leg}


def own_call_ended(state: "State", fact: f.OwnCallEnded) -> None:
    state.calls[fact.call].own = None
    for name in (fact.agent, fact.colleague):
        agent = state.agents.get(name)
        if agent is not None:
            agent.own_calls -= {fact.call}


def _occupy(state: "State", name: str, call: str) -> None:
    agent = state.agents.get(name)
    if agent is not None:
        agent.own_calls |= {call}


FOLDS: Mapping[type, Callable[..., None]] = {
    f.OwnCallBegan: own_call_began,
    f.OwnCallDialed: own_call_dialed,
    f.OwnCallAnswered: own_call_answered,
    f.OwnLegRedialed: own_leg_redialed,
    f.OwnLegResumed: own_leg_resumed,
    f.OwnCallEnded: own_call_ended,
}
