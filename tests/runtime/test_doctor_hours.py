"""The doctor on opening hours: calendars that never open, switches that nobody can use."""

from datetime import date
from pathlib import Path

from callcenter.runtime.checks import Level
from callcenter.runtime.doctor_hours import check_hours
from callcenter.runtime.pins import Pins
from callcenter.runtime.settings import parse
from tests.support.asterisk import DID, raw_settings

TODAY = date(2026, 11, 23)


def found(folder: Path, **calendars: object) -> list[tuple[str, Level, str]]:
    numbers = [{"did": DID, "flow": "main"}, {"did": "+18005550190", "switch": "main"}]
    settings = parse(raw_settings(folder, calendar=calendars, number=numbers), folder / "callcenter.toml")
    return [(check.name, check.level, check.detail) for check in check_hours(settings, TODAY)]


def test_what_the_doctor_says_of_opening_hours(tmp_path: Path) -> None:
    always, office = {"weekly": ["mon-sun 00:00-24:00"]}, {"weekly": ["mon-fri 09:00-17:00"]}
    past = {"exception": [{"date": "2020-01-01", "hours": ["09:00-10:00"], "reason": "long ago"}]}
    assert found(tmp_path, main=office, always=always, past=past) == [
        ("hours main", Level.WARN, "has a number for its emergency switch, and no PIN"),
        ("hours always", Level.OK, "open all the time"),
        ("hours past", Level.WARN, "never opens within 400 days"),
    ]
    Pins(tmp_path).set("calendar:main", "8024")
    assert found(tmp_path, main=office) == [("hours main", Level.OK, "opens next at 2026-11-23T14:00:00+00:00")]
    (tmp_path / "pins.json").write_text("[]")
    ((name, level, detail),) = found(tmp_path, main=office)
    assert (name, level, "holds something else than PINs" in detail) == ("hours", Level.FAIL, True)


def test_an_imported_file_that_cannot_be_read_is_a_warning(tmp_path: Path) -> None:
    office = {"weekly": ["mon-fri 09:00-17:00"], "ics": [{"file": "gone.ics"}]}
    ((_, level, detail), *_) = found(tmp_path, main=office)
    assert level is Level.WARN
    assert detail.startswith("calendar.main.ics[0].file: 'gone.ics' cannot be read")
