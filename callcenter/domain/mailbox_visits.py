"""Whoever is at a mailbox: what happens there goes to the story of the visit; and what becomes of messages by time or wish."""

from collections.abc import Callable

from callcenter.domain import voicemail
from callcenter.domain.call import Call
from callcenter.domain.commands import RecordMessage, StopPlayback
from callcenter.domain.events import DigitPressed, MessageDeleteRequested, MessageHeardRequested, PlaybackEnded, Refusal
from callcenter.domain.facts import MessageDeleted, MessageHeard
from callcenter.domain.ivr.flow import GOODBYE
from callcenter.domain.lamps import show
from callcenter.domain.mailbox import Message
from callcenter.domain.turn import Turn

RETENTION = "retention"


# --- what happens to a visitor ------------------------------------------------------------------


def prompt_ended(turn: Turn, call: Call, event: PlaybackEnded) -> None:
    """The end of an older prompt, stopped meanwhile, means nothing."""
    if call.visit is not None and call.visit.playback == event.playback:
        voicemail.prompt_ended(turn, call)


def key_pressed(turn: Turn, call: Call, event: DigitPressed) -> None:
    voicemail.key_pressed(turn, call, event.digit)


def time_is_up(turn: Turn, call: Call) -> None:
    voicemail.time_is_up(turn, call)


def found_silent(turn: Turn, call: Call) -> None:
    voicemail.found_silent(turn, call)


def caller_left(turn: Turn, call: Call) -> None:
    """Nothing that was said is lost."""
    if call.visit is not None:
        if call.visit.playback:
            turn.want(StopPlayback(call.id, call.node, call.visit.playback))
        voicemail.caller_left(turn, call)


def not_recorded(turn: Turn, command: RecordMessage, refusal: Refusal) -> None:
    """Of a node out of reach nobody knows; the gap will tell."""
    if refusal is not Refusal.NODE_AWAY:
        voicemail.failed(turn, command.leg, command.message)


def go_on(turn: Turn) -> bool:
    """One who is sent to a mailbox arrives there, or one who has been there goes on; say whether there was one."""
    if turn.to_mailbox:
        voicemail.arrive(turn, *turn.to_mailbox.pop(0))
    elif turn.visited:
        call, _ = turn.visited.pop(0)
        turn.send_on(call, GOODBYE.name)
    else:
        return False
    return True


# --- what happens to a message ------------------------------------------------------------------


def time_is_over(turn: Turn, message_id: str) -> None:
    """It was kept long enough."""
    delete(turn, turn.state.mailboxes.messages[message_id], RETENTION)


def delete(turn: Turn, message: Message, by: str) -> None:
    mailbox = message.left.mailbox
    turn.emit(MessageDeleted(turn.now, mailbox, message.id, by))
    show(turn, mailbox)


def hear(turn: Turn, message: Message, by: str) -> None:
    """It is new no longer."""
    if not message.heard:
        turn.emit(MessageHeard(turn.now, message.left.mailbox, message.id, by))
        show(turn, message.left.mailbox)


def _asked(do: Callable[[Turn, Message, str], None]) -> Callable[[Turn, MessageDeleteRequested | MessageHeardRequested], None]:
    def run(turn: Turn, event: MessageDeleteRequested | MessageHeardRequested) -> None:
        message = turn.state.mailboxes.messages.get(event.message)
        if message is None:
            turn.refuse(f"there is no message '{event.message}'; 'callcenter voicemail list' shows those there are")
        else:
            do(turn, message, event.by)

    return run


delete_requested = _asked(delete)
heard_requested = _asked(hear)
