"""Time for the engine."""

from datetime import UTC, datetime, timedelta
from time import monotonic


class SteadyClock:
    """UTC as it was when we started, carried on by the monotonic clock: durations and order survive steps of the wall clock."""

    def __init__(self) -> None:
        self._began_at = datetime.now(UTC)
        self._began = monotonic()

    def now(self) -> datetime:
        return self._began_at + timedelta(seconds=monotonic() - self._began)
