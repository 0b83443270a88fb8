"""A replay beside the record: the measures of each queue, whether the replay can be believed, and who is worse off."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from callcenter.domain import kpi
from callcenter.domain.config import CenterConfig, QueueConfig
from callcenter.domain.kpi import AgentTime, Slice, Sums
from callcenter.domain.records import ContactRecord, Stay
from callcenter.sim.replay.recorded import RecordedDay
from callcenter.sim.replay.run import Replayed

SERVICE_LEVEL_WITHIN = 0.02
"""A replay with unchanged configuration is believed when each queue's service level is so close to the recorded one ..."""
ASA_WITHIN = 0.10
"""... and its ASA is within this share of it."""
NOTICEABLE = timedelta(seconds=1)
"""A wait that grew by less is not a worse one."""

UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """The measures of one queue, or of all (``queue`` is empty), on one of the days."""

    queue: str
    counted: Sums
    occupancy: float | None
    """Of the agents who serve the queue."""

    @property
    def service_level(self) -> float | None:
        return kpi.service_level(self.counted)

    @property
    def asa(self) -> timedelta | None:
        return kpi.asa(self.counted)

    @property
    def abandon_rate(self) -> float | None:
        return kpi.abandon_rate(self.counted)


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far the replay with unchanged configuration is from the record, in one queue."""

    recorded: QueueFigures
    replayed: QueueFigures

    @property
    def queue(self) -> str:
        return self.recorded.queue

    @property
    def service_level_off(self) -> float | None:
        """Replayed − recorded; None when one of them has none."""
        was, now = self.recorded.service_level, self.replayed.service_level
        return None if was is None or now is None else now - was

    @property
    def asa_off(self) -> float | None:
        """(Replayed − recorded) ÷ recorded; None when that cannot be said."""
        was, now = self.recorded.asa, self.replayed.asa
        if was == now:
            return None if was is None else 0.0
        return now / was - 1 if was and now is not None else None

    @property
    def reproduced(self) -> bool:
        """What exists on one side only is not reproduced."""
        level, asa = self.service_level_off, self.asa_off
        if level is None and self.recorded.service_level != self.replayed.service_level:
            return False
        if asa is None and self.recorded.asa != self.replayed.asa:
            return False
        return abs(level or 0.0) <= SERVICE_LEVEL_WITHIN and abs(asa or 0.0) <= ASA_WITHIN


@dataclass(frozen=True, slots=True)
class Worse:
    """A contact that waits longer than before, or is no longer answered."""

    contact: str
    queue: str
    priority: int
    require: str
    entered_at: datetime
    before: timedelta
    now: timedelta
    lost: bool
    """Answered before, and not any more."""

    @property
    def grew(self) -> timedelta:
        return self.now - self.before


@dataclass(frozen=True, slots=True)
class WorseClass:
    """Callers of one queue, priority and requirement, of whom some are worse off."""

    queue: str
    priority: int
    require: str
    contacts: int
    """All of them, worse off or not."""
    worse: int
    lost: int
    mean_grew: timedelta
    """Of those worse off."""
    most_grew: timedelta
    mean_change: timedelta
    """Of all of them; below zero when the others gained more."""


# --- measures -------------------------------------------------------------------------------------------


def figures(
    contacts: Iterable[ContactRecord], stays: Sequence[Stay], day: RecordedDay, config: CenterConfig, targets: Mapping[str, timedelta]
) -> dict[str, QueueFigures]:
    """The measures of each queue that has contacts in the window, and of all under the empty name."""
    of_queue: dict[str, list[ContactRecord]] = defaultdict(list)
    for contact in contacts:
        if day.from_at <= contact.entered_at < day.to_at:
            of_queue[contact.queue].append(contact)
    spent = _agent_time(stays, day)
    found = {}
    for queue in sorted({*of_queue, *targets}):
        members = [spent[name] for name, agent in config.agents.items() if queue in agent.queues and name in spent]
        target = targets.get(queue) or (config.queues.get(queue) or QueueConfig(queue)).target_wait
        found[queue] = QueueFigures(queue, kpi.sums(of_queue[queue], target), kpi.occupancy(sum(members, AgentTime())))
    total = sum((each.counted for each in found.values()), Sums())
    found[""] = QueueFigures("", total, kpi.occupancy(sum(spent.values(), AgentTime())))
    return found


def _agent_time(stays: Sequence[Stay], day: RecordedDay) -> dict[str, AgentTime]:
    """Each agent's time within the window."""
    until = min(day.to_at, day.until_at or day.to_at)
    if until <= day.from_at:
        return {}
    by_day = kpi.agent_time(stays, day.from_at, until, until, Slice.DAY, UTC_ZONE)
    spent: dict[str, AgentTime] = defaultdict(AgentTime)
    for (agent, _), time in by_day.items():
        spent[agent] += time
    return dict(spent)


def calibrate(recorded: Mapping[str, QueueFigures], replayed: Mapping[str, QueueFigures]) -> list[Calibration]:
    """Queue by queue; queues without contacts have nothing to compare."""
    return [Calibration(was, replayed[name]) for name, was in recorded.items() if name and was.counted.offered]


# --- who is worse off -----------------------------------------------------------------------------------


def outcomes(replayed: Replayed) -> dict[str, ContactRecord]:
    """What each recorded contact came to in the replay; those it did not bring about are not there."""
    return {
        replayed.recorded_as[contact.contact_id]: contact for contact in replayed.contacts if contact.contact_id in replayed.recorded_as
    }


def worse_off(day: RecordedDay, before: Mapping[str, ContactRecord], now: Mapping[str, ContactRecord]) -> list[Worse]:
    """The counted contacts that wait longer than before or are no longer answered, worst first."""
    found = []
    for contact in day.counted:
        was, became = before.get(contact.id), now.get(contact.id)
        if was is None or became is None or was.wait is None:
            continue
        waited = became.wait if became.wait is not None else was.wait
        lost = was.answered_at is not None and became.answered_at is None
        if waited - was.wait > NOTICEABLE or lost:
            record = contact.record
            found.append(
                Worse(contact.id, record.queue, record.priority, contact.entered.require, record.entered_at, was.wait, waited, lost)
            )
    return sorted(found, key=lambda each: (-each.grew, each.contact))


def worse_classes(
    day: RecordedDay, before: Mapping[str, ContactRecord], now: Mapping[str, ContactRecord], worse: Sequence[Worse]
) -> list[WorseClass]:
    """Callers by queue, priority and requirement, the class that lost most first; classes of which nobody is worse off are not listed."""
    changes: dict[tuple[str, int, str], list[timedelta]] = defaultdict(list)
    for contact in day.counted:
        was, became = before.get(contact.id), now.get(contact.id)
        if was is not None and became is not None and was.wait is not None and became.wait is not None:
            changes[contact.record.queue, contact.record.priority, contact.entered.require].append(became.wait - was.wait)
    of_class: dict[tuple[str, int, str], list[Worse]] = defaultdict(list)
    for each in worse:
        of_class[each.queue, each.priority, each.require].append(each)
    found = [
        WorseClass(
            *kind,
            len(changes[kind]),
            len(theirs),
            sum(each.lost for each in theirs),
            sum((each.grew for each in theirs), timedelta()) / len(theirs),
            max(each.grew for each in theirs),
            sum(changes[kind], timedelta()) / max(1, len(changes[kind])),
        )
        for kind, theirs in of_class.items()
    ]
    return sorted(found, key=lambda each: (-each.worse * each.mean_grew, each.queue, each.priority, each.require))
