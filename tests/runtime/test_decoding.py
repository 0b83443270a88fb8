"""Recordings nobody vouches for: good ones are read whatever their kind, all others are refused in a sentence; nothing else happens."""

import array
import math
import os
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from callcenter.runtime import decoding, transcoding
from callcenter.runtime.audio import WIDE, AudioError
from callcenter.runtime.decoding import decoded


def wav(content: bytes, coding: int = 1, channels: int = 1, rate: int = 16_000, bits: int = 16, claimed: int | None = None) -> bytes:
    """A WAV file whose header may lie about the length of its samples."""
    width = channels * bits // 8
    form = struct.pack("<HHIIHH", coding, channels, rate, rate * width % 2**32, width, bits)
    data = struct.pack("<I", len(content) if claimed is None else claimed) + content
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"LIST" + struct.pack("<I", 3) + b"abc\0" + b"data" + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def tone(rate: int, seconds: float = 0.5) -> list[float]:
    return [math.sin(2 * math.pi * 1000 * index / rate) / 2 for index in range(int(rate * seconds))]


def read(tmp_path: Path, content: bytes) -> "array.array[int]":
    file = tmp_path / "recording.wav"
    file.write_bytes(content)
    return decoded(file)


def loudness(samples: "array.array[int]") -> float:
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples))


KINDS = {
    "8 bit": wav(bytes(int(128 + 127 * value) for value in tone(16_000)), bits=8),
    "16 bit": wav(array.array("h", [int(32767 * value) for value in tone(16_000)]).tobytes()),
    "24 bit": wav(b"".join(int(8_388_607 * value).to_bytes(3, "little", signed=True) for value in tone(16_000)), bits=24),
    "32 bit": wav(array.array("i", [int(2_147_483_647 * value) for value in tone(16_000)]).tobytes(), bits=32),
    "float": wav(array.array("f", tone(16_000)).tobytes(), coding=3, bits=32),
    "stereo, 44.1 kHz": wav(
        array.array("h", [int(32767 * value) for value in tone(44_100) for _ in range(2)]).tobytes(), channels=2, rate=44_100
    ),
    "the header promises more": wav(array.array("h", [int(32767 * value) for value in tone(16_000)]).tobytes(), claimed=0xFFFFFFFF),
}


@pytest.mark.parametrize("kind", KINDS)
def test_wav_files_of_all_kinds_are_read(tmp_path: Path, kind: str) -> None:
    samples = read(tmp_path, KINDS[kind])
    assert abs(len(samples) - WIDE // 2) <= 1
    assert loudness(samples) == pytest.approx(32767 / 2 / math.sqrt(2), rel=0.02)


def test_a_telephone_s_own_coding_is_read(tmp_path: Path) -> None:
    assert max(read(tmp_path, wav(bytes([0x80, 0x00] * 4000), coding=7, rate=8000, bits=8))) == 32_124  # G.711's largest
    assert max(read(tmp_path, wav(bytes([0xAA, 0x2A] * 4000), coding=6, rate=8000, bits=8))) == 32_256


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is not a WAV file; save it as WAV"),
        (b"\0\0\0\x20ftypM4A " + bytes(100), "is not a WAV file, but MP4; save it as WAV"),
        (b"#!/bin/sh\nrm -rf /\n", "is not a WAV file; save it as WAV"),
        (b"RIFF\0\0\0\0WAVE", "there are no samples in it"),
        (b"RIFF\0\0\0\0WAVEdata\x04\0\0\0abcd", "its samples come before their format"),
        (b"RIFF\0\0\0\0WAVEfmt \x02\0\0\0ab", "its format is cut off"),
        (b"RIFF\0\0\0\0WAVEfmt \xff\xff\xff\xff" + bytes(80), "is coded in a way we do not read"),
        (wav(b"", coding=2), r"is coded in a way we do not read \(WAV format 2 of 16 bit\)"),
        (wav(bytes(64), channels=0), "must have 1 to 8 channels, but has 0"),
        (wav(bytes(64), channels=9), "must have 1 to 8 channels, but has 9"),
        (wav(bytes(64), rate=0), "must have 4000 to 192000 samples a second, but has 0"),
        (wav(bytes(64), rate=4_000_000_000), "must have 4000 to 192000 samples a second, but has 4000000000"),
        (wav(b""), "has no sound in it"),
        (wav(bytes(2 * 4000 * 301), rate=4000), "is longer than 300 seconds"),
    ],
)
def test_what_is_no_recording_is_refused_in_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(AudioError, match=sentence):
        read(tmp_path, content)


def test_what_is_too_large_is_not_even_opened_by_the_decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_run", lambda *given: pytest.fail("the decoder was started"))
    with (tmp_path / "recording.wav").open("wb") as file:
        file.truncate(decoding.MOST_BYTES + 1)
    with pytest.raises(AudioError, match="is larger than 64 MiB"):
        decoded(tmp_path / "recording.wav")


@pytest.mark.parametrize("what", ["a folder", "a pipe", "nothing", "a device"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, what: str) -> None:
    place = tmp_path / "recording.wav"
    if what == "a folder":
        place.mkdir()
    elif what == "a pipe":
        os.mkfifo(place)
    elif what == "a device":
        place.symlink_to("/dev/zero")
    with pytest.raises(AudioError, match=r"is not a file|cannot be read"):
        decoded(place)


TRICKED = """
import os, sys
from callcenter.runtime import decode_child

def misuse(file, longest_s):
    done = []
    for name, what in {
        "open": lambda: open("/etc/passwd"),
        "write": lambda: open("/tmp/callcenter-misused", "w"),
        "socket": lambda: __import__("_socket").socket(),
        "fork": lambda: os._exit(0) if os.fork() == 0 else None,
        "exec": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        "large file": lambda: os.write(1, bytes(1 << 26)) > 1 << 25 and done.append("it was written"),
        "memory": lambda: bytearray(1 << 31),
        "root": lambda: done.append("is root") if os.geteuid() == 0 else None,
        "limits": lambda: __import__("resource").setrlimit(7, (100, 100)),
    }.items():
        try:
            what()
            if name in ("open", "write", "socket", "memory", "limits"):
                done.append(name)
        except (OSError, MemoryError, ValueError):
            pass
    sys.stderr.write("misused: " + ", ".join(done))
    sys.exit(0)

decode_child.read_wav = misuse
sys.argv = ["decode_child", "300"]
decode_child.main()
"""


def test_a_decoder_that_was_tricked_can_open_nothing_connect_nowhere_and_take_no_more_than_its_share(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out:
        child = subprocess.run(
            [sys.executable, "-c", TRICKED],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert child.stderr == "misused: "
    assert (tmp_path / "out").stat().st_size <= 1 << 25
    assert not Path("/tmp/callcenter-misused").exists()


def test_a_decoder_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "WITHIN_S", 0.01)
    with pytest.raises(AudioError, match=r"took longer than 0\.01 seconds"):
        read(tmp_path, KINDS["16 bit"])


# --- other formats, by a decoder of the machine --------------------------------------------------


def decoder(folder: Path, script: str, name: str = "ffmpeg") -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs, beside the sandbox and nothing else."""
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "bwrap").symlink_to(shutil.which("bwrap") or pytest.fail("bubblewrap is part of the set-up"))
    monkeypatch.setenv("PATH", str(folder))
    return folder


MAGIC = {"MP3": b"ID3\x04", "FLAC": b"fLaC", "Ogg Vorbis": b"OggS" + bytes(24) + b"\x01vorbis", "Opus": b"OggS" + bytes(24) + b"OpusHead"}
TONE = wav(array.array("h", [int(32767 * value) for value in tone(16_000)]).tobytes())


@pytest.mark.parametrize("name", MAGIC)
def test_what_a_decoder_makes_of_other_formats_is_read(tmp_path: Path, programs: Path, name: str) -> None:
    decoder(programs, f"exec tail -c +{len(MAGIC[name]) + 1}")
    assert abs(len(read(tmp_path, MAGIC[name] + TONE)) - WIDE // 2) <= 1


@pytest.mark.parametrize("name", MAGIC)
def test_without_a_decoder_it_is_said_which_ones_there_are(tmp_path: Path, programs: Path, name: str) -> None:
    with pytest.raises(
        AudioError, match=f"is {name}, which needs a decoder: install ffmpeg, or sox with libsox-fmt-all, or save it as WAV"
    ):
        read(tmp_path, MAGIC[name] + TONE)


def test_without_a_sandbox_no_decoder_is_run(tmp_path: Path, programs: Path) -> None:
    (programs / "bwrap").unlink()
    decoder(programs, "exec tail -c +5")
    with pytest.raises(AudioError, match="is FLAC, whose decoder is run in a sandbox only: install bubblewrap"):
        read(tmp_path, b"fLaC" + TONE)


def test_what_one_decoder_cannot_read_is_given_to_the_next(tmp_path: Path, programs: Path) -> None:
    decoder(programs, "exit 1")
    with pytest.raises(AudioError, match="is FLAC that ffmpeg cannot read"):
        read(tmp_path, b"fLaC" + TONE)
    decoder(programs, "exec tail -c +5", "sox")
    assert read(tmp_path, b"fLaC" + TONE)


@pytest.mark.parametrize(
    "misuse",
    [
        "cat /etc/passwd",
        "ls {folder}",
        "echo x > {folder}/misused",
        "echo x > /usr/misused",
        "exec 3<>/dev/tcp/127.0.0.1/{port}",
        "[ $(id -u) = 0 ]",
        "ls /proc/1",
        'test -n "$SECRET"',
        "mount -t tmpfs none /usr",
    ],
)
def test_a_decoder_that_was_tricked_can_do_nothing(tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch, misuse: str) -> None:
    monkeypatch.setenv("SECRET", "s3cret")
    with socket.create_server(("127.0.0.1", 0)) as server:
        attempt = misuse.format(folder=tmp_path, port=server.getsockname()[1])
        decoder(programs, f"if /bin/bash -c '{attempt}' >/dev/null 2>&1; then exit 1; fi\nexec tail -c +5")
        assert read(tmp_path, b"fLaC" + TONE), f"it could: {misuse}"
    assert not (tmp_path / "misused").exists()


def test_a_decoder_that_never_ends_or_has_no_end_is_stopped(tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcoding, "WITHIN_S", 1.0)
    for script in ("exec sleep 60", "exec cat /dev/zero"):
        decoder(programs, script)
        with pytest.raises(AudioError, match="is FLAC that ffmpeg cannot read"):
            read(tmp_path, b"fLaC" + TONE)


def test_a_wav_bomb_of_a_decoder_is_refused_like_any_other(tmp_path: Path, programs: Path) -> None:
    decoder(programs, "tail -c +5; head -c 20000000 /dev/zero")
    with pytest.raises(AudioError, match="is longer than 300 seconds"):
        read(tmp_path, b"fLaC" + wav(b"", claimed=0xFFFFFFFF))


def test_headers_tell_formats_apart() -> None:
    assert transcoding.format_of(b"\xff\xfb\x90\x64") is transcoding.MP3
    assert transcoding.format_of(b"\xff\xfe") is None
    assert transcoding.format_of(b"OggS" + bytes(60)) is None
    assert transcoding.format_of(b"\xff") is None
    assert transcoding.format_of(b"") is None
