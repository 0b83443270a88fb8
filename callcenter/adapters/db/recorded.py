"""The facts of a stretch of time, for replays: those of its calls, and those of agents from before it on."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callcenter.domain.facts import Fact
from callcenter.services.fact_codec import decode

LONGEST_CALL = timedelta(days=1)
LONGEST_STAY = timedelta(days=2)
"""Agents whose last change of state is longer ago are taken for gone."""
AFTERMATH = timedelta(hours=4)

# Who came while the last callers of the window waited had a part in how long they did.
_UNTIL = text("""
    SELECT greatest(:to_at, max(coalesce(answered_at, ended_at))) FROM contact WHERE entered_at >= :from_at AND entered_at < :to_at
""")
_CALLS = text("""
    SELECT DISTINCT call_id FROM contact
    WHERE entered_at >= :since AND entered_at < :until_at
      AND (entered_at >= :begins_at OR coalesce(answered_at, ended_at, :until_at) > :begins_at)
""")
_OF_CALLS = text("""
    SELECT body, at, journal, seq, n FROM fact WHERE call_id = ANY(:calls) AND kind = ANY(:kinds) AND at >= :since
""")
_OF_AGENTS = text("""
    SELECT body, at, journal, seq, n FROM fact
    WHERE at >= :begins_at AND at <= :until_at
      AND kind IN ('AgentStateChanged', 'AgentRequestRemembered', 'AgentPhoneChanged', 'AgentOptedOut', 'CallbackReserved')
    UNION ALL
    (SELECT DISTINCT ON (agent, kind) body, at, journal, seq, n FROM fact
    WHERE at > :since AND at < :begins_at AND kind IN ('AgentPhoneChanged', 'AgentOptedOut')
    ORDER BY agent, kind, at DESC)
    UNION ALL
    SELECT fact.body, fact.at, fact.journal, fact.seq, fact.n FROM fact
    JOIN agent_state AS stay ON fact.agent = stay.agent AND fact.at >= stay.began_at
    WHERE fact.at > :since AND fact.at < :begins_at AND fact.kind IN ('AgentStateChanged', 'AgentRequestRemembered')
      AND stay.began_at > :since AND stay.began_at < :begins_at AND (stay.ended_at IS NULL OR stay.ended_at >= :begins_at)
""")


async def recorded_facts(
    connection: AsyncConnection, begins_at: datetime, from_at: datetime, to_at: datetime, kinds: Collection[str]
) -> Sequence[Fact]:
    """What a replay from ``begins_at`` on of the window ``[from_at, to_at)`` needs to know, in the order it happened.

    ``kinds`` are the kinds of fact about calls.
    """
    until_at: datetime = (await connection.execute(_UNTIL, {"from_at": from_at, "to_at": to_at})).scalar_one()
    since = begins_at - LONGEST_CALL
    waited = {"begins_at": begins_at, "until_at": until_at, "since": since}
    calls = (await connection.execute(_CALLS, waited)).scalars().all()
    rows = list(await connection.execute(_OF_CALLS, {"calls": calls, "kinds": list(kinds), "since": since}))
    presence = {"begins_at": begins_at, "until_at": until_at + AFTERMATH, "since": begins_at - LONGEST_STAY}
    rows += await connection.execute(_OF_AGENTS, presence)
    rows.sort(key=lambda row: (row.at, row.journal, row.seq, row.n))
    return [decode(row.body) for row in rows]
