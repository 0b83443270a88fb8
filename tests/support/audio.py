"""Small recordings for tests."""

import io
import wave

from callcenter.runtime.audio import RATE, tone_samples
from callcenter.runtime.catalogue import Tones


def wav(*frequencies: float, seconds: float = 0.2) -> bytes:
    """A WAV file of one or two tones."""
    kept = io.BytesIO()
    with wave.open(kept, "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(tone_samples(Tones(frequencies, seconds)).tobytes())
    return kept.getvalue()
