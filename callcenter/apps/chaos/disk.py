"""The disk below the journal: what was synced survives a power cut, what was not may be torn, and it may be full."""

import errno
import fcntl
import os
import random
from collections.abc import Callable
from pathlib import Path

from callcenter.sim.processes import Killed


class Disk:
    """Stands between the journal and a real folder."""

    def __init__(self, dice: random.Random) -> None:
        self.full = False
        self.die_at_write = 0
        """Counts down; at 1 the process dies in that write."""
        self.die: Callable[[], None] = lambda: None
        self._dice = dice
        self._synced: dict[int, int] = {}
        """By inode: bytes that survive a power cut."""

    def write(self, fd: int, content: bytes) -> int:
        """As ``os.write``. Raises OSError, Killed."""
        if self.full:
            fits = self._dice.randrange(len(content)) if self._dice.random() < 0.5 else 0
            if not fits:
                raise OSError(errno.ENOSPC, "No space left on device")
            return os.write(fd, content[:fits])
        if self.die_at_write:
            self.die_at_write -= 1
            if not self.die_at_write:
                os.write(fd, content[: self._dice.choice((0, 1, len(content) // 2, len(content) - 1, len(content)))])
                self.die()
                raise Killed
        return os.write(fd, content)

    def sync(self, fd: int) -> None:
        """As ``os.fdatasync``."""
        found = os.fstat(fd)
        self._synced[found.st_ino] = found.st_size

    def lose_power(self, folder: Path) -> None:
        """Of what was not synced, any beginning may be there afterwards, and its last bytes may be garbage."""
        for segment in sorted(folder.glob("*.segment")):
            found = segment.stat()
            kept = self._synced.get(found.st_ino, 0)
            lost = found.st_size - kept
            if lost <= 0:
                continue
            survives = kept + self._dice.randrange(lost + 1)
            with segment.open("r+b") as file:
                file.truncate(survives)
                if survives > kept and self._dice.random() < 0.3:
                    garbage = min(self._dice.randrange(1, 9), survives - kept)
                    file.seek(survives - garbage)
                    file.write(bytes(garbage))
            if not survives:
                segment.unlink()

    def close_files_of(self, folder: Path, *, writers: bool) -> None:
        """What the kernel does for a process that is gone."""
        for name in os.listdir("/proc/self/fd"):
            try:
                fd, target = int(name), os.readlink(f"/proc/self/fd/{name}")
                writes = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY
            except OSError:
                continue
            if target.startswith(str(folder)) and writes is writers:
                os.close(fd)
