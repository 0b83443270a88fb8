"""``callcenter config``: what people and scripts type, against a real PostgreSQL."""

import asyncio
import json
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from callcenter.apps.cli import app
from callcenter.apps.cli.common import settings_of
from callcenter.apps.configured import configuring
from callcenter.runtime import toml_text
from callcenter.runtime.settings import load
from callcenter.services.configuration import Change

TEXT = """
[center]
time_zone = "UTC"
[database]
url = "{url}"
[[queue]]
name = "support"
ring_timeout_s = 15
[[agent]]
name = "alice"
queues = ["support"]
[[agent]]
name = "bob"
queues = ["support"]
"""
runner = CliRunner()


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Path:
    monkeypatch.setenv("CALLCENTER_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("CALLCENTER_DATABASE_URL", raising=False)
    file = tmp_path / "callcenter.toml"
    file.write_text(TEXT.format(url=database_url))
    monkeypatch.setenv("CALLCENTER_CONFIG", str(file))
    return file


def config(*words: str, answer: str = "") -> Result:
    return runner.invoke(app, ["config", *words], input=answer)


def edited(file: Path, **queue: object) -> None:
    raw = tomllib.loads(file.read_text())
    raw["queue"][0].update(queue)
    toml_text.write(file, raw)


def test_a_plan_is_shown_applied_told_in_the_history_and_taken_back(file: Path) -> None:
    assert config("apply", "--yes", "--author", "dana", "--reason", "the first").stdout.endswith(
        "version 1: kept; the engine does not run, and goes by it when it starts\n"
    )
    assert config("plan").exit_code == 0
    assert settings_of(file, of_the_file=True).queues[0].ring_timeout.seconds == 15
    edited(file, ring_timeout_s=20, wrap_up_s=5)
    planned = config("plan")
    assert (planned.exit_code, planned.stdout.splitlines()) == (
        1,
        ["~ queue/support", "    ring_timeout_s: 15 → 20", "    wrap_up_s: 5"],
    )
    as_json = config("plan", "--json")
    assert (as_json.exit_code, json.loads(as_json.stdout)["base"]) == (1, 1)
    assert [field["path"] for field in json.loads(as_json.stdout)["changes"][0]["fields"]] == ["ring_timeout_s", "wrap_up_s"]
    done = json.loads(config("apply", "--yes", "--json", "--author", "erin", "-m", "they ring too short").stdout)
    assert (done["version"], done["changed"], done["taken_up"]) == (2, True, False)
    told = config("history").stdout
    assert "   2  " in told
    assert "erin (file) — they ring too short" in told
    assert "      queue/support" in told
    kept = json.loads(config("history", "--json", "--document", "queue/support").stdout)
    assert [(each["version"], each["author"], each["in_use"]) for each in kept] == [(2, "erin", True), (1, "dana", False)]
    back = config("rollback", "--yes", "--document", "queue/support")
    assert back.stdout.splitlines()[0] == "~ queue/support"
    assert load(file).queues[0].ring_timeout.seconds == 15
    assert settings_of(file, of_the_file=True).queues[0].ring_timeout.seconds == 20
    assert config("rollback", "2", "--yes").exit_code == 0
    assert load(file).queues[0].ring_timeout.seconds == 20
    assert [each["source"] for each in json.loads(config("history", "--json").stdout)] == ["rollback", "rollback", "file", "file"]


def test_what_is_exported_can_be_applied_without_a_difference(file: Path, tmp_path: Path) -> None:
    config("apply", "--yes")
    folder = tmp_path / "center"
    assert config("export", "--to", str(folder)).exit_code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["agent.toml", "center.toml", "queue.toml"]
    assert config("plan", str(folder)).exit_code == 0
    assert config("apply", str(folder), "--yes").stdout == "no difference; nothing to do\n"
    text = config("export").stdout
    assert "postgresql" not in text
    assert set(tomllib.loads(text)) == {"center", "queue", "agent"}
    assert set(json.loads(config("export", "--json").stdout)) == {"center", "queue/support", "agent/alice", "agent/bob"}


def test_a_folder_is_the_whole_unless_it_is_said_to_be_a_part(file: Path, tmp_path: Path) -> None:
    config("apply", "--yes")
    part = tmp_path / "part.toml"
    part.write_text("[web]\nport = 9\n[[queue]]\nname = 'support'\n[[queue]]\nname = 'vip'\n[[agent]]\nname = 'carol'\nqueues = ['vip']\n")
    planned = config("plan", str(part), "--partial")
    assert (planned.exit_code, planned.stdout.splitlines()) == (
        1,
        [
            "~ queue/support",
            "    ring_timeout_s: 15 → not given",
            "+ queue/vip",
            '    name: "vip"',
            "+ agent/carol",
            '    name: "carol"',
            '    queues: ["vip"]',
        ],
    )
    assert "stay in" in planned.stderr
    whole = config("plan", str(part))
    assert whole.exit_code == 2
    assert "center: is missing" in whole.stderr


def test_it_asks_and_a_no_changes_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config("apply", "--yes")
    edited(file, wrap_up_s=3)
    refused = config("apply")
    assert (refused.exit_code, "say --yes" in refused.stderr) == (2, True)
    monkeypatch.setattr("callcenter.apps.cli.config._asks", lambda: True)
    assert config("apply", answer="n\n").exit_code == 1
    assert len(json.loads(config("history", "--json").stdout)) == 1
    assert config("apply", answer="y\n").exit_code == 0
    assert len(json.loads(config("history", "--json").stdout)) == 2


def test_a_plan_that_somebody_overtook_is_refused(file: Path) -> None:
    config("apply", "--yes")

    async def other() -> None:
        async with configuring(file) as center:
            await center.apply(await center.plan({"agent/bob": None}), Change("erin"))

    asyncio.run(other())
    edited(file, wrap_up_s=3)
    stale = config("apply", "--yes", "--base", "1")
    assert (stale.exit_code, "the documents are at version 2, not 1 any more" in stale.stderr) == (1, True)
    checked = config("check")
    assert (checked.exit_code, "was edited, but the documents were changed, too" in checked.stdout) == (0, True)
    reload = runner.invoke(app, ["reload"])
    assert (reload.exit_code, "config apply" in reload.stderr) == (1, True)
    assert config("export", "--into", str(file)).exit_code == 0
    assert "was edited" not in config("check").stdout
    assert config("plan").exit_code == 0


def test_what_is_wrong_is_said_with_its_document(file: Path) -> None:
    config("apply", "--yes")
    edited(file, strategie="x")
    ran = config("plan")
    assert (ran.exit_code, ran.stderr.splitlines()[0]) == (
        2,
        "callcenter: queue/support: strategie: is not a key; did you mean 'strategy'?",
    )
    assert config("rollback", "7", "--yes").stderr == "callcenter: there is no version 7; the latest is 1\n"
    assert config("rollback", "--yes").stderr == "callcenter: there is no earlier version; see: callcenter config history\n"


def test_without_the_database_nothing_is_changed_and_the_history_is_that_of_the_disk(file: Path) -> None:
    config("apply", "--yes")
    raw = tomllib.loads(file.read_text())
    raw["database"]["url"] = "postgresql://callcenter:secret@127.0.0.1:1/callcenter"
    toml_text.write(file, raw)
    edited(file, wrap_up_s=3)
    for words in (["apply", "--yes"], ["rollback", "--yes"], ["plan"]):
        ran = config(*words)
        assert ran.exit_code == (2 if words == ["plan"] else 1)
        assert ran.stderr.startswith("callcenter: the database is away, and documents are changed together with it only")
        assert "secret" not in ran.stderr
    ran = config("history")
    assert (ran.exit_code, "kept on its disk" in ran.stderr) == (0, True)
    assert load(file).queues[0].wrap_up.seconds == 3  # a center whose documents are the file's can still be edited there
