"""Thai: เอ็ด for a one at the end, ยี่สิบ for twenty, six places up to a million, years of the Buddhist era."""

from collections.abc import Iterator, Mapping
from datetime import date, time
from typing import ClassVar

from callcenter.domain.ivr.languages.grammar import Grammar, Money, Unit, months, numbered

BUDDHIST_ERA = 543
"""Years ahead of the common era."""
_SIZES = ((100_000, "100000"), (10_000, "10000"), (1_000, "1000"), (100, "100"))


def _unit(key: str) -> Unit:
    return Unit(key, key)


class Thai(Grammar):
    """``ยี่สิบเอ็ด``, ``หนึ่งร้อยเอ็ด`` (as the Royal Society writes it), ``หนึ่งแสน``; ``ที่สาม``."""

    CODE = "th"
    AND = WITH = ()
    WORDS: ClassVar[Mapping[str, str]] = {
        **numbered("ศูนย์ หนึ่ง สอง สาม สี่ ห้า หก เจ็ด แปด เก้า สิบ"),
        "20": "ยี่สิบ",
        "et": "เอ็ด",
        "100": "ร้อย",
        "1000": "พัน",
        "10000": "หมื่น",
        "100000": "แสน",
        "million": "ล้าน",
        "plus": "บวก",
        "star": "ดอกจัน",
        "pound": "สี่เหลี่ยม",
        "minus": "ลบ",
        "point": "จุด",
        "hour": "ชั่วโมง",
        "minute": "นาที",
        "second": "วินาที",
        "oclock": "นาฬิกา",
        "dollar": "ดอลลาร์",
        "cent": "เซ็นต์",
        "euro": "ยูโร",
        "gbp": "ปอนด์",
        "penny": "เพนนี",
        "peso": "เปโซ",
        "centavo": "เซ็นตาโว",
        "yuan": "หยวน",
        "fen": "เฟิน",
        "baht": "บาท",
        "satang": "สตางค์",
        "dong": "ดอง",
        "yen": "เยน",
        "place": "ที่",
        "day": "วันที่",
        "era": "พุทธศักราช",
        **months("มกราคม กุมภาพันธ์ มีนาคม เมษายน พฤษภาคม มิถุนายน กรกฎาคม สิงหาคม กันยายน ตุลาคม พฤศจิกายน ธันวาคม"),
    }
    HOUR, MINUTE, SECOND = _unit("hour"), _unit("minute"), _unit("second")
    MONEY: ClassVar[Mapping[str, Money]] = {
        **dict.fromkeys(("USD", "CAD", "AUD"), Money(_unit("dollar"), _unit("cent"))),
        "EUR": Money(_unit("euro"), _unit("cent")),
        "GBP": Money(_unit("gbp"), _unit("penny")),
        **dict.fromkeys(("MXN", "PHP"), Money(_unit("peso"), _unit("centavo"))),
        "CNY": Money(_unit("yuan"), _unit("fen")),
        "THB": Money(_unit("baht"), _unit("satang")),
        "VND": Money(_unit("dong")),
        "JPY": Money(_unit("yen")),
    }

    def cardinal(self, value: int) -> Iterator[str]:
        millions, rest = divmod(value, 1_000_000)
        if millions:
            yield from self.cardinal(millions)
            yield "million"
            if not rest:
                return
        behind = bool(millions)
        for size, key in _SIZES:
            digit, rest = divmod(rest, size)
            if digit:
                yield from (str(digit), key)
                behind = True
        ten, one = divmod(rest, 10)
        if ten:
            yield from ("10",) if ten == 1 else ("20",) if ten == 2 else (str(ten), "10")
        if one:
            yield "et" if one == 1 and (ten or behind) else str(one)
        elif not (ten or behind):
            yield "0"

    def place(self, value: int) -> Iterator[str]:
        yield "place"
        yield from self.cardinal(value)

    def day(self, value: date) -> Iterator[str]:
        """วันที่ยี่สิบสองพฤศจิกายนพุทธศักราชสองพันห้าร้อยหกสิบเก้า."""
        yield "day"
        yield from self.cardinal(value.day)
        yield from (f"month-{value.month}", "era")
        yield from self.cardinal(value.year + BUDDHIST_ERA)

    def clock(self, value: time) -> Iterator[str]:
        """สิบสี่นาฬิกาสามสิบนาที; the day has 24 hours."""
        yield from self.cardinal(value.hour)
        yield "oclock"
        if value.minute:
            yield from self.counted(value.minute, self.MINUTE)
