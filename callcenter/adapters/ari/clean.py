"""Texts from outside, cleaned once at the edge: caller numbers and names may hold anything at all.

Measured on Asterisk 22.10.1: a caller's number arrives percent-decoded (``4%0d%0a5`` becomes a line
break), the name arrives raw. After this module neither can break a line, a dial string or a file name.
"""

import re
import unicodedata

MOST_OF_A_NUMBER = 32
MOST_OF_A_NAME = 80

_NOT_IN_A_NUMBER = re.compile(r"[^0-9+*#]")
_PLAIN = re.compile(r"[\x20-\x7e]*")
_NOT_IN_A_CALLER_ID = re.compile(r'["\\<>]')
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn"))
"""Control and format characters (bidirectional overrides, zero-width), surrogates, unassigned."""
_SEPARATORS = frozenset(("Zs", "Zl", "Zp"))
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SOUND = re.compile(r"(?:[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})?/)?[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_DIGITS = re.compile(r"[0-9*#A-D]{1,32}")
SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def number(raw: str) -> str:
    """Only what can be dialed is kept, at most 32 characters; a withheld number becomes empty."""
    return _NOT_IN_A_NUMBER.sub("", raw)[:MOST_OF_A_NUMBER]


def name(raw: str) -> str:
    """Only what can be seen is kept, at most 80 characters, on one line."""
    if not _PLAIN.fullmatch(raw):
        raw = "".join(map(_seen, raw[: 8 * MOST_OF_A_NAME]))
    return " ".join(raw[: 8 * MOST_OF_A_NAME].split())[:MOST_OF_A_NAME].rstrip()


def _seen(character: str) -> str:
    category = unicodedata.category(character)
    if category in _SEPARATORS or character in "\t\r\n":
        return " "
    return "" if category in _HIDDEN else character


def caller_id(raw_name: str, raw_number: str) -> str:
    """What the agent's phone is to show, in Asterisk's notation ``"name" <number>``."""
    return f'"{name(_NOT_IN_A_CALLER_ID.sub("", raw_name))}" <{number(raw_number)}>'


def is_e164(text: str) -> bool:
    """Whether it is a number with plus sign and country code, and nothing else (ITU-T E.164: at most 15 digits)."""
    return _E164.fullmatch(text) is not None


def is_digits(text: str) -> bool:
    """Whether these are keys of a telephone, and not too many."""
    return _DIGITS.fullmatch(text) is not None


def is_sound(text: str) -> bool:
    """Whether it names a prompt, in a language of its own or not: ``welcome``, ``es/welcome``."""
    return _SOUND.fullmatch(text) is not None


def is_safe_id(text: str) -> bool:
    """Whether it can stand in a path: ids of ours, of Asterisk, endpoints, prompts and music classes all can."""
    return SAFE_ID.fullmatch(text) is not None
