"""What conditions of flows look at: hours, caller lists, queues and agents as they are at this moment."""

from callcenter.domain.call import Call
from callcenter.domain.conditions import Metric
from callcenter.domain.facts import AgentState
from callcenter.domain.turn import Turn
from callcenter.domain.watch import measure


class Surroundings:
    """Implements ``ivr.expressions.Circumstances`` for one call at one moment."""

    __slots__ = ("_call", "_turn")

    def __init__(self, turn: Turn, call: Call) -> None:
        self._turn = turn
        self._call = call

    @property
    def call(self) -> str:
        return self._call.id

    def is_open(self, calendar: str) -> bool:
        """A calendar that was taken away while somebody was on the way to it is open: people are reached rather than not."""
        found = self._turn.state.hours(calendar)
        return found is None or found.is_open(self._turn.now)

    def on_list(self, name: str) -> bool:
        return name in self._call.lists

    def measured(self, queue: str, metric: Metric) -> float | None:
        if queue not in self._turn.state.config.queues:
            return None
        return measure(self._turn, self._turn.state.queue(queue), metric)

    def is_ready(self, agent: str) -> bool:
        found = self._turn.state.agents.get(agent)
        return found is not None and found.state is AgentState.READY
