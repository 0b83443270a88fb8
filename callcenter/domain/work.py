"""What an agent writes down of a contact while she talks and wraps up: her note, the answers of a script, how the call sounded.

Whoever asks names the contact: a page that is late must not write upon the next one.
"""

from callcenter.domain.agent import Agent
from callcenter.domain.contact import Contact, ContactState
from callcenter.domain.events import TalkFigures
from callcenter.domain.facts import ContactNoted, ScriptFilled, TalkMeasured
from callcenter.domain.turn import Turn

NOTE_LIMIT = 4000
"""Characters."""
ANSWERS_LIMIT = 20_000
"""Characters of all answers of one script together."""
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
    """What her softphone has counted, once the call is over for it."""
    contact = _hers(turn, agent, contact_id)
    if contact is None:
        return
    entered = contact.entered
    named = (figures.received, figures.lost, figures.jitter_ms, figures.rtt_ms)
    worst = (figures.worst_loss, figures.worst_jitter_ms, figures.worst_rtt_ms)
    turn.emit(TalkMeasured(turn.now, entered.call, contact.id, entered.queue, agent.name, *named, *worst))


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
