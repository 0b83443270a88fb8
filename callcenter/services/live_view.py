"""What is going on right now, as JSON for screens and commands: nodes, queues, agents, calls."""

from collections.abc import Mapping
from datetime import datetime

from callcenter.domain.call import Call
from callcenter.domain.contact import Contact, ContactState
from callcenter.domain.facts import Direction
from callcenter.domain.outward import talks
from callcenter.domain.state import State
from callcenter.domain.supervision import Supervision
from callcenter.services.calendar_desk import calendars_view

WAITING_SHOWN = 100
"""Per queue; the rest is counted, not listed."""


def live_view(state: State, seq: int, now: datetime) -> dict[str, object]:
    """The whole picture after record ``seq``; dates are ISO 8601 UTC."""
    return {
        "seq": seq,
        "at": now.isoformat(),
        "nodes": [
            {"name": node.name, "connected": not node.away, "since": _date(node.started_at), "calls": len(node.calls)}
            for node in state.nodes.values()
        ],
        "queues": [_queue(state, name) for name in sorted(state.queues)],
        "agents": [
            {
                "name": agent.name,
                "state": agent.state,
                "reason": agent.reason,
                "since": _date(agent.since),
                "contact": agent.contact,
                "until": _date(agent.until),
                "queues": list(agent.queues),
                "opted_out": list(agent.opted_out),
                "phone_reachable": agent.reachable,
                "leg_up": bool(agent.leg),
            }
            for agent in sorted(state.agents.values(), key=lambda agent: agent.name)
        ],
        "supervisions": [_supervision(call.supervision) for call in state.supervising.values() if call.supervision is not None],
        "calendars": calendars_view(state, now),
        "callbacks": len(state.callbacks.open),
        "calls": [_call(state, call) for call in state.calls.values() if call.ended_at is None and not between_contacts(state, call)],
    }


def _supervision(supervision: Supervision) -> dict[str, object]:
    began = supervision.began
    return {
        "supervisor": began.supervisor,
        "agent": began.agent,
        "state": supervision.state,
        "contact": supervision.contact,
        "queue": supervision.queue,
        "stay": began.stay,
        "reason": began.reason,
        "by": began.by,
        "since": _date(began.at),
    }


def between_contacts(state: State, call: Call) -> bool:
    """Whether it is no call of a caller's, but the leg of an agent that stays up, or of a supervisor."""
    agent = state.agents.get(call.began.agent)
    if call.supervision is not None:
        return True
    return call.began.direction is Direction.PERSISTENT or (agent is not None and agent.leg == call.began.leg)


def _queue(state: State, name: str) -> dict[str, object]:
    queue = state.queues[name]
    waiting = queue.waiting.in_order()
    line = [name for name in waiting if name in state.contacts]
    return {
        "name": name,
        "waiting": queue.unanswered,
        "ready": len(queue.ready),
        "logged_in": queue.logged_in,
        "longest_wait_since": _date(min((state.contacts[contact].entered.entered_at for contact in line), default=None)),
        "callbacks": len(waiting) - len(line),
        "line": [_waiting(state.contacts[contact]) for contact in line[:WAITING_SHOWN]],
    }


def _waiting(contact: Contact) -> Mapping[str, object]:
    entered = contact.entered
    return {"contact": contact.id, "caller": entered.caller, "since": _date(entered.entered_at), "priority": entered.priority}


def _call(state: State, call: Call) -> dict[str, object]:
    contact = state.contacts.get(call.contact)
    return {
        "call": call.id,
        "node": call.node,
        "direction": call.began.direction,
        "caller": call.began.caller,
        "caller_name": call.began.caller_name,
        "dialed": call.began.dialed,
        "began_at": _date(call.began.at),
        "phase": phase_of(call, contact),
        "contact": contact.id if contact else "",
        "queue": contact.entered.queue if contact else "",
        "agent": ", ".join(offered.agent for offered in contact.offers.values()) if contact and contact.offers else call.began.agent,
        "since": _date(since_of(call, contact)),
    }


def phase_of(call: Call, contact: Contact | None) -> str:
    """``flow``, ``own_call``, ``calling`` (somebody outside), ``waiting``, ``offered``, ``talking``, ``held``, ``outside``, or ``ending``.

    ``outside``: the caller talks to a number outside, and no agent is in that talk.
    """
    if contact is not None:
        if contact.state is ContactState.CONNECTED:
            return "held" if contact.held_since else "talking"
        return contact.state.value
    if call.flow is None and call.began.direction is Direction.OUTBOUND and call.ended_at is None:
        return "calling"
    if call.own is not None:
        return "own_call"
    if talks(call):
        return "outside"
    if call.flow is not None:
        return "flow" if call.began.direction is Direction.INBOUND else "star_code"
    return "ending"


def since_of(call: Call, contact: Contact | None) -> datetime:
    if contact is None:
        return call.began.at
    return contact.connected_at or contact.entered.entered_at


def _date(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
