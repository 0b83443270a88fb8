"""How a change of the documents travels, and that a crash at any moment of it is made good."""

import asyncio
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.documents import PostgresDocuments
from callcenter.apps.configured import put_back
from callcenter.apps.configuring import Configuring
from callcenter.domain.consequences import Consequence, What
from callcenter.domain.documents import digest
from callcenter.runtime import toml_text
from callcenter.runtime.center_source import Origin
from callcenter.runtime.document_cache import DocumentCache
from callcenter.runtime.settings import SettingsError, center_source, load
from callcenter.services.configuration import Change, ChangeRefused, Faulty, NoSuchVersion, Stale
from callcenter.services.ledger import StoreAway
from tests.support.documents import FakeEngine

TEXT = """# written by hand
[center]
time_zone = "UTC"
[web]
port = 8088
[[queue]]
name = "sales"
[[queue]]
name = "support"
ring_timeout_s = 15
[[agent]]
name = "alice"
queues = ["sales", "support"]
"""
SUPPORT = {"name": "support", "ring_timeout_s": 20}
DANA = Change("dana", "rings longer", "page")


class Crash(BaseException):
    """kill -9, as far as a test can."""


class Center:
    """One center on a disk and in a database."""

    def __init__(self, file: Path, database: AsyncEngine) -> None:
        self.file = file
        self.engine = FakeEngine(file)
        self.store = PostgresDocuments(database)
        self.cache = DocumentCache(file.parent / "data")
        self.configuring = Configuring(file, self.store, self.engine)

    def crashing(self, at: str) -> Configuring:
        def step(done: str) -> None:
            if done == at:
                raise Crash

        return Configuring(self.file, self.store, self.engine, step)

    async def settle(self) -> None:
        """As books does, until there is nothing left to do."""
        for _ in range(5):
            if not await self.configuring.catch_up():
                return
        raise AssertionError("it never comes to rest")

    def edit(self, change: Callable[[dict[str, object]], object]) -> None:
        raw = tomllib.loads(self.file.read_text())
        change(raw)
        toml_text.write(self.file, raw)

    async def in_step(self) -> str:
        """The one set of documents that everybody goes by."""
        latest = await self.store.latest()
        cached = self.cache.read()
        assert latest is not None
        assert cached is not None
        now = digest(latest.documents)
        assert (cached.version, digest(cached.documents)) == (latest.version, now)
        assert load(self.file).center_config({"alice": "phone", "bob": "phone"}).documents == now
        assert self.engine.in_use in ("", now)
        return now


@asynccontextmanager
async def center_in(folder: Path, url: str) -> AsyncIterator[Center]:
    file = folder / "callcenter.toml"
    file.write_text(TEXT)
    (folder / "data").mkdir()
    database = connect(url, name="test", pool_size=4)
    try:
        yield Center(file, database)
    finally:
        await database.dispose()


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLCENTER_DATA", str(tmp_path / "data"))


async def test_the_first_version_is_the_file_that_the_engine_goes_by(tmp_path: Path, database_url: str) -> None:
    async with center_in(tmp_path, database_url) as center:
        await center.settle()
        assert await center.store.latest() is None  # nobody has started the engine yet
        center.engine.start()
        await center.settle()
        await center.in_step()
        (note,) = await center.configuring.history()
        assert (note.version, note.source, note.reason) == (1, "file", "first taken from callcenter.toml")
        assert center_source(center.file).origin is Origin.SAME
        assert center.file.read_text() == TEXT
        assert center.engine.reloads == 0


async def test_a_change_is_kept_then_cached_then_in_use(tmp_path: Path, database_url: str) -> None:
    async with center_in(tmp_path, database_url) as center:
        center.engine.start()
        await center.settle()
        plan = await center.configuring.plan({"queue/support": SUPPORT, "agent/bob": {"name": "bob", "queues": ["support"]}})
        assert plan.consequences == (Consequence(What.QUEUE_WON, "support", 1),)
        done = await center.configuring.apply(plan, DANA)
        assert (done.version, done.taken_up, done.detail) == (2, True, "node1: res_pjsip")
        await center.in_step()
        settings = load(center.file)
        assert ([queue.name for queue in settings.queues], settings.queues[1].ring_timeout.seconds, settings.web.port) == (
            ["sales", "support"],
            20,
            8088,
        )
        assert center.file.read_text() == TEXT
        assert center_source(center.file).origin is Origin.DOCUMENTS
        await center.settle()
        assert center.engine.reloads == 1


async def test_an_engine_that_starts_without_the_database_goes_by_its_disk(tmp_path: Path, database_url: str) -> None:
    async with center_in(tmp_path, database_url) as center:
        center.engine.start()
        await center.settle()
        await center.configuring.apply(await center.configuring.plan({"queue/support": SUPPORT}), DANA)
        now = center.engine.in_use
        away = Configuring(center.file, PostgresDocuments(connect("postgresql://a:b@127.0.0.1:1/c", name="away")), center.engine)
        center.engine.in_use = ""
        center.engine.start()
        assert center.engine.in_use == now
        with pytest.raises(StoreAway):
            await away.plan({"queue/support": None})


@pytest.mark.parametrize("engine_dies", [False, True])
@pytest.mark.parametrize("at", ["committed", "cached", "told"])
async def test_killed_at_any_moment_of_a_change_all_come_to_the_same_version(
    tmp_path: Path, database_url: str, at: str, engine_dies: bool
) -> None:
    async with center_in(tmp_path, database_url) as center:
        center.engine.start()
        await center.settle()
        plan = await center.configuring.plan({"queue/support": SUPPORT})
        with pytest.raises(Crash):
            await center.crashing(at).apply(plan, DANA)
        if engine_dies:
            center.engine.in_use = ""
            center.engine.start()
        await center.settle()
        assert await center.in_step() == digest(plan.after)
        assert [note.version for note in await center.configuring.history()] == [2, 1]


@pytest.mark.parametrize("first", [True, False])
async def test_killed_while_a_file_becomes_a_version_it_does_so_once(tmp_path: Path, database_url: str, first: bool) -> None:
    async with center_in(tmp_path, database_url) as center:
        center.engine.start()
        if not first:
            await center.settle()
            center.edit(lambda raw: raw["queue"][0].update(wrap_up_s=3))  # type: ignore[index]
            center.engine.start()
        with pytest.raises(Crash):
            await center.crashing("committed").catch_up()
        await center.settle()
        await center.in_step()
        assert len(await center.configuring.history()) == (1 if first else 2)


async def test_an_edited_file_counts_once_the_engine_has_taken_it_up(tmp_path: Path, database_url: str) -> None:
    async with center_in(tmp_path, database_url) as center:
        center.engine.start()
        await center.settle()
        center.edit(lambda raw: raw["queue"][1].update(ring_timeout_s=9))  # type: ignore[index]
        await center.settle()
        assert len(await center.configuring.history()) == 1  # perhaps it is still being edited
        center.engine.start()
        await center.settle()
        await center.in_step()
        assert [(note.version, note.reason) for note in await center.configuring.history()] == [
            (2, "callcenter.toml was edited"),
            (1, "first taken from callcenter.toml"),
        ]


async def test_a_file_edited_beside_changed_documents_waits_for_somebody_to_decide(tmp_path: Path, database_url: str) -> None:
    async with center_in(tmp_path, database_url) as center:
        center.engine.start()
        await center.settle()
        await center.configuring.apply(await center.configuring.plan({"queue/support": SUPPORT}), DANA)
        center.edit(lambda raw: raw["queue"][0].update(wrap_up_s=3))  # type: ignore[index]
        center.engine.start()
        await center.settle()
        assert center_source(center.file).origin is Origin.CONFLICT
        assert load(center.file).queues[1].ring_timeout.seconds == 20
        await center.in_step()
        plan = await center.configuring.plan_whole(center_source(center.file).in_file)
        assert [(change.key, [field.path for field in change.fields]) for change in plan.changes] == [
            ("queue/sales", ["wrap_up_s"]),
            ("queue/support", ["ring_timeout_s"]),
        ]
        await center.configuring.apply(plan, Change("dana", "", "file"))
        assert center_source(center.file).origin is Origin.SAME
        await center.in_step()


async def test_an_engine_that_refuses_changes_nothing_and_says_why(tmp_path: Path, database_url: str) -> None:
    async with center_in(tmp_path, database_url) as center:
        center.engine.start()
        await center.settle()
        was = center.engine.in_use
        center.engine.refuses = "node node1 did not reload: timeout"
        plan = await center.configuring.plan({"queue/support": SUPPORT})
        with pytest.raises(ChangeRefused, match="nothing was changed: the engine refused it: node node1 did not reload"):
            await center.configuring.apply(plan, DANA)
        assert await center.in_step() == was
        assert [(note.version, note.source) for note in await center.configuring.history()] == [(3, "repair"), (2, "page"), (1, "file")]
        assert center_source(center.file).origin is Origin.SAME


async def test_the_second_of_two_is_told_and_who_changes_another_document_is_not_in_the_way(tmp_path: Path, database_url: str) -> None:
    async with center_in(tmp_path, database_url) as center:
        center.engine.start()
        await center.settle()
        mine = await center.configuring.plan({"queue/support": SUPPORT}, {"queue/support": 1})
        await center.configuring.apply(await center.configuring.plan({"queue/support": {"name": "support"}}), Change("erin"))
        with pytest.raises(Stale, match=r"changed meanwhile by erin: they are at version 2, not 1"):
            await center.configuring.apply(mine, DANA)
        with pytest.raises(
            Stale, match="queue/support was changed meanwhile: it became what it is in version 2, and you have seen version 1"
        ):
            await center.configuring.plan({"queue/support": SUPPORT}, {"queue/support": 1})
        await center.configuring.plan({"queue/sales": {"name": "sales", "wrap_up_s": 1}}, {"queue/sales": 1})
        with pytest.raises(Stale):
            await center.configuring.plan_whole(mine.after, base=1)


async def test_one_document_goes_back_and_the_others_stay(tmp_path: Path, database_url: str) -> None:
    async with center_in(tmp_path, database_url) as center:
        center.engine.start()
        await center.settle()
        await center.configuring.apply(await center.configuring.plan({"queue/support": SUPPORT}), DANA)
        await center.configuring.apply(await center.configuring.plan({"queue/sales": {"name": "sales", "wrap_up_s": 1}}), DANA)
        await center.configuring.apply(await center.configuring.plan_back(1, "queue/support"), Change("dana", "", "rollback"))
        settings = load(center.file)
        assert (settings.queues[0].wrap_up.seconds, settings.queues[1].ring_timeout.seconds) == (1, 15)
        await center.configuring.apply(await center.configuring.plan_back(1), Change("dana", "", "rollback"))
        assert [queue.wrap_up.seconds for queue in load(center.file).queues] == [10, 10]
        await center.in_step()
        with pytest.raises(NoSuchVersion, match="there is no queue/nowhere"):
            await center.configuring.plan_back(1, "queue/nowhere")


async def test_what_would_not_work_is_refused_with_the_document_and_the_field(tmp_path: Path, database_url: str) -> None:
    async with center_in(tmp_path, database_url) as center:
        center.engine.start()
        await center.settle()
        with pytest.raises(Faulty) as refused:
            await center.configuring.plan({"queue/support": {"name": "support", "ring_timeout_s": 0, "musik": "x"}})
        assert list(map(str, refused.value.faults)) == [
            "queue/support: ring_timeout_s: must be more than 0 seconds",
            "queue/support: musik: is not a key; did you mean 'music'?",
        ]
        with pytest.raises(Faulty, match=r"agent/alice: queues\[0\]: names queue 'sales', which does not exist"):
            await center.configuring.plan({"queue/sales": None})
        with pytest.raises(Faulty, match="queue/other: says that it is queue/one"):
            await center.configuring.plan({"queue/other": {"name": "one"}})
        with pytest.raises(Faulty, match="node/one: is no document"):
            await center.configuring.plan({"node/one": {"name": "one"}})


@pytest.mark.parametrize("lost", ["database", "disk"])
async def test_what_was_lost_comes_back_from_the_other(tmp_path: Path, database_url: str, lost: str) -> None:
    async with center_in(tmp_path, database_url) as center:
        center.engine.start()
        await center.settle()
        plan = await center.configuring.plan({"queue/support": SUPPORT})
        await center.configuring.apply(plan, DANA)
        if lost == "disk":
            center.cache.file.write_text("{}")
        else:
            from sqlalchemy import text

            async with center.store._engine.begin() as connection:
                await connection.execute(text("TRUNCATE config_document, config_version"))
        await center.settle()
        assert await center.in_step() == digest(plan.after)


@pytest.mark.parametrize("both", [False, True])
async def test_damaged_documents_on_the_disk_come_from_the_database_again(tmp_path: Path, database_url: str, both: bool) -> None:
    async with center_in(tmp_path, database_url) as center:
        center.engine.start()
        await center.settle()
        await center.configuring.apply(await center.configuring.plan({"queue/support": SUPPORT}), DANA)
        for file in (center.cache.file, center.cache.copy) if both else (center.cache.file,):
            file.write_bytes(file.read_bytes()[:100])
        await center.settle()
        await center.in_step()
        assert center.cache.look().note == ""
        assert load(center.file).queues[1].ring_timeout.seconds == 20
        assert len(await center.configuring.history()) == 2


async def test_before_anything_starts_damaged_documents_are_put_back_or_it_is_said_why_not(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with center_in(tmp_path, database_url) as center:
        center.engine.start()
        await center.settle()
        for file in (center.cache.file, center.cache.copy):
            file.write_bytes(b"{}")
        with pytest.raises(SettingsError, match="is damaged"):
            load(center.file)
        monkeypatch.setenv("CALLCENTER_DATABASE_URL", "postgresql://a:b@127.0.0.1:1/c")
        with pytest.raises(SettingsError, match=r"documents\.json is damaged.*The database: "):
            await asyncio.to_thread(put_back, center.file)
        monkeypatch.setenv("CALLCENTER_DATABASE_URL", database_url)
        assert await asyncio.to_thread(put_back, center.file)
        assert load(center.file).queues[1].ring_timeout.seconds == 15
        assert not await asyncio.to_thread(put_back, center.file)
