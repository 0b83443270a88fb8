"""What facts of queues change."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from callcenter.domain import facts as f
from callcenter.domain.conditions import Phase, Standing
from callcenter.domain.tally import QueueTally

if TYPE_CHECKING:
    from callcenter.domain.state import State


def condition_changed(state: "State", fact: f.ConditionChanged) -> None:
    queue = state.queue(fact.queue)
    if fact.phase is Phase.OFF:
        queue.standings.pop(fact.condition, None)
    elif any(condition.key == fact.condition for condition in queue.conditions):
        queue.standings[fact.condition] = Standing(fact.phase, fact.at)
    queue.condition_changed(fact.condition)


def queue_measured(state: "State", fact: f.QueueMeasured) -> None:
    queue = state.queue(fact.queue)
    measures = queue.measures
    measures.line, measures.agents, measures.at = fact.line, fact.agents, fact.since
    short, middling, long = map(float, fact.levels)
    measures.levels = short, middling, long
    measures.recall(fact.minutes)
    wanted = {condition.key for condition in queue.conditions}
    read = (text.split(" ", 2) for text in fact.standings)
    queue.standings = {key: Standing(Phase(phase), datetime.fromisoformat(since)) for phase, since, key in read if key in wanted}
    for key in wanted:
        queue.condition_changed(key)
    state.look_soon(queue, fact.at)


def queue_tallied(state: "State", fact: f.QueueTallied) -> None:
    state.queue(fact.queue).tally = QueueTally.of(fact)


def callers_served(state: "State", fact: f.CallersServed) -> None:
    for caller, agent in zip(fact.callers, fact.agents, strict=True):
        state.remember_served(caller, agent)


FOLDS: Mapping[type, Callable[..., None]] = {
    f.ConditionChanged: condition_changed,
    f.QueueMeasured: queue_measured,
    f.QueueTallied: queue_tallied,
    f.CallersServed: callers_served,
}
