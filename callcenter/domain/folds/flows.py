"""What facts of flow runs change."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from callcenter.domain import facts as f
from callcenter.domain.deadlines import FLOW
from callcenter.domain.ivr.interpreter import FlowRun
from callcenter.domain.machine import IllegalTransition

if TYPE_CHECKING:
    from callcenter.domain.state import State


def flow_started(state: "State", fact: f.FlowStarted) -> None:
    call = state.calls[fact.call]
    call.flow = FlowRun(state.flow(fact.flow, fact.version), call.attributes)


def flow_moved(state: "State", fact: f.FlowMoved) -> None:
    run = _flow_run(state, fact.call)
    run.node, run.tries, run.playback, run.prompts, run.until = fact.node, fact.tries, fact.playback, fact.prompts, None
    run.digits = ""


def flow_listened(state: "State", fact: f.FlowListened) -> None:
    run = _flow_run(state, fact.call)
    run.playback, run.until = "", fact.until
    state.deadlines.set(fact.until, FLOW, fact.call)


def flow_key_pressed(state: "State", fact: f.FlowKeyPressed) -> None:
    _flow_run(state, fact.call).until = None


def flow_digit_taken(state: "State", fact: f.FlowDigitTaken) -> None:
    run = _flow_run(state, fact.call)
    run.digits += fact.digit
    run.playback, run.until = "", fact.until
    state.deadlines.set(fact.until, FLOW, fact.call)


def flow_collected(state: "State", fact: f.FlowCollected) -> None:
    run = _flow_run(state, fact.call)
    run.digits, run.until = "", None
    run.attributes[fact.attribute] = fact.digits


def flow_ended(state: "State", fact: f.FlowEnded) -> None:
    state.calls[fact.call].flow = None


def _flow_run(state: "State", call: str) -> FlowRun:
    run = state.calls[call].flow
    if run is None:
        raise IllegalTransition(call, "not in a flow", "a step of a flow")
    return run


FOLDS: Mapping[type, Callable[..., None]] = {
    f.FlowStarted: flow_started,
    f.FlowMoved: flow_moved,
    f.FlowListened: flow_listened,
    f.FlowKeyPressed: flow_key_pressed,
    f.FlowDigitTaken: flow_digit_taken,
    f.FlowCollected: flow_collected,
    f.FlowEnded: flow_ended,
}
