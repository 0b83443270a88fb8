"""Facts and the books folded from them, in PostgreSQL (services.ledger.Store).

One batch is one transaction: the facts, the folded rows they change, and the position. Its commit need not
wait for the disk: should PostgreSQL crash and forget it, the position is forgotten with it, and the journal
still has the records.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from callcenter.adapters.db import rows
from callcenter.adapters.db.audit_by_phone import write_deeds_by_phone
from callcenter.adapters.db.message_rows import write_messages
from callcenter.adapters.db.partitions import Partitions
from callcenter.adapters.db.transaction import transaction
from callcenter.adapters.db.webhook_outbox import write_webhook_messages
from callcenter.domain.books import FOLDED_KINDS, call_touched, fold_call, fold_stays
from callcenter.domain.callback_books import CALLBACK_KINDS, callback_touched, fold_callback
from callcenter.domain.facts import AgentStateChanged, Fact
from callcenter.domain.records import CallBooks
from callcenter.services.fact_codec import decode
from callcenter.services.ledger import PositionMoved, Shipment

_INSERT_FACTS = text("""
    INSERT INTO fact (journal, seq, n, at, kind, call_id, contact_id, agent, body)
    SELECT :journal, (record.value->>0)::bigint, item.n - 1, (item.body->>'at')::timestamptz, item.body->>'kind',
        coalesce(item.body->>'call', ''), coalesce(item.body->>'contact', ''), coalesce(item.body->>'agent', ''), item.body
    FROM jsonb_array_elements(CAST(:records AS jsonb)) AS record (value),
        jsonb_array_elements(record.value->1) WITH ORDINALITY AS item (body, n)
    ON CONFLICT DO NOTHING
""")

# The lower bound lets PostgreSQL pass over partitions in which these calls cannot have facts.
_FACTS_OF_CALLS = text("""
    SELECT call_id, body FROM fact
    WHERE call_id = ANY(:calls) AND kind = ANY(:kinds) AND at >= (
        SELECT least(:since, min(known.at)) FROM (
            SELECT started_at AS at FROM cdr WHERE call_id = ANY(:calls)
            UNION ALL SELECT entered_at FROM contact WHERE call_id = ANY(:calls)
        ) known
    )
    ORDER BY journal, seq, n
""")

_FACTS_OF_CALLBACKS = text("""
    SELECT body->>'callback' AS callback_id, body FROM fact
    WHERE body->>'callback' = ANY(:callbacks) AND kind = ANY(:kinds) AND at >= (
        SELECT least(:since, min(known.created_at)) FROM callback known WHERE known.callback_id = ANY(:callbacks)
    )
    ORDER BY journal, seq, n
""")

_LOCK_POSITION = text("SELECT seq FROM journal_position WHERE journal = :journal FOR UPDATE")
_MOVE_POSITION = text("""
    INSERT INTO journal_position (journal, seq) VALUES (:journal, :seq)
    ON CONFLICT (journal) DO UPDATE SET seq = excluded.seq, shipped_at = now()
""")

_ADD_STAYS = text("""
    INSERT INTO agent_state (journal, seq, n, agent, state, reason, contact_id, began_at, ended_at)
    SELECT :journal, stay.* FROM unnest(CAST(:seqs AS bigint[]), CAST(:ns AS smallint[]), CAST(:agents AS text[]), CAST(:states AS text[]),
        CAST(:reasons AS text[]), CAST(:contacts AS text[]), CAST(:begans AS timestamptz[]), CAST(:endeds AS timestamptz[])) stay
    ON CONFLICT (journal, seq, n) DO UPDATE SET ended_at = excluded.ended_at WHERE agent_state.ended_at IS DISTINCT FROM excluded.ended_at
""")

# The stay before the first new one ends where that begins.
_END_STAYS_BEFORE = text("""
    UPDATE agent_state AS stay SET ended_at = before.at
    FROM (
        SELECT former.journal, former.seq, former.n, first.at
        FROM unnest(CAST(:agents AS text[]), CAST(:seqs AS bigint[]), CAST(:ns AS smallint[]), CAST(:ats AS timestamptz[]))
                AS first (agent, seq, n, at),
            LATERAL (
                SELECT s.journal, s.seq, s.n FROM agent_state s
                WHERE s.agent = first.agent AND s.journal = :journal AND (s.seq, s.n) < (first.seq, first.n)
                ORDER BY s.seq DESC, s.n DESC LIMIT 1
            ) former
    ) before
    WHERE (stay.journal, stay.seq, stay.n) = (before.journal, before.seq, before.n) AND stay.ended_at IS DISTINCT FROM before.at
""")

# So do stays of a journal that is no longer written.
_END_STAYS_ELSEWHERE = text("""
    UPDATE agent_state AS stay SET ended_at = greatest(stay.began_at, first.at)
    FROM unnest(CAST(:agents AS text[]), CAST(:ats AS timestamptz[])) AS first (agent, at)
    WHERE stay.agent = first.agent AND stay.journal <> :journal AND stay.ended_at IS NULL
""")

# When records are shipped again, later stays may be there already.
_STAYS_AFTER = text("""
    SELECT last.agent, later.began_at
    FROM unnest(CAST(:agents AS text[]), CAST(:seqs AS bigint[]), CAST(:ns AS smallint[])) AS last (agent, seq, n),
        LATERAL (
            SELECT s.began_at FROM agent_state s
            WHERE s.agent = last.agent AND s.journal = :journal AND (s.seq, s.n) > (last.seq, last.n)
            ORDER BY s.seq, s.n LIMIT 1
        ) later
""")

_Change = tuple[int, int, AgentStateChanged]


class PostgresLedger:
    """The store of one center."""

    def __init__(self, engine: AsyncEngine, *, patience: float = 5.0) -> None:
        """``patience``: seconds for a whole batch; a server that hangs does not keep its own time limits."""
        self._engine = engine
        self._patience = patience
        self._partitions = Partitions()

    async def position(self, journal: UUID) -> int:
        async with self._transaction() as connection:
            return await connection.scalar(text("SELECT seq FROM journal_position WHERE journal = :journal"), {"journal": journal}) or 0

    async def ship(self, journal: UUID, after: int, shipments: Sequence[Shipment], upto: int) -> None:
        moments = {fact.at for shipment in shipments for fact in shipment.facts}
        if self._partitions.lacks(moments):
            async with self._transaction() as connection:
                await self._partitions.create(connection, moments)
            self._partitions.remember(moments)
        async with self._transaction() as connection:
            position = await connection.scalar(_LOCK_POSITION, {"journal": journal}) or 0
            if position != after:
                raise PositionMoved(f"the database is at record {position} of the journal, not at {after}")
            if shipments:
                await self._write(connection, journal, shipments)
            await connection.execute(_MOVE_POSITION, {"journal": journal, "seq": upto})

    async def rewind(self, journal: UUID, to: int) -> None:
        """Have everything after record ``to`` shipped again; what is there already stays as it is."""
        async with self._transaction() as connection:
            await connection.execute(_MOVE_POSITION, {"journal": journal, "seq": to})

    async def _write(self, connection: AsyncConnection, journal: UUID, shipments: Sequence[Shipment]) -> None:
        records = b",".join(b"[%d,%b]" % (shipment.record.seq, shipment.record.payload) for shipment in shipments).decode()
        await connection.execute(_INSERT_FACTS, {"journal": journal, "records": f"[{records}]"})
        facts = [fact for shipment in shipments for fact in shipment.facts]
        await self._fold_calls(connection, facts)
        await self._fold_callbacks(connection, facts)
        await write_messages(connection, facts)
        await self._fold_agents(connection, journal, shipments)
        await write_webhook_messages(connection, journal, shipments)
        await write_deeds_by_phone(connection, journal, shipments)

    async def _fold_calls(self, connection: AsyncConnection, facts: Iterable[Fact]) -> None:
        """Fold the touched calls anew, from all their facts."""
        touching = [(call, fact.at) for fact in facts if (call := call_touched(fact))]
        if not touching:
            return
        calls = list({call for call, _ in touching})
        asked = {"calls": calls, "kinds": list(FOLDED_KINDS), "since": min(at for _, at in touching)}
        of_call: dict[str, list[Fact]] = defaultdict(list)
        for row in await connection.execute(_FACTS_OF_CALLS, asked):
            of_call[row.call_id].append(decode(row.body))
        await write_books(connection, [fold_call(each) for each in of_call.values()])

    async def _fold_callbacks(self, connection: AsyncConnection, facts: Iterable[Fact]) -> None:
        """Fold the touched callbacks anew, from all their facts."""
        touching = [(callback, fact.at) for fact in facts if (callback := callback_touched(fact))]
        if not touching:
            return
        asked = {
            "callbacks": list({callback for callback, _ in touching}),
            "kinds": list(CALLBACK_KINDS),
            "since": min(at for _, at in touching),
        }
        of_callback: dict[str, list[Fact]] = defaultdict(list)
        for row in await connection.execute(_FACTS_OF_CALLBACKS, asked):
            of_callback[row.callback_id].append(decode(row.body))
        records = [record for each in of_callback.values() if (record := fold_callback(each))]
        if records:
            await connection.execute(rows.UPSERT_CALLBACKS, {"rows": rows.as_json(records)})

    async def _fold_agents(self, connection: AsyncConnection, journal: UUID, shipments: Sequence[Shipment]) -> None:
        """Append the stays that began, and end those before."""
        of_agent: dict[str, list[_Change]] = defaultdict(list)
        for shipment in shipments:
            for n, fact in enumerate(shipment.facts):
                if isinstance(fact, AgentStateChanged):
                    of_agent[fact.agent].append((shipment.record.seq, n, fact))
        if not of_agent:
            return
        firsts = [changes[0] for changes in of_agent.values()]
        lasts = [changes[-1] for changes in of_agent.values()]
        agents = list(of_agent)
        after = await connection.execute(_STAYS_AFTER, _keys(journal, agents, lasts))
        later: dict[str, datetime] = {row.agent: row.began_at for row in after}
        ats = [fact.at for _, _, fact in firsts]
        await connection.execute(_END_STAYS_BEFORE, {**_keys(journal, agents, firsts), "ats": ats})
        await connection.execute(_END_STAYS_ELSEWHERE, {"journal": journal, "agents": agents, "ats": ats})
        added: dict[str, list[object]] = defaultdict(list)
        for agent, changes in of_agent.items():
            stays = fold_stays(fact for _, _, fact in changes)
            for (seq, n, _), stay in zip(changes, stays, strict=True):
                ended_at = stay.ended_at if stay is not stays[-1] else later.get(agent)
                for name, value in zip(
                    ("seqs", "ns", "agents", "states", "reasons", "contacts", "begans", "endeds"),
                    (seq, n, agent, stay.state.value, stay.reason, stay.contact_id, stay.began_at, ended_at),
                    strict=True,
                ):
                    added[name].append(value)
        await connection.execute(_ADD_STAYS, {"journal": journal, **added})

    def _transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return transaction(self._engine, self._patience)


async def write_books(connection: AsyncConnection, books: Sequence[CallBooks]) -> None:
    """Bring the folded rows of these calls up to date."""
    calls = [each.call for each in books if each.call]
    contacts = [contact for each in books for contact in each.contacts]
    recordings = [recording for each in books for recording in each.recordings]
    stays = [stay for each in books for stay in each.stays]
    answers = [answer for each in books for answer in each.survey_answers]
    written = (
        (rows.UPSERT_CALLS, calls),
        (rows.UPSERT_CONTACTS, contacts),
        (rows.UPSERT_RECORDINGS, recordings),
        (rows.UPSERT_STAYS, stays),
        (rows.UPSERT_SURVEY_ANSWERS, answers),
    )
    for statement, records in written:
        if records:
            await connection.execute(statement, {"rows": rows.as_json(records)})


def _keys(journal: UUID, agents: list[str], changes: Sequence[_Change]) -> dict[str, object]:
    return {"journal": journal, "agents": agents, "seqs": [seq for seq, _, _ in changes], "ns": [n for _, n, _ in changes]}
