"""A center behind its API: the production engine (on a PBX that is not there), a real PostgreSQL, and the web process itself.

with api_center(folder, url) as center:
    status, told = center.get("/agents/alice")
    center.post("/agents/alice/ready", token=center.tokens["alice"])
"""

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import Any, TypeVar

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.ledger import PostgresLedger
from callcenter.adapters.db.people import PostgresPeople
from callcenter.domain.audit import By
from callcenter.domain.center import Center
from callcenter.domain.facts import Fact
from callcenter.domain.ids import Ids
from callcenter.domain.rights import Right, Role, Scope
from callcenter.runtime.data_folder import DataFolder
from callcenter.runtime.ports import free_ports
from callcenter.runtime.secrets import load_secrets
from callcenter.runtime.settings import load
from callcenter.services.clock import SteadyClock
from callcenter.services.control import ControlServer
from callcenter.services.desk import Desk
from callcenter.services.engine import Engine
from callcenter.services.fact_codec import dump, encode
from callcenter.services.journal import Journal
from callcenter.services.ledger import Shipper
from callcenter.services.notices import NoticeRing
from callcenter.services.people.person import Person
from callcenter.services.people.signing import new_token
from callcenter.sim.fake_pbx import FakePbx
from callcenter.sim.fake_telephony import FakeTelephony, Wire
from callcenter.sim.virtual_loop import LoopTimeline

T = TypeVar("T")
TOML = """
[center]
name = "Example"
time_zone = "America/New_York"
[paths]
data = "{data}"
[database]
url = "{url}"
[web]
port = {port}
api_requests_per_second = 10000
[webhooks]
allow_private = true
[calling]
trunk = "carrier"
[[trunk]]
name = "carrier"
authentication = "address"
addresses = ["192.0.2.1"]
host = "192.0.2.1"
[[number]]
did = "+18005550100"
flow = "main"
[[queue]]
name = "support"
require = "english"
hours = "office"
voicemail = {{}}
callback = {{}}
lookup = "crm"
[[queue]]
name = "sales"
[[agent]]
name = "alice"
queues = ["support", "sales"]
skills = {{ english = 80, billing = 20 }}
[[agent]]
name = "bob"
queues = ["sales"]
[[caller_list]]
name = "vip"
priority = 10
entry = [{{ number = "+12025550100", reason = "a friend of the house" }}]
[calendar.office]
weekly = ["mon-sun 00:00-24:00"]
[dip.crm]
url = "http://127.0.0.1:{crm}/people/{{caller}}"
allow_private = true
attributes = {{ tier = "account.tier" }}
defaults = {{ tier = "unknown" }}
[flow.main]
start = "in"
node.in = {{ type = "queue", queue = "support" }}
"""
PEOPLE: Mapping[str, Person] = {
    "root": Person("root", "Root", frozenset({Role.ADMIN, Role.SUPERVISOR, Role.OPS})),
    "admin": Person("admin", "Admin", frozenset({Role.ADMIN})),
    "ops": Person("ops", "Ops", frozenset({Role.OPS})),
    "sue": Person("sue", "Sue", frozenset({Role.SUPERVISOR})),
    "sid": Person("sid", "Sid", frozenset({Role.SUPERVISOR}), scope=Scope(queues=frozenset({"sales"}))),
    "alice": Person("alice", "Alice", frozenset({Role.AGENT}), agent="alice"),
    "bob": Person("bob", "Bob", frozenset({Role.AGENT}), agent="bob", scope=Scope(queues=frozenset({"sales"}))),
}


@dataclass
class Told:
    """An answer."""

    status: int
    headers: HTTPMessage
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)


@dataclass
class ApiCenter:
    folder: Path
    url: str
    port: int
    crm: int
    """Where the other system is asked, when a test lets one listen there."""
    tokens: dict[str, str] = field(default_factory=dict)
    web: int = 0
    """The web process, while it runs."""

    @property
    def file(self) -> Path:
        return self.folder / "callcenter.toml"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def ask(self, method: str, path: str, body: object = None, *, who: str = "root", raw: bytes | None = None, **headers: str) -> Told:
        """One request; ``who`` empty: nobody is signed in. Header names are written with underscores."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if who:
            sent.setdefault("Authorization", f"Bearer {self.tokens.get(who, who)}")
        content = raw if raw is not None else None if body is None else json.dumps(body).encode()
        if content is not None:
            sent.setdefault("Content-Type", "application/json")
        connection = HTTPConnection("127.0.0.1", self.port, timeout=40)
        try:
            connection.request(method, path if path.startswith("/api") or not path.startswith("/") else f"/api/v1{path}", content, sent)
            answer = connection.getresponse()
            return Told(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path: str, who: str = "root", **headers: str) -> Told:
        return self.ask("GET", path, who=who, **headers)

    def post(self, path: str, body: object = None, who: str = "root", **headers: str) -> Told:
        return self.ask("POST", path, body, who=who, **headers)

    def with_database(self, work: Callable[[Any], Any]) -> Any:
        """Something of its own with PostgreSQL."""

        async def run() -> Any:
            engine = connect(self.url, name="test", statement_timeout=5.0)
            try:
                return await work(engine)
            finally:
                await engine.dispose()

        return asyncio.run(run())

    def happened(self, records: Sequence[Sequence[Fact]], journal: str) -> None:
        """In the books, as if the center had seen it."""
        written = Journal(self.folder / journal)
        for facts in records:
            written.append(facts)
        written.close()

        async def ship(engine: Any) -> None:
            shipper = Shipper(self.folder / journal, PostgresLedger(engine), dead_letters=self.folder)
            while await shipper.step():
                pass
            assert shipper.state(datetime.now(UTC)).dead_letters == 0

        self.with_database(ship)

    def ship_engine(self) -> None:
        """What the engine has seen so far goes into the books."""

        async def ship(engine: Any) -> None:
            shipper = Shipper(self.data / "journal", PostgresLedger(engine), dead_letters=self.folder)
            while await shipper.step():
                pass

        self.with_database(ship)


@contextmanager
def api_center(folder: Path, url: str) -> Iterator[ApiCenter]:
    """With people of each role, and a token of each by the name of the person."""
    port, crm = free_ports(2)
    center = ApiCenter(folder, url, port, crm)
    center.file.write_text(TOML.format(data=center.data, url=url, port=port, crm=crm))
    DataFolder(center.data).prepare()
    load_secrets(center.data, ["alice", "bob"])

    async def people(engine: Any) -> None:
        store, by = PostgresPeople(engine), By("test")
        for name, person in PEOPLE.items():
            assert await store.add(person, by)
            center.tokens[name], _ = await new_token(store, person, "test", frozenset(Right), timedelta(days=1), by, datetime.now(UTC))

    center.with_database(people)
    with _engine(center), _web(center):
        yield center


@contextmanager
def _engine(center: ApiCenter) -> Iterator[None]:
    """In a thread of its own, on a node that is not there."""
    up, down, loops = threading.Event(), asyncio.Event(), list[asyncio.AbstractEventLoop]()

    async def reload() -> str:
        return "nothing to reload"

    async def take_up_flows() -> None:
        """The files are what is looked at here; no calls come."""

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        wire = Wire(FakePbx("node1", LoopTimeline(loops[0]), lambda event: None))
        journal, clock = Journal(center.data / "journal"), SteadyClock()
        config = load(center.file).center_config({"alice": "phone-a", "bob": "phone-b"})
        notices: NoticeRing[Fact] = NoticeRing(encode, dump=dump)
        engine = Engine(Center(config, Ids("api")), journal, clock, notices.put, notices.change_rules)
        running = asyncio.create_task(engine.run(FakeTelephony({"node1": wire}, engine.tell, engine.on_connect)))
        token = load_secrets(center.data).control_token
        desk = Desk(engine, clock, reload, take_up_flows=take_up_flows)
        server = ControlServer(DataFolder(center.data).control_socket, token, desk.handle, notices)
        await server.start()
        up.set()
        await down.wait()
        await server.stop()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        journal.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert up.wait(30)
        yield
    finally:
        loops[0].call_soon_threadsafe(down.set)
        thread.join(30)


@contextmanager
def _web(center: ApiCenter) -> Iterator[None]:
    """The process itself."""
    log = center.folder / "web.log"
    with log.open("ab") as out:
        command = [sys.executable, "-m", "callcenter.apps.cli", "web", "--config", str(center.file)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    center.web = process.pid
    try:
        end = time.monotonic() + 60
        while not _answers(center.port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(20)


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
