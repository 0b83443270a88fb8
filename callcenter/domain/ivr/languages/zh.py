"""Mandarin Chinese: numbers by ten thousands, 零 for what is skipped, 两 for two of something."""

from collections.abc import Iterator, Mapping
from datetime import date, time
from typing import ClassVar

from callcenter.domain.ivr.languages.grammar import Grammar, Money, Unit, numbered

_SIZES = ((1000, "qian"), (100, "bai"), (10, "shi"), (1, ""))
LIANG = "liang"


def _unit(key: str) -> Unit:
    return Unit(key, key)


class Chinese(Grammar):
    """``一千零一十``, ``十万零五百``; ``两千``, ``两分钟`` but ``二十二``; ``第三位``."""

    CODE = "zh"
    AND = WITH = ()
    WORDS: ClassVar[Mapping[str, str]] = {
        **numbered("零 一 二 三 四 五 六 七 八 九"),
        LIANG: "两",
        "shi": "十",
        "bai": "百",
        "qian": "千",
        "wan": "万",
        "yi": "亿",
        "plus": "加",
        "star": "星号",
        "pound": "井号",
        "minus": "负",
        "point": "点",
        "hour": "小时",
        "minute": "分钟",
        "second": "秒",
        "usd": "美元",
        "us-cent": "美分",
        "cad": "加元",
        "aud": "澳元",
        "eur": "欧元",
        "eur-cent": "欧分",
        "gbp": "英镑",
        "penny": "便士",
        "peso": "比索",
        "cent": "分",
        "yuan": "元",
        "jiao": "角",
        "thb": "泰铢",
        "satang": "萨当",
        "vnd": "越南盾",
        "jpy": "日元",
        "place": "第",
        "wei": "位",
        "year": "年",
        "month": "月",
        "day": "日",
        "oclock": "点",
        "clock-minute": "分",
        "sharp": "整",
        "dawn": "凌晨",
        "morning": "上午",
        "noon": "中午",
        "afternoon": "下午",
        "evening": "晚上",
    }
    HOUR, MINUTE, SECOND = _unit("hour"), _unit("minute"), _unit("second")
    MONEY: ClassVar[Mapping[str, Money]] = {
        "USD": Money(_unit("usd"), _unit("us-cent")),
        "CAD": Money(_unit("cad"), _unit("cent")),
        "AUD": Money(_unit("aud"), _unit("cent")),
        "EUR": Money(_unit("eur"), _unit("eur-cent")),
        "GBP": Money(_unit("gbp"), _unit("penny")),
        **dict.fromkeys(("MXN", "PHP"), Money(_unit("peso"), _unit("cent"))),
        "CNY": Money(_unit("yuan"), _unit("cent")),
        "THB": Money(_unit("thb"), _unit("satang")),
        "VND": Money(_unit("vnd")),
        "JPY": Money(_unit("jpy")),
    }

    def cardinal(self, value: int) -> Iterator[str]:
        keys: list[str] = []
        skipped = False
        for size, word in ((100_000_000, "yi"), (10_000, "wan"), (1, "")):
            section, value = divmod(value, size)
            if not section:
                skipped = bool(keys)
                continue
            if keys and (section < 1000 or skipped):  # once, however many digits are skipped
                keys.append("0")
            keys += (LIANG,) if section == 2 and word else self._section(section, first=not keys)
            keys += [word] if word else []
        return iter(keys or ["0"])

    def _section(self, value: int, first: bool) -> Iterator[str]:
        """Below ten thousand. 十二 at the beginning, 一十二 behind something; a leading two is 两 before 百 and above."""
        begun = skipped = False
        for size, word in _SIZES:
            digit, value = divmod(value, size)
            if not digit:
                skipped = begun
                continue
            if skipped:
                yield "0"
            if not (size == 10 and digit == 1 and first and not begun):
                yield LIANG if digit == 2 and first and not begun and size >= 100 else str(digit)
            if word:
                yield word
            begun, skipped = True, False

    def counted(self, value: int, unit: Unit) -> Iterator[str]:
        yield from (LIANG,) if value == 2 else self.cardinal(value)
        yield unit.one

    def _between(self, whole: int, part: int) -> tuple[str, ...]:
        """十二美元零五美分."""
        return ("0",) if whole and part < 10 else ()

    def _parts(self, part: int, money: Money) -> Iterator[str]:
        """The yuan has tenths and hundredths: 五角五分."""
        if money.whole.one != "yuan":
            yield from super()._parts(part, money)
            return
        jiao, fen = divmod(part, 10)
        for count, key in ((jiao, "jiao"), (fen, "cent")):
            if count:
                yield from self.counted(count, _unit(key))

    def place(self, value: int) -> Iterator[str]:
        yield "place"
        yield from self.cardinal(value)
        yield "wei"

    def day(self, value: date) -> Iterator[str]:
        """二零二六年十一月二十二日."""
        yield from (*str(value.year), "year")
        yield from self.cardinal(value.month)
        yield "month"
        yield from self.cardinal(value.day)
        yield "day"

    def clock(self, value: time) -> Iterator[str]:
        """下午两点零五分, 上午九点整."""
        yield _part_of_day(value.hour)
        hour = value.hour if value.hour <= 12 else value.hour - 12
        yield from (LIANG,) if hour == 2 else self.cardinal(hour)
        yield "oclock"
        if not value.minute:
            yield "sharp"
            return
        if value.minute < 10:
            yield "0"
        yield from self.cardinal(value.minute)
        yield "clock-minute"


def _part_of_day(hour: int) -> str:
    for end, key in ((6, "dawn"), (12, "morning"), (13, "noon"), (18, "afternoon")):
        if hour < end:
            return key
    return "evening"
