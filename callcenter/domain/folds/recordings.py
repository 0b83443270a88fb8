"""What facts of recordings change."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from callcenter.domain import facts as f

if TYPE_CHECKING:
    from callcenter.domain.state import State


def recording_started(state: "State", fact: f.RecordingStarted) -> None:
    state.calls[fact.call].recording = fact.recording


def recording_stopped(state: "State", fact: f.RecordingStopped) -> None:
    state.calls[fact.call].recording = ""


def recording_missing(state: "State", fact: f.RecordingMissing) -> None:
    if fact.call in state.calls:
        state.calls[fact.call].recording = ""


def recording_paused(state: "State", fact: f.RecordingPaused) -> None:
    state.calls[fact.call].paused = True


def recording_resumed(state: "State", fact: f.RecordingResumed) -> None:
    state.calls[fact.call].paused = False


FOLDS: Mapping[type, Callable[..., None]] = {
    f.RecordingStarted: recording_started,
    f.RecordingStopped: recording_stopped,
    f.RecordingMissing: recording_missing,
    f.RecordingPaused: recording_paused,
    f.RecordingResumed: recording_resumed,
}
