"""``callcenter bench consoles``: hundreds of consoles open, calls coming, and how soon a screen pop is on the screen.

The engine, the web process and PostgreSQL are real, each a process of its own; only the node is not (``FakePbx`` in real time, in this
process). All consoles but one are WebSocket clients of another process; the last one is a page in a real Chromium, whose agent has a
queue of her own, so that she is offered a contact every other second. The page is the agent's console as agents have it. A screen pop
counts from the offer's date, which the engine writes, until the page has painted it: after it was put there, the second frame begins.
"""

import asyncio
import json
import logging
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import structlog
from rich.console import Console

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.migrate import migrate
from callcenter.adapters.db.people import PostgresPeople
from callcenter.apps.bench.cpu import cpu_ms
from callcenter.apps.bench.fake_center import FakeCenter, FakeCenterError
from callcenter.domain.audit import By
from callcenter.domain.rights import Role
from callcenter.runtime.postgres import EmbeddedPostgres
from callcenter.services.people.passwords import Passwords
from callcenter.services.people.person import Person
from callcenter.services.people.signing import Signing
from callcenter.sim.fake_pbx import Phone

LAG_P99_MS, WEB_SHARE, POP_P99_MS = 20.0, 1.0, 300.0
"""The gate."""
TALK_S = (2.0, 6.0)
WRAP_UP_S = 5.0
POP_EVERY_S = 2.0
WALLBOARDS_OF = 10
"""One of so many consoles has a wallboard open beside it."""
SETTLE_S = 5.0
LOG_IN_AT_ONCE = 10
DID, OWN_DID = "+12025550100", "+12025550101"
OWN = "agent0000"
"""Whose console the real page is."""

WATCH = """
    window.pops = [];
    const offers = new Map();
    const Socket = window.WebSocket;
    window.WebSocket = class extends Socket {
        constructor(...given) {
            super(...given);
            this.addEventListener("message", ({ data }) => {
                const told = JSON.parse(data);
                if (told.event === "offer") offers.set(told.contact.contact, told.contact.offered_at);
                if (told.event === "picture") window.isOpen = true;
            });
        }
    };
    const look = () => {
        const offered = offers.get(document.body.dataset.popped);
        if (offered === undefined) return;
        offers.delete(document.body.dataset.popped);
        requestAnimationFrame(() => requestAnimationFrame(() => window.pops.push(Date.now() - Date.parse(offered))));
    };
    document.addEventListener("DOMContentLoaded", () => {
        new MutationObserver(look).observe(document.body, { attributes: true, attributeFilter: ["data-popped"] });
    });
"""
"""The agent's console says on its body which contact it has put on the screen; the next frame but one has painted it."""


class BenchError(Exception):
    """It could not be measured; the sentence says why."""


@dataclass(slots=True)
class Findings:
    """What came of it. Spans are milliseconds, shares are of one core."""

    consoles: int
    calls_per_second: float
    seconds: float = 0.0
    calls: int = 0
    pops: list[float] = field(default_factory=list)
    """In Chromium."""
    sockets: list[float] = field(default_factory=list)
    """At the WebSocket clients."""
    answers: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    web_cpu_share: float = 0.0
    engine_cpu_share: float = 0.0
    client_cpu_share: float = 0.0
    lost: int = 0
    errors: list[str] = field(default_factory=list)
    wallboards: int = 0

    @property
    def passed(self) -> bool:
        return (
            bool(self.pops)
            and p99(self.pops) < POP_P99_MS
            and p99(self.lags) < LAG_P99_MS
            and self.web_cpu_share < WEB_SHARE
            and not self.lost
        )

    def as_json(self) -> dict[str, object]:
        return {
            "consoles": self.consoles,
            "wallboards": self.wallboards,
            "calls_per_second": self.calls_per_second,
            "calls": self.calls,
            "seconds": round(self.seconds, 1),
            "pop_p50_ms": round(quantile(self.pops, 0.5), 1),
            "pop_p99_ms": round(p99(self.pops), 1),
            "pops": len(self.pops),
            "socket_p50_ms": round(quantile(self.sockets, 0.5), 1),
            "socket_p99_ms": round(p99(self.sockets), 1),
            "socket_pops": len(self.sockets),
            "answer_p99_ms": round(p99(self.answers), 1),
            "loop_lag_p99_ms": round(p99(self.lags), 2),
            "loop_lag_most_ms": round(max(self.lags, default=0.0), 1),
            "web_cpu_share": round(self.web_cpu_share, 3),
            "engine_cpu_share": round(self.engine_cpu_share, 3),
            "client_cpu_share": round(self.client_cpu_share, 3),
            "lost": self.lost,
            "errors": self.errors,
            "gate": f"pop p99 < {POP_P99_MS:.0f} ms, loop lag p99 < {LAG_P99_MS:.0f} ms, web < {WEB_SHARE:.0f} core, no console lost",
            "passed": self.passed,
        }


def quantile(values: Sequence[float], q: float) -> float:
    """Nearest rank; 0 of nothing."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(q * len(ranked)))] if ranked else 0.0


def p99(values: Sequence[float]) -> float:
    return quantile(values, 0.99)


def tables(consoles: int) -> dict[str, object]:
    """One queue for all, and one for the page in Chromium."""
    line = {"start": "q", "node": {"q": {"type": "queue", "queue": "support"}}}
    own = {"start": "q", "node": {"q": {"type": "queue", "queue": "own"}}}
    return {
        "center": {"name": "Bench", "time_zone": "UTC"},
        "queue": [
            {"name": "support", "wrap_up_s": WRAP_UP_S, "record": False},
            {"name": "own", "wrap_up_s": 0, "record": False},
        ],
        "agent": [{"name": OWN, "queues": ["own"]}] + [{"name": f"agent{n:04d}", "queues": ["support"]} for n in range(1, consoles)],
        "number": [{"did": DID, "flow": "line"}, {"did": OWN_DID, "flow": "own"}],
        "flow": {"line": line, "own": own},
    }


class _Bench:
    """One run, in a center that is up."""

    def __init__(self, center: FakeCenter, consoles: int, rate: float, seconds: float, say: Callable[[str], None]) -> None:
        self._center, self._seconds, self._say = center, seconds, say
        self._chance = random.Random(1)
        self.found = Findings(consoles, rate, wallboards=consoles // WALLBOARDS_OF)
        self._agents = [agent.name for agent in center.settings.agents]

    async def run(self) -> None:
        self._say("people sign in")
        cookies = await self._sign_in()
        for account in self._center.secrets.phones.values():
            self._center.pbx.phones[account.endpoint] = Phone(answers_after=lambda: timedelta(seconds=self._chance.uniform(0.5, 1.5)))
        await self._log_in()
        self._say("consoles open")
        clients = await self._open(cookies[1:])
        try:
            async with _page(self._center.address, cookies[0]) as page:
                await self._measure(clients, page)
        finally:
            if clients.returncode is None:
                clients.kill()
                await clients.wait()

    async def _sign_in(self) -> list[str]:
        """A session for each, without the half second that each password would take."""
        database = connect(self._center.database_url, name="bench")
        signing = Signing(PostgresPeople(database), Passwords())
        try:
            cookies = []
            for name in self._agents:
                person = Person(f"p-{name}", name, frozenset({Role.AGENT, Role.SUPERVISOR}), agent=name)
                await signing.store.add(person, By("bench", "bench"))
                opened = await signing.open(person, "127.0.0.1", "bench", "bench")
                cookies.append(f"callcenter={opened.secret}")
            return cookies
        finally:
            signing.passwords.close()
            await database.dispose()

    async def _log_in(self) -> None:
        for few in (self._agents[begin : begin + LOG_IN_AT_ONCE] for begin in range(0, len(self._agents), LOG_IN_AT_ONCE)):
            await asyncio.gather(*(self._center.agent_ready(name) for name in few))

    async def _open(self, cookies: list[str]) -> asyncio.subprocess.Process:
        """Return when all are open. Raises BenchError."""
        file = self._center.folder / "cookies.json"
        await asyncio.to_thread(file.write_text, json.dumps({"cookies": cookies, "wallboards": self.found.wallboards}))
        command = (sys.executable, "-m", "callcenter.apps.bench.console_clients", self._center.address, str(file))
        clients = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, limit=1 << 26)
        assert clients.stdout is not None
        async with asyncio.timeout(120):
            if await clients.stdout.readline() != b"open\n":
                raise BenchError("the consoles could not be opened")
        return clients

    async def _measure(self, clients: asyncio.subprocess.Process, page: Any) -> None:
        assert self._center.web is not None
        assert self._center.engine is not None
        calling = asyncio.create_task(self._call())
        await asyncio.sleep(SETTLE_S)
        await page.evaluate("() => { window.pops.length = 0; }")
        pids = {"web": self._center.web.pid, "engine": self._center.engine.pid, "client": clients.pid}
        self._center.engine.send_signal(signal.SIGUSR1)
        before, began = {name: cpu_ms(pid) for name, pid in pids.items()}, monotonic()
        self._say(f"measuring for {self._seconds:.0f} s")
        await asyncio.sleep(self._seconds)
        self.found.seconds = monotonic() - began
        shares = {name: (cpu_ms(pid) - before[name]) / 1000 / self.found.seconds for name, pid in pids.items()}
        self.found.web_cpu_share, self.found.engine_cpu_share = shares["web"], shares["engine"]
        self.found.client_cpu_share = shares["client"]
        self.found.pops = [float(pop) for pop in await page.evaluate("() => window.pops")]
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)
        clients.send_signal(signal.SIGTERM)
        assert clients.stdout is not None
        told = json.loads(await clients.stdout.readline())
        self.found.sockets, self.found.answers = told["pops"], told["answers"]
        self.found.lost, self.found.errors = told["lost"], told["errors"]

    async def _call(self) -> None:
        """So many calls a second, evenly; and one every other second for the page."""
        loop = asyncio.get_running_loop()
        began, number, own = loop.time(), 0, 0
        while True:
            now = loop.time() - began
            while number < now * self.found.calls_per_second:
                number += 1
                self._caller(DID, number)
            while own * POP_EVERY_S < now:
                own += 1
                self._caller(OWN_DID, 5_000_000 + own, talks=0.3)
            await asyncio.sleep(0.01)

    def _caller(self, did: str, number: int, talks: float | None = None) -> None:
        """Hangs up after the talk, or when nobody has answered for long."""
        self.found.calls += 1
        leg = self._center.pbx.call_in(did, f"+1202{number:07d}")
        lasts = self._chance.uniform(*TALK_S) if talks is None else 1.6 + talks
        asyncio.get_running_loop().call_later(lasts, self._center.pbx.party_hangs_up, leg)


class _page:
    """A page in Chromium that is signed in."""

    def __init__(self, address: str, cookie: str) -> None:
        self._address, self._cookie = address, cookie

    async def __aenter__(self) -> Any:
        program = shutil.which("chromium")
        try:
            from playwright.async_api import async_playwright
        except ImportError:
            raise BenchError("Playwright is missing: run 'scripts/setup.sh --tests'") from None
        if program is None:
            raise BenchError("Chromium is missing: run 'scripts/setup.sh --tests', which installs Debian's package chromium")
        self._playwright = await async_playwright().start()
        self._browser = await self._playwright.chromium.launch(
            executable_path=program, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        context = await self._browser.new_context()
        name, _, secret = self._cookie.partition("=")
        await context.add_cookies([{"name": name, "value": secret, "url": self._address}])
        page = await context.new_page()
        await page.add_init_script(WATCH)
        await page.goto(f"{self._address}/agent")
        await page.wait_for_function("() => window.isOpen")  # a function: the page lets no text be evaluated
        return page

    async def __aexit__(self, *unused: object) -> None:
        await self._browser.close()
        await self._playwright.stop()


def run(consoles: int, rate: float, seconds: float, as_json: bool) -> bool:
    """The command's body; whether the gate was passed. Raises BenchError, FakeCenterError, PostgresError."""
    console = Console(stderr=True, highlight=False)
    with console.status("starting") as status:
        found = asyncio.run(_measured(consoles, rate, seconds, lambda words: status.update(words)))
    if as_json:
        print(json.dumps(found.as_json(), indent=2))
    else:
        for name, value in found.as_json().items():
            print(f"{name:>18}  {value}")
    return found.passed


async def _measured(consoles: int, rate: float, seconds: float, say: Callable[[str], None]) -> Findings:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    folder = await asyncio.to_thread(_folder)
    postgres = EmbeddedPostgres(folder / "postgres")
    try:
        say("starting PostgreSQL, engine and web")
        await asyncio.to_thread(postgres.start)
        await asyncio.to_thread(migrate, postgres.url())
        async with FakeCenter(folder, tables(consoles), postgres.url()) as center:
            bench = _Bench(center, consoles, rate, seconds, say)
            await bench.run()
        bench.found.lags = json.loads(await asyncio.to_thread(center.lags.read_text))
        return bench.found
    finally:
        await asyncio.to_thread(postgres.stop)
        await asyncio.to_thread(shutil.rmtree, folder, True)


def _folder() -> Path:
    """Which PostgreSQL's account may enter."""
    folder = Path(tempfile.mkdtemp(prefix="cc-consoles-"))
    folder.chmod(0o755)
    return folder


ERRORS = (BenchError, FakeCenterError)
