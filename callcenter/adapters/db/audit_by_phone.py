"""What was done by phone, into the audit trail: together with the facts that tell of it, so exactly once, whenever they are shipped."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.adapters.db import audit
from callcenter.adapters.db.tables_people import audit_by_phone, person
from callcenter.domain.by_phone import by_of, deed_of
from callcenter.domain.facts import DoneByPhone
from callcenter.services.ledger import Shipment


async def write_deeds_by_phone(connection: AsyncConnection, journal: UUID, shipments: Sequence[Shipment]) -> None:
    """One entry for each; one that is shipped again has its entry already."""
    done = [
        (shipment.record.seq, n, fact) for shipment in shipments for n, fact in enumerate(shipment.facts) if isinstance(fact, DoneByPhone)
    ]
    if not done:
        return
    persons = await _persons(connection, {fact.agent for _, _, fact in done})
    for seq, n, fact in done:
        taken = insert(audit_by_phone).values(journal=journal, seq=seq, n=n).on_conflict_do_nothing().returning(audit_by_phone.c.n)
        if (await connection.execute(taken)).first() is not None:
            await audit.append(connection, deed_of(fact), by_of(fact, persons))


async def _persons(connection: AsyncConnection, agents: set[str]) -> dict[str, str]:
    """By agent: the sign-in name of the person who is that agent, if there is one."""
    found = await connection.execute(select(person.c.agent, person.c.name).where(person.c.agent.in_(agents - {""})))
    return {row.agent: row.name for row in found}
