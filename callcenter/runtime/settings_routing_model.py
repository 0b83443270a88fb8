"""What ``callcenter.toml`` may say about routing, table by table."""

import re
from datetime import date, timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from callcenter.domain.conditions import Comparator, Condition, Metric
from callcenter.domain.routing_config import Between, IdleClock, Needs, Strategy
from callcenter.domain.skills import RuleError, parse
from callcenter.runtime.settings_fields import Name, Plain, Seconds, Section, SomeSeconds
from callcenter.runtime.settings_voicemail_model import HasMailbox

_CONDITION = re.compile(r"\s*([a-z_]+)\s*(>=|<=|>|<)\s*(\d+(?:\.\d+)?)\s*")


def _rule(text: str) -> str:
    try:
        parse(text)
    except RuleError as error:
        raise ValueError(f"is no rule: {error}; such as 'spanish >= 60 and (billing or not trainee)'") from None
    return text


def _condition(text: object) -> object:
    found = _CONDITION.fullmatch(text) if isinstance(text, str) else None
    if found is None or found[1] not in list(Metric):
        raise ValueError(
            f"must be a metric, a comparison and a number, such as 'waiting > 10', but is {text!r}; metrics: {', '.join(Metric)}"
        )
    return Condition(Metric(found[1]), Comparator(found[2]), float(found[3]))


RuleText = Annotated[str, Field(max_length=1000), AfterValidator(_rule)]
ConditionText = Annotated[Condition, BeforeValidator(_condition)]
Level = Annotated[int, Field(ge=0, le=100)]


class RelaxSection(Section):
    """One step of relaxing: ``after_s``, or ``when``."""

    after: SomeSeconds | None = Field(default=None, alias="after_s")
    when: ConditionText | None = None
    lasting: Seconds = Field(default=timedelta(0), alias="for_s")
    release: float | None = Field(default=None, alias="released_at")
    require: RuleText | None = None
    prefer: RuleText | None = None
    waive: tuple[Name, ...] = ()
    groups: tuple[Name, ...] = ()
    level: int = Field(default=100, ge=0, le=1000)


class QueueRouting(HasMailbox):
    """What a queue may say about routing; a part of its table."""

    strategy: Strategy = Strategy.LONGEST_IDLE
    idle_clock: IdleClock = IdleClock.STATE_CHANGE
    require: RuleText = ""
    prefer: RuleText = ""
    relax: tuple[RelaxSection, ...] = Field(default=(), max_length=20)
    acceleration: float = Field(default=0.0, ge=0, le=1000, alias="priority_per_minute")
    priority_cap: float | None = Field(default=None, ge=-1000, le=10_000)
    starve_after: SomeSeconds | None = Field(default=None, alias="starve_after_s")
    last_agent_wait: SomeSeconds | None = Field(default=None, alias="last_agent_wait_s")


class NodeRouting(Section):
    """What the node of a flow that enters a queue may say about routing."""

    require: RuleText = ""
    prefer: RuleText = ""
    agent: Name | None = None
    """``last`` is the one the caller talked with last."""
    agent_wait: SomeSeconds | None = Field(default=None, alias="agent_wait_s")


class MembershipSection(Section):
    level: int = Field(default=0, ge=0, le=1000)
    delay: Seconds = Field(default=timedelta(0), alias="delay_s")


class AgentRouting(HasMailbox):
    """What an agent's table may say about routing."""

    queues: tuple[Name, ...] = ()
    memberships: dict[Name, MembershipSection] = Field(default_factory=dict, alias="queue")
    skills: dict[Name, Level] = Field(default_factory=dict)
    skills_until: dict[Name, date] = Field(default_factory=dict)
    """The last day of a skill, in the center's time zone."""
    groups: tuple[Name, ...] = ()


class RoutingSection(Section):
    between_queues: Between = Between.PRIORITY
    window: SomeSeconds = Field(default=timedelta(minutes=30), alias="window_s")
    skills: tuple[Name, ...] = ()
    """Skills that rules may speak of although nobody has them yet."""


class ListedNumberSection(Section):
    number: Plain
    reason: Plain
    until: date | None = None


class CallerListSection(Section):
    name: Name
    blocked: bool = False
    flow: Name | None = None
    priority: int = Field(default=0, ge=-1000, le=1000)
    entries: tuple[ListedNumberSection, ...] = Field(alias="entry", min_length=1)


class RoutingRuleSection(NodeRouting):
    name: Name
    match: dict[Plain, tuple[Plain, ...]] = Field(min_length=1)
    queue: Name | None = None
    priority: int | None = Field(default=None, ge=-1000, le=1000)


def needs_of(section: NodeRouting, rule: str = "") -> Needs:
    """As the core reads it."""
    return Needs(section.require, section.prefer, section.agent or "", section.agent_wait or timedelta(0), rule)
