"""Raw samples become files that play; what is missing is said to be missing."""

import os
import wave
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from callcenter.domain.records import RecordingState
from callcenter.services.recordings import Finished, Unfinished, finish, finish_some

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
SAMPLES = b"\x01\x00\xff\xff" * 8000  # a second: left 1, right -1


def stopped(recording: str = "r1", ago: float = 5, node: str = "ast1") -> Unfinished:
    return Unfinished(recording, node, NOW - timedelta(seconds=ago))


def raw(folder: Path, content: bytes, ago: float = 5, name: str = "r1") -> Path:
    path = folder / f"{name}.raw"
    path.write_bytes(content)
    os.utime(path, (NOW.timestamp() - ago,) * 2)
    return path


def test_raw_samples_become_a_playable_two_channel_file(tmp_path: Path) -> None:
    path = raw(tmp_path, SAMPLES)
    finished = finish({"ast1": tmp_path}, stopped(), NOW)
    assert finished == Finished("r1", RecordingState.FINISHED, file="r1.wav", bytes=32044, seconds=1.0)
    with wave.open(str(tmp_path / "r1.wav")) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (2, 2, 8000)
        assert sound.readframes(10**6) == SAMPLES
    assert not path.exists()


def test_half_a_sample_at_the_end_is_cut(tmp_path: Path) -> None:
    raw(tmp_path, SAMPLES + b"\x01\x00\xff")
    finished = finish({"ast1": tmp_path}, stopped(), NOW)
    assert finished is not None
    assert finished.seconds == 1.0


def test_a_file_that_may_still_be_written_waits(tmp_path: Path) -> None:
    raw(tmp_path, SAMPLES, ago=0.2)
    assert finish({"ast1": tmp_path}, stopped(ago=60), NOW) is None


def test_a_clock_that_was_set_back_holds_up_nothing(tmp_path: Path) -> None:
    """What was stopped and written before that seems to lie in the future."""
    raw(tmp_path, SAMPLES, ago=-3600)
    finished = [finish({"ast1": tmp_path}, stopped(name, ago=-3600), NOW) for name in ("r1", "r2")]
    assert [each and each.state for each in finished] == [RecordingState.FINISHED, RecordingState.MISSING]


def test_finishing_twice_is_finishing_once(tmp_path: Path) -> None:
    raw(tmp_path, SAMPLES)
    first = finish({"ast1": tmp_path}, stopped(), NOW)
    assert finish({"ast1": tmp_path}, stopped(), NOW) == first


def test_killed_between_the_two_files(tmp_path: Path) -> None:
    raw(tmp_path, SAMPLES)
    first = finish({"ast1": tmp_path}, stopped(), NOW)
    raw(tmp_path, SAMPLES)  # as if it had not been deleted yet
    (tmp_path / "r2.wav.partial").write_bytes(b"half")
    raw(tmp_path, SAMPLES, name="r2")
    assert finish({"ast1": tmp_path}, stopped(), NOW) == first
    assert finish({"ast1": tmp_path}, stopped("r2"), NOW) == Finished(
        "r2", RecordingState.FINISHED, file="r2.wav", bytes=32044, seconds=1.0
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r1.wav", "r2.wav"]


@pytest.mark.parametrize(("content", "why"), [(None, "no_file"), (b"", "empty"), (b"\x00\x01", "empty")])
def test_what_is_not_there_is_missing(tmp_path: Path, content: bytes | None, why: str) -> None:
    if content is not None:
        raw(tmp_path, content)
    assert finish({"ast1": tmp_path}, stopped(ago=5), NOW) is None  # it may yet come
    assert finish({"ast1": tmp_path}, stopped(ago=11), NOW) == Finished("r1", RecordingState.MISSING, why=why)


def test_a_node_whose_folder_we_do_not_see_is_left_alone(tmp_path: Path) -> None:
    assert finish({"ast1": tmp_path}, stopped(ago=999, node="ast2"), NOW) is None
    assert finish({"ast1": tmp_path / "gone"}, stopped(ago=999), NOW) is None


@pytest.mark.parametrize("name", ["../r1", "/etc/passwd", "", ".hidden", "a\nb"])
def test_a_name_that_is_no_name_reaches_no_file(tmp_path: Path, name: str) -> None:
    assert finish({"ast1": tmp_path}, stopped(name), NOW) == Finished(name, RecordingState.MISSING, why="refused")


class Shelf:
    """A store of recordings."""

    def __init__(self, *recordings: Unfinished) -> None:
        self.open = {recording.recording_id: recording for recording in recordings}
        self.settled: list[Finished] = []

    async def unfinished(self, limit: int) -> list[Unfinished]:
        return list(self.open.values())[:limit]

    async def settle(self, finished: Sequence[Finished]) -> None:
        self.settled += finished


async def test_one_that_cannot_be_finished_does_not_stop_the_others(tmp_path: Path) -> None:
    raw(tmp_path, SAMPLES, name="r1")
    (tmp_path / "r1.wav.partial").mkdir()  # nothing can be written there
    raw(tmp_path, SAMPLES, name="r2")
    shelf = Shelf(stopped("r1"), stopped("r2"))
    assert await finish_some(shelf, {"ast1": tmp_path}, NOW) == 1
    assert [each.recording_id for each in shelf.settled] == ["r2"]
