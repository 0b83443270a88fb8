"""An agent, or who knows the PIN, listens to a mailbox by phone.

::

    NUMBER ──► PIN ──► CHECKING ──► MESSAGE ──► … ──► NO_MORE
       ▲         ▲         │           │ 9              │ 9
       └─────────┴─────────┘           └► GREETING ◄────┘   (``voicemail`` records it)

Digits live in ``call.secrets`` alone: a PIN is in no fact and no log, and after a restart it is asked for again.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta

from callcenter.domain import by_phone, callbacks
from callcenter.domain.agent import Agent
from callcenter.domain.call import Call
from callcenter.domain.commands import AskOutside, WithdrawAsk, recorded_prompt
from callcenter.domain.events import AskAnswered, CallbackRequested
from callcenter.domain.facts import MessageDeleted, MessageHeard, MessageSaved, PinAccepted, PinRefused, VisitBegan
from callcenter.domain.facts.voicemail import Stage, VisitOutcome
from callcenter.domain.ivr.speech import LANGUAGE, Pieces, SpeakAs, Spoken
from callcenter.domain.lamps import show
from callcenter.domain.mailbox import Message
from callcenter.domain.mailbox_config import mailbox_of
from callcenter.domain.mailbox_pin import NONE_SET, RIGHT, MailboxPinQuestion
from callcenter.domain.mailbox_pin import WRONG as WRONG_PIN
from callcenter.domain.turn import Turn
from callcenter.domain.visiting import BEEP, TRIES, config_of, end, hush, listen, said_last, say, visit_of

ASK_NUMBER, ASK_PIN, WRONG = "voicemail-number", "voicemail-pin", "voicemail-wrong-pin"
NEW, OLD, NO_MESSAGE, NO_MORE, MENU = "voicemail-new", "voicemail-old", "voicemail-none", "voicemail-no-more", "voicemail-menu"
FROM, FROM_UNKNOWN = "voicemail-from", "voicemail-unknown-caller"
DELETED, SAVED, WILL_CALL, NOT_POSSIBLE = "voicemail-deleted", "voicemail-saved", "voicemail-will-call-back", "not-possible"
RECORD_GREETING = "voicemail-record-greeting"

ENTRY = "mailbox entry"
"""Under which name the digits are kept that are being entered."""
LONGEST_ENTRY = 10
CHECKED_WITHIN = timedelta(seconds=5)
DONE, LEAVE, GREETING = "#", "*", "9"


# --- the way in ---------------------------------------------------------------------------------


def dial_in(turn: Turn, call: Call, agent: Agent, digits: str) -> bool:
    """She dialed the star code: her own mailbox, or with a number behind it that of her queue of that number. False: there is none."""
    config = turn.state.config.agents.get(agent.name)
    queues = config.queues if config is not None else ()
    if digits and not (digits.isascii() and digits.isdigit() and 1 <= int(digits) <= len(queues)):
        return False
    mailbox = mailbox_of(queue=queues[int(digits) - 1]) if digits else mailbox_of(agent=agent.name)
    if mailbox not in turn.state.config.mailboxes:
        return False
    turn.emit(VisitBegan(turn.now, call.id, mailbox, listening=True, agent=agent.name))
    _check(turn, call, "")
    return True


def arrive(turn: Turn, call: Call) -> None:
    """From outside: number and PIN of the mailbox."""
    turn.emit(VisitBegan(turn.now, call.id, "", listening=True))
    say(turn, call, Stage.NUMBER, ASK_NUMBER)


def _check(turn: Turn, call: Call, pin: str) -> None:
    visit, ask = visit_of(call), turn.ids.draw()
    listen(turn, call, CHECKED_WITHIN, ask)
    turn.want(AskOutside(call.id, call.node, call.began.leg, ask, MailboxPinQuestion(visit.mailbox, pin), CHECKED_WITHIN))


def answered(turn: Turn, event: AskAnswered) -> None:
    """Whether the PIN opens the mailbox. Without one, only desk phones do."""
    call = turn.state.calls.get(event.call)
    if call is None or call.visit is None or not call.visit.ask or call.visit.ask != event.ask:
        return
    visit = call.visit
    if event.outcome == RIGHT:
        turn.emit(PinAccepted(turn.now, visit.mailbox, call.id))
        _open(turn, call)
    elif event.outcome == NONE_SET and visit.began.agent:
        _open(turn, call)
    elif not visit.prompts:  # nothing was asked yet: a desk phone, and the mailbox has a PIN
        say(turn, call, Stage.PIN, ASK_PIN)
    else:
        if event.outcome == WRONG_PIN:
            turn.emit(PinRefused(turn.now, visit.mailbox, call.id))
        _refuse(turn, call)


def _refuse(turn: Turn, call: Call) -> None:
    """Whatever was wrong, the same is said: nobody learns which mailboxes there are."""
    visit = visit_of(call)
    tries = visit.tries + 1
    if tries >= TRIES:
        say(turn, call, Stage.FAREWELL, WRONG)
    elif visit.began.mailbox:
        say(turn, call, Stage.PIN, WRONG, ASK_PIN, tries=tries)
    else:
        say(turn, call, Stage.NUMBER, WRONG, ASK_NUMBER, tries=tries, mailbox="")


def _entered(turn: Turn, call: Call) -> None:
    """An entry is whole; an empty one is asked for again."""
    visit, entry = visit_of(call), call.secrets.pop(ENTRY, "")
    if not entry:
        _refuse(turn, call)
    elif visit.stage is Stage.NUMBER:
        say(turn, call, Stage.PIN, ASK_PIN, tries=visit.tries, mailbox=turn.state.mailboxes.by_number.get(entry, ""))
    elif not visit.mailbox or turn.state.mailboxes.mailbox(visit.mailbox).is_locked(turn.now):
        hush(turn, call)
        _refuse(turn, call)
    else:
        hush(turn, call)
        _check(turn, call, entry)


def _digit(turn: Turn, call: Call, digit: str) -> None:
    if digit == LEAVE:
        call.secrets.pop(ENTRY, None)
        hush(turn, call)
        end(turn, call, VisitOutcome.CANCELLED)
        return
    if digit != DONE:
        call.secrets[ENTRY] = call.secrets.get(ENTRY, "") + digit
    if digit == DONE or len(call.secrets[ENTRY]) >= LONGEST_ENTRY:
        _entered(turn, call)
    else:
        hush(turn, call)
        listen(turn, call)


# --- what happens -------------------------------------------------------------------------------


def prompt_ended(turn: Turn, call: Call) -> None:
    visit = visit_of(call)
    if visit.stage is Stage.FAREWELL:
        if said_last(visit) == WRONG:
            end(turn, call, VisitOutcome.FAILED)
        else:  # of a greeting
            say(turn, call, Stage.NO_MORE, NO_MORE)
    elif visit.stage is Stage.MESSAGE and said_last(visit) != MENU:
        if (message := turn.state.mailboxes.messages.get(visit.message)) is not None:
            hear(turn, message, _by(call))
        say(turn, call, Stage.MESSAGE, MENU)
    else:
        listen(turn, call)


def key_pressed(turn: Turn, call: Call, digit: str) -> None:
    visit = visit_of(call)
    if visit.stage in (Stage.NUMBER, Stage.PIN):
        _digit(turn, call, digit)
    elif visit.stage in (Stage.MESSAGE, Stage.NO_MORE):
        if digit == LEAVE:
            hush(turn, call)
            end(turn, call, VisitOutcome.LISTENED)
        elif digit == GREETING:
            say(turn, call, Stage.GREETING, RECORD_GREETING, BEEP)
        elif visit.stage is Stage.MESSAGE:
            _message_key(turn, call, digit)


def time_is_up(turn: Turn, call: Call) -> None:
    """No key came, or the PIN could not be checked in time."""
    visit = visit_of(call)
    if visit.stage in (Stage.NUMBER, Stage.PIN):
        _entered(turn, call)
    elif visit.stage is Stage.CHECKING:
        turn.want(WithdrawAsk(call.id, call.node, visit.ask))
        _refuse(turn, call)
    elif visit.stage is Stage.MESSAGE and visit.tries + 1 < TRIES:
        say(turn, call, Stage.MESSAGE, MENU, tries=visit.tries + 1)
    else:
        end(turn, call, VisitOutcome.LISTENED)


def _by(call: Call) -> str:
    return visit_of(call).began.agent or "phone"


# --- messages -----------------------------------------------------------------------------------


def _open(turn: Turn, call: Call) -> None:
    mailbox = turn.state.mailboxes.mailbox(visit_of(call).mailbox)
    said = (NEW, Spoken(SpeakAs.NUMBER, "new"), OLD, Spoken(SpeakAs.NUMBER, "old"))
    counts = _in_words(turn, call, said, {"new": str(mailbox.new), "old": str(mailbox.old)})
    _next(turn, call, *(counts if mailbox.messages else ()))


def _next(turn: Turn, call: Call, *before: str) -> None:
    """The first that was not played in this visit: new ones first, the oldest of them; then the others."""
    visit = visit_of(call)
    left = [each for each in turn.state.mailboxes.mailbox(visit.mailbox).messages.values() if each.id not in visit.seen]
    message = next((each for each in left if not each.heard), left[0] if left else None)
    if message is not None:
        _play(turn, call, message, *before)
    else:
        say(turn, call, Stage.NO_MORE, *before, *(() if visit.seen else (NO_MESSAGE,)), NO_MORE)


def _in_words(turn: Turn, call: Call, said: Pieces, values: Mapping[str, str]) -> tuple[str, ...]:
    """In the language of the call."""
    return turn.state.config.languages.speaker(call.attributes.get(LANGUAGE, "")).say(said, values)


def _play(turn: Turn, call: Call, message: Message, *before: str) -> None:
    caller = message.left.caller
    who = _in_words(turn, call, (FROM, Spoken(SpeakAs.DIGITS, "caller")), {"caller": caller}) if caller else (FROM_UNKNOWN,)
    if message.id not in visit_of(call).seen:  # else it is said again
        told = {"message": message.id, "mailbox": message.left.mailbox}
        by_phone.note(turn, call, visit_of(call).began.agent, by_phone.LISTEN, **told)
    say(turn, call, Stage.MESSAGE, *before, *who, recorded_prompt(message.id), message=message.id)


def _message_key(turn: Turn, call: Call, digit: str) -> None:
    message = turn.state.mailboxes.messages.get(visit_of(call).message)
    if message is None:  # deleted meanwhile
        _next(turn, call)
    elif digit in _KEYS:
        _KEYS[digit](turn, call, message)
    else:
        say(turn, call, Stage.MESSAGE, MENU)


def _on(turn: Turn, call: Call, message: Message) -> None:
    hear(turn, message, _by(call))
    _next(turn, call)


def _again(turn: Turn, call: Call, message: Message) -> None:
    _play(turn, call, message)


def _delete(turn: Turn, call: Call, message: Message) -> None:
    delete(turn, message, _by(call))
    _next(turn, call, DELETED)


def _save(turn: Turn, call: Call, message: Message) -> None:
    hear(turn, message, _by(call))
    kept_until = turn.now + config_of(turn, visit_of(call)).keep
    turn.emit(MessageSaved(turn.now, message.left.mailbox, message.id, _by(call), kept_until))
    _next(turn, call, SAVED)


def _call_back(turn: Turn, call: Call, message: Message) -> None:
    """A callback of the agent's own, or of the mailbox's queue; she gets it when she is ready."""
    hear(turn, message, _by(call))
    mailbox, agent = config_of(turn, visit_of(call)), visit_of(call).began.agent
    owner = agent or mailbox.agent
    served = turn.state.config.agents[owner].queues if owner in turn.state.config.agents else ()
    queues = (mailbox.queue,) if mailbox.queue else served
    calling = [name for name in queues if name in turn.state.config.queues and turn.state.config.queues[name].callback is not None]
    promised = bool(calling) and bool(message.left.caller)
    if promised:
        wish = CallbackRequested(
            turn.ids.draw(), calling[0], message.left.caller, caller_name=message.left.caller_name, owner=owner, by=_by(call)
        )
        callbacks.request(turn, wish)
        told = {"callback": wish.callback, "queue": wish.queue, "number": wish.number, "owner": owner}
        by_phone.note(turn, call, agent, "callback_add", turn.out.refusal, **told)
        promised, turn.out.refusal = turn.out.refusal is None, None  # it is said by phone
    say(turn, call, Stage.MESSAGE, WILL_CALL if promised else NOT_POSSIBLE, MENU)


_KEYS: Mapping[str, Callable[[Turn, Call, Message], None]] = {"1": _on, "2": _again, "3": _delete, "4": _call_back, "5": _save}


def delete(turn: Turn, message: Message, by: str) -> None:
    mailbox = message.left.mailbox
    turn.emit(MessageDeleted(turn.now, mailbox, message.id, by))
    show(turn, mailbox)


def hear(turn: Turn, message: Message, by: str) -> None:
    """It is new no longer."""
    if not message.heard:
        turn.emit(MessageHeard(turn.now, message.left.mailbox, message.id, by))
        show(turn, message.left.mailbox)
