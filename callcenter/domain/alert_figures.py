"""The figures that alerts are about: of each queue, agent, node and trunk, and of the center, as they are now.

What the state of the center does not hold (how quickly the engine answers, whether the database does) is told by whoever watches over the
processes, as ``vitals``.
"""

from collections.abc import Iterator, Mapping, Set
from datetime import datetime

from callcenter.domain.agent import MISSED_OFFER, OWN_CALL, SUPERVISING, Agent
from callcenter.domain.alerts import About, AlertRule, Measured
from callcenter.domain.conditions import Figure, Metric
from callcenter.domain.facts import AgentState
from callcenter.domain.ids import Ids
from callcenter.domain.state import State
from callcenter.domain.turn import Turn
from callcenter.domain.watch import measure

OF_AGENTS = frozenset({Figure.NOT_READY_FOR, Figure.WRAP_UP_FOR, Figure.TALKING_FOR, Figure.MISSED_OFFERS})
OF_QUEUES: Set[Metric | Figure] = frozenset(Metric) | {Figure.ABANDON_RATE, Figure.CALLBACK_OVERDUE}
OF_NODES = frozenset({Figure.NODE_AWAY, Figure.TRUNK_AWAY})
"""And trunks."""
OF_CENTER = frozenset(Figure) - OF_AGENTS - OF_QUEUES - OF_NODES
LASTED: Mapping[Figure, AgentState] = {
    Figure.NOT_READY_FOR: AgentState.NOT_READY,
    Figure.WRAP_UP_FOR: AgentState.WRAP_UP,
    Figure.TALKING_FOR: AgentState.TALKING,
}
AT_WORK = frozenset({OWN_CALL, SUPERVISING})
"""Reasons of being not ready that are no break."""

Vitals = Mapping[Figure, float | None]
"""By figure of the center; None, or none at all: nobody knows."""


def measured(rule: AlertRule, state: State | None, vitals: Vitals, trunks: Mapping[str, bool] | None, now: datetime) -> Measured | None:
    """All that the rule is about. ``state`` None: that of this moment is not known; ``trunks``: which can be reached, if that is known."""
    figure = rule.condition.metric
    if figure in OF_CENTER:
        return [(About(), vitals.get(figure) if isinstance(figure, Figure) else None)]
    if figure is Figure.TRUNK_AWAY:
        return None if trunks is None else [(About(subject=name), float(not reached)) for name, reached in trunks.items()]
    if state is None:
        return None
    if figure in OF_AGENTS:
        most = state.config.missed_offers.most
        return [(About(rule.queue, agent.name), _of_agent(agent, figure, now, most)) for agent in _agents(state, rule.queue)]
    if figure in OF_NODES:
        return [(About(subject=node.name), float(node.away)) for node in state.nodes.values()]
    turn = Turn(state, Ids("alerts"), now, {})
    queues = [name for name in state.queues if name in state.config.queues and rule.queue in ("", name)]
    return [(About(name), _of_queue(turn, name, figure)) for name in queues]


def _agents(state: State, queue: str) -> Iterator[Agent]:
    for agent in state.agents.values():
        if agent.name in state.config.agents and (not queue or queue in agent.queues):
            yield agent


def _of_agent(agent: Agent, figure: Metric | Figure, now: datetime, most: int) -> float:
    """Seconds in that state, 0 in another one; or offers missed in a row: ``most`` of them take her out, and are counted no more."""
    if figure is Figure.MISSED_OFFERS:
        taken_out = agent.state is AgentState.NOT_READY and agent.reason == MISSED_OFFER and agent.until is None
        return most if taken_out else len(agent.missed_at)
    if agent.since is None or not isinstance(figure, Figure) or agent.state is not LASTED[figure] or agent.reason in AT_WORK:
        return 0.0
    return max(0.0, (now - agent.since).total_seconds())


def _of_queue(turn: Turn, name: str, figure: Metric | Figure) -> float | None:
    queue = turn.state.queues[name]
    if isinstance(figure, Metric):
        return measure(turn, queue, figure)
    if figure is Figure.ABANDON_RATE:
        return queue.measures.abandon_rate(turn.now)
    due = turn.state.callbacks.next_due.get(name)
    first = due.head() if due is not None else None
    return max(0.0, (turn.now - first[0]).total_seconds()) if first is not None else 0.0
