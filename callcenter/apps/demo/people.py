"""Simulated people: agents at SIP phones, callers who dial, listen, press a key, wait, talk, or give up."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from time import monotonic

from callcenter.sim.sip.call import Call, CallFailed, NotHeard
from callcenter.sim.sip.phone import Phone
from callcenter.sim.sip.policy import AnswerAfter
from callcenter.sim.sip.tones import TonePair, tone_pair

DID = "+18005550100"
WELCOME, MUSIC = tone_pair(0), tone_pair(1)
RING_S = 2.2
"""How long an agent lets the phone ring."""
LONGEST_WAIT_S = 60.0


class Doing(StrEnum):
    """What a caller is doing, for the screen."""

    YET_TO_CALL = "yet to call"
    CALLING = "calling"
    LISTENING = "in the IVR"
    WAITING = "waiting"
    TALKING = "talking"
    DONE = "done"
    GAVE_UP = "gave up"
    FAILED = "failed"


@dataclass(slots=True)
class AgentAtPhone:
    """An agent who answers after a while and speaks one tone pair all day."""

    name: str
    tone: TonePair
    phone: Phone
    calls: list[Call] = field(default_factory=list)

    async def take_calls(self) -> None:
        while True:
            self.calls.append(await self.phone.incoming(None))

    def heard(self, caller: TonePair) -> bool:
        """Whether this caller's voice reached the agent."""
        return any(call.heard_tones(caller, at_least=0.5) for call in self.calls)


@dataclass(slots=True)
class Caller:
    """One caller's whole story."""

    number: str
    key: str
    tone: TonePair
    talk_s: float
    patience_s: float | None = None
    """Hangs up after waiting so long; None: stays."""
    doing: Doing = Doing.YET_TO_CALL
    since: float = field(default_factory=monotonic)
    agent: str = ""
    trouble: str = ""
    heard_welcome: bool = False
    heard_music: bool = False

    async def live(self, server: tuple[str, int], agents: Sequence[AgentAtPhone], starts_after: float) -> None:
        """Call, and go through with it. Never raises; what went wrong is in ``trouble``."""
        await asyncio.sleep(starts_after)
        phone = await Phone.start(self.number, server=server, tone=self.tone)
        try:
            await self._call(phone, agents)
        except (CallFailed, NotHeard, TimeoutError) as error:
            self.trouble = f"{error}" or type(error).__name__
            self._now(Doing.FAILED)
        finally:
            await phone.close()

    async def _call(self, phone: Phone, agents: Sequence[AgentAtPhone]) -> None:
        self._now(Doing.CALLING)
        call = await phone.invite(DID)
        await call.answered()
        self._now(Doing.LISTENING)
        await call.hears(WELCOME, within=10)
        await asyncio.sleep(1.5)  # the menu has begun to speak; a caller may press the key at once
        await call.send_digit(self.key)
        self._now(Doing.WAITING)
        try:
            agent = await self._reached(call, agents)
            if agent is None:
                self._now(Doing.GAVE_UP)
            else:
                self.agent = agent.name
                self._now(Doing.TALKING)
                await asyncio.sleep(self.talk_s)
                self._now(Doing.DONE)
            await call.hang_up()
        finally:
            self.heard_welcome = bool(call.heard_tones(WELCOME, at_least=0.5))
            self.heard_music = bool(call.heard_tones(MUSIC, at_least=0.5))

    async def _reached(self, call: Call, agents: Sequence[AgentAtPhone]) -> AgentAtPhone | None:
        """The agent whose voice is heard first, or None when patience ended before."""
        within = self.patience_s or LONGEST_WAIT_S
        hearing = {asyncio.create_task(call.hears(agent.tone, within=within)): agent for agent in agents}
        try:
            done, _ = await asyncio.wait(hearing, timeout=within, return_when=asyncio.FIRST_COMPLETED)
            heard = [task for task in done if task.exception() is None]
            if heard:
                return hearing[heard[0]]
            if self.patience_s is None:
                raise NotHeard(f"no agent heard within {within:.0f} s")
            return None
        finally:
            for task in hearing:
                task.cancel()
            await asyncio.gather(*hearing, return_exceptions=True)

    def _now(self, doing: Doing) -> None:
        self.doing, self.since = doing, monotonic()


def callers(count: int, of_round: int, impatient: int) -> list[Caller]:
    """So many callers with numbers and tones of their own; the one at place ``impatient`` of each round gives up."""
    return [
        Caller(
            number=f"+1202555{100 + n:04d}",
            key="1" if n % 4 == 3 else "2",
            talk_s=3.0 + n % 3,
            patience_s=6.5 if n % of_round == impatient else None,
            tone=tone_pair(10 + n),
        )
        for n in range(count)
    ]


async def agent_at_phone(name: str, place: int, server: tuple[str, int], user: str, password: str) -> AgentAtPhone:
    """A registered phone that answers after ringing."""
    tone = tone_pair(2 + place)
    phone = await Phone.start(name, server=server, user=user, password=password, tone=tone, on_invite=AnswerAfter(RING_S))
    await phone.register()
    return AgentAtPhone(name, tone, phone)
