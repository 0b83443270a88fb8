"""Runs commands: those of one call in their order, different calls side by side. A failure becomes an event."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import structlog

from callcenter.domain.commands import AskOutside, Command, WithdrawAsk
from callcenter.domain.events import CommandRefused, Event, Refusal
from callcenter.services.journal import JournalError
from callcenter.services.ports import Answers, CommandError, Telephony

log = structlog.get_logger(__name__)


class Outbox:
    """A lane per call; a lane lives as long as it holds commands."""

    def __init__(
        self,
        telephony: Telephony,
        tell: Callable[[Event], None],
        sync: Callable[[], Awaitable[None]] | None = None,
        answers: Answers | None = None,
    ) -> None:
        """``sync`` returns once all facts so far are on disk; None: there is no disk. Without ``answers`` every question is refused."""
        self._telephony = telephony
        self._answers = answers
        self._tell = tell
        self._sync = sync
        self._lanes: dict[str, deque[tuple[Command, bool]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, command: Command, *, on_disk_first: bool = False) -> None:
        """``on_disk_first``: the facts that justify it must be on disk before it is carried out."""
        lane = self._lanes.get(command.call)
        if lane is not None:
            lane.append((command, on_disk_first))
            return
        self._lanes[command.call] = deque(((command, on_disk_first),))
        task = asyncio.get_running_loop().create_task(self._run_lane(command.call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def busy(self, call: str) -> bool:
        """Whether commands of the call are still to be carried out."""
        return call in self._lanes

    async def drain(self) -> None:
        """Return once all that was put so far has been carried out or refused."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _run_lane(self, call: str) -> None:
        lane = self._lanes[call]
        while lane:
            await self._run(*lane[0])
            lane.popleft()
        del self._lanes[call]

    async def _run(self, command: Command, on_disk_first: bool) -> None:
        try:
            if on_disk_first and self._sync is not None:
                await self._on_disk(self._sync)
            if isinstance(command, AskOutside | WithdrawAsk):
                await self._pass_on(command)
            else:
                await self._telephony.run(command)
        except CommandError as error:
            log.info("command_refused", command=type(command).__name__, call=command.call, refusal=error.refusal, detail=error.detail)
            self._tell(CommandRefused(command, error.refusal, error.detail))
        except Exception as bug:
            log.exception("command_failed", command=type(command).__name__, call=command.call)
            self._tell(CommandRefused(command, Refusal.REFUSED, repr(bug)))

    async def _pass_on(self, command: AskOutside | WithdrawAsk) -> None:
        if self._answers is None:
            if isinstance(command, AskOutside):
                raise CommandError(Refusal.REFUSED, "nobody answers questions here")
        elif isinstance(command, AskOutside):
            await self._answers.ask(command)
        else:
            await self._answers.withdraw(command)

    @staticmethod
    async def _on_disk(sync: Callable[[], Awaitable[None]]) -> None:
        """Raises CommandError when the disk takes nothing: what must not be forgotten is not begun."""
        try:
            await sync()
        except JournalError as error:
            raise CommandError(Refusal.REFUSED, str(error)) from error
