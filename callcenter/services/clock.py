"""Time for the engine."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic


class SteadyClock:
    """UTC as it was when we started, carried on by the monotonic clock: durations and order survive steps of the wall clock.

    It does not begin before ``not_before``, the date of what was written last: else a wall clock that was set back while
    we were away would stop every timer until it has caught up.
    """

    def __init__(
        self,
        not_before: datetime | None = None,
        *,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        elapsed: Callable[[], float] = monotonic,
    ) -> None:
        self._began_at = wall() if not_before is None else max(wall(), not_before)
        self._elapsed, self._began = elapsed, elapsed()

    def now(self) -> datetime:
        return self._began_at + timedelta(seconds=self._elapsed() - self._began)
