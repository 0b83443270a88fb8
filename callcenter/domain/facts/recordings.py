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


RecordingFact = RecordingStarted | RecordingStopped | RecordingMissing
