"""The end of ``callcenter serve``: calls may end by themselves first, unless nobody wants to wait."""

import asyncio
import io
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console

from callcenter.apps.serve import _drain
from callcenter.runtime.data_folder import DataFolder
from callcenter.runtime.secrets import Secrets
from callcenter.services.control import ControlServer, JsonObject


class Engine:
    """Has so many calls left each time it is asked to drain; the last number stays."""

    def __init__(self, *calls: int) -> None:
        self.calls = list(calls)
        self.asked = asyncio.Event()

    async def answer(self, request: JsonObject) -> Mapping[str, object]:
        assert request["do"] == "drain"
        self.asked.set()
        return {"calls": self.calls.pop(0) if len(self.calls) > 1 else self.calls[0]}


@asynccontextmanager
async def draining(folder: Path, engine: Engine, seconds: float) -> AsyncIterator[tuple["asyncio.Task[None]", asyncio.Event, io.StringIO]]:
    data, secrets, told, hurry = DataFolder(folder), Secrets(), io.StringIO(), asyncio.Event()
    server = ControlServer(data.control_socket, secrets.control_token, engine.answer)
    await server.start()
    async with asyncio.timeout(60):
        yield asyncio.create_task(_drain(data, secrets, seconds, hurry, Console(file=told))), hurry, told
    await server.stop()


async def test_it_ends_when_the_last_call_has_ended(tmp_path: Path) -> None:
    engine = Engine(1, 0)
    async with draining(tmp_path, engine, 3600) as (drain, _, told):
        await drain
    assert "Calls still on: 1" in told.getvalue()


async def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    engine = Engine(2)
    async with draining(tmp_path, engine, 3600) as (drain, hurry, _):
        await engine.asked.wait()
        hurry.set()
        await drain


async def test_it_does_not_wait_for_ever(tmp_path: Path) -> None:
    async with draining(tmp_path, Engine(2), 0.05) as (drain, _, _told):
        await drain


async def test_without_an_engine_there_is_nothing_to_wait_for(tmp_path: Path) -> None:
    async with asyncio.timeout(60):
        await _drain(DataFolder(tmp_path), Secrets(), 3600, asyncio.Event(), Console(file=io.StringIO()))
