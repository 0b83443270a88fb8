"""Once a second per queue: measure, and keep as facts which conditions began or ceased to hold.

Never per contact. A queue is looked at while somebody waits in it or a condition of it stands: the first time when the first
contact enters, then at its own moment of each second, so that queues do not all come at once.
"""

from callcenter.domain.conditions import Condition, Figure, Metric, Phase, observe
from callcenter.domain.facts import ConditionChanged
from callcenter.domain.queue import Queue
from callcenter.domain.router import route_queue
from callcenter.domain.turn import Turn


def look(turn: Turn, queue: Queue) -> None:
    """Measure what the queue's conditions need. Afterwards ``queue.holds`` tells those that hold."""
    opens = False
    for condition in queue.conditions:
        measured = turn.state.queue(condition.queue) if condition.queue else queue
        value = measure(turn, measured, condition.metric)
        phase = observe(condition, queue.standing(condition), value, turn.now)
        if phase is not queue.standing(condition).phase:
            turn.emit(ConditionChanged(turn.now, queue.name, condition.key, phase, value))
            opens = opens or phase is not Phase.RISING
    if opens and queue.routing.relax:
        route_queue(turn, queue)  # other agents may take those who wait
    turn.state.look_again(queue, turn.now)


def holding(queue: Queue) -> list[Condition]:
    """The conditions that hold now, in the order of the configuration."""
    return [condition for condition in queue.conditions if queue.standing(condition).phase is Phase.ON]


def measure(turn: Turn, queue: Queue, metric: Metric | Figure) -> float | None:
    """The metric now; None when it is not known, or none of a queue."""
    match metric:
        case Metric.EWT:
            return queue.measures.ewt(len(queue.waiting) + 1, turn.now)
        case Metric.WAITING:
            return queue.unanswered
        case Metric.WAITING_PER_AGENT:
            return queue.unanswered / queue.serving if queue.serving else None
        case Metric.LONGEST_WAIT:
            oldest = queue.oldest.head()
            return (turn.now - oldest[0]).total_seconds() if oldest else 0.0
        case Metric.SERVICE_LEVEL:
            return queue.measures.service_level(turn.now)
        case Metric.AGENTS_READY:
            return len(queue.ready)
        case Metric.AGENTS_LOGGED_IN:
            return queue.logged_in
        case _:
            return None
