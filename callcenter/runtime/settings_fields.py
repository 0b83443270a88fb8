"""The kinds of value that ``callcenter.toml`` holds, each with the one sentence it says when it does not fit."""

import ipaddress
import re
from datetime import date, time, timedelta
from functools import cache
from typing import Annotated, get_args
from zoneinfo import available_timezones

import phonenumbers
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


class Section(BaseModel):
    """A table of the file: no key is accepted that is not listed, and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class _Matching:
    """A text of a pattern; the JSON Schema names the pattern too."""

    def __init__(self, pattern: str, allowed: str) -> None:
        self._pattern = pattern
        self._compiled = re.compile(pattern)
        self._allowed = allowed

    def _check(self, text: str) -> str:
        if not self._compiled.fullmatch(text):
            raise ValueError(f"must be {self._allowed}, but is {text!r}")
        return text

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "pattern": f"^(?:{self._pattern})$"}


def matching(pattern: str, allowed: str) -> _Matching:
    return _Matching(pattern, allowed)


class SaidMark:
    """Marks what a flow says: a prompt or value, or a list of them; written as one it need not be a list."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        several = handler(schema)
        return {"anyOf": [several["items"], several]}

    @classmethod
    def marks(cls, field: object) -> bool:
        """Whether a field, or what it holds, is something said."""
        if isinstance(field, FieldInfo):
            return cls.marks(field.annotation) or any(isinstance(mark, cls) for mark in field.metadata)
        return any(isinstance(inner, cls) or cls.marks(inner) for inner in (*get_args(field), *getattr(field, "__metadata__", ())))


@cache
def _time_zones() -> frozenset[str]:
    """Each look reads the whole folder of the database."""
    return frozenset(available_timezones())


def _time_zone(name: str) -> str:
    if name not in _time_zones():
        raise ValueError(f"must be a time zone of the IANA database, such as 'Europe/Berlin' or 'America/New_York', but is {name!r}")
    return name


def _country(code: str) -> str:
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"must be a country in two capital letters (ISO 3166), such as 'US' or 'DE', but is {code!r}")
    return code


def _address(text: str) -> str:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"must be an IP address or network, such as '192.0.2.7' or '192.0.2.0/24', but is {text!r}") from None
    return text


def _bind_address(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(f"must be an IP address of this machine, or '0.0.0.0' for all of them, but is {text!r}") from None
    return text


def _seconds(value: object) -> timedelta:
    """Seconds in the file, a duration inside."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"must be a number of seconds, but is {value!r}")
    if not 0 <= value <= 86_400 * 366:
        raise ValueError(f"must be a number of seconds between 0 and a year, but is {value!r}")
    return timedelta(seconds=value)


def _not_zero(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("must be more than 0 seconds")
    return value


def _announcement_interval(value: timedelta) -> timedelta:
    if value < timedelta(seconds=15):
        raise ValueError(f"must be 15 seconds at least, but is {value.total_seconds():g}")
    return value


def _port(value: int) -> int:
    if not 1 <= value <= 65_535:
        raise ValueError(f"must be a port between 1 and 65535, but is {value}")
    return value


def _rtp_range(value: tuple[int, int]) -> tuple[int, int]:
    first, last = value
    if not 1024 <= first < last <= 65_535 or last - first < 20:
        raise ValueError(
            f"must be [from, to] with 1024 <= from < to <= 65535 and room for 10 legs (2 ports each), but is [{first}, {last}]"
        )
    return value


WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_WEEKLY = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? (\d\d:\d\d)-(\d\d:\d\d)")
_DATED = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d)-(\d\d:\d\d)")


def _window(begin: str, end: str) -> tuple[time, time]:
    """``24:00`` is midnight at the end. Raises ValueError."""
    first, last = time.fromisoformat(begin), time(0) if end == "24:00" else time.fromisoformat(end)
    if last != time(0) and last <= first:
        raise ValueError("ends before it begins")
    return first, last


def _weekly(text: object) -> object:
    found = _WEEKLY.fullmatch(text) if isinstance(text, str) else None
    try:
        if found is None:
            raise ValueError
        first = WEEKDAYS.index(found[1])
        last = WEEKDAYS.index(found[2]) if found[2] else first
        if last < first:
            raise ValueError
        return tuple(range(first, last + 1)), _window(found[3], found[4])
    except ValueError:
        raise ValueError(f"must be weekdays and times, such as 'mon-fri 09:00-20:00' or 'sat 10:00-24:00', but is {text!r}") from None


def _dated(text: object) -> object:
    found = _DATED.fullmatch(text) if isinstance(text, str) else None
    try:
        if found is None:
            raise ValueError
        return date.fromisoformat(found[1]), _window(found[2], found[3])
    except ValueError:
        raise ValueError(f"must be a date and times, such as '2026-12-24 09:00-12:00', but is {text!r}") from None


def _date(text: object) -> object:
    try:
        return date.fromisoformat(text) if isinstance(text, str) else text
    except ValueError:
        raise ValueError(f"must be a date, such as '2026-12-25', but is {text!r}") from None


Name = Annotated[str, matching(r"[a-z][a-z0-9_-]{0,39}", "a name of 1 to 40 characters a-z, 0-9, '-' and '_', beginning with a letter")]
Disposition = Annotated[
    str,
    matching(
        r"[a-z][a-z0-9_-]{0,39}(/[a-z][a-z0-9_-]{0,39}){0,2}",
        "a name of 1 to 40 characters a-z, 0-9, '-' and '_', beginning with a letter; up to three of them, with '/' between, are levels",
    ),
]
NodeName = Annotated[str, matching(r"[a-z][a-z0-9]{0,19}", "a name of 1 to 20 characters a-z and 0-9, beginning with a letter")]
PromptId = Annotated[str, matching(r"[a-z0-9-]{1,60}", "1 to 60 characters a-z, 0-9 and '-'")]
SaidPiece = Annotated[
    str,
    matching(
        r"[a-z0-9-]{1,60}|\{(digits|number|date|time|duration|minutes|position|money):[a-z][a-z0-9_]{0,39}\}"
        r"|\{money:[a-z][a-z0-9_]{0,39}:[A-Z]{3}\}",
        "a prompt (a-z, 0-9 and '-'), or a value to be said: '{digits:ATTRIBUTE}', or number, money, date, time, duration, minutes or "
        "position in place of digits; '{money:ATTRIBUTE:USD}' with its currency",
    ),
]
"""What a node of a flow says: see ``domain.ivr.speech``."""
Key = Annotated[str, matching(r"[0-9*#]", "one key: 0-9, * or #")]
Extension = Annotated[str, matching(r"[0-9]{2,8}", "2 to 8 digits (star codes are the center's own)")]
Dialable = Annotated[str, matching(r"[0-9]{2,15}", "2 to 15 digits")]
Prefix = Annotated[str, matching(r"\+[0-9]{1,15}", "a plus sign and 1 to 15 digits, such as '+1'")]
AttributeName = Annotated[str, matching(r"[a-z][a-z0-9_]{0,39}", "a name of 1 to 40 characters a-z, 0-9 and '_', beginning with a letter")]
HostName = Annotated[str, matching(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?", "a host name or an IP address")]
Plain = Annotated[str, matching(r"[^\x00-\x1f\x7f]{1,200}", "1 to 200 characters on one line")]
PromptText = Annotated[str, matching(r"(?=[\s\S]*\S)[^\x00-\x08\x0b-\x1f\x7f]{1,2000}", "1 to 2000 characters that can be spoken")]
Language = Annotated[str, matching(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?", "a language such as 'en', 'es' or 'zh-TW'")]
SipUser = Annotated[str, matching(r"[A-Za-z0-9._+-]{1,100}", "1 to 100 characters A-Z, a-z, 0-9, '.', '_', '+' and '-'")]
Url = Annotated[str, matching(r"[a-z][a-z0-9+]*://[^\s]+", "a URL")]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Country = Annotated[str, AfterValidator(_country)]
Network = Annotated[str, AfterValidator(_address)]
BindAddress = Annotated[str, AfterValidator(_bind_address)]
_SECONDS = WithJsonSchema({"type": "number", "minimum": 0, "maximum": 86_400 * 366})
Seconds = Annotated[timedelta, BeforeValidator(_seconds), _SECONDS]
"""A duration, written in the file as a number of seconds under a key that ends in ``_s``."""
_SOME_SECONDS = WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 86_400 * 366})
SomeSeconds = Annotated[timedelta, BeforeValidator(_seconds), AfterValidator(_not_zero), _SOME_SECONDS]
"""The same, but not 0."""


def _action(text: str) -> str:
    if not re.fullmatch(r"(queue|flow|voicemail:queue|voicemail:agent):[a-z][a-z0-9_-]{0,39}|callback|voicemail|goodbye", text):
        raise ValueError(
            "must be 'queue:NAME', 'flow:NAME', 'callback', 'voicemail', 'voicemail:queue:NAME', 'voicemail:agent:NAME' or 'goodbye', "
            f"but is {text!r}"
        )
    return text


def _time_of_day(value: object) -> time:
    """``"18:00"``, or TOML's own 18:00:00."""
    if isinstance(value, time):
        return value
    try:
        return time.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"must be a time of day, such as '18:00', but is {value!r}") from None


Action = Annotated[str, AfterValidator(_action)]
"""Where a caller goes who leaves a queue."""
TimeOfDay = Annotated[time, BeforeValidator(_time_of_day)]
Interval = Annotated[timedelta, BeforeValidator(_seconds), AfterValidator(_announcement_interval)]
"""The same, but 15 at least."""
Port = Annotated[int, AfterValidator(_port)]
RtpRange = Annotated[tuple[int, int], AfterValidator(_rtp_range)]
Date = Annotated[date, BeforeValidator(_date)]
WeeklyWindow = Annotated[tuple[tuple[int, ...], tuple[time, time]], BeforeValidator(_weekly)]
"""``mon-fri 09:00-20:00``: weekdays (0 is Monday), from and to."""
DatedWindow = Annotated[tuple[date, tuple[time, time]], BeforeValidator(_dated)]
"""``2026-12-24 09:00-12:00``."""
