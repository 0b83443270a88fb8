"""ICS files that others wrote, broken in every way: read or refused with a sentence, never anything else, and never for long."""

from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.domain.hours_plan import Layer
from callcenter.runtime.calendar_import import IcsError, read_ics

FIRST = date(2026, 11, 14)
LINES = (
    b"BEGIN:VCALENDAR",
    b"END:VCALENDAR",
    b"BEGIN:VEVENT",
    b"END:VEVENT",
    b"BEGIN:VTIMEZONE",
    b"END:VTIMEZONE",
    b"BEGIN:VALARM",
    b"END:VALARM",
    b"DTSTART:20261123T100000Z",
    b"DTSTART:20261123T100000",
    b"DTSTART;VALUE=DATE:20261123",
    b"DTSTART;TZID=Europe/Berlin:20261123T023000",
    b"DTSTART;TZID=Pacific Standard Time:20261123T023000",
    b"DTSTART;VALUE=PERIOD:20261123T100000Z/PT1H",
    b"DTEND:20261123T110000Z",
    b"DTEND:20251123T110000",
    b"DTEND;VALUE=DATE:99991231",
    b"DURATION:PT1H",
    b"DURATION:-P1D",
    b"DURATION:P99999999D",
    b"RRULE:FREQ=DAILY",
    b"RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    b"RRULE:FREQ=WEEKLY;UNTIL=20270101T000000Z;BYDAY=MO,TU",
    b"RRULE:FREQ=DAILY;COUNT=99999999999",
    b"RRULE;X=Y:;;==",
    b"EXDATE:20261124T100000Z,20261125T100000Z",
    b"EXDATE;VALUE=DATE:20261124",
    b"RDATE;VALUE=PERIOD:20261123T100000Z/PT1H",
    b"RDATE:20261130T100000Z",
    b"RECURRENCE-ID:20261124T100000Z",
    b"RECURRENCE-ID:nonsense",
    b"UID:1",
    b"SUMMARY;LANGUAGE=de:\xe4\xff\x00${x}",
    b"STATUS:CANCELLED",
    b"STATUS",
    b" folded",
    b":",
    b";",
    b"",
)
inside = st.lists(st.sampled_from(LINES[8:]) | st.binary(max_size=40), max_size=10)
events = st.lists(inside.map(lambda lines: [b"BEGIN:VEVENT", *lines, b"END:VEVENT"]), max_size=4)
calendars = events.map(lambda several: [b"BEGIN:VCALENDAR", *(line for lines in several for line in lines), b"END:VCALENDAR"])
anything = st.lists(st.sampled_from(LINES) | st.binary(max_size=60), max_size=30)


@settings(deadline=None)
@given(calendars | anything, st.sampled_from([b"\r\n", b"\n", b"\r"]), st.booleans())
def test_whatever_it_holds_it_is_read_or_refused(lines: list[bytes], ending: bytes, means_open: bool) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "days.ics"
        file.write_bytes(ending.join(lines))
        layer, refusal = Layer(), ""
        try:
            layer = read_ics(file, ZoneInfo("America/New_York"), FIRST, FIRST + timedelta(days=409), means_open=means_open)
        except IcsError as error:
            refusal = str(error)
    assert refusal.isprintable()
    assert all(part.begins_at < part.ends_at for part in layer.parts)
    assert len(layer.rulings) <= 409
