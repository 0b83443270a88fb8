"""What a promise justifies is not done before the promise is on disk; what has nothing to do with it does not wait."""

import asyncio
from datetime import timedelta

from callcenter.domain.commands import Command, Dial, HangUp
from callcenter.domain.events import CommandRefused, Event, Refusal
from callcenter.services.journal import JournalFull
from callcenter.services.outbox import Outbox


class Recorded:
    """Telephony that only notes what it is told, and a disk that can be slow or full."""

    def __init__(self) -> None:
        self.ran: list[Command] = []
        self.told: list[Event] = []
        self.disk = asyncio.Event()
        self.full = False
        self.outbox = Outbox(self, self.told.append, self.sync)  # type: ignore[arg-type] # it is asked to run commands, and nothing else

    async def run(self, command: Command) -> None:
        self.ran.append(command)

    async def sync(self) -> None:
        await self.disk.wait()
        if self.full:
            raise JournalFull("1 records wait for space in /var: the disk is full")


DIAL = Dial("call-1", "node1", "node1-leg", "+12025550123", "carrier", "+18005550100", timedelta(seconds=30))


async def test_a_dial_waits_for_the_disk_and_what_follows_in_its_call_waits_behind_it() -> None:
    world = Recorded()
    behind, beside = HangUp("call-1", "node1", "node1-leg"), HangUp("call-2", "node1", "node1-other")
    world.outbox.put(DIAL, on_disk_first=True)
    world.outbox.put(behind)
    world.outbox.put(beside)
    for _ in range(10):
        await asyncio.sleep(0)
    assert world.ran == [beside]
    world.disk.set()
    await world.outbox.drain()
    assert world.ran == [beside, DIAL, behind]


async def test_a_disk_that_takes_nothing_lets_nothing_be_dialed() -> None:
    world = Recorded()
    world.full = True
    world.disk.set()
    world.outbox.put(DIAL, on_disk_first=True)
    await world.outbox.drain()
    assert world.ran == []
    assert world.told == [CommandRefused(DIAL, Refusal.REFUSED, "1 records wait for space in /var: the disk is full")]
