"""Numbers said aloud: from a value to the sounds of the catalogue that say it, one after the other.

What a caller pressed, or any other value, only ever chooses among sounds we ship: a character without a sound is
left out, so no input becomes a file name or a dial string. A language is a small class; its sounds bear its name
(``en-7``, ``en-hundred``) and stand in ``sounds/prompts.toml`` under ``[words.LANGUAGE]``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class SpeakAs(StrEnum):
    """How a value is said."""

    DIGITS = "digits"
    """One by one: a telephone number, a customer number."""
    NUMBER = "number"
    """A cardinal number: "forty two"."""
    MINUTES = "minutes"
    """A number of minutes with its unit: "one minute", "four minutes"."""
    POSITION = "position"
    """A place in line."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """Part of what is said: the value of an attribute of the call."""

    how: SpeakAs
    attribute: str


Piece = str | Spoken
"""A prompt of the catalogue by its id, or a value."""
Pieces = str | tuple[Piece, ...]
"""What a node says; a single id stands for itself."""


def pieces(said: Pieces) -> tuple[Piece, ...]:
    return (said,) if isinstance(said, str) else said


class Language(Protocol):
    """How a language puts numbers together. Numbers beyond ``LARGEST`` are said digit by digit."""

    def digits(self, text: str) -> tuple[str, ...]: ...
    def number(self, value: int) -> tuple[str, ...]: ...
    def minutes(self, value: int) -> tuple[str, ...]: ...
    def position(self, value: int) -> tuple[str, ...]: ...
    def sounds(self) -> frozenset[str]:
        """Every sound this language may say."""


LARGEST = 999_999


class English:
    """``two hundred`` ``forty`` ``two``: no "and", as in the United States; a position is said as a cardinal number."""

    SIGNS: Mapping[str, str] = {**{str(digit): f"en-{digit}" for digit in range(10)}, "+": "en-plus", "*": "en-star", "#": "en-pound"}

    def digits(self, text: str) -> tuple[str, ...]:
        return tuple(self.SIGNS[sign] for sign in text if sign in self.SIGNS)

    def number(self, value: int) -> tuple[str, ...]:
        if not 0 <= value <= LARGEST:
            return self.digits(str(value))
        return tuple(self._number(value))

    def _number(self, value: int) -> Iterator[str]:
        thousands, below = divmod(value, 1000)
        if thousands:
            yield from self._number(thousands)
            yield "en-thousand"
        hundreds, rest = divmod(below, 100)
        if hundreds:
            yield from (f"en-{hundreds}", "en-hundred")
        if rest >= 20:
            yield f"en-{rest - rest % 10}"
            rest %= 10
        if rest or not value:
            yield f"en-{rest}"

    def minutes(self, value: int) -> tuple[str, ...]:
        return (*self.number(value), "en-minute" if value == 1 else "en-minutes")

    def position(self, value: int) -> tuple[str, ...]:
        return self.number(value)

    def sounds(self) -> frozenset[str]:
        numbers = {f"en-{number}" for number in (*range(20), *range(20, 100, 10))}
        return frozenset({*numbers, *self.SIGNS.values(), "en-hundred", "en-thousand", "en-minute", "en-minutes"})


LANGUAGES: Mapping[str, Language] = {"en": English()}
DEFAULT_LANGUAGE = "en"


def say(said: Pieces, attributes: Mapping[str, str], language: str = DEFAULT_LANGUAGE) -> tuple[str, ...]:
    """The sounds that say it. A value that is missing, or is no number where one is needed, is not said."""
    speaker = LANGUAGES[language]
    sounds: list[str] = []
    for piece in pieces(said):
        if isinstance(piece, str):
            sounds.append(piece)
        else:
            sounds += _value(piece, attributes.get(piece.attribute, ""), speaker)
    return tuple(sounds)


def _value(piece: Spoken, value: str, speaker: Language) -> tuple[str, ...]:
    if piece.how is SpeakAs.DIGITS:
        return speaker.digits(value)
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        return ()
    say_number = {SpeakAs.NUMBER: speaker.number, SpeakAs.MINUTES: speaker.minutes, SpeakAs.POSITION: speaker.position}[piece.how]
    return say_number(int(value))
