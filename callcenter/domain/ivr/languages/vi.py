"""Vietnamese, as in the north: mốt, tư and lăm after tens, linh for a skipped ten, không trăm for skipped hundreds."""

from collections.abc import Iterator, Mapping
from datetime import date, time
from typing import ClassVar

from callcenter.domain.ivr.languages.grammar import Grammar, Money, Unit, numbered


def _unit(key: str) -> Unit:
    return Unit(key, key)


class Vietnamese(Grammar):
    """``hai mươi mốt``, ``một trăm linh năm``, ``hai nghìn không trăm hai mươi sáu``; ``thứ nhất``, ``thứ tư``."""

    CODE = "vi"
    AND, WITH = (), ("and",)
    WORDS: ClassVar[Mapping[str, str]] = {
        **numbered("không một hai ba bốn năm sáu bảy tám chín"),
        "10": "mười",
        "ten": "mươi",
        "mot": "mốt",
        "tu": "tư",
        "lam": "lăm",
        "linh": "linh",
        "hundred": "trăm",
        "thousand": "nghìn",
        "million": "triệu",
        "plus": "cộng",
        "star": "sao",
        "pound": "thăng",
        "minus": "âm",
        "point": "phẩy",
        "and": "và",
        "hour": "giờ",
        "minute": "phút",
        "second": "giây",
        "dollar": "đô la",
        "cent": "xu",
        "euro": "ơ rô",
        "bang": "bảng Anh",
        "penny": "xu",
        "peso": "pê sô",
        "yuan": "nhân dân tệ",
        "baht": "bạt",
        "dong": "đồng",
        "yen": "yên Nhật",
        "day": "ngày",
        "mung": "mùng",
        "month": "tháng",
        "year": "năm",
        "ordinal": "thứ",
        "first": "nhất",
    }
    HOUR, MINUTE, SECOND = _unit("hour"), _unit("minute"), _unit("second")
    MONEY: ClassVar[Mapping[str, Money]] = {
        **dict.fromkeys(("USD", "CAD", "AUD"), Money(_unit("dollar"), _unit("cent"))),
        "EUR": Money(_unit("euro"), _unit("cent")),
        "GBP": Money(_unit("bang"), _unit("penny")),
        **dict.fromkeys(("MXN", "PHP"), Money(_unit("peso"), _unit("cent"))),
        "CNY": Money(_unit("yuan"), _unit("cent")),
        "THB": Money(_unit("baht"), _unit("cent")),
        "VND": Money(_unit("dong")),
        "JPY": Money(_unit("yen")),
    }

    def cardinal(self, value: int) -> Iterator[str]:
        below = False
        for size, word in ((1_000_000, "million"), (1_000, "thousand"), (1, "")):
            group, value = divmod(value, size)
            if group:
                yield from self._group(group, below)
                below = True
                if word:
                    yield word
        if not below:
            yield "0"

    def _group(self, value: int, below: bool) -> Iterator[str]:
        """Three digits; those behind others name their hundreds even when there are none."""
        hundreds, rest = divmod(value, 100)
        if hundreds or below:
            yield from (str(hundreds), "hundred")
        ten, one = divmod(rest, 10)
        if not ten:
            if one and (hundreds or below):
                yield "linh"
            if one:
                yield str(one)
            return
        yield from ("10",) if ten == 1 else (str(ten), "ten")
        if one:
            yield "lam" if one == 5 else {1: "mot", 4: "tu"}.get(one, str(one)) if ten > 1 else str(one)

    def place(self, value: int) -> Iterator[str]:
        """Thứ nhất, thứ hai, thứ tư."""
        yield "ordinal"
        yield from {1: ("first",), 4: ("tu",)}.get(value) or self.cardinal(value)

    def day(self, value: date) -> Iterator[str]:
        """Ngày mùng một tháng tư năm hai nghìn không trăm hai mươi sáu."""
        yield from ("day", "mung") if value.day <= 10 else ("day",)
        yield from self.cardinal(value.day)
        yield "month"
        yield from ("tu",) if value.month == 4 else self.cardinal(value.month)
        yield "year"
        yield from self.cardinal(value.year)

    def clock(self, value: time) -> Iterator[str]:
        """Mười bốn giờ ba mươi phút; the day has 24 hours."""
        yield from self.counted(value.hour, self.HOUR)
        if value.minute:
            yield from self.counted(value.minute, self.MINUTE)
