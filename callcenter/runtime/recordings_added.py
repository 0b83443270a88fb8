"""Recordings that people add to the prompts: decoded in a child process, written anew, and never played as they came."""

import io
import os
import re
import sys
import tempfile
import wave
from pathlib import Path

from callcenter.runtime.audio import WIDE, AudioError, Samples
from callcenter.runtime.decoding import decoded
from callcenter.runtime.settings import Settings, SettingsError, load
from callcenter.runtime.settings_languages import recorded_folder
from callcenter.runtime.whole_files import sync_folder

SHORTEST_S = 0.1
"""What is shorter was cut off on its way, or is no recording."""
_ID = re.compile(r"[a-z0-9-]{1,60}")


class RecordingError(Exception):
    """It cannot be added or taken away; the sentence says why. Nothing was changed."""


def add(settings: Settings, prompt: str, language: str, file: Path) -> float:
    """Keep the recording as this prompt in this language; return its length in seconds. Raises RecordingError."""
    if not _ID.fullmatch(prompt):
        raise RecordingError(f"a prompt's id must be 1 to 60 characters a-z, 0-9 and '-', but is {prompt!r}")
    try:
        samples = decoded(file)
        if len(samples) < SHORTEST_S * WIDE:
            raise AudioError(f"has less than {SHORTEST_S:g} seconds of sound in it")
        place = recorded_folder(settings.data, language)
        place.mkdir(parents=True, exist_ok=True)
        _write(place, f"{prompt}.wav", samples)
    except AudioError as error:
        raise RecordingError(f"{file} {error}") from None
    except OSError as error:
        raise RecordingError(f"{file} cannot be kept: {error.strerror or error}") from None
    return len(samples) / WIDE


def _write(folder: Path, name: str, samples: Samples) -> None:
    """Whole or not at all, and on disk."""
    content = io.BytesIO()
    if sys.byteorder == "big":
        samples.byteswap()
    with wave.open(content, "wb") as file:
        file.setparams((1, 2, WIDE, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content.getvalue())
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, folder / name)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(folder)


def remove(settings: Settings, prompt: str, language: str) -> None:
    """Take it away, unless something needs it. Raises RecordingError."""
    if not _ID.fullmatch(prompt) or not (file := recorded_folder(settings.data, language) / f"{prompt}.wav").is_file():
        raise RecordingError(f"there is no added recording of prompt '{prompt}' in '{language}'; see callcenter prompt list")
    aside = file.with_name(f".{file.name}.removed")
    try:
        os.replace(file, aside)
        try:
            load(settings.file)
        except SettingsError as error:
            os.replace(aside, file)
            raise RecordingError(f"the recording is needed: {error.problems[0]}") from None
        aside.unlink()
    except OSError as error:
        raise RecordingError(f"{file} cannot be taken away: {error.strerror or error}") from None
