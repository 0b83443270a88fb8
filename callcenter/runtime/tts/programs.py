"""Engines that are programs on this machine: espeak-ng, flite, Piper."""

from dataclasses import dataclass
from pathlib import Path

from callcenter.runtime.tts.engine import TtsError, run

ESPEAK_VOICES = {"zh": "cmn", "fr": "fr-fr", "es": "es-419", "fil": ""}
"""Where espeak-ng's name is another than the language's: Spanish as in Latin America, and no Filipino."""


def espeak_voice(language: str) -> str:
    """By which name espeak-ng knows the language; empty: it does not. What we cannot tell is left to espeak-ng."""
    return ESPEAK_VOICES.get(language, language)


@dataclass(frozen=True, slots=True)
class EspeakNg:
    """Small, quick, in more than a hundred languages; what we ship with."""

    speed: int = 155
    """Words a minute."""

    def speak(self, text: str, language: str, voice: str, wav: Path) -> None:
        spoken_by = voice or espeak_voice(language)
        if not spoken_by:
            raise TtsError(f"espeak-ng has no voice for '{language}'")
        try:
            run(["espeak-ng", "-v", spoken_by, "-s", str(self.speed), "-w", str(wav), "--stdin"], text, wav, "espeak-ng")
        except TtsError as error:
            raise TtsError(f"espeak-ng cannot say it in '{spoken_by}': {error}") from None

    def tag(self) -> str:
        return str(self.speed)


@dataclass(frozen=True, slots=True)
class Flite:
    """English voices, more natural than espeak-ng's; ``slt``, ``rms``, ``awb`` or a file of a voice."""

    def speak(self, text: str, language: str, voice: str, wav: Path) -> None:
        del language
        run(["flite", *(("-voice", voice) if voice else ()), "-f", "/dev/stdin", "-o", str(wav)], text, wav, "flite")

    def tag(self) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Piper:
    """Neural voices on this machine; the voice is a model's file (``.onnx``)."""

    program: str = "piper"

    def speak(self, text: str, language: str, voice: str, wav: Path) -> None:
        if not voice:
            raise TtsError(f"piper needs a model; name its file as voice of language '{language}'")
        run([self.program, "--model", voice, "--output_file", str(wav)], " ".join(text.split()) + "\n", wav, "piper")

    def tag(self) -> str:
        return ""
