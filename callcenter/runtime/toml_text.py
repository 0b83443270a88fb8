"""Writes settings as TOML: for programs one line per table, everything inline; for people table by table, one line per key."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_INLINE_WIDTH = 90
"""A small table of plain values stands on one line when that is no longer."""


def inline(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(str(key))} = {inline(item)}" for key, item in value.items()) + " }" if value else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(inline(item) for item in value) + "]"
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    raise TypeError(f"{type(value).__name__} has no place in TOML")


def text(settings: Mapping[str, object]) -> str:
    """For programs."""
    return "".join(f"{_key(str(key))} = {inline(value)}\n" for key, value in settings.items())


def write(path: Path, settings: Mapping[str, object]) -> Path:
    path.write_text(text(settings), encoding="utf-8")
    return path


def pretty(settings: Mapping[str, object]) -> str:
    """For people; what ``tomllib`` reads from it is what was given."""
    blocks = "\n".join(_tables("", settings)).strip("\n")
    return f"{blocks}\n" if blocks else ""


def _tables(path: str, table: Mapping[str, object]) -> Iterator[str]:
    """Plain keys first: after a table begins, TOML knows no way back. Named tables keep their order, so all of them are written as such."""
    named = not path or all(isinstance(value, Mapping) for value in table.values())
    below = {key: value for key, value in table.items() if _is_table(value, named=named) or _is_list_of_tables(value)}
    for key, value in table.items():
        if key not in below:
            yield f"{_key(key)} = {inline(value)}"
    for key, value in below.items():
        name = f"{path}.{_key(key)}" if path else _key(key)
        if isinstance(value, Mapping):
            if not value or not all(isinstance(inner, Mapping) for inner in value.values()):
                yield f"\n[{name}]"
            yield from _tables(name, value)
        elif isinstance(value, list | tuple):
            for entry in value:
                yield f"\n[[{name}]]"
                yield from _tables(name, entry)


def _is_table(value: object, *, named: bool) -> bool:
    """Whether it is written as one, rather than on one line."""
    if not isinstance(value, Mapping) or named:
        return isinstance(value, Mapping)
    simple = all(not isinstance(inner, Mapping | list | tuple) for inner in value.values())
    return not (simple and value and len(inline(value)) <= _INLINE_WIDTH)


def _is_list_of_tables(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(entry, Mapping) for entry in value)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _quoted(name)


def _quoted(words: str) -> str:
    """JSON's escapes are TOML's, but for DEL and for what lies beyond the first plane, which JSON would write as two."""
    return json.dumps(words, ensure_ascii=False).replace("\x7f", "\\u007f")
