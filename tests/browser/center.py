"""What the browser tests act with: a center whose engine is scripted, and a screen in front of it."""

import asyncio
import os
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from playwright.async_api import BrowserContext, ConsoleMessage, Dialog, Error, Page

from callcenter.apps.people import add_person
from callcenter.domain.rights import Role
from callcenter.runtime import toml_text
from callcenter.runtime.data_folder import DataFolder
from callcenter.runtime.ports import free_ports
from callcenter.runtime.secrets import load_secrets
from callcenter.services.control import ControlServer, JsonObject
from callcenter.services.notices import NoticeRing
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
        notices: NoticeRing[str] = NoticeRing(lambda fact: {"fact": fact})
        self._engine = ControlServer(self._data.control_socket, secrets.control_token, self._answer, notices)
        self._web: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self.log: list[str] = []
        """All lines of the web process's log."""

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
        await self._engine.start()
        await add_person(self._database, "sue", PASSWORD, [Role.SUPERVISOR])
        await self.start_web()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop_web()
        await self._engine.stop()

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

    async def _answer(self, request: JsonObject) -> JsonObject:
        return {"queues": [], "agents": [], "calls": []}


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

    async def opens(self, path: str = "/account", name: str = "sue") -> Page:
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
