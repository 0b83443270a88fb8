"""CPU time that processes have used, from /proc."""

import os
from pathlib import Path

_PER_TICK = 1000.0 / os.sysconf("SC_CLK_TCK")


def cpu_ms(pid: int, *, with_children: bool = False) -> float:
    """User and system time of all threads of a process so far, in milliseconds; 0 when it is gone.

    ``with_children`` adds those of its children, living and ended: PostgreSQL has one process per connection.
    """
    own = _times(pid)
    if own is None:
        return 0.0
    if not with_children:
        return sum(own[:2]) * _PER_TICK
    return sum(own) * _PER_TICK + sum(cpu_ms(child, with_children=True) for child in _children(pid))


def _times(pid: int) -> tuple[int, int, int, int] | None:
    """utime, stime, cutime and cstime, in ticks: fields 14 to 17 of proc(5)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[11]), int(fields[12]), int(fields[13]), int(fields[14])


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
