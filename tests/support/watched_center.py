"""A center in virtual time, and a replica that is always up to date with it: for what watches replicas, without sockets and disks."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from callcenter.domain.config import CenterConfig, QueueConfig
from callcenter.domain.facts import Fact
from callcenter.domain.state import State
from callcenter.services.replica import Watcher
from callcenter.sim.world import World, small_center


def browsers(*agents: str, queues: Sequence[QueueConfig] = (QueueConfig("support"),)) -> CenterConfig:
    """Their phones are their browsers."""
    center = small_center(queues, agents)
    return replace(center, agents={name: replace(agent, browser=True) for name, agent in center.agents.items()})


class WatchedCenter:
    """``world`` is where things happen; the rest looks like a ``services.replica.Replica``."""

    def __init__(self, config: CenterConfig) -> None:
        self.world = World(config)
        self.state: State | None = State(config)
        self.here = True
        self.seq = 0
        self._watchers: list[Watcher] = []
        known, self.world.facts = list(self.world.facts), []
        self.world.on_facts = self._keep
        self._keep(known)

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def _keep(self, facts: Sequence[Fact]) -> None:
        if not facts or self.state is None:
            return
        self.world.facts.extend(facts)
        for fact in facts:
            self.state.apply(fact)
        self.seq += 1
        for watcher in self._watchers:
            watcher(self.seq, facts)

    def engine_leaves(self) -> None:
        self._is_here(False)

    def engine_comes(self) -> None:
        self._is_here(True)

    def _is_here(self, here: bool) -> None:
        self.here = here
        for watcher in self._watchers:
            watcher(self.seq, ())
