"""``[calendar.NAME]``: opening hours as they are written, and every way to write them wrong."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from callcenter.domain.hours import Calendar, WhyKind
from callcenter.runtime.settings import SettingsError, parse_text
from callcenter.runtime.settings_calendars import forsaken_imports, keep_copies

TODAY = date(2026, 11, 23)
"""A Monday."""
NEW_YORK = ZoneInfo("America/New_York")


def text(calendar: str, queue: str = "") -> str:
    return f"""
[center]
time_zone = "America/New_York"
[[queue]]
name = "support"
{queue}
[[agent]]
name = "alice"
queues = ["support"]
{calendar}
"""


def made(calendar: str, queue: str = "", folder: Path = Path()) -> Mapping[str, Calendar]:
    return parse_text(text(calendar, queue), folder / "callcenter.toml").opening_hours(TODAY)


def main(calendar: str, folder: Path = Path()) -> Calendar:
    return made(f"[calendar.main]\n{calendar}", folder=folder)["main"]


def refused(calendar: str, queue: str = "", folder: Path = Path()) -> list[str]:
    with pytest.raises(SettingsError) as refusal:
        parse_text(text(calendar, queue), folder / "callcenter.toml")
    return [problem.partition(": ")[2] for problem in refusal.value.problems]


def at(local: str, zone: ZoneInfo = NEW_YORK) -> datetime:
    return datetime.fromisoformat(local).replace(tzinfo=zone)


def opens(calendar: Calendar, after: str) -> str:
    """The next opening, by the calendar's clock."""
    found = calendar.opens_at(at(after, ZoneInfo(calendar.zone)))
    return found.astimezone(ZoneInfo(calendar.zone)).strftime("%Y-%m-%d %H:%M") if found else "never"


OFFICE = 'weekly = ["mon-thu 09:00-12:00, 13:00-17:00", "fri 09:00-15:00", "sat,sun 22:00-02:00"]\n'


def test_weekly_hours_of_several_spans_and_over_midnight() -> None:
    calendar = main(OFFICE)
    assert calendar.zone == "America/New_York"
    assert opens(calendar, "2026-11-23T08:00") == "2026-11-23 09:00"
    assert opens(calendar, "2026-11-23T12:00") == "2026-11-23 13:00"
    assert opens(calendar, "2026-11-27T14:00") == "2026-11-28 22:00"
    assert calendar.is_open(at("2026-11-30T01:59"))
    assert not calendar.is_open(at("2026-11-30T02:00"))


def test_a_calendar_may_have_a_zone_of_its_own() -> None:
    calendar = main(f'{OFFICE}time_zone = "Australia/Lord_Howe"')
    assert calendar.opens_at(at("2026-11-23T20:00", ZoneInfo("Australia/Lord_Howe"))) == datetime(2026, 11, 23, 22, 0, tzinfo=UTC)


def test_exceptions_have_reasons_and_win() -> None:
    calendar = main(f"""{OFFICE}
[calendar.main.holidays]
country = "US"
[[calendar.main.exception]]
date = 2026-11-26
hours = ["10:00-11:00"]
reason = "Thanksgiving emergency desk"
[[calendar.main.exception]]
date = "2026-11-30"
until = "2026-12-01"
reason = "moving house"
[[calendar.main.exception]]
date = "2026-12-02"
closed = ["10:00-11:00"]
reason = "fire drill"
""")
    assert opens(calendar, "2026-11-25T17:00") == "2026-11-26 10:00"
    assert opens(calendar, "2026-11-30T02:00") == "2026-12-02 09:00"
    assert opens(calendar, "2026-12-02T10:30") == "2026-12-02 11:00"
    assert str(calendar.why(at("2026-11-30T10:00"))) == "exception: moving house"


def test_public_holidays_close_have_hours_or_are_days_like_any_other() -> None:
    us = '[calendar.main.holidays]\ncountry = "US"\n'
    closed = main(OFFICE + us)
    assert str(closed.why(at("2026-11-26T10:00"))) == "holiday: Thanksgiving Day"
    assert opens(closed, "2026-11-25T17:00") == "2026-11-27 09:00"
    assert opens(main(f'{OFFICE}{us}hours = ["10:00-14:00"]'), "2026-11-25T17:00") == "2026-11-26 10:00"
    assert opens(main(f'{OFFICE}{us}open_as_usual = ["Thanksgiving Day"]'), "2026-11-25T17:00") == "2026-11-26 09:00"
    assert main(f'{OFFICE}{us}subdivision = "CA"').why(at("2027-03-31T10:00")).kind is WhyKind.HOLIDAY  # Cesar Chavez Day


def test_rules_close_whole_days_or_parts() -> None:
    rule = '[[calendar.main.rule]]\nrrule = "FREQ=MONTHLY;BYDAY=1TU"\nbegins = 2020-01-01\nreason = "stock-taking"\n'
    assert opens(main(OFFICE + rule), "2026-11-30T17:00") == "2026-12-02 09:00"
    calendar = main(f'{OFFICE}{rule}closed = ["09:00-10:30"]')
    assert opens(calendar, "2026-11-30T17:00") == "2026-12-01 10:30"
    assert str(calendar.why(at("2026-12-01T09:30"))) == "rule: stock-taking"


@pytest.mark.parametrize(
    ("calendar", "problem"),
    [
        ('weekly = ["mon-fri 9-17"]', "weekly[0]: must be weekdays and times, such as 'mon-fri 09:00-12:00, 13:00-17:00'"),
        ('weekly = ["fri-mon 09:00-17:00"]', "weekly[0]: must be weekdays and times"),
        ('weekly = ["mon 09:00-25:00"]', "weekly[0]: must be weekdays and times"),
        ('weekly = ["mon 09:00-09:00"]', "weekly[0]: must be weekdays and times"),
        ('weekly = ["mon,mon 09:00-10:00"]', "weekly[0]: must be weekdays and times"),
        ('weekly = ["mon 09:00-12:00, 11:00-13:00"]', "weekly[0]: overlaps with itself; each time of the week belongs to one line"),
        ('weekly = ["mon-fri 09:00-12:00", "fri 11:00-13:00"]', "weekly[1]: overlaps with calendar.main.weekly[0]"),
        ('weekly = ["sun 22:00-04:00", "mon 03:00-09:00"]', "weekly[1]: overlaps with calendar.main.weekly[0]"),
        (OFFICE + 'time_zone = "Mars/Olympus"', "time_zone: must be a time zone of the IANA database"),
        (OFFICE + "lunch = true", "lunch: is not a key"),
        ("", "is never open; give it weekly hours"),
        ('[calendar.main.holidays]\ncountry = "US"', "is never open; give it weekly hours"),
        (OFFICE + '[calendar.main.holidays]\ncountry = "Atlantis"', "holidays.country: must be a country in two capital letters"),
        (
            OFFICE + '[calendar.main.holidays]\ncountry = "US"\nsubdivision = "Bavaria"',
            "holidays.subdivision: 'Bavaria' is none of US's; known: AK, AL,",
        ),
        (
            OFFICE + '[calendar.main.holidays]\ncountry = "US"\nopen_as_usual = ["Festivus"]',
            "holidays.open_as_usual[0]: 'Festivus' is no holiday there; known: Christmas Day",
        ),
        (OFFICE + '[[calendar.main.exception]]\ndate = "2026-12-24"', "exception[0].reason: is missing"),
        (OFFICE + '[[calendar.main.exception]]\ndate = "24 Dec"\nreason = "x"', "exception[0].date: must be a date"),
        (
            OFFICE + '[[calendar.main.exception]]\ndate = "2026-12-24"\nuntil = "2026-12-23"\nreason = "x"',
            "exception[0].until: is before 2026-12-24; it is the last day",
        ),
        (
            OFFICE + '[[calendar.main.exception]]\ndate = "2026-12-24"\nuntil = "2099-12-23"\nreason = "x"',
            "exception[0].until: makes it longer than 400 days; change the weekly hours instead",
        ),
        (
            OFFICE + '[[calendar.main.exception]]\ndate = "2026-12-24"\nreason = "x"\nhours = ["09:00-10:00"]\nclosed = ["09:00-10:00"]',
            "exception[0]: has hours and closed; say one",
        ),
        (
            OFFICE + '[[calendar.main.exception]]\ndate = "2026-12-24"\nreason = "x"\nhours = ["09:00-10:00", "09:30-11:00"]',
            "exception[0].hours: overlap; each time of the day belongs to one of them",
        ),
        (
            OFFICE + '[[calendar.main.exception]]\ndate = "2026-12-24"\nreason = "x"\n' * 2,
            "exception[1]: and calendar.main.exception[0] both say what 2026-12-24 is",
        ),
        (
            OFFICE + '[[calendar.main.rule]]\nrrule = "FREQ=MINUTELY"\nbegins = "2026-01-01"\nreason = "x"',
            "rule[0].rrule: needs FREQ, one of DAILY, WEEKLY, MONTHLY, YEARLY; hours change by the day, not faster (RFC 5545",
        ),
        (
            OFFICE + '[[calendar.main.rule]]\nrrule = "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"\nbegins = "2026-01-01"\nreason = "x"',
            "rule[0].rrule: never occurs within 9 years of 2026-01-01; correct it or take it out",
        ),
        (
            OFFICE + '[[calendar.main.rule]]\nrrule = "FREQ=DAILY"\nbegins = "0001-01-01"\nreason = "x"',
            "rule[0].begins: is in the year 1; give a date from 1990 to 2200",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(calendar: str, problem: str) -> None:
    (found,) = refused(f"[calendar.main]\n{calendar}")
    assert found.removeprefix("calendar.main").lstrip(".: ").startswith(problem)


# --- queues -------------------------------------------------------------------------------------


def test_a_queue_follows_a_calendar_or_closes_by_the_clock() -> None:
    settings = parse_text(text(f"[calendar.main]\n{OFFICE}", 'hours = "main"\n[queue.closing]\ndrain = true'), Path("callcenter.toml"))
    queue = settings.center_config({"alice": "a"}).queues["support"]
    assert (queue.hours, queue.closing.drain, str(queue.closing.action)) == ("main", True, "goodbye")
    by_clock = parse_text(text("", '[queue.closing]\nat = "18:00"\nuntil = "08:00"'), Path("callcenter.toml"))
    config = by_clock.center_config({"alice": "a"}, TODAY)
    calendar = config.calendars[config.queues["support"].hours]
    assert [calendar.is_open(at(f"2026-11-23T{hour}")) for hour in ("07:59", "08:00", "17:59", "18:00")] == [False, True, True, False]


@pytest.mark.parametrize(
    ("queue", "problem"),
    [
        ('hours = "night"', "queue[0].hours: names calendar 'night', which does not exist; calendars: main"),
        ('[queue.closing]\nto = "goodbye"', 'queue[0].closing: needs hours = "NAME" of a calendar in queue[0], or both at and until'),
        ('[queue.closing]\nat = "18:00"', "queue[0].closing: needs hours"),
        (
            'hours = "main"\n[queue.closing]\nat = "18:00"\nuntil = "08:00"',
            "queue[0].closing.at: and until are not needed: the queue has hours; take them out, or the hours",
        ),
        ('[queue.closing]\nat = "18:00"\nuntil = "18:00"', "queue[0].closing.until: is the time at which it closes; it would never open"),
    ],
)
def test_a_queue_that_cannot_know_when_it_is_open_is_refused(queue: str, problem: str) -> None:
    (found,) = refused(f"[calendar.main]\n{OFFICE}", queue)
    assert found.startswith(problem)


def numbers(*keys: str) -> str:
    given = "".join(f'[[number]]\ndid = "+1800555010{place}"\nflow = "main"\n{key}\n' for place, key in enumerate(keys))
    flow = '[flow.main]\nstart = "q"\nnode.q = { type = "queue", queue = "support" }\n'
    return f"[calendar.main]\n{OFFICE}[calendar.other]\n{OFFICE}{flow}{given}"


def test_the_hours_of_the_fallback_are_those_of_its_queue_unless_the_number_says_others() -> None:
    both = parse_text(text(numbers("", 'fallback_hours = "other"'), 'hours = "main"'), Path("callcenter.toml"))
    assert [number.fallback_hours for number in both.center_config({"alice": "a"}).numbers.values()] == ["main", "other"]
    none = parse_text(text(numbers("")), Path("callcenter.toml"))
    assert [number.fallback_hours for number in none.center_config({"alice": "a"}).numbers.values()] == [""]
    (found,) = refused(numbers('fallback_hours = "night"'))
    assert found == "number[0].fallback_hours: names calendar 'night', which does not exist; calendars: main, other"


# --- ICS files ----------------------------------------------------------------------------------


def event(*lines: str) -> str:
    return "\r\n".join(("BEGIN:VEVENT", "UID:1", *lines, "END:VEVENT"))


def ics(*events: str) -> str:
    return "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//y//EN", *events, "END:VCALENDAR", ""))


def imported(folder: Path, *events: str, means: str = "closed") -> Calendar:
    (folder / "days.ics").write_text(ics(*events), newline="")
    return main(f'{OFFICE}ics = [{{ file = "days.ics", means = "{means}" }}]', folder)


def test_whole_days_of_an_ics_file_close(tmp_path: Path) -> None:
    calendar = imported(tmp_path, event("SUMMARY:Company outing\\, all of us", "DTSTART;VALUE=DATE:20261125", "DTEND;VALUE=DATE:20261127"))
    assert opens(calendar, "2026-11-24T17:00") == "2026-11-27 09:00"
    assert str(calendar.why(at("2026-11-25T10:00"))) == "imported: Company outing, all of us"


def test_hours_of_an_ics_file_in_any_zone_repeat_are_moved_and_left_out(tmp_path: Path) -> None:
    calendar = imported(
        tmp_path,
        event(
            "SUMMARY:Standup",
            "DTSTART;TZID=Europe/London:20261102T150000",  # 10:00 in New York
            "DURATION:PT30M",
            "RRULE:FREQ=WEEKLY;BYDAY=MO,TU;UNTIL=20261207T150000Z",
            "EXDATE;TZID=Europe/London:20261130T150000",
        ),
        event("SUMMARY:Standup", "DTSTART:20261124T200000Z", "DTEND:20261124T203000Z", "RECURRENCE-ID;TZID=Europe/London:20261124T150000"),
        event("SUMMARY:Called off", "STATUS:CANCELLED", "DTSTART;VALUE=DATE:20261123"),
    )
    begins = [at("2026-11-23T00:00")]
    while (closes := calendar.closes_at(begins[-1])) is not None and closes < at("2026-12-09T00:00"):
        begins.append(closes)
    standups = [moment.astimezone(NEW_YORK) for moment in begins if calendar.why(moment).name == "Standup"]
    assert [moment.strftime("%m-%d %H:%M") for moment in standups] == ["11-23 10:00", "11-24 15:00", "12-01 10:00", "12-07 10:00"]


def test_an_ics_file_may_open(tmp_path: Path) -> None:
    calendar = imported(tmp_path, event("SUMMARY:Late opening", "DTSTART:20261123T200000", "DTEND:20261123T220000"), means="open")
    assert opens(calendar, "2026-11-23T17:00") == "2026-11-23 20:00"


def endless_zone() -> str:
    lines = ("BEGIN:VTIMEZONE", "TZID:Evil", "BEGIN:STANDARD", "DTSTART:16010101T000000", "RRULE:FREQ=SECONDLY", "TZOFFSETFROM:+0000")
    return "\r\n".join((*lines, "TZOFFSETTO:+0100", "END:STANDARD", "END:VTIMEZONE"))


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ("not a calendar", "is no iCalendar file (RFC 5545)"),
        ("", "is no iCalendar file (RFC 5545)"),
        ("\x00" * 100, "is no iCalendar file (RFC 5545)"),
        (event("DTSTART;VALUE=DATE:20261123"), "is no iCalendar file (RFC 5545): it does not begin with BEGIN:VCALENDAR"),
        ("x" * (600 * 1024), "is larger than 512 KiB; export fewer years or events"),
        (ics(*[event("DTSTART;VALUE=DATE:20261123")] * 2001), "has more than 2000 events"),
        (ics(event("SUMMARY:a", "DTSTART:soon")), "event 'a' has a DTSTART that is missing or no date"),
        (ics(event("SUMMARY:a")), "event 'a' has a DTSTART that is missing or no date"),
        (ics(event("SUMMARY:a", "DTSTART;VALUE=DATE:00011123")), "event 'a' is in the year 1"),
        (ics(event("SUMMARY:a\x1b[2J${x}", "DTSTART;TZID=Moon/Base:20261123T100000")), "event 'a 2J x' is in time zone 'Moon/Base'"),
        (ics(event("SUMMARY:a", "DTSTART;TZID=../../etc/passwd:20261123T100000")), "event 'a' is in time zone '../../etc/passwd'"),
        (
            ics(event("SUMMARY:a", "DTSTART:20261123T100000Z", "DURATION:PT1H", "RRULE:FREQ=SECONDLY")),
            "the RRULE of event 'a' needs FREQ, one of DAILY",
        ),
        (
            ics(event("SUMMARY:a", "DTSTART:19010101T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY")),
            "the RRULE of event 'a' began on 1901-01-01, more than",
        ),
        (
            ics(*[event("SUMMARY:a", "DTSTART;VALUE=DATE:20261123", "RRULE:FREQ=DAILY")] * 20),
            "has more than 5000 occurrences in 409 days; its rules repeat too often",
        ),
        (
            ics(*[event("DTSTART:20261101T000000Z", "DTEND:20350101T000000Z")] * 100),
            "has more than 20000 parts of days; write fewer or shorter ones",
        ),
        (ics(event("SUMMARY:a", "DTSTART:20261123T100000Z", "DTEND;VALUE=DATE:20261124")), "event 'a' begins on a date and ends at a time"),
        (ics(endless_zone(), event("SUMMARY:a", "DTSTART;TZID=Evil:20261123T100000")), "event 'a' is in time zone 'Evil'"),
    ],
)
def test_a_hostile_ics_file_is_left_out_at_once_and_said(file: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLCENTER_DATA", str(tmp_path / "data"))
    (tmp_path / "days.ics").write_text(file, newline="")
    began = datetime.now(UTC)
    calendar = main(f'{OFFICE}ics = [{{ file = "days.ics" }}]', tmp_path)
    (warning,) = calendar.warnings
    assert re.match(r"calendar\.main\.ics(\[0\]\.file: 'days\.ics' )?", warning)
    assert problem in warning
    assert warning.endswith(("without this file", "without its files"))
    assert opens(calendar, "2026-11-23T08:00") == "2026-11-23 09:00", "by its other hours"
    assert datetime.now(UTC) - began < timedelta(seconds=60)


def test_a_file_that_is_lost_is_replaced_by_its_last_good_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLCENTER_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    file = tmp_path / "days.ics"
    file.write_text(ics(event("SUMMARY:Outing", "DTSTART;VALUE=DATE:20261123")))
    settings = parse_text(text(f'[calendar.main]\n{OFFICE}ics = [{{ file = "days.ics" }}]'), tmp_path / "callcenter.toml")
    keep_copies(settings, TODAY)
    assert not settings.opening_hours(TODAY)["main"].warnings
    for broken in ("not a calendar", None):
        file.unlink() if broken is None else file.write_text(broken)
        keep_copies(settings, TODAY)  # of what is broken none is kept
        calendar = settings.opening_hours(TODAY)["main"]
        assert opens(calendar, "2026-11-23T08:00") == "2026-11-24 09:00"
        assert str(calendar.why(at("2026-11-23T10:00"))) == "imported: Outing"
        (warning,) = calendar.warnings
        assert "the calendar goes by the last good copy, of 20" in warning
        assert not list(forsaken_imports(settings, TODAY))
    file.write_text(ics(event("SUMMARY:Fair", "DTSTART;VALUE=DATE:20261124")))
    assert settings.opening_hours(TODAY)["main"].warnings == ()


def test_who_misspells_a_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLCENTER_DATA", str(tmp_path / "data"))
    settings = parse_text(text(f'[calendar.main]\n{OFFICE}ics = [{{ file = "nowhere.ics" }}]'), tmp_path / "callcenter.toml")
    (sentence,) = forsaken_imports(settings, TODAY)
    assert sentence.startswith("calendar.main.ics[0].file: 'nowhere.ics' cannot be read: No such file or directory")
