"""The command ``callcenter``: sentences, exit codes, and what it may load."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callcenter.apps.cli import app
from callcenter.runtime.data_folder import DataFolder
from callcenter.runtime.secrets import load_secrets
from callcenter.services.control import ControlError, ControlServer, JsonObject

runner = CliRunner()


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CALLCENTER_DATA", str(tmp_path / "data"))
    file = tmp_path / "callcenter.toml"
    file.write_text('[center]\ntime_zone = "UTC"\n[[queue]]\nname = "support"\n[[agent]]\nname = "alice"\nqueues = ["support"]\n')
    monkeypatch.setenv("CALLCENTER_CONFIG", str(file))
    return file


@contextmanager
def engine(data: Path) -> Iterator[list[JsonObject]]:
    """An engine that knows alice, in a thread of its own; what it was asked."""
    folder = DataFolder(data)
    folder.prepare()
    asked: list[JsonObject] = []
    up, down = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def answer(request: JsonObject) -> Mapping[str, object]:
        asked.append({name: value for name, value in request.items() if name != "id"})
        if request.get("agent", "alice") != "alice":
            raise ControlError(f"there is no agent '{request['agent']}'; agents: alice")
        return {"ok": True, "state": "talking", "reason": "", "later": "not_ready"}

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        server = ControlServer(folder.control_socket, load_secrets(data).control_token, answer)
        await server.start()
        up.set()
        await down.wait()
        await server.stop()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert up.wait(30)
    yield asked
    loops[0].call_soon_threadsafe(down.set)
    thread.join(30)


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["login", "alice"], {"do": "agent_login", "agent": "alice"}),
        (["ready", "alice"], {"do": "agent_ready", "agent": "alice"}),
        (["not-ready", "alice", "--reason", "lunch"], {"do": "agent_not_ready", "agent": "alice", "reason": "lunch"}),
        (["not-ready", "alice"], {"do": "agent_not_ready", "agent": "alice"}),
        (["wrap-up-end", "alice"], {"do": "agent_wrap_up_end", "agent": "alice"}),
        (["disposition", "alice", "sale"], {"do": "agent_disposition", "agent": "alice", "disposition": "sale"}),
        (["opt-in", "alice", "sales"], {"do": "agent_opt_in", "agent": "alice", "queue": "sales"}),
        (["opt-out", "alice", "sales"], {"do": "agent_opt_out", "agent": "alice", "queue": "sales"}),
        (["logout", "alice"], {"do": "agent_logout", "agent": "alice"}),
        (["transfer", "alice", "--queue", "support"], {"do": "agent_transfer", "agent": "alice", "queue": "support"}),
        (["transfer", "alice", "--agent", "bob"], {"do": "agent_transfer", "agent": "alice", "colleague": "bob"}),
        (["consult", "alice", "--agent", "bob"], {"do": "agent_consult", "agent": "alice", "colleague": "bob"}),
        (["consult", "alice", "--queue", "support"], {"do": "agent_consult", "agent": "alice", "queue": "support"}),
        (["complete", "alice"], {"do": "agent_complete", "agent": "alice"}),
        (["cancel", "alice"], {"do": "agent_cancel", "agent": "alice"}),
        (["swap", "alice"], {"do": "agent_swap", "agent": "alice"}),
        (["conference", "alice"], {"do": "agent_conference", "agent": "alice"}),
    ],
)
def test_what_an_agent_asks_for_reaches_the_engine(config: Path, tmp_path: Path, words: list[str], asked: JsonObject) -> None:
    with engine(tmp_path / "data") as seen:
        ran = runner.invoke(app, ["agent", *words])
    assert (ran.exit_code, seen) == (0, [asked])


def test_a_wish_in_the_middle_of_a_contact_is_told_as_such(config: Path, tmp_path: Path) -> None:
    with engine(tmp_path / "data"):
        ran = runner.invoke(app, ["agent", "not-ready", "alice"])
    assert ran.stdout == "alice: talking, and after this contact not ready\n"


def test_an_unknown_agent_is_one_sentence(config: Path, tmp_path: Path) -> None:
    with engine(tmp_path / "data"):
        ran = runner.invoke(app, ["agent", "ready", "bob"])
    assert (ran.exit_code, ran.stderr) == (1, "callcenter: there is no agent 'bob'; agents: alice\n")


def test_no_engine_is_one_sentence_with_its_fix_and_makes_nothing(config: Path, tmp_path: Path) -> None:
    ran = runner.invoke(app, ["agent", "ready", "alice"])
    assert (ran.exit_code, ran.stderr) == (1, "callcenter: the engine does not run; start it with 'callcenter serve'\n")
    assert not (tmp_path / "data").exists()


def test_a_typo_in_the_configuration_is_named_and_ends_with_2(config: Path) -> None:
    config.write_text('[center]\ntime_zone = "UTC"\nnmae = "x"\n')
    ran = runner.invoke(app, ["config", "check"])
    assert ran.exit_code == 2
    assert "center.nmae" in ran.stderr
    assert "did you mean 'name'" in ran.stderr


def test_a_missing_configuration_ends_with_2(tmp_path: Path) -> None:
    ran = runner.invoke(app, ["serve", "--config", str(tmp_path / "nowhere.toml")])
    assert ran.exit_code == 2
    assert "--config" in ran.stderr


def test_a_fine_configuration_is_said_to_be(config: Path) -> None:
    ran = runner.invoke(app, ["config", "check", str(config)])
    assert (ran.exit_code, ran.stdout) == (0, f"{config}: fine (0 numbers, 1 queues, 1 agents, 0 flows)\n")


def test_a_wrong_option_ends_with_2(config: Path) -> None:
    assert runner.invoke(app, ["agent", "ready"]).exit_code == 2
    assert runner.invoke(app, ["serve", "--no-such-option"]).exit_code == 2


def test_a_data_folder_that_cannot_be_made_is_one_sentence(config: Path, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    ran = runner.invoke(app, ["serve"])
    assert ran.exit_code == 1
    assert ran.stderr.count("\n") == 1
    assert "CALLCENTER_DATA" in ran.stderr


def test_only_one_serve_works_in_a_data_folder(config: Path, tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.prepare()
    with folder.alone("serve"):
        ran = runner.invoke(app, ["serve"])
    assert ran.exit_code == 1
    assert "another 'callcenter serve'" in ran.stderr


@pytest.mark.parametrize(
    ("module", "never"),
    [
        ("callcenter.apps.cli", ["sqlalchemy", "psycopg", "aiohttp", "pydantic", "jinja2"]),
        ("callcenter.apps.engine", ["sqlalchemy", "psycopg", "alembic"]),
        ("callcenter.apps.serve", ["sqlalchemy", "psycopg", "aiohttp"]),
    ],
)
def test_nobody_loads_more_than_the_job_needs(module: str, never: list[str]) -> None:
    source = f"import sys, json, {module}; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True).stdout)
    assert [name for name in never if name in loaded] == []
