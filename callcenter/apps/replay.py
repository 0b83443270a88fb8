"""``callcenter replay``: a recorded stretch of time through the production core once more, as it was or with another configuration."""

import asyncio
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import Progress
from sqlalchemy.exc import SQLAlchemyError

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.recorded import recorded_facts
from callcenter.apps.replay_report import ReplayReport, replay_tables, report_json
from callcenter.apps.report_tables import WIDE
from callcenter.apps.reports import ReportError, window
from callcenter.domain.config import CenterConfig
from callcenter.domain.facts import Fact
from callcenter.runtime.data_folder import database_url
from callcenter.runtime.postgres import PostgresError
from callcenter.runtime.settings import Settings, SettingsError
from callcenter.services.fact_codec import FactError
from callcenter.services.journal_reader import JournalMissing, JournalReader, read_facts, read_identity
from callcenter.services.journal_records import Record
from callcenter.sim.replay.comparison import calibrate, figures, outcomes, worse_classes, worse_off
from callcenter.sim.replay.people import NothingToLearn
from callcenter.sim.replay.recorded import REPLAYED_FACTS, WARM_UP, RecordedDay, recorded_day
from callcenter.sim.replay.run import Replayed
from callcenter.sim.replay.run import replay as run_again

FAILED, WRONG_USE = 1, 2
_READ_TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What the person wants replayed."""

    center: Settings
    """Of the center that was recorded: where its facts are, and its configuration."""
    other: Settings | None = None
    """The configuration to try."""
    from_: str | None = None
    to: str | None = None
    journal: Path | None = None
    """Read facts from this folder instead of PostgreSQL."""
    seed: int = 1


def main(asked: Asked, *, strict: bool, as_json: bool) -> None:
    """``callcenter replay``. Raises SystemExit: 2 with a sentence; 1 with ``strict`` when the record was not reproduced."""
    try:
        report = make_report(asked, datetime.now(UTC))
    except (ReportError, PostgresError, JournalMissing, NothingToLearn, ValueError) as error:
        print(f"callcenter: {error}", file=sys.stderr)
        raise SystemExit(WRONG_USE) from None
    written = report_json(report)
    if as_json:
        json.dump(written, sys.stdout, indent=2)
        print()
    else:
        console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=WIDE)
        for part in replay_tables(written):
            console.print(part)
    if strict and not report.reproduced:
        raise SystemExit(FAILED)


def make_report(asked: Asked, now: datetime) -> ReplayReport:
    """Read, replay and compare. Raises ReportError, PostgresError, JournalMissing, NothingToLearn."""
    zone = ZoneInfo(asked.center.center.time_zone)
    from_at, to_at = window(asked.from_, asked.to, zone, now)
    if to_at > now:
        to_at = now
    facts = from_journal(asked.journal) if asked.journal else asyncio.run(_from_database(asked.center, from_at, to_at))
    day = recorded_day(facts, from_at, to_at)
    if not day.counted:
        raise ReportError(
            f"no contact entered a queue between {from_at.astimezone(zone).isoformat()} and {to_at.astimezone(zone).isoformat()}"
        )
    unchanged = _core_config(asked.center, day)
    other = _core_config(asked.other, day) if asked.other is not None else None
    for settings, config in ((asked.center, unchanged), (asked.other, other)):
        if settings is not None and config is not None:
            check(day, config, settings.file)
    return compare(day, unchanged, other, str(asked.other.file.name) if asked.other else "", zone, asked.seed)


def _core_config(settings: Settings, day: RecordedDay) -> CenterConfig:
    """With the opening hours of that time. Raises ReportError."""
    try:
        return settings.center_config({agent.name: f"phone-of-{agent.name}" for agent in settings.agents}, day.from_at.date())
    except SettingsError as error:
        raise ReportError(str(error)) from None


def from_journal(folder: Path) -> Iterable[Fact]:
    """All facts of the journal in ``folder`` that a replay reads. Raises JournalMissing."""
    read_identity(folder)
    refused: list[tuple[Record, FactError]] = []
    for _, facts in read_facts(JournalReader(folder).read_all(), refused):
        yield from (fact for fact in facts if type(fact) in REPLAYED_FACTS)


async def _from_database(settings: Settings, from_at: datetime, to_at: datetime) -> Iterable[Fact]:
    engine = connect(database_url(settings), name="replay", statement_timeout=_READ_TIMEOUT)
    try:
        async with engine.connect() as connection:
            return await recorded_facts(connection, from_at - WARM_UP, from_at, to_at, [kind.__name__ for kind in REPLAYED_FACTS])
    except (SQLAlchemyError, OSError) as error:
        reason = " ".join(str(getattr(error, "orig", error)).split())
        raise ReportError(f"the database does not give the facts: {reason}; is it running and migrated? (callcenter doctor)") from error
    finally:
        await engine.dispose()


def check(day: RecordedDay, config: CenterConfig, file: Path) -> None:
    """Whether this configuration can serve who came. Raises ReportError."""
    offered: dict[str, int] = {}
    for contact in day.counted:
        offered[contact.record.queue] = offered.get(contact.record.queue, 0) + 1
    for queue, contacts in sorted(offered.items()):
        if queue not in config.queues:
            raise ReportError(
                f"{file}: there is no queue '{queue}', in which {contacts} contacts waited at this time; "
                f"queues: {', '.join(sorted(config.queues)) or 'none'}"
            )
    if not any(day.agents[name].requests for name in day.agents if name in config.agents):
        raise ReportError(f"{file}: none of its agents was logged in at this time; agents who were: {', '.join(day.agents) or 'none'}")


def compare(day: RecordedDay, unchanged: CenterConfig, other: CenterConfig | None, name: str, zone: ZoneInfo, seed: int) -> ReplayReport:
    """Replay with the unchanged configuration, then with the other one, and hold them against the record."""
    targets: Mapping[str, timedelta] = {queue.name: queue.target_wait for queue in unchanged.queues.values()}
    recorded_contacts = [contact.record for contact in day.contacts.values()]
    recorded_stays = [stay for agent in day.agents.values() for stay in agent.stays]
    recorded = figures(recorded_contacts, recorded_stays, day, unchanged, targets)
    runs = [unchanged] if other is None else [unchanged, other]
    with _progress(len(runs) * len(day.arrivals)) as told:
        replays = [run_again(day, config, seed, told) for config in runs]
    by_config = [figures(each.contacts, each.stays, day, config, targets) for each, config in zip(replays, runs, strict=True)]
    before = outcomes(replays[0]) if other is not None else {contact.contact_id: contact for contact in recorded_contacts}
    now = outcomes(replays[-1])
    worse = worse_off(day, before, now)
    return ReplayReport(
        day.from_at,
        day.to_at,
        zone,
        len(day.counted),
        seed,
        recorded,
        by_config[0],
        by_config[-1] if other is not None else None,
        name,
        calibrate(recorded, by_config[0]),
        worse,
        worse_classes(day, before, now, worse),
        list(_notes(day, runs[-1], replays, name)),
    )


def _notes(day: RecordedDay, config: CenterConfig, replays: Iterable[Replayed], name: str) -> Iterable[str]:
    which = name or "the configuration"
    if day.in_fallback:
        yield f"{day.in_fallback} contacts were served by the dialplan while the engine was away; they are not in these figures"
    if day.consults:
        yield f"in {day.consults} contacts an agent only asked somebody else; they are not replayed, and not in these figures"
    if day.called_back:
        yield f"{day.called_back} contacts were callbacks; their agents are away for them in the replay, and they are not in these figures"
    if gone := [agent for agent in day.agents if agent not in config.agents and day.agents[agent].requests]:
        yield f"agents who were there and whom {which} does not know: {', '.join(gone)}"
    if strangers := [agent for agent in config.agents if agent not in day.agents]:
        yield f"agents of {which} who were never logged in at this time, and are not in the replay: {', '.join(sorted(strangers))}"
    if faults := [fault for each in replays for fault in each.faults]:
        yield f"the core met {len(faults)} faults during the replay, the first: {faults[0]}"


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar when standard error is a terminal; it moves on with each contact that comes."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("contacts", total=total)
        yield lambda came: progress.advance(task)
