"""``callcenter voicemail`` on a real database, and on a real control socket with the production engine behind it."""

import asyncio
import json
import os
import wave
from array import array
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.ledger import PostgresLedger
from callcenter.adapters.db.messages import PostgresMessages
from callcenter.apps.cli import app
from callcenter.apps.cli.voicemail import waveform
from callcenter.domain import facts as f
from callcenter.runtime.pins import Pins
from callcenter.services.journal import Journal
from callcenter.services.ledger import Shipper
from callcenter.services.voicemail_audio import take_in_some
from tests.support.commands import engine_behind_the_command

runner = CliRunner()
NOW = datetime.now(UTC)
TOML = """
[center]
time_zone = "America/New_York"
[[number]]
did = "+18005550100"
flow = "main"
[[queue]]
name = "support"
voicemail = {}
[[agent]]
name = "alice"
queues = ["support"]
[flow.main]
start = "in"
node.in = { type = "queue", queue = "support" }
"""


def left(message: str, mailbox: str = "queue:support") -> f.MessageLeft:
    length = timedelta(seconds=2)
    return f.MessageLeft(NOW, "c1", "node1", mailbox, message, "contact-1", "+12025550123", "Ann", length, NOW + timedelta(days=30))


async def take_in(folder: Path, url: str) -> None:
    """What the books do."""
    engine = connect(url, name="test")
    shipper = Shipper(folder / "shipped", PostgresLedger(engine), dead_letters=folder)
    while await shipper.step():
        pass
    (folder / "data" / "voicemail").mkdir(parents=True, exist_ok=True)
    await take_in_some(PostgresMessages(engine), {"node1": folder / "recording"}, folder / "data" / "voicemail", datetime.now(UTC))
    await engine.dispose()


@pytest.fixture
def messages(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Message m1 for support, with its audio; m2 for somebody else without."""
    recorded = tmp_path / "recording" / "voicemail-m1.wav"
    recorded.parent.mkdir()
    with wave.open(str(recorded), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(array("h", [0] * 8000 + [20000, -20000] * 4000).tobytes())
    os.utime(recorded, (NOW.timestamp() - 10,) * 2)
    journal = Journal(tmp_path / "shipped")
    journal.append([left("m1"), left("m2", "agent:alice")])
    journal.close()
    asyncio.run(take_in(tmp_path, database_url))
    config = tmp_path / "callcenter.toml"
    config.write_text(TOML)
    monkeypatch.setenv("CALLCENTER_CONFIG", str(config))
    monkeypatch.setenv("CALLCENTER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("CALLCENTER_DATABASE_URL", database_url)
    return tmp_path


def said(*words: str, code: int = 0, entered: str | None = None) -> str:
    result = runner.invoke(app, ["voicemail", *words], input=entered)
    assert result.exit_code == code, result.output
    return result.output


def test_messages_are_listed_and_exported(messages: Path) -> None:
    listed = json.loads(said("list", "--json"))
    assert listed["count"] == 2
    by_id = {each["message"]: each for each in listed["messages"]}
    first = by_id["m1"]
    assert (first["mailbox"], first["new"], first["caller"], first["contact"]) == ("queue:support", True, "+12025550123", "contact-1")
    assert (first["seconds"], first["audio"], len(first["peaks"])) == (2.0, "kept", 100)
    assert by_id["m2"]["file"] is None
    line = said("list", "--mailbox", "queue:support")
    assert "m1  new" in line
    assert "Ann +12025550123" in line
    assert "m2" not in line
    assert "copied" not in said("export", "m1", str(messages / "out.wav"))
    assert (messages / "out.wav").read_bytes() == (messages / "recording" / "voicemail-m1.wav").read_bytes()
    assert "exists" in said("export", "m1", str(messages / "out.wav"), code=1)
    assert "there is no audio of message 'm2'" in said("export", "m2", str(messages / "two.wav"), code=1)
    assert "not a message" in said("export", "../m1", str(messages / "three.wav"), code=1)


def test_a_pin_is_set_from_standard_input_and_never_shown(messages: Path) -> None:
    assert "4711" not in said("pin", "queue:support", entered="4711\n")
    assert Pins(messages / "data").check("queue:support", "4711")
    assert "again and again" in said("pin", "queue:support", code=2, entered="1111\n")
    assert "there is no mailbox 'queue:sales'; mailboxes: queue:support" in said("pin", "queue:sales", code=2, entered="4711\n")
    said("pin", "queue:support", "--remove")
    assert Pins(messages / "data").check("queue:support", "4711") is None


def test_delete_asks_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with engine_behind_the_command(TOML, tmp_path, monkeypatch):
        assert "there is no message 'm1'" in said("delete", "m1", code=1)


def test_a_waveform_is_a_line_of_bars() -> None:
    assert waveform([0, 100], 4) == "  ██"
    assert waveform([], 3) == "   "
    assert waveform([50] * 100, 5) == "▄▄▄▄▄"
