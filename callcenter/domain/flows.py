"""Callers in a flow: what is said, what was pressed or answered, and the way out. Where it goes is the interpreter's matter.

The interpreter answers each happening with a step; ``TAKES`` does it, and gives the step that follows at once, if any. Whatever
goes wrong, a bug included, takes the error exit: no caller is left in silence.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from callcenter.domain import callbacks, do_not_call, opening, outward, payments, pin_locks, surveys
from callcenter.domain.agent import Agent
from callcenter.domain.call import Call
from callcenter.domain.circumstances import Surroundings
from callcenter.domain.commands import AskOutside, Play, StopPlayback, WithdrawAsk
from callcenter.domain.delivery import enter_queue, requeue
from callcenter.domain.directing import direct
from callcenter.domain.events import AskAnswered, Cause
from callcenter.domain.facts import (
    FlowAnswered,
    FlowAsked,
    FlowAttributesSet,
    FlowCollected,
    FlowDigitTaken,
    FlowEnded,
    FlowEntered,
    FlowFailed,
    FlowKeyPressed,
    FlowListened,
    FlowMoved,
    FlowPassed,
    FlowReturned,
    FlowStarted,
)
from callcenter.domain.ivr import interpreter, questions
from callcenter.domain.ivr.answers import cleaned
from callcenter.domain.ivr.flow import GOODBYE
from callcenter.domain.ivr.kind import (
    Ask,
    DialOut,
    EnterFlow,
    EnterQueue,
    Fail,
    HangUpCaller,
    Keep,
    KeepAnswer,
    Leave,
    Listen,
    OptOut,
    PauseRecording,
    PromiseCallback,
    ResumeRecording,
    ReturnFlow,
    Say,
    SetAttributes,
    Step,
    TakeDigit,
)
from callcenter.domain.ivr.leaving import PROMISED, REFUSED
from callcenter.domain.ivr.messages import VisitMailbox
from callcenter.domain.ivr.off_record import NOTED
from callcenter.domain.ivr.run import ENTRY, FlowRun
from callcenter.domain.ivr.switching import BUDGET as PIN_BUDGET
from callcenter.domain.ivr.switching import LOCKED, CheckPin, NotePin, SwitchHours
from callcenter.domain.ivr.validation import subflows
from callcenter.domain.pausing import pause, resume
from callcenter.domain.routing_config import Needs
from callcenter.domain.turn import Turn

CALLER_LEFT = "caller_left"
MOST_AT_ONCE = 200
"""So many steps without the caller hearing or doing anything are a circle."""

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
    _go(turn, call, interpreter.arrive(_run(call), Surroundings(turn, call)))


def _run(call: Call) -> FlowRun:
    assert call.flow is not None
    return call.flow


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
    run = _run(call)
    speaking = run.playback
    step = interpreter.after_key(run, digit, Surroundings(turn, call))
    if step is None:
        return
    if not isinstance(step, TakeDigit | Keep):
        leads_to = step.to if isinstance(step, Leave) and step.exit == digit else ""
        turn.emit(FlowKeyPressed(turn.now, call.id, "" if interpreter.is_secret(run) else digit, leads_to))
    if speaking:
        turn.want(StopPlayback(call.id, call.node, speaking))
    if run.ask and not isinstance(step, Listen):
        _close_ask(turn, call, questions.KEY)
    _go(turn, call, step)


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
    """The caller was at a mailbox, and comes back to the flow."""
    _contained(turn, call, partial(_after, turn, call, lambda run, around: interpreter.after_outcome(run, outcome, around)))


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
        _contained(turn, call, partial(_go, turn, call, Say(run.tries, run.prompts)))


def back_in_reach(turn: Turn, call: Call) -> None:
    """We may have been away, and whoever was asked may have forgotten: ask again; to be asked the same twice is to be asked once."""
    run = call.flow
    if run is not None and run.ask:
        _ask_again(turn, call)


def _ask_again(turn: Turn, call: Call) -> None:
    """If time is left; else its deadline is due already."""
    run = _run(call)
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
        _end(turn, call, CALLER_LEFT)
        payments.caller_left(turn, call)


# --- what follows -------------------------------------------------------------------------------


def _after(turn: Turn, call: Call, happening: Callable[[FlowRun, Surroundings], Step | None]) -> None:
    if interpreter.is_lost(_run(call)):
        _start(turn, call, _outermost(_run(call)), again=True)
    else:
        _go(turn, call, happening(_run(call), Surroundings(turn, call)))


def _outermost(run: FlowRun) -> str:
    return run.frames[0].flow.name if run.frames else run.flow.name


def _outcome(turn: Turn, call: Call, outcome: str, attributes: Mapping[str, str] | None = None, *, withdraw: bool = False) -> None:
    run = _run(call)
    if run.playback:
        turn.want(StopPlayback(call.id, call.node, run.playback))
    _close_ask(turn, call, outcome, attributes or {}, withdraw=withdraw)
    _after(turn, call, lambda run, around: interpreter.after_outcome(run, outcome, around))


def _close_ask(turn: Turn, call: Call, outcome: str, attributes: Mapping[str, str] | None = None, *, withdraw: bool = True) -> None:
    ask, kept = _run(call).ask, attributes or {}
    if ask == call.outside:
        outward.give_up(turn, call)
    elif withdraw:
        turn.want(WithdrawAsk(call.id, call.node, ask))
    turn.emit(FlowAnswered(turn.now, call.id, ask, outcome, tuple(kept), tuple(kept.values())))


def _end(turn: Turn, call: Call, exit_name: str) -> None:
    run = _run(call)
    if run.ask and run.ask != call.outside:
        turn.want(WithdrawAsk(call.id, call.node, run.ask))
    turn.emit(FlowEnded(turn.now, call.id, exit_name, run.node))
    call.secrets.clear()
    if exit_name != CALLER_LEFT and call.payment is None:
        resume(turn, call)


def _back_to_agent(turn: Turn, call: Call, outcome: str) -> bool:
    """Whether an agent waits for this caller, who is with her again."""
    if call.payment is None:
        return False
    _end(turn, call, "payment")
    payments.over(turn, call, outcome)
    return True


def call_off_payment(turn: Turn, agent: Agent) -> None:
    """The agent wants her caller back before the flow is over."""
    call = payments.paying(turn, agent)
    if call is None:
        return
    if call.flow is not None and call.flow.playback:
        turn.want(StopPlayback(call.id, call.node, call.flow.playback))
    _back_to_agent(turn, call, payments.CALLED_OFF)


def _contained(turn: Turn, call: Call, do: Callable[[], None]) -> None:
    """A bug is reported and takes the error exit; one in the error exit says goodbye; one in the goodbye ends the call."""
    fail, goodbye = partial(_go, turn, call, Fail("bug")), partial(_say_goodbye, turn, call)
    for attempt in (do, fail, goodbye, partial(turn.hang_up, call, call.caller_leg)):
        try:
            attempt()
        except Exception as fault:  # the caller must hear what becomes of the call, whatever is wrong
            turn.out.faults.append(fault)
        else:
            return


def _go(turn: Turn, call: Call, step: Step | None) -> None:
    """Do the step and those that follow from it at once."""
    taken = 0
    while step is not None:
        taken += 1
        if taken > MOST_AT_ONCE and not isinstance(step, Fail):
            step = Fail("goes round in a circle")
        step = TAKES[type(step)](turn, call, step)


def _say(turn: Turn, call: Call, step: Say) -> None:
    playback = turn.ids.draw_leg(call.node)
    turn.emit(FlowMoved(turn.now, call.id, _run(call).node, step.tries, playback, step.prompts))
    turn.want(Play(call.id, call.node, call.began.leg, playback, step.prompts))
    call.secrets.pop(ENTRY, None)


def _listen(turn: Turn, call: Call, step: Listen) -> None:
    turn.emit(FlowListened(turn.now, call.id, turn.now + step.timeout))


def _take_digit(turn: Turn, call: Call, step: TakeDigit) -> None:
    if step.secret:
        call.secrets[ENTRY] = call.secrets.get(ENTRY, "") + step.digit
    turn.emit(FlowDigitTaken(turn.now, call.id, "" if step.secret else step.digit, turn.now + step.timeout))


def _keep(turn: Turn, call: Call, step: Keep) -> Step:
    if step.secret:
        call.secrets.pop(ENTRY, None)
        call.secrets[step.attribute] = step.digits
    turn.emit(FlowCollected(turn.now, call.id, step.attribute, "" if step.secret else step.digits, step.secret))
    return step.leave


def _set(turn: Turn, call: Call, step: SetAttributes) -> Step:
    turn.emit(FlowAttributesSet(turn.now, call.id, step.names, step.values))
    return step.then


def _keep_answer(turn: Turn, call: Call, step: KeepAnswer) -> Step:
    surveys.answered(turn, call, step.question, step.kind, step.value)
    return SetAttributes((step.attribute,), (step.value,), step.leave) if step.attribute else step.leave


def _leave(turn: Turn, call: Call, step: Leave) -> Step:
    turn.emit(FlowPassed(turn.now, call.id, _run(call).node, step.exit, step.to))
    return interpreter.arrive(_run(call), Surroundings(turn, call))


def _ask(turn: Turn, call: Call, step: Ask) -> None:
    ask, until = turn.ids.draw(), turn.now + step.budget
    playback = turn.ids.draw_leg(call.node) if step.prompts else ""
    turn.emit(FlowAsked(turn.now, call.id, ask, _run(call).node, until, playback, step.prompts))
    turn.want(AskOutside(call.id, call.node, call.began.leg, ask, step.question, step.budget))
    if playback:
        turn.want(Play(call.id, call.node, call.began.leg, playback, step.prompts))


def _enter_flow(turn: Turn, call: Call, step: EnterFlow) -> Step:
    run = _run(call)
    turn.emit(FlowEntered(turn.now, call.id, run.node, step.flow, run.library[step.flow].version, step.names, step.values))
    return interpreter.arrive(run, Surroundings(turn, call))


def _return_flow(turn: Turn, call: Call, step: ReturnFlow) -> Step | None:
    if not _run(call).frames:
        _out(turn, call, step.outcome)
        return None
    turn.emit(FlowReturned(turn.now, call.id, _run(call).node, step.outcome))
    return interpreter.after_outcome(_run(call), step.outcome, Surroundings(turn, call))


def _promise_callback(turn: Turn, call: Call, step: PromiseCallback) -> Step:
    outcome = PROMISED if callbacks.promise(turn, call, step) else REFUSED
    return interpreter.after_outcome(_run(call), outcome, Surroundings(turn, call))


def _pause_recording(turn: Turn, call: Call, step: PauseRecording) -> Step:
    pause(turn, call)
    return step.leave


def _resume_recording(turn: Turn, call: Call, step: ResumeRecording) -> Step:
    resume(turn, call)
    return step.leave


def _opt_out(turn: Turn, call: Call, step: OptOut) -> Step:
    noted = do_not_call.opt_out(turn, call, call.attributes.get(step.attribute, ""))
    return interpreter.after_outcome(_run(call), NOTED if noted else REFUSED, Surroundings(turn, call))


def _out(turn: Turn, call: Call, outcome: str) -> None:
    """The end of a flow that an agent has sent the caller to. Without her it is goodbye, or the head of the line if she was lost."""
    if _back_to_agent(turn, call, outcome or payments.DONE):
        return
    _end(turn, call, "return")
    forsaken = payments.lost_contact(turn, call)
    if forsaken is not None:
        requeue(turn, call, forsaken)
    else:
        turn.send_on(call, GOODBYE.name)


def _enter_queue(turn: Turn, call: Call, step: EnterQueue) -> None:
    if _back_to_agent(turn, call, "queue"):
        return
    _end(turn, call, "queue")
    queue, priority, needs = direct(turn, call, step.queue, step.priority, step.needs)
    left = callbacks.left_behind(turn, call, queue)
    if left is None:
        enter_queue(turn, call, queue, priority, needs)
    else:  # as if nothing had been asked
        needs = Needs(left.require, left.prefer, rule=left.rule) if needs == Needs() else needs
        enter_queue(turn, call, queue, max(priority, left.priority), needs, place=left.place)


def _dial_out(turn: Turn, call: Call, step: DialOut) -> Step | None:
    outcome = outward.dial(turn, call, step)
    return interpreter.after_outcome(_run(call), outcome, Surroundings(turn, call)) if outcome else None


def _visit_mailbox(turn: Turn, call: Call, step: VisitMailbox) -> None:
    turn.to_mailbox.append((call, step.mailbox, call.left))


def _hang_up(turn: Turn, call: Call, step: HangUpCaller) -> None:
    if _back_to_agent(turn, call, "hang_up"):
        return
    _end(turn, call, "hang_up")
    turn.hang_up(call, call.caller_leg)


def _fail(turn: Turn, call: Call, step: Fail) -> Step | None:
    run = _run(call)
    if run.ask:
        _close_ask(turn, call, questions.FAILED)
    found = interpreter.error_exit(run)
    depth, node = found or (0, "")
    turn.emit(FlowFailed(turn.now, call.id, run.node, step.why, depth, node))
    if found is None:
        _say_goodbye(turn, call)
        return None
    return interpreter.arrive(run, Surroundings(turn, call))


def _say_goodbye(turn: Turn, call: Call) -> None:
    """By a flow of ours, unless it is the one that failed."""
    if call.flow is not None and _back_to_agent(turn, call, payments.FAILED):
        return
    name = _outermost(call.flow) if call.flow is not None else ""
    if call.flow is not None:
        _end(turn, call, "error")
    if name == GOODBYE.name or call.contact:
        turn.hang_up(call, call.caller_leg)
    else:
        turn.send_on(call, GOODBYE.name)


def _check_pin(turn: Turn, call: Call, step: CheckPin) -> Step:
    if pin_locks.is_locked(turn, step.calendar):
        return interpreter.after_outcome(_run(call), LOCKED, Surroundings(turn, call))
    return Ask(step.question, PIN_BUDGET)


def _note_pin(turn: Turn, call: Call, step: NotePin) -> Step:
    """A right one that was on its way while others were wrong too often is not taken either."""
    if step.right and pin_locks.is_locked(turn, step.calendar):
        return interpreter.after_outcome(_run(call), LOCKED, Surroundings(turn, call))
    pin_locks.note(turn, call.id, step.calendar, right=step.right)
    return step.then


def _switch_hours(turn: Turn, call: Call, step: SwitchHours) -> Step:
    outcome = questions.ANSWERED if opening.switch_by_phone(turn, call, step) else questions.FAILED
    return interpreter.after_outcome(_run(call), outcome, Surroundings(turn, call))


TAKES: Mapping[type[Step], Callable[[Turn, Call, Any], Step | None]] = {
    Say: _say,
    Listen: _listen,
    TakeDigit: _take_digit,
    Keep: _keep,
    SetAttributes: _set,
    KeepAnswer: _keep_answer,
    Leave: _leave,
    Ask: _ask,
    EnterFlow: _enter_flow,
    ReturnFlow: _return_flow,
    PromiseCallback: _promise_callback,
    PauseRecording: _pause_recording,
    ResumeRecording: _resume_recording,
    OptOut: _opt_out,
    EnterQueue: _enter_queue,
    DialOut: _dial_out,
    VisitMailbox: _visit_mailbox,
    HangUpCaller: _hang_up,
    Fail: _fail,
    CheckPin: _check_pin,
    NotePin: _note_pin,
    SwitchHours: _switch_hours,
}
"""How each kind of step is done; who adds a kind of step adds its row here."""
