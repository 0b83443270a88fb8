"""What both visits to a mailbox share, to leave a message and to listen: where the visitor is, what is said and recorded, the end."""

from datetime import timedelta

from callcenter.domain.call import Call
from callcenter.domain.commands import Play, RecordMessage, StopPlayback
from callcenter.domain.facts import MessageBegan, MessageDropped, VisitEnded, VisitMoved
from callcenter.domain.facts.voicemail import DroppedWhy, Stage, VisitOutcome
from callcenter.domain.ivr.speech import LANGUAGE
from callcenter.domain.mailbox import Visit
from callcenter.domain.mailbox_config import MailboxConfig
from callcenter.domain.turn import Turn

BEEP = "beep"
TRIES = 3
"""So often something is asked for, or said again."""
KEY_WITHIN = timedelta(seconds=5)
"""How long a key is waited for, once we have said what it does."""
TOLD_WITHIN = timedelta(seconds=10)
"""How much longer than the longest message we wait to be told that it has ended."""
GONE = MailboxConfig("")
"""A mailbox that is no longer configured: its visitors finish by the usual rules."""


def visit_of(call: Call) -> Visit:
    assert call.visit is not None
    return call.visit


def config_of(turn: Turn, visit: Visit) -> MailboxConfig:
    return turn.state.config.mailboxes.get(visit.mailbox, GONE)


def say(turn: Turn, call: Call, stage: Stage, *prompts: str, tries: int = 0, message: str = "", mailbox: str | None = None) -> None:
    """Be at that stage and say the prompts, in the caller's language; what was being said is stopped."""
    hush(turn, call)
    visit, playback = visit_of(call), turn.ids.draw_leg(call.node)
    prompts = turn.state.config.languages.speaker(call.attributes.get(LANGUAGE, "")).named(prompts)
    mailbox = visit.mailbox if mailbox is None else mailbox
    turn.emit(VisitMoved(turn.now, call.id, stage, tries, playback, prompts, None, message or visit.message, mailbox))
    turn.want(Play(call.id, call.node, call.began.leg, playback, prompts))


def said_last(visit: Visit) -> str:
    """The id of the prompt that was said last, whatever the language."""
    return visit.prompts[-1].rpartition("/")[2]


def hush(turn: Turn, call: Call) -> None:
    visit = visit_of(call)
    if visit.playback:
        turn.want(StopPlayback(call.id, call.node, visit.playback))


def listen(turn: Turn, call: Call, within: timedelta = KEY_WITHIN, ask: str = "") -> None:
    """Wait in silence for a key, or for an answer."""
    visit = visit_of(call)
    stage = Stage.CHECKING if ask else visit.stage
    turn.emit(
        VisitMoved(turn.now, call.id, stage, visit.tries, until=turn.now + within, message=visit.message, mailbox=visit.mailbox, ask=ask)
    )


def record(turn: Turn, call: Call) -> None:
    """The beep was heard: from now on what is said counts."""
    visit, config = visit_of(call), config_of(turn, visit_of(call))
    message = turn.ids.draw()
    until = turn.now + config.longest + TOLD_WITHIN
    turn.emit(MessageBegan(turn.now, call.id, call.node, visit.mailbox, message, visit.is_greeting))
    turn.emit(VisitMoved(turn.now, call.id, Stage.RECORDING, visit.tries, until=until, message=message, mailbox=visit.mailbox))
    turn.want(RecordMessage(call.id, call.node, call.began.leg, message, config.longest, config.silence))


def drop(turn: Turn, call: Call, why: DroppedWhy) -> None:
    """What was recorded, if anything, is not kept."""
    visit = visit_of(call)
    if visit.recorded_since is not None:
        turn.emit(MessageDropped(turn.now, call.id, call.node, visit.message, why))


def end(turn: Turn, call: Call, outcome: VisitOutcome) -> None:
    """The visitor goes on where the flow says, or is said goodbye."""
    turn.emit(VisitEnded(turn.now, call.id, outcome, visit_of(call).began.agent))
    if outcome is not VisitOutcome.CALLER_LEFT:
        turn.visited.append((call, outcome))
