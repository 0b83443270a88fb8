"""What is done when each deadline comes."""

from collections.abc import Callable

from callcenter.domain import (
    announcing,
    asking_outside,
    callbacks,
    delivery,
    desk_menu,
    feature_keys,
    flows,
    mailbox_visits,
    missed,
    nodes,
    notices,
    opening,
    overflowing,
    own_calls,
    router,
    watch,
    wrap_up,
)
from callcenter.domain.agent import Agent
from callcenter.domain.call import Call
from callcenter.domain.callback_register import DEADLINES as CALLBACK_DEADLINES
from callcenter.domain.contact import Contact
from callcenter.domain.deadlines import (
    ADVANCE,
    ANNOUNCE,
    CONSULT,
    FLOW,
    KEYS,
    LOOK,
    MENU,
    MUSIC,
    NODE_LOST,
    NOTICE,
    OFFER,
    OVERFLOW,
    OWN,
    REST,
    SKILL,
    SWITCH,
    VISIT,
    WRAP_UP,
)
from callcenter.domain.facts import MissedWhy
from callcenter.domain.machine import Alarm
from callcenter.domain.mailboxes import KEPT
from callcenter.domain.turn import Turn


def _agents(story: Callable[[Turn, Agent], None]) -> Callable[[Turn, str], None]:
    return lambda turn, name: story(turn, turn.state.agents[name])


def _look(turn: Turn, name: str) -> None:
    watch.look(turn, turn.state.queues[name])
    overflowing.look(turn, turn.state.queues[name])


def _advance(turn: Turn, name: str) -> None:
    waiter = turn.state.waiter(name)
    if waiter is not None:
        router.advance(turn, waiter)


def _not_answered(turn: Turn, contact: Contact, offer: str) -> None:
    delivery.miss(turn, contact, contact.offers[offer], MissedWhy.NO_ANSWER)


DUE: dict[str, Callable[[Turn, str], None]] = {
    WRAP_UP: _agents(wrap_up.time_is_up),
    REST: _agents(missed.rest_is_over),
    KEYS: _agents(feature_keys.time_is_up),
    SKILL: _agents(router.expire_skills),
    LOOK: _look,
    NODE_LOST: nodes.lost,
    NOTICE: notices.time_is_up,
    KEPT: mailbox_visits.time_is_over,
    ADVANCE: _advance,
    SWITCH: opening.time_is_over,
}
"""What is done at a deadline that has nothing to do with any leg, by its kind."""
DUE_ON_CALL: dict[str, Callable[[Turn, Call], None]] = {
    FLOW: flows.time_is_up,
    OWN: own_calls.time_is_up,
    CONSULT: asking_outside.time_is_up,
    MENU: desk_menu.time_is_up,
    VISIT: mailbox_visits.time_is_up,
}
"""At one of a call."""
DUE_ON_CONTACT: dict[str, Callable[[Turn, Contact, str], None]] = {
    OFFER: _not_answered,
    ANNOUNCE: lambda turn, contact, _: announcing.due(turn, contact),
    MUSIC: lambda turn, contact, _: delivery.start_music(turn, contact),
    OVERFLOW: lambda turn, contact, _: overflowing.date_came(turn, contact),
}
"""At one of a contact, or of an offer of it."""


def due(turn: Turn, alarm: Alarm) -> None:
    """A deadline has come. While the node of its call is away we cannot know what happened there: it is decided once we are told."""
    _, kind, subject = alarm
    state = turn.state
    if kind in DUE:
        DUE[kind](turn, subject)
        return
    if kind in CALLBACK_DEADLINES:
        _callback_due(turn, alarm)
        return
    contact = state.offers.get(subject) or state.contacts.get(subject)
    call = state.calls[contact.entered.call if contact else subject]
    node = state.node(call.node)
    if node.away and node.lost_at is not None and turn.now < node.lost_at:
        node.held_back.add(alarm)
    elif kind in DUE_ON_CALL:
        DUE_ON_CALL[kind](turn, call)
    elif contact is not None:
        DUE_ON_CONTACT[kind](turn, contact, subject)


def _callback_due(turn: Turn, alarm: Alarm) -> None:
    _, kind, subject = alarm
    call = turn.state.calls.get(turn.state.callbacks.open[subject].live_call)
    if call is not None and turn.state.node(call.node).away:
        turn.state.node(call.node).held_back.add(alarm)
    else:
        callbacks.due(turn, kind, subject)
