"""Words for screens: texts from outside made harmless to look at, states in the words of the glossary.

The words of the screens themselves, in each language, are in ``catalogue.py`` and ``<language>/<area>.toml``.
"""

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LONGEST = 80
UNKNOWN = "–"

STATES: Mapping[str, str] = {
    "logged_out": "logged out",
    "not_ready": "not ready",
    "ready": "ready",
    "reserved": "reserved",
    "talking": "talking",
    "wrap_up": "wrap-up (ACW)",
}
PHASES: Mapping[str, str] = {
    "flow": "in the menu",
    "star_code": "star code",
    "waiting": "waiting",
    "offered": "offered",
    "talking": "talking",
    "held": "on hold",
    "ending": "ending",
}
TONES: Mapping[str, str] = {
    "ready": "good",
    "talking": "busy",
    "held": "busy",
    "reserved": "soon",
    "offered": "soon",
    "calling": "soon",
    "wrap_up": "soon",
    "waiting": "wait",
    "not_ready": "wait",
}
"""Colours beside the words, by state or phase; the others have none."""


def shown(text: object) -> str:
    """Text from outside, on one line: control characters as symbols, what turns or hides text as a replacement sign."""
    if not isinstance(text, str):
        return ""
    seen = "".join(map(_visible, text[: LONGEST + 1]))
    return seen if len(seen) <= LONGEST else f"{seen[: LONGEST - 1]}…"


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


def caller(text: object) -> str:
    return shown(text) or "withheld"


def state(agent: Mapping[str, object]) -> str:
    """``not ready: break``"""
    name = str(agent.get("state", ""))
    reason = shown(agent.get("reason")).replace("_", " ")
    return f"{STATES.get(name, shown(name))}{f': {reason}' if reason else ''}"


def phase(call: Mapping[str, object]) -> str:
    name = str(call.get("phase", ""))
    return PHASES.get(name, shown(name))


def tone(name: object) -> str:
    """Of an agent's state or a call's phase."""
    return TONES.get(name, "") if isinstance(name, str) else ""


def ratio(value: object) -> str:
    """``80 %``"""
    return UNKNOWN if isinstance(value, bool) or not isinstance(value, int | float) else f"{value * 100:.0f} %"


def seconds(value: object) -> str:
    """``4:05``"""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "–"
    whole = round(value)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}" if whole >= 3600 else f"{whole // 60}:{whole % 60:02}"
