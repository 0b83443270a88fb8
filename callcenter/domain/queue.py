"""Waiting lines: who waits, who is ready to take them, both in order, neither ever scanned.

Contacts of a queue that the same agents may take are one *pool*: same requirement, same rung of relaxing. There are few pools, however
many contacts and agents there are. Each pool has a line of those who wait and a line of the agents ready for them; whether an agent fits a
pool is found out once. So a contact that comes to wait looks at one head, and an agent who becomes ready at the heads of the
pools she fits.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from callcenter.domain import strategies
from callcenter.domain.agent import Agent
from callcenter.domain.conditions import STANDS_OFF, Condition, Phase, Standing
from callcenter.domain.config import QueueConfig
from callcenter.domain.line import Crowd, Line, Place
from callcenter.domain.measures import Measures
from callcenter.domain.routing_config import RelaxStep, Routing
from callcenter.domain.skills import ALWAYS, Rule, both, gap, meets, parse, waive
from callcenter.domain.strategies import AgentRank
from callcenter.domain.tally import QueueTally
from callcenter.domain.waiter import FRONT, Band, Waiter


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
