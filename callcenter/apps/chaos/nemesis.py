"""Who breaks things: each fault comes by itself, as often as the seed's odds say, until it is told to stop."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from callcenter.apps.chaos import store as stores
from callcenter.apps.chaos.center import SimulatedCenter
from callcenter.apps.chaos.nodes import ChaosPbx
from callcenter.apps.chaos.odds import Odds
from callcenter.apps.chaos.store import SimulatedStore
from callcenter.domain.commands import Command
from callcenter.domain.config import CenterConfig
from callcenter.domain.events import ConfigChanged, Event
from callcenter.services.ledger import Shipment
from callcenter.sim.fake_telephony import ONE_WAY, Wire
from callcenter.sim.processes import Killed
from callcenter.sim.timeline import Timeline

LAGS = (0.0005, 0.005, 0.05, 0.2)
DETECTED_AFTER = (2.0, 6.0)
"""Seconds until a connection through which nothing gets is taken for lost."""


class Nemesis:
    """Draws faults from ``dice``."""

    def __init__(
        self,
        timeline: Timeline,
        center: SimulatedCenter,
        nodes: Mapping[str, ChaosPbx],
        wires: Mapping[str, Wire],
        store: SimulatedStore,
        odds: Odds,
        dice: random.Random,
        note: Callable[[str], None],
    ) -> None:
        self.odds = odds
        self.on = False
        self.wall_offset = timedelta()
        self._timeline, self._center, self._nodes, self._wires, self._store = timeline, center, nodes, wires, store
        self._dice, self._note = dice, note
        self._usual = center.config
        self._die_at_command = 0
        self._slow = 1.0
        for wire in wires.values():
            wire.takes = self._wire_takes
            wire.lags = self._lags
            wire.loses_request = self._loses_request
            wire.loses_answer = self._loses_answer
        center.work_takes = lambda: self._dice.choice((0.0005, 0.002, 0.02)) * self._slow

    # --- when -----------------------------------------------------------------------------------

    def begin(self) -> None:
        self.on = True
        for node in self._nodes.values():
            node.refused, node.worst_moment = self.odds.refused, self.odds.worst_moment
        faults: dict[str, Callable[[], None]] = {
            "engine_killed": self._kill_engine,
            "engine_killed_at_a_step": self._kill_engine_at_a_step,
            "engine_killed_in_a_write": self._kill_engine_in_a_write,
            "engine_killed_at_a_command": self._kill_engine_at_a_command,
            "engine_frozen": self._freeze_engine,
            "books_killed": lambda: self._center.books_process.kill(),
            "books_frozen": self._freeze_books,
            "power_cut": self._cut_power,
            "link_cut": self._cut_link,
            "link_silent": self._silence_link,
            "node_crashed": self._crash_node,
            "slow_spell": self._slow_spell,
            "clock_step": self._step_clock,
            "disk_full": self._fill_disk,
            "store_away": self._store_away,
            "store_hangs": self._store_hangs,
            "store_crash": self._crash_store,
            "config_change": self._change_config,
        }
        for name, do in faults.items():
            every = getattr(self.odds, name)
            if every:
                self._plan(name, every, do)

    def end(self) -> None:
        """No new fault; those under way end by themselves, and soon."""
        self.on = False
        for node in self._nodes.values():
            node.refused = node.worst_moment = 0.0
        self._die_at_command = self._center.disk.die_at_write = self._center.engine_process.kill_at_step = 0
        self._slow = 1.0
        self._configure(self._usual)

    def _plan(self, name: str, every: float, do: Callable[[], None]) -> None:
        self._timeline.after(timedelta(seconds=self._dice.expovariate(1 / every)), self._strike, name, every, do)

    def _strike(self, name: str, every: float, do: Callable[[], None]) -> None:
        if self.on:
            self._note(name)
            do()
            self._plan(name, every, do)

    def _later(self, seconds: float, do: Callable[..., None], *args: object) -> None:
        self._timeline.after(timedelta(seconds=seconds), do, *args)

    # --- our processes --------------------------------------------------------------------------

    def _kill_engine(self) -> None:
        self._center.engine_process.kill()

    def _kill_engine_at_a_step(self) -> None:
        process = self._center.engine_process
        process.kill_at_step = process.steps + self._dice.randrange(1, 400)

    def _kill_engine_in_a_write(self) -> None:
        self._center.disk.die_at_write = self._dice.randrange(1, 8)

    def _kill_engine_at_a_command(self) -> None:
        self._die_at_command = self._dice.randrange(1, 8)

    def _dies_now(self) -> None:
        if self._die_at_command:
            self._die_at_command -= 1
            if not self._die_at_command:
                self._center.engine_process.kill()
                raise Killed

    def _freeze_engine(self) -> None:
        process = self._center.engine_process
        process.freeze()
        self._later(self._dice.choice((0.5, 2.0, 4.0, 8.0, 20.0)), process.thaw)

    def _freeze_books(self) -> None:
        process = self._center.books_process
        process.freeze()
        self._later(self._dice.choice((1.0, 10.0, 30.0)), process.thaw)

    def _cut_power(self) -> None:
        """The machine also holds the first node, whose callers are gone with it."""
        if not self._center.powered:
            return
        first = next(iter(self._nodes))
        self._center.lose_power()
        self._wires[first].crash()
        seconds = self._dice.choice((3.0, 10.0, 40.0))
        self._later(seconds, self._wires[first].mend)
        self._later(seconds, self._center.start)

    # --- nodes and the way to them --------------------------------------------------------------

    def _a_node(self) -> str:
        return self._dice.choice(sorted(self._nodes))

    def _cut_link(self) -> None:
        wire = self._wires[self._a_node()]
        wire.cut()
        self._later(self._dice.choice((0.1, 1.0, 5.0, 15.0, 45.0)), self._mend, wire)

    def _mend(self, wire: Wire) -> None:
        if self._center.powered or wire is not next(iter(self._wires.values())):
            wire.mend()

    def _silence_link(self) -> None:
        wire = self._wires[self._a_node()]
        wire.silent = True
        self._later(self._dice.uniform(*DETECTED_AFTER), self._notice_silence, wire)

    def _notice_silence(self, wire: Wire) -> None:
        wire.silent = False
        wire.cut()
        self._later(self._dice.choice((0.1, 3.0)), self._mend, wire)

    def _crash_node(self) -> None:
        wire = self._wires[self._a_node()]
        wire.crash()
        self._later(self._dice.choice((0.5, 3.0, 20.0, 40.0)), self._mend, wire)

    def _slow_spell(self) -> None:
        self._slow = self._dice.choice((10.0, 100.0))
        self._later(self._dice.choice((1.0, 5.0)), self._speed_up)

    def _speed_up(self) -> None:
        self._slow = 1.0

    def _wire_takes(self) -> float:
        return ONE_WAY * self._dice.choice((0.1, 0.5, 1, 2, 10)) * self._slow

    def _lags(self, event: Event) -> Sequence[float]:
        if not self.on:
            return (0.0,)
        copies = 1 + (self._dice.random() < self.odds.event_twice)
        return [self._dice.choice(LAGS) if self._dice.random() < self.odds.event_late else 0.0 for _ in range(copies)]

    def _loses_request(self, command: Command) -> bool:
        self._dies_now()
        return self.on and self._dice.random() < self.odds.request_lost

    def _loses_answer(self, command: Command) -> bool:
        self._note(f"done {command}")
        self._dies_now()
        return self.on and self._dice.random() < self.odds.answer_lost

    # --- the rest of the world ------------------------------------------------------------------

    def _step_clock(self) -> None:
        self.wall_offset += timedelta(seconds=self._dice.choice((-3600, -60, -4, -1, 1, 4, 60, 3600)))

    def _fill_disk(self) -> None:
        self._center.disk.full = True
        self._later(self._dice.choice((0.5, 3.0, 20.0)), self._empty_disk)

    def _empty_disk(self) -> None:
        self._center.disk.full = False

    def _store_away(self) -> None:
        self._store.mood = stores.Mood.AWAY
        self._later(self._dice.choice((1.0, 10.0, 60.0)), self._store_back)

    def _store_hangs(self) -> None:
        self._store.mood = stores.Mood.HANGS
        self._later(self._dice.choice((1.0, 10.0, 40.0)), self._store_back)

    def _store_back(self) -> None:
        self._store.mood = stores.Mood.WELL

    def _crash_store(self) -> None:
        """Its journal folder is whole, so what it has forgotten comes again."""
        self._store.crash(self._dice.randrange(1, 12))

    def store_takes(self) -> float:
        return self._dice.choice((0.002, 0.01, 0.3)) * self._slow

    def store_loses_answer(self) -> bool:
        return self.on and self._dice.random() < self.odds.store_answer_lost

    def store_refuses(self, shipment: Shipment) -> bool:
        """Whatever is in the record: the same record is refused again."""
        return self.odds.store_refuses > 0 and shipment.record.seq % 997 == 13

    # --- what people decide ---------------------------------------------------------------------

    def _change_config(self) -> None:
        """Somebody leaves or comes back, a queue goes or comes back, times change; so do ways to call back and to reach agents."""
        config, dice = self._center.config, self._dice
        agents, queues = dict(config.agents), dict(config.queues)
        what = dice.choice(("agent", "queue", "times", "member", "callbacks", "trunk", "phone"))
        if what == "agent":
            name = dice.choice(sorted(self._usual.agents))
            if agents.pop(name, None) is None:
                agents[name] = self._usual.agents[name]
        elif what == "queue":
            name = sorted(self._usual.queues)[-1]  # no flow and no number leads to it
            if queues.pop(name, None) is None:
                queues[name] = self._usual.queues[name]
        elif what == "times":
            name = dice.choice(sorted(queues))
            seconds = dice.choice((0, 3, 20))
            queues[name] = replace(queues[name], wrap_up=timedelta(seconds=seconds), ring_timeout=timedelta(seconds=5 + seconds))
        elif what == "callbacks":
            name = dice.choice(("sales", "support"))
            usual = self._usual.queues[name].callback
            queues[name] = replace(queues[name], callback=usual if queues[name].callback is None else None)
        elif what == "trunk":
            calling = replace(config.calling, trunk="" if config.calling.trunk else self._usual.calling.trunk)
            config = replace(config, calling=calling)
        else:
            name = dice.choice(sorted(agents)) if agents else ""
            if name and what == "phone":
                agent = agents[name]
                devices = () if agent.devices else self._usual.agents["carol"].devices
                agents[name] = replace(agent, devices=devices) if dice.random() < 0.5 else replace(agent, persistent=not agent.persistent)
            elif name:
                served = tuple(queue for queue in sorted(self._usual.queues) if dice.random() < 0.6)
                agents[name] = replace(agents[name], queues=served)
        agents = {name: replace(agent, queues=tuple(q for q in agent.queues if q in queues)) for name, agent in agents.items()}
        self._configure(replace(config, agents=agents, queues=queues))

    def _configure(self, config: CenterConfig) -> None:
        self._center.config = config
        self._center.tell(ConfigChanged(config))
