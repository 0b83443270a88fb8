"""The last good content of each imported calendar, kept in the data folder: others renew those files, and may lose or break them.

Only the engine keeps copies, of what it goes by; everybody else may fall back on them.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from callcenter.domain.hours_plan import Layer
from callcenter.runtime.calendar_import import IcsError, content, layer_of
from callcenter.runtime.whole_files import write_whole

FOLDER = "calendars"


@dataclass(frozen=True, slots=True)
class Import:
    """One ICS file of a calendar, and the dates it is asked about."""

    file: Path
    zone: ZoneInfo
    first: date
    last: date
    means_open: bool

    def layer(self, raw: bytes) -> Layer:
        """Raises IcsError."""
        return layer_of(raw, self.zone, self.first, self.last, means_open=self.means_open)


@dataclass(frozen=True, slots=True)
class Imported:
    """What is gone by."""

    layer: Layer
    warning: str = ""
    """Why it is not the file as it is now; empty when it is."""
    forsaken: bool = False
    """Neither the file nor a copy is there: it counts as empty."""


class CalendarCopies:
    """Of one data folder, which need not be there."""

    def __init__(self, data: Path) -> None:
        self._folder = data / FOLDER

    def read(self, wanted: Import) -> Imported:
        """The file; else its last good copy; else nothing."""
        try:
            return Imported(wanted.layer(content(wanted.file)))
        except IcsError as error:
            trouble = f"'{wanted.file.name}' {error}"
        copy = self._copy(wanted.file)
        try:
            layer, kept_at = wanted.layer(content(copy)), datetime.fromtimestamp(copy.stat().st_mtime, UTC)
        except (IcsError, OSError):
            return Imported(Layer(), f"{trouble}; the calendar goes by its other hours, without this file", forsaken=True)
        return Imported(layer, f"{trouble}; the calendar goes by the last good copy, of {kept_at:%Y-%m-%d %H:%M} UTC")

    def keep(self, wanted: Import) -> None:
        """A file that is good now can be gone by later. One that is not changes nothing. Raises OSError."""
        try:
            raw = content(wanted.file)
            wanted.layer(raw)
        except IcsError:
            return
        copy = self._copy(wanted.file)
        if not copy.exists() or copy.read_bytes() != raw:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            write_whole(copy, raw, 0o600)

    def _copy(self, file: Path) -> Path:
        return self._folder / f"{hashlib.sha256(str(file).encode()).hexdigest()[:24]}.ics"
