"""What the database knows of a caller: calls, contacts with notes and answers, the way through flows; and of nobody else."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from callcenter.adapters.db.caller_history import PostgresHistories
from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.ledger import PostgresLedger
from callcenter.domain import facts as f
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
        await journal.sync()
        while await shipper.step():
            pass
        histories = PostgresHistories(engine)
        known = await histories.of(contact.caller, "")
        (call,) = [one for one in known.calls if one["call_id"] == "c1"]
        (shown,) = call["contacts"]  # type: ignore[misc]
        assert (shown["note"], shown["scripts"]) == (
            "second <b>",
            [{"script": "sale", "answers": [{"field": "plan", "answer": "gold"}]}],
        )
        assert [one["call_id"] for one in (await histories.of(contact.caller, "c1")).calls] != ["c1"]
        assert (await histories.of("+19995550199", "")).calls == []
        assert (await histories.of("", "")).calls == ()
    finally:
        journal.close()
        await engine.dispose()


def _contact(events: "list[list[f.Fact]] | tuple[object, ...]") -> f.ContactEntered:
    return next(fact for event in events for fact in event if isinstance(fact, f.ContactEntered))  # type: ignore[attr-defined]
