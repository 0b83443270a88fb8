"""``callcenter serve`` for real: everything comes up, outlives its supervisor, and ends without a trace."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from callcenter.runtime import toml_text
from callcenter.runtime.data_folder import DataFolder
from callcenter.runtime.postgres import EmbeddedPostgres
from callcenter.runtime.process import Process
from tests.support.asterisk import free_ports, raw_settings, short_folder

pytestmark = pytest.mark.pbx
SERVICES = ("asterisk node1", "postgres", "books", "dips", "recogniser", "engine", "webhooks", "web")
UP_WITHIN = 120


class Center:
    """A center in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o755)
        self.data = DataFolder(folder / "data")
        agi, self.web_port = free_ports(2)
        raw = raw_settings(self.data.root, engine={"agi_port": agi}, web={"port": self.web_port})
        self.file = folder / "callcenter.toml"
        toml_text.write(self.file, raw)

    @asynccontextmanager
    async def served(self) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, str]]]:
        """``callcenter serve``, up, and what it said of each service."""
        command = [sys.executable, "-m", "callcenter.apps.cli", "serve", "--config", str(self.file), "--drain-seconds", "5"]
        pipe = asyncio.subprocess.PIPE
        env = {name: value for name, value in os.environ.items() if name not in ("CALLCENTER_DATA", "CALLCENTER_DATABASE_URL")}
        serve = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=asyncio.subprocess.STDOUT, env=env)
        assert serve.stdout is not None
        said: dict[str, str] = {}
        try:
            async with asyncio.timeout(UP_WITHIN):
                lines: list[str] = []
                async for line in serve.stdout:
                    lines.append(line.decode().rstrip())
                    for service in SERVICES:
                        if lines[-1].startswith(f"{service} "):
                            said[service] = lines[-1].removeprefix(f"{service} ").split()[0]
                    if lines[-1].startswith("Ctrl-C"):
                        break
                else:
                    raise AssertionError("\n".join(lines))
            yield serve, said
        finally:
            if serve.returncode is None:
                serve.send_signal(signal.SIGTERM)
                await asyncio.wait_for(serve.communicate(), UP_WITHIN)

    def processes(self) -> dict[str, Process | None]:
        found = {
            name: Process.read(self.data.run / f"{name}.json") for name in ("books", "dips", "recogniser", "engine", "webhooks", "web")
        }
        found["asterisk"] = Process.read(self.data.nodes / "node1" / "asterisk.json")
        pid = EmbeddedPostgres(self.data.postgres).pid()
        found["postgres"] = Process.of(pid) if pid else None
        return found

    async def ready(self) -> bool:
        async with ClientSession() as browser, browser.get(f"http://127.0.0.1:{self.web_port}/readyz") as answer:
            return answer.status == 200

    async def until_ready(self) -> None:
        async with asyncio.timeout(UP_WITHIN):
            while not await self.ready():
                await asyncio.sleep(0.2)


@asynccontextmanager
async def center() -> AsyncIterator[Center]:
    """Nothing of it is left behind, whatever the test does to it."""
    with short_folder() as folder:
        made = Center(folder)
        try:
            yield made
        finally:
            for process in made.processes().values():
                if process is not None:
                    await process.end(10)


async def test_everything_outlives_a_killed_supervisor_and_ends_without_a_trace() -> None:
    async with center() as served:
        async with served.served() as (serve, said):
            assert said == dict.fromkeys(SERVICES, "started")
            await served.until_ready()
            began = served.processes()
            assert None not in began.values()
            serve.kill()
            await serve.wait()
        assert all(process is not None and process.is_running() for process in began.values())
        assert await served.ready()

        async with served.served() as (serve, said):
            assert said == dict.fromkeys(SERVICES, "adopted")
            assert served.processes() == began
        assert serve.returncode == 0
        assert set(served.processes().values()) == {None}
        assert not any(process is not None and process.is_running() for process in began.values())
