"""Writes settings as TOML: one line per table, everything inline."""

import json
from collections.abc import Mapping
from pathlib import Path


def inline(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(str(key))} = {inline(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(inline(item) for item in value) + "]"
    raise TypeError(f"{type(value).__name__} has no place in TOML")


def write(path: Path, settings: Mapping[str, object]) -> Path:
    path.write_text("".join(f"{key} = {inline(value)}\n" for key, value in settings.items()), encoding="utf-8")
    return path
