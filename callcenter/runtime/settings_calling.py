"""``[calling]``: what holds for the calls that we begin, checked and in the core's words."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, time
from typing import TYPE_CHECKING

from callcenter.domain.calling_hours import CallingHours, Window
from callcenter.domain.config import CallbackConfig, CallingConfig
from callcenter.domain.numbers import NumberRefusal
from callcenter.runtime.dialing_rules import DialingRules, read_list
from callcenter.runtime.settings_problems import Problem

if TYPE_CHECKING:
    from callcenter.runtime.settings import Settings
    from callcenter.runtime.settings_model import CallingHoursSection, QueueSection

MIDNIGHT = time(0)
EVERY_DAY: tuple[Window, ...] = ((time(0), time(0)),)


def dialing_rules(settings: "Settings") -> DialingRules:
    """The rules by which numbers are refused. Of a settings file without faults."""
    plain = _plain_rules(settings)
    listed = (plain(text).number for _, text in _do_not_call(settings))
    center = settings.center
    return DialingRules(center.country, settings.calling.countries, _ours(settings), center.emergency_numbers, tuple(listed))


def calling_config(settings: "Settings") -> CallingConfig:
    rules = dialing_rules(settings)
    return CallingConfig(
        trunk=settings.calling.trunk or "",
        hours=_hours(settings.calling.hours, settings.center.time_zone),
        calendar=settings.calling.calendar or "",
        local=settings.calling.local_hours,
        rules=rules,
        e164=rules.e164,
    )


def number_refusal(settings: "Settings", number: str) -> str:
    """Why a flow may not hand callers on to that number, as a sentence; empty: it may."""
    if settings.calling.trunk is None:
        return f"hands callers on to {number}, and there is no trunk to call through; set calling.trunk"
    checked = _plain_rules(settings)(number)
    return "" if checked.may_be_dialed else f"hands callers on to a number that is not dialed: {checked.sentence}"


def callback_config(settings: "Settings", queue: "QueueSection") -> CallbackConfig | None:
    section = queue.callback
    if section is None:
        return None
    return CallbackConfig(
        key=section.key,
        flow=section.flow or "",
        agent_first=section.first == "agent",
        greeting_flow=section.greeting_flow or "",
        ring_time=section.ring_time,
        attempts=section.attempts,
        retry_after=section.retry_after,
        expires_after=section.expires_after,
        in_time=section.in_time,
        owned_for=section.owned_for,
        number_shown=_e164(settings, section.number_shown) if section.number_shown else "",
    )


def _e164(settings: "Settings", text: str) -> str:
    """A number of ours; empty when it is none."""
    number = _plain_rules(settings)(text).number
    return number if number in _ours(settings) else ""


def _hours(section: "CallingHoursSection", zone: str) -> CallingHours:
    weekly: dict[int, tuple[Window, ...]] = defaultdict(tuple)
    for days, window in section.weekly:
        for day in days:
            weekly[day] += (window,)
    dated: dict[date, tuple[Window, ...]] = dict.fromkeys(section.closed, ())
    for on, window in section.dated:
        dated[on] = (*dated.get(on, ()), window)
    if dated and not weekly:
        weekly.update(dict.fromkeys(range(7), EVERY_DAY))
    return CallingHours(zone, dict(weekly), dated)


def _plain_rules(settings: "Settings") -> DialingRules:
    """Without the do-not-call list."""
    center = settings.center
    return DialingRules(center.country, settings.calling.countries, _ours(settings), center.emergency_numbers)


def _ours(settings: "Settings") -> list[str]:
    ours = []
    for number in settings.numbers:
        try:
            ours.append(settings.did(number))
        except ValueError:  # it is said elsewhere what is wrong with it
            continue
    return ours


def _do_not_call(settings: "Settings") -> Iterator[tuple[str, str]]:
    """Where each number of the list stands, and how it is written. Raises OSError, UnicodeError."""
    for index, text in enumerate(settings.calling.do_not_call):
        yield f"calling.do_not_call[{index}]", text
    file = settings.calling.do_not_call_file
    if file is not None:
        for line, text in read_list(settings.beside_the_file(file)):
            yield f"calling.do_not_call_file: {file}:{line}", text


def calling_faults(settings: "Settings") -> Iterator[Problem]:
    """What is wrong with ``[calling]``."""
    trunks = {trunk.name: trunk for trunk in settings.trunks}
    name = settings.calling.trunk
    if name is not None and name not in trunks:
        yield Problem("calling.trunk", f"names trunk '{name}', which does not exist; trunks: {', '.join(sorted(trunks)) or 'none'}")
    elif name is not None and trunks[name].host is None:
        yield Problem("calling.trunk", f"names trunk '{name}', which has no host; calls of ours must be sent somewhere")
    hours = settings.calling.hours
    for index, day in enumerate(hours.closed):
        if day in {dated for dated, _ in hours.dated}:
            yield Problem(f"calling.hours.closed[{index}]", f"{day} is in calling.hours.dated as well; take it out of one of them")
    named = settings.calling.calendar
    if named is not None and named not in settings.calendars:
        known = ", ".join(sorted(settings.calendars)) or "none"
        yield Problem("calling.calendar", f"names calendar '{named}', which does not exist; calendars: {known}")
    if named is not None and hours != type(hours)():
        yield Problem("calling.calendar", "and the table calling.hours are two ways to say it; take one of them out")
    if any(begin >= end > MIDNIGHT for begin, end in settings.calling.local_hours):
        yield Problem("calling.local_hours", "ends on the next day; nobody is called through the night")
    yield from _list_faults(settings)
    for index, queue in enumerate(settings.queues):
        yield from _callback_faults(settings, f"queue[{index}].callback", queue)


def _callback_faults(settings: "Settings", key: str, queue: "QueueSection") -> Iterator[Problem]:
    section = queue.callback
    if section is None:
        return
    if settings.calling.trunk is None:
        yield Problem(key, "needs calling.trunk, through which we call")
    for name, value in (("flow", section.flow), ("greeting_flow", section.greeting_flow)):
        if value is not None and value not in settings.flows:
            flows = ", ".join(sorted(settings.flows)) or "none"
            yield Problem(f"{key}.{name}", f"names flow '{value}', which does not exist; flows: {flows}")
    greeting = settings.flows.get(section.greeting_flow or "")
    if greeting is not None and not any(node.type == "queue" and node.queue == queue.name for node in greeting.nodes.values()):
        yield Problem(f"{key}.greeting_flow", f"names flow '{section.greeting_flow}', which never enters queue '{queue.name}'")
    if section.number_shown is not None and not _e164(settings, section.number_shown):
        yield Problem(f"{key}.number_shown", f"'{section.number_shown}' is none of our numbers; callers see only [[number]]s of ours")
    if not settings.numbers:
        yield Problem(key, "needs a [[number]] of ours to show to those we call")


def _list_faults(settings: "Settings") -> Iterator[Problem]:
    rules = _plain_rules(settings)
    try:
        for key, text in _do_not_call(settings):
            checked = rules(text)
            if checked.refusal in (NumberRefusal.INVALID, NumberRefusal.EMERGENCY):
                yield Problem(key, f"{checked.sentence}, so it would keep nobody from being called; correct it or take it out")
    except (OSError, UnicodeError):
        yield Problem("calling.do_not_call_file", f"names '{settings.calling.do_not_call_file}', which cannot be read as text")
