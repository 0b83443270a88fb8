"""Callers in a flow: what is said, what was pressed or answered, and the way out. Where it goes is the interpreter's matter.

The interpreter answers each happening with a step; ``flow_steps`` does it. Whatever goes wrong, a bug included, takes the error
exit: no caller is left in silence.
"""

from collections.abc import Callable, Mapping
from functools import partial

from callcenter.domain import outward, payments
from callcenter.domain.agent import Agent
from callcenter.domain.call import Call
from callcenter.domain.circumstances import Surroundings
from callcenter.domain.commands import AskOutside, Play, StopPlayback
from callcenter.domain.delivery import leave_queue
from callcenter.domain.events import AskAnswered, Cause
from callcenter.domain.facts import FlowAsked, FlowResumed, FlowStarted, OverflowWhy
from callcenter.domain.flow_steps import (
    CALLER_LEFT,
    back_to_agent,
    close_ask,
    end,
    go,
    keep_key,
    note_key,
    outermost,
    run_of,
    say_goodbye,
)
from callcenter.domain.ivr import interpreter, questions
from callcenter.domain.ivr.answers import cleaned
from callcenter.domain.ivr.kind import Fail, Listen, Say, Step
from callcenter.domain.ivr.run import FlowRun
from callcenter.domain.ivr.validation import subflows
from callcenter.domain.router import route_agent
from callcenter.domain.turn import Turn

# --- what happens -------------------------------------------------------------------------------


def start_flow(turn: Turn, call: Call, name: str) -> None:
    """The caller begins a flow, in the version that is for this call."""
    _contained(turn, call, partial(_start, turn, call, name))


def _start(turn: Turn, call: Call, name: str, *, again: bool = False) -> None:
    flow = turn.state.flow_for(name, call.id)
    library = subflows(flow, turn.state.flows_for(call.id))
    turn.emit(FlowStarted(turn.now, call.id, name, flow.version, tuple(f"{sub.name}@{sub.version}" for sub in library.values()), again))
    _arrive(turn, call)


def _arrive(turn: Turn, call: Call) -> None:
    go(turn, call, interpreter.arrive(run_of(call), Surroundings(turn, call)))


def prompt_ended(turn: Turn, call: Call, playback: str) -> None:
    """What we said has been heard to its end. The end of an older prompt, stopped meanwhile, means nothing."""
    run = call.flow
    if run is not None and run.playback and run.playback == playback:
        _contained(turn, call, partial(_after, turn, call, interpreter.after_prompt))


def key_pressed(turn: Turn, call: Call, digit: str) -> None:
    """A key where one may be pressed, valid or not, ends what we are saying or asking there."""
    run = call.flow
    if run is not None and not interpreter.is_lost(run):
        _contained(turn, call, partial(_key, turn, call, digit))


def _key(turn: Turn, call: Call, digit: str) -> None:
    run = run_of(call)
    if interpreter.is_surplus(run, digit):
        return
    if interpreter.keeps_keys(run):
        keep_key(turn, call, digit)
    speaking = run.playback
    step = interpreter.after_key(run, digit, Surroundings(turn, call))
    if step is None:
        return
    note_key(turn, call, digit, step)
    if speaking:
        turn.want(StopPlayback(call.id, call.node, speaking))
    if run.ask and not isinstance(step, Listen):
        close_ask(turn, call, questions.KEY)
    go(turn, call, step)


def time_is_up(turn: Turn, call: Call) -> None:
    """No key came in time; or no answer, and the caller waits no longer."""
    run = call.flow
    if run is None:
        return
    if run.ask:
        _contained(turn, call, partial(_outcome, turn, call, questions.LATE, withdraw=True))
    else:
        _contained(turn, call, partial(_after, turn, call, interpreter.without_key))


def answered(turn: Turn, event: AskAnswered) -> None:
    """The outside has answered. An answer to a question that is no longer open, for whatever reason, means nothing."""
    call = turn.state.calls.get(event.call)
    if call is not None and call.flow is not None and call.flow.ask and call.flow.ask == event.ask:
        outcome = questions.FAILED if event.outcome in (questions.LATE, questions.KEY) else event.outcome
        _contained(turn, call, partial(_outcome, turn, call, outcome, cleaned(event.attributes)))


def visited(turn: Turn, call: Call, outcome: str) -> None:
    """The caller was elsewhere, at a mailbox as a rule, and comes back to the flow."""
    _contained(turn, call, partial(_after, turn, call, lambda run, around: interpreter.after_outcome(run, outcome, around)))


def not_answered(turn: Turn, contact_id: str) -> None:
    """The agent whom the flow had handed the caller to did not answer, or is not there any more: it goes on."""
    contact = turn.state.contacts.get(contact_id)
    call = turn.state.calls.get(contact.entered.call) if contact is not None else None
    if contact is None or call is None or call.handed_on is None or call.contact != contact_id:
        return
    freed = leave_queue(turn, contact, OverflowWhy.NOT_ANSWERED)
    turn.emit(FlowResumed(turn.now, call.id))
    visited(turn, call, OverflowWhy.NOT_ANSWERED)
    for agent in freed:
        route_agent(turn, agent)


def not_asked(turn: Turn, command: AskOutside) -> None:
    """The question could not even be asked."""
    answered(turn, AskAnswered(command.call, command.ask, questions.FAILED, {}))


def say_again(turn: Turn, call: Call) -> None:
    """After a gap nobody hears what we said: say it from the beginning."""
    run = call.flow
    if run is None or not run.playback:
        return
    if run.ask:
        _ask_again(turn, call)
    else:
        _contained(turn, call, partial(go, turn, call, Say(run.tries, run.prompts)))


def back_in_reach(turn: Turn, call: Call) -> None:
    """We may have been away, and whoever was asked may have forgotten: ask again; to be asked the same twice is to be asked once."""
    run = call.flow
    if run is not None and run.ask:
        _ask_again(turn, call)


def _ask_again(turn: Turn, call: Call) -> None:
    """If time is left; else its deadline is due already."""
    run = run_of(call)
    if run.until is None or run.until <= turn.now or run.ask == call.outside:
        return
    question = None if interpreter.is_lost(run) else interpreter.question(run, Surroundings(turn, call))
    if question is None:
        _contained(turn, call, partial(_outcome, turn, call, questions.FAILED, withdraw=True))
        return
    playback = turn.ids.draw_leg(call.node) if run.prompts else ""
    turn.emit(FlowAsked(turn.now, call.id, run.ask, run.node, run.until, playback, run.prompts))
    turn.want(AskOutside(call.id, call.node, call.began.leg, run.ask, question, run.until - turn.now))
    if playback:
        turn.want(Play(call.id, call.node, call.began.leg, playback, run.prompts))


def outside_ended(turn: Turn, call: Call, leg: str, cause: Cause) -> None:
    """The number outside that was rung for the caller did not answer."""
    if call.flow is not None and call.flow.ask == leg:
        _contained(turn, call, partial(_outcome, turn, call, outward.outcome(cause)))


def caller_left(turn: Turn, call: Call) -> None:
    """The caller hung up in the flow."""
    if call.flow is not None:
        end(turn, call, CALLER_LEFT)
        payments.caller_left(turn, call)


# --- what follows -------------------------------------------------------------------------------


def _after(turn: Turn, call: Call, happening: Callable[[FlowRun, Surroundings], Step | None]) -> None:
    if interpreter.is_lost(run_of(call)):
        _start(turn, call, outermost(run_of(call)), again=True)
    else:
        go(turn, call, happening(run_of(call), Surroundings(turn, call)))


def _outcome(turn: Turn, call: Call, outcome: str, attributes: Mapping[str, str] | None = None, *, withdraw: bool = False) -> None:
    run = run_of(call)
    if run.playback:
        turn.want(StopPlayback(call.id, call.node, run.playback))
    close_ask(turn, call, outcome, attributes or {}, withdraw=withdraw)
    _after(turn, call, lambda run, around: interpreter.after_outcome(run, outcome, around))


def call_off_payment(turn: Turn, agent: Agent) -> None:
    """The agent wants her caller back before the flow is over."""
    call = payments.paying(turn, agent)
    if call is None:
        return
    if call.flow is not None and call.flow.playback:
        turn.want(StopPlayback(call.id, call.node, call.flow.playback))
    back_to_agent(turn, call, payments.CALLED_OFF)


def _contained(turn: Turn, call: Call, do: Callable[[], None]) -> None:
    """A bug is reported and takes the error exit; one in the error exit says goodbye; one in the goodbye ends the call."""
    fail, goodbye = partial(go, turn, call, Fail("bug")), partial(say_goodbye, turn, call)
    for attempt in (do, fail, goodbye, partial(turn.hang_up, call, call.caller_leg)):
        try:
            attempt()
        except Exception as fault:  # the caller must hear what becomes of the call, whatever is wrong
            turn.out.faults.append(fault)
        else:
            return
