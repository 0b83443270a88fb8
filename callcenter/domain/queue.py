"""Waiting lines: who waits, who is ready to take them, both in order, neither ever scanned.

Contacts of a queue that the same agents may take are one *pool*: same requirement, same rung of relaxing. There are few pools, however
many contacts and agents there are. Each pool has a line of those who wait and a line of the agents ready for them; whether an agent fits a
pool is found out once. So a contact that comes to wait looks at one head, and an agent who becomes ready at the heads of the
pools she fits.

All lines are heaps with lazy deletion: a dict holds the truth, an entry of the heap that the dict denies is dropped when it comes to the
top, and the heap is rebuilt when most of it is stale. So each operation costs O(log n), amortised.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

from callcenter.domain import strategies
from callcenter.domain.agent import Agent
from callcenter.domain.conditions import STANDS_OFF, Condition, Phase, Standing
from callcenter.domain.config import QueueConfig
from callcenter.domain.measures import Measures
from callcenter.domain.routing_config import RelaxStep, Routing
from callcenter.domain.skills import ALWAYS, Rule, both, gap, meets, parse, waive
from callcenter.domain.strategies import AgentRank
from callcenter.domain.tally import QueueTally

Place = tuple[int, float, float, str]
"""Where a waiter stands: its band, its priority within the band, its date, its id; lowest first."""
Rank = TypeVar("Rank", Place, AgentRank, tuple[datetime, str], tuple[int, datetime, str])


class Line(Generic[Rank]):
    """Things in the order of their rank, lowest first. The last field of the rank is the thing's id."""

    __slots__ = ("_heap", "_order", "ranks")

    def __init__(self) -> None:
        self._heap: list[Rank] = []
        self.ranks: dict[str, Rank] = {}
        """The truth, by id; for others to read."""
        self._order: list[Rank] | None = None
        """All in order, if nothing has changed since somebody asked."""

    def __len__(self) -> int:
        return len(self.ranks)

    def __contains__(self, name: str) -> bool:
        return name in self.ranks

    def put(self, rank: Rank) -> None:
        name = rank[-1]
        if self.ranks.get(name) == rank:
            return
        self.ranks[name] = rank
        self._order = None
        heappush(self._heap, rank)

    def take(self, name: str) -> None:
        """Remove it, wherever it stands; nothing happens when it is not in line."""
        self._order = None
        if self.ranks.pop(name, None) is not None and len(self._heap) > 2 * len(self.ranks) + 64:
            self._heap = list(self.ranks.values())
            heapify(self._heap)

    def rank_of(self, name: str) -> Rank | None:
        return self.ranks.get(name)

    def head(self) -> Rank | None:
        while self._heap:
            rank = self._heap[0]
            if self.ranks.get(rank[-1]) == rank:
                return rank
            heappop(self._heap)
        return None

    def first(self, count: int) -> list[Rank]:
        """The first few in order, without removing them."""
        found: list[Rank] = []
        while len(found) < count and (rank := self.head()) is not None:
            heappop(self._heap)
            if not found or found[-1] != rank:
                found.append(rank)
        for rank in found:
            heappush(self._heap, rank)
        return found

    def position(self, name: str) -> int:
        """1 for the head. Sorted once after each change, and only when somebody asks; not for routing."""
        if self._order is None:
            self._order = sorted(self.ranks.values())
        return bisect_left(self._order, self.ranks[name]) + 1

    def in_order(self) -> list[str]:
        """All ids in order; for screens and tests, not for routing."""
        return [rank[-1] for rank in sorted(self.ranks.values())]


class Crowd:
    """Agents and since when they are idle; in order only when somebody asks."""

    __slots__ = ("_since",)

    def __init__(self) -> None:
        self._since: dict[str, datetime] = {}

    def __len__(self) -> int:
        return len(self._since)

    def put(self, name: str, since: datetime) -> None:
        self._since[name] = since

    def take(self, name: str) -> None:
        self._since.pop(name, None)

    def in_order(self) -> list[str]:
        """Longest idle first; for screens and tests, not for routing."""
        return [name for _, name in sorted((since, name) for name, since in self._since.items())]


CONTACT = "contact"


FRONT = -1
"""Before all bands: who was put at the head by a supervisor."""


class Band(IntEnum):
    """Within a queue, whoever is in a lower band comes first."""

    STARVING = 0
    """Has waited ``starve_after``."""
    CAPPED = 1
    """Its priority has grown to ``priority_cap``, or was above it from the beginning."""
    AGEING = 2


@dataclass(slots=True)
class Waiter:
    """Whoever stands in a line: a contact, or something else that waits for an agent, such as a callback that keeps its place.

    To put another kind of waiter in: call ``State.stand_in_line(waiter)`` in the applier of the fact that makes it wait, and
    ``State.step_out(id)`` in the appliers of those that end its wait. Ids are opaque, but no two waiters share one. Register the story
    of its turn in ``center.ITS_TURN`` by ``kind``: the router calls ``story(turn, waiter, agent)`` once the waiter is at the head and
    ``agent`` is the one to take it. The story must emit facts that step the waiter out, or that reserve the agent; the router
    looks at the line again afterwards. Call ``router.route_waiter`` after a waiter has come to stand in line.

    Priority, its ageing, and the rungs of relaxing are the same for all kinds; what changes with time is told by ``WaiterAdvanced``.
    """

    id: str
    queue: str
    priority: int
    entered_at: datetime
    """From when its wait counts."""
    place: datetime
    """Orders it among equals."""
    kind: str = CONTACT
    require: str = ""
    """What it needs of an agent beside what the queue requires."""
    prefer: str = ""
    preferred: str = ""
    """The agent it waits for alone ..."""
    preferred_until: datetime | None = None
    """... until then."""
    rung: int = 0
    """How many of the queue's time steps it has waited for."""
    band: Band = Band.AGEING
    advances_at: datetime | None = None
    """When something of this changes by itself next."""
    front_at: datetime | None = None
    """When a supervisor put it at the head; who was last is first."""

    def wait(self, now: datetime) -> timedelta:
        return now - self.entered_at


class Unfit(StrEnum):
    """Why an agent of the queue may not take the contacts of a pool now."""

    SKILL = "skill"
    DELAY = "delay"
    GROUP = "group"
    """She serves the queue by a reserve group only, and that is not open."""


PoolKey = tuple[str, str, int]
"""Requirement and preference of the contacts, and their rung."""


class Pool:
    """Contacts that the same agents may take."""

    __slots__ = ("_fits", "_in_vain", "asleep", "groups", "key", "prefer", "queue", "ready", "require", "span", "waiting")

    def __init__(self, queue: "Queue", key: PoolKey) -> None:
        self.queue = queue
        self.key = key
        self.waiting: Line[Place] = Line()
        self.asleep = False
        """Nobody has waited in it for long: agents do not line up until somebody does."""
        self._in_vain = 0
        """How many agents have lined up since somebody waited in it."""
        self.reopen()

    def wake(self) -> None:
        """Somebody comes to wait: whoever is ready lines up. Costs no more than the lining up that was saved before."""
        self._in_vain = 0
        if self.asleep:
            self.asleep = False
            self._line_up_all()

    def _line_up_all(self) -> None:
        self.ready: Line[AgentRank] = Line()
        for agent in self.queue.at_hand.values():
            self.admit(agent, *self.queue.looked_at(agent))

    def reopen(self) -> None:
        """Look again at who may take these contacts: a step of relaxing has opened or closed."""
        self.span = self.queue.rungs[min(self.key[2], len(self.queue.rungs) - 1)]
        self.require, self.prefer, self.groups = self.queue.asks(self.key)
        self._fits: dict[str, tuple[int, int] | Unfit] = {}
        self._line_up_all()

    def fit(self, agent: Agent) -> tuple[int, int] | Unfit:
        """Her level and skill gap, or why she may not; found out once."""
        fits = self._fits.get(agent.name)
        if fits is None:
            fits = self._fits[agent.name] = self._judge(agent)
        return fits

    def _judge(self, agent: Agent) -> tuple[int, int] | Unfit:
        member = agent.serves[self.queue.name]
        level = member.level
        if not member.own:
            opened = [self.groups[group] for group in member.groups if group in self.groups]
            if not opened:
                return Unfit.GROUP
            level = min(opened)
        elif member.delay > self.span:
            return Unfit.DELAY
        if not meets(self.require, agent.skills):
            return Unfit.SKILL
        return level, gap(self.prefer, agent.skills)

    def admit(self, agent: Agent, looked_at: float, idle: float) -> None:
        """A ready agent lines up, if she fits."""
        fits = self._fits.get(agent.name) or self.fit(agent)
        if type(fits) is tuple:
            self.ready.put((*fits, looked_at, idle, agent.name))
        if not self.waiting.ranks:
            self._in_vain += 1
            if self._in_vain > len(self.queue.at_hand) + IN_VAIN:
                self.asleep = True
                self.ready = Line()

    def forget(self, agent: str) -> None:
        """Her skills have changed."""
        self._fits.pop(agent, None)


IN_VAIN = 16
"""So many agents more than are ready have lined up for nobody: the pool falls asleep."""
POOLS = 64
"""A queue keeps so many pools nobody waits in, for the next contact of the kind."""


class Queue:
    """A named waiting line with its policy."""

    __slots__ = (
        *(
            "_awake",
            "at_hand",
            "conditions",
            "config",
            "logged_in",
            "look_at",
            "measures",
            "oldest",
            "pools",
            "ready",
            "ringing",
            "routing",
        ),
        *("rungs", "serving", "standings", "tally", "unanswered", "waiting", "window"),
    )

    def __init__(self, config: QueueConfig, window: timedelta = timedelta(minutes=30)) -> None:
        self.unanswered = 0
        """Contacts waiting or offered, wherever their node."""
        self.logged_in = 0
        """Agents of its own, without those of reserve groups."""
        self.serving = 0
        """Agents logged in and neither on a break nor otherwise not ready."""
        self.oldest: Line[tuple[datetime, str]] = Line()
        """Contacts waiting or offered, by how long."""
        self.measures = Measures()
        self.tally = QueueTally()
        self.standings: dict[str, Standing] = {}
        """Of its conditions, by key: those that rise or hold."""
        self.look_at: datetime | None = None
        """When its conditions are looked at next; follows from the facts and the passing of time."""
        self.configure(config, window, ())

    def standing(self, condition: Condition) -> Standing:
        return self.standings.get(condition.key, STANDS_OFF)

    def holds(self, condition: Condition) -> bool:
        """Whether the condition, one of ``conditions``, held when it was last looked at."""
        return self.standing(condition).phase is Phase.ON

    @property
    def name(self) -> str:
        return self.config.name

    def configure(self, config: QueueConfig, window: timedelta, delays: tuple[timedelta, ...]) -> None:
        """New rules: all lines are empty afterwards."""
        self.config = config
        self.routing: Routing = config.routing
        self.window = window
        steps = [step.after for step in self.routing.relax if step.after is not None]
        self.rungs: tuple[timedelta, ...] = tuple(sorted({timedelta(0), *steps, *delays}))
        """After which waits more agents may take a contact."""
        steps_when = (step.when for step in self.routing.relax if step.when is not None)
        self.conditions: tuple[Condition, ...] = tuple({one.key: one for one in (*config.conditions, *steps_when)}.values())
        """Those that are looked at: of its rules and of its steps of relaxing."""
        wanted = {condition.key for condition in self.conditions}
        self.standings = {key: standing for key, standing in self.standings.items() if key in wanted}
        self.pools: dict[PoolKey, Pool] = {}
        self.waiting: Line[Place] = Line()
        """Waiters that may be given to an agent now, whatever their pool, by place."""
        self.ringing: Line[Place] = Line()
        """Contacts with an open offer, by place: ring-all offers them to agents who become ready meanwhile, too."""
        self.ready = Crowd()
        """Agents of its own that may be offered a contact now, by idle-since."""
        self.at_hand: dict[str, Agent] = {}
        """The same, with those of reserve groups, open or not."""
        self._awake: list[Pool] = []

    def condition_changed(self, key: str) -> None:
        """When a step of relaxing depends on it, other agents may take those who wait."""
        if any(step.when is not None and step.when.key == key for step in self.routing.relax):
            for pool in self.pools.values():
                pool.reopen()
            self._awake = [pool for pool in self.pools.values() if not pool.asleep]

    def is_open(self, step: RelaxStep, span: timedelta) -> bool:
        """Whether the step is open for contacts that have waited for so long."""
        return self.holds(step.when) if step.when is not None else step.after is not None and step.after <= span

    # --- who waits ------------------------------------------------------------------------------

    def rung_at(self, wait: timedelta) -> int:
        """How many of the time steps a contact that has waited so long has passed."""
        return max(0, bisect_right(self.rungs, wait) - 1)

    def place_of(self, waiter: Waiter) -> Place:
        """Where it stands. Ageing adds the same to all, so what is compared never changes while it waits in one band."""
        at = waiter.place.timestamp()
        if waiter.front_at is not None:
            return FRONT, -waiter.front_at.timestamp(), at, waiter.id
        priority = float(waiter.priority)
        match waiter.band:
            case Band.STARVING:
                key = 0.0
            case Band.CAPPED:
                key = -max(priority, self.routing.priority_cap or 0.0)
            case _:
                key = self.routing.acceleration / 60 * at - priority
        return int(waiter.band), key, at, waiter.id

    def priority_of(self, waiter: Waiter, now: datetime) -> float:
        """What its priority has grown to."""
        grown = waiter.priority + self.routing.acceleration * ((now - waiter.place) / timedelta(minutes=1))
        cap = self.routing.priority_cap
        return max(waiter.priority, grown if cap is None else min(grown, cap))

    def band_at(self, waiter: Waiter, now: datetime) -> Band:
        starve, cap = self.routing.starve_after, self.routing.priority_cap
        if starve is not None and now - waiter.entered_at >= starve:
            return Band.STARVING
        if cap is not None and self.routing.acceleration > 0 and self.cap_date(waiter, cap) <= now:
            return Band.CAPPED
        return Band.AGEING

    def cap_date(self, waiter: Waiter, cap: float) -> datetime:
        """When its priority has grown to the cap."""
        return waiter.place + timedelta(minutes=max(0.0, cap - waiter.priority) / self.routing.acceleration)

    def advances_at(self, waiter: Waiter) -> datetime | None:
        """When something about its standing changes by itself next."""
        dates = [waiter.preferred_until] if waiter.preferred and waiter.preferred_until else []
        if waiter.rung + 1 < len(self.rungs):
            dates.append(waiter.entered_at + self.rungs[waiter.rung + 1])
        if waiter.band is not Band.STARVING and self.routing.starve_after is not None:
            dates.append(waiter.entered_at + self.routing.starve_after)
        cap = self.routing.priority_cap
        if waiter.band is Band.AGEING and cap is not None and self.routing.acceleration > 0:
            dates.append(self.cap_date(waiter, cap))
        return min(dates, default=None)

    # --- who may take them ----------------------------------------------------------------------

    def pool(self, waiter: Waiter) -> Pool:
        """The pool it belongs to; made when it is the first of its kind."""
        key = waiter.require, waiter.prefer, waiter.rung
        pool = self.pools.get(key)
        if pool is None:
            if len(self.pools) >= POOLS:
                self._drop_some_pools()
            pool = self.pools[key] = Pool(self, key)
            self._awake.append(pool)
        elif pool.asleep:
            self._awake.append(pool)
        pool.wake()
        return pool

    def _drop_some_pools(self) -> None:
        """The oldest nobody waits in."""
        for old in [old for old, pool in self.pools.items() if not pool.waiting][: len(self.pools) - POOLS + 1]:
            pool = self.pools.pop(old)
            if not pool.asleep:
                self._awake.remove(pool)

    @property
    def awake(self) -> Sequence[Pool]:
        """The pools in which somebody waits, and some more."""
        return self._awake

    def looked_at(self, agent: Agent) -> tuple[float, float]:
        """What the strategy ranks her by, and her idle clock."""
        return strategies.looked_at(self.routing, agent, self.name, self.window)

    def asks(self, key: PoolKey) -> tuple[Rule, Rule, dict[str, int]]:
        """Hard and soft requirement of a pool, and the reserve groups open for it with their levels."""
        span = self.rungs[min(key[2], len(self.rungs) - 1)]
        require, prefer, waived = self.routing.require, self.routing.prefer, set[str]()
        groups: dict[str, int] = {}
        for step in self.routing.relax:
            if self.is_open(step, span):
                require = require if step.require is None else step.require
                prefer = prefer if step.prefer is None else step.prefer
                waived.update(step.waive)
                groups.update({group: min(step.level, groups.get(group, step.level)) for group in step.groups})
        hard, soft = both(parse(require), parse(key[0])), both(parse(prefer), parse(key[1]))
        return (waive(hard, waived), waive(soft, waived), groups) if waived else (hard or ALWAYS, soft, groups)

    def line_up(self, agent: Agent) -> None:
        """A ready agent stands in the lines of all pools that she fits."""
        self.at_hand[agent.name] = agent
        if agent.serves[self.name].own and agent.idle_since is not None:
            self.ready.put(agent.name, agent.idle_since)
        looked_at, idle = self.looked_at(agent)
        fell_asleep = False
        for pool in self._awake:
            pool.admit(agent, looked_at, idle)
            fell_asleep = fell_asleep or pool.asleep
        if fell_asleep:
            self._awake = [pool for pool in self._awake if not pool.asleep]

    def stand_back(self, name: str) -> None:
        if self.at_hand.pop(name, None) is not None:
            self.ready.take(name)
            for pool in self._awake:
                pool.ready.take(name)
