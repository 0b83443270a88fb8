"""Check digits: whether an entry can be a number of its kind at all, told from its digits alone."""

from collections.abc import Callable, Mapping
from enum import StrEnum


class CheckDigit(StrEnum):
    """What the last digits of an entry must agree with."""

    NONE = "none"
    LUHN = "luhn"
    """ISO/IEC 7812-1 annex B: payment cards, IMEI."""
    MOD11 = "mod11"
    """Weights 2 to 7 from the right, repeated; a check digit of 10 is not given out."""
    MOD97 = "mod97"
    """ISO/IEC 7064 MOD 97-10: the whole number leaves 1."""
    EAN = "ean"
    """GS1: EAN-8, UPC-A, EAN-13, ITF-14; weights 3 and 1 from the right."""


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _mod11(digits: str) -> bool:
    body, check = digits[:-1], int(digits[-1])
    total = sum(int(digit) * (2 + place % 6) for place, digit in enumerate(reversed(body)))
    return (11 - total % 11) % 11 == check


def _mod97(digits: str) -> bool:
    return int(digits) % 97 == 1


def _ean(digits: str) -> bool:
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return len(digits) in (8, 12, 13, 14) and total % 10 == 0


_RULES: Mapping[CheckDigit, Callable[[str], bool]] = {
    CheckDigit.LUHN: _luhn,
    CheckDigit.MOD11: _mod11,
    CheckDigit.MOD97: _mod97,
    CheckDigit.EAN: _ean,
}


def agrees(rule: CheckDigit, digits: str) -> bool:
    """Whether the digits fit the rule; what is not made of at least two digits fits none."""
    if rule is CheckDigit.NONE:
        return True
    return len(digits) >= 2 and digits.isascii() and digits.isdigit() and _RULES[rule](digits)
