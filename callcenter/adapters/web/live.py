"""What the live page shows: the engine's picture and today's KPI, as rows of plain text.

A cell is a text, ``{"since": date}`` for a duration that the browser lets run, or ``{"text": text, "tone": tone}``
for a text that also has a colour (never a colour alone).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from callcenter.adapters.web import words
from callcenter.domain.rights import Scope
from callcenter.services.control import Json, JsonObject

Cell = str | dict[str, str]
Row = dict[str, Cell]
"""Cells by column; ``key`` tells rows apart."""


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    title: str
    numeric: bool = False


TOTALS: tuple[Column, ...] = (
    Column("waiting", "Callers waiting"),
    Column("longest", "Longest wait"),
    Column("ready", "Agents ready"),
    Column("talking", "Agents talking"),
    Column("calls", "Calls in progress"),
    Column("answered", "Answered today"),
    Column("abandoned", "Abandoned today"),
)
"""The figures on top, to be read from across the room."""


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
        "calendars",
        "Opening hours",
        "No calendars are configured.",
        (Column("name", "Calendar"), Column("state", "Now"), Column("why", "Why"), Column("until", "Until")),
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
        "waiting",
        "Callers waiting",
        "Nobody waits.",
        (Column("caller", "Caller"), Column("queue", "Queue"), Column("priority", "Priority", True), Column("since", "Waiting for", True)),
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


def within(
    picture: JsonObject | None, kpi: Sequence[Mapping[str, object]] | None, scope: Scope
) -> tuple[JsonObject | None, Sequence[Mapping[str, object]] | None]:
    """What somebody with this scope may see of it: her queues, who serves them, and their calls."""
    if scope.queues is None:
        return picture, kpi
    mine = scope.queues
    if kpi is not None:
        kpi = [row for row in kpi if row.get("queue") in mine]
    if picture is None:
        return None, kpi
    kept: Mapping[str, Callable[[Mapping[str, object]], bool]] = {
        "queues": lambda queue: queue.get("name") in mine,
        "agents": lambda agent: _serves(agent, mine),
        "calls": lambda call: call.get("queue") in mine,
    }
    seen: JsonObject = {name: [row for row in _list(picture, name) if isinstance(row, dict) and keep(row)] for name, keep in kept.items()}
    return {**picture, **seen}, kpi


def _list(of: JsonObject, name: str) -> list[Json]:
    found = of.get(name)
    return found if isinstance(found, list) else []


def _serves(agent: Mapping[str, object], queues: frozenset[str]) -> bool:
    served = agent.get("queues")
    return isinstance(served, list) and not queues.isdisjoint(map(str, served))


def page(picture: JsonObject | None, kpi: Sequence[Mapping[str, object]] | None) -> dict[str, object]:
    """Everything the page shows. ``picture`` None: the engine is away; ``kpi`` None: the database is."""
    seen: JsonObject = picture or {}
    return {
        "at": str(seen.get("at", "")),
        "status": _status(picture, kpi),
        "totals": _totals(picture, kpi),
        "tables": {
            "queues": [_queue(queue) for queue in _rows(seen, "queues")],
            "calendars": [_calendar(calendar) for calendar in _rows(seen, "calendars")],
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
    troubles += [
        f"Calendar {words.shown(calendar.get('calendar'))} is {'open' if calendar.get('open') else 'closed'} by hand."
        for calendar in _rows(picture or {}, "calendars")
        if isinstance(calendar.get("switched"), dict)
    ]
    troubles += [] if kpi is not None else ["The database does not answer; figures of today are missing."]
    return " ".join(troubles)


def _totals(picture: JsonObject | None, kpi: Sequence[Mapping[str, object]] | None) -> Row:
    """By the names of ``TOTALS``; what nobody can tell now is a dash."""
    totals: Row = dict.fromkeys((total.name for total in TOTALS), words.UNKNOWN)
    if picture is not None:
        queues, states = _rows(picture, "queues"), [agent.get("state") for agent in _rows(picture, "agents")]
        waits = [wait for queue in queues if isinstance(wait := queue.get("longest_wait_since"), str)]
        totals["waiting"] = str(sum(_numbers(queues, "waiting")))
        totals["longest"] = _since(min(waits)) if waits else words.UNKNOWN
        totals["ready"], totals["talking"] = str(states.count("ready")), str(states.count("talking"))
        totals["calls"] = str(len(_rows(picture, "calls")))
    if kpi is not None:
        totals["answered"], totals["abandoned"] = str(sum(_numbers(kpi, "answered"))), str(sum(_numbers(kpi, "abandoned")))
    return totals


def _numbers(rows: Sequence[Mapping[str, object]], name: str) -> Iterator[int]:
    return (number for row in rows if isinstance(number := row.get(name), int))


def _rows(of: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    found = of.get(name)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _since(date: object) -> Cell:
    return {"since": date} if isinstance(date, str) and date else ""


def _queue(queue: Mapping[str, object]) -> Row:
    name = words.shown(queue.get("name"))
    counts: Row = {count: str(queue.get(count, "")) for count in ("waiting", "ready", "logged_in")}
    return {"key": name, "name": name, "longest": _since(queue.get("longest_wait_since")), **counts}


def _calendar(calendar: Mapping[str, object]) -> Row:
    name, is_open = words.shown(calendar.get("calendar")), bool(calendar.get("open"))
    return {
        "key": name,
        "name": name,
        "state": {"text": "open" if is_open else "closed", "tone": "good" if is_open else "wait"},
        "why": words.shown(calendar.get("why")),
        "until": words.date(calendar.get("closes_at" if is_open else "opens_at"), calendar.get("time_zone")),
    }


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
        "state": {"text": words.state(agent), "tone": words.tone(agent.get("state"))},
        "since": _since(agent.get("since")),
        "phone": "reachable" if agent.get("phone_reachable") else {"text": "unreachable", "tone": "alarm"},
        "queues": ", ".join(map(words.shown, queues)) if isinstance(queues, list) else "",
    }


def _call(call: Mapping[str, object]) -> Row:
    return {
        "key": str(call.get("call", "")),
        "caller": words.caller(call.get("caller")),
        "dialed": words.shown(call.get("dialed")),
        "phase": {"text": words.phase(call), "tone": words.tone(call.get("phase"))},
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
