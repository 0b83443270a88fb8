"""A whole center without Asterisk, in real time: a node that is not there (``FakePbx``, in this process), and beside it the engine and web
as processes of their own, as in production. For benches of what is live, and for tests in browsers.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from callcenter.apps.bench.fake_node import FakeNodeServer
from callcenter.runtime import toml_text
from callcenter.runtime.data_folder import data_folder
from callcenter.runtime.ports import free_ports
from callcenter.runtime.secrets import load_secrets
from callcenter.runtime.settings import parse
from callcenter.services.control import Json, JsonObject
from callcenter.services.control_client import answers, ask
from callcenter.sim.fake_pbx import FakePbx
from callcenter.sim.virtual_loop import LoopTimeline

STARTS_WITHIN = 60.0
STOPS_WITHIN = 30.0


class FakeCenterError(Exception):
    """It did not come up; the sentence says what its log says."""


class FakeCenter:
    """Use as an async context manager: inside it the center is up."""

    def __init__(self, folder: Path, tables: Mapping[str, object], database_url: str) -> None:
        """``tables`` are those of ``callcenter.toml`` without paths, node, trunk and web."""
        (port,) = free_ports(1)
        given: dict[str, object] = {
            "paths": {"data": str(folder / "data")},
            "web": {"host": "127.0.0.1", "port": port},
            "node": [{"name": "node1"}],
            "trunk": [{"name": "carrier", "authentication": "address", "addresses": ["127.0.0.1"]}],
        }
        self.folder, self.file, self.database_url = folder, folder / "callcenter.toml", database_url
        self.address = f"http://127.0.0.1:{port}"
        self.settings = parse({**given, **tables}, self.file)
        toml_text.write(self.file, {**given, **tables})
        data_folder(self.settings).prepare()
        self.secrets = load_secrets(self.settings.data, [agent.name for agent in self.settings.agents])
        self.engine: asyncio.subprocess.Process | None = None
        self.web: asyncio.subprocess.Process | None = None
        self._node: FakeNodeServer
        self.pbx: FakePbx

    @property
    def log(self) -> Path:
        return self.folder / "center.log"

    @property
    def lags(self) -> Path:
        """How late the engine's loop was, in milliseconds, once it has stopped."""
        return self.folder / "lags.json"

    async def __aenter__(self) -> "FakeCenter":
        loop = asyncio.get_running_loop()
        self.pbx = FakePbx("node1", LoopTimeline(loop, _when_the_loop_began(loop)), lambda event: None)
        self._node = FakeNodeServer(self.pbx, self.folder / "node")
        await self._node.__aenter__()
        try:
            await self.start_engine()
            await self.start_web()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        await self.stop_web()
        await self.stop_engine()
        await self._node.__aexit__()

    # --- processes ------------------------------------------------------------------------------

    async def start_engine(self) -> None:
        """Return once it sees its node."""
        before = self._node.beats
        node, lags = str(self.folder / "node"), str(self.lags)
        self.engine = await self._run("-m", "callcenter.apps.bench.fake_center_engine", str(self.file), node, lags)
        await self._until(self.engine, lambda: self._node.beats > before)
        socket, token = data_folder(self.settings).control_socket, self.secrets.control_token
        async with asyncio.timeout(STARTS_WITHIN):
            while not await answers(socket, token):
                await asyncio.sleep(0.02)

    async def stop_engine(self, how: signal.Signals = signal.SIGTERM) -> None:
        await _stop(self.engine, how)

    async def start_web(self) -> None:
        """Return when it answers."""
        self.web = await self._run("-m", "callcenter.apps.cli", "web", "--config", str(self.file))
        before = self.log.read_text(errors="replace").count("web_up") if self.log.exists() else 0
        await self._until(self.web, lambda: self.log.read_text(errors="replace").count("web_up") > before)

    async def stop_web(self, how: signal.Signals = signal.SIGTERM) -> None:
        await _stop(self.web, how)

    async def _run(self, *command: str) -> asyncio.subprocess.Process:
        environment = {**os.environ, "CALLCENTER_DATA": str(self.settings.data), "CALLCENTER_DATABASE_URL": self.database_url}
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable, *command, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, env=environment
            )

    async def _until(self, process: asyncio.subprocess.Process, holds: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(STARTS_WITHIN):
                while not holds():
                    if process.returncode is not None:
                        raise FakeCenterError(f"a process ended with {process.returncode}: {self.last_words()}")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise FakeCenterError(f"not up after {STARTS_WITHIN:.0f} s: {self.last_words()}") from None

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        return " / ".join(lines[-3:]) or "it said nothing"

    # --- acting ---------------------------------------------------------------------------------

    async def ask(self, do: str, **fields: Json) -> JsonObject:
        """An operation of the engine's. Raises EngineAway, RequestRefused."""
        return await ask(data_folder(self.settings).control_socket, self.secrets.control_token, do, 10.0, **fields)

    async def agent_ready(self, name: str) -> None:
        await self.ask("agent_login", agent=name)
        await self.ask("agent_ready", agent=name)


async def _stop(process: asyncio.subprocess.Process | None, how: signal.Signals) -> None:
    if process is None or process.returncode is not None:
        return
    process.send_signal(how)
    try:
        async with asyncio.timeout(STOPS_WITHIN):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _when_the_loop_began(loop: asyncio.AbstractEventLoop) -> datetime:
    """The wall clock's date of the loop's zero, so that the node's dates are those of everybody else."""
    return datetime.fromtimestamp(datetime.now(UTC).timestamp() - loop.time(), UTC)
