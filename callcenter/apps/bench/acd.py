"""``callcenter bench acd``: how long the center takes for one event, whatever the number of agents.

Agents serve 6 of 200 queues each. Three quarters of the queues are overrun: 5,000 callers wait there all the time, and
every agent who becomes free is given one. In the others agents wait for callers, hundreds of them ready at once. So
each event has a long line to look at: of callers, or of agents. What is timed is ``Center.handle`` alone, with all
facts applied, for every event of a call's life: arrivals, answers, hang-ups, the end of wrap-up, callers who give up. And all of it
twice: plain queues, longest idle; and every rule of the router in force (``acd_rules``).
"""

import gc
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from random import Random
from time import perf_counter_ns, thread_time_ns

from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from callcenter.apps import garbage
from callcenter.apps.bench.acd_rules import NEEDY, everything_on
from callcenter.domain import commands as c
from callcenter.domain import events as e
from callcenter.domain.center import Center
from callcenter.domain.config import AgentConfig, CenterConfig, NumberConfig, QueueConfig
from callcenter.domain.facts import AgentState
from callcenter.domain.ids import Ids
from callcenter.domain.ivr.flow import Flow, QueueNode
from callcenter.sim.timeline import Timeline

SIZES = (500, 2_000, 10_000)
QUEUES, QUIET_QUEUES, QUEUES_PER_AGENT = 200, 50, 6
WAITING = 5_000
TALK_S, WRAP_UP_S, RING_S = 180.0, 10.0, 3.0
QUIET_LOAD = 0.5
"""The occupancy of the agents of the quiet queues."""
FILL_EVERY = timedelta(milliseconds=10)
"""In the beginning callers come faster than they are served, but not all at once: what a wait brings is not due for all in one moment."""
SETTLE = timedelta(seconds=2 * (TALK_S + WRAP_UP_S))
GIVE_UP_SHARE = 0.2
"""Of those who wait, before an agent is free for them."""
NODE = "bench"


Timed = tuple[str, int]
"""What happened, and how long handling it took, in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Size:
    """What was found with so many agents."""

    agents: int
    ready: int
    """Agents who waited for a caller in the end."""
    waiting: int
    """Callers who waited for an agent in the end."""
    timed: Sequence[Timed]
    computed: Sequence[Timed]
    """The same in CPU time of the thread: what is left when others use the machine too."""

    def as_dict(self) -> dict[str, object]:
        kinds = sorted({kind for kind, _ in self.timed})
        return {
            "agents": self.agents,
            "p50_us": at_most_us(self.timed, 0.5),
            "p99_us": at_most_us(self.timed, 0.99),
            "p999_us": at_most_us(self.timed, 0.999),
            "most_us": at_most_us(self.timed, 1),
            "p99_cpu_us": at_most_us(self.computed, 0.99),
            "events": len(self.timed),
            "ready": self.ready,
            "waiting": self.waiting,
            "by_event": {kind: _spread(of_kind(self.timed, kind)) for kind in kinds},
        }


def at_most_us(timed: Sequence[Timed], share: float) -> float:
    """The duration that this share of the events does not exceed, in microseconds."""
    ordered = sorted(ns for _, ns in timed)
    return round(ordered[max(0, ceil(share * len(ordered)) - 1)] / 1000, 1)


def of_kind(timed: Sequence[Timed], kind: str) -> Sequence[Timed]:
    return [each for each in timed if each[0] == kind]


def _spread(timed: Sequence[Timed]) -> dict[str, object]:
    return {"events": len(timed), "p50_us": at_most_us(timed, 0.5), "p99_us": at_most_us(timed, 0.99)}


class _Crowd:
    """Callers and agents around the production center, in virtual time; no PBX is there to cost anything."""

    def __init__(self, agents: int, seed: int, with_rules: bool) -> None:
        self._random = Random(f"acd {agents} {seed}")
        self._busy_queues = [f"queue-{n}" for n in range(QUIET_QUEUES, QUEUES)]
        self._quiet_queues = [f"queue-{n}" for n in range(QUIET_QUEUES)]
        self._agents = agents
        self._timeline = Timeline()
        self._quiet_agents = agents * QUIET_QUEUES // QUEUES
        self._with_rules = with_rules
        config = self._config()
        if with_rules:
            config = everything_on(config, Random(f"rules {agents} {seed}"))
        self._center = Center(config, Ids(f"acd {agents} {seed}"))
        self._arrived = 0
        self._waiting: list[str] = []
        """The legs of callers in the overrun queues, in any order."""
        self._place: dict[str, int] = {}
        """Where in ``_waiting`` each stands."""
        self._obey: dict[type, Callable[..., None]] = {c.RingAgent: self._ring, c.ConnectLegs: self._talk, c.HangUp: self._hang_up}
        self._handled = 0
        self._filling = True
        self._kinds: list[str] = []
        self._took: list[int] = []
        self._computed: list[int] = []
        """What happened, how long it took, and how much CPU time; apart, because pairs would be more for the collector to look at."""

    def _config(self) -> CenterConfig:
        queues = [*self._quiet_queues, *self._busy_queues]
        agents = {}
        for n in range(self._agents):
            served = self._quiet_queues if n < self._quiet_agents else self._busy_queues
            agents[f"agent-{n}"] = AgentConfig(f"agent-{n}", f"phone-{n}", tuple(self._random.sample(served, QUEUES_PER_AGENT)))
        return CenterConfig(
            queues={name: QueueConfig(name, wrap_up=timedelta(seconds=WRAP_UP_S)) for name in queues},
            agents=agents,
            numbers={name: NumberConfig(name, name) for name in queues},
            flows={name: Flow(name, "enter", {"enter": QueueNode(name)}) for name in queues},
        )

    # --- the day --------------------------------------------------------------------------------

    def fill(self) -> None:
        """Agents log in; each in an overrun queue gets a caller, and then callers wait in line."""
        self._tell("", e.NodeConnected(NODE, self._timeline.now))
        for name in self._center.state.config.agents:
            self._tell("", e.AgentLoginRequested(name))
            self._tell("", e.AgentReadyRequested(name))
        while len(self._waiting) < WAITING:
            self._run_until(self._timeline.now + FILL_EVERY)
            self._arrive_in_line()
        self._filling = False
        self._arrive_quietly()

    def run(self, events: int) -> None:
        """Let so many events happen."""
        until = self._handled + events
        while self._handled < until:
            self._step()

    def _run_until(self, at: datetime) -> None:
        """Let happen what does before ``at``."""
        while min(date for date in (self._timeline.next, self._center.deadline, at) if date is not None) < at:
            self._step()
        self._timeline.now = at

    def _step(self) -> None:
        planned, due = self._timeline.next, self._center.deadline
        if due is not None and (planned is None or due < planned):
            self._timeline.now = due
            self._tell("a date comes" if self._with_rules else "agent is free again", e.TimePassed())
        else:
            self._timeline.step()

    def settle(self) -> None:
        """Let most of the first talks end. What was timed so far was warm-up."""
        self._run_until(self._timeline.now + SETTLE)
        self._kinds.clear()
        self._took.clear()
        self._computed.clear()

    def result(self) -> Size:
        state = self._center.state
        ready = sum(agent.state is AgentState.READY for agent in state.agents.values())
        waiting = sum(len(queue.waiting) for queue in state.queues.values())
        timed, computed = (list(zip(self._kinds, times, strict=True)) for times in (self._took, self._computed))
        return Size(self._agents, ready, waiting, timed, computed)

    def _tell(self, kind: str, event: e.Event) -> None:
        now = self._timeline.now
        computed, began = thread_time_ns(), perf_counter_ns()
        outputs = self._center.handle(event, now)
        took, computed = perf_counter_ns() - began, thread_time_ns() - computed
        if outputs.faults:
            raise outputs.faults[0]
        self._handled += 1
        self._kinds.append(kind)
        self._took.append(took)
        self._computed.append(computed)
        for command in outputs.commands:
            obey = self._obey.get(type(command))
            if obey is not None:
                obey(command)

    def _after(self, mean_s: float, do: Callable[..., None], *args: object) -> None:
        self._timeline.after(timedelta(seconds=self._random.expovariate(1 / mean_s)), do, *args)

    # --- callers --------------------------------------------------------------------------------

    def _arrive(self, queue: str) -> str:
        self._arrived += 1
        leg = f"caller-{self._arrived}"
        if self._with_rules:
            door = queue + NEEDY if self._arrived % 3 == 0 else queue
            self._tell("caller arrives", e.LegArrived(NODE, leg, e.Door.TRUNK, door, f"+1202555{self._random.randint(0, 9999):04}"))
        else:
            self._tell("caller arrives", e.LegArrived(NODE, leg, e.Door.TRUNK, queue, "+12025550123"))
        return leg

    def _arrive_quietly(self) -> None:
        self._arrive(self._random.choice(self._quiet_queues))
        self._after((TALK_S + WRAP_UP_S) / (self._quiet_agents * QUIET_LOAD), self._arrive_quietly)

    def _arrive_in_line(self) -> None:
        leg = self._arrive(self._random.choice(self._busy_queues))
        self._place[leg] = len(self._waiting)
        self._waiting.append(leg)

    def _leave_line(self, leg: str) -> None:
        """Who leaves the line of an overrun queue makes room for the next caller."""
        place, last = self._place.pop(leg), self._waiting.pop()
        if last != leg:
            self._waiting[place], self._place[last] = last, place
        if len(self._waiting) < WAITING and not self._filling:
            self._after(1.0, self._arrive_in_line)

    def _give_up(self) -> None:
        leg = self._random.choice(self._waiting)
        self._leave_line(leg)
        self._tell("caller gives up", e.LegEnded(leg, e.Cause.NORMAL))

    # --- phones ---------------------------------------------------------------------------------

    def _ring(self, command: c.RingAgent) -> None:
        self._after(RING_S, self._tell, "agent answers", e.LegAnswered(command.leg))

    def _talk(self, command: c.ConnectLegs) -> None:
        caller, _ = command.legs
        if caller in self._place:
            self._leave_line(caller)
            if self._random.random() < GIVE_UP_SHARE / (1 - GIVE_UP_SHARE):
                self._after(1.0, self._give_up)
        self._after(TALK_S, self._tell, "caller hangs up", e.LegEnded(caller, e.Cause.NORMAL))

    def _hang_up(self, command: c.HangUp) -> None:
        self._after(0.02, self._tell, "phone is down", e.LegEnded(command.leg, e.Cause.NORMAL))


# --- the bench ----------------------------------------------------------------------------------


def measure(agents: int, events: int, seed: int = 1, *, with_rules: bool = False) -> Size:
    """Fill the center, let it settle, and time so many events."""
    crowd = _Crowd(agents, seed, with_rules)
    crowd.fill()
    crowd.settle()
    with _collector_as_in_the_engine():
        crowd.run(events)
    return crowd.result()


@contextmanager
def _collector_as_in_the_engine() -> Iterator[None]:
    before = gc.get_threshold()
    garbage.settle()
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def run(events: int, as_json: bool) -> None:
    """Measure every size, smallest first, and print a table or JSON."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        sizes = [measure(agents, events) for agents in progress.track(SIZES, description="plain queues")]
        ruled = [measure(agents, events, with_rules=True) for agents in progress.track(SIZES, description="every rule")]
    if as_json:
        print(json.dumps({"sizes": [size.as_dict() for size in sizes], "every_rule": [size.as_dict() for size in ruled]}, indent=2))
    else:
        Console(highlight=False).print(_table(sizes, "One event, plain queues"))
        Console(highlight=False).print(_table(ruled, "One event, every rule in force"))


def _table(sizes: Sequence[Size], title: str) -> Table:
    caption = f"microseconds, over {len(sizes[0].timed):,} events"
    table = Table("Center.handle", title=title, caption=caption, box=box.SIMPLE_HEAD)
    for size in sizes:
        table.add_column(f"{size.agents:,} agents", justify="right")

    def add(words: str, figures: Iterable[float]) -> None:
        table.add_row(words, *(f"{figure:,}" for figure in figures))

    add("agents ready", [size.ready for size in sizes])
    add("callers waiting", [size.waiting for size in sizes])
    for words, share in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("most", 1.0)):
        add(words, [at_most_us(size.timed, share) for size in sizes])
    add("p99 of CPU time", [at_most_us(size.computed, 0.99) for size in sizes])
    for kind in sorted({kind for kind, _ in sizes[0].timed}):
        add(f"p99 when {kind}", [at_most_us(of_kind(size.timed, kind), 0.99) for size in sizes])
    return table
