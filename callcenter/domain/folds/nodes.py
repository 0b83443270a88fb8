"""What facts of nodes change."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from callcenter.domain import facts as f
from callcenter.domain.contact import UNANSWERED, Contact
from callcenter.domain.deadlines import NODE_LOST
from callcenter.domain.node import Node

if TYPE_CHECKING:
    from callcenter.domain.state import State


def node_up(state: "State", fact: f.NodeUp) -> None:
    node = state.node(fact.node)
    node.started_at, node.lost_at = fact.started_at, None
    for alarm in node.held_back:
        state.deadlines.set(*alarm)
    node.held_back = set()
    for contact in _unanswered_on(state, node):
        state.line_up_contact(contact)
    state.callbacks.line_up_all()


def node_away(state: "State", fact: f.NodeAway) -> None:
    node = state.node(fact.node)
    node.lost_at = fact.lost_at
    state.deadlines.set(fact.lost_at, NODE_LOST, node.name)
    for contact in _unanswered_on(state, node):
        state.step_aside(contact)
    state.callbacks.line_up_all()


def fallback_call_ended(state: "State", fact: f.FallbackCallEnded) -> None:
    state.node(fact.node).log_offset = fact.log_offset


def _unanswered_on(state: "State", node: Node) -> Iterable[Contact]:
    calls = (state.calls[call] for call in sorted(node.calls))
    names = (name for call in calls for name in (call.contact, call.consult.contact if call.consult else ""))
    contacts = (state.contacts.get(name) for name in names)
    return [contact for contact in contacts if contact is not None and contact.state in UNANSWERED]


FOLDS: Mapping[type, Callable[..., None]] = {
    f.NodeUp: node_up,
    f.NodeAway: node_away,
    f.FallbackCallEnded: fallback_call_ended,
}
