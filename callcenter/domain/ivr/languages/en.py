"""English, as in the United States: no "and" within numbers, months before days, a.m. and p.m."""

from collections.abc import Iterator, Mapping
from datetime import date, time
from typing import ClassVar

from callcenter.domain.ivr.languages.grammar import Grammar, Money, Unit, months, numbered, tens

_DOLLARS = Money(Unit("dollar", "dollars"), Unit("cent", "cents"))
_PESOS = Money(Unit("peso", "pesos"), Unit("centavo", "centavos"))
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth"
)


class English(Grammar):
    """``two hundred`` ``forty`` ``two``; a place in line is said as a cardinal number."""

    CODE = "en"
    WORDS: ClassVar[Mapping[str, str]] = {
        **numbered("zero one two three four five six seven eight nine ten eleven twelve"),
        **numbered("thirteen fourteen fifteen sixteen seventeen eighteen nineteen", 13),
        **tens("twenty thirty forty fifty sixty seventy eighty ninety"),
        **{word: word for word in ("hundred", "thousand", "million", "plus", "star", "pound", "minus", "point", "and")},
        **{word: word for unit in ("hour", "minute", "second", "dollar", "cent", "euro", "peso", "centavo") for word in (unit, f"{unit}s")},
        **{word: word for word in ("pence", "penny", "yuan", "fen", "dong", "baht", "satang", "yen")},
        "pound-money": "pound",
        "pounds": "pounds",
        **{f"day-{number}": text for number, text in enumerate(_ORDINALS.split(), 1)},
        "day-30": "thirtieth",
        **months("January February March April May June July August September October November December"),
        "oh": "oh",
        "oclock": "o'clock",
        "am": "A M",
        "pm": "P M",
        "noon": "noon",
        "midnight": "midnight",
    }
    HOUR, MINUTE, SECOND = Unit("hour", "hours"), Unit("minute", "minutes"), Unit("second", "seconds")
    MONEY: ClassVar[Mapping[str, Money]] = {
        **dict.fromkeys(("USD", "CAD", "AUD"), _DOLLARS),
        **dict.fromkeys(("MXN", "PHP"), _PESOS),
        "EUR": Money(Unit("euro", "euros"), Unit("cent", "cents")),
        "GBP": Money(Unit("pound-money", "pounds"), Unit("penny", "pence")),
        "CNY": Money(Unit("yuan", "yuan"), Unit("fen", "fen")),
        "THB": Money(Unit("baht", "baht"), Unit("satang", "satang")),
        "VND": Money(Unit("dong", "dong")),
        "JPY": Money(Unit("yen", "yen")),
    }

    def cardinal(self, value: int) -> Iterator[str]:
        for size, word in ((1_000_000, "million"), (1_000, "thousand")):
            if value >= size:
                yield from self.cardinal(value // size)
                yield word
                value %= size
                if not value:
                    return
        hundreds, rest = divmod(value, 100)
        if hundreds:
            yield from (str(hundreds), "hundred")
        if rest or not value:
            yield from self._below_100(rest)

    def _below_100(self, value: int) -> Iterator[str]:
        if value >= 20:
            yield str(value - value % 10)
            value %= 10
            if not value:
                return
        yield str(value)

    def day(self, value: date) -> Iterator[str]:
        """November twenty second, twenty twenty six."""
        yield f"month-{value.month}"
        if value.day > 20 and value.day % 10:
            yield str(value.day - value.day % 10)
            yield f"day-{value.day % 10}"
        else:
            yield f"day-{value.day}"
        yield from self._year(value.year)

    def _year(self, year: int) -> Iterator[str]:
        """By hundreds: nineteen oh five; but two thousand five."""
        hundreds, rest = divmod(year, 100)
        if hundreds < 10 or (hundreds % 10 == 0 and rest < 10):
            yield from self.cardinal(year)
            return
        yield from self._below_100(hundreds)
        if not rest:
            yield "hundred"
            return
        if rest < 10:
            yield "oh"
        yield from self._below_100(rest)

    def clock(self, value: time) -> Iterator[str]:
        """Two oh five P M; twelve o'clock sharp is noon or midnight."""
        if value.minute == 0 and value.hour % 12 == 0:
            yield "noon" if value.hour else "midnight"
            return
        yield str((value.hour - 1) % 12 + 1)
        if value.minute == 0:
            yield "oclock"
        elif value.minute < 10:
            yield "oh"
        if value.minute:
            yield from self._below_100(value.minute)
        yield "pm" if value.hour >= 12 else "am"
