"""Whom a dip asks, and the rules of asking; as ``callcenter.toml`` says it, read and checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from callcenter.domain.dips.breaker import BreakerRule
from callcenter.domain.dips.reading import Path, Wanted
from callcenter.domain.dips.template import Body, Statement, UrlTemplate, body_names

BUDGET = timedelta(seconds=3)


class Outcome(StrEnum):
    """How a dip ended; a flow goes on by it."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    FAILED = "failed"
    """Out of reach, or the answer could not be used."""
    LATE = "late"
    """No answer within the budget."""


class Fallback(StrEnum):
    """Whence the attributes are; the attribute ``dip_fallback`` of the call."""

    NONE = "none"
    CACHED = "cached"
    """The last good answer to the same question."""
    DEFAULT = "default"
    """What the source's settings say for when nothing is known."""


FALLBACK = "dip_fallback"


@dataclass(frozen=True, slots=True)
class DipAnswer:
    outcome: Outcome
    attributes: Mapping[str, str] = field(default_factory=dict)
    fallback: Fallback = Fallback.NONE

    def told(self) -> dict[str, str]:
        """The attributes of the call from now on."""
        return {**self.attributes, FALLBACK: str(self.fallback)}


@dataclass(frozen=True, slots=True)
class Rules:
    """What is the same for every kind of source."""

    attributes: Mapping[str, Wanted] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    """The attributes when there is no answer."""
    budget: timedelta = BUDGET
    breaker: BreakerRule = field(default_factory=BreakerRule)
    cached_for: timedelta = timedelta(0)
    """How old the last good answer may be that stands in; 0: none does."""
    at_once: int = 20
    """Questions under way at most; more fail at once rather than pile up."""


@dataclass(frozen=True, slots=True)
class HttpSource:
    name: str
    url: UrlTemplate
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body = None
    """JSON; None: no body."""
    found_status: frozenset[int] = frozenset({200})
    not_found_status: frozenset[int] = frozenset({404})
    found_if: Path | None = None
    """Where in the answer something must be; else it is ``not_found``."""
    allow_private: bool = False
    longest: int = 65_536
    """Bytes of an answer."""
    rules: Rules = field(default_factory=Rules)

    def names(self) -> tuple[str, ...]:
        """The values a question needs."""
        return tuple(dict.fromkeys(name for name in (*self.url.names(), *body_names(self.body)) if ":" not in name))


@dataclass(frozen=True, slots=True)
class SqlSource:
    name: str
    connection: str
    statement: Statement
    rules: Rules = field(default_factory=Rules)

    def names(self) -> tuple[str, ...]:
        return self.statement.names()


Source = HttpSource | SqlSource
