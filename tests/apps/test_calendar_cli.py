"""``callcenter calendar`` on a real control socket, with the production desk and engine behind it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from callcenter.apps.cli import app
from callcenter.runtime.pins import Pins
from tests.support.commands import engine_behind_the_command

runner = CliRunner()
TOML = """
[center]
time_zone = "America/New_York"
[calendar.always]
time_zone = "Asia/Kathmandu"
weekly = ["mon-sun 00:00-24:00"]
[calendar.office]
weekly = ["mon-fri 09:00-12:00, 13:00-17:00"]
[[queue]]
name = "support"
hours = "office"
[[queue]]
name = "sales"
[queue.closing]
at = "18:00"
until = "08:00"
[[agent]]
name = "alice"
queues = ["support", "sales"]
"""


@pytest.fixture
def center(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with engine_behind_the_command(TOML, tmp_path, monkeypatch):
        yield


def said(*words: str) -> str:
    result = runner.invoke(app, ["calendar", *words])
    assert result.exit_code == 0, result.output
    return result.output


def refused(*words: str) -> str:
    result = runner.invoke(app, ["calendar", *words])
    assert result.exit_code != 0
    return result.output


def listed() -> dict[str, Any]:
    return {shown["calendar"]: shown for shown in json.loads(said("list", "--json"))}


@pytest.mark.usefixtures("center")
def test_list_and_the_openings_to_come() -> None:
    assert said("list").splitlines()[0].split(maxsplit=1) == ["always", "open (weekly hours), closes at no known date"]
    assert list(listed()) == ["always", "office"], "not the one made for a queue that closes by the clock"
    shown = json.loads(said("show", "office", "--days", "7", "--json"))
    opened = [datetime.fromisoformat(change["at"]) for change in shown["changes"] if change["open"]]
    assert {(at.weekday() < 5, at.minute) for at in opened} == {(True, 0)}
    assert 9 <= len(opened) <= 11
    lines = said("show", "office", "--days", "7").splitlines()
    assert lines[0].startswith("office (America/New_York) is ")
    assert sum(line.split()[2:5:2] == ["09:00", "Mon"] for line in lines[1:]) <= 2
    assert any(line.endswith("12:00  weekly hours") for line in lines[1:])
    assert said("show", "always").splitlines()[1].split() == ["now", "to", "further", "notice", "weekly", "hours"]


@pytest.mark.usefixtures("center")
def test_the_emergency_switch_with_and_without_a_date() -> None:
    assert said("close", "always", "--reason", "power cut") == "always is closed (switch: power cut), opens at no known date\n"
    assert listed()["always"]["switched"] == {"open": False, "until": None, "reason": "power cut"}
    assert said("open", "always") == "always is open (weekly hours), closes at no known date\n"
    in_a_month = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    closed = json.loads(said("close", "always", "--until", f"{in_a_month}T06:00", "--json"))
    assert closed["opens_at"] == f"{in_a_month}T00:15:00+00:00", "by the clock of Kathmandu"
    kept = json.loads(said("open", "office", "--until", "2126-01-01T15:00-05:00", "--json"))
    assert (kept["open"], kept["switched"]["until"]) == (True, "2126-01-01T20:00:00+00:00")
    assert json.loads(said("open", "office", "--json"))["switched"] is None


@pytest.mark.usefixtures("center")
def test_what_cannot_be_is_refused() -> None:
    assert "there is no calendar 'lunch'; calendars: always, office" in refused("close", "lunch")
    assert "there is no calendar 'lunch'" in refused("show", "lunch")
    assert "is in the past" in refused("close", "always", "--until", datetime(2020, 1, 1, tzinfo=UTC).isoformat())
    assert "--until must be a date and time" in refused("close", "always", "--until", "tomorrow")
    assert "'reason' is missing or no text" in refused("close", "always", "--reason", "\x1b[2J")


@pytest.mark.usefixtures("center")
def test_the_pin_is_read_and_kept_as_a_hash(tmp_path: Path) -> None:
    set_ = runner.invoke(app, ["calendar", "pin", "office"], input="8024\n")
    assert set_.output == "office: whoever knows the PIN can switch it by phone\n"
    pins = Pins(tmp_path / "data")
    assert pins.check("calendar:office", "8024") is True
    weak = runner.invoke(app, ["calendar", "pin", "office"], input="1234\n")
    assert (weak.exit_code != 0, "must not be one digit again and again" in weak.output) == (True, True)
    assert "there is no calendar 'lunch'" in refused("pin", "lunch")
    assert "nobody can switch it by phone any more" in said("pin", "office", "--remove")
    assert pins.check("calendar:office", "8024") is None


def test_an_imported_file_that_cannot_be_read_is_said_with_the_calendar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = TOML.replace('weekly = ["mon-fri', 'ics = [{ file = "gone.ics" }]\nweekly = ["mon-fri')
    with engine_behind_the_command(broken, tmp_path, monkeypatch):
        for words in (("show", "office"), ("list",)):
            assert "warning: calendar.office.ics[0].file: 'gone.ics' cannot be read: No such file or directory" in said(*words)
        assert listed()["always"]["warnings"] == []
