"""Keeps the processes of one machine running, and never takes them down with itself.

Every process is watched through its pidfd, so it makes no difference who started it: after a ``kill -9`` of the
supervisor all goes on, and the next one adopts what it finds.

::

    ┌─ adopt or start ──► RUNNING ──► ended, or frozen and killed ──► restart (at once, then with longer pauses)
    └──────────────────────────────────────────────────────────────── the sixth within a minute: DOWN, with an alarm
"""

import asyncio
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from callcenter.runtime.process import Process
from callcenter.runtime.program import Question, Service, StartError


class Turn(StrEnum):
    """What became of a process."""

    STARTED = "started"
    ADOPTED = "adopted"
    RESTARTED = "restarted"
    ENDED = "ended"
    FROZEN = "frozen"
    FAILED = "failed"
    """A restart did not work out."""
    GIVEN_UP = "given_up"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Happening:
    """One line for the operator and the log."""

    service: str
    turn: Turn
    pid: int = 0
    detail: str = ""


Say = Callable[[Happening], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """Restart policy and watchdog; seconds."""

    restarts: int = 5
    """At most so many ..."""
    window: float = 60.0
    """... in so long; then it stays down."""
    pauses: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0, 2.0)
    """Before the first, second ... restart of a window."""
    ask_every: float = 1.0
    missed: int = 5
    """So many unanswered questions in a row mean frozen."""
    grace: float = 10.0
    """From being asked to end to being ended."""


class Keeper:
    """Keeps one service running."""

    def __init__(self, service: Service, limits: Limits, say: Say) -> None:
        self.service = service
        self.process: Process | None = None
        self.adopted = False
        self.given_up = False
        self._limits = limits
        self._say = say
        self._restarts: deque[float] = deque()
        self._task: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        return self.service.name

    @property
    def pid(self) -> int:
        """0 while it does not run."""
        return self.process.pid if self.process is not None else 0

    async def begin(self) -> None:
        """Adopt it, else start it, and watch it from now on. Raises StartError."""
        self.process = self.service.adopt()
        self.adopted = self.process is not None
        if self.process is None:
            self.process = await self.service.start()
        self._say(Happening(self.name, Turn.ADOPTED if self.adopted else Turn.STARTED, self.pid))
        self._task = asyncio.create_task(self._keep(self.process))

    async def stop(self) -> None:
        """Watch it no longer, and end it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        pid = self.pid
        await self.service.stop(self._limits.grace)
        self.process = None
        self._say(Happening(self.name, Turn.STOPPED, pid))

    def leave(self) -> None:
        """Watch it no longer, and let it run."""
        if self._task is not None:
            self._task.cancel()

    async def _keep(self, process: Process | None) -> None:
        while process is not None:
            self._say(await self._down(process))
            self.process = None
            self.process = process = await self._restart()

    async def _restart(self) -> Process | None:
        """Start it again, as often as the limits allow; None: given up."""
        while (pause := self._pause()) is not None:
            await asyncio.sleep(pause)
            try:
                process = await self.service.start()
            except Exception as error:  # whatever it is, it must not end the keeping
                detail = str(error) if isinstance(error, StartError) else f"{type(error).__name__}: {error}"
                self._say(Happening(self.name, Turn.FAILED, detail=detail))
                continue
            self._say(Happening(self.name, Turn.RESTARTED, process.pid))
            return process
        self.given_up = True
        detail = f"restarted {self._limits.restarts} times in {self._limits.window:.0f} s; it stays down until the next 'callcenter serve'"
        detail += f"; it said: {self.service.last_words()}"
        self._say(Happening(self.name, Turn.GIVEN_UP, detail=detail))
        return None

    def _pause(self) -> float | None:
        """Seconds to wait before the next restart; None: there were too many."""
        now = asyncio.get_running_loop().time()
        while self._restarts and self._restarts[0] <= now - self._limits.window:
            self._restarts.popleft()
        before = len(self._restarts)
        if before >= self._limits.restarts:
            return None
        self._restarts.append(now)
        return self._limits.pauses[min(before, len(self._limits.pauses) - 1)]

    async def _down(self, process: Process) -> Happening:
        """Return once it has ended by itself, or was frozen and has been killed."""
        frozen = asyncio.create_task(self._frozen(process, self.service.question)) if self.service.question else None
        try:
            while not await process.ended(3600.0):
                pass
        finally:
            if frozen is not None:
                frozen.cancel()
        if frozen is not None and frozen.done() and not frozen.cancelled() and frozen.exception() is None:
            return Happening(self.name, Turn.FROZEN, process.pid, f"no answer to {self._limits.missed} questions in a row; killed")
        return Happening(self.name, Turn.ENDED, process.pid, _how(process))

    async def _frozen(self, process: Process, question: Question) -> None:
        """Ask for a sign of life every second; return when it was missing too often, the process killed."""
        missed = 0
        while missed < self._limits.missed:
            started = asyncio.get_running_loop().time()
            missed = 0 if await _alive(question) else missed + 1
            await asyncio.sleep(max(0.0, started + self._limits.ask_every - asyncio.get_running_loop().time()))
        process.send(signal.SIGKILL)


async def _alive(question: Question) -> bool:
    try:
        return await question()
    except Exception:  # a question that goes wrong is no sign of life, and must not end the watch
        return False


def _how(process: Process) -> str:
    """How a child ended; of an adopted process nobody is told."""
    if process.spawned is None:
        return ""
    code = process.spawned.poll()
    if code is None:
        return ""
    return f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"


class Supervisor:
    """Keeps all services running. ``stages`` start one after the other, the services of one stage together."""

    def __init__(self, stages: Sequence[Sequence[Service]], say: Say, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self._stages = [[Keeper(service, limits, say) for service in stage] for stage in stages]

    @property
    def keepers(self) -> Iterator[Keeper]:
        for stage in self._stages:
            yield from stage

    async def start(self) -> None:
        """Adopt what runs, start what does not. Raises StartError; then what we started is stopped and what we adopted goes on."""
        begun: list[Keeper] = []
        for stage in self._stages:
            results = await asyncio.gather(*(keeper.begin() for keeper in stage), return_exceptions=True)
            begun += stage
            for failed in results:
                if isinstance(failed, BaseException):
                    await self._withdraw(begun)
                    raise failed

    async def _withdraw(self, begun: Sequence[Keeper]) -> None:
        for keeper in reversed(begun):
            if keeper.adopted:
                keeper.leave()
            elif keeper.pid:
                await keeper.stop()

    async def stop(self) -> None:
        """End all of it, adopted or started, the last one first."""
        for keeper in reversed(list(self.keepers)):
            await keeper.stop()
