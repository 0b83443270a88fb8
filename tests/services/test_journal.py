"""The journal keeps every record through torn writes, flipped bits, kill -9 and a full disk."""

import asyncio
import errno
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from callcenter.domain.events import Cause
from callcenter.domain.facts import CallEnded
from callcenter.services.fact_codec import load
from callcenter.services.journal import Journal, JournalError, JournalFull, JournalLocked
from callcenter.services.journal_reader import JournalReader
from callcenter.services.journal_records import scan, segments

AT = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def ended(call: str) -> CallEnded:
    return CallEnded(AT, call, Cause.NORMAL)


def calls_in(folder: Path) -> list[str]:
    reader = JournalReader(folder)
    calls = [fact.call for record in reader.read_all() for fact in load(record.payload) if isinstance(fact, CallEnded)]
    reader.close()
    return calls


def fill(folder: Path, count: int, **options: object) -> None:
    journal = Journal(folder, **options)  # type: ignore[arg-type]
    for number in range(count):
        journal.append([ended(f"call-{number}")])
    journal.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def test_what_is_appended_is_read_back_in_order(folder: Path) -> None:
    journal = Journal(folder)
    assert journal.append([ended("a"), ended("b")]) == 1
    assert journal.append([ended("c")]) == 2
    journal.close()
    assert [(record.seq, len(load(record.payload))) for record in JournalReader(folder).read_all()] == [(1, 2), (2, 1)]


def test_numbers_and_id_go_on_after_a_restart(folder: Path) -> None:
    first = Journal(folder)
    first.append([ended("a")])
    first.close()
    second = Journal(folder)
    assert second.id == first.id == JournalReader(folder).journal
    assert second.append([ended("b")]) == 2
    second.close()
    assert calls_in(folder) == ["a", "b"]


def test_after_a_restart_of_the_machine_no_number_is_used_twice(folder: Path) -> None:
    fill(folder, 3)
    identity = folder / "journal.json"
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    identity.write_text(identity.read_text().replace(boot, "another"))
    Journal(folder).close()  # killed again before it wrote anything
    journal = Journal(folder)
    assert 1_000_003 < journal.append([ended("x")]) < 2_000_000
    journal.close()
    assert calls_in(folder) == ["call-0", "call-1", "call-2", "x"]


def test_a_second_engine_is_kept_out(folder: Path) -> None:
    journal = Journal(folder)
    with pytest.raises(JournalLocked, match=str(os.getpid())):
        Journal(folder)
    journal.close()
    Journal(folder).close()


def test_segments_without_identity_are_refused(folder: Path) -> None:
    fill(folder, 1)
    (folder / "journal.json").unlink()
    with pytest.raises(JournalError, match=r"journal\.json"):
        Journal(folder)


def test_segments_are_sealed_by_size(folder: Path) -> None:
    fill(folder, 50, segment_bytes=1000)
    assert len(segments(folder)) > 5
    assert calls_in(folder) == [f"call-{number}" for number in range(50)]


def test_segments_are_sealed_by_age(folder: Path) -> None:
    fill(folder, 3, segment_age=timedelta(0))
    assert len(segments(folder)) == 3
    assert calls_in(folder) == ["call-0", "call-1", "call-2"]


@pytest.mark.parametrize("from_seq", [1, 2, 17, 50, 51])
def test_a_reader_begins_where_it_is_told(folder: Path, from_seq: int) -> None:
    fill(folder, 50, segment_bytes=1000)
    assert [record.seq for record in JournalReader(folder, from_seq).read_all()] == list(range(from_seq, 51))


def test_a_reader_takes_no_more_than_its_limit(folder: Path) -> None:
    fill(folder, 50, segment_bytes=1000)
    reader = JournalReader(folder)
    batches = list(iter(lambda: reader.read(7), []))
    assert [record.seq for batch in batches for record in batch] == list(range(1, 51))
    assert max(map(len, batches)) <= 7
    assert reader.last_seq() == 50


# --- damage -----------------------------------------------------------------------------------------


def test_a_torn_tail_is_cut_at_every_byte(folder: Path) -> None:
    fill(folder, 6)
    (segment,) = segments(folder)
    whole = segment.read_bytes()
    ends = [0, *(end for end, _ in scan(whole)[0])]
    for cut in range(ends[3], len(whole)):
        for path in segments(folder):
            path.unlink()
        segment.write_bytes(whole[:cut])
        # A record that lacks nothing but its line break is whole.
        intact = sum(end - 1 <= cut for end in ends[1:])
        journal = Journal(folder)
        journal.append([ended("after")])
        journal.close()
        assert calls_in(folder) == [f"call-{number}" for number in range(intact)] + ["after"], cut


def test_a_flipped_bit_costs_at_most_its_own_record(folder: Path) -> None:
    fill(folder, 12)
    (segment,) = segments(folder)
    whole = segment.read_bytes()
    ends = [end for end, _ in scan(whole)[0]]
    chance = random.Random(7)
    for _ in range(1000):
        bit = chance.randrange(len(whole) * 8)
        hurt = bytearray(whole)
        hurt[bit // 8] ^= 1 << bit % 8
        segment.write_bytes(hurt)
        struck = sum(end <= bit // 8 for end in ends)
        calls = calls_in_sealed(folder)
        expected = [f"call-{number}" for number in range(12)]
        if bit // 8 != ends[struck] - 1:  # the line break itself costs nothing
            assert expected.pop(struck) not in calls
        assert calls == expected, bit


def calls_in_sealed(folder: Path) -> list[str]:
    """As ``calls_in``, with a newer segment behind, so that nobody waits for a write to end."""
    newer = folder / f"{10**6:020d}.segment"
    newer.touch()
    return calls_in(folder)


def test_damage_is_kept_aside(folder: Path) -> None:
    fill(folder, 3)
    (segment,) = segments(folder)
    segment.write_bytes(segment.read_bytes().replace(b'"call-1"', b'"call-X"'))
    journal = Journal(folder)
    journal.close()
    assert calls_in(folder) == ["call-0", "call-2"]
    (side,) = (folder / "quarantine").iterdir()
    assert b"call-X" in side.read_bytes()


def test_a_reader_waits_for_the_end_of_a_write(folder: Path) -> None:
    fill(folder, 3)
    (segment,) = segments(folder)
    whole = segment.read_bytes()
    first = scan(whole)[0][0][0]
    segment.write_bytes(whole[: first + 20])
    reader = JournalReader(folder)
    assert [record.seq for record in reader.read()] == [1]
    assert reader.read() == []
    segment.write_bytes(whole[:-1])
    assert [record.seq for record in reader.read()] == [2]
    segment.write_bytes(whole)
    assert [record.seq for record in reader.read()] == [3]
    assert reader.quarantined == 0


def test_damage_in_the_open_segment_does_not_stop_a_reader(folder: Path) -> None:
    fill(folder, 3)
    (segment,) = segments(folder)
    segment.write_bytes(segment.read_bytes().replace(b'"call-1"', b'"call-X"'))
    reader = JournalReader(folder)
    seen = [record.seq for _ in range(3) for record in reader.read()]
    assert seen == [1, 3]
    assert reader.quarantined == 1


# --- kill -9 ----------------------------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
from tests.services.test_journal import ended
from callcenter.services.journal import Journal
journal = Journal(Path(sys.argv[1]), segment_bytes=20_000)
for number in range(int(sys.argv[2]), 10**9):
    journal.append([ended(f"call-{number}")] * 3)
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


def test_what_was_appended_survives_kill_9_of_the_writer(folder: Path) -> None:
    done = -1
    for life in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder), str(done + 1)], stdout=subprocess.PIPE, cwd=Path(__file__).parent.parent.parent
        ) as child:
            assert child.stdout
            for _ in range(100 + 37 * life):
                done = int(child.stdout.readline())
            os.kill(child.pid, signal.SIGKILL)
            done = max([done, *map(int, child.stdout.read().split())])
        Journal(folder).close()
        calls = calls_in(folder)[::3]
        assert calls[: done + 1] == [f"call-{number}" for number in range(done + 1)]
        # Killed between the write and the word about it: one more is there.
        done = len(calls) - 1
        assert calls == [f"call-{number}" for number in range(done + 1)]


async def test_a_reader_follows_a_writer_in_another_process(folder: Path) -> None:
    with subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", WRITER, str(folder), "0"], stdout=subprocess.DEVNULL, cwd=Path(__file__).parent.parent.parent
    ) as child:
        seqs: list[int] = []
        async for batch in JournalReader(folder).tail(poll=0.01):
            seqs += [record.seq for record in batch]
            if len(seqs) > 5000:
                break
        child.kill()
    assert seqs == list(range(1, len(seqs) + 1))
    assert len(segments(folder)) > 3


# --- fsync ------------------------------------------------------------------------------------------


async def test_sync_returns_when_all_is_on_disk(folder: Path) -> None:
    journal = Journal(folder, segment_bytes=300, sync_after=3600)
    for number in range(10):
        journal.append([ended(f"call-{number}")])
    assert journal.health().synced_seq == 0
    await asyncio.gather(*(journal.sync() for _ in range(20)))
    assert journal.health().synced_seq == 10
    journal.close()


async def test_without_being_asked_it_syncs_soon(folder: Path) -> None:
    journal = Journal(folder)
    seq = journal.append([ended("a")])
    async with asyncio.timeout(10):
        while journal.health().synced_seq < seq:
            await asyncio.sleep(0.005)
    journal.close()


# --- a full disk ------------------------------------------------------------------------------------


class Disk:
    """Takes ``room`` bytes, then is full."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, fd: int, content: bytes) -> int:
        if self.room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = os.write(fd, content[: self.room])
        self.room -= written
        return written


@pytest.fixture
def open_on(folder: Path) -> Callable[[Disk, int], Journal]:
    return lambda disk, most_held: Journal(folder, most_held=most_held, write=disk.write)


async def test_on_a_full_disk_records_are_held_and_written_later(folder: Path, open_on: Callable[[Disk, int], Journal]) -> None:
    disk = Disk(room=250)
    journal = open_on(disk, 1000)
    for number in range(100):
        journal.append([ended(f"call-{number}")])
    assert journal.health().held > 90
    assert journal.health().trouble == "the disk is full"
    with pytest.raises(JournalFull):
        await journal.sync()
    disk.room = 10**9
    async with asyncio.timeout(10):
        while journal.health().held:
            await asyncio.sleep(0.01)
    await journal.sync()
    assert journal.health().lost == 0
    assert journal.health().trouble == ""
    journal.close()
    assert calls_in(folder) == [f"call-{number}" for number in range(100)]


def test_what_no_longer_fits_into_memory_is_counted(folder: Path, open_on: Callable[[Disk, int], Journal]) -> None:
    disk = Disk(room=0)
    journal = open_on(disk, 10)
    for number in range(30):
        journal.append([ended(f"call-{number}")])
    assert journal.health().lost == 20
    disk.room = 10**9
    journal.close()
    assert calls_in(folder) == [f"call-{number}" for number in range(20, 30)]


def test_giving_up_held_records_is_said(open_on: Callable[[Disk, int], Journal]) -> None:
    journal = open_on(Disk(room=0), 10)
    journal.append([ended("a")])
    with pytest.raises(JournalFull, match="1 records"):
        journal.close()


def test_a_full_disk_does_not_keep_an_engine_from_starting(folder: Path) -> None:
    fill(folder, 1)
    before = (folder / "journal.json").stat().st_mtime_ns
    Journal(folder).close()
    assert (folder / "journal.json").stat().st_mtime_ns == before  # nothing is written that is there already


# --- checkpoints ------------------------------------------------------------------------------------


def test_the_latest_intact_checkpoint_counts(folder: Path) -> None:
    journal = Journal(folder)
    assert journal.latest_checkpoint() is None
    for seq in (5, 9, 12):
        journal.write_checkpoint(seq, {"agents": [str(seq)]})
    assert journal.latest_checkpoint() == (12, {"agents": ["12"]})
    newest = max(folder.glob("checkpoint-*.json"))
    newest.write_bytes(newest.read_bytes().replace(b'"12"', b'"13"'))
    assert journal.latest_checkpoint() == (9, {"agents": ["9"]})
    journal.close()


def test_records_after_a_checkpoint_have_higher_numbers(folder: Path) -> None:
    journal = Journal(folder)
    journal.append([ended("a")])
    journal.write_checkpoint(1, {})
    journal.close()
    for path in segments(folder):  # a power cut took them
        path.unlink()
    journal = Journal(folder)
    assert journal.append([ended("b")]) == 2
    assert [record.seq for record in journal.read_all(after=1)] == [2]
    journal.close()


def test_what_a_killed_engine_did_not_sync_is_synced_by_the_next_one(folder: Path) -> None:
    """Its records count as safe from then on, and they may lie in several segments."""
    killed = Journal(folder, segment_bytes=300, sync_after=3600)
    for number in range(10):
        killed.append([ended(f"call-{number}")])
    os.close(killed._lock)  # as the kernel does when the process is gone
    synced: set[str] = set()
    Journal(folder, sync=lambda fd: synced.add(os.readlink(f"/proc/self/fd/{fd}"))).close()
    assert len(segments(folder)) > 2
    assert {str(path) for path in segments(folder)} <= synced
