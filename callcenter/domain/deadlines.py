"""The kinds of deadline, and whether one that comes due means anything still.

Deadlines are never taken back: whoever set one may have moved on long before it comes due. Those of callbacks are
``callback_register``'s.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from callcenter.domain.agent import Agent
from callcenter.domain.callback_register import DEADLINES as CALLBACK_DEADLINES
from callcenter.domain.contact import UNANSWERED, ContactState
from callcenter.domain.facts import AgentState
from callcenter.domain.machine import Alarm
from callcenter.domain.mailboxes import KEPT

if TYPE_CHECKING:
    from callcenter.domain.state import State

OFFER, WRAP_UP, REST, FLOW, MUSIC, OVERFLOW, NODE_LOST = "offer", "wrap_up", "rest", "flow", "music", "overflow", "node_lost"
KEYS, MENU, OWN, CONSULT = "keys", "menu", "own_call", "consult"
LOOK, ANNOUNCE, ADVANCE, SKILL, SWITCH, VISIT = "look", "announce", "advance", "skill", "switch", "visit"
NOTICE = "notice"


def still_set(state: "State", alarm: Alarm) -> bool:
    """Whether what set it has not moved on since."""
    at, kind, subject = alarm
    if kind in (WRAP_UP, REST):
        agent = state.agents.get(subject)
        return agent is not None and agent.until == at and (agent.state is AgentState.WRAP_UP) is (kind == WRAP_UP)
    if kind in CALLBACK_DEADLINES:
        return state.callbacks.still_set(alarm)
    if kind == NODE_LOST:
        return subject in state.nodes and state.nodes[subject].lost_at == at
    if kind == LOOK:
        return subject in state.queues and state.queues[subject].look_at == at
    if kind == ADVANCE:
        waiter = state.waiter(subject)
        return waiter is not None and waiter.advances_at == at
    if kind == SKILL:
        agent = state.agents.get(subject)
        return agent is not None and expires_at(state, agent) == at
    if kind == NOTICE:
        return subject in state.notices.open and state.notices.open[subject].sent.expires_at == at
    if kind == SWITCH:
        return subject in state.switches and state.switches[subject].until == at
    if kind == FLOW:
        call = state.calls.get(subject)
        return call is not None and call.flow is not None and call.flow.until == at
    if kind == KEPT:
        return state.mailboxes.still_set(alarm)
    if kind == VISIT:
        call = state.calls.get(subject)
        return call is not None and call.visit is not None and call.visit.until == at
    if kind == KEYS:
        agent = state.agents.get(subject)
        return agent is not None and agent.keys_until == at
    if kind == OWN:
        call = state.calls.get(subject)
        return call is not None and call.own is not None and call.own.until == at
    if kind == CONSULT:
        call = state.calls.get(subject)
        asked = call.consult if call is not None else None
        return asked is not None and asked.outside is not None and asked.outside.until == at and asked.answered_at is None
    if kind == MENU:
        call = state.calls.get(subject)
        return call is not None and call.desk is not None and call.desk.until == at
    if kind == OFFER:
        return subject in state.offers and state.offers[subject].offers[subject].until == at
    contact = state.contacts.get(subject)
    if contact is None:
        return False
    if kind == ANNOUNCE:
        return contact.state is ContactState.WAITING and contact.announcing.due_at == at
    date = contact.music_at if kind == MUSIC else contact.overflow_at
    return contact.state in UNANSWERED and date == at


def expires_at(state: "State", agent: Agent) -> datetime | None:
    """The date on which the agent loses a skill next."""
    config = state.config.agents.get(agent.name)
    skills = config.skills if config is not None else {}
    return min((until for name in agent.skills if (until := skills[name].until) is not None), default=None)
