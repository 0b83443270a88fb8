"""The audio of messages: taken in once, kept whole, destroyed everywhere."""

import os
import wave
from array import array
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from callcenter.services.voicemail_audio import Awaited, TakenIn, destroy_some, kept_file, peaks, take_in, take_in_some

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
HALF_LOUD = [0] * 4000 + [16384, -16384] * 2000


class Places:
    """Two nodes, the first of which has recorded m1; and our folder."""

    def __init__(self, root: Path) -> None:
        self.nodes = {name: root / name for name in ("node1", "node2")}
        self.kept = root / "voicemail"
        for folder in (*self.nodes.values(), self.kept):
            folder.mkdir()

    def record(self, samples: Sequence[int], ago: float = 5, message: str = "m1") -> Path:
        path = self.nodes["node1"] / f"voicemail-{message}.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(array("h", samples).tobytes())
        os.utime(path, (NOW.timestamp() - ago,) * 2)
        return path

    def files(self) -> list[str]:
        return sorted(str(path.relative_to(self.kept.parent)) for path in self.kept.parent.rglob("*") if path.is_file())


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


def awaited(ago: float = 5, message: str = "m1") -> Awaited:
    return Awaited(message, "node1", NOW - timedelta(seconds=ago))


def test_a_message_is_kept_and_every_node_can_play_it(places: Places) -> None:
    source = places.record(HALF_LOUD)
    taken = take_in(places.nodes, places.kept, awaited(), NOW)
    assert taken is not None
    assert (taken.seconds, taken.bytes) == (1.0, 16044)
    assert taken.peaks == (0,) * 50 + (50,) * 50
    assert places.files() == ["node1/voicemail-m1.wav", "node2/voicemail-m1.wav", "voicemail/m1.wav"]
    assert kept_file(places.kept, "m1").read_bytes() == source.read_bytes()
    assert take_in(places.nodes, places.kept, awaited(), NOW) == taken, "once more changes nothing"


def test_what_is_still_being_written_waits_and_what_never_came_is_missing(places: Places) -> None:
    places.record(HALF_LOUD, ago=0.3)
    assert take_in(places.nodes, places.kept, awaited(), NOW) is None
    assert take_in(places.nodes, places.kept, awaited(5, "m2"), NOW) is None
    assert take_in(places.nodes, places.kept, awaited(31, "m2"), NOW) == TakenIn("m2")


def test_garbage_is_missing_and_an_id_is_no_path(places: Places) -> None:
    path = places.nodes["node1"] / "voicemail-m1.wav"
    path.write_bytes(b"RIFF....WAVEjunk")
    os.utime(path, (0, 0))
    assert take_in(places.nodes, places.kept, awaited(), NOW) == TakenIn("m1")
    for name in ("../m1", "a/b", "", ".x"):
        with pytest.raises(ValueError, match="not a message"):
            kept_file(places.kept, name)


def test_a_waveform_is_small_whatever_the_length() -> None:
    assert peaks([]) == ()
    assert peaks([-32768] * 3) == (100, 100, 100)
    assert len(peaks([1] * 100_001)) == 100


class Store:
    def __init__(self, awaiting: Sequence[Awaited] = (), unwanted: Sequence[str] = ()) -> None:
        self._awaiting, self._unwanted = awaiting, unwanted
        self.taken: list[TakenIn] = []
        self.gone: list[str] = []

    async def awaited(self, nodes: Sequence[str], limit: int) -> Sequence[Awaited]:
        return self._awaiting

    async def taken_in(self, taken: Sequence[TakenIn]) -> None:
        self.taken += taken

    async def unwanted(self, limit: int) -> Sequence[str]:
        return self._unwanted

    async def destroyed(self, messages: Sequence[str]) -> None:
        self.gone += messages


async def test_a_full_disk_is_tried_again_later(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    places.record(HALF_LOUD)
    store = Store([awaited()])
    with monkeypatch.context() as broken:
        broken.setattr(os, "link", full)
        broken.setattr("shutil.copyfile", full)
        assert await take_in_some(store, places.nodes, places.kept, NOW) == 0
    assert store.taken == []
    assert await take_in_some(store, places.nodes, places.kept, NOW) == 1


async def test_what_is_destroyed_is_gone_everywhere_unless_a_disk_is_not_there(places: Places) -> None:
    places.record(HALF_LOUD)
    take_in(places.nodes, places.kept, awaited(), NOW)
    store = Store(unwanted=["m1"])
    elsewhere = {**places.nodes, "node3": places.kept / "not-mounted"}
    assert await destroy_some(store, elsewhere, places.kept) == 0
    assert await destroy_some(store, places.nodes, places.kept) == 1
    assert (places.files(), store.gone) == ([], ["m1"])
