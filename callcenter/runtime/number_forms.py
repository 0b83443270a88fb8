"""How one number may be written: as E.164 is what we keep, but rows from before, and other systems, know it otherwise."""

from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberFormat

REMEMBERED = 4096


@lru_cache(REMEMBERED)
def forms(text: str, country: str) -> tuple[str, ...]:
    """E.164 first, then the ways in which a carrier may have given the same number, and the text itself; for what is no number, that alone.

    ``country``: in whose national form numbers may be written (ISO 3166).
    """
    try:
        number = phonenumbers.parse(text[:41], country)
    except phonenumbers.NumberParseException:
        return (text,)
    if not phonenumbers.is_valid_number(number):
        return (text,)
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    found = [e164, e164.removeprefix("+"), f"00{e164.removeprefix('+')}"]
    if phonenumbers.region_code_for_number(number) == country:
        national = phonenumbers.national_significant_number(number)
        home = PhoneMetadata.metadata_for_region(country)
        found += [national, f"{(home.national_prefix if home else None) or ''}{national}"]
    return tuple(dict.fromkeys((*found, text)))
