"""Routing in ``callcenter.toml``: what no table can know alone, and how the core reads it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import phonenumbers

from callcenter.domain.conditions import Condition, faults
from callcenter.domain.config import AgentConfig
from callcenter.domain.directing import CALLER, DIALED, LIST, TRUNK
from callcenter.domain.ivr.flow import attributes_set
from callcenter.domain.routing_config import (
    LAST,
    CallerList,
    ListedNumber,
    Membership,
    RelaxStep,
    Routing,
    RoutingRule,
    Skill,
    Strategy,
)
from callcenter.domain.skills import both, meets, parse, skills_of
from callcenter.runtime.settings_agents import devices
from callcenter.runtime.settings_desk_phone import may_dial
from callcenter.runtime.settings_flow_model import QueueNodeSection
from callcenter.runtime.settings_model import AgentSection, QueueSection
from callcenter.runtime.settings_problems import Problem
from callcenter.runtime.settings_routing_model import NodeRouting, RelaxSection, needs_of

if TYPE_CHECKING:
    from callcenter.runtime.settings import Settings

RING_ALL_LIMIT = 20
"""Agents of a ring-all queue: each call rings them all."""

# --- as the core reads it -----------------------------------------------------------------------


def routing_of(queue: QueueSection) -> Routing:
    return Routing(
        strategy=queue.strategy,
        idle_clock=queue.idle_clock,
        require=queue.require,
        prefer=queue.prefer,
        relax=tuple(_step(number, step) for number, step in enumerate(queue.relax, 1)),
        acceleration=queue.acceleration,
        priority_cap=queue.priority_cap,
        starve_after=queue.starve_after,
        last_agent_wait=queue.last_agent_wait,
    )


def _step(number: int, step: RelaxSection) -> RelaxStep:
    """Steps are named by their number: it is what people see in the file."""
    return RelaxStep(f"step-{number}", step.after, condition_of(step), step.require, step.prefer, step.waive, step.groups, step.level)


def condition_of(step: RelaxSection) -> Condition | None:
    return None if step.when is None else replace(step.when, lasting=step.lasting, release=step.release)


def agent_config(settings: "Settings", agent: AgentSection, endpoint: str) -> AgentConfig:
    zone = ZoneInfo(settings.center.time_zone)
    return AgentConfig(
        name=agent.name,
        endpoint=endpoint,
        queues=agent.queues,
        may_opt_out=agent.may_opt_out,
        least_queues=agent.least_queues,
        extension=agent.extension or "",
        memberships={name: Membership(member.level, member.delay) for name, member in agent.memberships.items()},
        skills={name: Skill(level, end_of(agent.skills_until.get(name), zone)) for name, level in agent.skills.items()},
        groups=agent.groups,
        devices=devices(settings, agent),
        persistent=agent.leg == "persistent",
        browser=agent.phone == "browser",
        language=agent.language or "",
        may_dial=may_dial(settings, agent),
        then_voicemail=agent.find_me_then == "voicemail",
        team=settings.team_of.get(agent.name, ""),
    )


def caller_lists(settings: "Settings") -> tuple[CallerList, ...]:
    zone = ZoneInfo(settings.center.time_zone)
    return tuple(
        CallerList(
            section.name,
            section.blocked,
            section.priority,
            section.flow or "",
            tuple(
                ListedNumber(listed_number(entry.number, settings.center.country), entry.reason, end_of(entry.until, zone))
                for entry in section.entries
            ),
        )
        for section in settings.caller_lists
    )


def listed_number(text: str, country: str) -> str:
    """A number in E.164, or the beginning of one (``+4930*``). Raises ValueError."""
    if text.endswith("*"):
        if not text.startswith("+") or not text[1:-1].isdigit():
            raise ValueError("the beginning of numbers is a plus sign, digits and '*', such as '+4930*'")
        return text
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        raise ValueError(f"{text!r} is no telephone number") from None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def routing_rules(settings: "Settings") -> tuple[RoutingRule, ...]:
    return tuple(
        RoutingRule(section.name, dict(section.match), section.queue or "", section.priority, needs_of(section, section.name))
        for section in settings.routing_rules
    )


def end_of(day: date | None, zone: ZoneInfo) -> datetime | None:
    """The midnight that ends the day."""
    if day is None:
        return None
    return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)


# --- what is wrong in it ------------------------------------------------------------------------


def routing_faults(settings: "Settings") -> Iterator[Problem]:
    for index, agent in enumerate(settings.agents):
        yield from _agent_faults(f"agent[{index}]", agent)
    known = {skill for agent in settings.agents for skill in agent.skills}.union(
        settings.routing.skills, [skill.name for skill in settings.skills]
    )
    groups = {group for agent in settings.agents for group in agent.groups}
    for index, queue in enumerate(settings.queues):
        yield from _queue_faults(settings, f"queue[{index}]", queue, known, groups)
    for name, flow in settings.flows.items():
        for node_name, node in flow.nodes.items():
            if isinstance(node, QueueNodeSection):
                yield from _needs_faults(settings, f"flow.{name}.node.{node_name}", node, node.queue, known)
    yield from _list_faults(settings)
    yield from _rule_faults(settings, known)


def _needs_faults(settings: "Settings", key: str, node: NodeRouting, queue_name: str | None, known: set[str]) -> Iterator[Problem]:
    """What the contact needs must be there among those the queue may call, at some step of relaxing."""
    for queue in settings.queues:
        if queue.name == queue_name or (queue_name is None and queue is settings.queues[0]):
            called = {group for step in queue.relax for group in step.groups}
            everybody = [
                agent for agent in settings.agents if queue_name is None or queue.name in agent.queues or called.intersection(agent.groups)
            ]
            beside = "" if queue_name is None or any(step.require is not None or step.waive for step in queue.relax) else queue.require
            yield from rule_faults(f"{key}.require", node.require, beside, everybody, known)
    yield from unknown_skills(f"{key}.prefer", node.prefer, known)
    names = [agent.name for agent in settings.agents]
    if node.agent is not None and node.agent != LAST and node.agent not in names:
        yield Problem(f"{key}.agent", _unknown("agent", node.agent, names, f"name one, or '{LAST}' for the one talked with last"))
    if (node.agent is None) is not (node.agent_wait is None):
        yield Problem(key, "agent and agent_wait_s belong together: for whom the contact waits alone, and how long at most")


def _list_faults(settings: "Settings") -> Iterator[Problem]:
    for index, section in enumerate(settings.caller_lists):
        key = f"caller_list[{index}]"
        if section.name in [other.name for other in settings.caller_lists[:index]]:
            yield Problem(f"{key}.name", f"'{section.name}' is there already")
        if section.flow is not None and not section.blocked:
            yield Problem(f"{key}.flow", "is heard by blocked callers only; say blocked = true")
        if section.flow is not None and section.flow not in settings.flows:
            yield Problem(f"{key}.flow", _unknown("flow", section.flow, settings.flows, f"flows: {', '.join(settings.flows) or 'none'}"))
        for place, entry in enumerate(section.entries):
            try:
                listed_number(entry.number, settings.center.country)
            except ValueError as error:
                yield Problem(f"{key}.entry[{place}].number", str(error))


def _rule_faults(settings: "Settings", known: set[str]) -> Iterator[Problem]:
    queues = [queue.name for queue in settings.queues]
    collected = {attribute for name, flow in settings.flows.items() for attribute in attributes_set(flow.program(name))}
    attributes = {DIALED, CALLER, TRUNK, LIST, *collected}
    for index, rule in enumerate(settings.routing_rules):
        key = f"routing_rule[{index}]"
        if rule.name in [other.name for other in settings.routing_rules[:index]]:
            yield Problem(f"{key}.name", f"'{rule.name}' is there already")
        for attribute in rule.match:
            if attribute not in attributes:
                yield Problem(f"{key}.match", _unknown("attribute", attribute, attributes, f"there are: {', '.join(sorted(attributes))}"))
        for name in rule.match.get(LIST, ()):
            if not name.endswith("*") and name not in [section.name for section in settings.caller_lists]:
                lists = [section.name for section in settings.caller_lists]
                yield Problem(f"{key}.match.list", _unknown("caller list", name, lists, f"there are: {', '.join(lists) or 'none'}"))
        for other in settings.routing_rules[:index]:
            if all(set(rule.match.get(name, ())) <= set(values) and name in rule.match for name, values in other.match.items()):
                yield Problem(key, f"never wins: whatever it matches, '{other.name}' matches before it")
                break
        if rule.queue is not None and rule.queue not in queues:
            yield Problem(f"{key}.queue", _unknown("queue", rule.queue, queues, f"there are: {', '.join(queues) or 'none'}"))
        yield from _needs_faults(settings, key, rule, rule.queue, known)


def _agent_faults(key: str, agent: AgentSection) -> Iterator[Problem]:
    for name in agent.memberships:
        if name not in agent.queues:
            served = ", ".join(agent.queues) or "none"
            yield Problem(f"{key}.queue.{name}", f"says how she serves '{name}', which is not among her queues: {served}")
    for name in agent.skills_until:
        if name not in agent.skills:
            yield Problem(f"{key}.skills_until.{name}", f"ends a skill she does not have; her skills: {', '.join(agent.skills) or 'none'}")


def _queue_faults(settings: "Settings", key: str, queue: QueueSection, known: set[str], groups: set[str]) -> Iterator[Problem]:
    members = [agent for agent in settings.agents if queue.name in agent.queues]
    if not members:
        yield Problem(f"{key}.name", f"no agent serves '{queue.name}'; name it in the queues of at least one")
    if queue.strategy is Strategy.RING_ALL and len(members) > RING_ALL_LIMIT:
        yield Problem(f"{key}.strategy", f"ring_all is for at most {RING_ALL_LIMIT} agents, but {len(members)} serve '{queue.name}'")
    if queue.priority_cap is not None and not queue.acceleration:
        yield Problem(f"{key}.priority_cap", "means nothing while priority_per_minute is 0")
    yield from rule_faults(f"{key}.require", queue.require, "", members, known)
    yield from unknown_skills(f"{key}.prefer", queue.prefer, known)
    for number, step in enumerate(queue.relax):
        called = [agent for agent in settings.agents if set(agent.groups).intersection(step.groups)]
        yield from _step_faults(f"{key}.relax[{number}]", queue, step, [*members, *called], known, groups)


def _step_faults(
    key: str, queue: QueueSection, step: RelaxSection, members: list[AgentSection], known: set[str], groups: set[str]
) -> Iterator[Problem]:
    if (step.after is None) is (step.when is None):
        yield Problem(key, "needs either after_s (so long has the contact waited) or when (a condition of the queue)")
    if step.when is None and (step.release is not None or step.lasting):
        yield Problem(key, "for_s and released_at belong to when")
    condition = condition_of(step)
    if condition is not None and (fault := faults(condition)) is not None:
        yield Problem(f"{key}.when", fault)
    if step.require is None and step.prefer is None and not step.waive and not step.groups:
        yield Problem(key, "changes nothing; give it require, prefer, waive or groups")
    if step.after is not None and queue.max_wait is not None and step.after >= queue.max_wait:
        yield Problem(f"{key}.after_s", "comes never: the caller overflows at max_wait_s before")
    yield from rule_faults(f"{key}.require", step.require or "", "", members, known)
    yield from unknown_skills(f"{key}.prefer", step.prefer or "", known)
    for skill in step.waive:
        yield from unknown_skills(f"{key}.waive", skill, known)
    for group in step.groups:
        if group not in groups:
            yield Problem(f"{key}.groups", _unknown("group", group, groups, "no agent belongs to it"))


def rule_faults(key: str, rule: str, beside: str, members: Iterable[AgentSection], known: set[str]) -> Iterator[Problem]:
    """Unknown skills; and a hard requirement (with the one ``beside`` it) that none of the members meets. Expiry dates do not count: a
    certificate that runs out must not keep the center from starting."""
    unknown = list(unknown_skills(key, rule, known))
    yield from unknown
    if rule and not unknown:
        wanted = both(parse(rule), parse(beside))
        everybody = list(members)
        if everybody and not any(meets(wanted, agent.skills) for agent in everybody):
            whole = f"'{rule}'" + (f" together with '{beside}'" if beside else "")
            yield Problem(key, f"{whole} can never match: none of the {len(everybody)} agents who may be asked meets it")


def unknown_skills(key: str, rule: str, known: set[str]) -> Iterator[Problem]:
    for skill in dict.fromkeys(skills_of(parse(rule))):
        if skill not in known:
            yield Problem(key, _unknown("skill", skill, known, "no agent has it; if one will, name it in routing.skills"))


def _unknown(what: str, name: str, known: Iterable[str], why: str) -> str:
    near = get_close_matches(name, list(known), n=1, cutoff=0.65)
    return f"there is no {what} '{name}': {why}" + (f"; did you mean '{near[0]}'?" if near else "")
