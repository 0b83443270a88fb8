"""Survey answers in PostgreSQL: the rows follow from the facts, and SQL counts as ``domain.survey_books`` does."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from callcenter.adapters.db import reports
from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.ledger import write_books
from callcenter.apps.survey_report import survey_report
from callcenter.domain.contact import ContactState
from callcenter.domain.kpi import Slice, slice_start
from callcenter.domain.records import CallBooks, ContactRecord, ServedBy, SurveyAnswerRecord
from callcenter.domain.survey_books import by, csat, mean_score, nps, survey_sums
from callcenter.domain.survey_kinds import SurveyKind

ZONE = ZoneInfo("America/New_York")
NOON = datetime(2026, 3, 7, 17, tzinfo=UTC)


def answer(n: int, question: str, kind: SurveyKind, value: str, *, agent: str = "alice", queue: str = "support") -> SurveyAnswerRecord:
    score = int(value) if kind in (SurveyKind.CSAT, SurveyKind.NPS) else None
    at = NOON + timedelta(hours=7 * (n % 5))  # into the night in which the clocks change
    return SurveyAnswerRecord(
        f"call{n}",
        ("satisfied", "recommend", "solved").index(question),
        f"contact{n}",
        queue,
        agent,
        "how-was-it",
        question,
        kind,
        value,
        score,
        at,
    )


def many() -> list[SurveyAnswerRecord]:
    found = []
    for n in range(40):
        agent, queue = ("alice", "bob", "carol")[n % 3], ("support", "sales")[n % 2]
        found.append(answer(n, "satisfied", SurveyKind.CSAT, str(1 + n * 7 % 5), agent=agent, queue=queue))
        found.append(answer(n, "recommend", SurveyKind.NPS, str(n * 3 % 11), agent=agent, queue=queue))
        found.append(answer(n, "solved", SurveyKind.CHOICE, ("yes", "no")[n % 2], agent=agent, queue=queue))
    return found


def asked(n: int) -> ContactRecord:
    return ContactRecord(
        contact_id=f"contact{n}", call_id=f"call{n}", queue=("support", "sales")[n % 2], caller="+12025550123", priority=0, entered_at=NOON,
        offers=1, offers_missed=0, answered_at=NOON, agent="alice", parted_at=NOON, ended_at=NOON, state=ContactState.ENDED,
        wait=timedelta(0), talk=timedelta(0), hold=timedelta(0), wrap_up=timedelta(0), why="agent_hung_up", short_abandon=False,
        transferred_from="", served_by=ServedBy.ENGINE, survey_offered=True,
    )  # fmt: skip


@pytest.fixture
async def filled(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = connect(database_url, name="test")
    async with engine.begin() as connection:
        for _ in range(2):  # written again nothing changes
            await write_books(connection, [CallBooks(None, tuple(asked(n) for n in range(50)), (), survey_answers=tuple(many()))])
    yield engine
    await engine.dispose()


async def test_sql_counts_as_the_core_does(filled: AsyncEngine) -> None:
    expected = by(many(), lambda each: (each.queue, each.agent, slice_start(each.answered_at, Slice.DAY, ZONE), each.question, each.kind))
    async with filled.connect() as connection:
        rows = await reports.survey_rows(connection, NOON, NOON + timedelta(days=9), ZONE.key)
        seen = (await connection.execute(text("SELECT question, csat, nps, mean_score, answers FROM kpi_surveys LIMIT 1000"))).all()
    assert {(row.queue, row.agent, row.slice_at, row.question, row.kind): row.counted for row in rows} == expected
    assert len(expected) > 20
    assert sum(row.answers for row in seen) == 120


async def test_the_report_is_by_question_queue_agent_and_day(filled: AsyncEngine) -> None:
    report = await survey_report(filled, NOON, NOON + timedelta(days=9), zone=ZONE)
    assert (report["asked"], report["responded"], report["response_rate"]) == (50, 40, 0.8)
    all_csat = survey_sums(each for each in many() if each.kind is SurveyKind.CSAT)
    all_nps = survey_sums(each for each in many() if each.kind is SurveyKind.NPS)
    recommend, satisfied, solved = report["questions"]  # type: ignore[misc]
    assert satisfied == {
        **{"question": "satisfied", "kind": "csat", "answers": 40, "csat": csat(all_csat), "nps": None},
        "mean_score": mean_score(all_csat),
    }
    assert (recommend["nps"], recommend["csat"], solved["answers"], solved["mean_score"]) == (nps(all_nps), None, 40, None)  # type: ignore[index]
    assert {entry["queue"] for entry in report["queues"]} == {"support", "sales"}  # type: ignore[index, union-attr, call-overload]
    assert {entry["agent"] for entry in report["agents"]} == {"alice", "bob", "carol"}  # type: ignore[index, union-attr, call-overload]
    days = [entry["day"] for entry in report["days"] if entry["question"] == "solved"]  # type: ignore[index, union-attr, call-overload]
    assert days == ["2026-03-07", "2026-03-08"]
    only = await survey_report(filled, NOON, NOON + timedelta(days=9), "sales", zone=ZONE)
    assert only["asked"] == 25
    assert {entry["queue"] for entry in only["queues"]} == {"sales"}  # type: ignore[index, union-attr, call-overload]
