"""The process in which pocketsphinx decodes: one utterance after the other, told on standard input, answered on standard output.

Each question is a line of JSON (``rate``, ``phrases``, ``most``, ``bytes``) and so many bytes of audio; each answer a line of JSON
(``phrase``, ``confidence``; or ``error``). Measured on spoken words at telephone quality (docs/speech.md):

- Decoding the utterance as a whole, with the mean of its own spectrum, beats decoding frame by frame; it takes a fraction of the time that
  the speaking took.
- The acoustic model wants 16 kHz. Samples of 8 kHz are spread with zeros between them: the mirror image that this leaves above 4 kHz is
  nearer to the hiss of real fricatives than the silence that clean resampling leaves there.
- A little noise is added: digital silence is nothing that the model has ever heard.
- How sure it is: the same utterance is decoded as free phonemes, too. The more of the score is lost when it must be one of the phrases,
  the less likely it is any of them.
"""

import json
import math
import os
import random
import sys
from array import array
from collections.abc import Mapping
from typing import Any, BinaryIO

from pocketsphinx import Decoder, get_model_path

NOISE = 200
"""Amplitude, of 32767."""
EVEN_LOSS = 0.0025
"""The loss of score per frame (of the log likelihoods as pocketsphinx scales them) that makes it as likely as not ..."""
STEEPNESS = 0.0007
"""... and how fast it grows more or less likely around it."""
MODEL_RATE = 16_000


def spread(samples: array) -> array:  # type: ignore[type-arg]  # until Python 3.12
    """From 8 to 16 kHz, mirror image and all."""
    wide = array("h", bytes(4 * len(samples)))
    wide[0::2] = samples
    return wide


def prepared(audio: bytes, rate: int, noise: random.Random) -> bytes:
    """As the acoustic model wants it."""
    samples = array("h", audio[: len(audio) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    louder = array("h", (max(-32768, min(32767, sample + noise.randint(-NOISE, NOISE))) for sample in samples))
    return (spread(louder) if rate * 2 == MODEL_RATE else louder).tobytes()


def jsgf(phrases: list[str], most: int) -> str:
    """The grammar in the words of the JSpeech Grammar Format."""
    one_of = " | ".join(phrases)
    return f"#JSGF V1.0; grammar said; public <said> = ({one_of}){'+' if most > 1 else ''};"


class Decoding:
    """Two decoders of the same acoustic model: one bound to phrases, one free."""

    def __init__(self) -> None:
        model = os.path.join(get_model_path(), "en-us")
        shared: dict[str, Any] = {
            "hmm": os.path.join(model, "en-us"),
            "lm": None,
            "samprate": MODEL_RATE,
            "cmn": "batch",
            "loglevel": "FATAL",
        }
        self._bound = Decoder(dict=os.path.join(model, "cmudict-en-us.dict"), bestpath=False, **shared)
        self._free = Decoder(dict=None, allphone=os.path.join(model, "en-us-phone.lm.bin"), beam=1e-20, pbeam=1e-20, lw=2.0, **shared)
        self._grammars: list[str] = []

    def decode(self, audio: bytes, rate: int, phrases: list[str], most: int) -> tuple[str, float]:
        """What was said, of the phrases (perhaps only the beginning of one), and how sure that is.

        Raises ValueError for words that are not in the dictionary.
        """
        self._choose(jsgf(phrases, most))
        wide = prepared(audio, rate, random.Random(len(audio)))
        said = self._run(self._bound, wide)
        if not said:
            return "", 0.0
        frames = self._frames_of_words(self._bound)
        loss = (self._score(self._free, wide) - self._score_of(self._bound)) / max(1, frames)
        return said, 1.0 / (1.0 + math.exp(min(50.0, (loss - EVEN_LOSS) / STEEPNESS)))

    def _choose(self, grammar: str) -> None:
        """Grammars that were used are kept ready; the oldest goes when there are many."""
        if grammar not in self._grammars:
            self._bound.add_jsgf_string(grammar, grammar)
            self._grammars.append(grammar)
        self._bound.activate_search(grammar)
        if len(self._grammars) > 100:
            self._bound.remove_search(self._grammars.pop(0))

    @staticmethod
    def _run(decoder: Any, audio: bytes) -> str:
        decoder.start_utt()
        decoder.process_raw(audio, no_search=False, full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        return found.hypstr if found is not None else ""

    def _score(self, decoder: Any, audio: bytes) -> float:
        self._run(decoder, audio)
        return self._score_of(decoder)

    @staticmethod
    def _score_of(decoder: Any) -> float:
        return sum(math.log(max(part.ascore, 1e-300)) for part in decoder.seg())

    @staticmethod
    def _frames_of_words(decoder: Any) -> int:
        words = (part for part in decoder.seg() if not part.word.startswith(("<", "[", "(")))
        return sum(part.end_frame - part.start_frame + 1 for part in words)


def answer(decoding: Decoding, question: Mapping[str, Any], audio: bytes) -> dict[str, object]:
    try:
        phrase, confidence = decoding.decode(audio, question["rate"], question["phrases"], question["most"])
    except (ValueError, RuntimeError) as error:
        return {"error": str(error)}
    return {"phrase": phrase, "confidence": round(confidence, 3)}


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Until nobody asks any more."""
    decoding = Decoding()
    answers.write(b'{"ready": true}\n')
    answers.flush()
    while line := questions.readline():
        question = json.loads(line)
        reply = answer(decoding, question, questions.read(question["bytes"]))
        answers.write(json.dumps(reply).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
