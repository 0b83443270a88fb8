"""Conditions of flows: a small language of sentences that are true or not at the moment a caller comes by.

::

    hours.main is open and not list.blocked
    attribute.tier == "gold" or queue.support.waiting > 5
    queue.support.ewt > 300 and (queue.support.agents_ready == 0 or share 10%)

``or`` binds least, then ``and``, then ``not``. A text is compared as a text, a number as a number; what is not known (an
attribute that is not set, a metric that cannot be told) makes its comparison false. ``share 10%`` is true for a tenth of the calls,
and for one call at one place always the same. A sentence is parsed when the flow is checked; after that it can only be true or false.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

from callcenter.domain.conditions import Metric


class ExpressionError(Exception):
    """The sentence cannot be understood; says where and what is allowed there."""


class Circumstances(Protocol):
    """What a condition may look at beside the attributes of the call."""

    @property
    def call(self) -> str:
        """The id of the call, from which shares are drawn."""

    def is_open(self, calendar: str) -> bool:
        """Whether the hours of that name are open now."""

    def on_list(self, name: str) -> bool:
        """Whether the caller is on that caller list."""

    def measured(self, queue: str, metric: Metric) -> float | None:
        """The queue's metric now; None: not known."""

    def is_ready(self, agent: str) -> bool:
        """Whether the agent could take a call now."""


class Around:
    """What an expression is judged by, at one place of a flow."""

    __slots__ = ("attributes", "circumstances", "place")

    def __init__(self, attributes: Mapping[str, str], circumstances: Circumstances, place: str) -> None:
        self.attributes = attributes
        self.circumstances = circumstances
        self.place = place


class Expression(Protocol):
    """Something that is true or false."""

    def holds(self, around: Around) -> bool: ...
    def names(self) -> Iterator[tuple[str, str]]:
        """What it speaks of: ``hours``, ``list``, ``attribute`` or ``queue``, and which one."""


COMPARATORS: Mapping[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[Expression, ...]

    def holds(self, around: Around) -> bool:
        return any(part.holds(around) for part in self.parts)

    def names(self) -> Iterator[tuple[str, str]]:
        return (name for part in self.parts for name in part.names())


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple[Expression, ...]

    def holds(self, around: Around) -> bool:
        return all(part.holds(around) for part in self.parts)

    def names(self) -> Iterator[tuple[str, str]]:
        return (name for part in self.parts for name in part.names())


@dataclass(frozen=True, slots=True)
class Not:
    part: Expression

    def holds(self, around: Around) -> bool:
        return not self.part.holds(around)

    def names(self) -> Iterator[tuple[str, str]]:
        return self.part.names()


@dataclass(frozen=True, slots=True)
class HoursOpen:
    calendar: str

    def holds(self, around: Around) -> bool:
        return around.circumstances.is_open(self.calendar)

    def names(self) -> Iterator[tuple[str, str]]:
        yield "hours", self.calendar


@dataclass(frozen=True, slots=True)
class OnList:
    name: str

    def holds(self, around: Around) -> bool:
        return around.circumstances.on_list(self.name)

    def names(self) -> Iterator[tuple[str, str]]:
        yield "list", self.name


@dataclass(frozen=True, slots=True)
class AttributeSet:
    attribute: str

    def holds(self, around: Around) -> bool:
        return bool(around.attributes.get(self.attribute))

    def names(self) -> Iterator[tuple[str, str]]:
        yield "attribute", self.attribute


@dataclass(frozen=True, slots=True)
class AttributeIs:
    """Compared with a text, letter by letter: ``==`` or ``!=``. One that is not set is equal to nothing, and different from nothing."""

    attribute: str
    equal: bool
    value: str

    def holds(self, around: Around) -> bool:
        value = around.attributes.get(self.attribute)
        return value is not None and (value == self.value) is self.equal

    def names(self) -> Iterator[tuple[str, str]]:
        yield "attribute", self.attribute


@dataclass(frozen=True, slots=True)
class AttributeCompares:
    """Compared with a number; what is no number compares with none."""

    attribute: str
    comparator: str
    value: float

    def holds(self, around: Around) -> bool:
        number = as_number(around.attributes.get(self.attribute, ""))
        return number is not None and COMPARATORS[self.comparator](number, self.value)

    def names(self) -> Iterator[tuple[str, str]]:
        yield "attribute", self.attribute


@dataclass(frozen=True, slots=True)
class QueueCompares:
    queue: str
    metric: Metric
    comparator: str
    value: float

    def holds(self, around: Around) -> bool:
        measured = around.circumstances.measured(self.queue, self.metric)
        return measured is not None and COMPARATORS[self.comparator](measured, self.value)

    def names(self) -> Iterator[tuple[str, str]]:
        yield "queue", self.queue


@dataclass(frozen=True, slots=True)
class Share:
    """True for this part of the calls (0 to 1); two shares at different places are drawn apart."""

    ratio: float
    position: int

    def holds(self, around: Around) -> bool:
        place = f"{around.circumstances.call}/{around.place}/{self.position}".encode(errors="replace")
        drawn = int.from_bytes(blake2b(place, digest_size=4).digest(), "big")  # a mere checksum would tie the places together
        return drawn < self.ratio * 2**32

    def names(self) -> Iterator[tuple[str, str]]:
        return iter(())


_NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d{1,9})?", re.ASCII)


def as_number(text: str) -> float | None:
    """The number that a value is; None when it is none, or an absurd one."""
    return float(text) if _NUMBER.fullmatch(text) else None


_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d{1,15}(?:\.\d{1,9})?)|(?P<path>[a-z][a-z0-9_-]*(?:\.[a-z][a-z0-9_-]*)*)"""
    r"""|"(?P<text>[^"\x00-\x1f]{0,200})"|(?P<sign>==|!=|>=|<=|[<>()%]))""",
    re.ASCII,
)
LONGEST = 500
"""Characters of an expression."""
DEEPEST = 20
"""Parentheses and ``not`` inside each other."""
ALLOWED = 'hours.NAME is open, list.NAME, attribute.NAME == "text", queue.NAME.METRIC > number, share N%, and, or, not, parentheses'


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def parse(text: str) -> Expression:
    """The expression. Raises ExpressionError with a sentence that says what is wrong at which character."""
    if len(text) > LONGEST:
        raise ExpressionError(f"is longer than {LONGEST} characters")
    parser = _Parser(tuple(_tokens(text)))
    expression = parser.any_of(0)
    parser.at_end()
    return expression


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            begins = at + len(text[at:]) - len(text[at:].lstrip())
            raise ExpressionError(f"cannot be understood at character {begins + 1}: {text[begins : begins + 20]!r}; allowed: {ALLOWED}")
        kind = str(found.lastgroup)
        yield _Token(kind, found[kind], found.start(kind))
        at = found.end()


class _Parser:
    def __init__(self, tokens: tuple[_Token, ...]) -> None:
        self._tokens = tokens
        self._next = 0

    def _is(self, text: str, kind: str = "path") -> bool:
        """Whether that word comes next; if so it is taken."""
        token = self._tokens[self._next] if self._next < len(self._tokens) else None
        if token is None or token.text != text or token.kind != kind:
            return False
        self._next += 1
        return True

    def _take(self, wanted: str) -> _Token:
        if self._next >= len(self._tokens):
            raise ExpressionError(f"ends where {wanted} should come")
        self._next += 1
        return self._tokens[self._next - 1]

    def at_end(self) -> None:
        if self._next < len(self._tokens):
            token = self._tokens[self._next]
            raise ExpressionError(f"goes on with {token.text!r} at character {token.at + 1} where 'and', 'or' or the end should come")

    def any_of(self, depth: int) -> Expression:
        parts = [self._all_of(depth)]
        while self._is("or"):
            parts.append(self._all_of(depth))
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _all_of(self, depth: int) -> Expression:
        parts = [self._not(depth)]
        while self._is("and"):
            parts.append(self._not(depth))
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _not(self, depth: int) -> Expression:
        if depth > DEEPEST:
            raise ExpressionError(f"has more than {DEEPEST} parentheses and 'not' inside each other")
        if self._is("not"):
            return Not(self._not(depth + 1))
        if self._is("(", "sign"):
            inner = self.any_of(depth + 1)
            if not self._is(")", "sign"):
                raise ExpressionError("has a '(' without its ')'")
            return inner
        return self._test()

    def _test(self) -> Expression:
        token = self._take("a condition")
        parts = token.text.split(".") if token.kind == "path" else []
        match parts:
            case ["share"]:
                return self._share(token)
            case ["hours", calendar]:
                return self._hours(calendar)
            case ["list", name]:
                return OnList(name)
            case ["attribute", attribute]:
                return self._attribute(attribute)
            case ["queue", queue, metric]:
                return self._queue(queue, metric, token)
        raise ExpressionError(f"cannot be understood at character {token.at + 1}: {token.text!r}; allowed: {ALLOWED}")

    def _share(self, token: _Token) -> Expression:
        number = self._take("a number of per cent, such as 10%")
        if number.kind != "number" or not self._is("%", "sign") or not 0 <= float(number.text) <= 100:
            raise ExpressionError(f"has a share at character {token.at + 1} that is not a number from 0 to 100 with a per cent sign")
        return Share(float(number.text) / 100, token.at)

    def _hours(self, calendar: str) -> Expression:
        if not self._is("is"):
            raise ExpressionError(f"names hours.{calendar} without 'is open' or 'is closed' after it")
        negated = self._is("not")
        if self._is("open"):
            opened: Expression = HoursOpen(calendar)
        elif self._is("closed"):
            opened = Not(HoursOpen(calendar))
        else:
            raise ExpressionError(f"names hours.{calendar} without 'is open' or 'is closed' after it")
        return Not(opened) if negated else opened

    def _attribute(self, attribute: str) -> Expression:
        if self._is("is"):
            negated = self._is("not")
            if not self._is("set"):
                raise ExpressionError(f"says 'attribute.{attribute} is' without 'set' or 'not set' after it")
            return Not(AttributeSet(attribute)) if negated else AttributeSet(attribute)
        sign = self._comparator(f"attribute.{attribute}")
        value = self._take('a number or a "text"')
        if value.kind == "number":
            return AttributeCompares(attribute, sign, float(value.text))
        if value.kind != "text":
            raise ExpressionError(f"compares attribute.{attribute} with {value.text}; write a number, or a text in quotes")
        if sign not in ("==", "!="):
            raise ExpressionError(f"compares attribute.{attribute} with a text by '{sign}'; texts are compared by == and != only")
        return AttributeIs(attribute, sign == "==", value.text)

    def _queue(self, queue: str, metric: str, token: _Token) -> Expression:
        if metric not in {known.value for known in Metric}:
            raise ExpressionError(f"asks for '{metric}' of queue '{queue}'; allowed: {', '.join(known.value for known in Metric)}")
        sign = self._comparator(token.text)
        value = self._take("a number")
        if value.kind != "number":
            raise ExpressionError(f"compares {token.text} with {value.text!r}, which is no number")
        return QueueCompares(queue, Metric(metric), sign, float(value.text))

    def _comparator(self, what: str) -> str:
        sign = self._take("a comparison")
        if sign.text not in COMPARATORS:
            raise ExpressionError(f"has no comparison after {what}; allowed: {', '.join(COMPARATORS)}")
        return sign.text
