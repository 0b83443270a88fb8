"""Whether the center can do all it should, told as it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field

DISK_NEEDED = 1_000_000_000
"""Bytes that must be free."""


@dataclass(frozen=True, slots=True)
class Readiness:
    engine: bool
    database: bool
    disk_free: int
    nodes: Mapping[str, bool] = field(default_factory=dict)
    """Whether the engine reaches each Asterisk node over ARI."""
    journal_trouble: str = ""
    """Why the engine holds records in memory instead of writing them; empty when it writes."""
    journal_lag: int | None = None
    """Journal records that are not in the database yet; None: unknown."""

    @property
    def disk(self) -> bool:
        return self.disk_free >= DISK_NEEDED

    @property
    def ready(self) -> bool:
        return self.engine and self.database and self.disk and not self.journal_trouble and bool(self.nodes) and all(self.nodes.values())

    def as_json(self) -> dict[str, object]:
        return {
            "ready": self.ready,
            "engine": self.engine,
            "nodes": dict(self.nodes),
            "database": self.database,
            "disk": {"ok": self.disk, "free_bytes": self.disk_free},
            "journal": {"ok": not self.journal_trouble, "trouble": self.journal_trouble},
            "journal_lag": self.journal_lag,
        }
