"""Alerts: what is to be said when a figure of a queue passes a threshold for so long, and when it is back.

Each rule stands for each queue it is about, and goes through the phases of a condition (``domain.conditions``), hysteresis included::

    OFF ──► RISING(since) ──► ON      fires
     ▲            │            │
     └────────────┴────────────┘      resolved, once the figure is as far back as the rule says
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from callcenter.domain.conditions import STANDS_OFF, Condition, Metric, Phase, Standing, observe


class Severity(StrEnum):
    WARNING = "warning"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True)
class AlertRule:
    """Which figure, and who is told."""

    name: str
    condition: Condition
    queue: str = ""
    """Empty: each queue by itself."""
    severity: Severity = Severity.WARNING
    mail: tuple[str, ...] = ()
    """E-mail addresses, beside the screens and webhooks."""


Key = tuple[str, str]
"""Rule and queue."""
Measure = Callable[[str, Metric], float | None]
"""A figure of a queue now; None: nobody knows."""


@dataclass(frozen=True, slots=True)
class Firing:
    """What holds now."""

    rule: AlertRule
    queue: str
    since: datetime
    value: float | None

    @property
    def key(self) -> Key:
        return self.rule.name, self.queue


@dataclass(slots=True)
class AlertWatch:
    """Where each rule stands."""

    _standings: dict[Key, Standing] = field(default_factory=dict)

    def resume(self, firing: Mapping[Key, datetime]) -> None:
        """These held when somebody looked last, since then."""
        for key, since in firing.items():
            self._standings[key] = Standing(Phase.ON, since)

    def look(self, rules: Sequence[AlertRule], queues: Sequence[str], measure: Measure, now: datetime) -> list[Firing]:
        """What holds now, of rules and queues that are there. What nobody can tell stays as it was."""
        standings: dict[Key, Standing] = {}
        firing: list[Firing] = []
        for rule, queue in _pairs(rules, queues):
            value = measure(queue, rule.condition.metric)
            before = self._standings.get((rule.name, queue), STANDS_OFF)
            phase = before.phase if value is None else observe(rule.condition, before, value, now)
            after = before if phase is before.phase else Standing(phase, now)
            standings[rule.name, queue] = after
            if phase is Phase.ON:
                firing.append(Firing(rule, queue, after.since or now, value))
        self._standings = standings
        return firing


def _pairs(rules: Sequence[AlertRule], queues: Sequence[str]) -> Iterator[tuple[AlertRule, str]]:
    for rule in rules:
        for queue in queues:
            if rule.queue in ("", queue):
                yield rule, queue


def sentence(rule: AlertRule, queue: str, value: float | None) -> str:
    """For screens and mails: ``support: waiting > 5 for 30 s (now 7)``."""
    condition = rule.condition
    lasting = f" for {condition.lasting.total_seconds():g} s" if condition.lasting else ""
    now = "" if value is None else f" (now {value:.2g})" if condition.metric is Metric.SERVICE_LEVEL else f" (now {value:.0f})"
    return f"{rule.name}: {queue} {condition.metric.replace('_', ' ')} {condition.comparator} {condition.value:g}{lasting}{now}"
