"""The supervisor: restarts, limits, adoption, the watchdog, and an end that leaves nothing behind."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from callcenter.runtime.process import Process
from callcenter.runtime.program import Program, StartError
from callcenter.runtime.supervise import Happening, Limits, Supervisor, Turn

LASTING = "import signal; signal.pause()"
FAILING = "print('no such thing'); raise SystemExit(3)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: signal.pause()"
PARENT = """
import pathlib, signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
pathlib.Path(sys.argv[1] + ".new").write_text(str(child.pid))
pathlib.Path(sys.argv[1] + ".new").rename(sys.argv[1])
signal.pause()
"""
QUICK = Limits(pauses=(0.0,), ask_every=0.01, grace=5.0)
PATIENCE = 60.0


class Story:
    """What the supervisor said, in order."""

    def __init__(self) -> None:
        self.all: list[Happening] = []
        self._new = asyncio.Event()

    def __call__(self, happening: Happening) -> None:
        self.all.append(happening)
        self._new.set()

    async def until(self, turn: Turn, service: str = "") -> Happening:
        """The next happening of that kind that nobody has waited for yet."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for place, happening in enumerate(self.all):
                    if happening.turn is turn and service in ("", happening.service):
                        del self.all[: place + 1]
                        return happening
                self._new.clear()
                await self._new.wait()


def program(
    folder: Path, name: str, source: str, question: Callable[[], Awaitable[bool]] | None = None, start_within: float = 30.0
) -> Program:
    return Program(name, [sys.executable, "-c", source], folder, folder, question, start_within)


def running(pid: int) -> bool:
    return Process.of(pid) is not None


async def gone(pid: int) -> bool:
    process = Process.of(pid)
    return process is None or await process.ended(PATIENCE)


async def test_a_killed_process_is_restarted(tmp_path: Path) -> None:
    story = Story()
    supervisor = Supervisor([[program(tmp_path, "engine", LASTING)]], story, QUICK)
    await supervisor.start()
    first = await story.until(Turn.STARTED)
    os.kill(first.pid, signal.SIGKILL)
    assert (await story.until(Turn.ENDED)).detail == "by SIGKILL"
    again = await story.until(Turn.RESTARTED)
    assert again.pid != first.pid
    assert running(again.pid)
    await supervisor.stop()
    assert not running(again.pid)


async def test_a_crash_loop_ends_after_five_restarts_with_an_alarm_and_the_others_go_on(tmp_path: Path) -> None:
    story = Story()
    supervisor = Supervisor([[program(tmp_path, "engine", FAILING), program(tmp_path, "web", LASTING)]], story, QUICK)
    await supervisor.start()
    web = next(keeper for keeper in supervisor.keepers if keeper.name == "web")
    async with asyncio.timeout(PATIENCE):
        while not any(happening.turn is Turn.GIVEN_UP for happening in story.all):
            story._new.clear()
            await story._new.wait()
    ends = [happening for happening in story.all if happening.service == "engine" and happening.turn in (Turn.ENDED, Turn.FAILED)]
    assert len(ends) == 1 + QUICK.restarts
    alarm = (await story.until(Turn.GIVEN_UP, "engine")).detail
    assert "stays down" in alarm
    assert "no such thing" in alarm
    assert running(web.pid)
    await supervisor.stop()


async def test_a_frozen_process_is_killed_and_restarted(tmp_path: Path) -> None:
    story = Story()
    frozen = False

    async def answers() -> bool:
        return not frozen

    supervisor = Supervisor([[program(tmp_path, "engine", LASTING, answers)]], story, QUICK)
    await supervisor.start()
    first = await story.until(Turn.STARTED)
    os.kill(first.pid, signal.SIGSTOP)
    frozen = True
    killed = await story.until(Turn.FROZEN)
    frozen = False
    assert killed.pid == first.pid
    assert (await story.until(Turn.RESTARTED)).pid != first.pid
    await supervisor.stop()


async def test_a_few_missed_answers_are_no_freeze(tmp_path: Path) -> None:
    story = Story()
    answers = [True, *[False] * (QUICK.missed - 1)] * 3
    asked_all = asyncio.Event()

    async def sometimes() -> bool:
        if not answers:
            asked_all.set()
        return answers.pop(0) if answers else True

    supervisor = Supervisor([[program(tmp_path, "engine", LASTING, sometimes)]], story, QUICK)
    await supervisor.start()
    await asyncio.wait_for(asked_all.wait(), PATIENCE)
    assert [happening.turn for happening in story.all] == [Turn.STARTED]
    await supervisor.stop()


async def test_a_first_start_that_fails_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    story = Story()
    supervisor = Supervisor([[program(tmp_path, "books", LASTING)], [program(tmp_path, "engine", FAILING, never)]], story, QUICK)
    with pytest.raises(StartError, match="engine ended at once: no such thing"):
        await supervisor.start()
    books = await story.until(Turn.STARTED, "books")
    assert await gone(books.pid)


async def test_a_first_start_that_fails_lets_adopted_processes_run(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    left = await program(tmp_path, "asterisk", LASTING).start()
    supervisor = Supervisor([[program(tmp_path, "asterisk", LASTING)], [program(tmp_path, "engine", FAILING, never)]], Story(), QUICK)
    with pytest.raises(StartError):
        await supervisor.start()
    assert left.is_running()
    await left.end(5)


async def test_who_never_answers_has_not_started(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    with pytest.raises(StartError, match="does not answer"):
        await program(tmp_path, "engine", LASTING, never, start_within=0.0).start()
    assert not (tmp_path / "engine.json").exists()


async def test_who_ignores_the_request_to_end_is_ended(tmp_path: Path) -> None:
    stubborn = program(tmp_path, "engine", STUBBORN)
    process = await stubborn.start()
    await stubborn.stop(0.05)
    assert not process.is_running()


async def test_children_of_a_process_end_with_it(tmp_path: Path) -> None:
    note = tmp_path / "child"

    async def has_children() -> bool:
        return await asyncio.to_thread(note.exists)

    parent = Program("web", [sys.executable, "-c", PARENT, str(note)], tmp_path, tmp_path, has_children)
    await parent.start()
    await parent.stop(5)
    assert await gone(int(note.read_text()))


async def test_a_pid_that_was_given_to_somebody_else_is_not_adopted(tmp_path: Path) -> None:
    ours = await program(tmp_path, "other", LASTING).start()
    mine = program(tmp_path, "engine", LASTING)
    mine.pid_file.write_text(json.dumps({"pid": ours.pid, "started": ours.started - 1, "boot": ours.boot}))
    assert mine.adopt() is None
    await mine.stop(0)
    assert ours.is_running()
    await ours.end(5)


async def test_who_cannot_be_written_down_is_not_left_running(tmp_path: Path) -> None:
    unlucky = program(tmp_path, "engine", LASTING)
    unlucky.pid_file.mkdir()
    with pytest.raises(StartError, match="cannot be written"):
        await unlucky.start()
    process = unlucky._process
    assert process is None or await process.ended(PATIENCE)


@pytest.mark.parametrize("written", ["", "nonsense", "[]", "{}", '{"pid": "x"}', '{"pid": 0, "started": 0, "boot": ""}'])
def test_a_damaged_pid_file_names_nobody(tmp_path: Path, written: str) -> None:
    mine = program(tmp_path, "engine", LASTING)
    mine.pid_file.write_text(written)
    assert mine.adopt() is None


SUPERVISOR = """
import asyncio, signal, sys
from pathlib import Path
from callcenter.runtime.program import Program
from callcenter.runtime.supervise import Limits, Supervisor

async def main(folder):
    lasting = [sys.executable, "-c", "import signal; signal.pause()"]
    programs = [Program(name, lasting, folder, folder) for name in ("engine", "books", "web")]
    supervisor = Supervisor([programs], lambda h: print(h.service, h.turn, h.pid, flush=True), Limits(pauses=(0.0,)))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await supervisor.start()
    print("ready", flush=True)
    await stop.wait()
    await supervisor.stop()

asyncio.run(main(Path(sys.argv[1])))
"""


def supervisor_process(folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", SUPERVISOR, str(folder)], stdout=subprocess.PIPE, text=True)


def told(supervisor: "subprocess.Popen[str]", until: str) -> dict[str, tuple[str, int]]:
    """What it says of each service, until the line that begins so."""
    assert supervisor.stdout is not None
    said: dict[str, tuple[str, int]] = {}
    for line in supervisor.stdout:
        if line.startswith(until):
            return said
        service, turn, pid = line.split()
        said[service] = turn, int(pid)
    raise AssertionError(f"it ended without saying {until!r}")


def test_after_a_kill_of_the_supervisor_all_goes_on_and_the_next_one_adopts_it(tmp_path: Path) -> None:
    first = supervisor_process(tmp_path)
    began = told(first, "ready")
    first.kill()
    first.wait()
    assert all(running(pid) for _, pid in began.values())

    second = supervisor_process(tmp_path)
    assert told(second, "ready") == {name: ("adopted", pid) for name, (_, pid) in began.items()}

    os.kill(began["books"][1], signal.SIGKILL)  # not a child of the second one, and yet missed by it
    assert second.stdout is not None
    assert second.stdout.readline().split() == ["books", "ended", str(began["books"][1])]
    service, turn, pid = second.stdout.readline().split()
    assert (service, turn) == ("books", "restarted")

    second.terminate()
    assert second.wait(PATIENCE) == 0
    assert not any(running(number) for number in (int(pid), *(number for _, number in began.values())))
    assert not list(tmp_path.glob("*.json"))
