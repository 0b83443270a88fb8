"""``callcenter callback`` on a real control socket, with the production desk and engine behind it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callcenter.apps.cli import app
from tests.support.commands import engine_behind_the_command

runner = CliRunner()
TOML = """
[center]
time_zone = "America/New_York"
[[trunk]]
name = "carrier"
authentication = "address"
addresses = ["192.0.2.1"]
host = "192.0.2.1"
[calling]
trunk = "carrier"
[[number]]
did = "+18005550100"
flow = "main"
[[queue]]
name = "support"
[queue.callback]
[[agent]]
name = "alice"
queues = ["support"]
[flow.main]
start = "in"
node.in = { type = "queue", queue = "support" }
"""


@pytest.fixture
def center(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with engine_behind_the_command(TOML, tmp_path, monkeypatch):
        yield


def said(*words: str) -> str:
    result = runner.invoke(app, ["callback", *words])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.usefixtures("center")
def test_add_list_edit_cancel() -> None:
    assert "no callbacks are open" in said("list")
    at = "2126-01-01T15:00"
    too_far = runner.invoke(app, ["callback", "add", "2025550101", "--queue", "support", "--at", at])
    assert (too_far.exit_code, "at most a year" in too_far.output) == (1, True)
    added = json.loads(said("add", "(202) 555-0101", "--queue", "support", "--owner", "alice", "--by", "sue", "--json"))
    callback = added["callback"]
    assert (added["shown"]["number"], added["shown"]["owner"]) == ("+12025550101", "alice")
    line = said("list")
    assert callback in line
    assert "alice's" in line
    assert "changed" in said("edit", callback, "--number", "2025550102", "--owner", "")
    (listed,) = json.loads(said("list", "--json"))["callbacks"]
    assert (listed["number"], listed["owner"]) == ("+12025550102", "")
    assert "cancelled" in said("cancel", callback)
    assert json.loads(said("list", "--json")) == {"callbacks": [], "count": 0}


@pytest.mark.usefixtures("center")
@pytest.mark.parametrize(
    ("words", "sentence", "code"),
    [
        (["add", "911", "--queue", "support"], "911 is an emergency number", 1),
        (["add", "+19005550123", "--queue", "support"], "is a premium-rate number", 1),
        (["add", "8005550100", "--queue", "support"], "is a number of our own", 1),
        (["add", "hello", "--queue", "support"], "is not a valid telephone number", 1),
        (["add", "2025550101", "--queue", "sales"], "nobody is called back from a queue 'sales'", 1),
        (["add", "2025550101", "--queue", "support", "--at", "noon"], "--at must be a date and time", 2),
        (["edit", "nothing", "--number", "2025550101"], "there is no open callback 'nothing'", 1),
        (["edit", "nothing"], "nothing to change", 1),
        (["cancel", "nothing"], "there is no open callback 'nothing'", 1),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(words: list[str], sentence: str, code: int) -> None:
    result = runner.invoke(app, ["callback", *words])
    assert (result.exit_code, sentence in result.output) == (code, True), result.output
