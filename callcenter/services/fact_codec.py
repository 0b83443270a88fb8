"""Facts as JSON and back, for every dataclass of ``domain.facts`` without a table.

Dates are ISO 8601 in UTC with microseconds, spans are seconds, enums their values, tuples lists. What
does not fit raises ``FactError``; nothing is guessed.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from types import UnionType
from typing import Union, cast, get_args, get_origin, get_type_hints

import orjson

from callcenter.domain.facts import FACT_TYPES, Fact

JsonValue = str | int | float | bool | None | list[str]
FactJson = dict[str, JsonValue]


class FactError(Exception):
    """This is not a fact we know how to write or read."""


class UnknownFact(FactError):
    """The kind is not one of ours; perhaps a newer version wrote it."""

    def __init__(self, kind: object) -> None:
        super().__init__(f"unknown kind of fact: {kind!r}")
        self.kind = kind


_Write = Callable[[object], JsonValue]
_Read = Callable[[object], object]


def _write_datetime(value: object) -> str:
    assert isinstance(value, datetime)
    if value.tzinfo is not UTC:
        if value.tzinfo is None:
            raise FactError("a date without time zone")
        value = value.astimezone(UTC)
    return _iso(value)


@lru_cache(maxsize=64)
def _iso(at: datetime) -> str:
    """All facts of one event bear the same date."""
    return at.isoformat(timespec="microseconds")


def _write_timedelta(value: object) -> float:
    assert isinstance(value, timedelta)
    return value.total_seconds()


def _write_enum(value: object) -> str:
    return str(value)


def _read_datetime(value: object) -> datetime:
    if not isinstance(value, str):
        raise TypeError("not a date")
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError("a date without time zone")
    return at if at.tzinfo is UTC else at.astimezone(UTC)


def _read_timedelta(value: object) -> timedelta:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("not seconds")
    return timedelta(seconds=value)


def _read_strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TypeError("not a list of strings")
    return tuple(value)


def _read_dates(value: object) -> tuple[datetime, ...]:
    if not isinstance(value, list):
        raise TypeError("not a list of dates")
    return tuple(_read_datetime(item) for item in value)


def _exactly(kind: type) -> _Read:
    def read(value: object) -> object:
        if type(value) is not kind:
            raise TypeError(f"not {kind.__name__}")
        return value

    return read


def _optional(convert: Callable[[object], object]) -> Callable[[object], object]:
    return lambda value: None if value is None else convert(value)


def _codec_of(hint: object) -> tuple[_Write | None, _Read]:
    """How a field of this type is written (None: as it is) and read."""
    if get_origin(hint) in (Union, UnionType):
        (inner,) = (arm for arm in get_args(hint) if arm is not type(None))
        write, read = _codec_of(inner)
        return (cast(_Write, _optional(write)) if write else None), _optional(read)
    if hint is datetime:
        return _write_datetime, _read_datetime
    if hint is timedelta:
        return _write_timedelta, _read_timedelta
    if get_origin(hint) is tuple and get_args(hint) == (datetime, ...):
        return lambda value: [_write_datetime(date) for date in cast(tuple[datetime, ...], value)], _read_dates
    if get_origin(hint) is tuple and get_args(hint) == (str, ...):
        return lambda value: list(cast(tuple[str, ...], value)), _read_strings
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return _write_enum, cast(_Read, hint)
    if hint in (str, int, bool):
        return None, _exactly(cast(type, hint))
    if hint is float:
        return None, lambda value: float(cast(float, value))
    raise TypeError(f"facts have no fields of type {hint!r}")


class _Kind:
    """What is known of one kind of fact."""

    __slots__ = ("make", "name", "names", "reads", "required", "writes")

    def __init__(self, name: str, kind: type[Fact]) -> None:
        hints = get_type_hints(kind)
        codecs = {field.name: _codec_of(hints[field.name]) for field in fields(kind)}
        self.name = name
        self.make = cast(Callable[..., Fact], kind)
        self.names = tuple(codecs)
        self.writes = tuple((field, write) for field, (write, _) in codecs.items() if write)
        self.reads = {field: read for field, (_, read) in codecs.items()}
        self.required = frozenset(field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING)


_KINDS: Mapping[str, _Kind] = {name: _Kind(name, kind) for name, kind in FACT_TYPES.items()}
_BY_TYPE: Mapping[type, _Kind] = {FACT_TYPES[name]: kind for name, kind in _KINDS.items()}
_to_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def encode(fact: Fact) -> FactJson:
    """The fact as a flat JSON object; ``kind`` is the name of its class. Raises FactError."""
    kind = _BY_TYPE.get(type(fact))
    if kind is None:
        raise UnknownFact(type(fact).__name__)
    written: FactJson = {"kind": kind.name}
    for name in kind.names:
        written[name] = getattr(fact, name)
    for name, write in kind.writes:
        written[name] = write(written[name])
    return written


def decode(written: Mapping[str, object]) -> Fact:
    """The fact that ``encode`` wrote. Fields a newer version added are ignored. Raises FactError, UnknownFact."""
    name = written.get("kind")
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise UnknownFact(name)
    values: dict[str, object] = {}
    for field, read in kind.reads.items():
        if field in written:
            try:
                values[field] = read(written[field])
            except (TypeError, ValueError, OverflowError) as error:
                raise FactError(f"{name}.{field}: {error}") from error
    if missing := kind.required - values.keys():
        raise FactError(f"{name}: without {', '.join(sorted(missing))}")
    return kind.make(**values)


def dump(facts: Sequence[Fact]) -> bytes:
    """The facts of one event as one line of JSON in UTF-8, without line breaks inside or at its end. Raises FactError."""
    written = [encode(fact) for fact in facts]
    try:
        return orjson.dumps(written)
    except orjson.JSONEncodeError:  # a lone surrogate has no place in UTF-8, but a fact must not be lost for it
        return _to_json(written).encode("ascii")


def load(line: bytes) -> tuple[Fact, ...]:
    """What ``dump`` wrote. Raises FactError."""
    return tuple(decode(written) for written in load_objects(line))


def load_objects(line: bytes) -> list[dict[str, object]]:
    """What ``dump`` wrote, as JSON objects. Raises FactError."""
    try:
        written = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise FactError(f"not JSON: {error}") from error
    if not isinstance(written, list) or not all(isinstance(item, dict) for item in written):
        raise FactError("not a list of facts")
    return written
