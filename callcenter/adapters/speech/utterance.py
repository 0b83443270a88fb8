"""Where an utterance begins and ends in what a leg says.

Frames of 20 ms are judged one by one by the voice activity detector of WebRTC, which comes with pocketsphinx. An utterance begins
with most of a few frames in a row being speech (one alone is a click), with some of what came before, because the first sound of a
word is often too soft to be noticed; it ends with a pause.
"""

from collections import deque
from collections.abc import AsyncIterator
from datetime import timedelta

from pocketsphinx import Vad

FRAME_S = 0.02
STRICTNESS = 3
"""Of the detector, 0 to 3: 3 takes least for speech."""
BEGINS, OF = 9, 10
"""So many of so many frames in a row are speech when somebody begins to speak."""
BEFORE = 20
"""Frames from before the beginning that belong to it."""
PAUSE = timedelta(milliseconds=500)
"""Without speech: the utterance is over."""


class Endpointer:
    """Takes frames until the utterance is whole."""

    def __init__(self, rate: int, pause: timedelta = PAUSE) -> None:
        self._detector = Vad(STRICTNESS, rate, FRAME_S)
        self._frame: int = self._detector.frame_bytes
        self._pause = max(1, round(pause.total_seconds() / FRAME_S))
        self._recent: deque[tuple[bytes, bool]] = deque(maxlen=BEFORE)
        self._kept: list[bytes] = []
        self._left = b""
        self._silent = 0
        self.frames = 0
        """Judged so far."""

    @property
    def began(self) -> bool:
        """Somebody is speaking, or has spoken."""
        return bool(self._kept)

    @property
    def whole(self) -> bool:
        return self.began and self._silent >= self._pause

    @property
    def utterance(self) -> bytes:
        """What was said so far, with what came shortly before."""
        return b"".join(self._kept)

    def take(self, audio: bytes) -> None:
        """More of what the leg says, in pieces of any length."""
        audio = self._left + audio
        whole = len(audio) - len(audio) % self._frame
        self._left = audio[whole:]
        for at in range(0, whole, self._frame):
            if not self.whole:
                self._judge(audio[at : at + self._frame])

    def _judge(self, frame: bytes) -> None:
        speech = bool(self._detector.is_speech(frame))
        self.frames += 1
        if self.began:
            self._kept.append(frame)
            self._silent = 0 if speech else self._silent + 1
            return
        self._recent.append((frame, speech))
        if sum(was_speech for _, was_speech in list(self._recent)[-OF:]) >= BEGINS:
            self._kept = [before for before, _ in self._recent]
            self._recent.clear()


async def utterance(audio: AsyncIterator[bytes], rate: int, no_speech: timedelta, limit: timedelta) -> bytes:
    """What is said once; empty when nobody speaks within ``no_speech`` of audio. At ``limit`` it is cut off.

    Time is counted in audio, 20 ms a frame: Asterisk sends it as it passes. Whoever waits for it limits the real time, too.
    """
    endpointer = Endpointer(rate)
    begin_by, end_by = no_speech.total_seconds() / FRAME_S, limit.total_seconds() / FRAME_S
    async for frame in audio:
        endpointer.take(frame)
        if endpointer.whole or endpointer.frames >= end_by or (not endpointer.began and endpointer.frames >= begin_by):
            break
    return endpointer.utterance
