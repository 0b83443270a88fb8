"""Documents for tests: a store in memory, and an engine that goes by its disk."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from callcenter.domain.documents import Documents, difference, digest
from callcenter.runtime.settings import load
from callcenter.services.configuration import Change, NoSuchVersion, Stale, Stored, VersionNote
from callcenter.services.control import JsonObject
from callcenter.services.control_client import EngineAway, RequestRefused
from callcenter.services.ledger import StoreAway


class FakeStore:
    """A ``DocumentStore``; ``away`` makes it not answer."""

    def __init__(self) -> None:
        self.kept: list[tuple[VersionNote, Documents]] = []
        self.away = False

    def _here(self) -> None:
        if self.away:
            raise StoreAway("the database does not answer")

    async def number(self) -> int:
        self._here()
        return self.kept[-1][0].version if self.kept else 0

    async def latest(self) -> Stored | None:
        self._here()
        if not self.kept:
            return None
        note, documents = self.kept[-1]
        changed_in = {key.removeprefix("-"): each.version for each, _ in self.kept for key in each.changed}
        return Stored(note.version, note.at, note.author, documents, changed_in)

    async def version(self, number: int) -> Documents:
        self._here()
        for note, documents in self.kept:
            if note.version == number:
                return documents
        raise NoSuchVersion(f"there is no version {number}")

    async def history(self, document: str = "", most: int = 100) -> Sequence[VersionNote]:
        self._here()
        notes = [note for note, _ in reversed(self.kept)]
        return [note for note in notes if not document or {document, f"-{document}"} & set(note.changed)][:most]

    async def commit(self, base: int, after: Documents, change: Change, at: datetime, number: int | None = None) -> int:
        now = await self.number()
        if now != base:
            raise Stale(f"the documents are at version {now}, not {base} any more", now)
        before = self.kept[-1][1] if self.kept else {}
        changed = tuple(f"-{each.key}" if each.after is None else each.key for each in difference(before, after))
        version = max(now + 1, number or 0)
        self.kept.append((VersionNote(version, at, change.author, change.reason, change.source, digest(after), changed), dict(after)))
        return version


class FakeEngine:
    """Goes by what stood on its disk when it started or was last told to look."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.in_use = ""
        self.reloads = 0
        self.refuses = ""
        self.waiting: dict[str, int] = {"sales": 2}

    def start(self) -> None:
        settings = load(self.file)
        self.in_use = settings.center_config({agent.name: "phone" for agent in settings.agents}).documents

    async def __call__(self, do: str, within: float, **fields: str) -> JsonObject:
        if not self.in_use:
            raise EngineAway("the engine does not run")
        if do == "config_in_use":
            return {"documents": self.in_use}
        if do == "state":
            queues = [{"name": name, "waiting": count} for name, count in self.waiting.items()]
            return {"queues": list(queues), "agents": [{"name": "alice", "state": "ready"}]}
        assert do == "reload"
        self.reloads += 1
        if self.refuses:
            raise RequestRefused(self.refuses)
        self.start()
        return {"detail": "node1: res_pjsip"}
