"""What a text-to-speech engine is, whichever it is."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

LONGEST_S = 60.0
"""For one prompt; an engine that takes longer has failed."""


class TtsError(Exception):
    """It cannot be spoken; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks a language."""

    engine: str
    name: str
    """As the engine names it: ``es-419``, ``slt``, a model's file ..."""


class Engine(Protocol):
    """Speaks one text into a WAV file, of any rate. Blocks; prompts are made at set-up, never while a caller waits."""

    def speak(self, text: str, language: str, voice: str, wav: Path) -> None:
        """Raises TtsError."""

    def tag(self) -> str:
        """Whatever else decides how it sounds: another tag, and what was spoken before is spoken anew."""


def run(command: list[str], text: str, wav: Path, name: str) -> None:
    """Let a program speak what it reads. Raises TtsError."""
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, check=False, timeout=LONGEST_S)
    except FileNotFoundError:
        raise TtsError(f"{name} is not installed") from None
    except OSError as error:
        raise TtsError(f"{name} cannot be started: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise TtsError(f"{name} took longer than {LONGEST_S:g} seconds") from None
    if done.returncode != 0 or not wav.exists():
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise TtsError(f"{name} failed: {said[-1][:200] if said else 'no reason given'}")
