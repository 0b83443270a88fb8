"""Callers and agents on the fake PBX."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from callcenter.domain import facts as f
from callcenter.domain.events import Cause
from callcenter.services.engine import Engine
from callcenter.sim.fake_pbx import Channel, FakePbx, Mood, Phone
from tests.support.parties import PATIENCE, AgentParty, Party, StoryCenter

AGENTS = ("alice", "bob", "carol", "dora", "eve", "gina", "hugo", "sam")
RTP_TIMEOUT = 20.0
"""Seconds; as asterisk-config/pjsip.conf.j2 says."""


async def soon(holds: Callable[[], bool], what: str) -> None:
    """In virtual time looking often costs nothing."""
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.01)
    assert holds(), what


class FakeParty(Party):
    """A leg that came in."""

    def __init__(self, center: "FakeStoryCenter", channel: Channel, find: Callable[[], f.CallBegan | None]) -> None:
        super().__init__(center, find)
        self.pbx = center.pbx
        self.channel = channel
        self._heard = 0

    async def hears(self, what: str) -> None:
        wanted = {"music": "music:tones"}.get(what, what)
        if what in AGENTS:
            endpoint = f"phone-of-{self.center.long(what)}"
            await soon(lambda: any(self.pbx.channels[leg].endpoint == endpoint for leg in self._others()), what)
            return
        await soon(lambda: wanted in self.channel.heard[self._heard :], what)
        self._heard = self.channel.heard.index(wanted, self._heard) + 1

    def _others(self) -> set[str]:
        return self.pbx.hears(self.channel.id)

    async def presses(self, key: str) -> None:
        self.pbx.party_presses(self.channel.id, key)

    async def hangs_up(self) -> None:
        self.pbx.party_hangs_up(self.channel.id)

    async def vanishes(self) -> None:
        await asyncio.sleep(RTP_TIMEOUT)
        self.pbx.party_hangs_up(self.channel.id, Cause.LOST)


class FakeAgentParty(AgentParty):
    """An agent's phone at the fake."""

    def __init__(self, center: "FakeStoryCenter", name: str) -> None:
        super().__init__(center, name)
        self.pbx = center.pbx
        self.endpoint = f"phone-of-{self.name}"
        self.phone = self.pbx.phones[self.endpoint] = Phone(answers_after=lambda: timedelta(seconds=0.5))

    def answers(self) -> None:
        self.phone.mood = Mood.ANSWERS

    def is_busy(self) -> None:
        self.phone.mood = Mood.BUSY

    def declines(self) -> None:
        self.phone.mood = Mood.DECLINES

    def never_answers(self) -> None:
        self.phone.mood = Mood.RINGS_ON

    async def is_unreachable(self) -> None:
        self.phone.mood = Mood.UNREACHABLE

    async def is_back(self) -> None:
        self.phone.mood = Mood.ANSWERS

    def _channels(self) -> list[Channel]:
        return [channel for channel in self.pbx.channels.values() if channel.endpoint == self.endpoint]

    async def rings(self) -> None:
        await soon(lambda: any(channel.ringing for channel in self._channels()), "ringing")

    async def is_called(self) -> None:
        await soon(lambda: any(channel.up for channel in self._channels()), "answered")

    async def hears(self, what: str) -> None:
        last = self._channels()[-1]
        endpoint = "carrier" if what == "caller" else f"phone-of-{self.center.long(what)}"

        def heard() -> bool:
            if what in ("music", "ringing"):
                return bool(last.music) if what == "music" else last.hears_ringing
            return not last.music and endpoint in (self.pbx.channels[leg].endpoint for leg in self.pbx.hears(last.id))

        await soon(heard, what)

    async def presses(self, keys: str) -> None:
        for key in keys:
            self.pbx.party_presses(self._channels()[0].id, key)

    async def consults_by_phone(self, extension: str) -> None:
        await self.holds()
        self.pbx.dial_from_phone(self.endpoint, extension)

    async def shows(self, new: int, old: int) -> None:
        await soon(lambda: self.pbx.messages.lamps.get(self.endpoint) == (new, old), f"{new} new messages")

    async def hangs_up_second(self) -> None:
        self.pbx.party_hangs_up(self._channels()[-1].id)

    async def refers(self, extension: str, *, attended: bool = False) -> bool:
        own, last = self._channels()[0], self._channels()[-1]
        before = len(own.referred)
        self.pbx.party_refers(own.id, extension, last.id if attended else None)
        await soon(lambda: len(own.referred) > before, "told what came of the REFER")
        return own.referred[-1]

    async def talks(self) -> None:
        await soon(lambda: any(channel.bridge in self.pbx.bridges for channel in self._channels()), "talking")

    async def holds(self) -> None:
        self.pbx.party_holds(self._channels()[0].id)

    async def resumes(self) -> None:
        self.pbx.party_holds(self._channels()[0].id, False)

    async def hangs_up(self) -> None:
        self.pbx.party_hangs_up(self._channels()[0].id)

    async def vanishes(self) -> None:
        await asyncio.sleep(RTP_TIMEOUT)
        self.pbx.party_hangs_up(self._channels()[0].id, Cause.LOST)

    async def dials(self, code: str) -> Party:
        assert isinstance(self.center, FakeStoryCenter)
        leg = self.pbx.dial_from_phone(self.endpoint, code)
        return FakeParty(self.center, self.pbx.channels[leg], lambda: next(iter(self.center.book.of(f.CallBegan, leg=leg)), None))


class FakeStoryCenter(StoryCenter):
    """A story on the fake."""

    pbx: FakePbx
    engine: Engine

    async def calls(self, number: str = "", caller: str = "") -> Party:
        caller = caller or self.next_caller_id()
        find = self.find_caller(caller)
        leg = self.pbx.call_in(number or self.did, caller)
        return FakeParty(self, self.pbx.channels[leg], find)

    async def is_called(self, number: str) -> Party:
        await soon(lambda: any(channel.number == number and channel.up for channel in self.pbx.channels.values()), number)
        channel = next(channel for channel in self.pbx.channels.values() if channel.number == number)
        return FakeParty(self, channel, self.find_called(number))

    async def agent(self, name: str) -> AgentParty:
        return FakeAgentParty(self, name)
