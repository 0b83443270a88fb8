"""What the languages share: words under short keys, and values put together from them.

A language is a class that knows its words and how they are put together. Its words are sounds of the catalogue, each of which
bears the language's code and the word's key: ``es-21``, ``fr-heures``. A rule yields keys; only here they become sounds.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from typing import ClassVar

LARGEST = 999_999_999
"""Numbers beyond it are said digit by digit."""
MINUS, POINT = "minus", "point"


@dataclass(frozen=True, slots=True)
class Unit:
    """What is counted: the keys of its word after one, and after any other number."""

    one: str
    many: str
    feminine: bool = False


@dataclass(frozen=True, slots=True)
class Money:
    """A currency's two units."""

    whole: Unit
    part: Unit | None = None
    """The hundredth; None: there is none, or nobody says it."""


class Grammar:
    """One language: its words, and the rules to put them together."""

    CODE: ClassVar[str]
    WORDS: ClassVar[Mapping[str, str]]
    """From key to what is spoken."""
    HOUR: ClassVar[Unit]
    MINUTE: ClassVar[Unit]
    SECOND: ClassVar[Unit]
    MONEY: ClassVar[Mapping[str, Money]]
    """By the currency's code of three letters (ISO 4217)."""
    AND: ClassVar[tuple[str, ...]] = ("and",)
    """Between the last two parts of a duration; in some languages nothing."""
    WITH: ClassVar[tuple[str, ...]] = ("and",)
    """Between dollars and cents."""
    SIGNS: ClassVar[Mapping[str, str]] = {**{str(digit): str(digit) for digit in range(10)}, "+": "plus", "*": "star", "#": "pound"}
    """What is said for a character of a telephone number."""

    # --- what a language knows by itself ----------------------------------------------------------

    def cardinal(self, value: int) -> Iterator[str]:
        """The number standing alone, 0 to LARGEST."""
        raise NotImplementedError

    def counted(self, value: int, unit: Unit) -> Iterator[str]:
        """So many of something."""
        yield from self.cardinal(value)
        yield unit.one if value == 1 else unit.many

    def place(self, value: int) -> Iterator[str]:
        """A place in line."""
        return self.cardinal(value)

    def day(self, value: date) -> Iterator[str]:
        raise NotImplementedError

    def clock(self, value: time) -> Iterator[str]:
        raise NotImplementedError

    # --- what is asked of it ------------------------------------------------------------------------

    @property
    def words(self) -> Mapping[str, str]:
        """Every sound this language may say, and its text."""
        return {self._sound(key): text for key, text in self.WORDS.items()}

    def sounds(self) -> frozenset[str]:
        """Every sound this language may say."""
        return frozenset(self.words)

    def currencies(self) -> frozenset[str]:
        """The currencies it has words for."""
        return frozenset(self.MONEY)

    def digits(self, text: str) -> tuple[str, ...]:
        return self._sounds(self.SIGNS[sign] for sign in text if sign in self.SIGNS)

    def number(self, value: int | Decimal) -> tuple[str, ...]:
        return self._sounds(self._number(value))

    def minutes(self, value: int) -> tuple[str, ...]:
        return self._sounds(self._counted(value, self.MINUTE))

    def position(self, value: int) -> tuple[str, ...]:
        return self._sounds(self.place(value)) if 0 < value <= LARGEST else self.number(value)

    def money(self, amount: Decimal, currency: str) -> tuple[str, ...]:
        """``12.50`` of ``USD``. What has a smaller unit is rounded to hundredths, the rest to whole ones."""
        return self._sounds(self._money(amount, self.MONEY[currency])) if currency in self.MONEY else ()

    def date(self, value: date) -> tuple[str, ...]:
        return self._sounds(self.day(value))

    def time(self, value: time) -> tuple[str, ...]:
        """The time of day, to the minute."""
        return self._sounds(self.clock(value))

    def duration(self, value: timedelta) -> tuple[str, ...]:
        """Hours, minutes and seconds; what is zero is left out."""
        return self._sounds(self._duration(value))

    # --- how ----------------------------------------------------------------------------------------

    def _sound(self, key: str) -> str:
        return f"{self.CODE}-{key}"

    def _sounds(self, keys: Iterable[str]) -> tuple[str, ...]:
        return tuple(map(self._sound, keys))

    def _number(self, value: int | Decimal) -> Iterator[str]:
        whole, _, fraction = f"{abs(Decimal(value)):f}".partition(".")
        if value < 0:
            yield MINUS
        yield from self.cardinal(int(whole)) if int(whole) <= LARGEST else whole
        if fraction:
            yield POINT
            yield from fraction

    def _counted(self, value: int, unit: Unit) -> Iterator[str]:
        if 0 <= value <= LARGEST:
            yield from self.counted(value, unit)
        else:
            yield from self._number(value)
            yield unit.many

    def _money(self, amount: Decimal, money: Money) -> Iterator[str]:
        rounded = abs(amount).quantize(Decimal("0.01") if money.part else Decimal(1))
        whole, part = divmod(int(rounded * 100), 100)
        if amount < 0 and rounded:
            yield MINUS
        if whole or not part:
            yield from self._counted(whole, money.whole)
        if part and money.part is not None:
            yield from self._between(whole, part)
            yield from self._parts(part, money)

    def _between(self, whole: int, part: int) -> tuple[str, ...]:
        """What is said between dollars and cents."""
        del part
        return self.WITH if whole else ()

    def _parts(self, part: int, money: Money) -> Iterator[str]:
        """The hundredths."""
        assert money.part is not None
        return self.counted(part, money.part)

    def _duration(self, value: timedelta) -> Iterator[str]:
        minutes, seconds = divmod(max(0, value // timedelta(seconds=1)), 60)
        hours, minutes = divmod(minutes, 60)
        parts = [(count, unit) for count, unit in ((hours, self.HOUR), (minutes, self.MINUTE), (seconds, self.SECOND)) if count]
        for index, (count, unit) in enumerate(parts or [(0, self.SECOND)]):
            if index and index == len(parts) - 1:
                yield from self.AND
            yield from self._counted(count, unit)


def numbered(texts: str, first: int = 0) -> dict[str, str]:
    """Words of consecutive numbers, separated by blanks: ``zero one two`` under ``0``, ``1``, ``2``."""
    return {str(number): text for number, text in enumerate(texts.split(), first)}


def tens(texts: str, first: int = 20) -> dict[str, str]:
    """Words of consecutive tens: ``twenty thirty`` under ``20``, ``30``."""
    return {str(first + 10 * index): text for index, text in enumerate(texts.split())}


def months(texts: str) -> dict[str, str]:
    """January to December under ``month-1`` to ``month-12``."""
    return {f"month-{number}": text for number, text in enumerate(texts.split(), 1)}
