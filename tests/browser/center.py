"""What the browser tests act with: a center whose engine is scripted, and a screen in front of it."""

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType

from playwright.async_api import BrowserContext, ConsoleMessage, Dialog, Error, Page

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.ledger import PostgresLedger
from callcenter.apps.people import add_person
from callcenter.domain.facts import Fact
from callcenter.domain.rights import Role
from callcenter.runtime import toml_text
from callcenter.runtime.data_folder import DataFolder
from callcenter.runtime.ports import free_ports
from callcenter.runtime.secrets import load_secrets
from callcenter.services.control import ControlServer, Json, JsonObject
from callcenter.services.journal import Journal
from callcenter.services.ledger import Shipper
from callcenter.services.notices import NoticeRing
from tests.support.day import abandoned_call, answered_call
from tests.support.people import PASSWORD

NAME = "Example <i>Center</i> & Sons"


def noon_zone(now: datetime) -> str:
    """A zone in which it is about noon, so that today does not end while a test looks."""
    return f"Etc/GMT{now.astimezone(UTC).hour - 12:+d}"


class Center:
    """Use as an async context manager: inside it the web process answers at ``address``."""

    def __init__(self, folder: Path, database: str) -> None:
        self._data = DataFolder(folder / "data")
        self._data.prepare()
        self._database = self.database = database
        secrets = load_secrets(self._data.root, ["alice", "bob"])
        (self._port,) = free_ports(1)
        self.address = f"http://127.0.0.1:{self._port}"
        self._config = folder / "callcenter.toml"
        toml_text.write(self._config, self._tables())
        self.picture: JsonObject = {}
        self._notices: NoticeRing[str] = NoticeRing(lambda fact: {"fact": fact})
        self._engine = ControlServer(self._data.control_socket, secrets.control_token, self._answer, self._notices)
        self._engine_up = False
        self._web: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self.log: list[str] = []
        """All lines of the web process's log."""
        self._journal = Journal(folder / "journal")
        self._shipper: Shipper | None = None

    def _tables(self) -> dict[str, object]:
        return {
            "center": {"name": NAME, "time_zone": noon_zone(datetime.now(UTC))},
            "paths": {"data": str(self._data.root)},
            "web": {"host": "127.0.0.1", "port": self._port},
            "node": [{"name": "node1"}],
            "trunk": [{"name": "carrier", "authentication": "address", "addresses": ["127.0.0.1"]}],
            "queue": [{"name": "support"}, {"name": "sales"}],
            "agent": [{"name": "alice", "queues": ["support"]}, {"name": "bob", "queues": ["support", "sales"]}],
        }

    async def __aenter__(self) -> "Center":
        await self.as_at_first()
        self._store = connect(self._database, name="test")
        self._shipper = Shipper(self._data.root.parent / "journal", PostgresLedger(self._store), dead_letters=self._data.root.parent)
        hour_ago = datetime.now(UTC) - timedelta(hours=1)
        await self.keeps(*answered_call("c1", hour_ago, "alice"), *abandoned_call("c2", hour_ago, wait=40))
        await add_person(self._database, "sue", PASSWORD, [Role.SUPERVISOR])
        await self.start_web()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop_web()
        await self._engine.stop()
        self._journal.close()
        await self._store.dispose()

    # --- the web process ------------------------------------------------------------------------

    async def start_web(self) -> None:
        """Return when it answers."""
        environment = {**os.environ, "CALLCENTER_DATA": str(self._data.root), "CALLCENTER_DATABASE_URL": self._database}
        command = [sys.executable, "-m", "callcenter.apps.cli", "web", "--config", str(self._config)]
        self._web = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE, env=environment)
        up = asyncio.Event()
        self._reading = asyncio.create_task(self._read(self._web, up))
        async with asyncio.timeout(60):
            await up.wait()
        assert self._web.returncode is None, self.log

    async def _read(self, web: asyncio.subprocess.Process, up: asyncio.Event) -> None:
        assert web.stderr is not None
        async for line in web.stderr:
            self.log.append(line.decode())
            if "web_up" in self.log[-1]:
                up.set()
        up.set()

    async def stop_web(self) -> None:
        """By SIGTERM, as the supervisor does."""
        if self._web is not None and self._reading is not None:
            self._web.terminate()
            async with asyncio.timeout(60):
                await self._web.wait()
                await self._reading
            assert self._web.returncode == 0, self.log
            self._web = None

    # --- what happens in the center -------------------------------------------------------------

    async def _answer(self, request: JsonObject) -> JsonObject:
        return self.picture

    async def as_at_first(self) -> None:
        """The engine is there; alice talks, bob is not ready, one caller waits."""
        self.picture = picture([person("c2", "+15551234567")], [person("k1", "+15557654321")])
        await self.engine_comes()
        self.happens()

    async def engine_comes(self) -> None:
        if not self._engine_up:
            await self._engine.start()
        self._engine_up = True

    async def engine_leaves(self) -> None:
        await self._engine.stop()
        self._engine_up = False

    def happens(self) -> None:
        """The engine tells those who listen that its picture has changed."""
        self._notices.put(self._notices.seq + 1, ["something"])

    async def keeps(self, *facts: Sequence[Fact]) -> None:
        """These facts reach PostgreSQL."""
        assert self._shipper is not None
        for event in facts:
            self._journal.append(event)
        await self._journal.sync()
        while await self._shipper.step():
            pass


# --- the engine's picture --------------------------------------------------------------------------


def person(id_: str, caller: str) -> JsonObject:
    return {"id": id_, "caller": caller}


def ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def picture(waiting: Sequence[JsonObject], talking: Sequence[JsonObject], *, alice: str = "talking") -> JsonObject:
    """The center of this moment: who waits for ``support``, and who talks to alice there."""
    line: list[Json] = [{"contact": one["id"], "caller": one["caller"], "since": ago(65), "priority": 0} for one in waiting]
    longest = ago(65) if line else None
    support: JsonObject = {"name": "support", "waiting": len(line), "ready": 0, "logged_in": 2, "longest_wait_since": longest, "line": line}
    sales: JsonObject = {"name": "sales", "waiting": 0, "ready": 0, "logged_in": 1, "longest_wait_since": None, "line": []}
    agents = [("alice", alice, "", ["support"], True), ("bob", "not_ready", "missed_offer", ["support", "sales"], False)]
    return {
        "seq": 12,
        "at": datetime.now(UTC).isoformat(),
        "nodes": [{"name": "node1", "connected": True, "since": ago(4000), "calls": len(talking)}],
        "queues": [sales, support],
        "agents": [
            {"name": name, "state": state, "reason": reason, "since": ago(30), "queues": list(queues), "phone_reachable": reachable}
            for name, state, reason, queues, reachable in agents
        ],
        "calls": [
            {
                "call": one["id"],
                "caller": one["caller"],
                "dialed": "+18005550100",
                "began_at": ago(100),
                "phase": "talking",
                "queue": "support",
                "agent": "alice",
                "since": ago(30),
            }
            for one in talking
        ],
    }


# --- the screen ------------------------------------------------------------------------------------


@dataclass
class Screen:
    """One browser window, and everything it complained about."""

    page: Page
    address: str
    folder: Path
    complaints: list[str] = field(default_factory=list)

    @classmethod
    async def make(cls, context: BrowserContext, address: str, folder: Path) -> "Screen":
        screen = cls(await context.new_page(), address, folder)
        screen.page.on("console", screen._console)
        screen.page.on("pageerror", screen._error)
        screen.page.on("dialog", screen._dialog)
        return screen

    def _console(self, message: ConsoleMessage) -> None:
        """Violations of the content security policy are told here too."""
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _error(self, error: Error) -> None:
        self.complaints.append(f"uncaught: {error}")

    async def _dialog(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        await dialog.dismiss()

    async def opens(self, path: str = "/live", name: str = "sue") -> Page:
        """Sign in, and be led to the page."""
        await self.page.goto(f"{self.address}{path}")
        await self.signs_in(name)
        await self.page.wait_for_url(f"{self.address}{path}")
        return self.page

    async def signs_in(self, name: str = "sue", password: str = PASSWORD) -> None:
        """By the form, which must be on the screen."""
        await self.page.locator("#name").fill(name)
        await self.page.locator("#password").fill(password)
        await self.page.keyboard.press("Enter")
