"""One of our own processes (engine, books, dips, recogniser, web) as something that can be started, found again, asked and stopped."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from callcenter.runtime.process import Process

Question = Callable[[], Awaitable[bool]]
"""Asks a process for a sign of life; must itself answer within about a second."""


class StartError(Exception):
    """It could not be started; the sentence says why and what to do."""


class Service(Protocol):
    """What the supervisor keeps running."""

    @property
    def name(self) -> str: ...

    @property
    def question(self) -> Question | None:
        """How to ask whether it is alive rather than frozen; None: it is not asked."""

    def adopt(self) -> Process | None:
        """The process that a former supervisor left running, if any."""

    async def start(self) -> Process:
        """Start it and return once it can be used. Raises StartError."""

    async def stop(self, grace: float) -> None:
        """Ask it to end, end it after ``grace`` seconds, and leave nothing of it behind."""

    def last_words(self) -> str:
        """What it said last, and where there is more."""


@dataclass(slots=True)
class Program:
    """A command in a process group of its own, its words in ``<log>/<name>.log``, its pid in ``<run>/<name>.json``."""

    name: str
    command: Sequence[str]
    run: Path
    log: Path
    question: Question | None = None
    start_within: float = 30.0
    """Seconds until the first answer to ``question``; more means that the start has failed."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to our own."""
    _process: Process | None = None

    @property
    def pid_file(self) -> Path:
        return self.run / f"{self.name}.json"

    @property
    def log_file(self) -> Path:
        return self.log / f"{self.name}.log"

    def adopt(self) -> Process | None:
        self._process = Process.read(self.pid_file)
        return self._process

    async def start(self) -> Process:
        process = self._process = self._spawn()
        if self.question is None:
            return process
        ends = asyncio.get_running_loop().time() + self.start_within
        while not await self.question():
            if not process.is_running():
                raise StartError(f"{self.name} ended at once: {self.last_words()}")
            if asyncio.get_running_loop().time() > ends:
                await self.stop(0)
                raise StartError(f"{self.name} does not answer {self.start_within:.0f} s after its start; see {self.log_file}")
            await process.ended(0.05)
        return process

    async def stop(self, grace: float) -> None:
        process = self._process or self.adopt()
        if process is not None:
            family = [process, *_session(process.pid)]
            await process.end(grace)
            for member in family:  # what it started itself and did not end
                member.send(signal.SIGKILL)
            self._process = None
        self.pid_file.unlink(missing_ok=True)

    def _spawn(self) -> Process:
        try:
            with self.log_file.open("ab") as log:
                spawned = subprocess.Popen(
                    self.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    env={**os.environ, **self.environment},
                )
            process = Process.of(spawned.pid, spawned)
            if process is None:
                raise StartError(f"{self.name} ended at once: {self.last_words()}")
        except OSError as error:
            raise StartError(f"{self.name} cannot be started: {error}") from None
        try:
            process.write(self.pid_file)
        except OSError as error:  # nobody could ever find it again
            process.send(signal.SIGKILL)
            raise StartError(f"{self.name} cannot be started: {self.pid_file} cannot be written: {error.strerror}") from None
        return process

    def last_words(self) -> str:
        return f"{self._last_line()} (see {self.log_file})"

    def _last_line(self) -> str:
        try:
            with self.log_file.open("rb") as log:
                log.seek(max(0, self.log_file.stat().st_size - 4096))
                return (log.read().decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1][:500]
        except OSError:
            return "it said nothing"


def _session(leader: int) -> list[Process]:
    """Everybody else in the session that ``leader`` leads."""
    found: list[Process] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != leader:
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == leader and (process := Process.of(int(entry.name))) is not None:
                found.append(process)
    return found
