"""The center under test: the real services, put together as in ``apps.engine`` and ``apps.books``, in processes that can be killed."""

import asyncio
import contextvars
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from callcenter.apps.chaos.disk import Disk
from callcenter.apps.chaos.store import SimulatedStore
from callcenter.domain.config import CenterConfig
from callcenter.domain.events import ConfigChanged, Event
from callcenter.domain.facts import Fact
from callcenter.domain.ids import Ids
from callcenter.services.clock import SteadyClock
from callcenter.services.engine import Engine
from callcenter.services.fallback_log import FallbackLog
from callcenter.services.journal import Journal, JournalError
from callcenter.services.ledger import Shipper, StoreAway
from callcenter.services.recordings import finish_some
from callcenter.services.survival import keep_checkpoints, restore_center
from callcenter.sim.fake_dialplan import FakeDialplan
from callcenter.sim.fake_telephony import FakeTelephony, Wire
from callcenter.sim.processes import Life, Process

SEGMENT_BYTES = 128 << 10
CHECKPOINT_EVERY = 20.0
"""More often than in life, so that short runs see many."""
FALLBACK_LOG_EVERY = 1.0
RECORDINGS_EVERY = 3.0
RESTART_AFTER = (0.5, 1.0, 4.0)
"""Seconds until the supervisor has started a process again."""

Kept = Callable[[int, Sequence[Fact], CenterConfig], None]


class SimulatedCenter:
    """The engine's and the books' process on one machine."""

    def __init__(
        self,
        folder: Path,
        wires: Mapping[str, Wire],
        dialplans: Mapping[str, FakeDialplan],
        store: SimulatedStore,
        config: CenterConfig,
        wall: Callable[[], datetime],
        dice: random.Random,
        seed: str,
    ) -> None:
        self.journal_folder = folder / "journal"
        self.recordings = {name: folder / name for name in wires}
        self.disk = Disk(dice)
        self.config = config
        self.engine: Engine | None = None
        """The one that runs, if any."""
        self.boots = 0
        self.machine_boots = 1
        self.powered = True
        self.kept: Kept = lambda seq, facts, config: None
        self.booted: Callable[[Journal], None] = lambda journal: None
        """Called at each start of the engine, with what it found on the disk."""
        self.died: Callable[[str, BaseException | None], None] = lambda process, bug: None
        """``bug`` is what ended it, when it was not killed."""
        self.work_takes: Callable[[], float] = lambda: 0.001
        self._wires, self._dialplans, self._store = wires, dialplans, store
        self._wall, self._dice, self._seed = wall, dice, seed
        self._loop = asyncio.get_running_loop()
        self._world = contextvars.copy_context()  # a process may die in a callback of its own, and the rest is not its matter
        self.processes: list[Process] = []
        self.journal: Journal | None = None
        self.shipper: Shipper | None = None
        self.written_seq = self.synced_seq = 0
        """Of the journal of the engine that died last: what survives its death, and what a power cut."""
        self.engine_process, self.books_process = Process("engine"), Process("books")
        self.engine_process.kill()
        self.books_process.kill()  # until ``start``
        self.disk.die = lambda: self.engine_process.kill()

    # --- supervision ----------------------------------------------------------------------------

    def start(self) -> None:
        """The machine has power: both processes run."""
        self.powered = True
        self._start_engine()
        self._start_books()

    def lose_power(self) -> None:
        """Everything on the machine is gone, and so is what no disk has; ``start`` is when it is on again."""
        self.powered = False
        self.engine_process.kill()
        self.books_process.kill()
        self.disk.lose_power(self.journal_folder)
        self.machine_boots += 1

    def _start_engine(self) -> None:
        if not self.powered or self.engine_process.life is not Life.DEAD:
            return
        process = self.engine_process = self._process("engine", self._engine_died)
        self._watch(process, process.spawn(self._run_engine(process)), self._start_engine)

    def _start_books(self) -> None:
        if not self.powered or self.books_process.life is not Life.DEAD:
            return
        process = self.books_process = self._process("books", self._books_died)
        self._watch(process, process.spawn(self._run_books()), self._start_books)

    def _process(self, name: str, on_death: Callable[[], None]) -> Process:
        process = Process(name, lambda: self.work_takes())
        process.on_death = on_death
        self.processes.append(process)
        return process

    def _watch(self, process: Process, task: "asyncio.Task[None]", again: Callable[[], None]) -> None:
        """Start it again when it is gone, like the supervisor does."""

        def ended(task: "asyncio.Task[None]") -> None:
            bug = None if task.cancelled() else task.exception()
            if process.running:  # it ended by itself
                self.died(process.name, bug)
                process.kill()

        task.add_done_callback(ended)
        death = process.on_death

        def died() -> None:
            death()
            self.died(process.name, None)
            self._loop.call_later(self._dice.choice(RESTART_AFTER), again, context=self._world)

        process.on_death = died

    def _engine_died(self) -> None:
        if self.journal is not None:
            health = self.journal.health()
            self.written_seq, self.synced_seq = health.seq - health.held, health.synced_seq
        self.engine = self.journal = None
        for wire in self._wires.values():
            wire.pbx.fall_deaf()
        self.disk.close_files_of(self.journal_folder, writers=True)

    def _books_died(self) -> None:
        self.shipper = None
        self.disk.close_files_of(self.journal_folder, writers=False)

    # --- what people and phones say -------------------------------------------------------------

    def tell(self, event: Event) -> None:
        """Nobody hears it while the engine is away."""
        if self.engine is not None:
            self.engine.tell(event)

    # --- the engine -----------------------------------------------------------------------------

    async def _run_engine(self, process: Process) -> None:
        self.boots += 1
        loop = self._loop
        try:
            journal = Journal(
                self.journal_folder,
                segment_bytes=SEGMENT_BYTES,
                write=self.disk.write,
                sync=self.disk.sync,
                elapsed=loop.time,
                boot=lambda: f"boot-{self.machine_boots}",
            )
        except JournalError:
            return  # a full disk, say; the supervisor tries again
        self.booted(journal)
        center, seq = restore_center(journal, self.config, Ids(f"{self._seed}-{self.boots}"))
        clock = SteadyClock(not_before=center.state.at, wall=self._wall, elapsed=loop.time)
        engine = Engine(center, journal, clock, lambda seq, facts: self.kept(seq, facts, center.state.config))
        engine.seq = seq
        self.engine, self.journal = engine, journal
        engine.tell(ConfigChanged(center.state.config))
        telephony = FakeTelephony(self._wires, engine.tell, engine.on_connect)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(engine.run(telephony))
            tasks.create_task(keep_checkpoints(engine, journal, CHECKPOINT_EVERY))
            for node in self._wires:
                tasks.create_task(self._read_fallback_log(engine, node))

    async def _read_fallback_log(self, engine: Engine, node: str) -> None:
        reader = FallbackLog(node)
        while True:
            log = self._dialplans[node].queue_log[reader.offset :]
            for report in reader.read(log, engine.center.state.node(node).log_offset):
                engine.tell(report)
            await asyncio.sleep(FALLBACK_LOG_EVERY)

    # --- the books ------------------------------------------------------------------------------

    async def _run_books(self) -> None:
        shipper = self.shipper = Shipper(
            self.journal_folder,
            self._store,
            dead_letters=self.journal_folder.parent / "dead-letters",
            most=200,
            poll=1.0,
            elapsed=self._loop.time,
            spread=lambda: self._dice.uniform(0.8, 1.2),
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(shipper.run(asyncio.Event()))
            tasks.create_task(self._finish_recordings())

    async def _finish_recordings(self) -> None:
        while True:
            with suppress(StoreAway):
                await finish_some(self._store, self.recordings, self._wall())
            await asyncio.sleep(RECORDINGS_EVERY)
