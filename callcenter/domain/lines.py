"""Who stands where: the part of the state that keeps agents and waiters in the lines of their queues.

A waiter stands in the line of its pool; one that waits for one agent alone stands in hers. A ready agent stands in the lines of all
pools that she fits. Nothing is decided here.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from callcenter.domain.agent import Agent, Serving
from callcenter.domain.config import AgentConfig, CenterConfig, QueueConfig
from callcenter.domain.facts import AgentState
from callcenter.domain.line import Line, Place
from callcenter.domain.queue import Queue
from callcenter.domain.routing_config import Membership
from callcenter.domain.skills import ALWAYS, meets, parse
from callcenter.domain.waiter import CONTACT, Waiter

OWN = Membership()


@dataclass(frozen=True, slots=True)
class _Reserve:
    """Which queues a group may be called to."""

    group: str
    queue: str


class Lines:
    """All queues, and everybody in them."""

    def __init__(self) -> None:
        self.queues: dict[str, Queue] = {}
        self.waiters: dict[str, Waiter] = {}
        """Who stands in a line now, by id."""
        self.personal: dict[str, Line[Place]] = {}
        """By agent: who waits for her alone."""
        self._config = CenterConfig()
        self._reserves: list[_Reserve] = []
        self._could: dict[tuple[str, str], bool] = {}
        """By queue and requirement: whether anybody of the queue could ever meet it. Looked up once for each configuration."""

    def queue(self, name: str) -> Queue:
        """The queue of that name; one that is no longer configured keeps serving whom it holds."""
        queue = self.queues.get(name)
        if queue is None:
            queue = self.queues[name] = Queue(self._config.queues.get(name) or QueueConfig(name), self._config.window)
        return queue

    # --- rules ----------------------------------------------------------------------------------

    def learn(self, config: CenterConfig) -> None:
        """What is needed before agents are enrolled under new rules."""
        self._config = config
        self._could.clear()
        self._reserves = [
            _Reserve(group, queue.name) for queue in config.queues.values() for step in queue.routing.relax for group in step.groups
        ]
        for name in config.queues:
            self.queue(name)

    def serving(self, agent: AgentConfig, queues: Iterable[str]) -> dict[str, Serving]:
        """How she serves these queues, and those that may call her as a reserve."""
        serves: dict[str, Serving] = {}
        for name in queues:
            member = agent.memberships.get(name, OWN)
            serves[name] = Serving(member.level, member.delay)
        for reserve in self._reserves:
            if reserve.group in agent.groups:
                known = serves.get(reserve.queue)
                if known is None:
                    serves[reserve.queue] = Serving(own=False, groups=(reserve.group,))
                elif not known.own:
                    serves[reserve.queue] = Serving(own=False, groups=(*known.groups, reserve.group))
        return serves

    def could_meet(self, queue: str, require: str) -> bool:
        """Whether somebody serves the queue, logged in or not, who has what this requirement asks for."""
        if (queue, require) not in self._could:
            rule = parse(require) or ALWAYS
            members = (agent for agent in self._config.agents.values() if queue in agent.queues)
            self._could[queue, require] = any(meets(rule, {name: skill.level for name, skill in agent.skills.items()}) for agent in members)
        return self._could[queue, require]

    def begin_anew(self, agents: Mapping[str, Agent], waiters: Iterable[Waiter]) -> None:
        """Under the new rules everybody lines up again. ``waiters``: in line or not, all who may be in one again."""
        delays: dict[str, set[timedelta]] = {}
        for agent in agents.values():
            for name, serving in agent.serves.items():
                if serving.delay:
                    delays.setdefault(name, set()).add(serving.delay)
        for name, queue in self.queues.items():
            queue.configure(self._config.queues.get(name, queue.config), self._config.window, tuple(delays.get(name, ())))
        self.personal.clear()
        for agent in agents.values():
            self.line_up(agent)
        for waiter in waiters:
            waiter.rung = min(waiter.rung, len(self.queue(waiter.queue).rungs) - 1)
        for waiter in self.waiters.values():
            self._place(waiter)

    # --- agents ---------------------------------------------------------------------------------

    def line_up(self, agent: Agent) -> None:
        """Who is ready stands in the lines of her queues; nobody else stands in any."""
        if agent.state is AgentState.READY and agent.idle_since is not None:
            for name in agent.serves:
                self.queues[name].line_up(agent)

    def stand_back(self, agent: Agent) -> None:
        if agent.state is AgentState.READY:
            for name in agent.serves:
                self.queues[name].stand_back(agent.name)

    def look_again(self, agent: Agent) -> None:
        """What she may take has changed."""
        for name in agent.serves:
            for pool in self.queue(name).pools.values():
                pool.forget(agent.name)

    # --- waiters --------------------------------------------------------------------------------

    def stand(self, waiter: Waiter) -> None:
        """It may be given to an agent from now on."""
        self.waiters[waiter.id] = waiter
        self._place(waiter)

    def step_out(self, waiter_id: str) -> Waiter | None:
        """It no longer stands in line, if it did."""
        waiter = self.waiters.pop(waiter_id, None)
        if waiter is not None:
            queue = self.queue(waiter.queue)
            queue.waiting.take(waiter_id)
            if waiter.preferred:
                self.personal[waiter.preferred].take(waiter_id)
            else:
                queue.pool(waiter).waiting.take(waiter_id)
        return waiter

    def _place(self, waiter: Waiter) -> None:
        queue = self.queue(waiter.queue)
        place = queue.place_of(waiter)
        queue.waiting.put(place)
        if waiter.preferred:
            self.personal.setdefault(waiter.preferred, Line()).put(place)
        else:
            queue.pool(waiter).waiting.put(place)

    def others(self) -> Iterator[Waiter]:
        """Those in line that are no contacts."""
        return (waiter for waiter in self.waiters.values() if waiter.kind != CONTACT)
