"""The audit trail in PostgreSQL: one chain, to which whoever changes something adds within the same transaction."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from sqlalchemy import Row, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.adapters.db.tables_people import audit_entry
from callcenter.domain.audit import BEGINNING, AuditEntry, By, Deed, hash_of

_ONE_AT_A_TIME = 0x61756469
"""The lock under which the chain grows, until the transaction ends."""
_PAGE = 1000


async def append(connection: AsyncConnection, deed: Deed, by: By) -> AuditEntry:
    """Add to the end of the chain; part of the transaction of ``connection``."""
    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
    last = (await connection.execute(select(audit_entry.c.seq, audit_entry.c.hash).order_by(audit_entry.c.seq.desc()).limit(1))).first()
    entry = AuditEntry((last.seq if last else 0) + 1, datetime.now(UTC), by, deed)
    entry = AuditEntry(entry.seq, entry.at, by, deed, hash_of(entry, last.hash if last else BEGINNING))
    await connection.execute(
        insert(audit_entry).values(
            seq=entry.seq,
            at=entry.at,
            person=by.person,
            via=by.via,
            address=by.address,
            what=deed.what,
            of=deed.of,
            reason=deed.reason,
            before=dict(deed.before),
            after=dict(deed.after),
            hash=entry.hash,
        )
    )
    return entry


async def entries(
    connection: AsyncConnection, *, before: int | None = None, limit: int = 100, person: str = "", what: str = ""
) -> Sequence[AuditEntry]:
    """The newest first; those with numbers below ``before``."""
    wanted = select(audit_entry).order_by(audit_entry.c.seq.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(audit_entry.c.seq < before)
    if person:
        wanted = wanted.where(audit_entry.c.person == person)
    if what:
        wanted = wanted.where(audit_entry.c.what == what)
    return [_entry(row) for row in await connection.execute(wanted)]


async def in_order(connection: AsyncConnection) -> AsyncIterator[AuditEntry]:
    """The whole trail from its beginning, a page at a time."""
    after = 0
    while True:
        wanted = select(audit_entry).where(audit_entry.c.seq > after).order_by(audit_entry.c.seq).limit(_PAGE)
        rows = (await connection.execute(wanted)).all()
        for row in rows:
            yield _entry(row)
        if len(rows) < _PAGE:
            return
        after = rows[-1].seq


def _entry(row: Row[tuple[object, ...]]) -> AuditEntry:
    by = By(row.person, row.via, row.address)
    return AuditEntry(row.seq, row.at, by, Deed(row.what, row.of, row.reason, row.before, row.after), row.hash)
