"""People in a real PostgreSQL: who is open to sign in, what ends, what is counted, and a trail nobody can change unseen."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from callcenter.adapters.db import audit
from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.people import PostgresPeople
from callcenter.domain.audit import Anchor, By, Deed, faults
from callcenter.domain.rights import Right, Role, Scope
from callcenter.domain.sign_in_limits import Tries
from callcenter.services.people.person import Person, PersonError
from callcenter.services.people.store import PeopleAway, Session, Token

NOW = datetime.now(UTC).replace(microsecond=0)
BY = By("admin", "session 1", "192.0.2.1")
ALICE = Person("alice", "Alice Ö", frozenset({Role.AGENT}), agent="alice", password_hash="$argon2id$v=19$m=1$c2FsdA$aGFzaA")


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = connect(database_url, name="test", pool_size=10)
    yield engine
    await engine.dispose()


@pytest.fixture
def store(engine: AsyncEngine) -> PostgresPeople:
    return PostgresPeople(engine)


def session(hash_: str, person: str = "alice") -> Session:
    return Session(hash_, f"id-{hash_}", person, NOW, NOW, NOW + timedelta(hours=12), "192.0.2.7", "Chromium")


async def opened(store: PostgresPeople, hash_: str, person: str = "alice") -> Session:
    begun = session(hash_, person)
    await store.begin_session(begun, BY, Deed("signed_in", f"person {person}"))
    return begun


async def trail(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        return [entry.deed.what async for entry in audit.in_order(connection)]


async def test_somebody_added_is_found_as_she_was(store: PostgresPeople) -> None:
    scoped = replace(ALICE, scope=Scope(queues=frozenset({"b", "a"}), teams=frozenset()), granted=frozenset({Right.LISTEN}), language="ar")
    assert not await store.anybody()
    assert await store.add(scoped, BY)
    found = await store.person("alice")
    assert found is not None
    assert replace(found, created_at=None) == scoped
    assert not await store.add(ALICE, BY), "a name is one person's"
    assert await store.anybody()


async def test_two_people_are_never_one_agent(store: PostgresPeople) -> None:
    await store.add(ALICE, BY)
    with pytest.raises(PersonError, match="somebody else is the agent alice"):
        await store.add(replace(ALICE, name="bob"), BY)
    await store.add(Person("carol", "Carol"), BY)
    with pytest.raises(PersonError, match="somebody else is the agent alice"):
        await store.change("carol", {"agent": "alice"}, BY)


async def test_a_change_is_told_with_before_and_after_and_never_with_a_password(store: PostgresPeople, engine: AsyncEngine) -> None:
    await store.add(ALICE, BY)
    await store.change("alice", {"roles": frozenset({Role.SUPERVISOR}), "password_hash": "$argon2id$v=19$m=1$YW5vdGhlcg$c2VjcmV0"}, BY)
    (entry,) = await store.audit(what="person_changed")
    assert (entry.deed.before["roles"], entry.deed.after["roles"]) == (["agent"], ["supervisor"])
    assert entry.by == BY
    assert "c2VjcmV0" not in str(entry.deed)
    assert entry.deed.before["password"] != entry.deed.after["password"]


async def test_who_is_removed_is_gone_but_may_come_back_and_the_trail_keeps_both(store: PostgresPeople, engine: AsyncEngine) -> None:
    await store.add(ALICE, BY)
    await opened(store, "s1")
    assert await store.remove("alice", BY)
    assert await store.person("alice") is None
    assert await store.session("s1") is None
    assert not await store.remove("alice", BY)
    assert await store.add(ALICE, BY)
    assert await store.session("s1") is None
    assert await trail(engine) == ["person_added", "signed_in", "person_removed", "person_added"]


async def test_sessions_end_when_rights_change_but_not_when_the_theme_does(store: PostgresPeople) -> None:
    await store.add(ALICE, BY)
    await opened(store, "s1")
    await store.change("alice", {"theme": "dark"}, BY)
    assert await store.session("s1") is not None
    await store.change("alice", {"roles": frozenset({Role.OPS})}, BY)
    assert await store.session("s1") is None


async def test_sessions_are_ended_one_or_all_or_all_but_one(store: PostgresPeople) -> None:
    await store.add(ALICE, BY)
    for hash_ in ("s1", "s2", "s3", "s4"):
        await opened(store, hash_)
    assert await store.end_sessions("alice", BY, only="id-s1") == 1
    assert await store.end_sessions("alice", BY, but="id-s2") == 2
    assert [one.hash for one in await store.sessions("alice", NOW)] == ["s2"]
    assert await store.end_sessions("alice", BY) == 1
    assert await store.end_sessions("alice", BY) == 0


async def test_what_has_ended_is_told_to_who_asks_since_when(store: PostgresPeople) -> None:
    await store.add(ALICE, BY)
    await opened(store, "s1")
    at, _, _ = await store.ended_since(NOW - timedelta(hours=1))
    assert (await store.ended_since(at))[1] == []
    await store.end_sessions("alice", BY)
    await store.change("alice", {"shown": "Alice B"}, BY)
    assert (await store.ended_since(at))[1:] == (["s1"], ["alice"])


async def test_tokens_live_until_they_are_ended(store: PostgresPeople) -> None:
    await store.add(ALICE, BY)
    token = Token("hash", "id", "alice", "reports", frozenset({Right.SEE_REPORTS}), NOW, NOW + timedelta(days=1))
    await store.add_token(token, BY)
    found = await store.token("hash")
    assert found is not None
    assert found[0] == token
    await store.token_used("hash", NOW)
    assert [one.used_at for one in await store.tokens("alice")] == [NOW]
    assert not await store.end_token("bob", "id", BY), "nobody else's"
    assert await store.end_token("alice", "id", BY)
    assert await store.token("hash") is None


# --- tries ----------------------------------------------------------------------------------------


async def test_failures_are_counted_by_pair_name_and_address(store: PostgresPeople) -> None:
    for name, address, outcome in [
        ("alice", "a", "wrong"),
        ("alice", "b", "wrong"),
        ("bob", "a", "wrong"),
        ("alice", "a", "refused"),
        ("carol", "c", "wrong"),
    ]:
        number, _ = await store.begin_try(name, address, "", NOW)
        await store.end_try(number, outcome)
    assert (await store.begin_try("alice", "a", "", NOW))[1] == Tries(1, NOW, 2, 2, False)


async def test_a_success_clears_the_pair_and_makes_address_and_browser_known(store: PostgresPeople) -> None:
    number, _ = await store.begin_try("alice", "a", "", NOW)
    await store.end_try(number, "wrong")
    number, _ = await store.begin_try("alice", "a", "laptop", NOW + timedelta(seconds=1))
    await store.end_try(number, "right")
    later = NOW + timedelta(seconds=2)
    assert (await store.begin_try("alice", "a", "", later))[1] == Tries(0, None, 0, 0, True)
    assert (await store.begin_try("alice", "b", "laptop", later))[1].known
    assert not (await store.begin_try("alice", "b", "", later))[1].known
    assert not (await store.begin_try("bob", "a", "laptop", later))[1].known


async def test_a_hundred_tries_at_once_are_counted_as_a_hundred(store: PostgresPeople) -> None:
    counts = [tries.of_pair for _, tries in await asyncio.gather(*(store.begin_try("alice", "a", "", NOW) for _ in range(20)))]
    assert sorted(counts) == list(range(20))


# --- the audit trail ------------------------------------------------------------------------------


async def test_the_trail_of_many_at_once_is_one_whole_chain(store: PostgresPeople, engine: AsyncEngine) -> None:
    await asyncio.gather(
        *(store.note(Deed("listened", f"contact {n}", "training", after={"mode": "monitor", "ü": [1.5, None]}), BY) for n in range(20))
    )
    async with engine.connect() as connection:
        entries = [entry async for entry in audit.in_order(connection)]
    assert [entry.seq for entry in entries] == list(range(1, 21))
    assert list(faults(entries)) == []
    assert [entry.seq for entry in await store.audit(before=5, limit=2)] == [4, 3]


@pytest.mark.parametrize("statement", ["UPDATE audit_entry SET reason = ''", "DELETE FROM audit_entry", "TRUNCATE audit_entry"])
async def test_the_database_itself_refuses_to_change_the_trail(store: PostgresPeople, database_url: str, statement: str) -> None:
    await store.note(Deed("listened"), BY)
    with psycopg.connect(database_url) as connection, pytest.raises(psycopg.errors.RaiseException, match="only ever added to"):
        connection.execute(statement.encode())


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE audit_entry SET reason = 'other' WHERE seq = 2", "entry 2 does not fit"),
        ("UPDATE audit_entry SET at = at + interval '1 microsecond' WHERE seq = 3", "entry 3 does not fit"),
        ("DELETE FROM audit_entry WHERE seq = 2", "entry 2 is missing"),
        ("DELETE FROM audit_entry WHERE seq = 1", "entry 1 is missing"),
        ("DELETE FROM audit_entry WHERE seq >= 3", "its end was cut off"),
    ],
)
async def test_what_was_changed_behind_our_back_is_found(
    store: PostgresPeople, engine: AsyncEngine, database_url: str, statement: str, found: str
) -> None:
    for n in range(4):
        last = await store.note(Deed("listened", f"contact {n}", "training"), BY)
    with psycopg.connect(database_url) as connection:
        connection.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        connection.execute(statement.encode())
    async with engine.connect() as connection:
        entries = [entry async for entry in audit.in_order(connection)]
    assert any(found in fault for fault in faults(entries, [Anchor(last.seq, last.hash)]))


async def test_a_database_that_is_away_is_said_to_be() -> None:
    engine = connect("postgresql://nobody:nothing@127.0.0.1:1/none", name="test")
    with pytest.raises(PeopleAway):
        await PostgresPeople(engine).anybody()
    await engine.dispose()
