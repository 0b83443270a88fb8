"""Facts of recordings."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class MissingWhy(StrEnum):
    """Why a recording that should exist does not."""

    REFUSED = "refused"
    NODE_AWAY = "node_away"


@dataclass(frozen=True, slots=True)
class RecordingStarted:
    at: datetime
    call: str
    contact: str
    queue: str
    agent: str
    node: str
    recording: str
    """Names the file: ``<recording>.raw`` while Asterisk writes, ``<recording>.wav`` afterwards."""


@dataclass(frozen=True, slots=True)
class RecordingStopped:
    at: datetime
    call: str
    contact: str
    recording: str


@dataclass(frozen=True, slots=True)
class RecordingMissing:
    at: datetime
    call: str
    contact: str
    recording: str
    why: MissingWhy


@dataclass(frozen=True, slots=True)
class RecordingPaused:
    """Nothing of the call is recorded until ``RecordingResumed``; ``recording``, if there was one, ends here."""

    at: datetime
    call: str
    contact: str
    recording: str


@dataclass(frozen=True, slots=True)
class RecordingResumed:
    """What is recorded from now on is a recording of its own."""

    at: datetime
    call: str
    contact: str


RecordingFact = RecordingStarted | RecordingStopped | RecordingMissing | RecordingPaused | RecordingResumed
