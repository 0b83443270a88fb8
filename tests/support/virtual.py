"""The real engine and outbox in virtual time, on nodes that are not there.

    @in_virtual_time
    async def test_x(center: VirtualCenter) -> None:
        alice = await center.agent_ready("alice")
        caller = center.calls()
        await center.pass_time(3)
        assert center.talking() == {"alice": caller}

Each story is told several times, with commands and answers that take more or less time.
"""

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar, overload

from structlog.testing import capture_logs
from structlog.typing import EventDict

from callcenter.domain.agent import Agent
from callcenter.domain.center import Center
from callcenter.domain.commands import Command
from callcenter.domain.config import CenterConfig
from callcenter.domain.events import AgentLoginRequested, AgentReadyRequested
from callcenter.domain.facts import Fact
from callcenter.domain.ids import Ids
from callcenter.services.engine import Engine
from callcenter.sim.fake_pbx import FakePbx, Phone
from callcenter.sim.fake_telephony import FakeTelephony, Wire, varied
from callcenter.sim.virtual_loop import LoopClock, LoopTimeline, run_virtual
from callcenter.sim.world import small_center

T = TypeVar("T")
SEEDS = (None, 1, 2, 3)
"""Of how long things take on the wire; None: always the same."""


class KeptJournal:
    """Implements ``services.ports.Journal`` in memory, and notes everything in the order in which it was done."""

    def __init__(self) -> None:
        self.records: list[tuple[Fact, ...]] = []
        self.done: list[Fact | Command] = []

    def append(self, facts: Sequence[Fact]) -> int:
        self.records.append(tuple(facts))
        self.done += facts
        return len(self.records)

    async def sync(self) -> None:
        """Memory is as durable as it gets."""

    @property
    def facts(self) -> list[Fact]:
        return [fact for record in self.records for fact in record]


class NotedTelephony(FakeTelephony):
    """Notes when a command is begun, beside the facts."""

    journal: KeptJournal

    async def run(self, command: Command) -> None:
        self.journal.done.append(command)
        await super().run(command)


class VirtualCenter:
    """A center that can be stopped, restored and cut off from its nodes."""

    def __init__(
        self, logs: list[EventDict], config: CenterConfig | None = None, nodes: Sequence[str] = ("node1",), seed: int | None = None
    ) -> None:
        self.logs = logs
        self.config = config or small_center()
        self.timeline = LoopTimeline(asyncio.get_running_loop())
        self.clock = LoopClock(self.timeline)
        self.journal = KeptJournal()
        self.wires = {name: Wire(FakePbx(name, self.timeline, lambda event: None), varied(seed)) for name in nodes}
        self.boots = 0
        self._running: asyncio.Task[None] | None = None

    @property
    def wire(self) -> Wire:
        return next(iter(self.wires.values()))

    @property
    def pbx(self) -> FakePbx:
        return self.wire.pbx

    # --- our process ----------------------------------------------------------------------------

    async def start(self) -> None:
        """A new process: what the journal holds is all it knows."""
        self.boots += 1
        center = Center.restore(self.config, Ids(f"boot-{self.boots}"), self.journal.facts)
        self.engine = Engine(center, self.journal, self.clock)
        self.telephony = NotedTelephony(self.wires, self.engine.tell, self.engine.on_connect)
        self.telephony.journal = self.journal
        self._running = asyncio.create_task(self.engine.run(self.telephony))
        await asyncio.sleep(0.1)

    async def kill(self, spare: Sequence[str] = ("story",)) -> None:
        """The process is gone, with every command that was under way; the nodes go on. Tasks of the names in ``spare`` are not ours."""
        assert self._running is not None
        ours = [task for task in asyncio.all_tasks() if task.get_name() not in spare]
        for task in ours:
            task.cancel()
        await asyncio.gather(*ours, return_exceptions=True)
        self._running = None
        for wire in self.wires.values():
            wire.pbx.fall_deaf()

    async def restart(self, away: float = 1.0) -> None:
        await self.kill()
        await self.pass_time(away)
        await self.start()

    # --- time and people ------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return self.timeline.now

    async def pass_time(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        assert self._running is None or not self._running.done(), self._running.exception()

    def calls(self, did: str = "+18005550100", caller: str = "+12025550123", *, node: str = "") -> str:
        """A caller dials (by default, straight into the queue ``support``); returns the leg."""
        return self.wires[node or next(iter(self.wires))].pbx.call_in(did, caller)

    async def agent_ready(self, name: str) -> Agent:
        assert await self.engine.request(AgentLoginRequested(name)) is None
        assert await self.engine.request(AgentReadyRequested(name)) is None
        return self.agent(name)

    def agent(self, name: str) -> Agent:
        return self.engine.center.state.agents[name]

    def phone(self, agent: str) -> Phone:
        """The agent's phone, at every node."""
        endpoint = self.config.agents[agent].endpoint
        phone = self.pbx.phones.setdefault(endpoint, Phone(answers_after=lambda: timedelta(seconds=2)))
        for wire in self.wires.values():
            wire.pbx.phones[endpoint] = phone
        return phone

    # --- what is so -----------------------------------------------------------------------------

    @property
    def facts(self) -> list[Fact]:
        return self.journal.facts

    def kept(self, kind: type[T]) -> list[T]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    def waiting(self, queue: str = "support") -> list[str]:
        """The callers' legs in the order of the line."""
        state = self.engine.center.state
        line = (state.contacts[name] for name in state.queue(queue).waiting.in_order() if name in state.contacts)
        return [state.calls[contact.entered.call].began.leg for contact in line]

    def talking(self) -> dict[str, str]:
        """From agent to the caller's leg, as the center believes it."""
        state = self.engine.center.state
        connected = [contact for contact in state.contacts.values() if contact.state == "connected" and contact.offer]
        return {contact.offer.agent: state.calls[contact.entered.call].began.leg for contact in connected if contact.offer}

    def together(self, node: str = "") -> set[frozenset[str]]:
        """Who hears whom at the node: endpoints and callers' legs."""
        pbx = self.wires[node or next(iter(self.wires))].pbx

        def name(leg: str) -> str:
            channel = pbx.channels[leg]
            return leg if channel.arrival else channel.endpoint

        return {frozenset(map(name, members)) for members in pbx.bridges.values() if members}

    def faults(self) -> list[EventDict]:
        return [line for line in self.logs if line["event"] in ("fault", "command_failed")]


Story = Callable[..., Awaitable[None]]


@overload
def in_virtual_time(story: Story) -> Callable[..., None]: ...


@overload
def in_virtual_time(
    *, config: CenterConfig | None = ..., nodes: Sequence[str] = ..., seeds: Sequence[int | None] = ..., faults: bool = ...
) -> Callable[[Story], Callable[..., None]]: ...


def in_virtual_time(
    story: Story | None = None,
    *,
    config: CenterConfig | None = None,
    nodes: Sequence[str] = ("node1",),
    seeds: Sequence[int | None] = SEEDS,
    faults: bool = False,
) -> Callable[..., None] | Callable[[Story], Callable[..., None]]:
    """Tell the story once per seed, with a center that is up. ``faults``: the story expects some to be logged."""

    def of(story: Story) -> Callable[..., None]:
        @functools.wraps(story)
        def test(**given: object) -> None:
            for seed in seeds:
                run_virtual(functools.partial(_tell, story, config, nodes, seed, faults, given))

        parameters = list(inspect.signature(story).parameters.values())[1:]
        test.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # for pytest: the center is ours to give
        return test

    return of if story is None else of(story)


async def _tell(
    story: Callable[..., Awaitable[None]],
    config: CenterConfig | None,
    nodes: Sequence[str],
    seed: int | None,
    faults: bool,
    given: dict[str, object],
) -> None:
    task = asyncio.current_task()
    assert task is not None
    task.set_name("story")
    with capture_logs() as logs:
        center = VirtualCenter(logs, config, nodes, seed)
        await center.start()
        await story(center, **given)
        await center.pass_time(5)
        if not faults:
            assert center.faults() == []
        await center.kill()
