"""The configurations that were in use: each kept in the data folder with its date and hash, so that one command brings one back.

    <data>/config/0007-20261122T093301Z-2c26b46b68ff.toml          was in use from that date on
    <data>/config/0008-20261122T101500Z-fcde2b2edba5.edited.toml   was in the file, never in use, when another one was brought back

The folder is ours alone: a configuration may hold the password of a database.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from callcenter.runtime.whole_files import write_whole

KEPT = 200
"""Older versions are removed."""
_NAME = re.compile(r"(\d{4,})-(\d{8}T\d{6}Z)-([0-9a-f]{12})(\.edited)?\.toml")
_DATE = "%Y%m%dT%H%M%SZ"


class VersionError(Exception):
    """There is no such version, or it cannot be read; the sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Version:
    """One configuration that was kept."""

    number: int
    at: datetime
    sha256: str
    """The first 12 digits."""
    file: Path
    used: bool
    """False: somebody wrote it, and it was replaced before it was ever in use."""

    def read(self) -> str:
        """Its text. Raises VersionError."""
        try:
            text = self.file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise VersionError(f"version {self.number} cannot be read: {error}; choose another one: callcenter config history") from None
        if digest(text) != self.sha256:
            raise VersionError(
                f"version {self.number} was changed since it was kept: its hash differs; choose another one: callcenter config history"
            )
        return text


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class ConfigVersions:
    """All versions in one data folder."""

    def __init__(self, data: Path) -> None:
        self.folder = data / "config"

    def all(self) -> Sequence[Version]:
        """In the order in which they came; none before the first was kept."""
        if not self.folder.is_dir():
            return ()
        found = [(match, path) for path in self.folder.iterdir() if (match := _NAME.fullmatch(path.name))]
        versions = (
            Version(int(match[1]), datetime.strptime(match[2], _DATE).replace(tzinfo=UTC), match[3], path, used=match[4] is None)
            for match, path in found
        )
        return sorted(versions, key=lambda version: version.number)

    def in_use(self) -> Version | None:
        """The one that came into use last."""
        return next((version for version in reversed(self.all()) if version.used), None)

    def keep(self, text: str, at: datetime, *, used: bool = True) -> Version:
        """Keep it, unless it is the one that was kept last. Raises OSError."""
        versions = self.all()
        last = self.in_use() if used else next(iter(versions[-1:]), None)
        if last is not None and last.sha256 == digest(text):
            return last
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = versions[-1].number + 1 if versions else 1
        name = f"{number:04}-{at.astimezone(UTC).strftime(_DATE)}-{digest(text)}{'' if used else '.edited'}.toml"
        write_whole(self.folder / name, text, mode=0o600)
        for old in versions[: max(0, len(versions) + 1 - KEPT)]:
            old.file.unlink(missing_ok=True)
        return Version(number, at, digest(text), self.folder / name, used)

    def find(self, number: int | None) -> Version:
        """The version of that number; None: the one that was in use before the present one. Raises VersionError."""
        versions = self.all()
        if number is not None:
            found = next((version for version in versions if version.number == number), None)
        else:
            used = [version for version in versions if version.used]
            found = next((version for version in reversed(used) if version.sha256 != used[-1].sha256), None)
        if found is None:
            numbers = ", ".join(str(version.number) for version in versions[-20:]) or "none yet"
            what = f"there is no version {number}" if number is not None else "there is no earlier version"
            raise VersionError(f"{what}; versions: {numbers}")
        return found
