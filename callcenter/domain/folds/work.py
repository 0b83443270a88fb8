"""What facts of agents' work change: the note and the answers of a contact, and on which leg she talks."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from callcenter.domain import facts as f
from callcenter.domain.contact import ContactState
from callcenter.domain.machine import IllegalTransition

if TYPE_CHECKING:
    from callcenter.domain.state import State

AT_WORK = (ContactState.CONNECTED, ContactState.WRAPPING)


def contact_noted(state: "State", fact: f.ContactNoted) -> None:
    contact = state.contacts[fact.contact]
    if contact.state not in AT_WORK:
        raise IllegalTransition(contact.id, contact.state, "ContactNoted")
    contact.note = fact.note
    contact.written += 1


def script_filled(state: "State", fact: f.ScriptFilled) -> None:
    contact = state.contacts[fact.contact]
    if contact.state not in AT_WORK:
        raise IllegalTransition(contact.id, contact.state, "ScriptFilled")
    contact.answers = {**contact.answers, fact.script: dict(zip(fact.fields, fact.answers, strict=True))}
    contact.written += 1


def talk_measured(state: "State", fact: f.TalkMeasured) -> None:
    contact = state.contacts.get(fact.contact)
    if contact is not None:  # else it was over already
        contact.written += 1


def agent_leg_redialed(state: "State", fact: f.AgentLegRedialed) -> None:
    contact = state.contacts[fact.contact]
    offered = contact.offer_to(fact.lost)
    if contact.state is not ContactState.CONNECTED or offered is None:
        raise IllegalTransition(contact.id, contact.state, "AgentLegRedialed")
    contact.offers = {offered.offer: replace(offered, leg=fact.leg)}
    contact.resuming = True
    consult = state.calls[fact.call].consult
    if consult is not None and consult.leg == fact.lost:
        consult.leg = fact.leg


def agent_leg_resumed(state: "State", fact: f.AgentLegResumed) -> None:
    contact = state.contacts[fact.contact]
    if not contact.resuming or contact.offer_to(fact.leg) is None:
        raise IllegalTransition(contact.id, contact.state, "AgentLegResumed")
    contact.resuming = False


FOLDS: Mapping[type, Callable[..., None]] = {
    f.ContactNoted: contact_noted,
    f.ScriptFilled: script_filled,
    f.TalkMeasured: talk_measured,
    f.AgentLegRedialed: agent_leg_redialed,
    f.AgentLegResumed: agent_leg_resumed,
}
