"""Which numbers we may dial (``domain.numbers.NumberRules``), by the tables of libphonenumber and what the center decided."""

from collections.abc import Collection, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from re import Pattern
from re import compile as pattern
from zoneinfo import available_timezones

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumber, PhoneNumberFormat, PhoneNumberType, shortnumberinfo, timezone

from callcenter.domain.numbers import CheckedNumber, NumberRefusal

MOST_CHARACTERS = 40
REMEMBERED = 4096
"""Answers kept; reading a number costs tens of microseconds."""

_WRITTEN = pattern(r"\+?[0-9 ()./-]+")
"""What people write numbers with. Letters, pauses, extensions and other scripts' digits are no number to dial."""
_NEVER = r"(?!)"
_INTERNATIONAL = pattern(r"\+([1-9][0-9]{6,14})")
_COSTS_THEM = frozenset({PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST})


class DialingRules:
    """Callable: a text to the number that it means, or why it is not dialed."""

    def __init__(
        self,
        country: str,
        countries: Collection[str] = (),
        ours: Collection[str] = (),
        emergency: Collection[str] = (),
        do_not_call: Collection[str] = (),
    ) -> None:
        """``country``: in whose national form numbers may be written. ``countries``: where we call; empty: there only.
        ``ours`` and ``do_not_call`` are E.164, ``emergency`` as it is dialed."""
        self._country = country
        self._countries = frozenset(countries) or frozenset({country})
        self._ours = frozenset(ours)
        self._emergency = frozenset(emergency)
        self._do_not_call = frozenset(do_not_call)
        self._remembered = lru_cache(REMEMBERED)(self._check)

    def __call__(self, text: str) -> CheckedNumber:
        return self._remembered(text[: MOST_CHARACTERS + 1])

    def e164(self, text: str) -> str:
        """The number as ``__call__`` reads it; what is no number stays as it is. What is in E.164 already costs next to nothing."""
        international = _INTERNATIONAL.fullmatch(text)
        if international is not None and not _may_hold_a_prefix(international[1]):
            return text
        return self(text).number or text

    def _check(self, text: str) -> CheckedNumber:
        text = text.strip()
        if not text:
            return CheckedNumber("", NumberRefusal.WITHHELD, "there is no number")
        if self._is_emergency(text):
            return CheckedNumber("", NumberRefusal.EMERGENCY, f"{text} is an emergency number")
        number = self._read(text)
        if number is None or not phonenumbers.is_valid_number(number):
            return CheckedNumber("", NumberRefusal.INVALID, f"{text!r} is not a valid telephone number")
        e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
        refused = self._refusal(e164, number)
        return CheckedNumber(e164, *refused) if refused else CheckedNumber(e164, zones=_zones(number))

    def _read(self, text: str) -> PhoneNumber | None:
        if len(text) > MOST_CHARACTERS or not _WRITTEN.fullmatch(text):
            return None
        try:
            return phonenumbers.parse(text, self._country)
        except phonenumbers.NumberParseException:
            return None

    def _is_emergency(self, text: str) -> bool:
        if text.startswith("+"):
            return False  # with a country code before it, 911 is no call for help but the beginning of a number in Asia
        digits = "".join(character for character in text if character in "0123456789")
        return digits in self._emergency or any(
            shortnumberinfo.connects_to_emergency_number(digits, country) for country in {self._country, *self._countries}
        )

    def _refusal(self, e164: str, number: PhoneNumber) -> tuple[NumberRefusal, str] | None:
        if e164 in self._ours:
            return NumberRefusal.OURS, f"{e164} is a number of our own"
        if phonenumbers.number_type(number) in _COSTS_THEM:
            return NumberRefusal.PREMIUM, f"{e164} is a premium-rate number"
        country = phonenumbers.region_code_for_number(number)
        if country not in self._countries:
            allowed = ", ".join(sorted(self._countries))
            return NumberRefusal.COUNTRY, f"{e164} is in {country or 'no country'}, where we do not call; calling.countries: {allowed}"
        if e164 in self._do_not_call:
            return NumberRefusal.DO_NOT_CALL, f"{e164} is on the do-not-call list"
        return None


def _zones(number: PhoneNumber) -> tuple[str, ...]:
    """As far as the number itself tells: by its area, or all zones of its country."""
    return tuple(zone for zone in timezone.time_zones_for_number(number) if zone in _known_zones())


@cache
def _known_zones() -> frozenset[str]:
    """Those of the machine's tables; to look through their folder takes milliseconds."""
    return frozenset(available_timezones())


def _may_hold_a_prefix(digits: str) -> bool:
    """Whether the digits that dial a trunk within the country follow the country's code, as in +44 0 20: E.164 has none of them."""
    for length in (1, 2, 3):
        prefix = _prefixes().get(digits[:length])
        if prefix is not None:
            return prefix.match(digits, length) is not None
    return True


@cache
def _prefixes() -> Mapping[str, Pattern[str]]:
    """By country code: what may be dialed before a number within the country."""
    found = {}
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, regions[0])
        prefix = metadata.national_prefix_for_parsing if metadata is not None else None
        found[str(code)] = pattern(prefix or _NEVER)
    return found


def read_list(path: Path) -> Iterator[tuple[int, str]]:
    """The numbers of a list, one on a line, with their line numbers; what follows a ``#`` is a remark. Raises OSError, UnicodeError."""
    for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if written := text.partition("#")[0].strip():
            yield line, written
