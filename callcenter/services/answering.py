"""Answers what flows ask: each kind of question by whoever knows the answer, within its budget, told as an event.

An answer may be slow, wrong or never come; the core stops waiting by itself. Here it is only made sure that whoever is asked does not
go on for nothing, and that whatever goes wrong is told as ``failed``.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import structlog

from callcenter.domain.commands import AskOutside, WithdrawAsk
from callcenter.domain.events import AskAnswered, Event
from callcenter.domain.ivr.questions import FAILED, Question

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question: an outcome the node knows, and attributes of the call."""

    outcome: str
    attributes: Mapping[str, str] = field(default_factory=dict)


Answerer = Callable[[AskOutside], Awaitable[Answer]]
"""Finds one answer. It is cancelled when nobody waits for it any more; what it raises counts as ``failed``."""


class Answering:
    """Implements ``ports.Answers`` with one answerer for each kind of question."""

    def __init__(self, answerers: Mapping[type[Question], Answerer], tell: Callable[[Event], None]) -> None:
        self._answerers = answerers
        self._tell = tell
        self._open: dict[str, asyncio.Task[None]] = {}

    async def ask(self, command: AskOutside) -> None:
        """Begin to look for the answer; one that is being looked for already goes on."""
        if command.ask in self._open:
            return
        task = asyncio.get_running_loop().create_task(self._answer(command), name=f"ask {type(command.question).__name__}")
        self._open[command.ask] = task
        task.add_done_callback(lambda _: self._open.pop(command.ask, None))

    async def withdraw(self, command: WithdrawAsk) -> None:
        """Nobody waits for it any more."""
        task = self._open.pop(command.ask, None)
        if task is not None:
            task.cancel()

    async def close(self) -> None:
        """Let nothing go on."""
        tasks = list(self._open.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, command: AskOutside) -> None:
        kind = type(command.question)
        answerer = self._answerers.get(kind)
        try:
            async with asyncio.timeout(command.budget.total_seconds()):
                answer = await answerer(command) if answerer is not None else Answer(FAILED)
        except TimeoutError:
            return  # the core has gone on by itself
        except Exception:
            log.exception("ask_failed", question=kind.__name__, call=command.call)
            answer = Answer(FAILED)
        if answerer is None:
            log.error("nobody_answers", question=kind.__name__, call=command.call)
        self._tell(AskAnswered(command.call, command.ask, answer.outcome, answer.attributes))
