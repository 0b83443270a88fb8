"""People, their sessions and tokens in PostgreSQL (``services.people.store.PeopleStore``)."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import fields
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Row, Table, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from callcenter.adapters.db import audit
from callcenter.adapters.db.tables_people import person as people
from callcenter.adapters.db.tables_people import person_session as sessions
from callcenter.adapters.db.tables_people import person_token as tokens
from callcenter.adapters.db.tables_people import sign_in_try as tries
from callcenter.adapters.db.transaction import is_refusal
from callcenter.domain.audit import AuditEntry, By, Deed
from callcenter.domain.rights import Right, Role, Scope
from callcenter.domain.sign_in_limits import KNOWN_FOR, TRIES_COUNT, Tries
from callcenter.services.people.person import Person, PersonError
from callcenter.services.people.store import PeopleAway, Session, Token

PATIENCE = 4.0
"""Seconds for one transaction."""
_RIGHTFUL = ("roles", "granted", "withheld", "scope", "active", "agent")
"""Who changes in one of these signs in anew."""

Row_ = Row[tuple[object, ...]]


class PostgresPeople:
    """The store. All that changes something adds to the audit trail in the same transaction."""

    def __init__(self, engine: AsyncEngine, patience: float = PATIENCE) -> None:
        self._engine = engine
        self._patience = patience

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with asyncio.timeout(self._patience), self._engine.begin() as connection:
                yield connection
        except TimeoutError:
            raise PeopleAway(f"the database does not answer within {self._patience:g} s") from None
        except OSError as error:
            raise PeopleAway(f"the database cannot be reached: {error}") from None
        except IntegrityError:
            raise
        except DBAPIError as error:
            if is_refusal(error):
                raise
            raise PeopleAway(" ".join(str(error.orig).split())) from None
        except SQLAlchemyError as error:
            raise PeopleAway(" ".join(str(error).split())) from None

    # --- people ---------------------------------------------------------------------------------

    async def anybody(self) -> bool:
        """Whether there is anybody who can sign in."""
        async with self._transaction() as connection:
            found = await connection.execute(select(people.c.name).where(people.c.active, people.c.removed_at.is_(None)).limit(1))
            return found.first() is not None

    async def person(self, name: str) -> Person | None:
        async with self._transaction() as connection:
            return await _person(connection, name)

    async def person_of_subject(self, subject: str) -> Person | None:
        async with self._transaction() as connection:
            wanted = select(people).where(people.c.subject == subject, people.c.removed_at.is_(None))
            row = (await connection.execute(wanted)).first()
            return _as_person(row) if row else None

    async def people(self) -> Sequence[Person]:
        async with self._transaction() as connection:
            rows = await connection.execute(select(people).where(people.c.removed_at.is_(None)).order_by(people.c.name))
            return [_as_person(row) for row in rows]

    async def add(self, person: Person, by: By) -> bool:
        async with self._transaction() as connection:
            values = {**_columns(person), "name": person.name}
            taken = people.c.removed_at.is_not(None)  # whoever was removed may come back
            fresh = {**values, "removed_at": None, "created_at": func.now(), "changed_at": func.now()}
            added = upsert(people).values(values).on_conflict_do_update(index_elements=["name"], set_=fresh, where=taken)
            try:
                if (await connection.execute(added.returning(people.c.name))).first() is None:
                    return False
            except IntegrityError as error:
                raise _double(error, person) from None
            await audit.append(connection, Deed("person_added", f"person {person.name}", after=_told(person)), by)
            return True

    async def change(
        self, name: str, values: Mapping[str, object], by: By, what: str = "person_changed", reason: str = ""
    ) -> Person | None:
        async with self._transaction() as connection:
            before = await _person(connection, name, lock=True)
            if before is None:
                return None
            after = _with(before, values)
            if after == before:
                return after
            try:
                await connection.execute(update(people).where(people.c.name == name).values(**_columns(after), changed_at=func.now()))
            except IntegrityError as error:
                raise _double(error, after) from None
            told, became = _told(before), _told(after)
            differing = [key for key in told if told[key] != became[key]]
            deed = Deed(what, f"person {name}", reason, {key: told[key] for key in differing}, {key: became[key] for key in differing})
            await audit.append(connection, deed, by)
            if any(getattr(before, field) != getattr(after, field) for field in _RIGHTFUL):
                await connection.execute(update(sessions).where(sessions.c.person == name, _open(sessions)).values(ended_at=func.now()))
            return after

    async def remove(self, name: str, by: By) -> bool:
        async with self._transaction() as connection:
            before = await _person(connection, name, lock=True)
            if before is None:
                return False
            gone = {"removed_at": func.now(), "changed_at": func.now(), "active": False, "password_hash": "", "agent": "", "subject": None}
            await connection.execute(update(people).where(people.c.name == name).values(gone))
            for table in (sessions, tokens):
                await connection.execute(update(table).where(table.c.person == name, _open(table)).values(ended_at=func.now()))
            await audit.append(connection, Deed("person_removed", f"person {name}", before=_told(before)), by)
            return True

    # --- sessions -------------------------------------------------------------------------------

    async def begin_session(self, session: Session, by: By, deed: Deed) -> None:
        async with self._transaction() as connection:
            values = {field.name: getattr(session, field.name) for field in fields(session)}
            await connection.execute(insert(sessions).values(values))
            await connection.execute(delete(sessions).where(sessions.c.ends_at < session.begun_at - KNOWN_FOR))
            await audit.append(connection, deed, by)

    async def session(self, hash_: str) -> tuple[Session, Person] | None:
        async with self._transaction() as connection:
            row = (await connection.execute(select(sessions).where(sessions.c.hash == hash_, _open(sessions)))).first()
            found = await _person(connection, str(row.person)) if row else None
            return (_as_session(row), found) if row and found and found.active else None

    async def seen(self, hashes: Sequence[str], at: datetime) -> None:
        async with self._transaction() as connection:
            await connection.execute(text("SET LOCAL synchronous_commit = off"))
            await connection.execute(update(sessions).where(sessions.c.hash.in_(hashes), sessions.c.seen_at < at).values(seen_at=at))

    async def sessions(self, person: str, now: datetime) -> Sequence[Session]:
        async with self._transaction() as connection:
            wanted = select(sessions).where(sessions.c.person == person, _open(sessions), sessions.c.ends_at > now)
            return [_as_session(row) for row in await connection.execute(wanted.order_by(sessions.c.begun_at.desc()))]

    async def end_sessions(self, person: str, by: By, *, only: str = "", but: str = "", what: str = "signed_out") -> int:
        async with self._transaction() as connection:
            which = update(sessions).where(sessions.c.person == person, _open(sessions))
            which = which.where(sessions.c.id == only) if only else which
            which = which.where(sessions.c.id != but) if but else which
            ended = (await connection.execute(which.values(ended_at=func.now()).returning(sessions.c.id))).scalars().all()
            if ended:
                await audit.append(connection, Deed(what, f"person {person}", after={"sessions": sorted(ended)}), by)
            return len(ended)

    # --- tokens ---------------------------------------------------------------------------------

    async def add_token(self, token: Token, by: By) -> None:
        async with self._transaction() as connection:
            values = {field.name: getattr(token, field.name) for field in fields(token)}
            await connection.execute(insert(tokens).values({**values, "scopes": _sorted(token.scopes)}))
            after = {"label": token.label, "scopes": _sorted(token.scopes), "expires_at": token.expires_at.isoformat()}
            await audit.append(connection, Deed("token_added", f"token {token.id} of person {token.person}", after=after), by)

    async def token(self, hash_: str) -> tuple[Token, Person] | None:
        async with self._transaction() as connection:
            row = (await connection.execute(select(tokens).where(tokens.c.hash == hash_, _open(tokens)))).first()
            found = await _person(connection, str(row.person)) if row else None
            return (_as_token(row), found) if row and found and found.active else None

    async def tokens(self, person: str) -> Sequence[Token]:
        async with self._transaction() as connection:
            wanted = select(tokens).where(tokens.c.person == person, _open(tokens)).order_by(tokens.c.created_at)
            return [_as_token(row) for row in await connection.execute(wanted)]

    async def token_used(self, hash_: str, at: datetime) -> None:
        async with self._transaction() as connection:
            await connection.execute(text("SET LOCAL synchronous_commit = off"))
            await connection.execute(update(tokens).where(tokens.c.hash == hash_).values(used_at=at))

    async def end_token(self, person: str, id_: str, by: By) -> bool:
        async with self._transaction() as connection:
            which = update(tokens).where(tokens.c.person == person, tokens.c.id == id_, _open(tokens)).values(ended_at=func.now())
            if (await connection.execute(which.returning(tokens.c.id))).first() is None:
                return False
            await audit.append(connection, Deed("token_ended", f"token {id_} of person {person}"), by)
            return True

    # --- tries ----------------------------------------------------------------------------------

    async def begin_try(self, name: str, address: str, browser: str, now: datetime) -> tuple[int, Tries]:
        async with self._transaction() as connection:
            await connection.execute(text("SET LOCAL synchronous_commit = off"))
            asked = {"name": name, "address": address, "browser": browser, "since": now - TRIES_COUNT, "known": now - KNOWN_FOR, "at": now}
            # Counted and noted under a lock of this name: who tries a thousand times at once is not counted a thousand times as the first.
            await connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 7))"), {"name": name})
            row = (await connection.execute(_TRIES, asked)).one()
            values = {"name": name, "address": address, "browser": browser, "at": now, "outcome": "begun"}
            number = (await connection.execute(insert(tries).values(values).returning(tries.c.number))).scalar_one()
            return number, Tries(*row)

    async def end_try(self, number: int, outcome: str) -> None:
        async with self._transaction() as connection:
            await connection.execute(text("SET LOCAL synchronous_commit = off"))
            await connection.execute(update(tries).where(tries.c.number == number).values(outcome=outcome))

    async def forget_tries(self, now: datetime) -> None:
        """Those that no rule asks for any more."""
        async with self._transaction() as connection:
            old = (tries.c.at < now - KNOWN_FOR) | ((tries.c.outcome != "right") & (tries.c.at < now - timedelta(days=1)))
            await connection.execute(delete(tries).where(old))

    # --- what has ended -------------------------------------------------------------------------

    async def ended_since(self, since: datetime) -> tuple[datetime, Sequence[str], Sequence[str]]:
        async with self._transaction() as connection:
            at = (await connection.execute(select(func.now()))).scalar_one()
            hashes: list[str] = []
            for table in (sessions, tokens):
                hashes += (await connection.execute(select(table.c.hash).where(table.c.ended_at >= since))).scalars().all()
            changed = (await connection.execute(select(people.c.name).where(people.c.changed_at >= since))).scalars().all()
            return at, hashes, changed

    # --- the audit trail ------------------------------------------------------------------------

    async def note(self, deed: Deed, by: By) -> AuditEntry:
        async with self._transaction() as connection:
            return await audit.append(connection, deed, by)

    async def audit(self, *, before: int | None = None, limit: int = 100, person: str = "", what: str = "") -> Sequence[AuditEntry]:
        async with self._transaction() as connection:
            return await audit.entries(connection, before=before, limit=limit, person=person, what=what)

    async def whole_trail(self) -> AsyncIterator[AuditEntry]:
        """From its beginning."""
        async with self._engine.connect() as connection:
            async for entry in audit.in_order(connection):
                yield entry


_TRIES = text("""
    SELECT
        count(*) FILTER (WHERE name = :name AND address = :address AND failed),
        max(at) FILTER (WHERE name = :name AND address = :address AND failed),
        count(*) FILTER (WHERE name = :name AND failed),
        count(*) FILTER (WHERE address = :address AND failed),
        EXISTS (
            SELECT FROM sign_in_try
            WHERE name = :name AND at >= :known AND outcome = 'right' AND (address = :address OR browser <> '' AND browser = :browser)
        )
    FROM (
        SELECT name, address, at, outcome IN ('begun', 'wrong') AND NOT EXISTS (
            SELECT FROM sign_in_try AS later
            WHERE later.name = one.name AND later.address = one.address AND later.at > one.at AND later.outcome = 'right'
        ) AS failed
        FROM sign_in_try AS one
        WHERE at >= :since AND (name = :name OR address = :address)
    ) AS counted
""")


def _open(table: Table) -> ColumnElement[bool]:
    return table.c.ended_at.is_(None)


async def _person(connection: AsyncConnection, name: str, *, lock: bool = False) -> Person | None:
    wanted = select(people).where(people.c.name == name, people.c.removed_at.is_(None))
    row = (await connection.execute(wanted.with_for_update() if lock else wanted)).first()
    return _as_person(row) if row else None


def _as_person(row: Row_) -> Person:
    scope = Scope(*(None if names is None else frozenset(names) for names in (row.queues, row.teams, row.campaigns)))
    return Person(
        row.name,
        row.shown,
        frozenset(map(Role, row.roles)),
        frozenset(map(Right, row.granted)),
        frozenset(map(Right, row.withheld)),
        scope,
        row.agent,
        row.language,
        row.theme,
        row.active,
        row.password_hash,
        row.subject or "",
        row.created_at,
    )


def _columns(person: Person) -> dict[str, object]:
    scope = person.scope
    return {
        "shown": person.shown,
        "roles": _sorted(person.roles),
        "granted": _sorted(person.granted),
        "withheld": _sorted(person.withheld),
        "queues": None if scope.queues is None else _sorted(scope.queues),
        "teams": None if scope.teams is None else _sorted(scope.teams),
        "campaigns": None if scope.campaigns is None else _sorted(scope.campaigns),
        "agent": person.agent,
        "language": person.language,
        "theme": person.theme,
        "active": person.active,
        "password_hash": person.password_hash,
        "subject": person.subject or None,
    }


def _told(person: Person) -> dict[str, object]:
    """As the audit trail tells it: never a hash of a password."""
    told = _columns(person)
    return {**told, "password_hash": "", "password": _fingerprint(str(told["password_hash"]))}


def _fingerprint(hash_: str) -> str:
    """Tells one password from the next by its salt, which says nothing about it."""
    return hash_.split("$")[4][:6] if hash_.count("$") == 5 else ""


def _with(person: Person, values: Mapping[str, object]) -> Person:
    return Person(**{field.name: values.get(field.name, getattr(person, field.name)) for field in fields(person)})  # type: ignore[arg-type]


def _double(error: IntegrityError, person: Person) -> PersonError:
    if "agent" in str(error.orig):
        return PersonError("agent", f"somebody else is the agent {person.agent}", "fault_agent_taken")
    return PersonError("subject", "somebody else is known by this subject at the OIDC provider", "fault_subject_taken")


def _sorted(names: frozenset[str] | frozenset[Role] | frozenset[Right]) -> list[str]:
    return sorted(map(str, names))


def _as_session(row: Row_) -> Session:
    return Session(row.hash, row.id, row.person, row.begun_at, row.seen_at, row.ends_at, row.address, row.browser)


def _as_token(row: Row_) -> Token:
    scopes = frozenset(map(Right, row.scopes))
    return Token(row.hash, row.id, row.person, row.label, scopes, row.created_at, row.expires_at, row.used_at)
