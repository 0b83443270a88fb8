"""What reports ask of PostgreSQL; the KPI functions of ``kpi/*.sql`` do the counting there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.adapters.db.rows import seconds, span
from callcenter.domain.callback_books import CallbackFunnel
from callcenter.domain.events import Cause
from callcenter.domain.facts import Direction
from callcenter.domain.flow_books import Edge, FlowOutcome, FlowSums, NodeSums
from callcenter.domain.kpi import AgentTime, DispositionSums, Sums
from callcenter.domain.records import CallRecord, EndedBy, ServedBy
from callcenter.domain.survey_books import SurveySums
from callcenter.domain.survey_kinds import SurveyKind

_ZERO = timedelta(0)

# slice_at is not read: without slices it lies before all dates.
_SUMS = text("""
    SELECT queue, offered, answered, abandoned, short_abandoned, overflowed, still_waiting, answered_in_time, handled,
        wait_s, handled_talk_s, handled_hold_s, handled_wrap_up_s, longest_wait_s
    FROM kpi_sums_in(:from_at, :to_at, 'all', 'UTC', :target_s)
""")
_SUMS_BY_SLICE = text("""
    SELECT queue, offered, answered, abandoned, short_abandoned, overflowed, still_waiting, answered_in_time, handled,
        wait_s, handled_talk_s, handled_hold_s, handled_wrap_up_s, longest_wait_s, slice_at
    FROM kpi_sums_in(:from_at, :to_at, :slice, :zone, :target_s)
    WHERE CAST(:queue AS text) IS NULL OR queue = :queue
    ORDER BY slice_at, queue
""")
_CALLBACKS = text("""
    SELECT queue, offered, accepted, promised, dialed, reached, bridged, kept, kept_in_time, merged, broken, still_open, attempts
    FROM kpi_callbacks_in(:from_at, :to_at, 'all', 'UTC')
""")
_FLOWS = text("""
    SELECT flow, calls, contained, dropped, queued, voicemail, transferred, failed, still_open, contained_known, contained_returned
    FROM kpi_flows_in(:from_at, :to_at, 'all', 'UTC', :days)
""")
_FLOW_NODES = text("""
    SELECT flow, node, stays, left_again, spent_s, retries, dropped, failed FROM kpi_flow_nodes_in(:from_at, :to_at, 'all', 'UTC')
""")
_FLOW_EDGES = text("SELECT flow, node, exit, to_node, callers FROM kpi_flow_edges_in(:from_at, :to_at)")
_FCR = text("SELECT queue, fcr FROM kpi_fcr_in(:from_at, :to_at, 'all', 'UTC', :days)")
_CONVERSION = text("SELECT queue, conversion FROM kpi_conversion_in(:from_at, :to_at, 'all', 'UTC')")
_DISPOSITIONS = text("""
    SELECT queue, disposition, contacts, success, resolved, do_not_call, call_back, retry, never_again
    FROM kpi_dispositions_in(:from_at, :to_at, 'all', 'UTC') ORDER BY queue, disposition
""")
_EWT = text("SELECT queue, ewt_came_true FROM kpi_ewt_came_true_in(:from_at, :to_at, 'all', 'UTC')")
_AGENT_TIME = text("""
    SELECT agent, talking_s, wrap_up_s, ready_s, reserved_s, not_ready_s FROM kpi_agent_time_in(:from_at, :to_at, 'all', 'UTC', :until_at)
""")
_SURVEYS = text("""
    SELECT queue, agent, slice_at, question, kind, answers, score, satisfied, promoters, detractors
    FROM kpi_surveys_in(:from_at, :to_at, 'day', :zone)
    WHERE CAST(:queue AS text) IS NULL OR queue = :queue
    ORDER BY queue, agent, slice_at, question
""")
_SURVEY_RESPONSE = text("""
    SELECT coalesce(sum(asked), 0)::bigint, coalesce(sum(responded), 0)::bigint FROM kpi_survey_response_in(:from_at, :to_at, 'all', 'UTC')
    WHERE CAST(:queue AS text) IS NULL OR queue = :queue
""")
_CALLS = text("""
    SELECT * FROM cdr
    WHERE started_at >= :from_at AND started_at < :to_at
      AND (CAST(:queue AS text) IS NULL OR EXISTS (SELECT FROM contact WHERE contact.call_id = cdr.call_id AND contact.queue = :queue))
    ORDER BY started_at, call_id
""")


async def sums_by_queue(connection: AsyncConnection, from_at: datetime, to_at: datetime, target_wait: timedelta) -> dict[str, Sums]:
    """The counts of each queue that contacts entered within ``[from_at, to_at)``."""
    asked = {"from_at": from_at, "to_at": to_at, "target_s": seconds(target_wait)}
    rows = await connection.execute(_SUMS, asked)
    return {row[0]: Sums(*row[1:9], *(_span(value) for value in row[9:])) for row in rows}


async def sums_by_slice(
    connection: AsyncConnection, from_at: datetime, to_at: datetime, slice_: str, zone: str, target_wait: timedelta, queue: str | None
) -> Sequence[tuple[str, datetime, Sums]]:
    """The counts of each queue in each slice (``kpi_slice``) in which contacts entered it."""
    asked = {
        "from_at": from_at,
        "to_at": to_at,
        "slice": slice_,
        "zone": zone,
        "target_s": seconds(target_wait),
        "queue": queue,
    }
    rows = await connection.execute(_SUMS_BY_SLICE, asked)
    return [(row[0], row.slice_at, Sums(*row[1:9], *(_span(value) for value in row[9:14]))) for row in rows]


async def callbacks_by_queue(connection: AsyncConnection, from_at: datetime, to_at: datetime) -> dict[str, CallbackFunnel]:
    """The funnel of each queue that promised callbacks, or told callers of them, within ``[from_at, to_at)``."""
    rows = await connection.execute(_CALLBACKS, {"from_at": from_at, "to_at": to_at})
    return {row[0]: CallbackFunnel(*row[1:]) for row in rows}


async def sums_by_flow(connection: AsyncConnection, from_at: datetime, to_at: datetime, days: int) -> dict[str, FlowSums]:
    """What became of callers who began in each flow within ``[from_at, to_at)``; repeat calls are those within so many days."""
    rows = await connection.execute(_FLOWS, {"from_at": from_at, "to_at": to_at, "days": days})
    return {row[0]: FlowSums(*row[1:]) for row in rows}


async def sums_by_node(connection: AsyncConnection, from_at: datetime, to_at: datetime) -> dict[tuple[str, str], NodeSums]:
    """The stays at each node (flow, node) that began within ``[from_at, to_at)``."""
    rows = await connection.execute(_FLOW_NODES, {"from_at": from_at, "to_at": to_at})
    return {(row[0], row[1]): NodeSums(row[2], row[3], _span(row[4]), *row[5:]) for row in rows}


async def callers_by_edge(connection: AsyncConnection, from_at: datetime, to_at: datetime) -> dict[Edge, int]:
    """How many callers took each way from a node that they had entered within ``[from_at, to_at)``."""
    rows = await connection.execute(_FLOW_EDGES, {"from_at": from_at, "to_at": to_at})
    return {Edge(*row[:4]): row[4] for row in rows}


@dataclass(frozen=True, slots=True)
class SurveyRow:
    """The answers to one question after talks of one agent in one queue, of one day."""

    queue: str
    agent: str
    slice_at: datetime
    question: str
    kind: SurveyKind
    counted: SurveySums


async def survey_rows(
    connection: AsyncConnection, from_at: datetime, to_at: datetime, zone: str, queue: str | None = None
) -> Sequence[SurveyRow]:
    """The answers given within ``[from_at, to_at)``, by day of the zone."""
    rows = await connection.execute(_SURVEYS, {"from_at": from_at, "to_at": to_at, "zone": zone, "queue": queue})
    return [SurveyRow(row.queue, row.agent, row.slice_at, row.question, SurveyKind(row.kind), SurveySums(*row[5:])) for row in rows]


async def survey_response(connection: AsyncConnection, from_at: datetime, to_at: datetime, queue: str | None = None) -> tuple[int, int]:
    """How many contacts were asked, and how many of them answered anything."""
    row = (await connection.execute(_SURVEY_RESPONSE, {"from_at": from_at, "to_at": to_at, "queue": queue})).one()
    return row[0], row[1]


async def fcr_by_queue(connection: AsyncConnection, from_at: datetime, to_at: datetime, days: int) -> dict[str, float]:
    rows = await connection.execute(_FCR, {"from_at": from_at, "to_at": to_at, "days": days})
    return {row.queue: float(row.fcr) for row in rows}


async def conversion_by_queue(connection: AsyncConnection, from_at: datetime, to_at: datetime) -> dict[str, float]:
    rows = await connection.execute(_CONVERSION, {"from_at": from_at, "to_at": to_at})
    return {row.queue: float(row.conversion) for row in rows}


async def dispositions(connection: AsyncConnection, from_at: datetime, to_at: datetime) -> dict[tuple[str, str], DispositionSums]:
    """By queue and disposition, in that order."""
    rows = await connection.execute(_DISPOSITIONS, {"from_at": from_at, "to_at": to_at})
    return {(row[0], row[1]): DispositionSums(*row[2:]) for row in rows}


async def ewt_by_queue(connection: AsyncConnection, from_at: datetime, to_at: datetime) -> dict[str, float]:
    """Of the estimated waits told in each queue, the share that came true."""
    rows = await connection.execute(_EWT, {"from_at": from_at, "to_at": to_at})
    return {row.queue: float(row.ewt_came_true) for row in rows}


async def time_by_agent(connection: AsyncConnection, from_at: datetime, to_at: datetime, until_at: datetime) -> dict[str, AgentTime]:
    """How long each agent was in each state; what still lasts counts until ``until_at``."""
    rows = await connection.execute(_AGENT_TIME, {"from_at": from_at, "to_at": to_at, "until_at": until_at})
    return {row[0]: AgentTime(*(_span(value) for value in row[1:])) for row in rows}


async def calls(connection: AsyncConnection, from_at: datetime, to_at: datetime, queue: str | None) -> Sequence[CallRecord]:
    """The CDRs of calls that began within ``[from_at, to_at)``; with ``queue``, those with a contact in it."""
    rows = await connection.execute(_CALLS, {"from_at": from_at, "to_at": to_at, "queue": queue})
    return [
        CallRecord(
            row.call_id,
            row.linkedid,
            row.node,
            Direction(row.direction),
            row.caller,
            row.dialed,
            row.trunk,
            row.flow,
            row.started_at,
            row.answered_at,
            row.ended_at,
            _span(row.wait_s),
            _span(row.talk_s),
            _span(row.hold_s),
            row.queue,
            row.agent,
            row.contacts,
            Cause(row.cause) if row.cause else None,
            EndedBy(row.ended_by) if row.ended_by else None,
            ServedBy(row.served_by),
            row.disposition,
            FlowOutcome(row.flow_outcome) if row.flow_outcome else None,
        )
        for row in rows
    ]


def _span(value: Decimal) -> timedelta:
    return span(value) or _ZERO
