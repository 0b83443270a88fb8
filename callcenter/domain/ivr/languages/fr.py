"""French, as in France: soixante et onze, quatre-vingts, deux cents but deux cent un, mille without s; the day has 24 hours."""

from collections.abc import Iterator, Mapping
from datetime import date, time
from typing import ClassVar

from callcenter.domain.ivr.languages.grammar import Grammar, Money, Unit, months

_UNITS = (
    *("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze", "treize"),
    *("quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf"),
)
_TENS = {20: "vingt", 30: "trente", 40: "quarante", 50: "cinquante", 60: "soixante"}


def _below_100(value: int) -> str:
    if value < 20:
        return _UNITS[value]
    if value >= 80:
        return "quatre-vingts" if value == 80 else f"quatre-vingt-{_UNITS[value - 80]}"
    base = 60 if value >= 60 else value - value % 10
    rest = value - base
    if not rest:
        return _TENS[base]
    return f"{_TENS[base]} et {_UNITS[rest]}" if rest in (1, 11) else f"{_TENS[base]}-{_UNITS[rest]}"


_ONES = (1, 21, 31, 41, 51, 61, 81)
"""What ends in un, and becomes une."""


class French(Grammar):
    """Numbers below a hundred are sounds of their own, because liaisons bind their parts: vingt, vingt-deux."""

    CODE = "fr"
    WORDS: ClassVar[Mapping[str, str]] = {
        **{str(value): _below_100(value) for value in range(100)},
        **{f"{value}-une": f"{_below_100(value)}e" for value in _ONES},
        "80-mille": "quatre-vingt",
        "cent": "cent",
        "cents": "cents",
        "mille": "mille",
        "million": "million",
        "millions": "millions",
        "de": "de",
        "d-euros": "d'euros",
        "et": "et",
        "plus": "plus",
        "star": "étoile",
        "pound": "dièse",
        "minus": "moins",
        "point": "virgule",
        **{word: word for unit in ("heure", "minute", "seconde", "dollar", "euro", "peso", "centavo") for word in (unit, f"{unit}s")},
        **{word: word for unit in ("livre", "penny", "yuan", "baht", "satang", "dong", "yen", "centime") for word in (unit, f"{unit}s")},
        "pennys": "pence",
        "cent-money": "cent",
        "cents-money": "cents",
        "fen": "fen",
        "day-1": "premier",
        **months("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
        "noon": "midi",
        "midnight": "minuit",
    }
    AND = WITH = ("et",)
    HOUR, MINUTE, SECOND = Unit("heure", "heures", True), Unit("minute", "minutes", True), Unit("seconde", "secondes", True)
    MONEY: ClassVar[Mapping[str, Money]] = {
        **dict.fromkeys(("USD", "CAD", "AUD"), Money(Unit("dollar", "dollars"), Unit("cent-money", "cents-money"))),
        **dict.fromkeys(("MXN", "PHP"), Money(Unit("peso", "pesos"), Unit("centavo", "centavos"))),
        "EUR": Money(Unit("euro", "euros"), Unit("centime", "centimes")),
        "GBP": Money(Unit("livre", "livres", True), Unit("penny", "pennys")),
        "CNY": Money(Unit("yuan", "yuans"), Unit("fen", "fen")),
        "THB": Money(Unit("baht", "bahts"), Unit("satang", "satangs")),
        "VND": Money(Unit("dong", "dongs")),
        "JPY": Money(Unit("yen", "yens")),
    }

    def cardinal(self, value: int) -> Iterator[str]:
        return self._number_in(value, feminine=False)

    def counted(self, value: int, unit: Unit) -> Iterator[str]:
        """Zero and one take the singular: zéro minute, une minute."""
        yield from self._number_in(value, unit.feminine)
        millions = value and value % 1_000_000 == 0
        if millions and unit.many == "euros":
            yield "d-euros"
            return
        if millions:
            yield "de"
        yield unit.one if value < 2 else unit.many

    def _number_in(self, value: int, feminine: bool) -> Iterator[str]:
        millions, below = divmod(value, 1_000_000)
        if millions:
            yield from self._below_1000(millions, feminine=False)
            yield "million" if millions == 1 else "millions"
            if not below:
                return
        thousands, rest = divmod(below, 1000)
        if thousands:
            if thousands > 1:
                yield from self._before_mille(thousands)
            yield "mille"
            if not rest:
                return
        yield from self._below_1000(rest, feminine)

    def _below_1000(self, value: int, feminine: bool) -> Iterator[str]:
        hundreds, rest = divmod(value, 100)
        if hundreds > 1:
            yield str(hundreds)
        if hundreds:
            yield "cents" if hundreds > 1 and not rest else "cent"
        if rest or not value:
            yield f"{rest}-une" if feminine and rest in _ONES else str(rest)

    def _before_mille(self, value: int) -> Iterator[str]:
        """Cents and quatre-vingts lose their s: deux cent mille, quatre-vingt mille; a million, a noun, leaves it to them."""
        for key in self._below_1000(value, feminine=False):
            yield {"cents": "cent", "80": "80-mille"}.get(key, key)

    def day(self, value: date) -> Iterator[str]:
        """Vingt-deux novembre deux mille vingt-six; premier janvier."""
        yield "day-1" if value.day == 1 else str(value.day)
        yield f"month-{value.month}"
        yield from self.cardinal(value.year)

    def clock(self, value: time) -> Iterator[str]:
        """Quatorze heures trente; vingt et une heures; midi, minuit."""
        if value.hour in (0, 12):
            yield "noon" if value.hour else "midnight"
        else:
            yield from self.counted(value.hour, self.HOUR)
        if value.minute:
            yield from self._number_in(value.minute, feminine=True)
