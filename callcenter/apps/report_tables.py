"""Reports as tables on a terminal, made from their JSON."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import cast

from rich import box
from rich.table import Table
from rich.text import Text

_QUEUE_COLUMNS = {
    "offered": "offered",
    "answered": "answered",
    "abandoned": "abandoned",
    "short_abandoned": "(short)",
    "overflowed": "overflowed",
    "still_waiting": "waiting",
    "service_level": "service level",
    "asa_s": "ASA",
    "longest_wait_s": "longest wait",
    "abandon_rate": "abandon rate",
    "aht_s": "AHT",
    "fcr": "FCR",
}
_AGENT_COLUMNS = {
    "talking_s": "talk + hold",
    "wrap_up_s": "wrap-up (ACW)",
    "ready_s": "ready",
    "reserved_s": "reserved",
    "not_ready_s": "not ready",
    "occupancy": "occupancy",
    "utilisation": "utilisation",
}
_CALL_COLUMNS = {
    "started_at": "started",
    "direction": "direction",
    "caller": "caller",
    "dialed": "dialed",
    "queue": "queue",
    "agent": "agent",
    "wait_s": "wait",
    "talk_s": "talk",
    "hold_s": "hold",
    "cause": "cause",
    "ended_by": "ended by",
}
_RATIOS = frozenset({"service_level", "abandon_rate", "fcr", "occupancy", "utilisation"})

_Row = Mapping[str, object]


def kpi_tables(report: Mapping[str, object]) -> Iterator[Table]:
    """One table of queues, and one of agents when there are any."""
    queues = Table(title=f"KPI {report['from_at']} – {report['to_at']}", caption=str(report["service_level_formula"]), box=box.SIMPLE_HEAD)
    queues.add_column("queue")
    for heading in _QUEUE_COLUMNS.values():
        queues.add_column(heading, justify="right")
    rows = cast(Sequence[_Row], report["queues"])
    for row in rows:
        target = row["target_wait_s"]
        queues.add_row(str(row["queue"]), *(_cell(row, name, target) for name in _QUEUE_COLUMNS))
    if len(rows) > 1:
        queues.add_section()
        total = cast(_Row, report["total"])
        queues.add_row("all", *(_cell(total, name) for name in _QUEUE_COLUMNS))
    yield queues
    if agents := cast(Sequence[_Row], report["agents"]):
        table = Table(title="Agents", box=box.SIMPLE_HEAD)
        table.add_column("agent")
        for heading in _AGENT_COLUMNS.values():
            table.add_column(heading, justify="right")
        for row in agents:
            table.add_row(Text(str(row["agent"])), *(_cell(row, name) for name in _AGENT_COLUMNS))
        yield table


def cdr_table(rows: Sequence[_Row]) -> Table:
    """One line per call."""
    table = Table(title=f"{len(rows)} calls", box=box.SIMPLE_HEAD)
    for name, heading in _CALL_COLUMNS.items():
        table.add_column(heading, justify="right" if name.endswith("_s") else "left", no_wrap=True)
    for row in rows:
        # Text, not str: what a caller sent is never read as markup.
        table.add_row(*(Text(_cell(row, name)) for name in _CALL_COLUMNS))
    return table


def _cell(row: _Row, name: str, target: object = None) -> str:
    value = row[name]
    if value is None or value == "":
        return "–"
    if name in _RATIOS:
        percent = f"{100 * cast(float, value):.1f} %"
        return f"{percent} in {cast(float, target):g} s" if name == "service_level" and target is not None else percent
    if name.endswith("_s"):
        return clock(cast(float, value))
    if name.endswith("_at"):
        return datetime.fromisoformat(str(value)).strftime("%Y-%m-%d %H:%M:%S")
    return str(value)


def clock(seconds: float) -> str:
    """``m:ss``, ``h:mm:ss``; below ten seconds with a decimal."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
