"""What the live page shows: the engine's picture and today's KPI, as rows of plain text.

A cell is a text, or ``{"since": date}`` for a duration that the browser lets run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from callcenter.adapters.web import words
from callcenter.services.control import JsonObject

Cell = str | dict[str, str]
Row = dict[str, Cell]
"""Cells by column; ``key`` tells rows apart."""


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    title: str
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class TableOf:
    """One table of the page."""

    name: str
    title: str
    none: str
    """Said when it has no rows."""
    columns: tuple[Column, ...]


TABLES: tuple[TableOf, ...] = (
    TableOf(
        "queues",
        "Queues",
        "No queues are configured.",
        (
            Column("name", "Queue"),
            Column("waiting", "Waiting", True),
            Column("longest", "Longest wait", True),
            Column("ready", "Ready agents", True),
            Column("logged_in", "Logged in", True),
        ),
    ),
    TableOf(
        "waiting",
        "Callers waiting",
        "Nobody waits.",
        (Column("caller", "Caller"), Column("queue", "Queue"), Column("priority", "Priority", True), Column("since", "Waiting for", True)),
    ),
    TableOf(
        "agents",
        "Agents",
        "No agents are configured.",
        (
            Column("name", "Agent"),
            Column("state", "State"),
            Column("since", "For", True),
            Column("phone", "Phone"),
            Column("queues", "Queues"),
        ),
    ),
    TableOf(
        "calls",
        "Calls in progress",
        "No calls.",
        (
            Column("caller", "Caller"),
            Column("dialed", "Dialed"),
            Column("phase", "Phase"),
            Column("since", "For", True),
            Column("queue", "Queue"),
            Column("agent", "Agent"),
            Column("began", "Call lasts", True),
        ),
    ),
    TableOf(
        "kpi",
        "Today",
        "No contacts today.",
        (
            Column("queue", "Queue"),
            Column("offered", "Offered", True),
            Column("answered", "Answered", True),
            Column("abandoned", "Abandoned", True),
            Column("overflowed", "Overflowed", True),
            Column("service_level", "Service level", True),
            Column("asa", "ASA", True),
            Column("aht", "AHT", True),
            Column("abandon_rate", "Abandon rate", True),
        ),
    ),
)


def page(picture: JsonObject | None, kpi: Sequence[Mapping[str, object]] | None) -> dict[str, object]:
    """Everything the page shows. ``picture`` None: the engine is away; ``kpi`` None: the database is."""
    seen: JsonObject = picture or {}
    return {
        "at": str(seen.get("at", "")),
        "status": _status(picture, kpi),
        "tables": {
            "queues": [_queue(queue) for queue in _rows(seen, "queues")],
            "waiting": [_waiting(queue, caller) for queue in _rows(seen, "queues") for caller in _rows(queue, "line")],
            "agents": [_agent(agent) for agent in _rows(seen, "agents")],
            "calls": [_call(call) for call in _rows(seen, "calls")],
            "kpi": [_kpi(row) for row in kpi or ()],
        },
    }


def _status(picture: JsonObject | None, kpi: Sequence[Mapping[str, object]] | None) -> str:
    troubles = [] if picture is not None else ["The engine does not answer; new calls take the fallback."]
    away = [str(node.get("name")) for node in _rows(picture or {}, "nodes") if not node.get("connected")]
    troubles += [f"Asterisk node {words.shown(name)} is out of reach." for name in away]
    troubles += [] if kpi is not None else ["The database does not answer; figures of today are missing."]
    return " ".join(troubles)


def _rows(of: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    found = of.get(name)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _since(date: object) -> Cell:
    return {"since": date} if isinstance(date, str) and date else ""


def _queue(queue: Mapping[str, object]) -> Row:
    name = words.shown(queue.get("name"))
    counts: Row = {count: str(queue.get(count, "")) for count in ("waiting", "ready", "logged_in")}
    return {"key": name, "name": name, "longest": _since(queue.get("longest_wait_since")), **counts}


def _waiting(queue: Mapping[str, object], waiting: Mapping[str, object]) -> Row:
    return {
        "key": str(waiting.get("contact", "")),
        "caller": words.caller(waiting.get("caller")),
        "queue": words.shown(queue.get("name")),
        "priority": str(waiting.get("priority", "")),
        "since": _since(waiting.get("since")),
    }


def _agent(agent: Mapping[str, object]) -> Row:
    queues = agent.get("queues")
    name = words.shown(agent.get("name"))
    return {
        "key": name,
        "name": name,
        "state": words.state(agent),
        "since": _since(agent.get("since")),
        "phone": "reachable" if agent.get("phone_reachable") else "unreachable",
        "queues": ", ".join(map(words.shown, queues)) if isinstance(queues, list) else "",
    }


def _call(call: Mapping[str, object]) -> Row:
    return {
        "key": str(call.get("call", "")),
        "caller": words.caller(call.get("caller")),
        "dialed": words.shown(call.get("dialed")),
        "phase": words.phase(call),
        "since": _since(call.get("since")),
        "queue": words.shown(call.get("queue")),
        "agent": words.shown(call.get("agent")),
        "began": _since(call.get("began_at")),
    }


def _kpi(row: Mapping[str, object]) -> Row:
    name = words.shown(row.get("queue")) or "all"
    counts: Row = {count: str(row.get(count, "")) for count in ("offered", "answered", "abandoned", "overflowed")}
    return {
        "key": name,
        "queue": name,
        **counts,
        "service_level": words.ratio(row.get("service_level")),
        "asa": words.seconds(row.get("asa_s")),
        "aht": words.seconds(row.get("aht_s")),
        "abandon_rate": words.ratio(row.get("abandon_rate")),
    }
