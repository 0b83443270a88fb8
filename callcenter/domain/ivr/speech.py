"""What a caller hears, as sounds of the catalogue: prompts by their ids, and values put together from words.

What a caller pressed, or any other value, only ever chooses among sounds we ship: a character without a sound is
left out, so no input becomes a file name or a dial string. The call's attribute ``language`` decides in which of the
center's languages it is said; sounds of another language than the center's own bear it: ``es/welcome``, ``es/es-21``.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from callcenter.domain.ivr.languages import GRAMMARS

LANGUAGE = "language"
"""The attribute of a call that holds the language its caller has chosen."""


class SpeakAs(StrEnum):
    """How a value is said."""

    DIGITS = "digits"
    """One by one: a telephone number, a customer number."""
    NUMBER = "number"
    """A cardinal number: "forty two"; ``-3.5`` is "minus three point five"."""
    MONEY = "money"
    """An amount, ``12.50``, of the currency that the value (``12.50 EUR``) or the flow names."""
    DATE = "date"
    """``2026-11-22``, or a date with a time."""
    TIME = "time"
    """``14:05``, or a date with a time: as it is written, whatever the zone."""
    DURATION = "duration"
    """A number of seconds, as hours, minutes and seconds."""
    MINUTES = "minutes"
    """A number of minutes with its unit: "one minute", "four minutes"."""
    POSITION = "position"
    """A place in line; an ordinal number where the language says it so."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """Part of what is said: the value of an attribute of the call."""

    how: SpeakAs
    attribute: str
    currency: str = ""
    """Of an amount that names none itself."""


Piece = str | Spoken
"""A prompt of the catalogue by its id, or a value."""
Pieces = str | tuple[Piece, ...]
"""What a node says; a single id stands for itself."""


def pieces(said: Pieces) -> tuple[Piece, ...]:
    return (said,) if isinstance(said, str) else said


class Language(Protocol):
    """How a language says values. Ours are in ``languages``; others come as plug-ins (docs/prompts.md)."""

    @property
    def words(self) -> Mapping[str, str]:
        """Every sound it may say, and the text of each. A sound's name begins with the language's code: ``es-21``."""

    def sounds(self) -> frozenset[str]:
        """The names of those."""

    def currencies(self) -> frozenset[str]:
        """The currencies (ISO 4217) it can say."""

    def digits(self, text: str) -> tuple[str, ...]: ...
    def number(self, value: int | Decimal) -> tuple[str, ...]: ...
    def money(self, amount: Decimal, currency: str) -> tuple[str, ...]: ...
    def date(self, value: date) -> tuple[str, ...]: ...
    def time(self, value: time) -> tuple[str, ...]: ...
    def duration(self, value: timedelta) -> tuple[str, ...]: ...
    def minutes(self, value: int) -> tuple[str, ...]: ...
    def position(self, value: int) -> tuple[str, ...]: ...


LANGUAGES: Mapping[str, Language] = GRAMMARS
"""Those whose values we can say."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """One of the center's languages, as a caller hears it."""

    language: Language | None
    """None: nobody knows how its values are said, and they are left out."""
    folder: str = ""
    """What its sounds begin with; empty for the center's own language."""

    def say(self, said: Pieces, attributes: Mapping[str, str]) -> tuple[str, ...]:
        """The sounds that say it. A value that is missing, or is none of its kind, is not said."""
        sounds: list[str] = []
        for piece in pieces(said):
            if isinstance(piece, str):
                sounds.append(piece)
            elif self.language is not None:
                sounds += _READERS[piece.how](self.language, attributes.get(piece.attribute, ""), piece.currency)
        return self.named(sounds)

    def named(self, sounds: "list[str] | tuple[str, ...]") -> tuple[str, ...]:
        """The sounds as the PBX knows them. What callers have recorded (``recorded:...``) is of no language, and none is named twice."""
        return tuple(sound if ":" in sound or "/" in sound else f"{self.folder}{sound}" for sound in sounds)


@dataclass(frozen=True, slots=True)
class Languages:
    """What the center speaks."""

    default: str = "en"
    """For callers who have chosen none, and for agents."""
    spoken: Mapping[str, Language | None] = field(default_factory=lambda: {"en": GRAMMARS["en"]})

    def speaker(self, chosen: str) -> Speaker:
        """Of the chosen language. One that the center does not speak is none: its own is said instead."""
        if chosen == self.default or chosen not in self.spoken:
            return Speaker(self.spoken.get(self.default))
        return Speaker(self.spoken[chosen], f"{chosen}/")


ENGLISH = Languages()


def say(said: Pieces, attributes: Mapping[str, str], languages: Languages = ENGLISH) -> tuple[str, ...]:
    """The sounds that say it in the language of a call with these attributes."""
    return languages.speaker(attributes.get(LANGUAGE, "")).say(said, attributes)


# --- from what is written to what is meant -------------------------------------------------------

_WHOLE = re.compile(r"[0-9]{1,18}")
_DECIMAL = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,6})?")
_AMOUNT = re.compile(r"(-?[0-9]{1,15}(?:\.[0-9]{1,6})?)(?: ([A-Z]{3}))?")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ].*)?", re.DOTALL)
_TIME = re.compile(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}[T ])?([0-9]{2}):([0-9]{2})(?::.*)?(?:[Z+-].*)?", re.DOTALL)


def _digits(language: Language, value: str, currency: str) -> tuple[str, ...]:
    del currency
    return language.digits(value)


def _number(language: Language, value: str, currency: str) -> tuple[str, ...]:
    del currency
    return language.number(Decimal(value)) if _DECIMAL.fullmatch(value) else ()


def _money(language: Language, value: str, currency: str) -> tuple[str, ...]:
    found = _AMOUNT.fullmatch(value)
    return language.money(Decimal(found[1]), found[2] or currency) if found else ()


def _date(language: Language, value: str, currency: str) -> tuple[str, ...]:
    del currency
    found = _DATE.fullmatch(value)
    try:
        return language.date(date(int(found[1]), int(found[2]), int(found[3]))) if found else ()
    except ValueError:
        return ()


def _time(language: Language, value: str, currency: str) -> tuple[str, ...]:
    del currency
    found = _TIME.fullmatch(value)
    try:
        return language.time(time(int(found[1]), int(found[2]))) if found else ()
    except ValueError:
        return ()


def _whole(say_number: Callable[[Language, int], tuple[str, ...]]) -> Callable[[Language, str, str], tuple[str, ...]]:
    """Something of which there is a whole number."""

    def read(language: Language, value: str, currency: str) -> tuple[str, ...]:
        del currency
        return say_number(language, int(value)) if _WHOLE.fullmatch(value) else ()

    return read


_LONGEST = timedelta.max // timedelta(seconds=1)

_READERS: Mapping[SpeakAs, Callable[[Language, str, str], tuple[str, ...]]] = {
    SpeakAs.DIGITS: _digits,
    SpeakAs.NUMBER: _number,
    SpeakAs.MONEY: _money,
    SpeakAs.DATE: _date,
    SpeakAs.TIME: _time,
    SpeakAs.DURATION: _whole(lambda language, seconds: language.duration(timedelta(seconds=seconds)) if seconds <= _LONGEST else ()),
    SpeakAs.MINUTES: _whole(lambda language, minutes: language.minutes(minutes)),
    SpeakAs.POSITION: _whole(lambda language, place: language.position(place)),
}
