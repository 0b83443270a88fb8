"""What each step of a flow run does: facts, commands, and the step that follows at once, if any.

``go`` does a step and those that follow from it; ``TAKES`` is the table of them.
"""

from collections.abc import Callable, Mapping
from typing import Any

from callcenter.domain import by_phone, callbacks, do_not_call, opening, outward, payments, pin_locks, surveys
from callcenter.domain.call import Call
from callcenter.domain.circumstances import Surroundings
from callcenter.domain.commands import AskOutside, Play, WithdrawAsk
from callcenter.domain.delivery import enter_queue, requeue
from callcenter.domain.directing import direct
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
)
from callcenter.domain.ivr import interpreter, questions
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
from callcenter.domain.ivr.run import AHEAD, ENTRY, MOST_AHEAD, FlowRun
from callcenter.domain.ivr.switching import BUDGET as PIN_BUDGET
from callcenter.domain.ivr.switching import LOCKED, CheckPin, NotePin, SwitchHours
from callcenter.domain.pausing import pause, resume
from callcenter.domain.routing_config import Needs
from callcenter.domain.turn import Turn

CALLER_LEFT = "caller_left"
MOST_AT_ONCE = 200
"""So many steps without the caller hearing or doing anything are a circle."""


def go(turn: Turn, call: Call, step: Step | None) -> None:
    """Do the step and those that follow from it at once, and then what follows from keys pressed ahead."""
    taken = 0
    while step is not None:
        taken += 1
        if taken > MOST_AT_ONCE and not isinstance(step, Fail):
            step = Fail("goes round in a circle")
        step = TAKES[type(step)](turn, call, step) or _with_key_ahead(turn, call)


def keep_key(turn: Turn, call: Call, digit: str) -> None:
    """It was pressed ahead of the node that is to take it."""
    turn.hurried = call.id
    call.secrets[AHEAD] = (call.secrets.get(AHEAD, "") + digit)[:MOST_AHEAD]


def note_key(turn: Turn, call: Call, digit: str, step: Step) -> None:
    """This follows from a key; digits of entries are told by what is kept of them."""
    if not isinstance(step, TakeDigit | Keep):
        run = run_of(call)
        leads_to = step.to if isinstance(step, Leave) and step.exit == digit else ""
        hidden = interpreter.is_secret(run) or interpreter.keeps_keys(run)
        turn.emit(FlowKeyPressed(turn.now, call.id, "" if hidden else digit, leads_to))


def _with_key_ahead(turn: Turn, call: Call) -> Step | None:
    """What follows from the next key pressed ahead, once the caller has come to a node that takes it; the node says nothing then."""
    run = call.flow
    if run is None or run.playback or run.ask or not interpreter.takes_kept_keys(run):
        return None
    while ahead := call.secrets.get(AHEAD, ""):
        call.secrets[AHEAD], turn.hurried = ahead[1:], call.id
        step = None if interpreter.is_surplus(run, ahead[0]) else interpreter.after_key(run, ahead[0], Surroundings(turn, call))
        if step is not None:
            note_key(turn, call, ahead[0], step)
            return step
    return interpreter.arrive(run, Surroundings(turn, call)) if run.until is None else None  # they meant nothing: it speaks after all


# --- for all of them -----------------------------------------------------------------------------


def run_of(call: Call) -> FlowRun:
    assert call.flow is not None
    return call.flow


def outermost(run: FlowRun) -> str:
    return run.frames[0].flow.name if run.frames else run.flow.name


def end(turn: Turn, call: Call, exit_name: str, *, may_resume: bool = False) -> None:
    run = run_of(call)
    if run.ask and run.ask != call.outside:
        turn.want(WithdrawAsk(call.id, call.node, run.ask))
    turn.emit(FlowEnded(turn.now, call.id, exit_name, run.node, may_resume))
    call.secrets.clear()
    if exit_name != CALLER_LEFT and call.payment is None:
        resume(turn, call)


def close_ask(turn: Turn, call: Call, outcome: str, attributes: Mapping[str, str] | None = None, *, withdraw: bool = True) -> None:
    ask, kept = run_of(call).ask, attributes or {}
    if ask == call.outside:
        outward.give_up(turn, call)
    elif withdraw:
        turn.want(WithdrawAsk(call.id, call.node, ask))
    turn.emit(FlowAnswered(turn.now, call.id, ask, outcome, tuple(kept), tuple(kept.values())))


def back_to_agent(turn: Turn, call: Call, outcome: str) -> bool:
    """Whether an agent waits for this caller, who is with her again."""
    if call.payment is None:
        return False
    end(turn, call, "payment")
    payments.over(turn, call, outcome)
    return True


def say_goodbye(turn: Turn, call: Call) -> None:
    """By a flow of ours, unless it is the one that failed."""
    if call.flow is not None and back_to_agent(turn, call, payments.FAILED):
        return
    name = outermost(call.flow) if call.flow is not None else ""
    if call.flow is not None:
        end(turn, call, "error")
    if name == GOODBYE.name or call.contact:
        turn.hang_up(call, call.caller_leg)
    else:
        turn.send_on(call, GOODBYE.name)


# --- each of them --------------------------------------------------------------------------------


def _say(turn: Turn, call: Call, step: Say) -> Step | None:
    """Who has pressed the keys for it ahead is not told what to press; a prompt in between is not begun, if it could be cut short."""
    run = run_of(call)
    if call.secrets.get(AHEAD):
        if step.tries == 0 and interpreter.takes_kept_keys(run):
            turn.emit(FlowMoved(turn.now, call.id, run.node, step.tries, "", ()))
            call.secrets.pop(ENTRY, None)
            return None
        if not interpreter.keeps_keys(run):
            del call.secrets[AHEAD]
        elif turn.hurried == call.id:
            return interpreter.after_prompt(run, Surroundings(turn, call))
    playback = turn.ids.draw_leg(call.node)
    turn.emit(FlowMoved(turn.now, call.id, run_of(call).node, step.tries, playback, step.prompts))
    turn.want(Play(call.id, call.node, call.began.leg, playback, step.prompts))
    call.secrets.pop(ENTRY, None)
    return None


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
    turn.emit(FlowPassed(turn.now, call.id, run_of(call).node, step.exit, step.to))
    return interpreter.arrive(run_of(call), Surroundings(turn, call))


def _ask(turn: Turn, call: Call, step: Ask) -> None:
    ask, until = turn.ids.draw(), turn.now + step.budget
    playback = turn.ids.draw_leg(call.node) if step.prompts else ""
    turn.emit(FlowAsked(turn.now, call.id, ask, run_of(call).node, until, playback, step.prompts))
    turn.want(AskOutside(call.id, call.node, call.began.leg, ask, step.question, step.budget))
    if playback:
        turn.want(Play(call.id, call.node, call.began.leg, playback, step.prompts))


def _enter_flow(turn: Turn, call: Call, step: EnterFlow) -> Step:
    run = run_of(call)
    turn.emit(FlowEntered(turn.now, call.id, run.node, step.flow, run.library[step.flow].version, step.names, step.values))
    return interpreter.arrive(run, Surroundings(turn, call))


def _return_flow(turn: Turn, call: Call, step: ReturnFlow) -> Step | None:
    if not run_of(call).frames:
        _out(turn, call, step.outcome)
        return None
    turn.emit(FlowReturned(turn.now, call.id, run_of(call).node, step.outcome))
    return interpreter.after_outcome(run_of(call), step.outcome, Surroundings(turn, call))


def _promise_callback(turn: Turn, call: Call, step: PromiseCallback) -> Step:
    outcome = PROMISED if callbacks.promise(turn, call, step) else REFUSED
    return interpreter.after_outcome(run_of(call), outcome, Surroundings(turn, call))


def _pause_recording(turn: Turn, call: Call, step: PauseRecording) -> Step:
    pause(turn, call)
    return step.leave


def _resume_recording(turn: Turn, call: Call, step: ResumeRecording) -> Step:
    resume(turn, call)
    return step.leave


def _opt_out(turn: Turn, call: Call, step: OptOut) -> Step:
    noted = do_not_call.opt_out(turn, call, call.attributes.get(step.attribute, ""))
    return interpreter.after_outcome(run_of(call), NOTED if noted else REFUSED, Surroundings(turn, call))


def _out(turn: Turn, call: Call, outcome: str) -> None:
    """The end of a flow that an agent has sent the caller to. Without her it is goodbye, or the head of the line if she was lost."""
    if back_to_agent(turn, call, outcome or payments.DONE):
        return
    end(turn, call, "return")
    forsaken = payments.lost_contact(turn, call)
    if forsaken is not None:
        requeue(turn, call, forsaken)
    else:
        turn.send_on(call, GOODBYE.name)


def _enter_queue(turn: Turn, call: Call, step: EnterQueue) -> None:
    if back_to_agent(turn, call, "queue"):
        return
    end(turn, call, "queue", may_resume=step.comes_back)
    queue, priority, needs = direct(turn, call, step.queue, step.priority, step.needs)
    left = callbacks.left_behind(turn, call, queue)
    if left is None:
        enter_queue(turn, call, queue, priority, needs)
    else:  # as if nothing had been asked
        needs = Needs(left.require, left.prefer, rule=left.rule) if needs == Needs() else needs
        enter_queue(turn, call, queue, max(priority, left.priority), needs, place=left.place)
    contact = turn.state.contacts.get(call.contact)
    if call.handed_on is not None and contact is not None and not contact.entered.preferred:
        turn.unanswered.append(contact.id)  # she is ready, and must not take it


def _dial_out(turn: Turn, call: Call, step: DialOut) -> Step | None:
    outcome = outward.dial(turn, call, step)
    return interpreter.after_outcome(run_of(call), outcome, Surroundings(turn, call)) if outcome else None


def _visit_mailbox(turn: Turn, call: Call, step: VisitMailbox) -> None:
    turn.to_mailbox.append((call, step.mailbox, call.left))


def _hang_up(turn: Turn, call: Call, step: HangUpCaller) -> None:
    if back_to_agent(turn, call, "hang_up"):
        return
    end(turn, call, "hang_up")
    turn.hang_up(call, call.caller_leg)


def _fail(turn: Turn, call: Call, step: Fail) -> Step | None:
    run = run_of(call)
    call.secrets.pop(AHEAD, None)
    if run.ask:
        close_ask(turn, call, questions.FAILED)
    found = interpreter.error_exit(run)
    depth, node = found or (0, "")
    turn.emit(FlowFailed(turn.now, call.id, run.node, step.why, depth, node))
    if found is None:
        say_goodbye(turn, call)
        return None
    return interpreter.arrive(run, Surroundings(turn, call))


def _check_pin(turn: Turn, call: Call, step: CheckPin) -> Step:
    if pin_locks.is_locked(turn, step.calendar):
        return interpreter.after_outcome(run_of(call), LOCKED, Surroundings(turn, call))
    return Ask(step.question, PIN_BUDGET)


def _note_pin(turn: Turn, call: Call, step: NotePin) -> Step:
    """A right one that was on its way while others were wrong too often is not taken either."""
    if step.right and pin_locks.is_locked(turn, step.calendar):
        return interpreter.after_outcome(run_of(call), LOCKED, Surroundings(turn, call))
    pin_locks.note(turn, call.id, step.calendar, right=step.right)
    if not step.right:
        by_phone.note(turn, call, call.began.agent, "calendar_switch", "the PIN was wrong", calendar=step.calendar)
    return step.then


def _switch_hours(turn: Turn, call: Call, step: SwitchHours) -> Step:
    outcome = questions.ANSWERED if opening.switch_by_phone(turn, call, step) else questions.FAILED
    return interpreter.after_outcome(run_of(call), outcome, Surroundings(turn, call))


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
