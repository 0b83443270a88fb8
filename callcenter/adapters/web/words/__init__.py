"""Words for screens: texts from outside made harmless to look at, dates by the clock of a zone.

The words of the screens themselves, in each language, are in ``catalogue.py`` and ``<language>/<area>.toml``.
"""

import re
import unicodedata
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LONGEST = 80
UNKNOWN = "–"


def shown(text: object) -> str:
    """Text from outside, on one line: control characters as symbols, what turns or hides text as a replacement sign."""
    if not isinstance(text, str):
        return ""
    seen = visible(text[: LONGEST + 1])
    return seen if len(seen) <= LONGEST else f"{seen[: LONGEST - 1]}…"


def visible(text: str) -> str:
    """The same of a text of any length: nothing in it steers a screen or a terminal, turns what stands around it, or hides."""
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return "\ufffd"
    return character


def date(text: object, zone: object) -> str:
    """Such as ``Mon 2026-11-23 09:00``, by the clock of the zone; nobody knows: a dash."""
    if not isinstance(text, str) or not isinstance(zone, str):
        return UNKNOWN
    try:
        return datetime.fromisoformat(text).astimezone(ZoneInfo(zone)).strftime("%a %Y-%m-%d %H:%M")
    except (ValueError, ZoneInfoNotFoundError):
        return UNKNOWN


_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
"""What a browser calls itself, the most telling first: each of them names those before it, too."""
_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Macintosh", "Linux")


def browser(text: object) -> str:
    """What a User-Agent header tells people: ``Firefox 140, Linux``; else the header as it is."""
    agent = shown(text)
    given = str(text)
    name = next((f"{name} {found[1]}" for sign, name in _BROWSERS if (found := re.search(rf"{sign}/(\d{{1,4}})\b", given))), "")
    system = next((system for system in _SYSTEMS if system in given), "")
    return f"{name}, {system}" if name and system else agent
