"""What waiting callers are told between the music: position, estimated wait, comfort.

Two rounds run beside each other, the status (position and wait) and the comfort prompts, each with its interval; what is due
says itself, the status first, and ``QUIET`` of music lies between any two announcements. Nothing is begun while a phone rings for
the caller, and what is being said is cut off when agent and caller are connected.

A caller is never told more than before: neither a higher position, nor an estimated wait that would end later than one told
already. What was told is a fact, and whether it came true is learned from (``domain.ewt``).
"""

from datetime import datetime, timedelta

from callcenter.domain.call import Call
from callcenter.domain.commands import Play, StartMusic, StopMusic
from callcenter.domain.config import AnnounceConfig, PositionTold
from callcenter.domain.contact import Contact, ContactState
from callcenter.domain.ewt import Estimate
from callcenter.domain.facts import AnnouncementEnded, AnnouncementsPlanned, ContactAnnounced
from callcenter.domain.ivr.speech import LANGUAGE, Speaker
from callcenter.domain.queue import Queue
from callcenter.domain.turn import Turn

QUIET = timedelta(seconds=15)
"""From the end of an announcement to the beginning of the next, at least."""

NEXT_IN_LINE = ("you-are-next",)
POSITION = "your-position-is"
MORE_THAN = ("more-callers-than", "are-waiting")
UNDER = "your-wait-is-under"


def first_dates(config: AnnounceConfig, now: datetime) -> tuple[datetime | None, datetime | None]:
    """When the status and the comfort rounds begin for who enters now; None: never."""
    status = now + config.first_after if config.position is not PositionTold.NO or config.ewt else None
    return status, now + config.comfort_every if config.comfort else None


def due(turn: Turn, contact: Contact) -> None:
    """Say what is due, unless there is nothing to say; then look again when something is due next."""
    queue = turn.state.queue(contact.entered.queue)
    config, told = queue.config.announce, contact.announcing
    status_at, comfort_at, comforts = told.status_at, told.comfort_at, told.comforts
    position: int | None = None
    estimate: Estimate | None = None
    call = turn.state.calls[contact.entered.call]
    speaker = turn.state.config.languages.speaker(call.attributes.get(LANGUAGE, ""))
    words: tuple[str, ...] = ()
    if status_at is not None and status_at <= turn.now:
        position, estimate = _to_tell(turn, queue, contact)
        words = _words(position, estimate, config, speaker)
        status_at = turn.now + config.every
    if not words and comfort_at is not None and comfort_at <= turn.now:
        words = (config.comfort[comforts % len(config.comfort)],) if config.comfort else ()
        comfort_at, comforts = turn.now + config.comfort_every if config.comfort else None, comforts + 1
    words = speaker.named(words)
    if not words:
        turn.emit(AnnouncementsPlanned(turn.now, call.id, contact.id, status_at, comfort_at))
        return
    playback = turn.ids.draw_leg(call.node)
    announced = ContactAnnounced(
        *(turn.now, call.id, contact.id, queue.name, playback, words, position),
        *(estimate.under if estimate else None, status_at, comfort_at, comforts),
        expected=estimate.expected if estimate else None,
    )
    turn.emit(announced)
    turn.want(StopMusic(call.id, call.node, call.began.leg))
    turn.want(Play(call.id, call.node, call.began.leg, playback, words))


def _to_tell(turn: Turn, queue: Queue, contact: Contact) -> tuple[int | None, Estimate | None]:
    """The position and the wait this caller may be told now; None: neither asked for, nor sure, nor better than before."""
    config, told = queue.config.announce, contact.announcing
    position = queue.waiting.position(contact.id)
    estimate = queue.measures.to_tell(position, turn.now) if config.ewt else None
    if estimate is not None and told.promised_by is not None and turn.now + estimate.under > told.promised_by:
        estimate = None
    beyond = config.position is PositionTold.LIMIT and position > config.position_limit
    risen = told.position is not None and position > told.position
    return None if config.position is PositionTold.NO or beyond or risen else position, estimate


def _words(position: int | None, estimate: Estimate | None, config: AnnounceConfig, speaker: Speaker) -> tuple[str, ...]:
    language = speaker.language
    words: tuple[str, ...] = ()
    if position == 1:
        words = NEXT_IN_LINE
    elif position is None or language is None:
        pass
    elif config.position is PositionTold.MORE and position > config.position_limit:
        words = (MORE_THAN[0], *language.number(config.position_limit), MORE_THAN[1])
    else:
        words = (POSITION, *language.position(position))
    if estimate is not None and language is not None:
        words = (*words, UNDER, *language.minutes(estimate.under // timedelta(minutes=1)))
    return words


def ended(turn: Turn, contact: Contact, playback: str) -> None:
    """What we said has been heard, or cannot be: the music goes on, if the caller still waits."""
    if contact.announcing.playback != playback or contact.state not in (ContactState.WAITING, ContactState.OFFERED):
        return
    call = turn.state.calls[contact.entered.call]
    turn.emit(AnnouncementEnded(turn.now, call.id, contact.id, playback, turn.now + QUIET))
    play_music(turn, call, contact)


def play_music(turn: Turn, call: Call, contact: Contact) -> None:
    turn.want(StartMusic(call.id, call.node, call.began.leg, turn.state.queue(contact.entered.queue).config.music))
