"""The measures of the glossary, one pure function each; ``adapters/db/kpi`` gives the same numbers in SQL.

What adds up over slices and queues is counted once (``Sums``, ``AgentTime``); each KPI is a function of that. A
ratio without anything below the line is None. A contact belongs to the slice of time in which it entered the
queue; an agent's stays are cut at the edges of slices.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import overload
from zoneinfo import ZoneInfo

from callcenter.domain.contact import ContactState
from callcenter.domain.facts import AgentState
from callcenter.domain.records import ContactRecord, Stay

ZERO = timedelta(0)


# --- slices of time -----------------------------------------------------------------------------------


class Slice(StrEnum):
    """How finely a report cuts time, by the wall clock of the center."""

    QUARTER_HOUR = "15min"
    HALF_HOUR = "30min"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


_MINUTES: Mapping[Slice, int] = {Slice.QUARTER_HOUR: 15, Slice.HALF_HOUR: 30, Slice.HOUR: 60}


def slice_start(at: datetime, size: Slice, zone: ZoneInfo) -> datetime:
    """When the slice that ``at`` lies in begins, in UTC."""
    local = at.astimezone(zone)
    if minutes := _MINUTES.get(size):
        since = timedelta(minutes=local.minute % minutes, seconds=local.second, microseconds=local.microsecond)
        return at.astimezone(UTC) - since
    day = local.date()
    if size is Slice.WEEK:
        day -= timedelta(days=day.weekday())
    elif size is Slice.MONTH:
        day = day.replace(day=1)
    # fold=0: where midnight comes twice, the first one; where it never comes, the first moment after it.
    return datetime.combine(day, time(0), zone).astimezone(UTC)


def slice_end(start: datetime, size: Slice, zone: ZoneInfo) -> datetime:
    """When the slice that begins at ``start`` ends, in UTC; days of daylight saving changes have 23 or 25 hours."""
    if minutes := _MINUTES.get(size):
        return start + timedelta(minutes=minutes)
    day = start.astimezone(zone).date()
    if size is Slice.MONTH:
        day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    else:
        day += timedelta(days=7 if size is Slice.WEEK else 1)
    return datetime.combine(day, time(0), zone).astimezone(UTC)


# --- contacts -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sums:
    """What is counted of contacts. Adds up over any slices and queues."""

    offered: int = 0
    answered: int = 0
    abandoned: int = 0
    """Short abandons included."""
    short_abandoned: int = 0
    overflowed: int = 0
    still_waiting: int = 0
    answered_in_time: int = 0
    """With a wait within the target."""
    handled: int = 0
    """Answered and wrapped up."""
    wait: timedelta = ZERO
    """Of the answered."""
    handled_talk: timedelta = ZERO
    handled_hold: timedelta = ZERO
    handled_wrap_up: timedelta = ZERO
    longest_wait: timedelta = ZERO

    def __add__(self, other: "Sums") -> "Sums":
        added = {field.name: getattr(self, field.name) + getattr(other, field.name) for field in fields(self)}
        return Sums(**{**added, "longest_wait": max(self.longest_wait, other.longest_wait)})


def sums(contacts: Iterable[ContactRecord], target_wait: timedelta) -> Sums:
    """Count these contacts."""
    listed = list(contacts)
    answered = [contact for contact in listed if contact.answered_at]
    abandoned = [contact for contact in listed if contact.state is ContactState.ABANDONED]
    handled = [contact for contact in listed if contact.state is ContactState.ENDED]
    return Sums(
        offered=len(listed),
        answered=len(answered),
        abandoned=len(abandoned),
        short_abandoned=sum(contact.short_abandon for contact in abandoned),
        overflowed=sum(contact.state is ContactState.OVERFLOWED for contact in listed),
        still_waiting=sum(contact.state in (ContactState.WAITING, ContactState.OFFERED) for contact in listed),
        answered_in_time=sum(contact.wait is not None and contact.wait <= target_wait for contact in answered),
        handled=len(handled),
        wait=sum((contact.wait or ZERO for contact in answered), ZERO),
        handled_talk=sum((contact.talk or ZERO for contact in handled), ZERO),
        handled_hold=sum((contact.hold or ZERO for contact in handled), ZERO),
        handled_wrap_up=sum((contact.wrap_up or ZERO for contact in handled), ZERO),
        longest_wait=max((contact.wait or ZERO for contact in listed), default=ZERO),
    )


def by_queue_and_slice(contacts: Iterable[ContactRecord], size: Slice, zone: ZoneInfo) -> dict[tuple[str, datetime], list[ContactRecord]]:
    """The contacts of each queue, by the slice in which they entered it."""
    found: dict[tuple[str, datetime], list[ContactRecord]] = defaultdict(list)
    for contact in contacts:
        found[contact.queue, slice_start(contact.entered_at, size, zone)].append(contact)
    return dict(found)


def service_level(counted: Sums) -> float | None:
    """SL X/T: answered with ``wait ≤ T`` ÷ (answered + abandoned − short abandoned)."""
    return _ratio(counted.answered_in_time, counted.answered + counted.abandoned - counted.short_abandoned)


def asa(counted: Sums) -> timedelta | None:
    """Σ wait of answered ÷ answered."""
    return counted.wait / counted.answered if counted.answered else None


def abandon_rate(counted: Sums) -> float | None:
    """(abandoned − short) ÷ (offered − short)."""
    return _ratio(counted.abandoned - counted.short_abandoned, counted.offered - counted.short_abandoned)


def aht(counted: Sums) -> timedelta | None:
    """Σ (talk + hold + wrap-up) ÷ contacts handled."""
    return (counted.handled_talk + counted.handled_hold + counted.handled_wrap_up) / counted.handled if counted.handled else None


def offered_load(counted: Sums, during: timedelta) -> float | None:
    """Arrival rate × AHT, in erlangs."""
    work = counted.handled_talk + counted.handled_hold + counted.handled_wrap_up
    return counted.offered * (work / during) / counted.handled if counted.handled and during else None


def fcr(contacts: Iterable[ContactRecord], everybody: Iterable[ContactRecord], days: int = 7) -> float | None:
    """Contacts whose caller does not enter the same queue again within ``days`` ÷ handled.

    ``everybody`` are all contacts in which to look for the return. Callers who withhold their number cannot be
    seen to return; their contacts count on neither side.
    """
    entries: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for contact in everybody:
        entries[contact.queue, contact.caller].append(contact.entered_at)
    for times in entries.values():
        times.sort()
    handled = [contact for contact in contacts if contact.state is ContactState.ENDED and contact.caller]
    return _ratio(sum(not _returns(contact, entries[contact.queue, contact.caller], days) for contact in handled), len(handled))


def _returns(contact: ContactRecord, entries: Sequence[datetime], days: int) -> bool:
    following = bisect_right(entries, contact.entered_at)
    return following < len(entries) and entries[following] <= contact.entered_at + timedelta(days=days)


@dataclass(frozen=True, slots=True)
class DispositionSums:
    """Contacts with one disposition, and how many of them carry each flag of what it means. Adds up over any slices and queues."""

    contacts: int = 0
    success: int = 0
    resolved: int = 0
    do_not_call: int = 0
    call_back: int = 0
    retry: int = 0
    never_again: int = 0


def dispositions(contacts: Iterable[ContactRecord]) -> dict[str, DispositionSums]:
    """By disposition; contacts without one are not counted. A flag counts as it was when the disposition was given."""
    flags = [field.name for field in fields(DispositionSums) if field.name != "contacts"]
    given: dict[str, list[ContactRecord]] = defaultdict(list)
    for contact in contacts:
        if contact.disposition:
            given[contact.disposition].append(contact)
    return {
        name: DispositionSums(len(each), **{flag: sum(flag in contact.disposition_flags for contact in each) for flag in flags})
        for name, each in given.items()
    }


def conversion(contacts: Iterable[ContactRecord]) -> float | None:
    """Dispositions marked success ÷ contacts connected."""
    connected = [contact for contact in contacts if contact.answered_at]
    return _ratio(sum("success" in contact.disposition_flags for contact in connected), len(connected))


def ewt_came_true(contacts: Iterable[ContactRecord]) -> float | None:
    """Of the estimated waits told to callers: those that came true ÷ those that are known to have come true or not."""
    told = [(contact.told_right, contact.told_wrong) for contact in contacts]
    right = sum(right for right, _ in told)
    return _ratio(right, right + sum(wrong for _, wrong in told))


# --- agents -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AgentTime:
    """How long an agent was in each state, logged in. Adds up over slices and agents."""

    talking: timedelta = ZERO
    """Hold included."""
    wrap_up: timedelta = ZERO
    ready: timedelta = ZERO
    reserved: timedelta = ZERO
    not_ready: timedelta = ZERO

    def __add__(self, other: "AgentTime") -> "AgentTime":
        return AgentTime(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))


_FIELD_OF: Mapping[AgentState, str] = {
    AgentState.TALKING: "talking",
    AgentState.WRAP_UP: "wrap_up",
    AgentState.READY: "ready",
    AgentState.RESERVED: "reserved",
    AgentState.NOT_READY: "not_ready",
}


def agent_time(
    stays: Iterable[Stay], from_at: datetime, to_at: datetime, until_at: datetime, size: Slice, zone: ZoneInfo
) -> dict[tuple[str, datetime], AgentTime]:
    """The time of each agent in each slice within ``[from_at, to_at)``; what still lasts counts until ``until_at``."""
    found: dict[tuple[str, datetime], AgentTime] = defaultdict(AgentTime)
    for stay in stays:
        if name := _FIELD_OF.get(stay.state):
            began_at, ended_at = max(stay.began_at, from_at), min(stay.ended_at or until_at, to_at)
            for start, span in _pieces(began_at, ended_at, size, zone):
                found[stay.agent, start] += AgentTime(**{name: span})
    return dict(found)


def _pieces(began_at: datetime, ended_at: datetime, size: Slice, zone: ZoneInfo) -> Iterator[tuple[datetime, timedelta]]:
    """Cut a span at the edges of slices."""
    at = began_at
    while at < ended_at:
        start = slice_start(at, size, zone)
        end = min(slice_end(start, size, zone), ended_at)
        yield start, end - at
        at = end


def occupancy(spent: AgentTime) -> float | None:
    """(talk + hold + wrap-up) ÷ (talk + hold + wrap-up + ready + reserved)."""
    busy = spent.talking + spent.wrap_up
    return _ratio(busy, busy + spent.ready + spent.reserved)


def utilisation(spent: AgentTime) -> float | None:
    """(talk + hold + wrap-up) ÷ logged-in time."""
    busy = spent.talking + spent.wrap_up
    return _ratio(busy, busy + spent.ready + spent.reserved + spent.not_ready)


@overload
def _ratio(above: int, below: int) -> float | None: ...
@overload
def _ratio(above: timedelta, below: timedelta) -> float | None: ...
def _ratio(above: int | timedelta, below: int | timedelta) -> float | None:
    return above / below if below else None  # type: ignore[operator, return-value]
