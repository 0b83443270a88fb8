"""Callers in a flow: what is said, what was pressed, and the way out. Where it goes is the interpreter's matter."""

from callcenter.domain import callbacks
from callcenter.domain.call import Call
from callcenter.domain.commands import Play, StopPlayback
from callcenter.domain.delivery import enter_queue
from callcenter.domain.directing import direct
from callcenter.domain.facts import FlowCollected, FlowDigitTaken, FlowEnded, FlowKeyPressed, FlowListened, FlowMoved, FlowStarted
from callcenter.domain.ivr import interpreter
from callcenter.domain.ivr.interpreter import EnterQueue, FlowRun, HangUpCaller, Keep, Listen, PromiseCallback, Say, Step, TakeDigit
from callcenter.domain.routing_config import Needs
from callcenter.domain.turn import Turn


def start_flow(turn: Turn, call: Call, name: str) -> None:
    turn.emit(FlowStarted(turn.now, call.id, name, turn.state.flow_for(name, call.id).version))
    _take(turn, call, interpreter.start(_run(call)))


def _run(call: Call) -> FlowRun:
    assert call.flow is not None
    return call.flow


def prompt_ended(turn: Turn, call: Call, playback: str) -> None:
    """What we said has been heard to its end. The end of an older prompt, stopped meanwhile, means nothing."""
    run = call.flow
    if run is not None and run.playback and run.playback == playback:
        _take(turn, call, interpreter.start(run) if interpreter.is_lost(run) else interpreter.after_prompt(run))


def key_pressed(turn: Turn, call: Call, digit: str) -> None:
    """A key in a menu or an entry, valid or not, ends what we are saying there."""
    run = call.flow
    if run is None or interpreter.is_lost(run) or not interpreter.listens(run):
        return
    speaking = run.playback
    step = interpreter.after_key(run, digit)
    if not isinstance(step, TakeDigit | Keep):
        turn.emit(FlowKeyPressed(turn.now, call.id, digit, interpreter.choices(run).get(digit, "")))
    if speaking:
        turn.want(StopPlayback(call.id, call.node, speaking))
    _take(turn, call, step)


def time_is_up(turn: Turn, call: Call) -> None:
    """No key came in time."""
    run = call.flow
    if run is not None:
        _take(turn, call, interpreter.start(run) if interpreter.is_lost(run) else interpreter.without_key(run))


def say_again(turn: Turn, call: Call) -> None:
    """After a gap nobody hears what we said: say it from the beginning."""
    run = call.flow
    if run is not None and run.playback:
        _take(turn, call, Say(run.node, run.tries, run.prompts))


def _take(turn: Turn, call: Call, step: Step) -> None:
    leg = call.began.leg
    match step:
        case Say(node, tries, prompts):
            playback = turn.ids.draw_leg(call.node)
            turn.emit(FlowMoved(turn.now, call.id, node, tries, playback, prompts))
            turn.want(Play(call.id, call.node, leg, playback, prompts))
        case Listen(timeout):
            turn.emit(FlowListened(turn.now, call.id, turn.now + timeout))
        case TakeDigit(digit, timeout):
            turn.emit(FlowDigitTaken(turn.now, call.id, digit, turn.now + timeout))
        case Keep(attribute, digits):
            turn.emit(FlowCollected(turn.now, call.id, attribute, digits))
            _take(turn, call, interpreter.go_on(_run(call)))
        case PromiseCallback(asked):
            _take(turn, call, interpreter.after_promise(_run(call), asked, callbacks.promise(turn, call, asked)))
        case EnterQueue(queue, priority, needs):
            turn.emit(FlowEnded(turn.now, call.id, "queue"))
            queue, priority, needs = direct(turn, call, queue, priority, needs)
            left = callbacks.left_behind(turn, call, queue)
            if left is None:
                enter_queue(turn, call, queue, priority, needs)
            else:  # as if nothing had been asked
                needs = Needs(left.require, left.prefer, rule=left.rule) if needs == Needs() else needs
                enter_queue(turn, call, queue, max(priority, left.priority), needs, place=left.place)
        case HangUpCaller():
            turn.emit(FlowEnded(turn.now, call.id, "hang_up"))
            turn.hang_up(call, call.caller_leg)
