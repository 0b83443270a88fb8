"""Reports as tables on a terminal, made from their JSON. A table that is too wide stands on its side, so that nothing is cut."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import cast

from rich import box
from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

WIDE = 1000
"""Where there is no terminal: every table as wide as it likes."""

_QUEUE_COLUMNS = {
    "offered": "offered",
    "answered": "answered",
    "abandoned": "abandoned",
    "short_abandoned": "(short)",
    "overflowed": "overflowed",
    "still_waiting": "waiting",
    "handled": "handled",
    "service_level": "service level",
    "asa_s": "ASA",
    "longest_wait_s": "longest wait",
    "abandon_rate": "abandon rate",
    "aht_s": "AHT",
    "offered_load": "offered load",
    "fcr": "FCR",
    "conversion": "conversion",
    "ewt_came_true": "EWT came true",
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
_CALLBACK_COLUMNS = {
    "offered": "offered",
    "accepted": "accepted",
    "dialed": "dialed",
    "reached": "reached",
    "bridged": "bridged",
    "kept_in_time": "kept in time",
    "kept": "kept",
    "merged": "(merged)",
    "broken": "broken",
    "open": "open",
    "attempts": "attempts",
}
_DISPOSITION_COLUMNS = {
    "queue": "queue",
    "contacts": "contacts",
    "success": "success",
    "resolved": "resolved",
    "do_not_call": "do not call",
    "call_back": "call back",
    "retry": "retry",
    "never_again": "never again",
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
    "disposition": "disposition",
}
_FIRST_TO_GO = ("hold_s", "cause", "dialed", "ended_by", "disposition")
_RATIOS = frozenset({"service_level", "abandon_rate", "fcr", "conversion", "ewt_came_true", "occupancy", "utilisation"})

_Row = Mapping[str, object]


def kpi_tables(report: Mapping[str, object], width: int = WIDE) -> Iterator[RenderableType]:
    """The measures per queue, and agents' time when it was asked for. What does not fit has measures as rows, queues as columns."""
    queues = [*cast(Sequence[_Row], report["queues"])]
    if len(queues) > 1:
        queues.append({**cast(_Row, report["total"]), "queue": "all"})
    moments = (_moment(str(report[name])) for name in ("from_at", "to_at"))
    yield Text(" – ".join(moments) + f" {report['time_zone']}", style="italic")
    yield from _fitting("queue", _QUEUE_COLUMNS, queues, width)
    yield Text(str(report["service_level_formula"]), style="dim italic")
    if callbacks := cast(Sequence[_Row], report["callbacks"]):
        yield from _fitting("callbacks", _CALLBACK_COLUMNS, [{**row, "callbacks": row["queue"]} for row in callbacks], width)
    if given := cast(Sequence[_Row], report["dispositions"]):
        yield from _fitting("disposition", _DISPOSITION_COLUMNS, given, width)
    if agents := cast(Sequence[_Row], report["agents"]):
        yield from _fitting("agent", _AGENT_COLUMNS, agents, width)


def _fitting(key: str, columns: Mapping[str, str], rows: Sequence[_Row], width: int) -> Iterator[Table]:
    """One table; on its side, and in several where need be, when it is too wide."""
    table = _table(key, columns.values())
    for row in rows:
        table.add_row(Text(str(row[key])), *(_cell(row, name) for name in columns))
    if _width(table) <= width:
        yield table
        return
    while rows:
        count = max((n for n in range(1, len(rows) + 1) if _width(_on_its_side(key, columns, rows[:n])) <= width), default=1)
        yield _on_its_side(key, columns, rows[:count])
        rows = rows[count:]


def _on_its_side(key: str, columns: Mapping[str, str], rows: Sequence[_Row]) -> Table:
    table = _table(key, [Text(str(row[key])) for row in rows])
    for name, heading in columns.items():
        table.add_row(heading, *(_cell(row, name) for row in rows))
    return table


def _table(key: str, headings: Iterable[str | Text]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(key)
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def _width(table: Table) -> int:
    console = Console(width=10 * WIDE)
    return Measurement.get(console, console.options, table).maximum


def cdr_table(rows: Sequence[_Row], width: int = WIDE) -> Table:
    """One line per call; on a narrow terminal without the columns that are missed least."""
    left_out: list[str] = []
    for name in (*_FIRST_TO_GO, ""):
        table = _calls(rows, [column for column in _CALL_COLUMNS if column not in left_out])
        if _width(table) <= width or not name:
            break
        left_out.append(name)
    if left_out:
        table.caption = Text(f"a wider terminal shows: {', '.join(_CALL_COLUMNS[name] for name in left_out)}")
        table.caption_justify = "left"
    return table


def _calls(rows: Sequence[_Row], columns: Sequence[str]) -> Table:
    table = Table(title=f"{len(rows)} calls", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), title_justify="left")
    for name in columns:
        table.add_column(_CALL_COLUMNS[name], justify="right" if name.endswith("_s") else "left", overflow="fold")
    for row in rows:
        # Text, not str: what a caller sent is never read as markup.
        table.add_row(*(Text(_cell(row, name)) for name in columns))
    return table


def _cell(row: _Row, name: str) -> str:
    value = row[name]
    if value is None or value == "":
        return "–"
    if name in _RATIOS:
        percent = f"{100 * cast(float, value):.1f} %"
        target = row.get("target_wait_s") if name == "service_level" else None
        return f"{percent} in {cast(float, target):g} s" if target is not None else percent
    if name == "offered_load":
        return f"{cast(float, value):.2f}"
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
