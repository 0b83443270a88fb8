"""``callcenter bench calls --scenario mixed``: real calls to four queues, each with another strategy, and the books afterwards.

The center is a whole one (``callcenter serve``): engine, books, PostgreSQL, Asterisk. Three queues are served by 36 phones that SIPp
plays, each agent in two of them; the fourth rings a small team of four, whose phones are ours, because rings that are withdrawn must
be understood. Callers wait until they are answered and hung up on; so whoever does not get that is lost.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from time import monotonic

from rich import box
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.reports import sums_by_queue
from callcenter.adapters.db.tables import cdr, fact, journal_position
from callcenter.apps.bench.offers import Delays, delays
from callcenter.apps.bench.sipp_load import Sipp, register
from callcenter.apps.engine import journal_folder
from callcenter.apps.report_tables import WIDE
from callcenter.apps.stage import Stage, StageError, node_table
from callcenter.domain.books import fold_call
from callcenter.domain.facts import Fact
from callcenter.domain.kpi import Sums, sums
from callcenter.runtime.ports import free_ports
from callcenter.services.fact_codec import load
from callcenter.services.journal_reader import JournalReader
from callcenter.sim.sip.call import Call
from callcenter.sim.sip.phone import Phone
from callcenter.sim.sip.tones import tone_pair

AGENTS, TEAM = 40, 4
"""All agents, and those of them whom ring-all rings."""
STRATEGIES = {"sales": "longest_idle", "support": "round_robin", "billing": "least_occupied", "team": "ring_all"}
RATES = {"sales": 3, "support": 3, "billing": 3, "team": 1}
"""Calls per second; ten in all."""
TALK_MS = 3000
AT_ONCE = "500"
"""Calls that SIPp holds at once; what it allows by itself would slow it down."""
OFFER_P99_MS = 100.0
BOOKS_WITHIN_S = 120.0
QUIET_WITHIN_S = 60.0

NO_OFFERS = Delays(0, 0.0, 0.0, 0.0)
Say = Callable[[str], None]


@dataclass(slots=True)
class Mixed:
    """What came of it."""

    calls: int
    seconds: float = 0.0
    failed: int = 0
    """Callers who did not go through it all: answered, connected, hung up on."""
    phones_failed: int = 0
    cdr: int = 0
    queues: Mapping[str, Sums] = field(default_factory=dict)
    """From PostgreSQL."""
    unbalanced: list[str] = field(default_factory=list)
    """Sentences; empty when the books balance."""
    facts: int = 0
    facts_lost: int = 0
    facts_twice: int = 0
    offers: Delays = NO_OFFERS
    """At the phones that SIPp plays."""
    ring_all_rings: int = 0

    @property
    def lost(self) -> int:
        """Callers without a call in the books, or whom nobody answered."""
        answered = sum(each.answered for each in self.queues.values())
        return max(self.failed, self.calls - self.cdr, self.calls - answered)

    @property
    def passed(self) -> bool:
        return not (self.lost or self.unbalanced or self.facts_lost or self.facts_twice) and self.offers.p99_ms < OFFER_P99_MS

    def as_json(self) -> dict[str, object]:
        return {
            "scenario": "mixed",
            "calls": self.calls,
            "calls_per_second": sum(RATES.values()),
            "agents": AGENTS,
            "seconds": round(self.seconds, 1),
            "lost": self.lost,
            "books_balance": not (self.unbalanced or self.facts_lost or self.facts_twice),
            "unbalanced": self.unbalanced,
            "offer_p99_ms": round(self.offers.p99_ms, 1),
            "offers": {"count": self.offers.count, "p50_ms": round(self.offers.p50_ms, 1), "most_ms": round(self.offers.most_ms, 1)},
            "ring_all_rings": self.ring_all_rings,
            "phones_failed": self.phones_failed,
            "cdr": self.cdr,
            "facts": self.facts,
            "facts_lost": self.facts_lost,
            "facts_twice": self.facts_twice,
            "queues": {
                name: {
                    "strategy": STRATEGIES[name],
                    "offered": each.offered,
                    "answered": each.answered,
                    "abandoned": each.abandoned,
                    "overflowed": each.overflowed,
                    "still_waiting": each.still_waiting,
                    "asa_s": round(each.wait.total_seconds() / each.answered, 3) if each.answered else None,
                    "longest_wait_s": round(each.longest_wait.total_seconds(), 3),
                }
                for name, each in self.queues.items()
            },
            "gate": f"0 lost, books balance, offer p99 < {OFFER_P99_MS:.0f} ms",
            "passed": self.passed,
        }


def did(queue: str) -> str:
    return f"+1202555010{list(RATES).index(queue)}"


def tables() -> dict[str, object]:
    """Three queues share 36 agents, two queues each; the team has its own."""
    three = [name for name in RATES if name != "team"]
    agents = [{"name": f"agent{n:03d}", "queues": [three[n % 3], three[(n + 1) % 3]]} for n in range(AGENTS - TEAM)]
    agents += [{"name": f"team{n:03d}", "queues": ["team"]} for n in range(TEAM)]
    return {
        "center": {"name": "Bench", "time_zone": "UTC"},
        "node": [node_table("bench", legs=800)],
        "trunk": [{"name": "carrier", "authentication": "address", "addresses": ["127.0.0.1"]}],
        "number": [{"did": did(name), "flow": name} for name in RATES],
        "queue": [{"name": name, "wrap_up_s": 0, "record": False, "strategy": STRATEGIES[name]} for name in RATES],
        "agent": agents,
        "flow": {name: {"start": "line", "node": {"line": {"type": "queue", "queue": name}}} for name in RATES},
    }


@dataclass(slots=True)
class TeamPhone:
    """Answers after half a second or so, unless another was faster, and hangs up after the talk."""

    chance: Random
    rings: list[datetime]

    def decide(self, call: Call) -> None:
        self.rings.append(datetime.now(UTC))
        call.ring()
        call.later(self.chance.uniform(0.2, 0.8), lambda: self._answer(call))

    def _answer(self, call: Call) -> None:
        call.answer()
        call.later(TALK_MS / 1000, lambda: self._hang_up(call))

    def _hang_up(self, call: Call) -> None:
        if call.is_up:
            call.signalling.hang_up()


class _Bench:
    """One run, on a running stage."""

    def __init__(self, stage: Stage, seconds: int, say: Say) -> None:
        self._stage = stage
        self._seconds = seconds
        self._say = say
        self._folder = stage.folder / "sipp"
        self._folder.mkdir(mode=0o700)
        self.found = Mixed(calls=sum(RATES.values()) * seconds)
        self._team: list[Phone] = []
        self._rings: list[datetime] = []

    def _sipp(self, name: str) -> Sipp:
        port, media = free_ports(2)
        return Sipp(self._folder, name, port, self._stage.server, media)

    async def run(self) -> Mixed:
        phones = self._sipp("phones")
        self._say("phones register, agents are ready")
        seats = [name for name in self._stage.secrets.phones if name.startswith("agent")]
        await register(phones, [self._stage.secrets.phones[name] for name in seats])
        try:
            await self._start_team()
            async with phones.playing("phones-that-hang-up", "-d", str(TALK_MS)):
                async with self._stage.control() as control:
                    for agent in self._stage.settings.agents:
                        await control.ask("agent_login", agent=agent.name)
                        await control.ask("agent_ready", agent=agent.name)
                await self._calls()
                await self._quiet()
            self.found.phones_failed = phones.failed()
        finally:
            await asyncio.gather(*(phone.close() for phone in self._team), return_exceptions=True)
        self.found.ring_all_rings = len(self._rings)
        endpoints = {name: self._stage.secrets.phones[name].endpoint for name in seats}
        self.found.offers = delays(phones.messages(), journal_folder(self._stage.settings), 0, endpoints)
        self._say("waiting for the books")
        await self._books()
        return self.found

    async def _start_team(self) -> None:
        for number, (name, account) in enumerate(self._stage.secrets.phones.items()):
            if name.startswith("team"):
                phone = await Phone.start(
                    name,
                    server=self._stage.server,
                    user=account.endpoint,
                    password=account.password,
                    tone=tone_pair(0),
                    rtp_every=50,
                    keep_audio=False,
                    on_invite=TeamPhone(Random(number), self._rings),
                )
                self._team.append(phone)
                await phone.register()

    async def _calls(self) -> None:
        self._say(f"{self.found.calls} calls in {self._seconds} s to {len(RATES)} queues")
        began = monotonic()
        callers = {name: self._sipp(f"callers-{name}") for name in RATES}
        failed = await asyncio.gather(
            *(
                callers[name].play(
                    "callers-that-wait",
                    "-s",
                    did(name),
                    "-r",
                    str(rate),
                    "-m",
                    str(rate * self._seconds),
                    "-l",
                    AT_ONCE,
                    within=self._seconds + 90.0,
                )
                for name, rate in RATES.items()
            )
        )
        self.found.seconds, self.found.failed = monotonic() - began, sum(failed)

    async def _quiet(self) -> None:
        """Until no call is left."""
        ends = monotonic() + QUIET_WITHIN_S
        while (calls := (await self._stage.ask("state")).get("calls")) != []:
            if monotonic() > ends:
                left = len(calls) if isinstance(calls, list) else "unknown"
                raise StageError(f"{left} calls are still on {QUIET_WITHIN_S:.0f} s after the last caller has left")
            await asyncio.sleep(0.2)
        await asyncio.sleep(1)

    # --- the books ------------------------------------------------------------------------------

    async def _books(self) -> None:
        """PostgreSQL against the journal, and the books against themselves."""
        reader = JournalReader(journal_folder(self._stage.settings))
        facts = [each for record in reader.read_all() for each in load(record.payload)]
        last, journal = reader.last_seq(), reader.journal
        reader.close()
        engine = connect(self._stage.database_url, name="bench", statement_timeout=30)
        try:
            ends = monotonic() + BOOKS_WITHIN_S
            while True:
                async with engine.connect() as connection:
                    position = await connection.scalar(select(journal_position.c.seq).where(journal_position.c.journal == journal))
                if (position or 0) >= last:
                    break
                if monotonic() > ends:
                    raise StageError(f"the books have not caught up after {BOOKS_WITHIN_S:.0f} s")
                await asyncio.sleep(0.2)
            async with engine.connect() as connection:
                kinds = await connection.execute(select(fact.c.kind, func.count()).group_by(fact.c.kind))
                kept: Counter[str] = Counter({row[0]: row[1] for row in kinds})
                of_queue = await sums_by_queue(connection, facts[0].at, facts[-1].at + timedelta(seconds=1), timedelta(seconds=20))
                self.found.cdr = int(await connection.scalar(select(func.count()).select_from(cdr).where(cdr.c.ended_at.is_not(None))) or 0)
        finally:
            await engine.dispose()
        written = Counter(type(each).__name__ for each in facts)
        self.found.facts = sum(kept.values())
        self.found.facts_lost, self.found.facts_twice = sum((written - kept).values()), sum((kept - written).values())
        self.found.queues = {name: of_queue.get(name, Sums()) for name in RATES}
        self.found.unbalanced = list(
            imbalances(self.found.queues, folded(facts), {name: rate * self._seconds for name, rate in RATES.items()})
        )


def folded(facts: Sequence[Fact]) -> Mapping[str, Sums]:
    """The same sums from the journal alone, by the fold that the books are made with."""
    of_call: dict[str, list[Fact]] = {}
    for each in facts:
        call = getattr(each, "call", "")
        if call:
            of_call.setdefault(call, []).append(each)
    contacts = [contact for call in of_call.values() for contact in fold_call(call).contacts]
    return {name: sums([each for each in contacts if each.queue == name], timedelta(seconds=20)) for name in RATES}


def imbalances(queues: Mapping[str, Sums], from_journal: Mapping[str, Sums], calls: Mapping[str, int]) -> Sequence[str]:
    """What does not add up, a sentence each."""
    found = []
    for name, each in queues.items():
        outcomes = each.answered + each.abandoned + each.overflowed + each.still_waiting
        if each.offered != outcomes:
            found.append(f"{name}: {each.offered} offered, but {outcomes} answered, abandoned, overflowed or waiting")
        if each.offered != calls[name]:
            found.append(f"{name}: {calls[name]} callers came, but {each.offered} contacts were offered")
        if each.handled != each.answered:
            found.append(f"{name}: {each.answered} answered, but {each.handled} wrapped up")
        if each != from_journal[name]:
            found.append(f"{name}: PostgreSQL has {each}, the journal {from_journal[name]}")
    return found


def run(seconds: int, as_json: bool) -> bool:
    """The command's body; whether the gate was passed. Raises StageError, SippError."""
    console = Console(stderr=True, highlight=False)

    async def measure(say: Say) -> Mixed:
        say("starting a center")
        async with Stage(tables()) as stage:
            return await _Bench(stage, seconds, say).run()

    with console.status("starting") as status:
        found = asyncio.run(measure(lambda words: status.update(words)))
    if as_json:
        print(json.dumps(found.as_json(), indent=2))
    else:
        _print(found)
    return found.passed


def _print(found: Mixed) -> None:
    out = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
    table = Table("queue", "strategy", box=box.SIMPLE_HEAD, title=f"{found.calls} calls in {found.seconds:.0f} s, {AGENTS} agents")
    for heading in ("offered", "answered", "abandoned", "overflowed", "waiting", "ASA", "longest wait"):
        table.add_column(heading, justify="right")
    for name, each in found.queues.items():
        counts = (each.offered, each.answered, each.abandoned, each.overflowed, each.still_waiting)
        asa = f"{each.wait.total_seconds() / each.answered:.2f} s" if each.answered else "–"
        table.add_row(name, STRATEGIES[name], *map(str, counts), asa, f"{each.longest_wait.total_seconds():.2f} s")
    out.print(table)
    for sentence in found.unbalanced:
        out.print(sentence)
    balance = "balance" if not (found.unbalanced or found.facts_lost or found.facts_twice) else "DO NOT balance"
    out.print(f"{found.lost} lost; the books {balance}; agent free to INVITE at the phone: p99 {found.offers.p99_ms:.1f} ms")
    out.print(f"gate (0 lost, books balance, offer p99 < {OFFER_P99_MS:.0f} ms): {'passed' if found.passed else 'MISSED'}")
