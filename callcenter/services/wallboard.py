"""What a wallboard shows at one moment, as rows: figures of the whole scope, queues, agents, opening hours, who waits, and who talks.

Durations are dates (``since``), which screens let run by themselves: a row changes only when something happened. ``levels`` says which
figures have passed a threshold: ``warn`` or ``alarm``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from callcenter.domain.agent import Agent
from callcenter.domain.call import Call
from callcenter.domain.contact import ContactState
from callcenter.domain.facts import AgentState
from callcenter.domain.queue import Queue
from callcenter.domain.rights import Scope
from callcenter.domain.state import State
from callcenter.services.calendar_desk import calendars_view
from callcenter.services.control import Json, JsonObject
from callcenter.services.live_view import between_contacts, phase_of, since_of

WARN, ALARM = "warn", "alarm"
MOST_ROWS = 500
"""Of those who wait, and of calls; the rest is counted, not listed."""
ALARM_WAIT = 3
"""A wait of so many times the target is alarming."""
ALARM_LEVEL = 0.2
"""A service level so far below its target is alarming."""

Row = JsonObject
Rows = Mapping[str, Row]
"""By key."""
Today = Mapping[str, Mapping[str, object]]
"""Today's measures by queue, from the books; empty while nobody knows."""


@dataclass(frozen=True, slots=True)
class Board:
    """Everything on it, by table."""

    tables: Mapping[str, Rows]


@dataclass(frozen=True, slots=True)
class View:
    """Whose wallboard: what is in her scope, and whether callers and contacts are shown one by one."""

    scope: Scope
    details: bool

    def has_queue(self, queue: str) -> bool:
        return self.scope.has_queue(queue)

    def has_agent(self, agent: Agent, team: str) -> bool:
        queues = self.scope.queues is None or any(queue in self.scope.queues for queue in agent.queues)
        return queues and (self.scope.teams is None or team in self.scope.teams)


def board(state: State, view: View, now: datetime, today: Today) -> Board:
    """As the center is now."""
    queues = [queue for name, queue in sorted(state.queues.items()) if view.has_queue(name)]
    agents = [agent for name, agent in sorted(state.agents.items()) if view.has_agent(agent, team_of(state, name))]
    calls = [
        call for call in state.calls.values() if call.ended_at is None and not between_contacts(state, call) and _in(state, view, call)
    ]
    talking = _talking_in(state, agents)
    tables: dict[str, Rows] = {
        "totals": {"totals": _totals(queues, agents, calls, now, today)},
        "queues": {queue.name: _queue(queue, now, today.get(queue.name, {}), talking.get(queue.name, 0)) for queue in queues},
        "agents": {agent.name: _agent(state, agent) for agent in agents},
        "nodes": {node.name: {"name": node.name, "connected": not node.away} for node in state.nodes.values()},
        "calendars": {str(view["calendar"]): cast(Row, view) for view in calendars_view(state, now)},
    }
    if view.details:
        tables["waiting"] = {row["contact"]: row for row in _waiting(state, queues)}  # type: ignore[misc]
        tables["calls"] = {call.id: _call(state, call) for call in calls[:MOST_ROWS]}
    return Board(tables)


def team_of(state: State, agent: str) -> str:
    config = state.config.agents.get(agent)
    return config.team if config is not None else ""


def _in(state: State, view: View, call: Call) -> bool:
    contact = state.contacts.get(call.contact)
    return view.has_queue(contact.entered.queue) if contact is not None else view.scope.queues is None


def _talking_in(state: State, agents: Iterable[Agent]) -> Mapping[str, int]:
    """How many of them talk, by queue."""
    counted: dict[str, int] = {}
    for agent in agents:
        contact = state.contacts.get(agent.contact) if agent.state is AgentState.TALKING else None
        if contact is not None:
            counted[contact.entered.queue] = counted.get(contact.entered.queue, 0) + 1
    return counted


# --- rows ---------------------------------------------------------------------------------------


def _totals(queues: Sequence[Queue], agents: Sequence[Agent], calls: Sequence[Call], now: datetime, today: Today) -> Row:
    oldest = min((oldest for queue in queues if (oldest := _oldest(queue)) is not None), default=None)
    states: dict[str, Json] = dict.fromkeys((state.value for state in AgentState), 0)
    for agent in agents:
        states[agent.state.value] = int(str(states[agent.state.value])) + 1
    rows = [today[queue.name] for queue in queues if queue.name in today]
    levels = [level for queue in queues if (level := _levels(queue, now, today.get(queue.name, {})).get("longest"))]
    return {
        **states,
        "waiting": sum(queue.unanswered for queue in queues),
        "longest": _date(oldest),
        "calls": len(calls),
        "answered": _sum(rows, "answered"),
        "abandoned": _sum(rows, "abandoned"),
        "levels": {"longest": ALARM if ALARM in levels else WARN} if levels else {},
    }


def _queue(queue: Queue, now: datetime, today: Mapping[str, object], talking: int) -> Row:
    level = _number(today.get("service_level"))
    recent = queue.measures.service_level(now)
    return {
        "name": queue.name,
        "waiting": queue.unanswered,
        "longest": _date(_oldest(queue)),
        "ready": len(queue.ready),
        "talking": talking,
        "logged_in": queue.logged_in,
        "service_level": level,
        "service_level_now": round(recent, 3) if recent is not None else None,
        "target": queue.config.target_ratio,
        "target_s": queue.config.target_wait.total_seconds(),
        "offered": _count(today.get("offered")),
        "answered": _count(today.get("answered")),
        "abandoned": _count(today.get("abandoned")),
        "overflowed": _count(today.get("overflowed")),
        "abandon_rate": _number(today.get("abandon_rate")),
        "asa_s": _number(today.get("asa_s")),
        "aht_s": _number(today.get("aht_s")),
        "levels": _levels(queue, now, today),
    }


def _levels(queue: Queue, now: datetime, today: Mapping[str, object]) -> dict[str, Json]:
    levels: dict[str, Json] = {}
    oldest, target = _oldest(queue), queue.config.target_wait
    if oldest is not None and now - oldest > target:
        levels["longest"] = ALARM if now - oldest > ALARM_WAIT * target else WARN
    if queue.unanswered and not queue.logged_in:
        levels["logged_in"] = ALARM
    elif queue.unanswered and not len(queue.ready):
        levels["ready"] = WARN
    for name, ratio in (("service_level", _number(today.get("service_level"))), ("service_level_now", queue.measures.service_level(now))):
        if ratio is not None and ratio < queue.config.target_ratio:
            levels[name] = ALARM if ratio < queue.config.target_ratio - ALARM_LEVEL else WARN
    return levels


def _agent(state: State, agent: Agent) -> Row:
    contact = state.contacts.get(agent.contact)
    call = state.calls.get(contact.entered.call) if contact is not None else None
    return {
        "name": agent.name,
        "team": team_of(state, agent.name),
        "state": agent.state.value,
        "reason": agent.reason,
        "since": _date(agent.since),
        "later": agent.remembered.state.value if agent.remembered is not None else "",
        "held": contact is not None and contact.held_since is not None,
        "queue": contact.entered.queue if contact is not None else "",
        "contact": contact.id if contact is not None else "",
        "call": call.id if call is not None else "",
        "queues": list(agent.queues),
        "phone_reachable": agent.reachable,
    }


def _waiting(state: State, queues: Sequence[Queue]) -> Iterable[Row]:
    """Longest first within each queue's order."""
    for queue in queues:
        for place, name in enumerate(queue.waiting.in_order()[:MOST_ROWS], start=1):
            contact = state.contacts.get(name)
            if contact is not None:
                yield {
                    "contact": contact.id,
                    "caller": contact.entered.caller,
                    "caller_name": state.calls[contact.entered.call].began.caller_name,
                    "queue": queue.name,
                    "place": place,
                    "since": _date(contact.entered.entered_at),
                    "priority": contact.waiter.priority,
                }


def _call(state: State, call: Call) -> Row:
    contact = state.contacts.get(call.contact)
    agents = [offered.agent for offered in contact.offers.values()] if contact is not None else []
    return {
        "call": call.id,
        "contact": contact.id if contact is not None else "",
        "caller": call.began.caller,
        "caller_name": call.began.caller_name,
        "dialed": call.began.dialed,
        "phase": phase_of(call, contact),
        "since": _date(since_of(call, contact)),
        "began": _date(call.began.at),
        "queue": contact.entered.queue if contact is not None else "",
        "agent": ", ".join(agents) or call.began.agent,
        "connected": contact is not None and contact.state is ContactState.CONNECTED,
    }


# --- values -------------------------------------------------------------------------------------


def _oldest(queue: Queue) -> datetime | None:
    """Since when the one waits who has waited longest."""
    head = queue.oldest.head()
    return head[0] if head is not None else None


def _date(at: datetime | None) -> Json:
    return at.isoformat() if at is not None else None


def _number(value: object) -> float | None:
    return None if isinstance(value, bool) or not isinstance(value, int | float) else round(float(value), 3)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _sum(rows: Sequence[Mapping[str, object]], name: str) -> Json:
    counts = [count for row in rows if (count := _count(row.get(name))) is not None]
    return sum(counts) if rows else None
