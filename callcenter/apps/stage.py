"""A whole center of its own, for the demo and the benches: a data folder for the occasion, free ports, ``callcenter serve``.

What runs is what runs in production: the same processes, supervised by the same supervisor.
"""

import asyncio
import contextlib
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType

from callcenter.runtime import toml_text
from callcenter.runtime.data_folder import data_folder
from callcenter.runtime.ports import free_ports, rtp_ranges
from callcenter.runtime.postgres import EmbeddedPostgres
from callcenter.runtime.process import Process
from callcenter.runtime.secrets import Secrets, load_secrets
from callcenter.runtime.settings import Settings, parse
from callcenter.services.control import JsonObject
from callcenter.services.control_client import ControlClient, EngineAway, RequestRefused, ask

UP_WITHIN = 60.0


class StageError(Exception):
    """The center did not come up; the message says where its log is."""


def node_table(name: str = "node1", legs: int = 600) -> dict[str, object]:
    """A node on the loopback, on free ports, with room for so many legs."""
    sip, http, ami = free_ports(3)
    (rtp,) = rtp_ranges(1, 2 * legs)
    return {"name": name, "bind": "127.0.0.1", "sip_port": sip, "http_port": http, "ami_port": ami, "rtp_ports": rtp}


class Stage:
    """Use as an async context manager: inside it the center is up and its dialplan's guard is open."""

    def __init__(self, tables: Mapping[str, object], *, keep: bool = False, log: Path | None = None) -> None:
        """``tables`` are those of ``callcenter.toml`` without paths, node and web, which are given here unless they are set."""
        self.folder = Path(tempfile.mkdtemp(prefix="callcenter-"))
        self.folder.chmod(0o711)
        self.file = self.folder / "callcenter.toml"
        web_port, agi_port = free_ports(2)
        given: dict[str, object] = {
            "paths": {"data": str(self.folder / "data")},
            "node": [node_table()],
            "web": {"host": "127.0.0.1", "port": web_port},
            "engine": {"agi_port": agi_port},
        }
        self.tables = {**given, **tables}
        self.settings: Settings = parse(self.tables, self.file)
        toml_text.write(self.file, self.tables)
        self.secrets: Secrets = load_secrets(self.settings.data, [agent.name for agent in self.settings.agents])
        self.keep = keep
        self.log = log or self.folder / "serve.log"
        self.serve: subprocess.Popen[bytes] | None = None

    # --- life -----------------------------------------------------------------------------------

    async def __aenter__(self) -> "Stage":
        task = asyncio.current_task()
        if task is not None:  # who ends us ends the center too
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        try:
            self.start_serve()
            await self.until_up()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not (self.keep and kind is None):
            await self.close()

    def start_serve(self) -> None:
        """Start the supervisor; it adopts what runs already."""
        with self.log.open("ab") as log:
            self.serve = subprocess.Popen(
                [sys.executable, "-m", "callcenter.apps.cli", "serve", "--config", str(self.file), "--drain-seconds", "0"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    async def until_up(self, within: float = UP_WITHIN) -> None:
        """Return when the engine sees all nodes and the supervisor has started everything. Raises StageError."""
        try:
            async with asyncio.timeout(within):
                while not (await self._engine_sees_all_nodes() and self._all_started()):
                    if self.serve is not None and self.serve.poll() is not None:
                        raise StageError(f"'callcenter serve' ended with {self.serve.returncode}: {self.last_words()}")
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise StageError(f"the center is not up after {within:.0f} s: {self.last_words()}") from None

    async def close(self) -> None:
        """Stop everything and remove the folder."""
        if self.serve is not None and self.serve.poll() is None:
            self.serve.send_signal(signal.SIGTERM)
            try:
                await asyncio.to_thread(self.serve.wait, 40)
            except subprocess.TimeoutExpired:
                self.serve.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        return " / ".join(lines[-3:]) or "it said nothing"

    # --- asking ---------------------------------------------------------------------------------

    @property
    def server(self) -> tuple[str, int]:
        """Where phones and callers reach the (first) node."""
        return "127.0.0.1", self.settings.nodes[0].sip_port

    @property
    def database_url(self) -> str:
        return self.settings.database_url or EmbeddedPostgres(data_folder(self.settings).postgres).url()

    @property
    def recordings(self) -> Path:
        """Of the (first) node."""
        return self.settings.data / "nodes" / self.settings.nodes[0].name / "spool" / "recording"

    @contextlib.asynccontextmanager
    async def control(self) -> AsyncIterator[ControlClient]:
        async with ControlClient(data_folder(self.settings).control_socket, self.secrets.control_token) as client:
            yield client

    async def ask(self, do: str, **fields: str) -> JsonObject:
        """One question to the engine. Raises EngineAway, RequestRefused."""
        return await ask(data_folder(self.settings).control_socket, self.secrets.control_token, do, 5.0, **fields)

    async def _engine_sees_all_nodes(self) -> bool:
        try:
            state = await self.ask("state")
        except (EngineAway, RequestRefused):
            return False
        nodes = state.get("nodes")
        return isinstance(nodes, list) and bool(nodes) and all(isinstance(node, dict) and node.get("connected") for node in nodes)

    def _all_started(self) -> bool:
        return "is up." in (self.log.read_text(errors="replace") if self.log.exists() else "")

    def process(self, name: str) -> Process:
        """The running engine, books, web, or (by the name of a node) Asterisk. Raises StageError when it does not run."""
        found = Process.read(data_folder(self.settings).run / f"{name}.json")
        found = found or Process.read(self.settings.data / "nodes" / name / "asterisk.json")
        if found is None:
            raise StageError(f"there is no running process '{name}'")
        return found
