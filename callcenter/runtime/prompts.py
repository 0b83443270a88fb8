"""Prompts as audio files: spoken, or read from a recording, once, and kept under the hash of what they say."""

import hashlib
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from callcenter.runtime.audio import WIDE, AudioError, Samples, read_wav, resampled, tone_samples, trimmed, write_audio
from callcenter.runtime.catalogue import CatalogueError, Prompt, tones
from callcenter.runtime.decoding import decoded
from callcenter.runtime.tts.engine import Engine, TtsError
from callcenter.runtime.tts.programs import EspeakNg

RENDERING = 2
"""To be raised when the same prompt comes out otherwise than before."""
ESPEAK_ALONE: Mapping[str, Engine] = {"espeak-ng": EspeakNg()}


class PromptError(Exception):
    """A prompt cannot be made."""


def prepare(prompts: Iterable[Prompt], kept: Path, engines: Mapping[str, Engine] = ESPEAK_ALONE) -> dict[str, Path]:
    """Make the prompts that are not yet in ``kept``; return each one's WAV file by id. Raises PromptError."""
    kept.mkdir(parents=True, exist_ok=True)
    return {prompt.id: _prepare(prompt, kept, engines) for prompt in prompts}


def _prepare(prompt: Prompt, kept: Path, engines: Mapping[str, Engine]) -> Path:
    try:
        wav = kept / f"{_fingerprint(prompt, engines)}.wav"
        if not wav.exists():
            write_audio(wav, _samples(prompt, engines))
    except AudioError as error:
        raise PromptError(f"prompt '{prompt.id}': {prompt.file or 'what the engine has spoken'} {error}") from None
    except CatalogueError as error:
        raise PromptError(f"prompt '{prompt.id}': source {error}") from None
    except TtsError as error:
        raise PromptError(f"prompt '{prompt.id}': {error}") from None
    except OSError as error:
        raise PromptError(f"prompt '{prompt.id}': {error}") from None
    return wav


def _fingerprint(prompt: Prompt, engines: Mapping[str, Engine]) -> str:
    said = [str(RENDERING), "word" if prompt.word else ""]
    if prompt.file is not None:
        said.append(hashlib.blake2b(prompt.file.read_bytes()).hexdigest())
    elif prompt.source:
        said.append(prompt.source)
    else:
        said += [prompt.language, prompt.text, prompt.voice.engine, prompt.voice.name, engines[prompt.voice.engine].tag()]
    return hashlib.blake2b("\0".join(said).encode(), digest_size=16).hexdigest()


def _samples(prompt: Prompt, engines: Mapping[str, Engine]) -> Samples:
    """At 16 kHz."""
    if prompt.file is not None:
        return decoded(prompt.file)
    if prompt.source:
        return tone_samples(tones(prompt.source), WIDE)
    return _spoken(prompt, engines[prompt.voice.engine])


def _spoken(prompt: Prompt, engine: Engine) -> Samples:
    """What comes from a program of this machine we read ourselves; what comes over the network is read like any recording."""
    with tempfile.TemporaryDirectory(prefix="callcenter-prompt-") as folder:
        wav = Path(folder) / "spoken.wav"
        engine.speak(prompt.text, prompt.language, prompt.voice.name, wav)
        if prompt.voice.engine == "http":
            return trimmed(decoded(wav), WIDE) if prompt.word else decoded(wav)
        with wav.open("rb") as file:
            samples, rate = read_wav(file)
    return resampled(trimmed(samples, rate) if prompt.word else samples, rate, WIDE)
