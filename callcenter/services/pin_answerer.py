"""Whether a PIN is right, looked up aside of the engine's loop: a hash that is hard to guess is slow to check."""

import asyncio
from collections.abc import Callable

from callcenter.domain.commands import AskOutside
from callcenter.domain.ivr.questions import ANSWERED, FAILED
from callcenter.domain.ivr.switching import WRONG, PinQuestion
from callcenter.services.answering import Answer

AT_ONCE = 2
"""Checks side by side: each takes a processor and 64 MiB for a tenth of a second; who dials in a crowd waits."""


class PinAnswerer:
    """Answers ``PinQuestion``."""

    def __init__(self, check: Callable[[str, str], bool | None]) -> None:
        """``check`` (holder, digits) is called in a thread; None: the holder has no PIN."""
        self._check = check
        self._room = asyncio.Semaphore(AT_ONCE)

    async def answer(self, command: AskOutside) -> Answer:
        question = command.question
        assert isinstance(question, PinQuestion)
        async with self._room:
            right = await asyncio.to_thread(self._check, question.holder, question.digits)
        if right is None:
            return Answer(FAILED)
        return Answer(ANSWERED if right else WRONG)
