"""docs/flows.md: its tutorial is typed as it stands there and answers what it says; its examples fit the grammar."""

import asyncio
import re
import shlex
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner

from callcenter.apps.cli import app
from callcenter.runtime.flow_documents import DocumentSection
from callcenter.runtime.settings_flow_model import FlowNodeSection
from callcenter.runtime.yaml_text import read_yaml
from tests.support.flow_center import FlowCenter, flow_center

PAGE = (Path(__file__).parents[1] / "docs" / "flows.md").read_text(encoding="utf-8")
TUTORIAL = PAGE[PAGE.index("## From nothing") : PAGE.index("## The life of a flow")]


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


@contextmanager
def a_center(file: Path) -> Iterator[FlowCenter]:
    """An engine in a thread of its own, as ``callcenter serve`` is a process of its own."""
    up, down, running = threading.Event(), asyncio.Event(), list[tuple[asyncio.AbstractEventLoop, FlowCenter]]()

    async def serve() -> None:
        async with flow_center(file) as center:
            running.append((asyncio.get_running_loop(), center))
            up.set()
            await down.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert up.wait(30)
    loop, center = running[0]
    yield center
    loop.call_soon_threadsafe(down.set)
    thread.join(30)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, where the files of the tutorial come to stand."""
    monkeypatch.setenv("CALLCENTER_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("CALLCENTER_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flows").mkdir()
    return tmp_path


def typed(command: str) -> str:
    """What a command answers."""
    words = shlex.split(command)
    if words[0] == "callcenter":
        return CliRunner().invoke(app, words[1:]).output
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def same(told: str, written: str) -> bool:
    """Line by line; ``...`` stands for what is different each time, and blanks are as many as there are."""
    pattern = "".join(re.escape(" ".join(line.split())).replace(r"\.\.\.", ".*") + "\n" for line in written.strip().splitlines())
    return re.fullmatch(pattern, "".join(" ".join(line.split()) + "\n" for line in told.splitlines())) is not None


def test_the_tutorial_does_what_it_says(folder: Path) -> None:
    for language in ("toml", "yaml"):
        for block in blocks(TUTORIAL, language):
            (folder / block.splitlines()[0].removeprefix("# ")).write_text(block)
    before, after = "\n".join(blocks(TUTORIAL, "console")).split("$ callcenter serve &\n")
    play(before)
    with a_center(folder / "callcenter.toml") as center:
        play(after)
        assert center.engine.center.state.config.flows["front"].version == 1


def play(console: str) -> None:
    for exchange in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", console, re.MULTILINE):
        command, written = exchange
        told = typed(command)
        assert same(told, written), f"$ {command}\n{told}"


def test_an_answer_that_is_wrong_is_found() -> None:
    assert same("a  b\nc 2026 d\n", "a b\nc ... d\n")
    assert not same("a b\n", "a c\n")
    assert not same("a b\nmore\n", "a b\n")


@pytest.mark.parametrize("block", [block for block in blocks(PAGE, "yaml") if not block.startswith("# flows/")])
def test_an_example_fits_the_grammar(block: str) -> None:
    written = read_yaml(block).value
    assert isinstance(written, dict)
    DocumentSection.model_validate(written if "flow" in written else {"flow": "example", "start": next(iter(written)), "nodes": written})


def test_every_kind_of_node_is_told() -> None:
    kinds = {get_args(section.model_fields["type"].annotation)[0] for section in get_args(get_args(FlowNodeSection)[0])}
    told = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert kinds <= told, f"say in the table of docs/flows.md what they do: {', '.join(sorted(kinds - told))}"
