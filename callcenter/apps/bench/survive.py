"""``callcenter bench survive``: a hundred real calls, and one thing is killed, frozen or taken away.

What is measured: calls that ended though nobody hung up, callers who were offered out of order afterwards, how
long it took to come back, and facts that are missing or doubled once everything is in the books.
"""

import asyncio
import json
import os
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from time import monotonic
from uuid import UUID

from rich import box
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.tables import cdr, contact, fact, recording
from callcenter.apps.bench.crowd import BRIEF_AGENTS, FALLBACK_TONES, QUEUE_DID, SHORT_DID, Crowd, connected, shares, tables
from callcenter.apps.engine import journal_folder
from callcenter.apps.stage import Stage, StageError
from callcenter.domain.facts import ContactEntered, ContactOffered
from callcenter.runtime.postgres import EmbeddedPostgres
from callcenter.services.control import JsonObject
from callcenter.services.fact_codec import load
from callcenter.services.journal_reader import JournalReader
from callcenter.sim.sip.call import CallFailed, NotHeard
from callcenter.sim.sip.policy import AnswerAfter

WATCH_S = 8.0
"""How long calls are watched after everything is back."""
OUTAGE_S = 60.0
CALLS_PER_SECOND = 5
BRIEF_S = 2.0
BOOKS_WITHIN_S = 120.0


class Fault(StrEnum):
    ENGINE = "engine"
    SUPERVISOR = "supervisor"
    FREEZE = "freeze"
    DATABASE = "database"
    DATABASE_HANG = "database-hang"
    ASTERISK = "asterisk"


@dataclass(slots=True)
class Findings:
    """What came of it; seconds and counts."""

    fault: str
    calls: int
    dropped: int = 0
    order_inversions: int = 0
    adopted_s: float = 0.0
    """From the engine's first answer until it sees all calls again."""
    back_s: float = 0.0
    """From the fault until the engine serves again."""
    facts_lost: int = 0
    facts_twice: int = 0
    more: dict[str, float] = field(default_factory=dict)
    """What belongs to this fault only."""

    def as_json(self) -> dict[str, object]:
        found = asdict(self)
        return {**{name: value for name, value in found.items() if name != "more"}, **self.more}


Say = Callable[[str], None]


class Survival:
    """One run of the bench."""

    def __init__(self, fault: Fault, calls: int, say: Say, outage_s: float = OUTAGE_S) -> None:
        self.fault = fault
        self.found = Findings(fault, calls)
        self._say = say
        self._outage_s = outage_s
        self._faults: Mapping[Fault, Callable[[], Awaitable[None]]] = {
            Fault.ENGINE: self._engine,
            Fault.SUPERVISOR: self._supervisor,
            Fault.FREEZE: self._freeze,
            Fault.DATABASE: self._database,
            Fault.DATABASE_HANG: self._database,
            Fault.ASTERISK: self._asterisk,
        }
        self.stage: Stage
        self.crowd: Crowd
        self._short: list[str] = []
        self._database_server: EmbeddedPostgres | None = None

    async def run(self) -> Findings:
        """Raises StageError when the center or the crowd does not come up."""
        wanted = shares(self.found.calls)
        settings = tables(wanted["talking"] + wanted["offered"])
        if self.fault in (Fault.DATABASE, Fault.DATABASE_HANG):
            settings["database"] = {"url": await self._own_database()}
        try:
            await self._run_on(Stage(settings), wanted)
        finally:
            if self._database_server is not None:
                await asyncio.to_thread(self._database_server.stop)
                shutil.rmtree(self._database_server.folder, ignore_errors=True)
        return self.found

    async def _own_database(self) -> str:
        """A PostgreSQL that no supervisor restarts; it would be too good for this bench."""
        self._database_server = EmbeddedPostgres(Path(tempfile.mkdtemp(prefix="callcenter-postgres-")))
        os.chmod(self._database_server.folder, 0o711)
        await asyncio.to_thread(self._database_server.start)
        return self._database_server.url()

    async def _run_on(self, stage: Stage, wanted: Mapping[str, int]) -> None:
        self.stage = stage
        self._say("starting a center")
        async with self.stage:
            self.crowd = Crowd(self.stage, self.found.calls)
            try:
                self._say(f"gathering {self.found.calls} calls: {dict(wanted)}")
                await self.crowd.gather()
                await self._faults[self.fault]()
            finally:
                await self.crowd.disperse()
            self._say("waiting for the books")
            await self._check_books()

    # --- faults ---------------------------------------------------------------------------------

    async def _engine(self) -> None:
        before = monotonic()
        self._say("kill -9 engine")
        self.stage.process("engine").send(signal.SIGKILL)
        await self._back(before)
        await self._watch_and_release()

    async def _supervisor(self) -> None:
        names = ("engine", "books", "web", self.stage.settings.nodes[0].name)
        pids = {name: self.stage.process(name).pid for name in names}
        assert self.stage.serve is not None
        self._say("kill -9 serve")
        before = monotonic()
        self.stage.serve.kill()
        self.stage.serve.wait()
        await asyncio.sleep(3)
        self.found.more["ended_with_supervisor"] = sum(not _alive(pid) for pid in pids.values())
        self.stage.log.write_text("")
        self.stage.start_serve()
        await self.stage.until_up()
        self.found.more["restarted_by_supervisor"] = sum(self.stage.process(name).pid != pid for name, pid in pids.items())
        await self._back(before)
        await self._watch_and_release()

    async def _freeze(self) -> None:
        self._say("SIGSTOP engine; callers arrive 4 s later")
        before = monotonic()
        frozen = self.stage.process("engine")
        frozen.send(signal.SIGSTOP)
        await asyncio.sleep(4.05)
        late = [await self.crowd.call(QUEUE_DID) for _ in range(5)]
        heard = await asyncio.gather(*(call.hears(FALLBACK_TONES, within=5) for _, call in late), return_exceptions=True)
        self.found.more["late_callers"] = len(late)
        self.found.more["late_callers_in_fallback"] = sum(isinstance(each, float) for each in heard)
        self.crowd.callers |= dict(late)
        while not frozen_is_replaced(self.stage, frozen.pid):
            await asyncio.sleep(0.05)
        self.found.more["restarted_s"] = round(monotonic() - before, 3)
        await self._back(before, self.found.calls)
        await self._watch_and_release()

    async def _database(self) -> None:
        """The database goes while short calls come at 5 per second; the crowd talks on beside them."""
        await self.crowd.staff("brief", 0, BRIEF_AGENTS, AnswerAfter(0.0))
        database = self._database_server
        assert database is not None
        pids = _family(database.pid())
        number = signal.SIGSTOP if self.fault is Fault.DATABASE_HANG else signal.SIGKILL
        self._say(f"{number.name} PostgreSQL for {self._outage_s:.0f} s, {CALLS_PER_SECOND} calls/s")
        calling = asyncio.create_task(self._short_calls(self._outage_s))
        _signal(pids, number)
        await asyncio.sleep(self._outage_s)
        if self.fault is Fault.DATABASE_HANG:
            _signal(pids, signal.SIGCONT)
        else:
            await asyncio.to_thread(database.start)
        back = monotonic()
        draining = asyncio.create_task(self._drained())
        failed = await calling
        self.found.more["short_calls"] = len(self._short)
        self.found.more["failed"] = failed
        await self._watch_and_release()
        self.found.more["drained_s"] = round(await draining - back, 1)

    async def _asterisk(self) -> None:
        self._say("kill -9 Asterisk")
        await self.crowd.staff("brief", 0, 1, AnswerAfter(0.0))
        before = monotonic()
        self.stage.process(self.stage.settings.nodes[0].name).send(signal.SIGKILL)
        self.found.more["new_call_answered_s"] = round(await self._first_answer() - before, 3)
        await self._until(lambda state: connected(state) and not _talking(state), 30)
        self.found.back_s = round(monotonic() - before, 3)
        state = await self.crowd.state()
        agents = state.get("agents")
        assert isinstance(agents, list)
        stuck = [agent for agent in agents if isinstance(agent, dict) and agent.get("state") in ("talking", "reserved", "wrap_up")]
        self.found.more["agents_stuck"] = len(stuck)
        self.found.dropped = len(self.crowd.callers)  # Asterisk carries the media: its calls are lost with it, and said to be
        self._crashed = True

    _crashed = False

    async def _first_answer(self) -> float:
        """When a new caller is answered by the engine, trying again and again."""
        while True:
            try:
                async with asyncio.timeout(2):
                    _, call = await self.crowd.call(SHORT_DID)
                await call.hang_up()
                return monotonic()
            except (CallFailed, NotHeard, TimeoutError, OSError):
                await asyncio.sleep(0.1)

    async def _short_calls(self, seconds: float) -> int:
        """Short calls at an even rate; returns how many failed."""
        tasks = []
        for _ in range(int(seconds * CALLS_PER_SECOND)):
            tasks.append(asyncio.create_task(self._short_call()))
            await asyncio.sleep(1 / CALLS_PER_SECOND)
        return sum(not ok for ok in await asyncio.gather(*tasks))

    async def _short_call(self) -> bool:
        try:
            number, call = await self.crowd.call(SHORT_DID)
            self._short.append(number)
            await asyncio.sleep(BRIEF_S)
            await call.hang_up()
        except (CallFailed, TimeoutError):
            return False
        return True

    # --- measuring ------------------------------------------------------------------------------

    async def _back(self, before: float, calls: int | None = None) -> None:
        """Wait until the engine answers, and then until it sees all calls."""
        wanted = calls or self.found.calls
        answered = await self._until(bool, 30)
        adopted = await self._until(lambda state: connected(state) and _count(state) >= wanted, 30)
        self.found.back_s = round(adopted - before, 3)
        self.found.adopted_s = round(adopted - answered, 3)

    async def _until(self, holds: Callable[[JsonObject], bool], within: float) -> float:
        try:
            async with asyncio.timeout(within):
                while True:
                    state = await self.crowd.state()
                    if state and holds(state):
                        return monotonic()
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise StageError(f"after {within:.0f} s the engine is not where it should be: {dict(await self.crowd.phases())}") from None

    async def _watch_and_release(self) -> None:
        """Nobody may fall off; then free the talking agents, and the waiting callers must come in their order."""
        self._say("watching")
        await asyncio.sleep(WATCH_S)
        self.found.dropped = len(self.crowd.dropped())
        offered_before = len(_offers(self._journal()))
        talkers = self.crowd.talkers[: min(10, len(self.crowd.talkers))]
        for number in talkers:
            await self.crowd.callers[number].hang_up()
        ends = monotonic() + 10
        while len(_offers(self._journal())) < offered_before + len(talkers) and monotonic() < ends:
            await asyncio.sleep(0.1)
        facts = self._journal()
        places = {each.contact: (-each.priority, each.place) for each in facts if isinstance(each, ContactEntered)}
        served = [places[offer.contact] for offer in _offers(facts)[offered_before:]]
        self.found.order_inversions = sum(served[a] > served[b] for a in range(len(served)) for b in range(a + 1, len(served)))
        self.found.more["offered_afterwards"] = len(served)

    def _journal(self) -> list[object]:
        reader = JournalReader(journal_folder(self.stage.settings))
        try:
            return [each for record in reader.read_all() for each in load(record.payload)]
        finally:
            reader.close()

    # --- the books ------------------------------------------------------------------------------

    async def _drained(self) -> float:
        """When the books have everything that is in the journal now."""
        reader = JournalReader(journal_folder(self.stage.settings))
        last, journal = reader.last_seq(), reader.journal
        reader.close()
        ends = monotonic() + BOOKS_WITHIN_S
        while await self._shipped(journal) < last:
            if monotonic() > ends:
                raise StageError(f"the books have not caught up after {BOOKS_WITHIN_S:.0f} s")
            await asyncio.sleep(0.2)
        return monotonic()

    async def _shipped(self, journal: UUID) -> int:
        engine = connect(self.stage.database_url, name="bench")
        try:
            async with engine.connect() as connection:
                return int((await connection.execute(select(func.max(fact.c.seq)).where(fact.c.journal == journal))).scalar() or 0)
        except (SQLAlchemyError, OSError):  # not back yet
            return -1
        finally:
            await engine.dispose()

    async def _check_books(self) -> None:
        """Facts in the journal against facts in PostgreSQL, and one CDR per caller."""
        await self._until(lambda state: _count(state) == 0, 60)
        await asyncio.sleep(1)
        await self._drained()
        written = Counter(type(each).__name__ for each in self._journal())
        engine = connect(self.stage.database_url, name="bench", statement_timeout=30)
        try:
            async with engine.connect() as connection:
                kinds = await connection.execute(select(fact.c.kind, func.count()).group_by(fact.c.kind))
                kept: Counter[str] = Counter({row[0]: row[1] for row in kinds})
                rows = (await connection.execute(select(cdr.c.caller, cdr.c.ended_at, cdr.c.cause))).all()
                contacts = (await connection.execute(select(contact.c.contact_id))).all()
                recordings = (await connection.execute(select(recording.c.state))).all()
        finally:
            await engine.dispose()
        callers = Counter(row.caller for row in rows)
        expected = {*self.crowd.callers, *self._short}
        lost_calls = sum(callers[number] == 0 for number in expected) + sum(row.ended_at is None for row in rows)
        self.found.facts_lost = sum((written - kept).values()) + lost_calls
        self.found.facts_twice = sum((kept - written).values()) + sum(max(callers[number] - 1, 0) for number in expected)
        self.found.more |= {"facts": sum(kept.values()), "cdr": len(rows), "contacts": len(contacts), "recordings": len(recordings)}
        if self._crashed:
            self.found.more["cdr_node_crash"] = sum(row.cause == "node_crash" for row in rows if row.caller in self.crowd.callers)


def frozen_is_replaced(stage: Stage, pid: int) -> bool:
    """Whether another engine process runs by now."""
    try:
        return stage.process("engine").pid != pid
    except StageError:
        return False


def _offers(facts: list[object]) -> list[ContactOffered]:
    return [each for each in facts if isinstance(each, ContactOffered)]


def _count(state: JsonObject) -> int:
    calls = state.get("calls")
    return len(calls) if isinstance(calls, list) else -1


def _talking(state: JsonObject) -> bool:
    calls = state.get("calls")
    return isinstance(calls, list) and bool(calls)


def _family(pid: int | None) -> list[int]:
    """A process and its children."""
    if pid is None:
        return []
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            return [pid, *(int(child) for child in children.read().split())]
    except OSError:
        return [pid]


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def run(fault: str, calls: int, outage_s: float, as_json: bool) -> None:
    """The command's body. Raises SystemExit with a sentence."""
    if fault not in set(Fault):
        raise SystemExit(f"callcenter: there is no fault '{fault}'; faults: {', '.join(Fault)}")
    console = Console(stderr=True, highlight=False)
    try:
        with console.status("starting") as status:
            found = asyncio.run(Survival(Fault(fault), calls, lambda words: status.update(words), outage_s).run())
    except StageError as error:
        raise SystemExit(f"callcenter: {error}") from None
    if as_json:
        print(json.dumps(found.as_json()))
        return
    table = Table(title=f"survive: {fault}", box=box.SIMPLE_HEAD)
    table.add_column("what")
    table.add_column("how much", justify="right")
    for name, value in found.as_json().items():
        table.add_row(name, str(value))
    Console().print(table)
