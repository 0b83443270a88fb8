"""What facts of announcements change."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from callcenter.domain import facts as f
from callcenter.domain.contact import Contact, ContactState
from callcenter.domain.deadlines import ANNOUNCE
from callcenter.domain.ewt import Estimate
from callcenter.domain.machine import IllegalTransition

if TYPE_CHECKING:
    from callcenter.domain.state import State


def contact_announced(state: "State", fact: f.ContactAnnounced) -> None:
    contact = state.contacts[fact.contact]
    if contact.state is not ContactState.WAITING:
        raise IllegalTransition(contact.id, contact.state, type(fact).__name__)
    announcing = contact.announcing
    announcing.playback, announcing.comforts = fact.playback, fact.comforts
    announcing.status_at, announcing.comfort_at = fact.status_at, fact.comfort_at
    if fact.position is not None:
        announcing.position = fact.position
    if fact.under is not None:
        announcing.told.append((fact.at, Estimate(fact.under, fact.expected or fact.under)))


def announcement_ended(state: "State", fact: f.AnnouncementEnded) -> None:
    contact = state.contacts[fact.contact]
    contact.announcing.playback, contact.announcing.quiet_until = "", fact.quiet_until
    announce_later(state, contact)


def announcements_planned(state: "State", fact: f.AnnouncementsPlanned) -> None:
    contact = state.contacts[fact.contact]
    contact.announcing.status_at, contact.announcing.comfort_at = fact.status_at, fact.comfort_at
    announce_later(state, contact)


def announce_later(state: "State", contact: Contact) -> None:
    due_at = contact.announcing.due_at
    if due_at is not None:
        state.deadlines.set(due_at, ANNOUNCE, contact.id)


FOLDS: Mapping[type, Callable[..., None]] = {
    f.ContactAnnounced: contact_announced,
    f.AnnouncementEnded: announcement_ended,
    f.AnnouncementsPlanned: announcements_planned,
}
