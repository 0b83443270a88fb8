"""Routing rules against contacts of the past: which rule would have won, and what it would have changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from callcenter.domain.call import Call
from callcenter.domain.callers import CallerIndex
from callcenter.domain.config import CenterConfig
from callcenter.domain.directing import attributes_of, first_match
from callcenter.domain.facts import CallBegan, ContactEntered, Fact, FlowCollected


@dataclass(frozen=True, slots=True)
class Directed:
    """One contact: what happened, and what these rules would make of it."""

    contact: str
    caller: str
    dialed: str
    queue: str
    rule: str
    """The rule that directed it then; empty: none."""
    would_queue: str
    would_rule: str

    @property
    def changes(self) -> bool:
        return (self.queue, self.rule) != (self.would_queue, self.would_rule)


def dry_run(config: CenterConfig, facts: Iterable[Fact]) -> list[Directed]:
    """Each contact that came from a flow, in order. Callers are on the lists of ``config``.

    The queue that the flow had entered is not known where a rule of then changed it; the one it came to is taken for it.
    """
    lists = CallerIndex(config.caller_lists)
    calls: dict[str, Call] = {}
    found: list[Directed] = []
    for fact in facts:
        match fact:
            case CallBegan():
                on = tuple(hit.caller_list.name for hit in lists.hits(fact.caller, fact.at))
                calls[fact.call] = Call(fact, lists=on)
            case FlowCollected() if fact.call in calls:
                call = calls[fact.call]
                collected: Mapping[str, str] = {**call.attributes, fact.attribute: fact.digits}
                calls[fact.call] = replace(call, attributes=dict(collected))
            case ContactEntered() if fact.call in calls and not fact.transferred_from:
                found.append(_directed(config, calls[fact.call], fact))
    return found


def _directed(config: CenterConfig, call: Call, fact: ContactEntered) -> Directed:
    rule = first_match(config.routing_rules, attributes_of(call))
    queue = rule.queue or fact.queue if rule is not None else fact.queue
    return Directed(fact.contact, call.began.caller, call.began.dialed, fact.queue, fact.rule, queue, rule.name if rule else "")
