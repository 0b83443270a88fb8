"""Rows of messages: what each fact makes of them, however often it is shipped; and who is to be mailed, once."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.ledger import PostgresLedger
from callcenter.adapters.db.messages import SENDING_LASTS, PostgresMessages
from callcenter.domain import facts as f
from callcenter.domain.facts import DroppedWhy
from callcenter.services.journal import Journal
from callcenter.services.ledger import Shipper
from callcenter.services.voicemail_audio import TakenIn
from callcenter.services.voicemail_mail import MailResult, MailState
from tests.support.day import BEGIN

NODE, SUPPORT = "node1", "queue:support"
KEPT_UNTIL = BEGIN + timedelta(days=30)


def left(message: str, after: float = 0, mailbox: str = SUPPORT) -> f.MessageLeft:
    at = BEGIN + timedelta(seconds=after)
    return f.MessageLeft(at, "c1", NODE, mailbox, message, "contact-1", "+12025550123", "Ann", timedelta(seconds=7), KEPT_UNTIL)


FACTS: list[Sequence[f.Fact]] = [
    [left("m1"), left("m2", 1), left("m3", 2)],
    [f.MessageHeard(BEGIN, SUPPORT, "m2", "alice"), f.MessageHeard(BEGIN, SUPPORT, "m3", "alice")],
    [f.MessageSaved(BEGIN, SUPPORT, "m2", "alice", KEPT_UNTIL + timedelta(days=9)), f.MessageDeleted(BEGIN, SUPPORT, "m3", "retention")],
    [f.MessageDropped(BEGIN, "c1", NODE, "m4", DroppedWhy.CANCELLED)],
    [f.GreetingChanged(BEGIN, SUPPORT, NODE, "g1", "")],
    [f.GreetingChanged(BEGIN, SUPPORT, NODE, "g2", "g1")],
]
ROWS = [("g1", "deleted"), ("g2", "greeting"), ("m1", "new"), ("m2", "heard"), ("m3", "deleted"), ("m4", "dropped")]


async def ship(folder: Path, url: str, records: list[Sequence[f.Fact]]) -> None:
    """Twice: what was shipped is shipped again, and changes nothing."""
    journal = Journal(folder / "journal")
    for facts in records:
        journal.append(facts)
    number = journal.id
    journal.close()
    ledger = PostgresLedger(connect(url, name="test", statement_timeout=5.0))
    for _ in range(2):
        shipper = Shipper(folder / "journal", ledger, dead_letters=folder)
        while await shipper.step():
            pass
        assert shipper.state(BEGIN).trouble == ""
        await ledger.rewind(UUID(str(number)), 0)


def rows(url: str, what: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(what.encode()).fetchall()


@pytest.fixture
async def store(database_url: str) -> PostgresMessages:
    return PostgresMessages(connect(database_url, name="test", statement_timeout=5.0))


async def test_each_fact_changes_its_row_once(tmp_path: Path, database_url: str, store: PostgresMessages) -> None:
    await ship(tmp_path, database_url, FACTS)
    asked = "SELECT message_id, state FROM message ORDER BY message_id"
    assert rows(database_url, asked) == ROWS
    assert rows(database_url, "SELECT kept_until FROM message WHERE message_id = 'm2'") == [(KEPT_UNTIL + timedelta(days=9),)]
    assert rows(database_url, "SELECT caller, caller_name, contact_id, length_s::float FROM message WHERE message_id = 'm1'") == [
        ("+12025550123", "Ann", "contact-1", 7.0)
    ]
    assert sorted(each.message_id for each in await store.awaited([NODE], 10)) == ["g2", "m1", "m2"]
    assert await store.awaited(["elsewhere"], 10) == []
    assert sorted(await store.unwanted(10)) == ["g1", "m3", "m4"]
    await store.taken_in([TakenIn("m1", 100, 6.5, (1, 2)), TakenIn("m2"), TakenIn("g2", 5, 1.0, (1,))])
    await store.destroyed(["g1", "m3", "m4"])
    assert (await store.unwanted(10), await store.awaited([NODE], 10)) == ([], [])
    listed = await store.messages(SUPPORT)
    assert [(each.message_id, each.new, each.seconds, each.audio, each.peaks) for each in listed] == [
        ("m1", True, 6.5, "kept", (1, 2)),
        ("m2", False, 7.0, "missing", ()),
    ]


async def test_each_recipient_is_listed_once_and_taken_by_one(tmp_path: Path, database_url: str, store: PostgresMessages) -> None:
    await ship(tmp_path, database_url, [[left("m1"), left("m2", 1, "agent:alice")]])
    now = BEGIN + timedelta(seconds=30)
    wanted = {SUPPORT: ["a@example.com", "b@example.com"]}
    await store.list_mail(wanted, now)
    assert await store.next_due(now) is None, "the audio has not been seen to"
    await store.taken_in([TakenIn("m1", 100, 6.5, (1,)), TakenIn("m2", 100, 6.5, (1,))])
    await store.list_mail(wanted, now)
    await store.list_mail({SUPPORT: ["late@example.com"]}, now)  # who is added later is not told of what was before
    first, second = await store.next_due(now), await store.next_due(now)
    assert first is not None
    assert second is not None
    assert {first.recipient, second.recipient} == {"a@example.com", "b@example.com"}
    assert (first.attempt, first.seconds, first.has_audio, first.caller_name) == (1, 6.5, True, "Ann")
    assert await store.next_due(now) is None
    await store.settle(MailResult("m1", first.recipient, MailState.SENT, now, sent_at=now))
    await store.settle(MailResult("m1", second.recipient, MailState.DUE, now + timedelta(minutes=1), why="451 later"))
    assert await store.next_due(now + timedelta(seconds=59)) is None
    again = await store.next_due(now + timedelta(seconds=61))
    assert again is not None
    assert (again.recipient, again.attempt) == (second.recipient, 2)
    # killed while sending: nobody knows whether it was taken, so it is sent again, once whoever was sending must have finished
    assert await store.next_due(now + timedelta(seconds=61)) is None
    after = await store.next_due(now + timedelta(seconds=61) + SENDING_LASTS)
    assert after is not None
    await store.settle(MailResult("m1", after.recipient, MailState.SENT, now, sent_at=now))
    assert rows(database_url, "SELECT state, count(*) FROM message_mail GROUP BY state") == [("sent", 2)]


async def test_of_audio_that_cannot_be_seen_people_are_told_all_the_same(
    tmp_path: Path, database_url: str, store: PostgresMessages
) -> None:
    await ship(tmp_path, database_url, [[left("m1")]])
    await store.list_mail({SUPPORT: ["a@example.com"]}, BEGIN + timedelta(minutes=3))
    due = await store.next_due(BEGIN + timedelta(minutes=3))
    assert due is not None
    assert not due.has_audio
