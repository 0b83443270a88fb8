"""``callcenter report surveys``: what callers answered, by queue, agent and day.

``--json`` is an object: ``from_at``, ``to_at``, ``time_zone``, ``asked`` (contacts whose callers went on into a survey), ``responded``
(those of them that answered anything), ``response_rate``, and the lists ``questions``, ``queues``, ``agents``, ``days``. An entry of
``questions``: ``question, kind, answers, csat, nps, mean_score``; the others have ``queue``, ``agent`` or ``day`` beside them. ``csat`` is
satisfied (4 and 5) ÷ answers; ``nps`` is 100 × (promoters, 9 and 10, − detractors, 0 to 6) ÷ answers; what a kind does not have is null.
"""

import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncEngine

from callcenter.adapters.db import reports as asked
from callcenter.adapters.db.reports import SurveyRow
from callcenter.apps.report_tables import WIDE
from callcenter.apps.reports import Json, ReportError, connection_to, window
from callcenter.domain.survey_books import SurveySums, csat, mean_score, nps
from callcenter.domain.survey_kinds import SurveyKind
from callcenter.runtime.data_folder import database_url
from callcenter.runtime.postgres import PostgresError
from callcenter.runtime.settings import Settings

MEASURES = ("answers", "csat", "nps", "mean_score")


async def survey_report(
    database: str | AsyncEngine, from_at: datetime, to_at: datetime, queue: str | None = None, *, zone: ZoneInfo
) -> dict[str, Json]:
    """The answers given, and the callers asked, within ``[from_at, to_at)``; with ``queue``, after talks of it. Raises ReportError."""
    async with connection_to(database) as connection:
        rows = await asked.survey_rows(connection, from_at, to_at, zone.key, queue)
        contacts, responded = await asked.survey_response(connection, from_at, to_at, queue)
    return {
        "from_at": from_at.astimezone(zone).isoformat(timespec="milliseconds"),
        "to_at": to_at.astimezone(zone).isoformat(timespec="milliseconds"),
        "time_zone": zone.key,
        "asked": contacts,
        "responded": responded,
        "response_rate": responded / contacts if contacts else None,
        "questions": _grouped(rows, "", lambda row: ""),
        "queues": _grouped(rows, "queue", lambda row: row.queue),
        "agents": _grouped(rows, "agent", lambda row: row.agent),
        "days": _grouped(rows, "day", lambda row: row.slice_at.astimezone(zone).date().isoformat()),
    }


def _grouped(rows: Iterable[SurveyRow], name: str, key: Callable[[SurveyRow], str]) -> list[Json]:
    counted: dict[tuple[str, str, SurveyKind], SurveySums] = defaultdict(SurveySums)
    for row in rows:
        counted[key(row), row.question, row.kind] += row.counted
    return [_entry({name: each[0]} if name else {}, each, counted[each]) for each in sorted(counted)]


def _entry(first: dict[str, Json], of: tuple[str, str, SurveyKind], counted: SurveySums) -> Json:
    _, question, kind = of
    scored = kind in (SurveyKind.CSAT, SurveyKind.NPS)
    return {
        **first,
        "question": question,
        "kind": kind.value,
        "answers": counted.answers,
        "csat": csat(counted) if kind is SurveyKind.CSAT else None,
        "nps": nps(counted) if kind is SurveyKind.NPS else None,
        "mean_score": mean_score(counted) if scored else None,
    }


def surveys(settings: Settings, from_: str | None, to: str | None, queue: str | None, as_json: bool) -> None:
    """``callcenter report surveys``. Raises SystemExit with a sentence."""
    zone = ZoneInfo(settings.center.time_zone)
    try:
        known = {each.name for each in settings.queues}
        if queue is not None and queue not in known:
            raise ReportError(f"there is no queue '{queue}'; queues: {', '.join(sorted(known)) or 'none'}")
        from_at, to_at = window(from_, to, zone, datetime.now(UTC))
        report = asyncio.run(survey_report(database_url(settings), from_at, to_at, queue, zone=zone))
    except (ReportError, PostgresError, ValueError) as error:
        raise SystemExit(f"callcenter: {error}") from None
    if as_json:
        json.dump(report, sys.stdout, indent=2)
        print()
    else:
        show(report, Console() if sys.stdout.isatty() else Console(width=WIDE))


def show(report: Mapping[str, Json], console: Console) -> None:
    """A table each for questions, queues, agents and days."""
    console.print(f"Surveys from {report['from_at']} to {report['to_at']}: {report['responded']} of {report['asked']} callers answered")
    for part, name in (("questions", ""), ("queues", "queue"), ("agents", "agent"), ("days", "day")):
        entries = report[part]
        assert isinstance(entries, Sequence)
        table = Table(title=part, title_justify="left")
        columns = [*([name] if name else []), "question", "kind", *MEASURES]
        for column in columns:
            table.add_column(column, justify="right" if column in MEASURES else "left")
        for entry in entries:
            assert isinstance(entry, dict)
            table.add_row(*(_shown(column, entry[column]) for column in columns))
        console.print(table)


def _shown(column: str, value: Json) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.0%}" if column == "csat" else f"{value:+.0f}" if column == "nps" else f"{value:.2f}"
    return str(value)
