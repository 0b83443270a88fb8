"""What facts of voicemail change."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from callcenter.domain import facts as f
from callcenter.domain.deadlines import VISIT
from callcenter.domain.facts.voicemail import MailboxFact, Stage
from callcenter.domain.machine import IllegalTransition
from callcenter.domain.mailbox import Visit

if TYPE_CHECKING:
    from callcenter.domain.state import State


def visit_began(state: "State", fact: f.VisitBegan) -> None:
    call = state.calls[fact.call]
    if call.visit is not None:
        raise IllegalTransition(fact.call, "at a mailbox", "VisitBegan")
    call.visit = Visit(fact, fact.mailbox)
    if (agent := state.agents.get(fact.agent)) is not None:
        agent.own_calls |= {fact.call}
    if not fact.listening:
        state.mailboxes.came(fact.mailbox, fact.call)


def _visit(state: "State", fact: f.VisitFact) -> Visit:
    visit = state.calls[fact.call].visit
    if visit is None:
        raise IllegalTransition(fact.call, "at no mailbox", type(fact).__name__)
    return visit


def visit_moved(state: "State", fact: f.VisitMoved) -> None:
    visit = _visit(state, fact)
    if fact.stage is Stage.FAREWELL:  # whatever was recorded is kept or dropped
        visit.recorded_since, visit.taken = None, None
    visit.stage, visit.tries, visit.playback, visit.prompts = fact.stage, fact.tries, fact.playback, fact.prompts or visit.prompts
    visit.until, visit.message, visit.mailbox, visit.ask = fact.until, fact.message, fact.mailbox, fact.ask
    if fact.stage is Stage.MESSAGE and fact.message not in visit.seen:
        visit.seen.append(fact.message)
    if fact.until is not None:
        state.deadlines.set(fact.until, VISIT, fact.call)


def visit_ended(state: "State", fact: f.VisitEnded) -> None:
    state.mailboxes.went(_visit(state, fact).began.mailbox, fact.call)
    state.calls[fact.call].visit = None
    if (agent := state.agents.get(fact.agent)) is not None:
        agent.own_calls -= {fact.call}


def message_began(state: "State", fact: f.MessageBegan) -> None:
    visit = _visit(state, fact)
    visit.message, visit.recorded_since, visit.taken = fact.message, fact.at, None


def message_taken(state: "State", fact: f.MessageTaken) -> None:
    _visit(state, fact).taken = fact.length


def message_dropped(state: "State", fact: f.MessageDropped) -> None:
    visit = _visit(state, fact)
    visit.recorded_since, visit.taken = None, None


def mailbox_changed(state: "State", fact: MailboxFact) -> None:
    state.mailboxes.apply(fact)


FOLDS: Mapping[type, Callable[..., None]] = {
    f.VisitBegan: visit_began,
    f.VisitMoved: visit_moved,
    f.VisitEnded: visit_ended,
    f.MessageBegan: message_began,
    f.MessageTaken: message_taken,
    f.MessageDropped: message_dropped,
    **dict.fromkeys(MailboxFact.__args__, mailbox_changed),
}
