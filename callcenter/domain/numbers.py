"""Which numbers we may dial, as the core asks for it. The rules need tables of the world's numbers and live at the edge."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class NumberRefusal(StrEnum):
    """Why a number is not dialed."""

    WITHHELD = "withheld"
    INVALID = "invalid"
    PREMIUM = "premium"
    EMERGENCY = "emergency"
    OURS = "ours"
    COUNTRY = "country"
    """In a country that we do not call."""
    DO_NOT_CALL = "do_not_call"


@dataclass(frozen=True, slots=True)
class CheckedNumber:
    """``number`` is E.164, even when it is refused, as far as it could be read."""

    number: str
    refusal: NumberRefusal | None = None
    sentence: str = ""
    """Why it is refused, for people."""
    zones: tuple[str, ...] = ()
    """Time zones in which whoever has the number may be, as far as the number tells; none: it tells nothing."""

    @property
    def may_be_dialed(self) -> bool:
        return self.refusal is None


NumberRules = Callable[[str], CheckedNumber]
"""From what a caller or a person gave us to a number we may dial, or why not. The same text always gives the same answer."""

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def any_e164(text: str) -> CheckedNumber:
    """The rules where none were given: whatever has the form of E.164."""
    if not text:
        return CheckedNumber("", NumberRefusal.WITHHELD, "there is no number")
    if not _E164.fullmatch(text):
        return CheckedNumber("", NumberRefusal.INVALID, f"{text!r} is not a telephone number with plus sign and country code")
    return CheckedNumber(text)
