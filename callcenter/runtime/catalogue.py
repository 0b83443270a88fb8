"""The catalogue of prompts: what is said, by id."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from callcenter.domain.ivr.speech import LANGUAGES, Language
from callcenter.runtime.places import shipped
from callcenter.runtime.tts.engine import Voice

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
    "caller-pays",
    "you-listen",
    "you-whisper",
    "you-are-in-the-call",
    "the-caller-is-yours",
    "supervisor-listens",
    "you-have-a-notice",
    "press-1-to-accept",
    "you-are-connected",
    "beep",
    "not-available",
    "please-wait",
    "closed-now",
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
    "you-are-logged-in",
    "you-are-logged-out",
    "desk-press",
    "desk-further",
    "desk-nothing",
    "desk-enter-extension",
    "desk-log-in-ready",
    "desk-log-in",
    "desk-log-out",
    "desk-ready",
    "desk-not-ready",
    "desk-end-wrap-up",
    "desk-extend",
    "desk-disposition",
    "desk-callbacks",
    "desk-caller",
    "desk-figures",
    "desk-transfer",
    "desk-consult",
    "desk-complete",
    "desk-swap",
    "desk-conference",
    "desk-cancel",
    "desk-callback-for",
    "desk-callback-due",
    "desk-no-callback",
    "desk-callback-yours",
    "desk-done",
    "desk-contacts",
    "desk-talk",
    "desk-handling",
    "desk-occupancy",
    "desk-percent",
    "desk-line-busy",
    "desk-no-answer",
    "desk-not-allowed",
    "desk-queues",
    "desk-join",
    "desk-leave",
    "desk-mailbox",
)
"""Prompts that the built-in flows, the star codes and the dialplan say."""

CALLERS_HEAR = (
    "goodbye",
    "callback-offer",
    "callback-promised",
    "callback-greeting",
    "please-wait",
    "closed-now",
    "you-are-next",
    "your-position-is",
    "more-callers-than",
    "are-waiting",
    "your-wait-is-under",
    "beep",
    "supervisor-listens",
    *(name for name in NEEDED if name.startswith("voicemail-")),
)
"""Those that we say by ourselves to callers, whatever language they have chosen."""

ESPEAK = Voice("espeak-ng", "")
"""Who speaks when nobody else is named."""

_TONES = re.compile(r"tone:([0-9]{2,4}(?:\.[0-9]+)?)(?:\+([0-9]{2,4}(?:\.[0-9]+)?))?:([0-9]+(?:\.[0-9]+)?)")


class CatalogueError(ValueError):
    """A prompt that cannot be made."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One thing that is said in one language: a text to be spoken, a recorded file, or tones."""

    id: str
    text: str = ""
    language: str = "en"
    source: str = ""
    file: Path | None = None
    """Recorded; nobody vouches for what is in it."""
    word: bool = False
    """It is said between others: the silence around it is cut off."""
    voice: Voice = ESPEAK
    """Who speaks the text."""


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


def shipped_prompts() -> Mapping[str, Mapping[str, Prompt]]:
    """The prompts shipped with us, from ``sounds/prompts.toml``: from language to id to prompt. Tones are of every language, ``*``."""
    file = shipped("sounds") / "prompts.toml"
    found: dict[str, dict[str, Prompt]] = {}
    for entry in tomllib.loads(file.read_text(encoding="utf-8"))["prompt"]:
        source = entry.get("source", "") if entry.get("source", "").startswith("tone:") else ""
        recorded = file.parent / entry["file"] if "file" in entry else None
        texts = {"*": ""} if source else entry["text"]
        for language, text in texts.items() if isinstance(texts, dict) else [(entry.get("language", "en"), texts)]:
            found.setdefault(language, {})[entry["id"]] = Prompt(entry["id"], text, language, source, recorded)
    return found


def words(language: str, spoken: Language) -> Mapping[str, Prompt]:
    """The sounds that values are put together from, each a prompt of its own."""
    return {sound: Prompt(sound, text, language, word=True) for sound, text in spoken.words.items()}


class Catalogue(Mapping[str, Prompt]):
    """All that can be said, by id, in the center's own language; and what there is of it in the others."""

    def __init__(self, default: str, renderings: Mapping[str, Mapping[str, Prompt]]) -> None:
        self.default = default
        self.renderings = renderings
        """From each of the center's languages to all that can be said in it."""
        self._ids = {name: None for prompts in renderings.values() for name in prompts}

    def __getitem__(self, name: str) -> Prompt:
        for language in (self.default, *self.renderings):
            if name in self.renderings[language]:
                return self.renderings[language][name]
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def languages(self) -> Mapping[str, tuple[str, ...]]:
        """From id to the center's languages in which it can be said."""
        return {name: tuple(language for language, prompts in self.renderings.items() if name in prompts) for name in self}

    def lacking(self, name: str) -> tuple[str, ...]:
        """The center's languages in which it cannot be said."""
        return tuple(language for language, prompts in self.renderings.items() if name not in prompts)


def catalogue() -> Mapping[str, Prompt]:
    """All that a center says which speaks English only, and was told nothing else."""
    ours = shipped_prompts()
    return {**ours["*"], **ours["en"], **words("en", LANGUAGES["en"])}
