"""What an agent writes down of a contact while she talks and wraps up: her note, the answers of a script, how the call sounded.

Whoever asks names the contact: a page that is late must not write upon the next one.
"""

from dataclasses import replace
from datetime import timedelta

from callcenter.domain.agent import Agent
from callcenter.domain.contact import Contact, ContactState
from callcenter.domain.events import TalkFigures
from callcenter.domain.facts import AgentTalkOver, ContactNoted, ScriptFilled, TalkMeasured
from callcenter.domain.turn import Turn

NOTE_LIMIT = 4000
"""Characters."""
ANSWERS_LIMIT = 20_000
"""Characters of all answers of one script together."""
MEASURED_WITHIN = timedelta(seconds=30)
"""After the end of a contact: so long its softphone's figures are taken."""
WRITTEN_LIMIT = 200
"""Times that something is written of one contact: each is kept until the call is forgotten."""


def note(turn: Turn, agent: Agent, contact_id: str, text: str) -> None:
    contact = _hers(turn, agent, contact_id)
    if contact is None:
        return
    if len(text) > NOTE_LIMIT:
        turn.refuse(f"a note has at most {NOTE_LIMIT} characters, and this one {len(text)}")
    elif text != contact.note:
        entered = contact.entered
        turn.emit(ContactNoted(turn.now, entered.call, contact.id, entered.queue, agent.name, text))


def fill(turn: Turn, agent: Agent, contact_id: str, script: str, fields: tuple[str, ...], answers: tuple[str, ...], done: bool) -> None:
    contact = _hers(turn, agent, contact_id)
    if contact is None:
        return
    if len(fields) != len(answers) or len(set(fields)) != len(fields):
        turn.refuse("each field of a script has one answer")
    elif sum(map(len, (*fields, *answers))) > ANSWERS_LIMIT:
        turn.refuse(f"the answers of a script have at most {ANSWERS_LIMIT} characters together")
    else:
        entered = contact.entered
        turn.emit(ScriptFilled(turn.now, entered.call, contact.id, entered.queue, agent.name, script, fields, answers, done))


def measured(turn: Turn, agent: Agent, contact_id: str, figures: TalkFigures) -> None:
    """What her softphone has counted, once the call is over for it; without a wrap-up the contact is over by then, too."""
    named = (figures.received, figures.lost, figures.jitter_ms, figures.rtt_ms)
    worst = (figures.worst_loss, figures.worst_jitter_ms, figures.worst_rtt_ms)
    over = _just_over(turn, agent, contact_id)
    if over is not None:
        turn.emit(TalkMeasured(turn.now, over.call, over.contact, over.queue, agent.name, *named, *worst))
        turn.emit(replace(over, measured=True))
        return
    contact = _hers(turn, agent, contact_id)
    if contact is not None:
        entered = contact.entered
        turn.emit(TalkMeasured(turn.now, entered.call, contact.id, entered.queue, agent.name, *named, *worst))


def _just_over(turn: Turn, agent: Agent, contact_id: str) -> AgentTalkOver | None:
    """Her last contact, if it is that one, has ended a moment ago, and has no figures yet since."""
    _, over = agent.history.get(AgentTalkOver, (0, None))
    if not isinstance(over, AgentTalkOver) or over.contact != contact_id or over.measured or agent.contact == contact_id:
        return None
    return over if turn.now - over.at <= MEASURED_WITHIN else None


def _hers(turn: Turn, agent: Agent, contact_id: str) -> Contact | None:
    """The contact she talks with or wraps up, if that is the one meant; else it is said why not."""
    contact = turn.state.contacts.get(contact_id)
    at_work = contact is not None and contact.state in (ContactState.CONNECTED, ContactState.WRAPPING)
    if contact is None or not at_work or agent.contact != contact_id:
        turn.refuse(f"this contact is not {agent.name}'s any more, so nothing can be written of it")
        return None
    if contact.written >= WRITTEN_LIMIT:
        turn.refuse(f"of one contact something can be written {WRITTEN_LIMIT} times, and it was")
        return None
    return contact
