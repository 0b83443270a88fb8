"""What a change of the configuration means for the people of this moment: who loses which queue while who waits in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from callcenter.domain.documents import Body, Documents, kind_of, name_of


class What(StrEnum):
    """The kinds of consequence."""

    QUEUE_LOST = "queue_lost"
    """``count`` agents no longer serve ``subject``, in which ``waiting`` callers wait."""
    QUEUE_WON = "queue_won"
    """``count`` more agents serve it."""
    QUEUE_GONE = "queue_gone"
    """It takes nobody any more; who waits in it is served to the end."""
    QUEUE_UNSERVED = "queue_unserved"
    """No agent at all is left who serves it."""
    AGENT_GONE = "agent_gone"
    """She leaves, after her contact if she is in one; ``state`` is hers."""
    NUMBER_GONE = "number_gone"
    """Who dials it is not answered any more."""
    NUMBER_MOVED = "number_moved"
    """Who dials it comes to another flow."""


@dataclass(frozen=True, slots=True)
class Consequence:
    what: What
    subject: str
    """A queue, an agent or a number."""
    count: int = 0
    waiting: int = 0
    state: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """What is going on; empty when nobody knows."""

    waiting: Mapping[str, int] = field(default_factory=dict)
    """By queue: contacts that nobody has answered yet."""
    agents: Mapping[str, str] = field(default_factory=dict)
    """By agent who is logged in: her state."""


def consequences(before: Documents, after: Documents, moment: Moment) -> Iterator[Consequence]:
    """In the order of queues, agents and numbers; what costs somebody something only when it does."""
    served, to_serve = _servants(before), _servants(after)
    for name in _names("queue", before):
        waiting = moment.waiting.get(name, 0)
        if f"queue/{name}" not in after:
            yield Consequence(What.QUEUE_GONE, name, len(served.get(name, ())), waiting)
            continue
        had, has = served.get(name, frozenset()), to_serve.get(name, frozenset())
        if lost := had - has:
            yield Consequence(What.QUEUE_LOST, name, len(lost), waiting)
        if had and not has:
            yield Consequence(What.QUEUE_UNSERVED, name, 0, waiting)
        if won := has - had:
            yield Consequence(What.QUEUE_WON, name, len(won), waiting)
    for name in _names("agent", before):
        if f"agent/{name}" not in after and moment.agents.get(name, "logged_out") != "logged_out":
            yield Consequence(What.AGENT_GONE, name, state=moment.agents[name])
    for name in _names("number", before):
        now = after.get(f"number/{name}")
        if now is None:
            yield Consequence(What.NUMBER_GONE, name)
        elif _leads_to(now) != _leads_to(before[f"number/{name}"]):
            yield Consequence(What.NUMBER_MOVED, name)


def words(consequence: Consequence) -> str:
    """In English, for the command line."""
    subject, count = consequence.subject, consequence.count
    wait = {0: "", 1: "; 1 caller waits in it"}.get(consequence.waiting, f"; {consequence.waiting} callers wait in it")
    match consequence.what:
        case What.QUEUE_LOST:
            return f"{_agents(count, 'loses', 'lose')} queue {subject}{wait}"
        case What.QUEUE_WON:
            return f"{_agents(count, 'more serves', 'more serve')} queue {subject}{wait}"
        case What.QUEUE_GONE:
            return f"queue {subject} takes nobody any more{wait and f'{wait} and will be served to the end'}"
        case What.QUEUE_UNSERVED:
            return f"nobody is left who serves queue {subject}{wait}"
        case What.AGENT_GONE:
            return f"agent {subject} is {consequence.state.replace('_', ' ')} and leaves, after her contact if she is in one"
        case What.NUMBER_GONE:
            return f"number {subject} is not answered any more"
        case What.NUMBER_MOVED:
            return f"who dials {subject} from now on comes to another flow"


def _agents(count: int, one: str, more: str) -> str:
    first, _, rest = (one if count == 1 else more).partition(" ")
    if rest:  # "2 more agents serve", not "2 agents more serve"
        return f"{count} {first} agent{'' if count == 1 else 's'} {rest}"
    return f"{count} agent{'' if count == 1 else 's'} {first}"


def _servants(documents: Documents) -> Mapping[str, frozenset[str]]:
    """By queue: the agents who serve it."""
    found: dict[str, set[str]] = {}
    for key, body in documents.items():
        if kind_of(key) == "agent":
            queues = body.get("queues", ())
            for queue in queues if isinstance(queues, list | tuple) else ():
                found.setdefault(str(queue), set()).add(name_of(key))
    return {queue: frozenset(agents) for queue, agents in found.items()}


def _names(kind: str, documents: Documents) -> list[str]:
    return [name_of(key) for key in documents if kind_of(key) == kind]


def _leads_to(number: Body) -> tuple[object, object]:
    return number.get("flow"), number.get("switch")
