"""The catalogue of prompts: what is said, by id."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from callcenter.runtime.places import shipped

DEFAULT_MUSIC = "default"

NEEDED = (
    "goodbye",
    "unknown-number",
    "you-are-ready",
    "you-are-not-ready",
    "not-possible",
    "disposition-noted",
    "wrap-up-extended",
    "queue-joined",
    "queue-left",
    "press-1-to-accept",
    "you-are-connected",
    "beep",
    "not-available",
    "please-wait",
    "you-are-next",
    "your-position-is",
    "more-callers-than",
    "are-waiting",
    "your-wait-is-under",
    "voicemail-greeting",
    "voicemail-review",
    "voicemail-kept",
    "voicemail-too-short",
    "voicemail-full",
    "voicemail-not-recorded",
    "voicemail-cancelled",
    "voicemail-number",
    "voicemail-pin",
    "voicemail-wrong-pin",
    "voicemail-new",
    "voicemail-old",
    "voicemail-none",
    "voicemail-no-more",
    "voicemail-from",
    "voicemail-unknown-caller",
    "voicemail-menu",
    "voicemail-deleted",
    "voicemail-saved",
    "voicemail-will-call-back",
    "voicemail-record-greeting",
    "voicemail-greeting-review",
    "voicemail-greeting-kept",
)
"""Prompts that the built-in flows, the star codes and the dialplan say."""

_TONES = re.compile(r"tone:([0-9]{2,4}(?:\.[0-9]+)?)(?:\+([0-9]{2,4}(?:\.[0-9]+)?))?:([0-9]+(?:\.[0-9]+)?)")


class CatalogueError(ValueError):
    """A prompt that cannot be made."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One thing that is said: a text to be spoken, a recorded file, or tones."""

    id: str
    text: str = ""
    language: str = "en"
    source: str = ""
    file: Path | None = None
    word: bool = False
    """It is said between others: the silence around it is cut off."""


@dataclass(frozen=True, slots=True)
class Tones:
    """One or two sine tones; how our tests know what the caller heard."""

    frequencies: tuple[float, ...]
    """Hz."""
    duration: float
    """Seconds."""


def tones(source: str) -> Tones:
    """Read ``tone:440+620:1.5``. Raises CatalogueError."""
    found = _TONES.fullmatch(source)
    if found is None:
        raise CatalogueError(f"must be 'tone:FIRST+SECOND:SECONDS', such as 'tone:440+620:1.5', but is {source!r}")
    frequencies = tuple(float(frequency) for frequency in found.group(1, 2) if frequency is not None)
    duration = float(found.group(3))
    if not all(50 <= frequency <= 3800 for frequency in frequencies) or not 0.1 <= duration <= 60:
        raise CatalogueError(f"must have tones of 50 to 3800 Hz for 0.1 to 60 seconds, but is {source!r}")
    return Tones(frequencies, duration)


def catalogue() -> Mapping[str, Prompt]:
    """The prompts shipped with us, from ``sounds/prompts.toml``."""
    file = shipped("sounds") / "prompts.toml"
    read = tomllib.loads(file.read_text(encoding="utf-8"))
    prompts = {
        entry["id"]: Prompt(
            id=entry["id"],
            text=entry.get("text", ""),
            language=entry["language"],
            source=entry["source"] if entry["source"].startswith("tone:") else "",
            file=file.parent / entry["file"] if "file" in entry else None,
        )
        for entry in read["prompt"]
    }
    for language, words in read["words"].items():
        for name, text in words["text"].items():
            prompts[f"{language}-{name}"] = Prompt(f"{language}-{name}", text, language, word=True)
    return prompts
