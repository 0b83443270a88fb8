"""How a change of the documents travels (decision 0012): checked as a whole, kept in PostgreSQL, then on the engine's disk, then in use.

A crash between any two of these steps leaves a version that PostgreSQL has and the engine does not go by yet; ``catch_up`` ends what was
begun. ``books`` does that all the time, and every change begins with it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import structlog

from callcenter.domain.consequences import Moment, consequences
from callcenter.domain.documents import Body, Documents, changed, difference, digest, kind_of, moved, plain
from callcenter.runtime.center_source import CenterSource, Origin, source
from callcenter.runtime.data_folder import DataFolder
from callcenter.runtime.document_cache import Cached, CacheError, DocumentCache, Look
from callcenter.runtime.document_kinds import KINDS, SplitError, join, key_of, place_of
from callcenter.runtime.secrets import SecretsError, load_secrets
from callcenter.runtime.settings import SettingsError, center_source, data_of, parse, read_file
from callcenter.services.configuration import (
    Applied,
    Change,
    ChangeRefused,
    DocumentFault,
    DocumentStore,
    Faulty,
    NoSuchVersion,
    Plan,
    Stale,
    Stored,
    VersionNote,
)
from callcenter.services.control import JsonObject
from callcenter.services.control_client import EngineAway, RequestRefused, ask

log = structlog.get_logger(__name__)

TAKE_UP_WITHIN = 60.0
ASK_WITHIN = 5.0

Ask = Callable[..., Awaitable[JsonObject]]
"""Asks the engine: an operation, for how long at most, and its fields. Raises EngineAway, RequestRefused."""


def engine_of(file: Path) -> Ask:
    """The engine of the center whose site settings stand in the file."""

    async def asked(do: str, within: float, **fields: str) -> JsonObject:
        data = data_of(file)
        if not data.is_dir():
            raise EngineAway("the engine does not run; start it with 'callcenter serve'")
        try:
            token = (await asyncio.to_thread(load_secrets, data)).control_token
        except SecretsError as error:
            raise EngineAway(str(error)) from None
        return await ask(DataFolder(data).control_socket, token, do, within, **fields)

    return asked


class Configuring:
    """The documents of one center; a ``services.configuration.Configuration``."""

    def __init__(
        self, file: Path, store: DocumentStore, engine: Ask | None = None, step: Callable[[str], None] = lambda done: None
    ) -> None:
        """``step`` is told of each step that is done: ``committed``, ``cached``, ``told``."""
        self._file = file
        self._store = store
        self._cache = DocumentCache(data_of(file))
        self._ask = engine or engine_of(file)
        self._step = step
        self._damaged = False
        """Something was wrong with the files on the engine's disk when they were last read."""

    # --- reading --------------------------------------------------------------------------------

    async def now(self) -> Stored:
        stored = await self._store.latest()
        if stored is None and await self.catch_up():  # nobody has made the first version yet
            stored = await self._store.latest()
        return stored or Stored(0, datetime.now(UTC), "", (await self._source()).in_file)

    async def in_conflict(self) -> bool:
        try:
            return (await self._source()).origin is Origin.CONFLICT
        except SettingsError:
            return False

    async def history(self, document: str = "", most: int = 100) -> Sequence[VersionNote]:
        return await self._store.history(document, most)

    async def version(self, number: int) -> Documents:
        return await self._store.version(number)

    async def _source(self) -> CenterSource:
        return await asyncio.to_thread(center_source, self._file)

    # --- planning -------------------------------------------------------------------------------

    async def plan(self, changes: Mapping[str, Body | None], expected: Mapping[str, int] | None = None) -> Plan:
        stored = await self.now()
        for key, seen in (expected or {}).items():
            if (there := stored.changed_in.get(key, 0)) != seen:
                raise Stale(
                    f"{key} was changed meanwhile: it became what it is in version {there}, and you have seen version {seen}", there
                )
        return await self._planned(stored, changed(stored.documents, _written(changes)))

    async def plan_whole(self, documents: Documents, base: int | None = None) -> Plan:
        """These documents and no others. Raises Stale when ``base`` is given and is not the latest version."""
        stored = await self.now()
        if base is not None and base != stored.version:
            raise Stale(f"the documents are at version {stored.version}, not {base} any more", stored.version)
        return await self._planned(stored, documents)

    async def plan_back(self, number: int, document: str = "") -> Plan:
        stored = await self.now()
        then = await self._store.version(number)
        if not document:
            return await self._planned(stored, then)
        if document not in then and document not in stored.documents:
            raise NoSuchVersion(f"there is no {document}, neither in version {number} nor now")
        return await self._planned(stored, changed(stored.documents, {document: then.get(document)}))

    async def _planned(self, stored: Stored, after: Documents) -> Plan:
        """Raises Faulty."""
        notes = await asyncio.to_thread(self._check, after)
        before = stored.documents
        means = tuple(consequences(before, after, await self._moment()))
        return Plan(stored.version, before, after, difference(before, after), moved(before, after), means, notes)

    def _check(self, documents: Documents) -> Sequence[str]:
        """By the same models and checks as the file. Raises Faulty."""
        try:
            raw = join(center_source(self._file).site, documents)
            settings = parse(raw, self._file)
        except SettingsError as error:
            raise Faulty([_fault(raw, *found[2:]) for found in error.faults]) from None
        except (OSError, ValueError, RecursionError) as error:  # of what no check of ours has foreseen
            raise Faulty([DocumentFault("", "", f"cannot be used: {str(error)[:200]}")]) from None
        return settings.flow_sources.notes

    async def _moment(self) -> Moment:
        """As the engine tells it; nobody can ask one that is away."""
        try:
            picture = await self._ask("state", ASK_WITHIN)
        except (EngineAway, RequestRefused):
            return Moment()
        return Moment(
            {str(queue["name"]): int(str(queue["waiting"])) for queue in _tables(picture, "queues")},
            {str(agent["name"]): str(agent["state"]) for agent in _tables(picture, "agents")},
        )

    # --- changing -------------------------------------------------------------------------------

    async def apply(self, plan: Plan, change: Change) -> Applied:
        if plan.is_empty and plan.base:
            return Applied(plan.base, taken_up=True)
        async with self._alone():
            await self._catch_up()
            await asyncio.to_thread(self._check, plan.after)
            at = datetime.now(UTC)
            version = await self._store.commit(plan.base, plan.after, change, at)
            self._step("committed")
            before = self._cached()
            file = digest(plan.after) if change.source == "file" else before.file if before else ""
            self._keep(Cached(version, at, change.author, plan.after, file))
            self._step("cached")
            try:
                answer = await self._ask("reload", TAKE_UP_WITHIN)
            except EngineAway:
                return Applied(version, taken_up=False)
            except RequestRefused as error:
                await self._take_back(plan, version, change, error, before)
                raise ChangeRefused(f"nothing was changed: the engine refused it: {error}") from None
            self._step("told")
            return Applied(version, taken_up=True, detail=str(answer.get("detail") or ""))

    async def _take_back(self, plan: Plan, version: int, change: Change, why: Exception, before: Cached | None) -> None:
        """The engine goes on with what it had; so does everybody, by a version that says the same as the one before."""
        at = datetime.now(UTC)
        undone = replace(change, reason=f"version {version} taken back: the engine refused it: {why}", source="repair")
        number = await self._store.commit(version, plan.before, undone, at)
        self._keep(Cached(number, at, change.author, plan.before, before.file if before else ""))

    def _keep(self, cached: Cached) -> None:
        """Raises ChangeRefused: the version is kept in PostgreSQL, and is taken up as soon as the disk takes it."""
        try:
            self._cache.write(cached)
        except OSError as error:
            raise ChangeRefused(
                f"version {cached.version} is kept, but the engine cannot take it up yet: {error.filename or self._cache.file}: "
                f"{error.strerror or error}; make room, and books brings it there"
            ) from None

    def _cached(self) -> Cached | None:
        """None: there is none that can be read."""
        try:
            found = self._cache.look()
        except CacheError as error:
            found = Look(None, str(error))
        self._damaged = bool(found.note)
        if found.note:
            log.warning("documents_damaged", why=found.note)
        return found.cached

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        lock: AbstractContextManager[None] = self._cache.alone()
        try:
            await asyncio.to_thread(lock.__enter__)
        except OSError as error:
            raise ChangeRefused(f"{error.filename or self._cache.folder}: {error.strerror or error}; nothing was changed") from None
        try:
            yield
        finally:
            lock.__exit__(None, None, None)

    # --- catching up ----------------------------------------------------------------------------

    async def catch_up(self) -> bool:
        """Bring PostgreSQL, the engine's disk and the engine to the same version; whether anything had to be done.

        Raises StoreAway, and SettingsError when ``callcenter.toml`` cannot be read.
        """
        async with self._alone():
            return await self._catch_up()

    async def standing(self) -> tuple[object, ...]:
        """Changes whenever there may be something to catch up with; cheap to ask. Raises StoreAway."""
        return await self._store.number(), self._cache.written_at(), await asyncio.to_thread(_changed_at, self._file), await self._in_use()

    async def _catch_up(self) -> bool:
        stored, cached = await self._store.latest(), self._cached()
        if stored is None or (cached is not None and cached.version > stored.version):
            return await self._repair_store(stored, cached)
        if cached is None or self._damaged or cached.version < stored.version or digest(cached.documents) != digest(stored.documents):
            await self._repair_cache(stored, cached)
            return True
        return await self._look_at_file(stored, cached)

    async def _repair_store(self, stored: Stored | None, cached: Cached | None) -> bool:
        """An empty database takes the documents of the engine's disk, or those of the file that the engine goes by; an older one, restored
        from a backup, takes the disk's, too."""
        now, at = stored.version if stored else 0, datetime.now(UTC)
        if cached is not None:
            change = Change("books", f"put back from the engine's disk: the database was at version {now}", "repair")
            number = await self._store.commit(now, cached.documents, change, at, cached.version + 1)
            self._keep(replace(cached, version=number, at=at))
            return True
        found = await self._source()
        if not found.in_file or await self._in_use() != digest(found.in_file):
            return False  # the engine has not seen it yet, or does not run
        change = Change("", f"first taken from {self._file.name}", "file")
        number = await self._store.commit(0, found.in_file, change, at)
        self._step("committed")
        self._keep(Cached(number, at, "", found.in_file, digest(found.in_file)))
        return True

    async def _repair_cache(self, stored: Stored, cached: Cached | None) -> None:
        """A change was begun and not ended: PostgreSQL has it, the engine's disk does not."""
        in_file = digest(source(await asyncio.to_thread(read_file, self._file), self._file, None).in_file)
        file = cached.file if cached else in_file if in_file == digest(stored.documents) else ""
        self._keep(Cached(stored.version, stored.at, stored.author, stored.documents, file))
        await self._tell()

    async def _look_at_file(self, stored: Stored, cached: Cached) -> bool:
        """The engine may have taken up an edited file, which becomes a version; or not yet have taken up the latest version."""
        found = await self._source()
        if found.origin is Origin.SAME and cached.file != digest(found.in_file):
            self._keep(replace(cached, file=digest(found.in_file)))
            return True
        in_use = await self._in_use()
        if found.origin is Origin.EDITED:
            if in_use != digest(found.in_file):
                return False
            at = datetime.now(UTC)
            change = Change("", f"{self._file.name} was edited", "file")
            number = await self._store.commit(stored.version, found.in_file, change, at)
            self._step("committed")
            self._keep(Cached(number, at, "", found.in_file, digest(found.in_file)))
            return True
        if in_use and in_use != digest(cached.documents):
            return await self._tell()
        return False

    async def _in_use(self) -> str:
        """The digest of the documents that the engine goes by; empty: nobody knows."""
        try:
            return str((await self._ask("config_in_use", ASK_WITHIN)).get("documents") or "")
        except (EngineAway, RequestRefused):
            return ""

    async def _tell(self) -> bool:
        """The engine takes up what is on its disk; one that is away does when it starts."""
        try:
            await self._ask("reload", TAKE_UP_WITHIN)
            return True
        except EngineAway:
            return False
        except RequestRefused as error:
            log.warning("documents_not_taken_up", why=str(error), advice="callcenter config plan; callcenter reload")
            return False


def _changed_at(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def _written(changes: Mapping[str, Body | None]) -> Mapping[str, Body | None]:
    """As documents are kept. Raises Faulty when a key is none, or is not what the body says."""
    found: dict[str, Body | None] = {}
    faults = []
    for key, body in changes.items():
        kind = KINDS.get(kind_of(key))
        try:
            if kind is None:
                raise SplitError(f"is no document; kinds: {', '.join(KINDS)}")
            if body is not None:
                body = cast(Body, plain(body))
                if kind.named_by and key_of(kind, body) != key:
                    raise SplitError(f"says that it is {key_of(kind, body)}")
            found[key] = body
        except ValueError as error:
            faults.append(DocumentFault(key, "", str(error)))
    if faults:
        raise Faulty(faults)
    return found


def _fault(raw: Mapping[str, object], key: str, sentence: str) -> DocumentFault:
    document, field = place_of(raw, key)
    return DocumentFault(document, field, sentence)


def _tables(picture: JsonObject, name: str) -> Sequence[JsonObject]:
    found = picture.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
