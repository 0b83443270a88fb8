"""One seed: a day of a small center in virtual time, with everything that can go wrong, judged afterwards and on the way.

warm-up → faults (safety only) → faults off, traffic goes on (our picture agrees with the nodes') → everybody goes home
(nothing is left) → the books against the journal.
"""

import asyncio
import logging
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from structlog.typing import EventDict

from callcenter.apps.chaos import odds
from callcenter.apps.chaos.center import SimulatedCenter
from callcenter.apps.chaos.judge import Judge
from callcenter.apps.chaos.nemesis import Nemesis
from callcenter.apps.chaos.nodes import ChaosPbx
from callcenter.apps.chaos.people import People
from callcenter.apps.chaos.store import SimulatedStore
from callcenter.apps.chaos.trace import Trace
from callcenter.apps.chaos.workplace import workplace
from callcenter.sim.checker import Violation
from callcenter.sim.fake_dialplan import FakeDialplan
from callcenter.sim.fake_telephony import Wire
from callcenter.sim.processes import ProcessLoop
from callcenter.sim.virtual_loop import LoopTimeline

WARM_UP_S = 30.0
FAULTS_S = 400.0
CALM_S = 75.0
"""Faults under way when they are switched off last 45 s at most; then 30 s without."""
HOME_S = 260.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one seed."""

    seed: int
    violations: tuple[Violation, ...]
    virtual_s: float
    trace_sha256: str
    calls: int
    faults: int
    facts: int
    lines: int
    log: tuple[str, ...] = field(default=(), repr=False)


def run_seed(seed: int, *, trace: Trace | None = None, folder: Path | None = None) -> Outcome:
    """Live through the seed. ``folder`` is where the journal and recordings are written; by default a temporary one."""
    trace = trace or Trace()
    own = folder is None
    place = Path(tempfile.mkdtemp(prefix="chaos-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None)) if folder is None else folder
    loop = ProcessLoop()
    loop.set_exception_handler(lambda loop, context: None)  # tasks of processes that were killed are never finished
    asyncio.set_event_loop(loop)
    with _quiet() as logs:
        day = _Day(seed, trace, place)
        try:
            loop.run_until_complete(day.live())
        finally:
            _forget(loop, day)
            if own:
                shutil.rmtree(place, ignore_errors=True)
    day.judge.logs(logs)
    return Outcome(
        seed,
        tuple(day.judge.violations),
        day.loop_s,
        trace.sha256,
        len(day.people.callers),
        day.struck,
        sum(day.judge.checker.counts.values()),
        trace.count,
    )


def _forget(loop: ProcessLoop, day: "_Day") -> None:
    """End what runs for good, and drop what killed processes left, without a word."""
    for process in day.center.processes if hasattr(day, "center") else ():
        process.kill()
        for task in list(process.tasks):
            with suppress(RuntimeError):  # a ``finally`` that waits for something
                task.get_coro().close()
        process.tasks.clear()
    loop.close()
    asyncio.set_event_loop(None)


@contextmanager
def _quiet() -> Iterator[list[EventDict]]:
    """What the services log is material for the judge."""
    logger = logging.getLogger("callcenter")
    before, logger.disabled = logger.disabled, True
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    entries: list[EventDict] = []

    def take(given: object, method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if entry.get("exc_info") is True:
            entry["exc_info"] = sys.exc_info()[1]
        entries.append(entry)
        raise structlog.DropEvent

    processors = structlog.get_config()["processors"]
    usual = processors.copy()
    processors[:] = [take]  # in place: loggers that are bound already look into this list
    try:
        yield entries
    finally:
        processors[:] = usual
        logger.disabled = before
        logger.setLevel(level)


class _Day:
    """Puts one seed's world together and lets time pass."""

    def __init__(self, seed: int, trace: Trace, folder: Path) -> None:
        self._seed, self._trace, self._folder = seed, trace, folder
        self.loop_s = 0.0
        self.struck = 0

    async def live(self) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop
        dice = random.Random(self._seed)
        drawn = odds.draw(dice)
        self.timeline = LoopTimeline(loop)
        config = workplace()
        self.nodes = {name: self._node(name, dice) for name in ("node1", "node2")[: dice.choice((1, 2, 2))]}
        self.wires = {name: Wire(node) for name, node in self.nodes.items()}
        self.store = SimulatedStore(
            takes=lambda: self.nemesis.store_takes(),
            loses_answer=lambda: self.nemesis.store_loses_answer(),
            refuses=lambda shipment: self.nemesis.store_refuses(shipment),
        )
        dialplans = {name: node.dialplan for name, node in self.nodes.items()}
        self.center = SimulatedCenter(self._folder, self.wires, dialplans, self.store, config, self.wall, dice, f"seed-{self._seed}")
        for each in (self.center.journal_folder, *self.center.recordings.values()):
            each.mkdir(parents=True)
        self.people = People(self.timeline, self.nodes, self._tell, config, dice, dice.choice((1.0, 2.0, 4.0)))
        self.nemesis = Nemesis(self.timeline, self.center, self.nodes, self.wires, self.store, drawn, dice, self._struck)
        self.judge = Judge(self.center, self.nodes, self.store, self.people, self._note)
        for node in self.nodes.values():
            node.nodes = self.nodes
            node.dialplan.fallback_queues = {did: number.fallback_queue for did, number in config.numbers.items() if number.fallback_queue}
        await self._phases()
        self.loop_s = loop.time()

    async def _phases(self) -> None:
        self.center.start()
        self.people.begin()
        await asyncio.sleep(WARM_UP_S)
        self.nemesis.begin()
        await asyncio.sleep(FAULTS_S)
        self.nemesis.end()
        await asyncio.sleep(45.0)
        self.people.calm_down()
        await asyncio.sleep(CALM_S - 45.0)
        await self.judge.agrees_soon()
        self.people.go_home()
        await asyncio.sleep(HOME_S)
        await self.judge.at_the_end()

    def _node(self, name: str, dice: random.Random) -> ChaosPbx:
        node = ChaosPbx(name, self.timeline, self.wall, self._folder / name, dice)

        def free_members(queue: str) -> list[str]:
            return [endpoint for endpoint in sorted(node.phones) if not node.in_use(endpoint)]

        node.dialplan = FakeDialplan(node, self.timeline, self.wall, free_members, lambda: timedelta(seconds=dice.expovariate(1 / 15)))
        return node

    def wall(self) -> datetime:
        """The clock on the wall of the machine, which people and daemons may set."""
        offset = self.nemesis.wall_offset if hasattr(self, "nemesis") else timedelta()
        return self.timeline.now + offset

    def _tell(self, event: object) -> None:
        self._note("people", event)
        with suppress(AttributeError):
            self.center.tell(event)  # type: ignore[arg-type]

    def _struck(self, what: str) -> None:
        if not what.startswith("done "):
            self.struck += 1
        self._note("nemesis", what)

    def _note(self, who: str, what: object) -> None:
        self._trace.note(self._loop.time(), who, what)


def outcomes_hash(outcomes: Sequence[Outcome]) -> str:
    """One hash for many seeds, in their order."""
    from hashlib import sha256

    return sha256("".join(outcome.trace_sha256 for outcome in outcomes).encode()).hexdigest()
