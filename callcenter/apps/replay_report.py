"""A replay as JSON and as tables.

``callcenter replay --json`` is an object: ``from_at``, ``to_at``, ``time_zone``, ``contacts``, ``seed``, ``service_level_formula``;

- ``queues``: of each queue, and of all under an empty name, the figures ``recorded``, ``replayed`` (with unchanged configuration) and
  ``tried`` (with the other one; null when there is none): ``offered, answered, abandoned, short_abandoned, overflowed, still_waiting,
  service_level, asa_s, abandon_rate, occupancy``;
- ``calibration``: ``reproduced``, and of each queue ``service_level_off, asa_off, reproduced``;
- ``worse_off``: ``contacts, lost`` and the lists ``classes`` and ``worst``; compared with the replay with unchanged configuration when
  another was tried, else with the record;
- ``notes``: sentences about what the replay could not take into account.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from zoneinfo import ZoneInfo

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from callcenter.apps.report_tables import clock
from callcenter.apps.reports import FORMULA, Json
from callcenter.sim.replay.comparison import (
    ASA_WITHIN,
    SERVICE_LEVEL_WITHIN,
    Calibration,
    QueueFigures,
    Worse,
    WorseClass,
)

LISTED = 10
"""So many of the contacts that are worse off are listed."""

_Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """All that a replay has to say."""

    from_at: datetime
    to_at: datetime
    zone: ZoneInfo
    contacts: int
    seed: int
    recorded: Mapping[str, QueueFigures]
    replayed: Mapping[str, QueueFigures]
    tried: Mapping[str, QueueFigures] | None
    tried_with: str
    """The name of the other configuration; empty when there is none."""
    calibration: Sequence[Calibration]
    worse: Sequence[Worse]
    classes: Sequence[WorseClass]
    notes: Sequence[str]

    @property
    def reproduced(self) -> bool:
        return all(each.reproduced for each in self.calibration)


# --- JSON -----------------------------------------------------------------------------------------------


def report_json(report: ReplayReport) -> dict[str, Json]:
    names = [name for name in {**report.recorded, **report.replayed, **(report.tried or {})} if name]
    return {
        "from_at": _iso(report.from_at, report.zone),
        "to_at": _iso(report.to_at, report.zone),
        "time_zone": report.zone.key,
        "contacts": report.contacts,
        "seed": report.seed,
        "tried_with": report.tried_with or None,
        "service_level_formula": FORMULA,
        "queues": [
            {
                "queue": name,
                "recorded": _figures(report.recorded.get(name)),
                "replayed": _figures(report.replayed.get(name)),
                "tried": _figures((report.tried or {}).get(name)),
            }
            for name in [*sorted(names), ""]
        ],
        "calibration": {
            "reproduced": report.reproduced,
            "service_level_within": SERVICE_LEVEL_WITHIN,
            "asa_within": ASA_WITHIN,
            "queues": [
                {"queue": each.queue, "service_level_off": each.service_level_off, "asa_off": each.asa_off, "reproduced": each.reproduced}
                for each in report.calibration
            ],
        },
        "worse_off": {
            "compared_with": "replayed" if report.tried is not None else "recorded",
            "contacts": len(report.worse),
            "lost": sum(each.lost for each in report.worse),
            "classes": [_class(each) for each in report.classes],
            "worst": [_worse(each, report.zone) for each in report.worse[:LISTED]],
        },
        "notes": list(report.notes),
    }


def _figures(each: QueueFigures | None) -> dict[str, Json] | None:
    if each is None:
        return None
    counted, asa = each.counted, each.asa
    return {
        "offered": counted.offered,
        "answered": counted.answered,
        "abandoned": counted.abandoned,
        "short_abandoned": counted.short_abandoned,
        "overflowed": counted.overflowed,
        "still_waiting": counted.still_waiting,
        "service_level": each.service_level,
        "asa_s": None if asa is None else asa.total_seconds(),
        "abandon_rate": each.abandon_rate,
        "occupancy": each.occupancy,
    }


def _class(each: WorseClass) -> dict[str, Json]:
    return {
        "queue": each.queue,
        "priority": each.priority,
        "require": each.require,
        "contacts": each.contacts,
        "worse": each.worse,
        "lost": each.lost,
        "mean_grew_s": each.mean_grew.total_seconds(),
        "most_grew_s": each.most_grew.total_seconds(),
        "mean_change_s": each.mean_change.total_seconds(),
    }


def _worse(each: Worse, zone: ZoneInfo) -> dict[str, Json]:
    return {
        "contact": each.contact,
        "queue": each.queue,
        "priority": each.priority,
        "require": each.require,
        "entered_at": _iso(each.entered_at, zone),
        "before_s": each.before.total_seconds(),
        "now_s": each.now.total_seconds(),
        "grew_s": each.grew.total_seconds(),
        "lost": each.lost,
    }


def _iso(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(timespec="milliseconds")


# --- tables ---------------------------------------------------------------------------------------------

_COLUMNS = {
    "offered": "offered",
    "answered": "answered",
    "abandoned": "abandoned",
    "overflowed": "overflowed",
    "service_level": "service level",
    "asa_s": "ASA",
    "abandon_rate": "abandon rate",
    "occupancy": "occupancy",
}


def replay_tables(report: Mapping[str, object]) -> Iterator[RenderableType]:
    """The report's JSON for people."""
    tried_with = cast(str | None, report["tried_with"])
    yield Text(f"{report['contacts']} contacts, {report['from_at']} – {report['to_at']} {report['time_zone']}", style="italic")
    yield _queues(cast(Sequence[_Row], report["queues"]), tried_with)
    yield Text(str(report["service_level_formula"]), style="dim italic")
    yield from _calibration(cast(_Row, report["calibration"]))
    yield from _worse_off(cast(_Row, report["worse_off"]), tried_with)
    for note in cast(Sequence[str], report["notes"]):
        yield Text(f"note: {note}")


def _queues(queues: Sequence[_Row], tried_with: str | None) -> Table:
    table = Table("queue", "", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in _COLUMNS.values():
        table.add_column(heading, justify="right")
    for queue in queues:
        rows = [("recorded", queue["recorded"]), ("replayed, unchanged", queue["replayed"])]
        if tried_with:
            rows.append((tried_with, queue["tried"]))
        for number, (name, figures) in enumerate(rows):
            cells = [_cell(name, cast(_Row, figures).get(name)) for name in _COLUMNS] if figures else ["–"] * len(_COLUMNS)
            table.add_row(Text(str(queue["queue"] or "all") if number == 0 else ""), Text(name), *cells)
    return table


def _calibration(calibration: _Row) -> Iterator[RenderableType]:
    table = Table("queue", title="does the replay reproduce the record?", box=box.SIMPLE_HEAD, title_justify="left")
    for heading in ("service level off", "ASA off", "verdict"):
        table.add_column(heading, justify="right")
    for row in cast(Sequence[_Row], calibration["queues"]):
        level, asa = cast(float | None, row["service_level_off"]), cast(float | None, row["asa_off"])
        table.add_row(
            Text(str(row["queue"])),
            "–" if level is None else f"{100 * level:+.1f} pp",
            "–" if asa is None else f"{100 * asa:+.1f} %",
            "reproduced" if row["reproduced"] else "NOT reproduced",
        )
    yield table
    if not calibration["reproduced"]:
        yield Text(
            "The replay with unchanged configuration does not reproduce the record: believe no comparison finer than the gap above. "
            "Had the configuration changed meanwhile, or did callers or agents meet something that a replay does not know?",
            style="bold",
        )


def _worse_off(worse: _Row, tried_with: str | None) -> Iterator[RenderableType]:
    compared = "with the replay of the unchanged configuration" if tried_with else "with the record"
    if not worse["contacts"]:
        yield Text(f"Nobody is worse off, compared {compared}.")
        return
    yield Text(f"{worse['contacts']} contacts are worse off, compared {compared}; {worse['lost']} of them are no longer answered.")
    classes = Table("queue", box=box.SIMPLE_HEAD, title="who waits longer", title_justify="left")
    classes.add_column("needs")
    for heading in ("priority", "contacts", "worse off", "lost", "wait grew by", "at most by", "mean change of all"):
        classes.add_column(heading, justify="right")
    for row in cast(Sequence[_Row], worse["classes"]):
        grew, most, change = (cast(float, row[name]) for name in ("mean_grew_s", "most_grew_s", "mean_change_s"))
        counts = (str(row[name]) for name in ("priority", "contacts", "worse", "lost"))
        classes.add_row(Text(str(row["queue"])), Text(str(row["require"])), *counts, clock(grew), clock(most), f"{change:+.1f} s")
    yield classes
    worst = Table("contact", "queue", "entered", box=box.SIMPLE_HEAD, title="the worst", title_justify="left")
    for heading in ("wait before", "now"):
        worst.add_column(heading, justify="right")
    worst.add_column("")
    for row in cast(Sequence[_Row], worse["worst"]):
        before, now = cast(float, row["before_s"]), cast(float, row["now_s"])
        cells = (Text(str(row[name])) for name in ("contact", "queue", "entered_at"))
        worst.add_row(*cells, clock(before), clock(now), "no longer answered" if row["lost"] else "")
    yield worst


def _cell(name: str, value: object) -> str:
    if value is None:
        return "–"
    if name == "asa_s":
        return clock(cast(float, value))
    if name in ("service_level", "abandon_rate", "occupancy"):
        return f"{100 * cast(float, value):.1f} %"
    return str(value)
