"""A whole center for tests: a real Asterisk and the engine as a process of its own, reached as people reach them.

async with running_center() as center:
    alice = await center.agent("alice")                 # a registered phone; the agent is logged in and ready
    call = await center.call()
    await call.hears(MENU_TONES)
    await center.until(lambda: center.find(f.ContactConnected))
    center.kill_engine(); await center.start_engine()
"""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from callcenter.domain.facts import Fact
from callcenter.runtime import toml_text
from callcenter.runtime.data_folder import data_folder
from callcenter.runtime.secrets import load_secrets
from callcenter.services.control import Json, JsonObject
from callcenter.services.control_client import EngineAway, ask
from callcenter.services.journal_reader import JournalReader, read_facts
from callcenter.sim.sip.call import Call
from callcenter.sim.sip.phone import Phone
from callcenter.sim.sip.policy import InvitePolicy
from callcenter.sim.sip.tones import TonePair, tone_pair
from tests.support.asterisk import DID, Pbx, asterisk_node, raw_settings, short_folder

PATIENCE = 60.0
CALLER_TONE = tone_pair(70)
AGENT_TONES = {"alice": tone_pair(60), "bob": tone_pair(66), "carol": tone_pair(72)}
T = TypeVar("T")


@dataclass
class RunningCenter:
    """Asterisk and the engine, and what one does with them."""

    pbx: Pbx
    file: Path
    raw: dict[str, Any]
    stack: AsyncExitStack
    journal: JournalReader
    engine: asyncio.subprocess.Process | None = None
    facts: list[Fact] = field(default_factory=list)
    """All that the journal held when we last looked."""

    # --- the engine -----------------------------------------------------------------------------

    async def start_engine(self) -> None:
        """Return once it sees its node and the dialplan sees it."""
        with self.log_file.open("ab") as log:
            self.engine = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "callcenter.apps.cli", "engine", "--config", str(self.file)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        before = self.pbx.cli("dialplan show globals")
        await self.until(self._connected)
        async with asyncio.timeout(PATIENCE):
            while self.pbx.cli("dialplan show globals") == before:
                await asyncio.sleep(0.05)

    async def _connected(self) -> bool | None:
        assert self.engine is not None
        assert self.engine.returncode is None, self.log_file.read_text()
        try:
            state = await self.ask("state")
        except EngineAway:
            return None
        return (all(node["connected"] for node in state["nodes"]) and bool(state["nodes"])) or None  # type: ignore[index, union-attr, call-overload]

    async def kill_engine(self) -> None:
        await self._signal(signal.SIGKILL)

    async def stop_engine(self) -> None:
        await self._signal(signal.SIGTERM)

    async def _signal(self, how: signal.Signals) -> None:
        if self.engine is not None and self.engine.returncode is None:
            self.engine.send_signal(how)
            await self.engine.wait()

    def freeze_engine(self) -> None:
        assert self.engine is not None
        self.engine.send_signal(signal.SIGSTOP)

    def thaw_engine(self) -> None:
        assert self.engine is not None
        self.engine.send_signal(signal.SIGCONT)

    @property
    def log_file(self) -> Path:
        return self.file.with_name("engine.log")

    async def ask(self, do: str, **fields: Json) -> JsonObject:
        """Over the control socket, as ``callcenter`` does."""
        return await ask(data_folder(self.pbx.settings).control_socket, self.pbx.secrets.control_token, do, 5.0, **fields)

    async def phases(self) -> dict[str, str]:
        """From caller to what the call is in the middle of."""
        state = json.loads(json.dumps(await self.ask("state")))
        return {call["caller"]: call["phase"] for call in state["calls"]}

    # --- what is kept ---------------------------------------------------------------------------

    def read(self) -> list[Fact]:
        """All facts so far, from the journal as the books read it."""
        for _, facts in read_facts(self.journal.read_all(), []):
            self.facts += facts
        return self.facts

    def all(self, kind: type[T], **same: object) -> list[T]:
        facts = self.read()
        return [fact for fact in facts if isinstance(fact, kind) and all(getattr(fact, key) == value for key, value in same.items())]

    async def fact(self, kind: type[T], number: int = 1, **same: object) -> T:
        """Wait for the ``number``-th such fact."""
        async with asyncio.timeout(PATIENCE):
            while len(found := self.all(kind, **same)) < number:
                await asyncio.sleep(0.03)
        return found[number - 1]

    async def until(self, holds: "Callable[[], Any]") -> None:
        """Look until it holds; it may be a coroutine function."""
        async with asyncio.timeout(PATIENCE):
            while True:
                value = holds()
                if asyncio.iscoroutine(value):
                    value = await value
                if value:
                    return
                await asyncio.sleep(0.05)

    # --- people ---------------------------------------------------------------------------------

    async def phone(self, agent: str, on_invite: InvitePolicy, **more: Any) -> Phone:
        """The agent's phone, registered; ``more`` is for ``Phone.start``."""
        account = load_secrets(self.pbx.settings.data, [agent]).phones[agent]
        phone = await self.stack.enter_async_context(
            await Phone.start(
                account.endpoint,
                server=("127.0.0.1", self.pbx.sip_port),
                password=account.password,
                tone=AGENT_TONES[agent],
                on_invite=on_invite,
                **more,
            )
        )
        await phone.register()
        return phone

    async def agent(self, name: str, on_invite: InvitePolicy, **more: Any) -> Phone:
        """The agent with her phone, logged in and ready."""
        phone = await self.phone(name, on_invite, **more)
        await self.ask("agent_login", agent=name)
        await self.until(lambda: self._ready(name))
        return phone

    async def _ready(self, name: str) -> bool:
        """The engine may not know yet that the phone is there; then she is ready as soon as it does."""
        state = json.loads(json.dumps(await self.ask("state")))
        agent = next(agent for agent in state["agents"] if agent["name"] == name)
        if agent["state"] not in ("logged_out", "not_ready"):
            return True  # a caller may have waited for her
        if agent["phone_reachable"]:
            await self.ask("agent_ready", agent=name)
        return False

    async def call(
        self,
        caller: str = "+12025550123",
        did: str = DID,
        *,
        tone: TonePair | None = CALLER_TONE,
        telephone_events: bool = True,
        **more: Any,
    ) -> Call:
        """A caller dials through the trunk, and is answered."""
        server = ("127.0.0.1", self.pbx.sip_port)
        carrier = await Phone.start("carrier-end", server=server, tone=tone, telephone_events=telephone_events)
        phone = await self.stack.enter_async_context(carrier)
        call = await phone.invite(did, **({"caller_id": caller} | more))
        return await call.answered()


@asynccontextmanager
async def running_center(*, beside: Mapping[str, bytes] | None = None, **tables: Any) -> AsyncIterator[RunningCenter]:
    """``tables`` of the settings replace those of ``raw_settings``; ``beside`` are files beside them, by their paths.

    Afterwards nothing of a call may be left in Asterisk.
    """
    with short_folder() as folder:
        for name, content in (beside or {}).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        raw = raw_settings(folder, **tables)
        file = toml_text.write(folder / "callcenter.toml", raw)
        async with asterisk_node(raw, file) as pbx:
            data_folder(pbx.settings).prepare()
            async with AsyncExitStack() as stack:
                center = RunningCenter(pbx, file, raw, stack, JournalReader(folder / "journal"))
                try:
                    await center.start_engine()
                    yield center
                    await stack.aclose()
                    await center.until(lambda: "\n0 active channels" in "\n" + pbx.cli("core show channels count"))
                    await center.until(lambda: len(pbx.cli("bridge show all").splitlines()) == 1)
                except BaseException:
                    print(center.log_file.read_text()[-6000:])
                    raise
                finally:
                    center.journal.close()
                    if center.engine is not None and center.engine.returncode is None:
                        center.thaw_engine()
                        await center.stop_engine()
