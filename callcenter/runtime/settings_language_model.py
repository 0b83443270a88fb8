"""What ``callcenter.toml`` may say about languages and voices."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from callcenter.runtime.settings_fields import Language, Plain, PromptId, PromptText, Section, SomeSeconds, Url, matching

EngineName = Literal["espeak-ng", "flite", "piper", "http"]
Rules = Annotated[str, matching(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", "a class, such as 'my_package.german:German'")]


class LanguageSection(Section):
    """One of the center's languages: who speaks it, and what is said where it lacks something."""

    engine: EngineName | None = None
    """None: as ``[tts]`` says."""
    voice: Plain | None = None
    """As the engine names it."""
    fallback: Language | None = None
    """The language in which is said what this one lacks. None: what is lacking is refused."""
    rules: Rules | None = None
    """Whose values are said: a class of a plug-in. None: ours, or one that is installed under the entry point ``callcenter.languages``."""


class TtsSection(Section):
    """Text to speech: who speaks the prompts that nobody has recorded."""

    engine: EngineName = "espeak-ng"
    piper: Plain = "piper"
    """The program."""
    url: Url | None = None
    """Of the engine ``http``."""
    token_file: Path | None = None
    """Its first line is sent with each request to it."""
    timeout: SomeSeconds = Field(default=timedelta(seconds=20), alias="timeout_s")


class PromptSection(Section):
    """A prompt added to the catalogue of ``sounds/prompts.toml``, or put in place of one there."""

    id: PromptId
    text: PromptText | None = None
    language: Language | None = None
    """None: the center's first; of tones, all of them."""
    voice: Plain | None = None
    """Who speaks this text, if another one than all the others of its language."""
    file: Path | None = None
    """A recorded WAV file, relative to the settings file."""
    source: Plain | None = None
    """``tone:440+620:1.5``: two tones (Hz) for so many seconds."""
    licence: Plain = ""
