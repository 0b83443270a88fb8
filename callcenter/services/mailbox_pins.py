"""Whether a PIN opens a mailbox, looked up aside of the engine's loop, as other PINs are (``services.pin_answerer``)."""

import asyncio
from collections.abc import Callable

from callcenter.domain.commands import AskOutside
from callcenter.domain.mailbox_pin import NONE_SET, RIGHT, WRONG, MailboxPinQuestion
from callcenter.services.answering import Answer

AT_ONCE = 2
"""Checks side by side: each takes a processor and 64 MiB for a tenth of a second."""


class MailboxPins:
    """Answers ``MailboxPinQuestion``."""

    def __init__(self, check: Callable[[str, str], bool | None]) -> None:
        """``check`` (mailbox, PIN) is called in a thread; None: the mailbox has none."""
        self._check = check
        self._room = asyncio.Semaphore(AT_ONCE)

    async def answer(self, command: AskOutside) -> Answer:
        question = command.question
        assert isinstance(question, MailboxPinQuestion)
        async with self._room:
            right = await asyncio.to_thread(self._check, question.mailbox, question.pin)
        return Answer(NONE_SET if right is None else RIGHT if right else WRONG)
