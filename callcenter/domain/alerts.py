"""Alerts: what is to be said when a figure passes a threshold for so long, and when it is back.

Each rule stands for each thing it is about (a queue, an agent, a node, the center itself), and goes through the phases of a condition
(``domain.conditions``), hysteresis included::

    OFF ──► RISING(since) ──► ON      fires
     ▲            │            │
     └────────────┴────────────┘      resolved, once the figure is as far back as the rule says
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from callcenter.domain.conditions import RATIOS, STANDS_OFF, Condition, Phase, Standing, observe


class Severity(StrEnum):
    WARNING = "warning"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True)
class AlertRule:
    """Which figure, and who is told."""

    name: str
    condition: Condition
    queue: str = ""
    """Of an agent's figure: agents who serve it. Empty: each queue by itself, or all agents."""
    severity: Severity = Severity.WARNING
    mail: tuple[str, ...] = ()
    """E-mail addresses, beside the screens and webhooks."""


@dataclass(frozen=True, slots=True)
class About:
    """What an alert is about."""

    queue: str = ""
    """By whose reports it may be seen; empty: by those only who have no limit by queue."""
    subject: str = ""
    """The agent or the node; empty: the queue, or the center."""

    @property
    def shown(self) -> str:
        return self.subject or self.queue or "center"


Key = tuple[str, About]
"""Rule, and what it is about."""
Measured = Iterable[tuple[About, float | None]]
"""All that a rule is about, with the figure now; None: nobody knows it."""


@dataclass(frozen=True, slots=True)
class Firing:
    """What holds now."""

    rule: AlertRule
    about: About
    since: datetime
    value: float | None

    @property
    def key(self) -> Key:
        return self.rule.name, self.about


@dataclass(slots=True)
class AlertWatch:
    """Where each rule stands."""

    _standings: dict[Key, Standing] = field(default_factory=dict)

    def resume(self, firing: Mapping[Key, datetime]) -> None:
        """These held when somebody looked last, since then."""
        for key, since in firing.items():
            self._standings[key] = Standing(Phase.ON, since)

    def look(self, rules: Sequence[AlertRule], measure: Callable[[AlertRule], Measured | None], now: datetime) -> list[Firing]:
        """What holds now, of rules and things that are there. What nobody can tell stays as it was.

        ``measure`` is None when nothing of the rule can be told.
        """
        standings: dict[Key, Standing] = {}
        firing: list[Firing] = []
        for rule in rules:
            measured = measure(rule)
            if measured is None:
                measured = [(about, None) for name, about in self._standings if name == rule.name]
            for about, value in measured:
                before = self._standings.get((rule.name, about), STANDS_OFF)
                phase = before.phase if value is None else observe(rule.condition, before, value, now)
                after = before if phase is before.phase else Standing(phase, now)
                if phase is not Phase.OFF:
                    standings[rule.name, about] = after
                if phase is Phase.ON:
                    firing.append(Firing(rule, about, after.since or now, value))
        self._standings = standings
        return firing


def sentence(rule: AlertRule, about: About, value: float | None) -> str:
    """For screens and mails: ``crowd: support waiting > 5 for 30 s (now 7)``."""
    condition = rule.condition
    lasting = f" for {condition.lasting.total_seconds():g} s" if condition.lasting else ""
    now = "" if value is None else f" (now {value:.2g})" if condition.metric in RATIOS or value < 1 else f" (now {value:.0f})"
    said = condition.metric.replace("_", " ")
    return f"{rule.name}: {about.shown} {said} {condition.comparator} {condition.value:g}{lasting}{now}"
