"""The facts of what is not over yet: a checkpoint, from which a restored state begins instead of from the very first fact.

Each fact is kept with whom it is of, a call, an agent, a node, a callback or a mailbox, and goes when they do. What follows from facts
that are no longer kept, as who has been busy lately, is written as a fact of its own.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from callcenter.domain import facts as f
from callcenter.domain.agent import Agent
from callcenter.domain.facts.agents import AgentFact
from callcenter.domain.facts.callbacks import CallbackFact
from callcenter.domain.facts.do_not_call import DoNotCallFact
from callcenter.domain.facts.hours import HoursFact, HoursPinFact
from callcenter.domain.facts.nodes import NodeFact
from callcenter.domain.facts.notices import NoticeFact
from callcenter.domain.facts.queues import QueueFact
from callcenter.domain.facts.voicemail import MailboxFact
from callcenter.domain.queue import Queue

if TYPE_CHECKING:
    from callcenter.domain.state import State

CALLERS_PER_FACT = 500
KEPT_AT_THE_END = (f.AgentTallied, f.AgentLoadKept, f.AgentFiguresKept, f.ConfigTaken)


class Checkpoint:
    """What it would hold now; kept up to date by ``State.apply``."""

    def __init__(self, state: "State") -> None:
        self._state = state
        self._applied = 0
        self._waiters: dict[str, tuple[int, f.Fact]] = {}
        """How far those who wait without a call have advanced."""
        self._switches: dict[str, tuple[int, f.Fact]] = {}
        """By calendar: how it was switched last, unless it was switched back."""
        self._pins: dict[str, tuple[int, f.Fact]] = {}
        """By calendar: the last wrong PIN, unless the right one came after it."""
        self._keepers: dict[type, Callable[..., None]] = {kind: self._keeper(kind) for kind in f.FACT_TYPES.values()}

    def keep(self, fact: f.Fact) -> None:
        """It has just been applied."""
        self._applied += 1
        self._keepers[type(fact)](self._applied, fact)

    def forget_waiter(self, waiter_id: str) -> None:
        """It no longer stands in line."""
        self._waiters.pop(waiter_id, None)

    def facts(self) -> Iterator[f.Fact]:
        """In the order in which they were applied; then what the agents and queues have seen lately."""
        state = self._state
        kept: list[tuple[float, f.Fact]] = []
        for call in state.calls.values():
            kept += call.history
        for agent in state.agents.values():
            kept += agent.history.values()
            kept += _load_of(agent)
        for node in state.nodes.values():
            kept += node.history.values()
        kept += [(self._applied, measured(state, queue)) for queue in state.queues.values() if queue.measures.at is not None]
        kept += state.callbacks.history()
        kept += state.mailboxes.history()
        kept += state.notices.history()
        kept += self._waiters.values()
        kept += self._switches.values()
        kept += self._pins.values()
        for _, fact in sorted(kept, key=lambda numbered: numbered[0]):
            yield fact
        yield from state.do_not_call.values()
        if state.config_taken is not None:
            yield state.config_taken
        if state.at is not None:
            yield from (agent.tally.fact(agent.name, state.at) for agent in state.agents.values())
            yield from (fact for agent in state.agents.values() for fact in _figures_of(agent, state.at))
            yield from (queue.tally.fact(queue.name, state.at) for queue in state.queues.values())
            served = list(state.last_agents.items())
            for few in (served[begin : begin + CALLERS_PER_FACT] for begin in range(0, len(served), CALLERS_PER_FACT)):
                yield f.CallersServed(state.at, tuple(caller for caller, _ in few), tuple(agent for _, agent in few))
            asked = list(state.surveyed.items())
            for some in (asked[begin : begin + CALLERS_PER_FACT] for begin in range(0, len(asked), CALLERS_PER_FACT)):
                yield f.CallersSurveyed(state.at, tuple(caller for caller, _ in some), tuple(date for _, date in some))

    def _keeper(self, kind: type) -> Callable[..., None]:
        if kind in CallbackFact.__args__:
            return self._state.callbacks.keep
        if kind in MailboxFact.__args__:
            return self._state.mailboxes.keep
        if kind in KEPT_AT_THE_END or kind in (*QueueFact.__args__, *DoNotCallFact.__args__, f.CallersSurveyed):
            return _keep_nowhere  # a checkpoint says all of it in one fact
        if kind in NoticeFact.__args__:
            return self._state.notices.keep
        if kind in HoursFact.__args__:
            return self._keep_switch
        if kind in HoursPinFact.__args__:
            return self._keep_pin
        if kind in AgentFact.__args__:
            return self._keep_with_agent
        return self._keep_with_node if kind in NodeFact.__args__ else self._keep_with_call

    def _keep_with_agent(self, number: int, fact: AgentFact) -> None:
        agent = self._state.agents.get(fact.agent)
        if agent is not None:
            agent.history[type(fact)] = (number, fact)

    def _keep_with_node(self, number: int, fact: NodeFact) -> None:
        self._state.node(fact.node).history[type(fact)] = (number, fact)

    def _keep_switch(self, number: int, fact: HoursFact) -> None:
        self._switches.pop(fact.calendar, None)
        if isinstance(fact, f.HoursSwitched):
            self._switches[fact.calendar] = number, fact

    def _keep_pin(self, number: int, fact: HoursPinFact) -> None:
        self._pins.pop(fact.calendar, None)
        if isinstance(fact, f.HoursPinRefused):
            self._pins[fact.calendar] = number, fact

    def _keep_with_call(self, number: int, fact: f.CallFact) -> None:
        call = self._state.calls.get(fact.call)
        if call is None and isinstance(fact, f.WaiterAdvanced):
            self._waiters[fact.contact] = number, fact
        if call is not None:
            call.history.append((number, fact))
            if call.ended_at is not None and call.over:
                self._state.forget(call)


def measured(state: "State", queue: Queue) -> f.QueueMeasured:
    """What the queue remembers, as a fact."""
    assert state.at is not None
    measures = queue.measures
    stand = queue.standings.items()
    standings = tuple(f"{standing.phase} {standing.since.isoformat()} {key}" for key, standing in stand if standing.since)
    return f.QueueMeasured(
        *(state.at, queue.name, measures.line, measures.agents, measures.at),
        *(tuple(map(repr, measures.levels)), measures.remembered(), standings),
    )


def _load_of(agent: Agent) -> Iterator[tuple[float, f.Fact]]:
    """Of all the states that made it, a checkpoint holds but the last."""
    changed = agent.history.get(f.AgentStateChanged)
    if changed is not None:
        number, fact = changed
        yield number + 0.5, f.AgentLoadKept(fact.at, agent.name, agent.load.busy, agent.load.free)


def _figures_of(agent: Agent, at: datetime) -> Iterator[f.Fact]:
    """Of all that made them, a checkpoint holds what is not over yet."""
    of = agent.figures
    if of.day is not None:
        yield f.AgentFiguresKept(at, agent.name, of.day.isoformat(), of.contacts, of.talk, of.hold, of.wrap_up, of.busy, of.free)


def _keep_nowhere(number: int, fact: f.Fact) -> None:
    pass
