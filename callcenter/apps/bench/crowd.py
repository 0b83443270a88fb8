"""A hundred calls at once, over real SIP: some in the IVR, some waiting, some whose agent's phone rings, some talking."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from callcenter.apps.stage import Stage, StageError
from callcenter.services.control import JsonObject
from callcenter.services.control_client import EngineAway, RequestRefused
from callcenter.sim.sip.call import Call, CallState
from callcenter.sim.sip.phone import Phone
from callcenter.sim.sip.policy import AnswerAfter, InvitePolicy, RingForever
from callcenter.sim.sip.tones import tone_pair

QUEUE_DID, IVR_DID, SHORT_DID = "+18005550100", "+18005550101", "+18005550102"
FALLBACK_TONES = tone_pair(3)
PROMPT_TONES = tone_pair(4)
PER_SECOND = 15
SPARSE_RTP = 10
"""Each tenth packet only: enough to show life, cheap enough for a hundred phones in one process."""


def shares(calls: int) -> Mapping[str, int]:
    """How many calls are in which phase."""
    talking, ringing, flow = calls // 4, max(calls // 10, 1), max(calls * 15 // 100, 1)
    return {"talking": talking, "offered": ringing, "flow": flow, "waiting": calls - talking - ringing - flow}


def tables(agents: int) -> dict[str, object]:
    """Settings in which a phase lasts as long as the bench needs it; ``short`` is a queue for brief calls."""
    prompt = {"source": f"tone:{PROMPT_TONES[0]:.0f}+{PROMPT_TONES[1]:.0f}:30"}
    away = {"source": f"tone:{FALLBACK_TONES[0]:.0f}+{FALLBACK_TONES[1]:.0f}:3"}
    return {
        "center": {"name": "Bench", "time_zone": "UTC"},
        "trunk": [{"name": "carrier", "authentication": "address", "addresses": ["127.0.0.1"]}],
        "number": [
            {"did": QUEUE_DID, "flow": "straight", "fallback_queue": "support"},
            {"did": IVR_DID, "flow": "ivr", "fallback_queue": "support"},
            {"did": SHORT_DID, "flow": "short", "fallback_queue": "short"},
        ],
        "queue": [
            {"name": "support", "ring_timeout_s": 300, "wrap_up_s": 0},
            {"name": "short", "ring_timeout_s": 20, "wrap_up_s": 0, "record": False},
        ],
        "agent": [{"name": f"agent{n:03d}", "queues": ["support"]} for n in range(agents)]
        + [{"name": f"brief{n:03d}", "queues": ["short"]} for n in range(BRIEF_AGENTS)],
        "prompt": [{"id": "bench-menu", **prompt}, {"id": "please-wait", **away}],
        "flow": {
            "straight": {"start": "q", "node": {"q": {"type": "queue", "queue": "support"}}},
            "short": {"start": "q", "node": {"q": {"type": "queue", "queue": "short"}}},
            "ivr": {
                "start": "ask",
                "node": {
                    "ask": {"type": "menu", "prompt": "bench-menu", "choices": {"1": "q"}, "otherwise": "q", "tries": 10, "timeout_s": 60},
                    "q": {"type": "queue", "queue": "support"},
                },
            },
        },
    }


BRIEF_AGENTS = 25


@dataclass(slots=True)
class Crowd:
    """Everybody on the phone."""

    stage: Stage
    size: int
    callers: dict[str, Call] = field(default_factory=dict)
    """By caller ID."""
    talkers: list[str] = field(default_factory=list)
    phones: list[Phone] = field(default_factory=list)
    _number: int = 0

    # --- gathering ------------------------------------------------------------------------------

    async def gather(self) -> None:
        """Bring every call into its phase. Raises StageError."""
        wanted = shares(self.size)
        await self.staff("agent", 0, wanted["talking"], AnswerAfter(0.0))
        self.talkers = await self.dial(QUEUE_DID, wanted["talking"])
        await self.until({"talking": wanted["talking"]})
        await self.staff("agent", wanted["talking"], wanted["offered"], RingForever())
        await self.dial(QUEUE_DID, wanted["offered"] + wanted["waiting"])
        await self.dial(IVR_DID, wanted["flow"])
        await self.until(wanted)

    async def staff(self, kind: str, first: int, count: int, policy: InvitePolicy) -> None:
        """Agents with registered phones, ready."""
        for n in range(first, first + count):
            await self.agent(f"{kind}{n:03d}", policy)

    async def agent(self, name: str, policy: InvitePolicy) -> Phone:
        account = self.stage.secrets.phones[name]
        phone = await Phone.start(
            name,
            server=self.stage.server,
            user=account.endpoint,
            password=account.password,
            tone=tone_pair(0),
            rtp_every=SPARSE_RTP,
            keep_audio=False,
            on_invite=policy,
        )
        self.phones.append(phone)
        await phone.register()
        await self.stage.ask("agent_login", agent=name)
        await self.stage.ask("agent_ready", agent=name)
        return phone

    async def dial(self, did: str, count: int) -> list[str]:
        """So many callers, one after the other, each with a number of its own."""
        dialed = []
        for _ in range(count):
            number, call = await self.call(did)
            self.callers[number] = call
            dialed.append(number)
            await asyncio.sleep(1 / PER_SECOND)
        return dialed

    async def call(self, did: str) -> tuple[str, Call]:
        """One caller, answered."""
        self._number += 1
        number = f"+1202{5550000 + self._number}"
        phone = await Phone.start(number, server=self.stage.server, tone=tone_pair(1), rtp_every=SPARSE_RTP, keep_audio=False)
        self.phones.append(phone)
        call = await phone.invite(did)
        await call.answered()
        return number, call

    # --- looking --------------------------------------------------------------------------------

    async def phases(self) -> Mapping[str, int]:
        """How many calls the engine sees in which phase; nothing while it is away."""
        state = await self.state()
        count: dict[str, int] = {}
        for call in _rows(state, "calls"):
            phase = str(call.get("phase"))
            count[phase] = count.get(phase, 0) + 1
        return count

    async def state(self) -> JsonObject:
        try:
            return await self.stage.ask("state")
        except (EngineAway, RequestRefused):
            return {}

    async def until(self, wanted: Mapping[str, int], within: float = 30.0) -> None:
        """Return when the engine sees so many calls in these phases. Raises StageError."""
        try:
            async with asyncio.timeout(within):
                while not wanted.items() <= (await self.phases()).items():
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise StageError(f"wanted {dict(wanted)} calls, but after {within:.0f} s there are {dict(await self.phases())}") from None

    def dropped(self) -> Sequence[str]:
        """Callers whose call has ended, though nobody hung up."""
        return [number for number, call in self.callers.items() if call.state is CallState.ENDED]

    async def disperse(self) -> None:
        """Everybody hangs up."""
        await asyncio.gather(*(phone.close() for phone in self.phones), return_exceptions=True)
        self.phones.clear()


def connected(state: JsonObject) -> bool:
    """Whether the engine sees all its nodes."""
    nodes = _rows(state, "nodes")
    return bool(nodes) and all(node.get("connected") for node in nodes)


def _rows(state: JsonObject, name: str) -> list[JsonObject]:
    rows = state.get(name)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
