"""``callcenter config dry-run``: routing rules against the contacts of a stretch of time, before they are taken over."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from callcenter.adapters.db.connection import connect
from callcenter.apps.reports import ReportError, window
from callcenter.domain.dry_run import Directed, dry_run
from callcenter.domain.facts import Fact
from callcenter.runtime.data_folder import database_url
from callcenter.runtime.settings import Settings
from callcenter.services.fact_codec import decode

_FACTS = text("""
    SELECT body FROM fact WHERE at >= :since AND at < :until AND kind IN ('CallBegan', 'FlowCollected', 'ContactEntered')
    ORDER BY at, journal, seq, n
""")


def run(settings: Settings, from_: str | None, to: str | None, as_json: bool) -> str:
    """What to print. Raises ReportError."""
    from_at, to_at = window(from_, to, ZoneInfo(settings.center.time_zone), datetime.now(UTC))
    config = settings.center_config({agent.name: f"phone-of-{agent.name}" for agent in settings.agents})
    directed = dry_run(config, asyncio.run(_facts(settings, from_at, to_at)))
    return json.dumps(_as_json(directed), indent=2) if as_json else _words(directed, [rule.name for rule in config.routing_rules])


def _as_json(directed: Sequence[Directed]) -> dict[str, object]:
    rules = Counter(one.would_rule for one in directed)
    return {"contacts": len(directed), "by_rule": dict(rules), "changed": [asdict(one) for one in directed if one.changes]}


def _words(directed: Sequence[Directed], rules: Sequence[str]) -> str:
    by_rule = Counter(one.would_rule for one in directed)
    lines = [f"{len(directed)} contacts"]
    lines += [f"  {by_rule[rule]:6} {rule}" + ("" if by_rule[rule] else " (matches none of them)") for rule in rules]
    lines.append(f"  {by_rule['']:6} no rule")
    changed = [one for one in directed if one.changes]
    lines.append(f"{len(changed)} would be directed otherwise than they were")
    for one in changed[:20]:
        was, would = (f"{queue} by {rule or 'no rule'}" for queue, rule in ((one.queue, one.rule), (one.would_queue, one.would_rule)))
        lines.append(f"  {one.contact} from {one.caller or 'unknown'}: {was} -> {would}")
    return "\n".join(lines)


async def _facts(settings: Settings, since: datetime, until: datetime) -> list[Fact]:
    engine = connect(database_url(settings), name="dry-run", statement_timeout=60.0)
    try:
        async with engine.connect() as connection:
            return [decode(row.body) for row in await connection.execute(_FACTS, {"since": since, "until": until})]
    except (SQLAlchemyError, OSError) as error:
        reason = " ".join(str(getattr(error, "orig", error)).split())
        raise ReportError(f"the database does not give the facts: {reason}; is it running and migrated? (callcenter doctor)") from error
    finally:
        await engine.dispose()
