"""Reports: what they count, the window they are about, and how they are written."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console, RenderableType

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.ledger import PostgresLedger
from callcenter.apps import reports
from callcenter.apps.report_tables import WIDE, cdr_table, clock, kpi_tables
from callcenter.apps.reports import ReportError, call_json, cdr_rows, kpi_report, report_json, window
from callcenter.domain import facts as f
from callcenter.services.journal import Journal
from callcenter.services.ledger import Shipper
from tests.support.day import BEGIN, abandoned_call, answered_call, seconds

BERLIN = ZoneInfo("Europe/Berlin")
END = BEGIN + timedelta(hours=1)
TARGETS = {"support": timedelta(seconds=20), "sales": timedelta(seconds=10), "quiet": timedelta(seconds=20)}


@pytest.fixture
async def url(database_url: str, tmp_path: Path) -> str:
    """Two queues, five calls."""
    journal = Journal(tmp_path / "journal")
    calls = [
        *answered_call("c1", BEGIN, "alice", wait=12),
        *answered_call("c2", BEGIN + seconds(200), "alice", wait=30),
        *abandoned_call("c3", BEGIN + seconds(300), wait=3),
        *abandoned_call("c4", BEGIN + seconds(400), wait=40),
        *answered_call("c5", BEGIN + seconds(500), "bob", wait=12, queue="sales", caller="[bold]+49[/bold]"),
    ]
    done = ("support", "alice", "sale", f.DisposedBy.AGENT, ("success", "resolved"))
    calls.append([f.DispositionGiven(BEGIN + seconds(100), "c1", "c1-contact", *done)])
    for facts in calls:
        journal.append(facts)
    journal.close()
    engine = connect(database_url, name="test")
    shipper = Shipper(tmp_path / "journal", PostgresLedger(engine), dead_letters=tmp_path)
    while await shipper.step():
        pass
    await engine.dispose()
    return database_url


async def test_the_measures_of_each_queue_and_of_all(url: str) -> None:
    report = report_json(await kpi_report(url, BEGIN, END, zone=BERLIN, targets=TARGETS, now=END))
    queues = {row["queue"]: row for row in report["queues"]}  # type: ignore[index, union-attr, call-overload]
    assert list(queues) == ["quiet", "sales", "support"]
    support = queues["support"]
    assert {name: support[name] for name in ("offered", "answered", "abandoned", "short_abandoned", "overflowed", "still_waiting")} == {
        "offered": 4, "answered": 2, "abandoned": 2, "short_abandoned": 1, "overflowed": 0, "still_waiting": 0,
    }  # fmt: skip
    assert support["service_level"] == pytest.approx(1 / 3)  # 12 s of: 12 s, 30 s, and the one who did not leave at once
    assert support["asa_s"] == 21.0
    assert support["aht_s"] == 65.0
    assert support["abandon_rate"] == pytest.approx(1 / 3)
    assert support["fcr"] == 0.5  # the same caller twice
    assert support["conversion"] == 0.5  # one of two was a sale
    sale = {"queue": "support", "disposition": "sale", "contacts": 1, "success": 1, "resolved": 1}
    assert report["dispositions"] == [{**sale, "do_not_call": 0, "call_back": 0, "retry": 0, "never_again": 0}]
    assert support["ewt_came_true"] is None  # nobody was told anything
    assert queues["sales"]["service_level"] == 0.0  # its target is 10 s
    assert queues["quiet"]["service_level"] is None
    assert report["total"]["offered"] == 5  # type: ignore[index, call-overload]
    agents = {row["agent"]: row for row in report["agents"]}  # type: ignore[index, union-attr, call-overload]
    assert agents["alice"]["talking_s"] == 120.0
    assert agents["alice"]["wrap_up_s"] == 10.0
    json.dumps(report)


async def test_one_queue_alone(url: str) -> None:
    report = await kpi_report(url, BEGIN, END, "sales", zone=BERLIN, targets=TARGETS)
    assert [each.queue for each in report.queues] == ["sales"]
    assert report.total.counted.offered == 1
    assert report.agents == ()
    assert [call.call_id for call in await cdr_rows(url, BEGIN, END, "sales")] == ["c5"]


async def test_cdr_rows_speak_the_glossary_in_the_centers_zone(url: str) -> None:
    rows = [call_json(call, BERLIN) for call in await cdr_rows(url, BEGIN, END)]
    assert [row["call_id"] for row in rows] == ["c1", "c2", "c3", "c4", "c5"]
    assert rows[0]["started_at"] == "2026-03-28T23:00:00.000+01:00"
    assert (rows[0]["wait_s"], rows[0]["talk_s"], rows[0]["hold_s"], rows[0]["ended_by"]) == (12.0, 50.0, 10.0, "caller")
    assert rows[2]["answered_at"] is None


def shown(parts: Iterable[RenderableType], width: int) -> str:
    out = StringIO()
    console = Console(file=out, width=width)
    for part in parts:
        console.print(part)
    return out.getvalue()


async def test_tables_are_readable_and_show_callers_as_they_are(url: str) -> None:
    report = report_json(await kpi_report(url, BEGIN, END, zone=BERLIN, targets=TARGETS, now=END))
    rows = [call_json(call, BERLIN) for call in await cdr_rows(url, BEGIN, END)]
    text = shown((*kpi_tables(report), cdr_table(rows)), WIDE)
    for words in (
        "33.3 % in 20 s",
        "service level = ",
        "wrap-up (ACW)",
        "[bold]+49[/bold]",
        "2026-03-28 23:00:00",
        "5 calls",
        "sale",
        "never again",
    ):
        assert words in text
    (headings,) = [line for line in text.splitlines() if "offered load" in line]
    assert " ".join(headings.split()) == (
        "queue offered answered abandoned (short) overflowed waiting handled "
        "service level ASA longest wait abandon rate AHT offered load FCR conversion EWT came true"
    )


@pytest.mark.parametrize("width", [60, 80, 100, 132, 200])
async def test_nothing_is_cut_on_any_terminal(url: str, width: int) -> None:
    targets = {**TARGETS, **{f"queue number {n}": timedelta(seconds=20) for n in range(10)}}
    report = report_json(await kpi_report(url, BEGIN, END, zone=BERLIN, targets=targets, now=END))
    rows = [call_json(call, BERLIN) for call in await cdr_rows(url, BEGIN, END)]
    text = shown((*kpi_tables(report, width), cdr_table(rows, width)), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    for words in ("service level", "longest wait", "queue number 9", "wrap-up (ACW)", "33.3 % in 20 s", "started"):
        assert words in text


async def test_a_narrow_terminal_has_measures_as_rows(url: str) -> None:
    report = report_json(await kpi_report(url, BEGIN, END, "support", zone=BERLIN, targets=TARGETS, now=END))
    lines = [line.split() for line in shown(kpi_tables(report, 80), 80).splitlines()]
    assert ["queue", "support"] in lines
    assert ["offered", "4"] in lines
    assert ["service", "level", "33.3", "%", "in", "20", "s"] in lines


async def test_a_narrow_terminal_says_which_columns_it_lacks(url: str) -> None:
    rows = [call_json(call, BERLIN) for call in await cdr_rows(url, BEGIN, END)]
    assert "a wider terminal shows: hold" in shown([cdr_table(rows, 80)], 80)
    assert "a wider terminal" not in shown([cdr_table(rows, 132)], 132)


async def test_the_shape_of_the_json(url: str) -> None:
    """As the module says; people build on it."""
    report = report_json(await kpi_report(url, BEGIN, END, zone=BERLIN, targets=TARGETS, now=END))
    assert list(report) == [
        "from_at",
        "to_at",
        "time_zone",
        "service_level_formula",
        "queues",
        "total",
        "callbacks",
        "dispositions",
        "agents",
    ]
    said = (reports.__doc__ or "").replace("`", " ").replace(",", " ").replace("*", " ").split()
    call = call_json((await cdr_rows(url, BEGIN, END))[0], BERLIN)
    for each in (report, report["queues"][0], report["total"], report["agents"][0], call):  # type: ignore[index, call-overload]
        assert set(each) <= set(said)  # type: ignore[arg-type]
    assert (report["total"]["queue"], report["total"]["target_wait_s"]) == ("", None)  # type: ignore[index, call-overload]
    assert list(call)[:4] == ["call_id", "linkedid", "node", "direction"]


async def test_a_database_out_of_reach_is_said_in_one_sentence() -> None:
    with pytest.raises(ReportError, match=r"the database does not give the report: .*refused"):
        await cdr_rows("postgresql://x:y@127.0.0.1:1/z", BEGIN, END)


# --- windows ------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)  # 00:30 of the 22nd in Berlin


def test_by_default_the_window_is_today_in_the_centers_zone() -> None:
    assert window(None, None, BERLIN, NOW) == (datetime(2026, 11, 21, 23, 0, tzinfo=UTC), NOW)


def test_dates_without_zone_are_in_the_centers_zone() -> None:
    assert window("2026-03-29", "2026-03-30T12:00", BERLIN, NOW) == (
        datetime(2026, 3, 28, 23, 0, tzinfo=UTC),
        datetime(2026, 3, 30, 10, 0, tzinfo=UTC),
    )
    assert window("2026-03-29T00:00Z", None, BERLIN, NOW)[0] == datetime(2026, 3, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "zone", "meant"),
    [
        ("2026-03-29T02:30", "Europe/Berlin", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),  # never on a clock there
        ("2026-10-25T02:30", "Europe/Berlin", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # comes twice
        ("2026-10-25T02:30+01:00", "Europe/Berlin", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),  # the second
        ("2026-04-24", "Africa/Cairo", datetime(2026, 4, 23, 22, 0, tzinfo=UTC)),  # a day without midnight begins at 01:00
        ("2026-11-20T09:30-05:00", "Europe/Berlin", datetime(2026, 11, 20, 14, 30, tzinfo=UTC)),
        (" 20261120 ", "UTC", datetime(2026, 11, 20, tzinfo=UTC)),
    ],
)
def test_moments_around_changes_of_the_clocks(written: str, zone: str, meant: datetime) -> None:
    assert window(written, None, ZoneInfo(zone), NOW)[0] == meant


@pytest.mark.parametrize(
    ("from_", "to"),
    [("0001-01-01", None), ("2026-11-20T24:61", None), ("yesterday", None), (None, "12"), ("2026-11-22", "2026-11-21")],
)
def test_a_wrong_window_is_refused(from_: str | None, to: str | None) -> None:
    with pytest.raises(ReportError, match="--"):
        window(from_, to, BERLIN, NOW)


@pytest.mark.parametrize(("span", "shown"), [(0, "0.0 s"), (9.96, "10.0 s"), (59.6, "1:00"), (61, "1:01"), (3661, "1:01:01")])
def test_spans_are_shown_like_clocks(span: float, shown: str) -> None:
    assert clock(span) == shown
