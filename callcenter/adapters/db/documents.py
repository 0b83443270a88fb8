"""The documents of the center in PostgreSQL: one row for each version, and one for each document that it changed."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from callcenter.adapters.db.audit import append
from callcenter.adapters.db.tables import config_document, config_version
from callcenter.adapters.db.transaction import transaction
from callcenter.domain.audit import By, Deed
from callcenter.domain.documents import Body, Documents, difference, digest, kind_of
from callcenter.services.configuration import Change, NoSuchVersion, Stale, Stored, VersionNote

MOST_AUDITED = 50
_LOCK = 7_300_512
"""Who holds this advisory lock may add a version."""
_WHOLE = text("""
    SELECT DISTINCT ON (key) key, body, place, changed_in FROM config_document
    WHERE version <= :version ORDER BY key, version DESC
""")
_HISTORY = text("""
    SELECT v.version, v.at, v.author, v.reason, v.source, v.digest,
           (SELECT coalesce(json_agg(CASE WHEN d.body IS NULL THEN '-' || d.key ELSE d.key END ORDER BY d.key), '[]')
            FROM config_document d WHERE d.version = v.version AND d.changed_in = v.version) AS changed
    FROM config_version v
    WHERE :document = '' OR EXISTS (SELECT 1 FROM config_document d
                                    WHERE d.key = :document AND d.version = v.version AND d.changed_in = v.version)
    ORDER BY v.version DESC LIMIT :most
""")


class PostgresDocuments:
    """A ``services.configuration.DocumentStore``."""

    def __init__(self, engine: AsyncEngine, *, patience: float = 10.0) -> None:
        self._engine = engine
        self._patience = patience

    async def latest(self) -> Stored | None:
        async with transaction(self._engine, self._patience) as connection:
            return await _latest(connection)

    async def number(self) -> int:
        async with transaction(self._engine, self._patience) as connection:
            return (await connection.execute(select(func.max(config_version.c.version)))).scalar() or 0

    async def version(self, number: int) -> Documents:
        async with transaction(self._engine, self._patience) as connection:
            newest = (await connection.execute(select(func.max(config_version.c.version)))).scalar() or 0
            found = await connection.execute(select(config_version.c.version).where(config_version.c.version == number))
            if found.first() is None:
                raise NoSuchVersion(f"there is no version {number}; the latest is {newest}" if newest else "there is no version yet")
            return (await _whole(connection, number))[0]

    async def history(self, document: str = "", most: int = 100) -> Sequence[VersionNote]:
        async with transaction(self._engine, self._patience) as connection:
            rows = await connection.execute(_HISTORY, {"document": document, "most": most})
            return [VersionNote(row.version, row.at, row.author, row.reason, row.source, row.digest, tuple(row.changed)) for row in rows]

    async def commit(self, base: int, after: Documents, change: Change, at: datetime, number: int | None = None) -> int:
        async with transaction(self._engine, self._patience) as connection:
            await connection.execute(text("SET LOCAL synchronous_commit = on"))
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            latest = await _latest(connection)
            now = latest.version if latest else 0
            if now != base:
                who = f" by {latest.author}" if latest and latest.author else ""
                raise Stale(f"the documents were changed meanwhile{who}: they are at version {now}, not {base} any more", now)
            version = max(now + 1, number or 0)
            row = {"version": version, "at": at, "author": change.author, "reason": change.reason, "source": change.source}
            await connection.execute(insert(config_version).values(**row, digest=digest(after)))
            documents, places, changed_in = await _whole(connection, now)
            rows = list(_rows(version, documents, places, changed_in, after))
            if rows:
                await connection.execute(insert(config_document), rows)
            await append(connection, _deed(version, change, documents, after), By(change.author, change.via, change.address))
            return version


def _deed(version: int, change: Change, before: Documents, after: Documents) -> Deed:
    """For the audit trail: what each document said and says; of very many, only which they are."""
    changes = difference(before, after)
    whole = len(changes) <= MOST_AUDITED
    said = {each.key: each.before if whole else True for each in changes if each.before is not None}
    says = {each.key: each.after if whole else True for each in changes if each.after is not None}
    return Deed("config_changed", f"version {version}", change.reason, said, says)


async def _latest(connection: AsyncConnection) -> Stored | None:
    row = (await connection.execute(select(config_version).order_by(config_version.c.version.desc()).limit(1))).first()
    if row is None:
        return None
    documents, _, changed_in = await _whole(connection, row.version)
    return Stored(row.version, row.at, row.author, documents, changed_in)


async def _whole(connection: AsyncConnection, version: int) -> tuple[Documents, Mapping[str, int], Mapping[str, int]]:
    """All documents of a version in their order; their places; and in which version each became what it is, those taken away too."""
    rows = (await connection.execute(_WHOLE, {"version": version})).all()
    there = sorted((row for row in rows if row.body is not None), key=lambda row: (kind_of(row.key), row.place))
    return {row.key: row.body for row in there}, {row.key: row.place for row in there}, {row.key: row.changed_in for row in rows}


def _rows(
    version: int, before: Documents, places: Mapping[str, int], changed_in: Mapping[str, int], after: Documents
) -> Sequence[dict[str, object]]:
    """A row for each document that says something else, is new, is gone, or stands elsewhere among its kind."""
    rows: list[dict[str, object]] = [
        {"version": version, "key": key, "body": None, "place": places[key], "changed_in": version} for key in before if key not in after
    ]
    for key, place in _places(places, after).items():
        same = before.get(key) == after[key]
        if not same or place != places[key]:
            body: Body = after[key]
            rows.append({"version": version, "key": key, "body": body, "place": place, "changed_in": changed_in[key] if same else version})
    return rows


def _places(places: Mapping[str, int], after: Documents) -> Mapping[str, int]:
    """Where each stands among its kind: as before as long as that keeps the order, else numbered anew."""
    found: dict[str, int] = {}
    kinds: dict[str, list[str]] = {}
    for key in after:
        kinds.setdefault(kind_of(key), []).append(key)
    for keys in kinds.values():
        last, kept = -1, {}
        for key in keys:
            place = places.get(key, last + 1)
            if place <= last:
                kept = dict(zip(keys, range(len(keys)), strict=True))
                break
            kept[key] = last = place
        found |= kept
    return found
