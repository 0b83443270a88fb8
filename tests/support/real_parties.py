"""Callers and agents with SIP phones, on a real Asterisk, with the engine in this process."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

from callcenter.adapters.ami.client import AmiClient, AmiServer
from callcenter.adapters.ami.lamps import NotifiedLamps
from callcenter.adapters.ami.qualify import Qualifier
from callcenter.adapters.ami.recorder import MixMonitorRecorder
from callcenter.adapters.ari.client import AriServer
from callcenter.adapters.ari.telephony import AsteriskTelephony
from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.center import Center
from callcenter.domain.ids import Ids
from callcenter.domain.ivr.flow import Flow
from callcenter.domain.ivr.questions import Question
from callcenter.runtime.secrets import AMI_OPERATIONS_USER, AMI_RECORDING_USER
from callcenter.services.answering import Answerer, Answering
from callcenter.services.clock import SteadyClock
from callcenter.services.engine import Engine
from callcenter.services.journal import Journal
from callcenter.sim.sip.call import Call, CallState
from callcenter.sim.sip.ear import StreamClosed
from callcenter.sim.sip.phone import Phone
from callcenter.sim.sip.policy import AnswerAfter, Busy, Reject, RingForever
from callcenter.sim.sip.tones import TonePair, tone_pair
from tests.support.asterisk import ACCEPT_TONES, BEEP_TONES, MENU_TONES, MUSIC_TONES, PROMPT_TONES, Pbx
from tests.support.parties import PATIENCE, AgentParty, FactBook, Party, StoryCenter

HEARD: dict[str, TonePair] = {
    "music": MUSIC_TONES,
    "menu": MENU_TONES,
    "unknown-number": (640.0, 840.0),
    "not-possible": (720.0, 920.0),
    "you-are-ready": (760.0, 960.0),
    "you-are-not-ready": (800.0, 1000.0),
    "ringing": (440.0, 480.0),
    "disposition-noted": (880.0, 1080.0),
    "wrap-up-extended": (920.0, 1120.0),
    "queue-joined": (960.0, 1160.0),
    "queue-left": (1000.0, 1200.0),
    "caller-pays": (1160.0, 1360.0),
    "please-wait": (540.0, 760.0),
    "beep": BEEP_TONES,
    "press-1-to-accept": ACCEPT_TONES,
    **PROMPT_TONES,
}
AGENT_TONES = {
    "alice": tone_pair(60),
    "bob": tone_pair(66),
    "carol": tone_pair(72),
    "dora": tone_pair(74),
    "eve": tone_pair(76),
    "gina": tone_pair(62),
    "hugo": tone_pair(68),
    "frank": tone_pair(75),
    "sam": tone_pair(42),
}
CALLER_TONE = tone_pair(70)
HEARD["caller"] = CALLER_TONE
SPARSE = 3
"""Every third packet is enough to be heard, and spares the machine."""


class RealEngine:
    """The engine in this process, on real nodes."""

    def __init__(
        self, nodes: Sequence[Pbx], folder: Path, *, flows: Sequence[Flow] = (), answerers: Mapping[type[Question], Answerer] | None = None
    ) -> None:
        """``flows`` are beside those of the settings, or in their place; ``answerers`` answer what flows ask."""
        self.nodes = {pbx.name: pbx for pbx in nodes}
        self.book = FactBook()
        self.told: list[e.Event] = []
        self.journal = Journal(folder / "journal")
        settings, secrets = nodes[0].settings, nodes[0].secrets
        config = settings.center_config(secrets.endpoints)
        config = replace(config, flows={**config.flows, **{flow.name: flow for flow in flows}})
        center = Center(config, Ids(str(folder)))
        self.engine = Engine(center, self.journal, SteadyClock(), self.book.keep)
        self.answers = Answering(answerers or {}, self._tell)
        self._ami = {pbx.name: _recording_account(pbx) for pbx in nodes}
        self._operations = {pbx.name: _operations_account(pbx) for pbx in nodes}
        self.telephony = AsteriskTelephony(
            {pbx.name: AriServer(pbx.ari_url, pbx.ari_user, pbx.secrets.ari_password) for pbx in nodes},
            self._tell,
            self.engine.on_connect,
            MixMonitorRecorder(self._ami, {pbx.name: pbx.node.recordings for pbx in nodes}),
            lambda node: None,
            Qualifier(self._operations, self._tell),
            NotifiedLamps(self._operations),
        )

    def _tell(self, event: e.Event) -> None:
        self.told.append(event)
        self.engine.tell(event)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["RealEngine"]:
        tasks = [asyncio.create_task(client.run()) for client in (*self._ami.values(), *self._operations.values())]
        tasks.append(asyncio.create_task(self.engine.run(self.telephony, self.answers)))
        try:
            for node in self.nodes:
                await self.sees(node)
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.answers.close()
            await self.telephony.close()
            self.journal.close()

    async def sees(self, node: str, since: int = 0) -> None:
        """Wait until the node is connected, and its dialplan's guard is open."""
        await self.book.until(
            lambda: next((fact for fact in self.book.facts[since:] if isinstance(fact, f.NodeUp) and fact.node == node), None), node
        )
        await self.telephony.beat(node)

    async def nothing_left(self) -> None:
        """What may be left of a transfer that a phone did by itself is looked for and cleared away within seconds."""
        async with asyncio.timeout(15):
            while await self.left() != (set(), set()):
                await asyncio.sleep(0.1)

    async def left(self) -> tuple[set[str], set[str]]:
        """Legs and bridges at the nodes that the center knows nothing of any more."""
        legs: set[str] = set()
        bridges: set[str] = set()
        for node in self.nodes:
            seen = await self.telephony.snapshot(node, ())
            legs |= set(seen.legs) - set(self.engine.center.state.legs)
            bridges |= set(seen.bridges) - {call.bridge for call in self.engine.center.state.calls.values()}
        return legs, bridges


def _recording_account(pbx: Pbx) -> AmiClient:
    return AmiClient(AmiServer("127.0.0.1", pbx.ami_port, AMI_RECORDING_USER, pbx.secrets.ami_recording_password))


def _operations_account(pbx: Pbx) -> AmiClient:
    """It hears no events: a story tells by itself what is known of a phone."""
    return AmiClient(AmiServer("127.0.0.1", pbx.ami_port, AMI_OPERATIONS_USER, pbx.secrets.ami_operations_password))


class Outside:
    """One phone that stands for everybody whom we call; stories that go on side by side each find their own calls."""

    def __init__(self, phone: Phone) -> None:
        self.phone = phone
        self._calls: list[Call] = []
        self._more = asyncio.Event()

    async def take_calls(self) -> None:
        while True:
            self._calls.append(await self.phone.incoming(None))
            self._more.set()
            self._more = asyncio.Event()

    async def called(self, number: str) -> Call:
        """The next call to that number."""
        async with asyncio.timeout(PATIENCE):
            while (call := next((call for call in self._calls if call.dialed == number), None)) is None:
                await self._more.wait()
        self._calls.remove(call)
        return call


class RealParty(Party):
    """A call from a SIP phone."""

    def __init__(self, center: "RealStoryCenter", phone: Phone, call: Call, find: Callable[[], f.CallBegan | None]) -> None:
        super().__init__(center, find)
        self.phone = phone
        self.call = call

    async def hears(self, what: str) -> None:
        await self.call.answered()
        await self.call.hears(HEARD.get(what) or AGENT_TONES[what], within=20, for_s=0.3)

    async def presses(self, key: str) -> None:
        with suppress(StreamClosed):  # what the key does may end the call before it is up
            await self.call.send_digit(key)

    async def hangs_up(self) -> None:
        await self.call.hang_up()

    async def vanishes(self) -> None:
        self.phone.vanish()


class RealAgentParty(AgentParty):
    """An agent's SIP phone."""

    def __init__(self, center: "RealStoryCenter", name: str, phone: Phone) -> None:
        super().__init__(center, name)
        self.phone = phone
        self._call: Call | None = None
        self._second: Call | None = None
        self.answers()

    def answers(self) -> None:
        self.phone.on_invite = AnswerAfter(0.3)

    def is_busy(self) -> None:
        self.phone.on_invite = Busy()

    def declines(self) -> None:
        self.phone.on_invite = Reject(603, 0.3)

    def never_answers(self) -> None:
        self.phone.on_invite = RingForever()

    async def is_unreachable(self) -> None:
        await self.phone.unregister()

    async def is_back(self) -> None:
        await self.phone.register()

    async def rings(self) -> None:
        await (await self.phone.incoming(20)).ringing()

    async def talks(self) -> None:
        self._call = await self.phone.incoming(20)
        await self._call.answered()
        await self._call.hears(CALLER_TONE, for_s=0.3)

    async def is_called(self) -> None:
        self._call = await self.phone.incoming(20)
        await self._call.answered()

    async def hears(self, what: str) -> None:
        await (self._second or self.call).hears(HEARD.get(what) or AGENT_TONES[what], within=20, for_s=0.3)

    async def presses(self, keys: str) -> None:
        await self.call.send_digits(keys)

    async def consults_by_phone(self, extension: str) -> None:
        await self.call.hold()
        self._second = await self.phone.invite(extension)
        await self._second.answered()

    async def hangs_up_second(self) -> None:
        assert self._second is not None
        await self._second.hang_up()
        self._second = None

    async def refers(self, extension: str, *, attended: bool = False) -> bool:
        assert await self.call.refer(extension, replacing=self._second if attended else None) == 202
        return await self.call.transferred() == 200

    @property
    def call(self) -> Call:
        assert self._call is not None
        return self._call

    async def holds(self) -> None:
        await self.call.hold()

    async def resumes(self) -> None:
        await self.call.resume()

    async def hangs_up(self) -> None:
        assert self.call.state is CallState.UP
        await self.call.hang_up()

    async def vanishes(self) -> None:
        self.phone.vanish()

    async def shows(self, new: int, old: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while self._summary() != f"{new}/{old}":
                await asyncio.sleep(0.05)

    def _summary(self) -> str:
        """What the latest message summary (RFC 3842) said; empty: there was none."""
        told = [request.body.decode() for request in self.phone.requests if request.method == "NOTIFY"]
        return told[-1].partition("Voice-Message: ")[2].partition(" ")[0] if told else ""

    async def dials(self, code: str) -> Party:
        assert isinstance(self.center, RealStoryCenter)
        book, before = self.center.book, len(self.center.book.facts)

        def find() -> f.CallBegan | None:
            return next((fact for fact in book.facts[before:] if isinstance(fact, f.CallBegan) and fact.agent == self.name), None)

        return RealParty(self.center, self.phone, await self.phone.invite(code), find)


class RealStoryCenter(StoryCenter):
    """A story on a real node; its phones are closed with it."""

    def __init__(self, story: int, running: RealEngine, stack: AsyncExitStack, node: str = "", outside: "Outside | None" = None) -> None:
        """``outside``: the phone of everybody whom we call."""
        super().__init__(story, running.book, running.told)
        self.outside = outside
        self.engine = running.engine
        self.pbx = running.nodes[node or next(iter(running.nodes))]
        self._stack = stack

    async def calls(self, number: str = "", caller: str = "") -> Party:
        caller = caller or self.next_caller_id()
        find = self.find_caller(caller)
        phone = await self._stack.enter_async_context(
            await Phone.start(
                "carrier-end", server=("127.0.0.1", self.pbx.sip_port), tone=CALLER_TONE, rtp_every=SPARSE if self.sparse else 1
            )
        )
        call = await phone.invite(number or self.did, caller_id=caller)
        return RealParty(self, phone, call, find)

    async def is_called(self, number: str) -> Party:
        assert self.outside is not None
        call = await self.outside.called(number)
        await call.answered()
        return RealParty(self, self.outside.phone, call, self.find_called(number))

    async def agent(self, name: str) -> AgentParty:
        account = self.pbx.phone(self.long(name))
        phone = await self._stack.enter_async_context(
            await Phone.start(
                account.endpoint,
                server=("127.0.0.1", self.pbx.sip_port),
                password=account.password,
                tone=AGENT_TONES[name],
                rtp_every=SPARSE if self.sparse else 1,
            )
        )
        await phone.register()
        return RealAgentParty(self, name, phone)
