"""The command ``callcenter`` with an engine behind it: a real control socket, the production desk and engine, a node that is not there."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from callcenter.domain.center import Center
from callcenter.domain.ids import Ids
from callcenter.runtime.data_folder import DataFolder
from callcenter.runtime.secrets import load_secrets
from callcenter.runtime.settings import load
from callcenter.services.clock import SteadyClock
from callcenter.services.control import ControlServer
from callcenter.services.desk import Desk
from callcenter.services.engine import Engine
from callcenter.services.journal import Journal
from callcenter.sim.fake_pbx import FakePbx
from callcenter.sim.fake_telephony import FakeTelephony, Wire
from callcenter.sim.virtual_loop import LoopTimeline


@contextmanager
def engine_behind_the_command(text: str, folder: Path, environment: pytest.MonkeyPatch) -> Iterator[None]:
    """``text`` is callcenter.toml, with one agent, alice. The engine runs in a thread of its own."""
    data = folder / "data"
    environment.setenv("CALLCENTER_DATA", str(data))
    file = folder / "callcenter.toml"
    file.write_text(text)
    environment.setenv("CALLCENTER_CONFIG", str(file))
    DataFolder(data).prepare()
    up, down, loops = threading.Event(), asyncio.Event(), list[asyncio.AbstractEventLoop]()

    async def nothing() -> str:
        return ""

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        wire = Wire(FakePbx("node1", LoopTimeline(loops[0]), lambda event: None))
        journal, clock = Journal(folder / "journal"), SteadyClock()
        engine = Engine(Center(load(file).center_config({"alice": "a"}), Ids("cli")), journal, clock)
        running = asyncio.create_task(engine.run(FakeTelephony({"node1": wire}, engine.tell, engine.on_connect)))
        server = ControlServer(DataFolder(data).control_socket, load_secrets(data).control_token, Desk(engine, clock, nothing).handle)
        await server.start()
        up.set()
        await down.wait()
        await server.stop()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        journal.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert up.wait(30)
    try:
        yield
    finally:
        loops[0].call_soon_threadsafe(down.set)
        thread.join(30)
