"""A process that may outlive whoever started it, known by pid and start time."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path


def _started(pid: int) -> int | None:
    """When the kernel started it, in clock ticks since boot; None when there is no such process, or a zombie is left of it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


@dataclass(frozen=True, slots=True)
class Process:
    """One process, not its pid: a pid that is used again belongs to another Process."""

    pid: int
    started: int
    boot: str
    spawned: "subprocess.Popen[bytes] | None" = None
    """What we must reap, when it is our own child."""

    @classmethod
    def of(cls, pid: int, spawned: "subprocess.Popen[bytes] | None" = None) -> "Process | None":
        """The process that has this pid now."""
        started = _started(pid)
        return None if started is None else cls(pid, started, _boot(), spawned)

    @classmethod
    def read(cls, file: Path) -> "Process | None":
        """The process that somebody wrote down, if it still runs."""
        try:
            noted = json.loads(file.read_text())
            process = cls(int(noted["pid"]), int(noted["started"]), str(noted["boot"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return process if process.boot == _boot() and process.is_running() else None

    def write(self, file: Path) -> None:
        """Write it down for whoever comes after us."""
        temporary = file.with_name(f".{file.name}.new")
        temporary.unlink(missing_ok=True)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        with os.fdopen(handle, "w") as stream:
            json.dump({"pid": self.pid, "started": self.started, "boot": self.boot}, stream)
        os.replace(temporary, file)

    def is_running(self) -> bool:
        if self.spawned is not None:
            self.spawned.poll()
        return _started(self.pid) == self.started

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when it has ended."""
        with contextlib.suppress(ProcessLookupError):
            handle = os.pidfd_open(self.pid)
            try:
                if self.is_running():  # asked after the handle is ours, so that it cannot be another process's
                    signal.pidfd_send_signal(handle, number)
            finally:
                os.close(handle)

    async def ended(self, within: float) -> bool:
        """Wait until it has ended; False when it still runs after ``within`` seconds."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            if not self.is_running():
                return True
            loop = asyncio.get_running_loop()
            gone = asyncio.Event()
            loop.add_reader(handle, gone.set)
            try:
                async with asyncio.timeout(within):
                    await gone.wait()
            except TimeoutError:
                return False
            finally:
                loop.remove_reader(handle)
        finally:
            os.close(handle)
        return True

    async def end(self, within: float) -> None:
        """Ask it to end, and end it when it does not within ``within`` seconds."""
        self.send(signal.SIGTERM)
        if not await self.ended(within):
            self.send(signal.SIGKILL)
            await self.ended(within)
        if self.spawned is not None:
            await asyncio.to_thread(self.spawned.wait)
