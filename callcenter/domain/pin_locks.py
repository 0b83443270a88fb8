"""PINs that were wrong too often are not taken for a while, each time for longer: whoever guesses needs years, not minutes."""

from datetime import datetime, timedelta

from callcenter.domain.facts import HoursPinAccepted, HoursPinRefused
from callcenter.domain.turn import Turn

FREE_TRIES = 3
"""Wrong in a row, over all calls, before it is locked."""
FIRST_LOCK = timedelta(minutes=1)
LONGEST_LOCK = timedelta(hours=24)


def is_locked(turn: Turn, calendar: str) -> bool:
    lock = turn.state.pin_locks.get(calendar)
    return lock is not None and lock.locked_until is not None and turn.now < lock.locked_until


def note(turn: Turn, call: str, calendar: str, *, right: bool) -> None:
    """What came of a try."""
    if right:
        turn.emit(HoursPinAccepted(turn.now, calendar, call))
        return
    lock = turn.state.pin_locks.get(calendar)
    failures = (lock.failures if lock is not None else 0) + 1
    turn.emit(HoursPinRefused(turn.now, calendar, call, failures, locked_until(failures, turn.now)))


def locked_until(failures: int, now: datetime) -> datetime | None:
    """After the free tries a minute, and twice as long after each further one."""
    if failures < FREE_TRIES:
        return None
    doubled = FIRST_LOCK * float(2 ** min(failures - FREE_TRIES, 20))
    return now + min(doubled, LONGEST_LOCK)
