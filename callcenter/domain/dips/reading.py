"""From an answer to attributes of the call: by simple paths, checked for type, length and depth. What does not fit is garbage.

A path is keys with dots between them and numbers in brackets: ``account.balance``, ``orders[0].state``.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum

DEEPEST = 32
"""Levels of nesting in an answer."""
LONGEST_NUMBER = 30
"""Characters."""

_STEP = re.compile(r"\[(\d+)\]|([A-Za-z0-9_@$-]+)", re.ASCII)
_PATH = re.compile(r"[A-Za-z0-9_@$-]{1,80}(\[\d{1,4}\])*(\.[A-Za-z0-9_@$-]{1,80}(\[\d{1,4}\])*)*", re.ASCII)
_SIGN = re.compile(r'\\.|["\[\]{}]', re.DOTALL)
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,12})?")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

Step = str | int
Path = tuple[Step, ...]


class Kind(StrEnum):
    """What a value must be."""

    TEXT = "text"
    WHOLE = "whole"
    """A whole number."""
    NUMBER = "number"
    """With or without decimals."""
    DIGITS = "digits"
    """A text (or whole number) of digits alone: a customer number."""
    YES_NO = "yes_no"
    """True or false; the attribute is ``yes`` or ``no``."""


class Garbage(Exception):
    """The answer is none that can be used. The sentence never repeats what came."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One attribute, and where in the answer it is."""

    path: Path
    kind: Kind = Kind.TEXT
    optional: bool = False
    """It may be missing or null; the attribute is empty then."""
    longest: int = 200


def parse_path(text: str) -> Path:
    """Raises ValueError with a sentence."""
    if not _PATH.fullmatch(text):
        raise ValueError(f"must be a path such as 'account.balance' or 'orders[0].state', but is {text!r}")
    return tuple(int(found[1]) if found[1] else found[2] for found in _STEP.finditer(text))


def read_json(body: bytes) -> object:
    """Raises Garbage: not UTF-8, not JSON, too deep, NaN, numbers of absurd length."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Garbage("it is not UTF-8") from None
    if _depth(text) > DEEPEST:
        raise Garbage(f"it is nested deeper than {DEEPEST} levels")
    try:
        return json.loads(text, parse_int=_whole, parse_float=_decimal, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Garbage("it is not JSON") from None


def _depth(text: str) -> int:
    """The deepest nesting, brackets within texts left out. Before parsing, in one pass whatever comes."""
    deepest = level = 0
    within = False
    for found in _SIGN.finditer(text):
        sign = found[0]
        if sign == '"':
            within = not within
        elif within or sign[0] == "\\":
            continue
        elif sign in "[{":
            level += 1
            deepest = max(deepest, level)
        else:
            level -= 1
    return deepest


def _whole(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError("too long")
    return int(text)


def _decimal(text: str) -> Decimal:
    if len(text) > LONGEST_NUMBER:
        raise ValueError("too long")
    value = Decimal(text)
    if abs(value.adjusted()) > LONGEST_NUMBER:  # written out, 1e999999999 would fill the memory
        raise ValueError("too long")
    return value


def _refuse(text: str) -> object:
    raise ValueError(text)


def attributes(answer: object, wanted: Mapping[str, Wanted]) -> dict[str, str]:
    """Raises Garbage, naming the attribute and what is wrong with it."""
    found: dict[str, str] = {}
    for name, rule in wanted.items():
        value = at(answer, rule.path)
        if value is None:
            if not rule.optional:
                raise Garbage(f"'{name}' is missing")
            found[name] = ""
        else:
            found[name] = _as(name, value, rule)
    return found


def at(answer: object, path: Sequence[Step]) -> object:
    """What is there; None when nothing is."""
    for step in path:
        if isinstance(step, int):
            answer = answer[step] if isinstance(answer, list) and step < len(answer) else None
        else:
            answer = answer.get(step) if isinstance(answer, Mapping) else None
    return answer


def is_there(answer: object, path: Sequence[Step]) -> bool:
    """Something, and neither false nor empty."""
    return at(answer, path) not in (None, False, "", [], {})


def _as(name: str, value: object, rule: Wanted) -> str:
    text = _CONVERSIONS[rule.kind](value)
    if text is None:
        raise Garbage(f"'{name}' is not of type {rule.kind}")
    if len(text) > rule.longest:
        raise Garbage(f"'{name}' is longer than {rule.longest} characters")
    return text


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and not _UNPRINTABLE.search(value) else None


def _whole_number(value: object) -> str | None:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return text if isinstance(text, str) and _WHOLE.fullmatch(text) else None


def _number(value: object) -> str | None:
    """Plain decimals, as they were written; never with an exponent."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    try:
        text = format(Decimal(str(value)), "f") if not isinstance(value, str) else value
    except (InvalidOperation, ValueError):
        return None
    return text if _DECIMAL.fullmatch(text) else None


def _digits(value: object) -> str | None:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return text if isinstance(text, str) and re.fullmatch(r"[0-9]{1,40}", text) else None


def _yes_no(value: object) -> str | None:
    return None if not isinstance(value, bool) else "yes" if value else "no"


_CONVERSIONS = {Kind.TEXT: _text, Kind.WHOLE: _whole_number, Kind.NUMBER: _number, Kind.DIGITS: _digits, Kind.YES_NO: _yes_no}
