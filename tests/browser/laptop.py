"""The machine that a test's Chromium runs on, as far as it can be taken away from it: it sleeps, or has no network."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def asleep() -> Iterator[None]:
    """All of Chromium stands still: no timer runs, no packet is sent or read, and nobody says goodbye."""
    with _stopped(_chromium()):
        yield


@contextmanager
def no_network() -> Iterator[None]:
    """The page runs on, and nothing comes or goes: Chromium's network process, which has all its sockets, stands still."""
    with _stopped([process for process in _chromium() if b"network.mojom.NetworkService" in _command(process)]):
        yield


@contextmanager
def _stopped(processes: list[int]) -> Iterator[None]:
    assert processes, "no Chromium of ours runs"
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def _chromium() -> list[int]:
    """Those that this process has started, by way of Playwright."""
    parents = {int(folder.name): _parent(folder) for folder in Path("/proc").iterdir() if folder.name.isdigit()}
    ours = {os.getpid()}
    while more := {process for process, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return [process for process in sorted(ours) if b"chromium" in _command(process)]


def _parent(folder: Path) -> int:
    try:
        return int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it has ended meanwhile


def _command(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
