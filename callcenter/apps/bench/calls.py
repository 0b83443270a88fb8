"""``callcenter bench calls``: what a whole call costs, ours against app_queue's, and how soon a free agent's phone rings.

One run on one machine: the same Asterisk with the same configuration, the same phones, callers, rate and length of
talk; the two take turns (A B B A), so that drift of the machine falls on both. CPU is that of the whole process from
/proc; what it costs to be idle for as long is taken away and reported apart.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from callcenter.apps.bench.calls_center import OURS, PEER, RECORDED, Center, CenterError, center
from callcenter.apps.bench.cpu import cpu_ms
from callcenter.apps.bench.offers import Delays, delays
from callcenter.apps.bench.sipp_load import Sipp, SippError, caller_numbers, register
from callcenter.runtime.asterisk import AsteriskError
from callcenter.runtime.asterisk_root import AsteriskMissing
from callcenter.runtime.ports import free_ports
from callcenter.runtime.postgres import PostgresError
from callcenter.runtime.program import StartError
from callcenter.services.control_client import EngineAway, RequestRefused

RATE = 20
"""Calls per second."""
TALK_MS = 1500
IDLE_S = 5.0
SCARCE_AGENTS = 24
"""In the round that measures offers: they can talk to 16 callers a second, and 20 come, so that callers wait."""
SCARCE_S = 15
QUIET_WITHIN = 30.0

Tell = Callable[[str], None]


class BenchError(Exception):
    """The measurement could not be made."""


ERRORS = (BenchError, CenterError, SippError, AsteriskError, AsteriskMissing, PostgresError, StartError, EngineAway, RequestRefused)
"""What can come in the way, each a sentence."""


@dataclass(frozen=True, slots=True)
class Used:
    """CPU milliseconds, by process."""

    asterisk: float
    engine: float
    books: float
    postgres: float

    def __sub__(self, other: "Used") -> "Used":
        return Used(
            self.asterisk - other.asterisk, self.engine - other.engine, self.books - other.books, self.postgres - other.postgres
        )  # fmt: skip

    def times(self, factor: float) -> "Used":
        return Used(self.asterisk * factor, self.engine * factor, self.books * factor, self.postgres * factor)


NOTHING = Used(0.0, 0.0, 0.0, 0.0)


@dataclass(slots=True)
class Round:
    """So many calls to one number."""

    who: str
    recorded: bool
    calls: int
    seconds: float
    per_call: Used
    """The cost of being idle for as long is taken away already."""
    failed: int


@dataclass(slots=True)
class Result:
    """All that was measured."""

    idle: Used
    """Milliseconds of CPU per second without any call."""
    rounds: list[Round] = field(default_factory=list)
    phones_failed: int = 0
    """Calls that did not go as the phones' scenario says, over all rounds."""
    offers: Delays | None = None
    offers_failed: int = 0

    def mean(self, who: str, recorded: bool) -> Used:
        """Per call."""
        rounds = [each for each in self.rounds if each.who == who and each.recorded is recorded]
        total = NOTHING
        for each in rounds:
            total = total - each.per_call.times(-1.0 / len(rounds))
        return total

    def ratio(self, recorded: bool) -> float:
        ours = self.mean("ours", recorded)
        return (ours.asterisk + ours.engine) / self.mean("app_queue", recorded).asterisk

    def as_json(self) -> dict[str, object]:
        ours = self.mean("ours", False)
        assert self.offers is not None
        return {
            "ours_cpu_ms": round(ours.asterisk + ours.engine, 2),
            "app_queue_cpu_ms": round(self.mean("app_queue", False).asterisk, 2),
            "ratio": round(self.ratio(False), 3),
            "ratio_recorded": round(self.ratio(True), 3),
            "ours_python_ms": round(ours.engine, 2),
            "books_cpu_ms": round(ours.books, 2),
            "postgres_cpu_ms": round(ours.postgres, 2),
            "offer_p99_ms": round(self.offers.p99_ms, 1),
            "failed": sum(each.failed for each in self.rounds) + self.phones_failed + self.offers_failed,
            "offers": {"count": self.offers.count, "p50_ms": round(self.offers.p50_ms, 1), "most_ms": round(self.offers.most_ms, 1)},
            "idle_ms_per_s": _rounded(self.idle),
            "rounds": [
                {
                    "who": each.who,
                    "recorded": each.recorded,
                    "calls": each.calls,
                    "seconds": round(each.seconds, 1),
                    "failed": each.failed,
                    "cpu_ms_per_call": _rounded(each.per_call),
                }
                for each in self.rounds
            ],
        }


def _rounded(used: Used) -> dict[str, float]:
    return {name: round(getattr(used, name), 2) for name in ("asterisk", "engine", "books", "postgres")}


ORDER = [("ours", False), ("app_queue", False), ("app_queue", True), ("ours", True)]
"""Played forth and back."""


async def measure(calls: int, tell: Tell) -> Result:
    """Measure with so many calls in each round. Raises BenchError, CenterError, SippError, and what starting a node raises."""
    tell("starting Asterisk and the engine")
    async with center() as running:
        bench = _Bench(running, calls, tell)
        await bench.prepare()
        result = Result(await bench.idle())
        async with bench.phones("phones"):
            await bench.play("ours", False, warming_up=True)
            await bench.play("app_queue", False, warming_up=True)
            for who, recorded in (*ORDER, *reversed(ORDER)):
                result.rounds.append(await bench.play(who, recorded, idle=result.idle))
        result.phones_failed = bench.phones_failed
        result.offers, result.offers_failed = await bench.scarce()
        return result


class _Bench:
    """The load, on a running center."""

    def __init__(self, running: Center, calls: int, tell: Tell) -> None:
        self._center = running
        self._calls = calls
        self._tell = tell
        self._folder = running.folder.root / "sipp"
        self._folder.mkdir(mode=0o700)
        phones, callers, phones_media, callers_media = free_ports(4)
        self._phones = Sipp(self._folder, "phones", phones, running.sip_server, phones_media)
        self._callers = Sipp(self._folder, "callers", callers, running.sip_server, callers_media)
        self.phones_failed = 0
        self._called = 0

    async def prepare(self) -> None:
        """Phones register, agents are ready."""
        self._tell("phones register")
        await register(self._phones, self._center.phones)
        async with self._phones.playing("phones"):
            for agent in self._center.settings.agents:
                await self._center.control.ask("agent_login", agent=agent.name)
                await self._center.control.ask("agent_ready", agent=agent.name)

    @contextlib.asynccontextmanager
    async def phones(self, scenario: str, *arguments: str) -> AsyncIterator[None]:
        async with self._phones.playing(scenario, *arguments):
            yield
        self.phones_failed += self._phones.failed()

    async def idle(self) -> Used:
        """What a second without calls costs."""
        self._tell("idle")
        before = self._used()
        await asyncio.sleep(IDLE_S)
        return (self._used() - before).times(1.0 / IDLE_S)

    async def play(self, who: str, recorded: bool, *, idle: Used = NOTHING, warming_up: bool = False) -> Round:
        """One round of calls, from the first INVITE until the last call is gone from everywhere."""
        calls = self._calls if not warming_up else 2 * RATE
        self._tell(f"{'warming up: ' if warming_up else ''}{calls} calls to {who}, {RECORDED[recorded]}")
        number = (OURS if who == "ours" else PEER)[recorded]
        numbers = caller_numbers(self._folder, self._called, calls)
        self._called += calls
        load = ("-s", number, "-r", str(RATE), "-m", str(calls), "-d", str(TALK_MS), "-inf", str(numbers))
        before, began = self._used(), monotonic()
        failed = await self._callers.play("callers", *load)
        await self._quiet()
        seconds = monotonic() - began
        cost = (self._used() - before - idle.times(seconds)).times(1.0 / calls)
        for file in self._recordings():
            file.unlink()
        return Round(who, recorded, calls, seconds, cost, failed)

    async def scarce(self) -> tuple[Delays, int]:
        """Too few agents: how long from an agent's own hang-up to the next INVITE at her phone."""
        self._tell("offers, with too few agents")
        agents = [agent.name for agent in self._center.settings.agents]
        for agent in agents[SCARCE_AGENTS:]:
            await self._center.control.ask("agent_not_ready", agent=agent)
        before, calls = self.phones_failed, RATE * SCARCE_S
        seq = await self._seq()
        async with self.phones("phones-that-hang-up", "-d", str(TALK_MS)):
            failed = await self._callers.play("callers-that-wait", "-s", OURS[False], "-r", str(RATE), "-m", str(calls))
            await self._quiet()
        endpoints = self._center.secrets.endpoints
        found = delays(self._phones.messages(), self._center.folder.root / "journal", seq, endpoints)
        if found.count < calls - failed:
            raise BenchError(f"only {found.count} of {calls} offers were found in the phones' messages")
        return found, failed + self.phones_failed - before

    async def _seq(self) -> int:
        seq = (await self._center.control.ask("state"))["seq"]
        assert isinstance(seq, int)
        return seq

    async def _quiet(self) -> None:
        """Until no call is left, and what was begun for them is done."""
        try:
            async with asyncio.timeout(QUIET_WITHIN):
                while await self._center.calls():
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise BenchError(f"calls are still on {QUIET_WITHIN:.0f} s after the last caller has left") from None
        await asyncio.sleep(0.5)

    def _recordings(self) -> list[Path]:
        return list((self._center.folder.nodes / self._center.settings.nodes[0].name / "spool" / "recording").glob("*.raw"))

    def _used(self) -> Used:
        running = self._center
        return Used(
            cpu_ms(running.asterisk),
            cpu_ms(running.engine),
            cpu_ms(running.books) if running.books else 0.0,
            cpu_ms(running.postgres, with_children=True) if running.postgres else 0.0,
        )


# --- the command ----------------------------------------------------------------------------------


def run(calls: int, as_json: bool) -> None:
    """Measure, and print a table or JSON. Raises BenchError, CenterError, SippError, and what starting a node raises."""
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=Console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task("", total=None)
        result = asyncio.run(measure(calls, lambda now: bar.update(task, description=now)))
    if as_json:
        print(json.dumps(result.as_json(), indent=2))
    else:
        _print(result)


def _print(result: Result) -> None:
    table = Table("CPU ms per call", "Asterisk", "engine", "both", "books", "PostgreSQL", "ratio", title_justify="left")
    for recorded, word in RECORDED.items():
        for who in ("app_queue", "ours"):
            used = result.mean(who, recorded)
            cells = [used.asterisk, used.engine, used.asterisk + used.engine, used.books, used.postgres]
            if who == "app_queue":  # what our processes did meanwhile is none of its cost
                cells[1:] = [0.0, used.asterisk, 0.0, 0.0]
            ratio = f"{result.ratio(recorded):.2f}" if who == "ours" else ""
            table.add_row(f"{who}, {word}", *(f"{cell:.2f}" for cell in cells), ratio)
    out = Console(highlight=False)
    out.print(table)
    found = result.as_json()
    out.print(f"agent free to INVITE at the phone: p99 {found['offer_p99_ms']} ms (callers waiting for {SCARCE_AGENTS} agents)")
    out.print(f"failed calls: {found['failed']}")
