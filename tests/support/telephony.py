"""The telephony adapters on a real Asterisk, with a stand-in for the engine that keeps every event."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from callcenter.adapters.ami.client import AmiClient, AmiServer
from callcenter.adapters.ami.lamps import NotifiedLamps
from callcenter.adapters.ami.recorder import MixMonitorRecorder
from callcenter.adapters.ari.client import AriServer
from callcenter.adapters.ari.telephony import AsteriskTelephony
from callcenter.domain import commands as c
from callcenter.domain import events as e
from callcenter.domain.ids import Ids
from callcenter.runtime.secrets import AMI_RECORDING_USER
from callcenter.sim.sip.call import Call
from callcenter.sim.sip.phone import Phone
from tests.support.asterisk import DID, Pbx

CALLER_TONES, ALICE_TONES = (910.0, 1130.0), (1010.0, 1230.0)
RING = timedelta(seconds=10)
PATIENCE = 10.0
Kind = TypeVar("Kind")


class Engine:
    """What stands in for the engine: it keeps every event, and tells of the one waited for."""

    def __init__(self, pbx: Pbx, *, rest_over_websocket: bool = True) -> None:
        self.pbx = pbx
        self.node = pbx.name
        self.ids = Ids(f"{datetime.now(UTC)}")
        self.events: list[e.Event] = []
        self.replaced: list[str] = []
        self.on_connect: Callable[[str], Awaitable[None]] = self._nothing
        self._more = asyncio.Condition()
        self.ami_ready = asyncio.Event()
        account = AmiServer("127.0.0.1", pbx.ami_port, AMI_RECORDING_USER, pbx.secrets.ami_recording_password)
        self.ami = AmiClient(account, on_login=self._signed_in)
        self.telephony = AsteriskTelephony(
            {pbx.name: AriServer(pbx.ari_url, pbx.ari_user, pbx.secrets.ari_password, rest_over_websocket=rest_over_websocket)},
            self.inbox,
            self._connected,
            MixMonitorRecorder({pbx.name: self.ami}, {pbx.name: pbx.node.recordings}),
            self.replaced.append,
            lamps=NotifiedLamps({pbx.name: self.ami}),
        )

    async def _signed_in(self) -> None:
        self.ami_ready.set()

    async def _nothing(self, node: str) -> None:
        pass

    async def _connected(self, node: str) -> None:
        await self.on_connect(node)
        self.inbox(e.NodeConnected(node, (await self.telephony.snapshot(node, ())).started_at))

    def inbox(self, event: e.Event) -> None:
        self.events.append(event)
        asyncio.ensure_future(self._tell())  # noqa: RUF006 a test's, short

    async def _tell(self) -> None:
        async with self._more:
            self._more.notify_all()

    async def wait_for(self, kind: type[Kind], leg: str = "", since: int = 0, within: float = PATIENCE) -> Kind:
        """The first event of that kind (about that leg), which may have happened already."""

        def found() -> Kind | None:
            named = (event for event in self.events[since:] if isinstance(event, kind))
            return next((event for event in named if not leg or getattr(event, "leg", "") == leg), None)

        with suppress(TimeoutError):
            async with asyncio.timeout(within), self._more:
                await self._more.wait_for(lambda: found() is not None)
        event = found()
        assert event is not None, f"no {kind.__name__} of {leg or 'any leg'} in {within:g} s; since {since} came {self.events[since:]}"
        return event

    async def run(self, kind: type[c.Command], *args: object) -> None:
        await self.telephony.run(kind("call", self.node, *args))  # type: ignore[arg-type]

    async def ring(self, agent: str, ring_timeout: timedelta = RING) -> str:
        leg = self.ids.draw_leg(self.node)
        endpoint = self.pbx.phone(agent).endpoint
        await self.run(c.RingAgent, leg, agent, endpoint, "+12025550123", 'Ann "A\\B" <x>', ring_timeout)
        return leg


@asynccontextmanager
async def engine(pbx: Pbx, *, rest_over_websocket: bool = True) -> AsyncIterator[Engine]:
    """An engine that is connected, and whose heart beats once (good for 3 s of calls)."""
    it = Engine(pbx, rest_over_websocket=rest_over_websocket)
    ami = asyncio.create_task(it.ami.run())
    await it.telephony.start()
    try:
        await it.wait_for(e.NodeConnected)
        await it.telephony.beat(pbx.name)
        async with asyncio.timeout(PATIENCE):
            await it.ami_ready.wait()
        yield it
    finally:
        await it.telephony.close()
        ami.cancel()
        with suppress(asyncio.CancelledError):
            await ami


@asynccontextmanager
async def agent_phone(pbx: Pbx, agent: str = "alice") -> AsyncIterator[Phone]:
    account = pbx.phone(agent)
    async with await Phone.start(
        account.endpoint, server=("127.0.0.1", pbx.sip_port), password=account.password, tone=ALICE_TONES
    ) as phone:
        await phone.register()
        yield phone


@asynccontextmanager
async def caller(pbx: Pbx) -> AsyncIterator[Phone]:
    async with await Phone.start("carrier-end", server=("127.0.0.1", pbx.sip_port), tone=CALLER_TONES) as phone:
        yield phone


async def arrive(it: Engine, phone: Phone, did: str = DID) -> tuple[Call, str]:
    """A caller arrives and is answered."""
    since = len(it.events)
    await it.telephony.beat(it.node)
    call = await phone.invite(did, caller_id="+12025550123", display_name="Ann")
    leg = (await it.wait_for(e.LegArrived, since=since)).leg
    await it.run(c.Answer, leg)
    await call.answered()
    return call, leg
