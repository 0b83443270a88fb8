"""Reports as tables on a terminal, made from their JSON."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import cast

from rich import box
from rich.table import Table
from rich.text import Text

_COUNT_COLUMNS = {
    "offered": "offered",
    "answered": "answered",
    "abandoned": "abandoned",
    "short_abandoned": "(short)",
    "overflowed": "overflowed",
    "still_waiting": "waiting",
    "handled": "handled",
}
_MEASURE_COLUMNS = {
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
    """Counts per queue, measures per queue, and agents' time when it was asked for; each fits eighty columns."""
    queues = [*cast(Sequence[_Row], report["queues"])]
    total = [{**cast(_Row, report["total"]), "queue": "all"}] if len(queues) > 1 else []
    moments = (_moment(str(report[name])) for name in ("from_at", "to_at"))
    yield _table(" – ".join(moments) + f" {report['time_zone']}", "queue", _COUNT_COLUMNS, queues, total)
    yield _table("", "queue", _MEASURE_COLUMNS, queues, total, caption=str(report["service_level_formula"]))
    if agents := cast(Sequence[_Row], report["agents"]):
        yield _table("", "agent", _AGENT_COLUMNS, agents, [])


def _table(title: str, key: str, columns: Mapping[str, str], rows: Sequence[_Row], totals: Sequence[_Row], caption: str = "") -> Table:
    table = Table(title=title or None, caption=caption or None, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), title_justify="left")
    table.caption_justify = "left"
    table.add_column(key)
    for heading in columns.values():
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(Text(str(row[key])), *(_cell(row, name) for name in columns))
    if totals:
        table.add_section()
    for row in totals:
        table.add_row(Text(str(row[key])), *(_cell(row, name) for name in columns))
    return table


def cdr_table(rows: Sequence[_Row]) -> Table:
    """One line per call."""
    table = Table(title=f"{len(rows)} calls", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), title_justify="left")
    for name, heading in _CALL_COLUMNS.items():
        table.add_column(heading, justify="right" if name.endswith("_s") else "left", no_wrap=True)
    for row in rows:
        # Text, not str: what a caller sent is never read as markup.
        table.add_row(*(Text(_cell(row, name)) for name in _CALL_COLUMNS))
    return table


def _cell(row: _Row, name: str) -> str:
    value = row[name]
    if value is None or value == "":
        return "–"
    if name in _RATIOS:
        percent = f"{100 * cast(float, value):.1f} %"
        target = row.get("target_wait_s") if name == "service_level" else None
        return f"{percent} in {cast(float, target):g} s" if target is not None else percent
    if name.endswith("_s"):
        return clock(cast(float, value))
    if name.endswith("_at"):
        return _moment(str(value))
    return str(value)


def _moment(iso: str) -> str:
    return datetime.fromisoformat(iso).strftime("%Y-%m-%d %H:%M:%S")


def clock(seconds: float) -> str:
    """``m:ss``, ``h:mm:ss``; below ten seconds with a decimal."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
