"""KPI and CDR reports: asked of PostgreSQL, shown as tables or as JSON.

JSON speaks the glossary: ratios from 0 to 1, spans as seconds in ``…_s``, dates as ISO 8601 in the center's zone
(``…_at``); what does not exist, such as a ratio of nothing, is null.

``callcenter kpi --json`` is an object: ``from_at``, ``to_at``, ``time_zone``, ``service_level_formula``, ``queues`` (a list),
``total`` (as a queue, with an empty name and without target), ``agents`` (a list; empty when one queue was asked for).

- A queue: ``queue, offered, answered, abandoned, short_abandoned, overflowed, still_waiting, handled, service_level,
  target_wait_s, asa_s, longest_wait_s, abandon_rate, aht_s, offered_load, fcr, conversion, ewt_came_true``; offered = answered +
  abandoned + overflowed + still_waiting; offered_load in erlangs.
- ``callbacks``, a list: ``queue, offered, accepted, promised, dialed, reached, bridged, kept, kept_in_time, merged, broken, open,
  attempts``, for each queue that has any; promised = kept + broken + open; counted when they were promised.
- ``dispositions``, a list: ``queue, disposition, contacts, success, resolved, do_not_call, call_back, retry, never_again``, for each
  disposition that was given: how many contacts, and how many of them carry each flag of what it means.
- An agent: ``agent, talking_s`` (hold included), ``wrap_up_s, ready_s, reserved_s, not_ready_s, occupancy, utilisation``.

``callcenter cdr --json`` is a list of calls: ``call_id, linkedid, node, direction, caller, dialed, trunk, flow, started_at,
answered_at, ended_at, wait_s, talk_s, hold_s, queue, agent, contacts, cause, ended_by, served_by, disposition,
flow_outcome``.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from callcenter.adapters.db import reports as asked
from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.migrate import SchemaError
from callcenter.apps.report_tables import WIDE, cdr_table, kpi_tables
from callcenter.domain import kpi as measures
from callcenter.domain.callback_books import CallbackFunnel
from callcenter.domain.kpi import AgentTime, DispositionSums, Sums
from callcenter.domain.records import CallRecord
from callcenter.runtime.data_folder import database_url
from callcenter.runtime.postgres import PostgresError
from callcenter.runtime.settings import Settings

FORMULA = "service level = answered within the target ÷ (answered + abandoned − short abandoned)"
FCR_DAYS = 7
DEFAULT_TARGET = timedelta(seconds=20)
_REPORT_TIMEOUT = 30.0

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]


class ReportError(Exception):
    """The report cannot be made; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class QueueKpi:
    """The measures of one queue, or of all (``queue`` is empty)."""

    queue: str
    counted: Sums
    target_wait: timedelta | None
    fcr: float | None
    during: timedelta
    ewt_came_true: float | None = None
    conversion: float | None = None


@dataclass(frozen=True, slots=True)
class AgentKpi:
    agent: str
    spent: AgentTime


@dataclass(frozen=True, slots=True)
class KpiReport:
    """Contacts that entered a queue, and agents' time, within ``[from_at, to_at)``."""

    from_at: datetime
    to_at: datetime
    zone: ZoneInfo
    queues: tuple[QueueKpi, ...]
    total: QueueKpi
    callbacks: Mapping[str, CallbackFunnel] = field(default_factory=dict)
    dispositions: Mapping[tuple[str, str], DispositionSums] = field(default_factory=dict)
    """By queue and disposition."""
    agents: tuple[AgentKpi, ...] = field(default=())
    """Empty in a report on one queue: agents' time belongs to no queue."""


# --- asking ---------------------------------------------------------------------------------------------


async def kpi_report(
    database: str | AsyncEngine,
    from_at: datetime,
    to_at: datetime,
    queue: str | None = None,
    *,
    zone: ZoneInfo,
    targets: Mapping[str, timedelta] | None = None,
    now: datetime | None = None,
) -> KpiReport:
    """The measures of ``queue`` or of every queue in ``targets`` (their service level targets) or with contacts. Raises ReportError."""
    known = dict(targets or {})
    until_at = min(now or datetime.now(UTC), to_at)
    async with connection_to(database) as connection:
        by_target = {target: await asked.sums_by_queue(connection, from_at, to_at, target) for target in {*known.values(), DEFAULT_TARGET}}
        callbacks = await asked.callbacks_by_queue(connection, from_at, to_at)
        fcr = await asked.fcr_by_queue(connection, from_at, to_at, FCR_DAYS)
        came_true = await asked.ewt_by_queue(connection, from_at, to_at)
        converted = await asked.conversion_by_queue(connection, from_at, to_at)
        given = await asked.dispositions(connection, from_at, to_at)
        spent = await asked.time_by_agent(connection, from_at, to_at, until_at) if queue is None else {}
    during = until_at - from_at
    names = sorted({*known, *by_target[DEFAULT_TARGET]}) if queue is None else [queue]
    queues = tuple(
        QueueKpi(name, by_target[target].get(name, Sums()), target, fcr.get(name), during, came_true.get(name), converted.get(name))
        for name in names
        for target in (known.get(name, DEFAULT_TARGET),)
    )
    total = QueueKpi("", sum((each.counted for each in queues), Sums()), None, None, during)
    funnels = {name: callbacks[name] for name in sorted(callbacks) if queue in (None, name)}
    told = {key: sums for key, sums in given.items() if queue in (None, key[0])}
    return KpiReport(from_at, to_at, zone, queues, total, funnels, told, tuple(AgentKpi(agent, spent[agent]) for agent in sorted(spent)))


async def cdr_rows(database: str | AsyncEngine, from_at: datetime, to_at: datetime, queue: str | None = None) -> Sequence[CallRecord]:
    """The CDRs of calls that began within ``[from_at, to_at)``; with ``queue``, those with a contact in it. Raises ReportError."""
    async with connection_to(database) as connection:
        return await asked.calls(connection, from_at, to_at, queue)


@asynccontextmanager
async def connection_to(database: str | AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Of a URL, for one report; or of an engine that is kept for many."""
    engine = connect(database, name="reports", statement_timeout=_REPORT_TIMEOUT) if isinstance(database, str) else database
    try:
        async with engine.connect() as connection:
            yield connection
    except (SQLAlchemyError, OSError) as error:
        reason = " ".join(str(getattr(error, "orig", error)).split())
        raise ReportError(f"the database does not give the report: {reason}; is it running and migrated? (callcenter doctor)") from error
    finally:
        if isinstance(database, str):
            await engine.dispose()


# --- windows of time ------------------------------------------------------------------------------------


def window(from_: str | None, to: str | None, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """The window people ask for, ``to`` not included: by default from midnight in the center's zone until now. Raises ReportError."""
    today = datetime.combine(now.astimezone(zone).date(), time(0), zone)
    from_at = _moment("--from", from_, zone) if from_ else today.astimezone(UTC)
    to_at = _moment("--to", to, zone) if to else now
    if from_at >= to_at:
        raise ReportError(f"--from ({from_at.astimezone(zone).isoformat()}) must lie before --to ({to_at.astimezone(zone).isoformat()})")
    return from_at, to_at


def _moment(option: str, written: str, zone: ZoneInfo) -> datetime:
    """A date alone is its midnight. A time that comes twice is the first; one that the clocks skip counts from before the skip."""
    try:
        at = datetime.fromisoformat(written.strip())
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ReportError(
            f"{option} '{written}' is not a date; write 2026-11-22 or 2026-11-22T09:30 in the zone {zone.key}, "
            f"or with an offset, 2026-11-22T09:30+01:00"
        ) from None


# --- JSON -----------------------------------------------------------------------------------------------


def report_json(report: KpiReport) -> dict[str, Json]:
    return {
        "from_at": _iso(report.from_at, report.zone),
        "to_at": _iso(report.to_at, report.zone),
        "time_zone": report.zone.key,
        "service_level_formula": FORMULA,
        "queues": [queue_json(each) for each in report.queues],
        "total": queue_json(report.total),
        "callbacks": [{"queue": name, **asdict(funnel)} for name, funnel in report.callbacks.items()],
        "dispositions": [{"queue": key[0], "disposition": key[1], **asdict(sums)} for key, sums in report.dispositions.items()],
        "agents": [agent_json(each) for each in report.agents],
    }


def queue_json(each: QueueKpi) -> dict[str, Json]:
    counted = each.counted
    return {
        "queue": each.queue,
        "offered": counted.offered,
        "answered": counted.answered,
        "abandoned": counted.abandoned,
        "short_abandoned": counted.short_abandoned,
        "overflowed": counted.overflowed,
        "still_waiting": counted.still_waiting,
        "handled": counted.handled,
        "service_level": measures.service_level(counted),
        "target_wait_s": _seconds(each.target_wait),
        "asa_s": _seconds(measures.asa(counted)),
        "longest_wait_s": _seconds(counted.longest_wait),
        "abandon_rate": measures.abandon_rate(counted),
        "aht_s": _seconds(measures.aht(counted)),
        "offered_load": measures.offered_load(counted, each.during),
        "fcr": each.fcr,
        "conversion": each.conversion,
        "ewt_came_true": each.ewt_came_true,
    }


def agent_json(each: AgentKpi) -> dict[str, Json]:
    spans: dict[str, Json] = {f"{spent.name}_s": _seconds(getattr(each.spent, spent.name)) for spent in fields(AgentTime)}
    return {
        "agent": each.agent,
        **spans,
        "occupancy": measures.occupancy(each.spent),
        "utilisation": measures.utilisation(each.spent),
    }


def call_json(call: CallRecord, zone: ZoneInfo) -> dict[str, Json]:
    written: dict[str, Json] = {}
    for each in fields(CallRecord):
        value = getattr(call, each.name)
        if isinstance(value, timedelta):
            written[f"{each.name}_s"] = _seconds(value)
        elif isinstance(value, datetime):
            written[each.name] = _iso(value, zone)
        else:
            written[each.name] = value.value if isinstance(value, StrEnum) else value
    return written


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def _iso(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(timespec="milliseconds")


# --- the commands ---------------------------------------------------------------------------------------


def kpi(settings: Settings, from_: str | None, to: str | None, queue: str | None, as_json: bool) -> None:
    """``callcenter kpi``. Raises SystemExit with a sentence."""
    targets = {each.name: each.target_wait for each in settings.queues}
    zone = ZoneInfo(settings.center.time_zone)
    try:
        _check_queue(queue, targets)
        from_at, to_at = window(from_, to, zone, datetime.now(UTC))
        report = asyncio.run(kpi_report(database_url(settings), from_at, to_at, queue, zone=zone, targets=targets))
    except (ReportError, PostgresError, SchemaError, ValueError) as error:
        raise SystemExit(f"callcenter: {error}") from None
    if as_json:
        json.dump(report_json(report), sys.stdout, indent=2)
        print()
    else:
        console = _console()
        for part in kpi_tables(report_json(report), console.width):
            console.print(part)


def cdr(settings: Settings, from_: str | None, to: str | None, queue: str | None, as_json: bool) -> None:
    """``callcenter cdr``. Raises SystemExit with a sentence."""
    zone = ZoneInfo(settings.center.time_zone)
    try:
        _check_queue(queue, {each.name for each in settings.queues})
        from_at, to_at = window(from_, to, zone, datetime.now(UTC))
        rows = [call_json(call, zone) for call in asyncio.run(cdr_rows(database_url(settings), from_at, to_at, queue))]
    except (ReportError, PostgresError, ValueError) as error:
        raise SystemExit(f"callcenter: {error}") from None
    if as_json:
        json.dump(rows, sys.stdout, indent=2)
        print()
    else:
        console = _console()
        console.print(cdr_table(rows, console.width))


def _console() -> Console:
    """As wide as the terminal; wide enough for every table when there is none."""
    return Console() if sys.stdout.isatty() else Console(width=WIDE)


def _check_queue(queue: str | None, known: Mapping[str, object] | set[str]) -> None:
    if queue is not None and queue not in known:
        raise ReportError(f"there is no queue '{queue}'; queues: {', '.join(sorted(known)) or 'none'}")
