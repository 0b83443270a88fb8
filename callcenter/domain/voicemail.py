"""A caller leaves a message, or an owner a greeting: greeting, beep, recording, review. Nothing that was said is lost by hanging up.

::

    GREETING ──► RECORDING ──► REVIEW ──1──► FAREWELL ──► on
       ▲             │ too short  │ ▲ └─2─► PLAYBACK
       └─────────────┴─────3──────┘ └──────────┘
"""

from datetime import timedelta

from callcenter.domain import surveys
from callcenter.domain.call import Call
from callcenter.domain.commands import StopMessage, recorded_prompt
from callcenter.domain.events import MessageFailed, MessageRecorded
from callcenter.domain.facts import GreetingChanged, MessageLeft, MessageTaken, VisitBegan
from callcenter.domain.facts.voicemail import DroppedWhy, Stage, VisitOutcome
from callcenter.domain.lamps import show
from callcenter.domain.mailbox import Visit
from callcenter.domain.turn import Turn
from callcenter.domain.visiting import BEEP, TOLD_WITHIN, TRIES, config_of, drop, end, listen, record, said_last, say, visit_of

REVIEW, GREETING_REVIEW = "voicemail-review", "voicemail-greeting-review"
KEPT, GREETING_KEPT = "voicemail-kept", "voicemail-greeting-kept"
TOO_SHORT, FULL, NOT_RECORDED, CANCELLED = "voicemail-too-short", "voicemail-full", "voicemail-not-recorded", "voicemail-cancelled"

KEEP, HEAR, AGAIN, CANCEL, DONE = "1", "2", "3", "*", "#"
"""The keys."""


def arrive(turn: Turn, call: Call, mailbox: str, contact: str = "") -> None:
    """The caller is to leave a message in the mailbox; ``contact`` is the one left for it."""
    turn.emit(VisitBegan(turn.now, call.id, mailbox, contact))
    config = turn.state.config.mailboxes.get(mailbox)
    if config is None:
        say(turn, call, Stage.FAREWELL, NOT_RECORDED)
    elif turn.state.mailboxes.expected(mailbox) > config.most:  # this one is among them
        say(turn, call, Stage.FAREWELL, FULL)
    else:
        greeting = turn.state.mailboxes.mailbox(mailbox).greeting
        say(turn, call, Stage.GREETING, recorded_prompt(greeting) if greeting else config.greeting, BEEP)


def prompt_ended(turn: Turn, call: Call) -> None:
    """What we say at the present stage was heard to its end."""
    visit = visit_of(call)
    if visit.stage is Stage.GREETING:
        record(turn, call)
    elif visit.stage is Stage.REVIEW:
        listen(turn, call)
    elif visit.stage is Stage.PLAYBACK:
        _review(turn, call)
    else:
        end(turn, call, VisitOutcome.FAILED if said_last(visit) in (FULL, NOT_RECORDED, TOO_SHORT) else _outcome(visit))


def _outcome(visit: Visit) -> VisitOutcome:
    return VisitOutcome.CANCELLED if said_last(visit) == CANCELLED else VisitOutcome.LEFT


def key_pressed(turn: Turn, call: Call, digit: str) -> None:
    visit = visit_of(call)
    if visit.stage is Stage.GREETING and digit == DONE and len(visit.prompts) > 1:
        say(turn, call, Stage.GREETING, BEEP, tries=visit.tries)
    elif visit.stage is Stage.GREETING and digit == CANCEL:
        _cancel(turn, call)
    elif visit.stage is Stage.RECORDING and digit == DONE:
        listen(turn, call, TOLD_WITHIN)
        turn.want(StopMessage(call.id, call.node, visit.message))
    elif visit.stage in (Stage.REVIEW, Stage.PLAYBACK):
        _reviewed(turn, call, digit)


def _reviewed(turn: Turn, call: Call, digit: str) -> None:
    visit = visit_of(call)
    if digit == KEEP:
        _keep(turn, call)
    elif digit == HEAR:
        say(turn, call, Stage.PLAYBACK, recorded_prompt(visit.message))
    elif digit == AGAIN:
        drop(turn, call, DroppedWhy.SAID_AGAIN)
        say(turn, call, Stage.GREETING, BEEP)
    elif digit == CANCEL:
        drop(turn, call, DroppedWhy.CANCELLED)
        _cancel(turn, call)
    else:
        _review(turn, call, visit.tries + 1)


def _cancel(turn: Turn, call: Call) -> None:
    say(turn, call, Stage.FAREWELL, CANCELLED)


def _review(turn: Turn, call: Call, tries: int = 0) -> None:
    """Who never answers the question wants what was said to be kept."""
    if tries >= TRIES:
        _keep(turn, call)
    else:
        say(turn, call, Stage.REVIEW, GREETING_REVIEW if visit_of(call).is_greeting else REVIEW, tries=tries)


def recorded(turn: Turn, event: MessageRecorded) -> None:
    """The PBX tells what was recorded. Of another message than the present one it has been decided already."""
    call = turn.state.legs.get(event.leg)
    if call is None or call.visit is None or call.visit.stage is not Stage.RECORDING or call.visit.message != event.message:
        return
    if not event.length and _ended_by_itself(turn, call.visit):
        failed(turn, event.leg, event.message)
    else:
        _taken(turn, call, event.length)


def _ended_by_itself(turn: Turn, visit: Visit) -> bool:
    """Neither key nor silence has ended it: Asterisk tells so of a file that it cannot write."""
    config = config_of(turn, visit)
    assert visit.recorded_since is not None
    stopped = visit.until is not None and visit.until < visit.recorded_since + config.longest
    return not stopped and turn.now - visit.recorded_since < config.silence * 0.8


def _taken(turn: Turn, call: Call, length: timedelta) -> None:
    visit = visit_of(call)
    if length >= config_of(turn, visit).shortest:
        turn.emit(MessageTaken(turn.now, call.id, visit.message, length))
        _review(turn, call)
        return
    drop(turn, call, DroppedWhy.TOO_SHORT)
    if visit.tries + 1 >= TRIES:
        say(turn, call, Stage.FAREWELL, TOO_SHORT)
    else:
        say(turn, call, Stage.GREETING, TOO_SHORT, BEEP, tries=visit.tries + 1)


def failed(turn: Turn, leg: str, message: str) -> None:
    """It could not be recorded: the caller is told, and goes on by the other exit."""
    call = turn.state.legs.get(leg)
    if call is not None and call.visit is not None and call.visit.stage is Stage.RECORDING and call.visit.message == message:
        drop(turn, call, DroppedWhy.FAILED)
        say(turn, call, Stage.FAREWELL, NOT_RECORDED)


def recording_failed(turn: Turn, event: MessageFailed) -> None:
    failed(turn, event.leg, event.message)


def time_is_up(turn: Turn, call: Call) -> None:
    """No key came; or the PBX, which should have told of the end of the recording long ago, never did."""
    visit = visit_of(call)
    if visit.stage is Stage.RECORDING:
        turn.want(StopMessage(call.id, call.node, visit.message))
        _taken(turn, call, _so_far(turn, visit))
    else:
        _review(turn, call, visit.tries + 1)


def _so_far(turn: Turn, visit: Visit) -> timedelta:
    assert visit.recorded_since is not None
    return turn.now - visit.recorded_since


def found_silent(turn: Turn, call: Call) -> None:
    """After a gap nothing is being said or recorded: what was recorded so far is reviewed, what was said is said again."""
    visit = visit_of(call)
    if visit.stage is Stage.RECORDING:
        _taken(turn, call, _so_far(turn, visit))
    elif visit.playback:
        say(turn, call, visit.stage, *visit.prompts, tries=visit.tries)


def caller_left(turn: Turn, call: Call) -> None:
    """Whoever hangs up has said what there was to say."""
    visit = visit_of(call)
    if visit.recorded_since is not None:
        length = visit.taken if visit.taken is not None else _so_far(turn, visit)
        if visit.is_greeting:
            drop(turn, call, DroppedWhy.CANCELLED)
        elif length >= config_of(turn, visit).shortest:
            _left(turn, call, length)
        else:
            drop(turn, call, DroppedWhy.TOO_SHORT)
    end(turn, call, VisitOutcome.CALLER_LEFT)


def _keep(turn: Turn, call: Call) -> None:
    visit = visit_of(call)
    if visit.is_greeting:
        before = turn.state.mailboxes.mailbox(visit.mailbox).greeting
        turn.emit(GreetingChanged(turn.now, visit.mailbox, call.node, visit.message, before))
        say(turn, call, Stage.FAREWELL, GREETING_KEPT)
    else:
        assert visit.taken is not None
        _left(turn, call, visit.taken)
        say(turn, call, Stage.FAREWELL, KEPT)


def _left(turn: Turn, call: Call, length: timedelta) -> None:
    visit, began = visit_of(call), call.began
    kept_until = turn.now + config_of(turn, visit).keep
    turn.emit(
        MessageLeft(
            turn.now,
            call.id,
            call.node,
            visit.mailbox,
            visit.message,
            visit.began.contact,
            began.caller,
            began.caller_name,
            length,
            kept_until,
        )
    )
    surveys.comment_left(turn, call, visit.message)
    show(turn, visit.mailbox)
