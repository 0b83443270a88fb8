"""What facts of flow runs change."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from callcenter.domain import facts as f
from callcenter.domain.call import Leg
from callcenter.domain.deadlines import FLOW
from callcenter.domain.ivr.questions import ANSWERED
from callcenter.domain.ivr.run import FlowRun
from callcenter.domain.machine import IllegalTransition

if TYPE_CHECKING:
    from callcenter.domain.state import State


def flow_started(state: "State", fact: f.FlowStarted) -> None:
    call = state.calls[fact.call]
    named = (sub.partition("@") for sub in fact.subflows)
    library = {name: state.flow(name, int(version)) for name, _, version in named}
    flow, sent = state.flow(fact.flow, fact.version), call.payment is not None
    call.handed_on = None
    call.flow = FlowRun(flow, call.attributes, call.secrets, library, state.config.languages, sent=sent)


def flow_moved(state: "State", fact: f.FlowMoved) -> None:
    _flow_run(state, fact).moved(fact.node, fact.tries, fact.playback, fact.prompts)


def flow_passed(state: "State", fact: f.FlowPassed) -> None:
    _flow_run(state, fact).passed(fact.to)


def flow_listened(state: "State", fact: f.FlowListened) -> None:
    _flow_run(state, fact).listened(fact.until)
    state.deadlines.set(fact.until, FLOW, fact.call)


def flow_key_pressed(state: "State", fact: f.FlowKeyPressed) -> None:
    _flow_run(state, fact).key_pressed()


def flow_digit_taken(state: "State", fact: f.FlowDigitTaken) -> None:
    _flow_run(state, fact).digit_taken(fact.digit, fact.until)
    state.deadlines.set(fact.until, FLOW, fact.call)


def flow_collected(state: "State", fact: f.FlowCollected) -> None:
    _flow_run(state, fact).collected(fact.attribute, fact.digits, secret=fact.secret)


def flow_attributes_set(state: "State", fact: f.FlowAttributesSet) -> None:
    _flow_run(state, fact).told(fact.names, fact.values)


def flow_asked(state: "State", fact: f.FlowAsked) -> None:
    _flow_run(state, fact).asked(fact.ask, fact.until, fact.playback, fact.prompts)
    state.deadlines.set(fact.until, FLOW, fact.call)


def flow_answered(state: "State", fact: f.FlowAnswered) -> None:
    run = _flow_run(state, fact)
    if run.ask != fact.ask:
        raise IllegalTransition(fact.call, f"asking {run.ask or 'nothing'}", f"an answer to {fact.ask}")
    run.answered(fact.names, fact.values)
    call = state.calls[fact.call]
    if call.outside == fact.ask and fact.outcome != ANSWERED:
        call.outside = ""


def flow_dialed(state: "State", fact: f.FlowDialed) -> None:
    call = state.calls[fact.call]
    _flow_run(state, fact).asked(fact.leg, fact.until, "", ())
    call.outside = fact.leg
    state.add_leg(call, Leg(fact.leg))
    state.deadlines.set(fact.until, FLOW, fact.call)


def flow_transferred(state: "State", fact: f.FlowTransferred) -> None:
    call = state.calls[fact.call]
    if call.outside != fact.leg:
        raise IllegalTransition(fact.call, f"dialing {call.outside or 'nobody'}", f"an answer at {fact.leg}")
    call.bridge = fact.bridge


def flow_entered(state: "State", fact: f.FlowEntered) -> None:
    run = _flow_run(state, fact)
    run.entered(run.library.get(fact.flow) or state.flow(fact.flow, fact.version), fact.names, fact.values)


def flow_returned(state: "State", fact: f.FlowReturned) -> None:
    run = _flow_run(state, fact)
    if not run.frames:
        raise IllegalTransition(fact.call, "in no sub-flow", "FlowReturned")
    run.returned()


def flow_failed(state: "State", fact: f.FlowFailed) -> None:
    _flow_run(state, fact).failed(fact.depth, fact.to)


def flow_ended(state: "State", fact: f.FlowEnded) -> None:
    call = state.calls[fact.call]
    call.flow, call.handed_on = None, call.flow if fact.may_resume else None


def flow_resumed(state: "State", fact: f.FlowResumed) -> None:
    call = state.calls[fact.call]
    if call.flow is not None or call.handed_on is None:
        raise IllegalTransition(fact.call, "handed to nobody", "FlowResumed")
    call.flow, call.handed_on = call.handed_on, None


def _flow_run(state: "State", fact: f.FlowFact) -> FlowRun:
    run = state.calls[fact.call].flow
    if run is None:
        raise IllegalTransition(fact.call, "not in a flow", type(fact).__name__)
    return run


FOLDS: Mapping[type, Callable[..., None]] = {
    f.FlowStarted: flow_started,
    f.FlowMoved: flow_moved,
    f.FlowPassed: flow_passed,
    f.FlowListened: flow_listened,
    f.FlowKeyPressed: flow_key_pressed,
    f.FlowDigitTaken: flow_digit_taken,
    f.FlowCollected: flow_collected,
    f.FlowAttributesSet: flow_attributes_set,
    f.FlowAsked: flow_asked,
    f.FlowAnswered: flow_answered,
    f.FlowDialed: flow_dialed,
    f.FlowTransferred: flow_transferred,
    f.FlowEntered: flow_entered,
    f.FlowReturned: flow_returned,
    f.FlowFailed: flow_failed,
    f.FlowEnded: flow_ended,
    f.FlowResumed: flow_resumed,
}
