"""Time for the engine."""

from datetime import UTC, datetime, timedelta
from time import monotonic


class SteadyClock:
    """UTC as it was when we started, carried on by the monotonic clock: durations and order survive steps of the wall clock.

    It does not begin before ``not_before``, the date of what was written last: else a wall clock that was set back while
    we were away would stop every timer until it has caught up.
    """

    def __init__(self, not_before: datetime | None = None) -> None:
        self._began_at = datetime.now(UTC) if not_before is None else max(datetime.now(UTC), not_before)
        self._began = monotonic()

    def now(self) -> datetime:
        return self._began_at + timedelta(seconds=monotonic() - self._began)
