"""What the database knows of a caller: calls, contacts with notes and answers, the way through flows; and of nobody else."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from callcenter.adapters.db.caller_history import PostgresHistories
from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.ledger import PostgresLedger
from callcenter.domain import facts as f
from callcenter.runtime.number_forms import forms
from callcenter.services.journal import Journal
from callcenter.services.ledger import Shipper
from tests.support.day import abandoned_call, answered_call

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


async def test_the_latest_calls_of_a_caller_with_what_was_written_of_them(database_url: str, tmp_path: Path) -> None:
    engine = connect(database_url, name="test")
    journal = Journal(tmp_path / "journal")
    shipper = Shipper(tmp_path / "journal", PostgresLedger(engine), dead_letters=tmp_path)
    try:
        for event in (*answered_call("c1", AT, "alice"), *abandoned_call("c2", AT + timedelta(hours=1), wait=40)):
            journal.append(event)
        contact = _contact(answered_call("c1", AT, "alice"))
        for minute, note in enumerate(("first", "second <b>")):
            journal.append([f.ContactNoted(AT + timedelta(minutes=minute), "c1", contact.contact, contact.queue, "alice", note)])
        filled = f.ScriptFilled(AT, "c1", contact.contact, contact.queue, "alice", "sale", ("plan",), ("gold",), True)
        journal.append([filled])
        flags = ("success", "resolved")
        journal.append([f.DispositionGiven(AT, "c1", contact.contact, contact.queue, "alice", "sale", f.DisposedBy.AGENT, flags)])
        journal.append([f.TalkMeasured(AT, "c1", contact.contact, contact.queue, "alice", 500, 3, 2.5, 40.0, 0.1, 9.0, 80.0)])
        await journal.sync()
        while await shipper.step():
            pass
        histories = PostgresHistories(engine)
        known = await histories.of(contact.caller, "")
        (call,) = [one for one in known.calls if one["call_id"] == "c1"]
        (shown,) = call["contacts"]  # type: ignore[misc]
        assert (shown["note"], shown["scripts"], shown["disposition_flags"]) == (
            "second <b>",
            [{"script": "sale", "done": True, "answers": [{"field": "plan", "answer": "gold"}]}],
            ["success", "resolved"],
        )
        assert (shown["sound"]["received"], shown["sound"]["worst_rtt_ms"]) == (500, 80.0)
        assert [one["call_id"] for one in (await histories.of(contact.caller, "c1")).calls] != ["c1"]
        assert (await histories.of("+19995550199", "")).calls == []
        assert (await histories.of("", "")).calls == ()
    finally:
        journal.close()
        await engine.dispose()


async def test_one_person_is_one_history_however_her_number_was_written(database_url: str, tmp_path: Path) -> None:
    """Also in rows that were written before numbers were kept in one way."""
    engine = connect(database_url, name="test")
    journal = Journal(tmp_path / "journal")
    shipper = Shipper(tmp_path / "journal", PostgresLedger(engine), dead_letters=tmp_path)
    try:
        for n, caller in enumerate(("+12025550123", "12025550123", "2025550123", "+12025550124", "")):
            for event in answered_call(f"c{n}", AT + timedelta(minutes=n), "alice", caller=caller):
                journal.append(event)
        await journal.sync()
        while await shipper.step():
            pass
        histories = PostgresHistories(engine, lambda caller: forms(caller, "US"))
        for asked in ("+12025550123", "12025550123", "(202) 555-0123"):
            known = await histories.of(asked, "")
            assert [call["call_id"] for call in known.calls] == ["c2", "c1", "c0"], asked
        assert [call["call_id"] for call in (await histories.of("+12025550124", "")).calls] == ["c3"]
    finally:
        journal.close()
        await engine.dispose()


def _contact(events: "list[list[f.Fact]] | tuple[object, ...]") -> f.ContactEntered:
    return next(fact for event in events for fact in event if isinstance(fact, f.ContactEntered))  # type: ignore[attr-defined]
