"""Spanish: uno, un and una; cien and ciento; hundreds and twenty-ones that agree with what is counted."""

from collections.abc import Iterator, Mapping
from datetime import date, time
from enum import Enum
from typing import ClassVar

from callcenter.domain.ivr.languages.grammar import Grammar, Money, Unit, months, numbered


class _Form(Enum):
    """How a number that ends in one, and its hundreds, agree."""

    ALONE = "uno"
    MASCULINE = "un"
    FEMININE = "una"


_TENS = ["treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa"]
_HUNDREDS = ["doscientos", "trescientos", "cuatrocientos", "quinientos", "seiscientos", "setecientos", "ochocientos", "novecientos"]
_SUFFIX = {_Form.ALONE: "", _Form.MASCULINE: "-un", _Form.FEMININE: "-una"}


class Spanish(Grammar):
    """``veintiuno``, ``veintiún minutos``, ``veintiuna horas``; ``doscientas libras``; ``un millón de dólares``."""

    CODE = "es"
    WORDS: ClassVar[Mapping[str, str]] = {
        **numbered("cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete"),
        **numbered("dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete", 18),
        **numbered("veintiocho veintinueve", 28),
        "1-un": "un",
        "1-una": "una",
        "21-un": "veintiún",
        "21-una": "veintiuna",
        **{str(30 + 10 * index): text for index, text in enumerate(_TENS)},
        **{f"{30 + 10 * index}-y": f"{text} y" for index, text in enumerate(_TENS)},
        "cien": "cien",
        "ciento": "ciento",
        **{str(200 + 100 * index): text for index, text in enumerate(_HUNDREDS)},
        **{f"{200 + 100 * index}-una": f"{text[:-2]}as" for index, text in enumerate(_HUNDREDS)},
        "mil": "mil",
        "millon": "millón",
        "millones": "millones",
        "de": "de",
        "y": "y",
        "con": "con",
        "plus": "más",
        "star": "asterisco",
        "pound": "numeral",
        "minus": "menos",
        "point": "punto",
        **{word: word for unit in ("hora", "minuto", "segundo", "euro", "peso", "centavo", "libra") for word in (unit, f"{unit}s")},
        **{word: word for word in ("penique", "peniques", "yuan", "yuanes", "fen", "dong", "baht", "satang", "yen", "yenes")},
        "dolar": "dólar",
        "dolares": "dólares",
        "centimo": "céntimo",
        "centimos": "céntimos",
        "day-1": "primero",
        **months("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),
        "la": "la",
        "las": "las",
        "noon": "mediodía",
        "midnight": "medianoche",
        "dawn": "de la madrugada",
        "morning": "de la mañana",
        "afternoon": "de la tarde",
        "night": "de la noche",
    }
    AND, WITH = ("y",), ("con",)
    HOUR, MINUTE, SECOND = Unit("hora", "horas", True), Unit("minuto", "minutos"), Unit("segundo", "segundos")
    MONEY: ClassVar[Mapping[str, Money]] = {
        **dict.fromkeys(("USD", "CAD", "AUD"), Money(Unit("dolar", "dolares"), Unit("centavo", "centavos"))),
        **dict.fromkeys(("MXN", "PHP"), Money(Unit("peso", "pesos"), Unit("centavo", "centavos"))),
        "EUR": Money(Unit("euro", "euros"), Unit("centimo", "centimos")),
        "GBP": Money(Unit("libra", "libras", True), Unit("penique", "peniques")),
        "CNY": Money(Unit("yuan", "yuanes"), Unit("fen", "fen")),
        "THB": Money(Unit("baht", "baht"), Unit("satang", "satang")),
        "VND": Money(Unit("dong", "dong")),
        "JPY": Money(Unit("yen", "yenes")),
    }

    def cardinal(self, value: int) -> Iterator[str]:
        return self._number_in(value, _Form.ALONE)

    def counted(self, value: int, unit: Unit) -> Iterator[str]:
        yield from self._number_in(value, _Form.FEMININE if unit.feminine else _Form.MASCULINE)
        if value and value % 1_000_000 == 0:
            yield "de"
        yield unit.one if value == 1 else unit.many

    def _number_in(self, value: int, form: _Form) -> Iterator[str]:
        millions, below = divmod(value, 1_000_000)
        if millions:
            yield from self._number_in(millions, _Form.MASCULINE)
            yield "millon" if millions == 1 else "millones"
            if not below:
                return
        thousands, rest = divmod(below, 1000)
        if thousands:
            if thousands > 1:
                yield from self._below_1000(thousands, _Form.FEMININE if form is _Form.FEMININE else _Form.MASCULINE, before_mil=True)
            yield "mil"
            if not rest:
                return
        yield from self._below_1000(rest, form)

    def _below_1000(self, value: int, form: _Form, before_mil: bool = False) -> Iterator[str]:
        """Before "mil" the hundreds agree with the noun, and a one at the end is short: doscientas veintiún mil libras."""
        hundreds, rest = divmod(value, 100)
        if hundreds == 1:
            yield "ciento" if rest else "cien"
        elif hundreds:
            yield f"{100 * hundreds}-una" if form is _Form.FEMININE else f"{100 * hundreds}"
        if rest or not value:
            yield from self._below_100(rest, _Form.MASCULINE if before_mil else form)

    def _below_100(self, value: int, form: _Form) -> Iterator[str]:
        if value >= 30:
            if value % 10 == 0:
                yield str(value)
                return
            yield f"{value - value % 10}-y"
            value %= 10
        yield f"{value}{_SUFFIX[form]}" if value in (1, 21) else str(value)

    def day(self, value: date) -> Iterator[str]:
        """Veintidós de noviembre de dos mil veintiséis; primero de enero."""
        if value.day == 1:
            yield "day-1"
        else:
            yield from self.cardinal(value.day)
        yield from ("de", f"month-{value.month}", "de")
        yield from self.cardinal(value.year)

    def clock(self, value: time) -> Iterator[str]:
        """La una y quince de la tarde; las doce sharp is mediodía or medianoche."""
        if value.minute == 0 and value.hour % 12 == 0:
            yield "noon" if value.hour else "midnight"
            return
        hour = (value.hour - 1) % 12 + 1
        yield from ("la", "1-una") if hour == 1 else ("las", str(hour))
        if value.minute:
            yield "y"
            yield from self.cardinal(value.minute)
        yield _part_of_day(value.hour)


def _part_of_day(hour: int) -> str:
    if 1 <= hour < 6:
        return "dawn"
    return "morning" if 6 <= hour < 12 else "afternoon" if 12 <= hour < 20 else "night"
