"""Filipino: numbers are linked to what they count with -ng or na, and to a one behind tens with 't."""

from collections.abc import Iterator, Mapping
from datetime import date, time
from typing import ClassVar

from callcenter.domain.ivr.languages.grammar import Grammar, Money, Unit, months

_TEXTS = (
    "sero isa dalawa tatlo apat lima anim pito walo siyam sampu labing-isa labindalawa labintatlo labing-apat labinlima "
    "labing-anim labimpito labingwalo labinsiyam"
)
_TENS = "dalawampu tatlumpu apatnapu limampu animnapu pitumpu walumpu siyamnapu"
_HOURS = "alas-dose ala-una alas-dos alas-tres alas-kuwatro alas-singko alas-sais alas-siyete alas-otso alas-nuwebe alas-diyes alas-onse"
_PLAIN = {
    **{str(number): text for number, text in enumerate(_TEXTS.split())},
    **{str(20 + 10 * index): text for index, text in enumerate(_TENS.split())},
    "hundred": "daan",
    "thousand": "libo",
    "million": "milyon",
}
LINKED = "-ng"
"""Behind a key: the word with its linker."""


def linked(word: str) -> str:
    """The linker: -ng after a vowel, -g after n, na after any other consonant."""
    if word[-1] in "aeiou":
        return f"{word}ng"
    return f"{word}g" if word.endswith("n") else f"{word} na"


def _unit(key: str) -> Unit:
    return Unit(key, key)


class Filipino(Grammar):
    """``dalawampu't isa``, ``limang minuto``, ``apat na raan``, ``isang libo at dalawang daan``; ``ikatlo``."""

    CODE = "fil"
    WORDS: ClassVar[Mapping[str, str]] = {
        **_PLAIN,
        **{f"{key}{LINKED}": linked(text) for key, text in _PLAIN.items()},
        **{f"{20 + 10 * index}-t": f"{text}'t" for index, text in enumerate(_TENS.split())},
        "raan": "raan",
        "raan-ng": "raang",
        "and": "at",
        "ng": "ng",
        "plus": "plus",
        "star": "asterisk",
        "pound": "pound",
        "minus": "negatibo",
        "point": "punto",
        "hour": "oras",
        "minute": "minuto",
        "second": "segundo",
        "dollar": "dolyar",
        "cent": "sentimo",
        "euro": "euro",
        "libra": "libra",
        "penny": "pence",
        "peso": "piso",
        "yuan": "yuan",
        "fen": "fen",
        "baht": "baht",
        "satang": "satang",
        "dong": "dong",
        "yen": "yen",
        "first": "una",
        "ika": "ika",
        "ika-2": "ikalawa",
        "ika-3": "ikatlo",
        **months("Enero Pebrero Marso Abril Mayo Hunyo Hulyo Agosto Setyembre Oktubre Nobyembre Disyembre"),
        **{f"oclock-{number}": text for number, text in enumerate(_HOURS.split())},
        "dawn": "ng madaling araw",
        "morning": "ng umaga",
        "noon": "ng tanghali",
        "afternoon": "ng hapon",
        "evening": "ng gabi",
        "midnight": "ng hatinggabi",
    }
    HOUR, MINUTE, SECOND = _unit("hour"), _unit("minute"), _unit("second")
    MONEY: ClassVar[Mapping[str, Money]] = {
        **dict.fromkeys(("USD", "CAD", "AUD"), Money(_unit("dollar"), _unit("cent"))),
        "EUR": Money(_unit("euro"), _unit("cent")),
        "GBP": Money(_unit("libra"), _unit("penny")),
        **dict.fromkeys(("MXN", "PHP"), Money(_unit("peso"), _unit("cent"))),
        "CNY": Money(_unit("yuan"), _unit("fen")),
        "THB": Money(_unit("baht"), _unit("satang")),
        "VND": Money(_unit("dong")),
        "JPY": Money(_unit("yen")),
    }

    def cardinal(self, value: int) -> Iterator[str]:
        groups: list[list[str]] = []
        for size, word in ((1_000_000, "million"), (1_000, "thousand")):
            group, value = divmod(value, size)
            if group:
                groups.append([*_link(list(self.cardinal(group))), word])
        hundreds, rest = divmod(value, 100)
        if hundreds:
            groups.append([f"{hundreds}{LINKED}", "raan" if hundreds in (4, 6, 9) else "hundred"])
        if rest or not groups:
            groups.append(_below_100(rest))
        for index, keys in enumerate(groups):
            if index and index == len(groups) - 1:
                yield "and"
            yield from keys

    def counted(self, value: int, unit: Unit) -> Iterator[str]:
        yield from _link(list(self.cardinal(value)))
        yield unit.one

    def place(self, value: int) -> Iterator[str]:
        """Una, ikalawa, ikatlo, ika-apat."""
        return iter(("first",)) if value == 1 else self._ordinal(value)

    def _ordinal(self, value: int) -> Iterator[str]:
        if value in (2, 3):
            yield f"ika-{value}"
            return
        yield "ika"
        yield from self.cardinal(value)

    def day(self, value: date) -> Iterator[str]:
        """Ika-dalawampu't dalawa ng Nobyembre, dalawang libo at dalawampu't anim."""
        yield from self._ordinal(value.day)
        yield from ("ng", f"month-{value.month}")
        yield from self.cardinal(value.year)

    def clock(self, value: time) -> Iterator[str]:
        """Alas-dos at tatlumpung minuto ng hapon."""
        yield f"oclock-{value.hour % 12}"
        if value.minute:
            yield "and"
            yield from self.counted(value.minute, self.MINUTE)
        yield _part_of_day(value.hour)


def _below_100(value: int) -> list[str]:
    one = value % 10
    return [f"{value - one}-t", str(one)] if value > 20 and one else [str(value)]


def _link(keys: list[str]) -> list[str]:
    return [*keys[:-1], f"{keys[-1]}{LINKED}"]


def _part_of_day(hour: int) -> str:
    for end, key in ((1, "midnight"), (5, "dawn"), (12, "morning"), (13, "noon"), (18, "afternoon")):
        if hour < end:
            return key
    return "evening"
