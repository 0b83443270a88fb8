"""A PIN opens its mailbox only; nothing repeats it; a file that cannot be read opens none."""

import asyncio
from datetime import timedelta
from pathlib import Path

from callcenter.domain.commands import AskOutside
from callcenter.domain.events import AskAnswered, Event
from callcenter.domain.mailbox_pin import MailboxPinQuestion
from callcenter.runtime.pins import Pins
from callcenter.services.answering import Answering
from callcenter.services.mailbox_pins import MailboxPins


async def asked(folder: Path, mailbox: str, pin: str) -> str:
    told: list[Event] = []
    answering = Answering({MailboxPinQuestion: MailboxPins(Pins(folder).check).answer}, told.append)
    command = AskOutside("c1", "node1", "leg", "ask-1", MailboxPinQuestion(mailbox, pin), timedelta(seconds=20))
    assert not pin or pin not in repr(command)
    await answering.ask(command)
    async with asyncio.timeout(20):
        while not told:
            await asyncio.sleep(0.01)
    (answer,) = told
    assert isinstance(answer, AskAnswered)
    return answer.outcome


async def test_a_pin_opens_its_mailbox_only(tmp_path: Path) -> None:
    Pins(tmp_path).set("agent:alice", "4711")
    Pins(tmp_path).set("queue:support", "0815")
    assert [await asked(tmp_path, "agent:alice", pin) for pin in ("4711", "0815", "")] == ["right", "wrong", "wrong"]
    assert await asked(tmp_path, "agent:bob", "4711") == "none_set"
    (tmp_path / "pins.json").write_text("garbage")
    assert await asked(tmp_path, "agent:alice", "4711") == "failed"
