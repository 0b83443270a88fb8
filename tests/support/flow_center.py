"""A running engine with its control socket on a node that is not there, and flows that are published into it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from callcenter.apps.flow_uptake import take_up
from callcenter.domain.facts import Fact, FlowStarted
from callcenter.domain.ids import Ids
from callcenter.runtime.data_folder import DataFolder
from callcenter.runtime.secrets import load_secrets
from callcenter.runtime.settings import parse_text, read
from callcenter.services.clock import SteadyClock
from callcenter.services.control import ControlServer
from callcenter.services.desk import Desk
from callcenter.services.engine import Engine
from callcenter.services.journal import Journal
from callcenter.services.survival import restore_center
from callcenter.sim.fake_pbx import FakePbx
from callcenter.sim.fake_telephony import FakeTelephony, Wire
from callcenter.sim.virtual_loop import LoopTimeline


@dataclass
class FlowCenter:
    """As a test sees it."""

    file: Path
    engine: Engine
    pbx: FakePbx
    facts: list[Fact]

    async def until(self, so: Callable[[], bool], within: float = 20.0) -> None:
        """Something is the case, at the latest after so many seconds."""
        async with asyncio.timeout(within):
            while not so():
                await asyncio.sleep(0.005)

    async def call(self, did: str = "+18005550100") -> str:
        """Somebody calls and is inside the flow; returns the leg."""
        started = self.started
        leg = self.pbx.call_in(did)
        await self.until(lambda: bool(self.pbx.channels[leg].heard) and self.started > started)
        return leg

    @property
    def started(self) -> int:
        return sum(isinstance(fact, FlowStarted) for fact in self.facts)


@contextlib.asynccontextmanager
async def flow_center(file: Path, pbx: FakePbx | None = None) -> AsyncIterator[FlowCenter]:
    """Until the end of the block; what it kept is there for the next one, and so is who calls at the same ``pbx``."""
    text = read(file)
    settings = parse_text(text, file)
    folder = DataFolder(settings.data)
    folder.prepare()
    secrets = load_secrets(settings.data, [agent.name for agent in settings.agents])
    pbx = pbx or FakePbx("node1", LoopTimeline(asyncio.get_running_loop()), lambda event: None)
    pbx.prompt_length = timedelta(seconds=0.05)
    journal, clock, facts = Journal(settings.data / "journal"), SteadyClock(), list[Fact]()
    center, seq = restore_center(journal, settings.center_config(secrets.endpoints), Ids(f"flows-{clock.now()}"))
    engine = Engine(center, journal, clock, lambda seq, new: facts.extend(new))
    engine.seq = seq
    others = asyncio.all_tasks()
    asyncio.create_task(engine.run(FakeTelephony({"node1": Wire(pbx)}, engine.tell, engine.on_connect)))  # noqa: RUF006  # cancelled below, with all that it began

    async def flows() -> None:
        await take_up(engine, text, file, lambda settings: None)

    async def nothing() -> str:
        return ""

    server = ControlServer(folder.control_socket, secrets.control_token, Desk(engine, clock, nothing, dict, flows).handle)
    await server.start()
    try:
        yield FlowCenter(file, engine, pbx, facts)
    finally:
        await server.stop()
        ours = asyncio.all_tasks() - others
        for task in ours:
            task.cancel()
        await asyncio.gather(*ours, return_exceptions=True)
        pbx.fall_deaf()
        journal.close()
