"""The kinds of deadline, and whether one that comes due means anything still.

Deadlines are never taken back: whoever set one may have moved on long before it comes due. Those of callbacks are
``callback_register``'s.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from callcenter.domain.agent import Agent
from callcenter.domain.call import Call
from callcenter.domain.callback_register import DEADLINES as CALLBACK_DEADLINES
from callcenter.domain.contact import UNANSWERED, Contact, ContactState
from callcenter.domain.facts import AgentState
from callcenter.domain.machine import Alarm
from callcenter.domain.mailboxes import KEPT

if TYPE_CHECKING:
    from callcenter.domain.state import State

OFFER, WRAP_UP, REST, FLOW, MUSIC, OVERFLOW, NODE_LOST = "offer", "wrap_up", "rest", "flow", "music", "overflow", "node_lost"
KEYS, MENU, OWN, CONSULT = "keys", "menu", "own_call", "consult"
LOOK, ANNOUNCE, ADVANCE, SKILL, SWITCH, VISIT = "look", "announce", "advance", "skill", "switch", "visit"
NOTICE = "notice"


def expires_at(state: "State", agent: Agent) -> datetime | None:
    """The date on which the agent loses a skill next."""
    config = state.config.agents.get(agent.name)
    skills = config.skills if config is not None else {}
    return min((until for name in agent.skills if (until := skills[name].until) is not None), default=None)


def still_set(state: "State", alarm: Alarm) -> bool:
    """Whether what set it has not moved on since."""
    at, kind, subject = alarm
    if kind in CALLBACK_DEADLINES:
        return state.callbacks.still_set(alarm)
    if kind == KEPT:
        return state.mailboxes.still_set(alarm)
    return _SET_TO[kind](state, subject) == at


def _agent(date: Callable[["State", Agent], datetime | None]) -> "_SetTo":
    def set_to(state: "State", name: str) -> datetime | None:
        agent = state.agents.get(name)
        return date(state, agent) if agent is not None else None

    return set_to


def _call(date: Callable[[Call], datetime | None]) -> "_SetTo":
    def set_to(state: "State", name: str) -> datetime | None:
        call = state.calls.get(name)
        return date(call) if call is not None else None

    return set_to


def _contact(date: Callable[[Contact], datetime | None], *states: ContactState) -> "_SetTo":
    def set_to(state: "State", name: str) -> datetime | None:
        contact = state.contacts.get(name)
        return date(contact) if contact is not None and contact.state in states else None

    return set_to


def _asked_outside(call: Call) -> datetime | None:
    consult = call.consult
    return consult.outside.until if consult and consult.outside and consult.answered_at is None else None


def _queue_looks(state: "State", name: str) -> datetime | None:
    queue = state.queues.get(name)
    return queue.look_at if queue is not None else None


def _notice_expires(state: "State", name: str) -> datetime | None:
    notice = state.notices.open.get(name)
    return notice.sent.expires_at if notice is not None else None


_SetTo = Callable[["State", str], datetime | None]
_SET_TO: dict[str, _SetTo] = {
    WRAP_UP: _agent(lambda _, agent: agent.until if agent.state is AgentState.WRAP_UP else None),
    REST: _agent(lambda _, agent: agent.until if agent.state is not AgentState.WRAP_UP else None),
    KEYS: _agent(lambda _, agent: agent.keys_until),
    SKILL: _agent(expires_at),
    NODE_LOST: lambda state, name: state.nodes[name].lost_at if name in state.nodes else None,
    LOOK: _queue_looks,
    ADVANCE: lambda state, name: waiter.advances_at if (waiter := state.waiter(name)) else None,
    NOTICE: _notice_expires,
    SWITCH: lambda state, name: state.switches[name].until if name in state.switches else None,
    FLOW: _call(lambda call: call.flow.until if call.flow else None),
    VISIT: _call(lambda call: call.visit.until if call.visit else None),
    OWN: _call(lambda call: call.own.until if call.own else None),
    CONSULT: _call(_asked_outside),
    MENU: _call(lambda call: call.desk.until if call.desk else None),
    OFFER: lambda state, name: state.offers[name].offers[name].until if name in state.offers else None,
    ANNOUNCE: _contact(lambda contact: contact.announcing.due_at, ContactState.WAITING),
    MUSIC: _contact(lambda contact: contact.music_at, *UNANSWERED),
    OVERFLOW: _contact(lambda contact: contact.overflow_at, *UNANSWERED),
}
"""By kind: what date its subject now sets it to."""
