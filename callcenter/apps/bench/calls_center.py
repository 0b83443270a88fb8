"""The center of ``bench calls``: one Asterisk that serves the same agents twice, by our engine and by its own app_queue.

Numbers and extensions: ``OURS`` goes to our engine, ``PEER`` to ``Answer → Queue``; each once without and once with
two-channel recording. The peer is a piece of dialplan and a queue added to the very configuration that we ship.
"""

import asyncio
import contextlib
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from callcenter.runtime import toml_text
from callcenter.runtime.asterisk import AsteriskNode
from callcenter.runtime.data_folder import DataFolder, data_folder
from callcenter.runtime.ports import free_ports, rtp_ranges
from callcenter.runtime.postgres import EmbeddedPostgres
from callcenter.runtime.process import Process
from callcenter.runtime.program import Program
from callcenter.runtime.secrets import Phone, Secrets, load_secrets
from callcenter.runtime.settings import Settings, parse
from callcenter.services.control_client import ControlClient, EngineAway, RequestRefused, answers

AGENTS = 60
RECORDED = {False: "plain", True: "recorded"}
OURS = {False: "+12025550101", True: "+12025550102"}
PEER = {False: "7001", True: "7002"}
CONNECTED_WITHIN = 20.0

PEER_DIALPLAN = f"""
[inbound-carrier]
exten => {PEER[False]},1,Goto(bench,s,1)
exten => {PEER[True]},1,Goto(bench,recorded,1)
[bench]
exten => s,1,Answer()
 same => n,Queue(bench)
exten => recorded,1,Answer()
 same => n,MixMonitor(${{UNIQUEID}}.raw,D)
 same => n,Queue(bench)
"""
PEER_QUEUE = """
[bench]
strategy = leastrecent
musicclass = default
timeout = 15
retry = 1
wrapuptime = 0
ringinuse = no
joinempty = yes
"""


class CenterError(Exception):
    """The center of the bench did not come up."""


class _NodeWithPeer(AsteriskNode):
    """Our configuration, and in addition the peer's queue."""

    def write_files(self) -> tuple[str, ...]:
        modules = super().write_files()
        members = "".join(f"member => PJSIP/{phone.endpoint},0,{phone.endpoint}\n" for phone in self.secrets.phones.values())
        for name, addition in (("extensions.conf", PEER_DIALPLAN), ("queues.conf", PEER_QUEUE + members)):
            with (self.folder / "etc" / name).open("a") as file:
                file.write(addition)
        return modules


@dataclass(frozen=True, slots=True)
class Center:
    """A running one."""

    settings: Settings
    secrets: Secrets
    folder: DataFolder
    asterisk: int
    """Process ids, here and below."""
    engine: int
    books: int | None
    postgres: int | None
    control: ControlClient

    @property
    def sip_server(self) -> tuple[str, int]:
        return "127.0.0.1", self.settings.nodes[0].sip_port

    @property
    def phones(self) -> Sequence[Phone]:
        return [self.secrets.phones[agent.name] for agent in self.settings.agents]

    async def calls(self) -> int:
        """How many calls the engine holds now."""
        state = await self.control.ask("state")
        calls = state["calls"]
        return len(calls) if isinstance(calls, list) else 0


@contextlib.asynccontextmanager
async def center() -> AsyncIterator[Center]:
    """Run it in a temporary folder, on free ports; nothing is left of it afterwards. Raises CenterError."""
    place = _place()
    try:
        async with contextlib.AsyncExitStack() as stack:
            yield await _up(place, stack)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _place() -> Path:
    """Asterisk's and PostgreSQL's accounts must be able to pass through it."""
    place = Path(tempfile.mkdtemp(prefix="callcenter-bench-"))
    place.chmod(0o711)
    return place


async def _up(place: Path, stack: contextlib.AsyncExitStack) -> Center:
    file = place / "callcenter.toml"
    tables = _tables(place)
    settings = parse(tables, file)
    toml_text.write(file, tables)
    secrets = load_secrets(settings.data, [agent.name for agent in settings.agents])
    folder = data_folder(settings)
    folder.prepare()
    node = _NodeWithPeer(settings, secrets, settings.nodes[0], die_with_us=True)
    stack.push_async_callback(node.stop)
    await node.start()
    postgres = books = None
    if find_spec("callcenter.apps.books"):
        server = EmbeddedPostgres(folder.postgres)
        stack.push_async_callback(asyncio.to_thread, server.stop)
        await asyncio.to_thread(server.start)
        postgres = server.pid()
        books = (await _run(_program("books", file, folder), stack)).pid

    async def engine_answers() -> bool:
        return await answers(folder.control_socket, secrets.control_token)

    program = _program("engine", file, folder)
    program.question = engine_answers
    engine = await _run(program, stack)
    control = await stack.enter_async_context(ControlClient(folder.control_socket, secrets.control_token))
    await _connected(control, folder)
    assert node.process is not None
    return Center(settings, secrets, folder, node.process.pid, engine.pid, books, postgres, control)


def _program(name: str, file: Path, folder: DataFolder) -> Program:
    return Program(name, [sys.executable, "-m", "callcenter.apps.cli", name, "--config", str(file)], folder.run, folder.log)


async def _run(program: Program, stack: contextlib.AsyncExitStack) -> Process:
    stack.push_async_callback(program.stop, 10.0)
    return await program.start()


async def _connected(control: ControlClient, folder: DataFolder) -> None:
    with contextlib.suppress(TimeoutError, EngineAway, RequestRefused):
        async with asyncio.timeout(CONNECTED_WITHIN):
            while True:
                nodes = (await control.ask("state"))["nodes"]
                if isinstance(nodes, list) and nodes and all(isinstance(node, dict) and node.get("connected") for node in nodes):
                    return
                await asyncio.sleep(0.05)
    log = folder.log / "engine.log"
    words = log.read_text(errors="replace").strip().splitlines()[-1:] if log.exists() else []
    raise CenterError(f"the engine did not reach Asterisk; it says: {' '.join(words)[:500]}")


# --- the configuration ----------------------------------------------------------------------------


def _tables(place: Path) -> dict[str, object]:
    names = RECORDED.values()
    return {
        "center": {"name": "Bench", "time_zone": "UTC"},
        "paths": {"data": str(place / "data")},
        "node": [_node()],
        "trunk": [{"name": "carrier", "authentication": "address", "addresses": ["127.0.0.1"]}],
        "number": [{"did": OURS[recorded], "flow": name} for recorded, name in RECORDED.items()],
        "queue": [{"name": name, "wrap_up_s": 0, "record": recorded} for recorded, name in RECORDED.items()],
        "agent": [{"name": f"agent{number:03d}", "queues": list(names)} for number in range(AGENTS)],
        "flow": {name: {"start": "line", "node": {"line": {"type": "queue", "queue": name}}} for name in names},
    }


def _node() -> dict[str, object]:
    sip, http, ami = free_ports(3)
    (rtp,) = rtp_ranges(1, 2_000)
    return {"name": "bench", "bind": "127.0.0.1", "sip_port": sip, "http_port": http, "ami_port": ami, "rtp_ports": rtp}
