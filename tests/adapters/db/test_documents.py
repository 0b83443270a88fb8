"""Versions of the documents in a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from callcenter.adapters.db.audit import entries
from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.documents import PostgresDocuments
from callcenter.domain.documents import Documents, digest
from callcenter.services.configuration import Change, NoSuchVersion, Stale
from callcenter.services.ledger import StoreAway

AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
FIRST: Documents = {
    "center": {"time_zone": "UTC", "name": "Ünïcode \U0001f600"},
    "queue/sales": {"name": "sales"},
    "queue/support": {"name": "support", "keys": {"2": "b", "1": "a"}},
}


@asynccontextmanager
async def store(url: str) -> AsyncIterator[PostgresDocuments]:
    engine = connect(url, name="test", pool_size=4)
    try:
        yield PostgresDocuments(engine)
    finally:
        await engine.dispose()


async def test_each_version_is_kept_whole_and_never_changes(database_url: str) -> None:
    async with store(database_url) as documents:
        assert (await documents.latest(), await documents.number(), await documents.history()) == (None, 0, [])
        second = {**FIRST, "queue/support": {"name": "support", "wrap_up_s": 5}, "agent/alice": {"name": "alice"}}
        third = {key: body for key, body in second.items() if key != "queue/sales"}
        assert await documents.commit(0, FIRST, Change("dana", "first", "file"), AT) == 1
        assert await documents.commit(1, second, Change("erin", "slower", "page"), AT) == 2
        assert await documents.commit(2, third, Change("erin"), AT) == 3
        for number, kept in ((1, FIRST), (2, second), (3, third)):
            assert digest(await documents.version(number)) == digest(kept)
        latest = await documents.latest()
        assert latest is not None
        assert (latest.version, latest.author, latest.documents == third, await documents.number()) == (3, "erin", True, 3)
        assert latest.changed_in == {"center": 1, "queue/sales": 3, "queue/support": 2, "agent/alice": 2}
        notes = await documents.history()
        assert [(note.version, note.author, note.reason, note.source, list(note.changed)) for note in notes] == [
            (3, "erin", "", "api", ["-queue/sales"]),
            (2, "erin", "slower", "page", ["agent/alice", "queue/support"]),
            (1, "dana", "first", "file", ["center", "queue/sales", "queue/support"]),
        ]
        assert [note.version for note in await documents.history("queue/sales")] == [3, 1]
        assert [note.digest for note in notes] == [digest(third), digest(second), digest(FIRST)]
        async with documents._engine.begin() as connection:
            trail = await entries(connection)
        assert [(entry.by.person, entry.deed.what, entry.deed.of, entry.deed.reason) for entry in trail[:2]] == [
            ("erin", "config_changed", "version 3", ""),
            ("erin", "config_changed", "version 2", "slower"),
        ]
        assert (trail[0].deed.before, trail[0].deed.after) == ({"queue/sales": {"name": "sales"}}, {})
        with pytest.raises(NoSuchVersion, match="there is no version 9; the latest is 3"):
            await documents.version(9)


async def test_the_order_of_a_kind_is_kept_and_moving_is_no_change_of_a_document(database_url: str) -> None:
    turned = {key: FIRST[key] for key in ("queue/support", "queue/sales", "center")}
    between = {key: turned.get(key, {"name": "vip"}) for key in ("queue/support", "queue/vip", "queue/sales", "center")}
    async with store(database_url) as documents:
        await documents.commit(0, FIRST, Change("dana"), AT)
        await documents.commit(1, turned, Change("dana"), AT)
        await documents.commit(2, between, Change("dana"), AT)
        for number, names in ((1, ["sales", "support"]), (2, ["support", "sales"]), (3, ["support", "vip", "sales"])):
            assert [body["name"] for key, body in (await documents.version(number)).items() if key.startswith("queue/")] == names
        latest = await documents.latest()
        assert latest is not None
        assert latest.changed_in == {"center": 1, "queue/sales": 1, "queue/support": 1, "queue/vip": 3}
        assert [list(note.changed) for note in await documents.history()][:2] == [["queue/vip"], []]


async def test_of_two_at_once_one_is_told_that_the_other_was_quicker(database_url: str) -> None:
    async with store(database_url) as documents:
        await documents.commit(0, FIRST, Change("dana"), AT)
        tried = [documents.commit(1, {**FIRST, "queue/vip": {"name": f"vip{n}"}}, Change(f"p{n}"), AT) for n in range(4)]
        ended = await asyncio.gather(*tried, return_exceptions=True)
        assert sorted(str(each) for each in ended if not isinstance(each, Stale)) == ["2"]
        stale = [each for each in ended if isinstance(each, Stale)]
        assert len(stale) == 3
        assert {each.now for each in stale} == {2}
        assert "they are at version 2, not 1 any more" in str(stale[0])


async def test_what_came_back_from_a_backup_may_go_on_with_a_higher_number(database_url: str) -> None:
    async with store(database_url) as documents:
        await documents.commit(0, FIRST, Change("dana"), AT)
        assert await documents.commit(1, FIRST, Change("books"), AT, number=9) == 9


async def test_a_database_out_of_reach_is_said_to_be() -> None:
    async with store("postgresql://callcenter:secret@127.0.0.1:1/callcenter") as documents:
        with pytest.raises(StoreAway):
            await documents.latest()
