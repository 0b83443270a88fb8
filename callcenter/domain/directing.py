"""Data-directed routing: named caller lists, and rules that match the attributes of a call."""

from collections.abc import Mapping, Sequence

from callcenter.domain.call import Call
from callcenter.domain.facts import CallerListHit
from callcenter.domain.ivr.flow import GOODBYE
from callcenter.domain.routing_config import Needs, RoutingRule
from callcenter.domain.turn import Turn

DIALED, CALLER, TRUNK, LIST = "dialed", "caller", "trunk", "list"
"""Attributes that every call has, beside those its flow has collected."""


def check_lists(turn: Turn, call: Call) -> str | None:
    """Note the lists the caller is on; the flow to be heard instead of any other, if one of them blocks."""
    blocked = None
    for hit in turn.state.caller_lists.hits(call.began.caller, turn.now):
        found = hit.caller_list
        turn.emit(CallerListHit(turn.now, call.id, found.name, hit.entry.number, hit.entry.reason, found.blocked))
        if found.blocked and blocked is None:
            blocked = found.flow or GOODBYE.name
    return blocked


def attributes_of(call: Call) -> Mapping[str, tuple[str, ...]]:
    """What rules may match."""
    collected = {name: (value,) for name, value in call.attributes.items()}
    began = call.began
    return {**collected, DIALED: (began.dialed,), CALLER: (began.caller,), TRUNK: (began.trunk,), LIST: call.lists}


def matches(rule: RoutingRule, attributes: Mapping[str, tuple[str, ...]]) -> bool:
    """Each attribute of the rule has one of its values."""
    return all(
        any(_fits(pattern, value) for pattern in patterns for value in attributes.get(name, ())) for name, patterns in rule.match.items()
    )


def _fits(pattern: str, value: str) -> bool:
    return value.startswith(pattern[:-1]) if pattern.endswith("*") else value == pattern


def first_match(rules: Sequence[RoutingRule], attributes: Mapping[str, tuple[str, ...]]) -> RoutingRule | None:
    return next((rule for rule in rules if matches(rule, attributes)), None)


def direct(turn: Turn, call: Call, queue: str, priority: int, needs: Needs) -> tuple[str, int, Needs]:
    """Where the contact goes and what it needs, after rules and lists. A rule replaces what the flow says only where it says something."""
    rule = first_match(turn.state.config.routing_rules, attributes_of(call))
    if rule is not None:
        queue, priority = rule.queue or queue, priority if rule.priority is None else rule.priority
        needs = Needs(
            rule.needs.require or needs.require,
            rule.needs.prefer or needs.prefer,
            rule.needs.agent or needs.agent,
            rule.needs.agent_wait or needs.agent_wait,
            rule.name,
        )
    listed = sum(found.priority for found in turn.state.config.caller_lists if found.name in call.lists)
    return queue, priority + listed, needs
