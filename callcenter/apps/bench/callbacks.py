"""``callcenter bench callbacks``: a thousand callbacks promised, and the engine killed fifty times meanwhile.

A real engine process with a real journal, killed with SIGKILL at random moments; the node (``FakePbx``) and everybody
outside live in this process and go on. What was promised, who was called, and who talked is seen at the node, not asked of
the engine; the journal is only asked which attempts it knew of.

- promised: callers who heard that they will be called back
- kept: those of them who talked to an agent
- lost: those who did not, though not all attempts are used up
- twice: legs dialed again, callers rung on two legs at once, dialed after they had talked, or without an attempt in the journal
"""

import asyncio
import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from time import monotonic

from rich.console import Console

from callcenter.apps.bench.callbacks_engine import AGENTS, ATTEMPTS, DID, NODE, PROMISED, journal_of, socket_of
from callcenter.apps.bench.fake_node import FakeNodeServer
from callcenter.domain.commands import ConnectLegs, Dial
from callcenter.domain.facts import Fact
from callcenter.domain.facts import callbacks as cf
from callcenter.services.journal_reader import JournalReader, read_facts
from callcenter.sim.fake_pbx import FakePbx, Mood, Phone
from callcenter.sim.virtual_loop import LoopTimeline

STARTS_WITHIN = 30.0
ENDS_WITHIN = 180.0
PROMISED_WITHIN = 90.0
TALK = 0.4


@dataclass(slots=True)
class Findings:
    """What came of it."""

    promised: int = 0
    kept: int = 0
    lost: int = 0
    twice: int = 0
    broken: int = 0
    """All attempts used up."""
    kills: int = 0
    attempts: int = 0
    dialed: int = 0
    unknown_fates: int = 0
    """Attempts that were never carried out, or whose end nobody saw: used up all the same."""
    first: str = ""
    seconds: float = 0.0
    worst_restart_s: float = 0.0


@dataclass(slots=True)
class _Watch:
    """What happens at the node."""

    pbx: FakePbx
    legs: Counter[str] = field(default_factory=Counter)
    dialed: list[str] = field(default_factory=list)
    talked: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """See each Dial and each ConnectLegs before it is carried out."""
        carry_out = self.pbx.run

        def run(command: object) -> None:
            if isinstance(command, Dial):
                self._dial(command)
            carry_out(command)  # type: ignore[arg-type]
            if isinstance(command, ConnectLegs):
                self._connect(command)

        self.pbx.run = run  # type: ignore[method-assign]

    def _dial(self, command: Dial) -> None:
        if command.leg in self.pbx.channels:
            return  # the same leg, given again: one channel, one ring
        self.legs[command.leg] += 1
        self.dialed.append(command.number)
        if self.legs[command.leg] > 1:
            self.wrong.append(f"{command.leg} was dialed again")
        if command.number in self.talked:
            self.wrong.append(f"{command.number} was dialed after the talk")
        if any(channel.number == command.number for channel in self.pbx.channels.values()):
            self.wrong.append(f"{command.number} rings on two legs")

    def _connect(self, command: ConnectLegs) -> None:
        channels = [self.pbx.channels[leg] for leg in command.legs if leg in self.pbx.channels]
        for channel in channels:
            if channel.number and len(channels) > 1 and channel.number not in self.talked:
                self.talked.add(channel.number)
                asyncio.get_running_loop().call_later(TALK, self.pbx.party_hangs_up, channel.id)


class _Engine:
    """The engine's process."""

    def __init__(self, folder: Path, node: FakeNodeServer, first: str) -> None:
        self._folder = folder
        self._node = node
        self._first = first
        self._process: asyncio.subprocess.Process | None = None
        self.worst_start = 0.0

    async def start(self) -> None:
        """Return once it has caught up with its node."""
        began, before = monotonic(), self._node.beats
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "callcenter.apps.bench.callbacks_engine", str(self._folder), self._first),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(STARTS_WITHIN):
            while self._node.beats == before:
                if self._process.returncode is not None:
                    raise RuntimeError(f"the engine ended by itself with {self._process.returncode}")
                await asyncio.sleep(0.01)
        self.worst_start = max(self.worst_start, monotonic() - began)

    async def kill(self) -> None:
        """SIGKILL: nothing is finished, nothing is said."""
        assert self._process is not None
        if self._process.returncode is not None:
            raise RuntimeError(f"the engine ended by itself with {self._process.returncode}")
        self._process.kill()
        await self._process.wait()


def run(callbacks: int, kills: int, first: str, seed: int, as_json: bool) -> bool:
    """Measure, print, and say whether nothing was lost and nobody dialed twice."""
    found = asyncio.run(_measure(callbacks, kills, first, seed))
    if as_json:
        print(json.dumps(asdict(found), indent=2))
    else:
        console = Console()
        for name, value in asdict(found).items():
            console.print(f"{name:>16}  {value}")
    return found.lost == 0 and found.twice == 0 and found.promised == callbacks


async def _measure(callbacks: int, kills: int, first: str, seed: int) -> Findings:
    chance = random.Random(seed)
    folder = Path(tempfile.mkdtemp(prefix="cc-callbacks-"))
    pbx = FakePbx(NODE, LoopTimeline(asyncio.get_running_loop()), lambda event: None)
    pbx.prompt_length = timedelta(milliseconds=300)
    for agent in AGENTS:
        pbx.phones[f"phone-of-{agent}"] = Phone(answers_after=lambda: timedelta(seconds=chance.uniform(0.05, 0.4)))
    watch = _Watch(pbx)
    watch.begin()
    began = monotonic()
    try:
        async with FakeNodeServer(pbx, socket_of(folder)) as node:
            engine = _Engine(folder, node, first)
            await engine.start()
            promised = await _calls_and_kills(pbx, engine, callbacks, kills, chance)
            await _until(lambda: promised <= watch.talked and not pbx.channels, ENDS_WITHIN)
            await engine.kill()
        facts = _facts(folder)
        found = _findings(promised, watch, facts)
        found.kills, found.first, found.worst_restart_s = kills, first, round(engine.worst_start, 2)
        found.seconds = round(monotonic() - began, 1)
        return found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _calls_and_kills(pbx: FakePbx, engine: _Engine, callbacks: int, kills: int, chance: random.Random) -> set[str]:
    """Callers ask all the time, and between two kills the engine lives for a second or so. Returns who was promised."""
    numbers = [f"+1202{n:07d}" for n in range(2_000_000, 2_000_000 + callbacks)]
    asking: list[asyncio.Task[str]] = []
    for kill in range(kills):
        for number in numbers[kill * callbacks // kills : (kill + 1) * callbacks // kills]:
            asking.append(asyncio.create_task(_asks(pbx, number, chance.uniform(0, 2.5), chance)))
        await asyncio.sleep(chance.uniform(0.05, 2.0))
        await engine.kill()
        await engine.start()
    return {number for number in await asyncio.gather(*asking) if number}


async def _asks(pbx: FakePbx, number: str, after: float, chance: random.Random) -> str:
    """A caller dials, hears that we will call back, and goes; in one of eight the phone is busy or not answered at first."""
    await asyncio.sleep(after)
    leg = pbx.call_in(DID, number)
    heard = pbx.channels[leg].heard
    pbx.outside[number] = phone = Phone(answers_after=lambda: timedelta(seconds=chance.uniform(0.05, 0.6)))
    if chance.random() < 0.125:
        phone.mood = chance.choice([Mood.BUSY, Mood.RINGS_ON, Mood.DECLINES])
        asyncio.get_running_loop().call_later(chance.uniform(1, 4), setattr, phone, "mood", Mood.ANSWERS)
    try:
        await _until(lambda: PROMISED in heard or leg not in pbx.channels, PROMISED_WITHIN)
    except TimeoutError:
        pbx.party_hangs_up(leg)
        return ""
    await asyncio.sleep(chance.uniform(0, 0.3))
    pbx.party_hangs_up(leg)
    return number if PROMISED in heard else ""


async def _until(holds: Callable[[], bool], within: float) -> None:
    async with asyncio.timeout(within):
        while not holds():
            await asyncio.sleep(0.02)


def _facts(folder: Path) -> list[Fact]:
    reader = JournalReader(journal_of(folder))
    try:
        return [fact for _, facts in read_facts(reader.read_all(), []) for fact in facts]
    finally:
        reader.close()


def _findings(promised: set[str], watch: _Watch, facts: list[Fact]) -> Findings:
    created = {fact.callback: fact.number for fact in facts if isinstance(fact, cf.CallbackCreated)}
    attempted = [fact for fact in facts if isinstance(fact, cf.CallbackAttempted)]
    used_up = {created[fact.callback] for fact in facts if isinstance(fact, cf.CallbackBroken) and fact.why is cf.BrokenWhy.UNREACHED}
    tries = Counter(fact.callback for fact in attempted)
    wrong = list(watch.wrong)
    wrong += [f"{leg} was dialed without an attempt in the journal" for leg in watch.legs.keys() - {fact.leg for fact in attempted}]
    wrong += [f"{callback} had {count} attempts" for callback, count in tries.items() if count > ATTEMPTS]
    for sentence in wrong:
        print(f"callcenter: {sentence}", file=sys.stderr)
    unreached = Counter(fact.outcome for fact in facts if isinstance(fact, cf.CallbackUnreached))
    return Findings(
        promised=len(promised),
        kept=len(promised & watch.talked),
        lost=len(promised - watch.talked - used_up),
        twice=len(wrong),
        broken=len(promised & used_up),
        attempts=len(attempted),
        dialed=len(watch.dialed),
        unknown_fates=unreached[cf.AttemptOutcome.FAILED],
    )
