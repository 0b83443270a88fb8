"""What callers would hear, for whoever writes prompts: as text, and as one sound file."""

import array
import re
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path

from callcenter.runtime.audio import WIDE
from callcenter.runtime.prompt_files import prepared
from callcenter.runtime.prompts import PromptError
from callcenter.runtime.settings import Settings
from callcenter.runtime.settings_flow_said import VALUE, said

_KINDS = "digits, number, money, date, time, duration, minutes, position"


class SayError(Exception):
    """It cannot be said; the sentence says why."""


def sounds(settings: Settings, language: str, pieces: Sequence[str], attributes: Mapping[str, str]) -> tuple[str, ...]:
    """The ids of the sounds, in that language. Raises SayError."""
    there = settings.catalogue.renderings[language]
    for piece in pieces:
        value = VALUE.fullmatch(piece)
        if value is None and piece not in there:
            raise SayError(f"'{piece}' is no prompt in '{language}', and no value such as '{{number:NAME}}'")
        if value is not None and value[1] not in _KINDS.split(", "):
            raise SayError(f"'{piece}' is no value; the kinds are {_KINDS}")
        if value is not None and value[2] not in attributes:
            raise SayError(f"'{piece}' needs --set {value[2]}=VALUE")
    speaker = settings.spoken.speaker(language)
    return tuple(re.sub(r"^.*/", "", sound) for sound in speaker.say(said(pieces), attributes))


def read(settings: Settings, language: str, heard: Sequence[str]) -> str:
    """Its text; tones and recordings without one by their ids."""
    there = settings.catalogue.renderings[language]
    return " ".join(there[sound].text or f"[{sound}]" for sound in heard)


def write(settings: Settings, language: str, heard: Sequence[str], out: Path) -> None:
    """One after the other, as a WAV file of 16 kHz. Raises SayError."""
    there = settings.catalogue.renderings[language]
    try:
        made = prepared(settings, {sound: there[sound] for sound in heard}.values())
        samples = array.array("h")
        for sound in heard:
            samples.frombytes(made[sound].with_suffix(".sln16").read_bytes())
        with wave.open(str(out), "wb") as file:
            file.setparams((1, 2, WIDE, 0, "NONE", ""))
            file.writeframes(samples.tobytes())
    except PromptError as error:
        raise SayError(str(error)) from None
    except OSError as error:
        raise SayError(f"{out} cannot be written: {error.strerror or error}") from None
