"""Whoever is at a mailbox: what happens there goes to the story of the visit; and what becomes of messages by time or wish."""

from collections.abc import Callable

from callcenter.domain import flows, mailbox_keys, voicemail
from callcenter.domain.call import Call
from callcenter.domain.commands import AskOutside, RecordMessage, StopPlayback, WithdrawAsk
from callcenter.domain.events import (
    AskAnswered,
    DigitPressed,
    MessageDeleteRequested,
    MessageHeardRequested,
    PlaybackEnded,
    Refusal,
)
from callcenter.domain.facts import Stage, VisitOutcome
from callcenter.domain.ivr.flow import GOODBYE
from callcenter.domain.ivr.questions import FAILED
from callcenter.domain.mailbox import Message, Visit
from callcenter.domain.mailbox_keys import delete, hear
from callcenter.domain.turn import Turn

RETENTION = "retention"
RECORDS = frozenset({Stage.GREETING, Stage.RECORDING, Stage.REVIEW, Stage.PLAYBACK})
"""Here something is recorded, whether a message or a greeting."""


# --- what happens to a visitor ------------------------------------------------------------------


def _listens(visit: Visit) -> bool:
    return visit.began.listening and visit.stage not in RECORDS


def prompt_ended(turn: Turn, call: Call, event: PlaybackEnded) -> None:
    """The end of an older prompt, stopped meanwhile, means nothing."""
    if call.visit is not None and call.visit.playback == event.playback:
        (mailbox_keys if _listens(call.visit) else voicemail).prompt_ended(turn, call)


def key_pressed(turn: Turn, call: Call, event: DigitPressed) -> None:
    if call.visit is not None:
        (mailbox_keys if _listens(call.visit) else voicemail).key_pressed(turn, call, event.digit)


def time_is_up(turn: Turn, call: Call) -> None:
    if call.visit is not None:
        (mailbox_keys if _listens(call.visit) else voicemail).time_is_up(turn, call)


def answered(turn: Turn, event: AskAnswered) -> None:
    """A mailbox asks, or a flow does."""
    mailbox_keys.answered(turn, event)
    flows.answered(turn, event)


def not_asked(turn: Turn, command: AskOutside) -> None:
    """The question could not even be asked."""
    answered(turn, AskAnswered(command.call, command.ask, FAILED, {}))


def found_silent(turn: Turn, call: Call) -> None:
    voicemail.found_silent(turn, call)


def caller_left(turn: Turn, call: Call) -> None:
    """Nothing that was said is lost."""
    visit = call.visit
    if visit is None:
        return
    if visit.playback:
        turn.want(StopPlayback(call.id, call.node, visit.playback))
    if visit.ask:
        turn.want(WithdrawAsk(call.id, call.node, visit.ask))
    call.secrets.pop(mailbox_keys.ENTRY, None)
    voicemail.caller_left(turn, call)


def not_recorded(turn: Turn, command: RecordMessage, refusal: Refusal) -> None:
    """Of a node out of reach nobody knows; the gap will tell."""
    if refusal is not Refusal.NODE_AWAY:
        voicemail.failed(turn, command.leg, command.message)


def go_on(turn: Turn) -> bool:
    """One who is sent to a mailbox arrives there, or one who has been there goes on; say whether there was one."""
    if turn.to_mailbox:
        call, mailbox, contact = turn.to_mailbox.pop(0)
        if mailbox:
            voicemail.arrive(turn, call, mailbox, contact)
        else:
            mailbox_keys.arrive(turn, call)
    elif turn.visited:
        _go_on(turn, *turn.visited.pop(0))
    else:
        return False
    return True


def _go_on(turn: Turn, call: Call, outcome: VisitOutcome) -> None:
    """Who came by a flow goes on in it. Who has left a message, or has listened, has nothing more to hear."""
    if call.flow is not None:
        flows.visited(turn, call, outcome)
    elif outcome in (VisitOutcome.LEFT, VisitOutcome.LISTENED) or call.began.agent:
        turn.hang_up(call, call.caller_leg)
    else:
        turn.send_on(call, GOODBYE.name)


# --- what happens to a message ------------------------------------------------------------------


def time_is_over(turn: Turn, message_id: str) -> None:
    """It was kept long enough."""
    delete(turn, turn.state.mailboxes.messages[message_id], RETENTION)


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
