"""``callcenter explain``: why a contact waits, or why it was offered to whom it was."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from callcenter.adapters.db.connection import connect
from callcenter.apps.reports import ReportError
from callcenter.domain.config import CenterConfig
from callcenter.domain.explain import Past, past
from callcenter.domain.facts import ContactEntered, Fact
from callcenter.runtime.config_versions import ConfigVersions, VersionError
from callcenter.runtime.data_folder import database_url
from callcenter.runtime.settings import Settings, SettingsError, parse_text
from callcenter.services.explanations import past_as_json
from callcenter.services.fact_codec import FactError, decode
from callcenter.services.journal_reader import JournalMissing, JournalReader, read_facts, read_identity
from callcenter.services.journal_records import Record

BEFORE = timedelta(days=1)
"""What is read from before the contact: an agent's state may be that old."""
_CONTACT = text(
    "SELECT contact_id, entered_at, coalesce(answered_at, ended_at, now()) AS until FROM contact WHERE contact_id LIKE :begins LIMIT 6"
)
_FACTS = text("SELECT body FROM fact WHERE at >= :since AND at <= :until ORDER BY at, journal, seq, n")


def from_the_past(settings: Settings, wanted: str) -> dict[str, object]:
    """Explain a contact that no longer waits, from the journal on this machine, else from PostgreSQL. Raises ReportError.

    The rules are those that were in use then, as far as they were kept and can still be read; else today's.
    """
    rules = _rules(settings)
    found = _in_journal(settings.data / "journal", rules, wanted) or asyncio.run(_in_database(settings, rules, wanted))
    return dict(past_as_json(found))


Rules = tuple[CenterConfig, Sequence[tuple[datetime, CenterConfig]]]
"""Those in use before the first of the dates, and those that came into use later, with their dates."""


def _rules(settings: Settings) -> Rules:
    kept: list[tuple[datetime, CenterConfig]] = []
    for version in ConfigVersions(settings.data).all():
        with suppress(SettingsError, VersionError):  # it names what is gone, or was written for another release
            if version.used:
                kept.append((version.at, _config(parse_text(version.read(), settings.file))))
    return (kept[0][1], kept[1:]) if kept else (_config(settings), ())


def _config(settings: Settings) -> CenterConfig:
    return settings.center_config({agent.name: f"phone-of-{agent.name}" for agent in settings.agents})


def _in_journal(folder: Path, rules: Rules, wanted: str) -> Past | None:
    try:
        read_identity(folder)
    except JournalMissing:
        return None
    refused: list[tuple[Record, FactError]] = []
    facts = [fact for _, few in read_facts(JournalReader(folder).read_all(), refused) for fact in few]
    ids = {fact.contact for fact in facts if isinstance(fact, ContactEntered) and fact.contact.startswith(wanted)}
    return past(rules[0], facts, _only(sorted(ids), wanted), changes=rules[1]) if ids else None


async def _in_database(settings: Settings, rules: Rules, wanted: str) -> Past:
    engine = connect(database_url(settings), name="explain", statement_timeout=60.0)
    try:
        async with engine.connect() as connection:
            begins = wanted.replace("%", "").replace("_", "") + "%"
            rows = (await connection.execute(_CONTACT, {"begins": begins})).all()
            if not rows:
                raise ReportError(f"there is no contact that begins with '{wanted}'")
            contact = _only([row.contact_id for row in rows], wanted)
            stretch = {"since": rows[0].entered_at - BEFORE, "until": rows[0].until}
            facts = _decoded([row.body for row in await connection.execute(_FACTS, stretch)])
    except (SQLAlchemyError, OSError) as error:
        reason = " ".join(str(getattr(error, "orig", error)).split())
        raise ReportError(f"the database does not give the facts: {reason}; is it running and migrated? (callcenter doctor)") from error
    finally:
        await engine.dispose()
    explained = past(rules[0], facts, contact, changes=rules[1])
    if explained is None:
        raise ReportError(f"the facts of contact {contact} are no longer there")
    return explained


def _decoded(bodies: Iterable[Mapping[str, object]]) -> Sequence[Fact]:
    return [decode(body) for body in bodies]


def _only(ids: Sequence[str], wanted: str) -> str:
    if len(ids) > 1:
        raise ReportError(f"'{wanted}' may be any of {', '.join(ids[:5])}; give more of the id")
    return ids[0]


# --- in words -----------------------------------------------------------------------------------


def words(explained: Mapping[str, object]) -> str:
    """An explanation, of now or of the past, for people."""
    offers = explained.get("offers")
    if not isinstance(offers, list):
        return "\n".join(_now(explained))
    lines = [f"contact {explained['contact']} entered queue {explained['queue']} at {explained['entered_at']}"]
    for offer in offers:
        kept = offer["kept"]
        lines.append(f"{offer['at']}: offered to {offer['agent']} ({', '.join(kept['rank'])}), of {kept['candidates']}")
        lines += [f"  {line}" for line in _now(offer["explained"])[1:]]
    if explained["answered_by"]:
        lines.append(f"answered by {explained['answered_by']} after {explained['waited']} s")
    return "\n".join(lines)


def _now(explained: Mapping[str, object]) -> list[str]:
    one = json.loads(json.dumps(explained))
    lines = [
        f"contact {one['contact']} in queue {one['queue']}: {one['state']} for {one['waited']:.0f} s, "
        f"{one['ahead']} ahead of it, priority {one['priority']:g}"
    ]
    lines += [f"requires {one['requires']}"] if one["requires"] else []
    lines += [f"prefers {one['prefers']}"] if one["prefers"] else []
    lines += [f"directed by rule {one['directed_by']}"] if one["directed_by"] else []
    lines += [one["preferred"]] if one["preferred"] else []
    lines += [f"could take it: {candidate['agent']} ({', '.join(candidate['rank'])})" for candidate in one["candidates"]]
    lines += [f"not {other['agent']}: {other['why']}" for other in one["others"]]
    lines += [f"not in the queue: {one['elsewhere']} others"] if one["elsewhere"] else []
    lines += [f"{coming['at'] or 'then'}: {coming['what']}" for coming in one["coming"]]
    return lines
