"""Published flows are in PostgreSQL, too, and come back to a disk that has lost them."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.flow_versions import PostgresFlows
from callcenter.apps.books_flows import copy
from callcenter.runtime.flow_store import Draft, FlowStore, InUse

AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def publish(store: FlowStore, flow: str, text: str, recordings: dict[str, bytes] | None = None) -> int:
    with store.alone():
        number = store.add(Draft(flow, text, recordings or {}), AT, "ann", f"of {text}").number
        store.use({flow: InUse(number)}, "publish", AT, "ann")
        return number


async def test_versions_go_to_postgresql_and_come_back_to_an_empty_disk(tmp_path: Path, database_url: str) -> None:
    engine = connect(database_url, name="test")
    try:
        kept, store = PostgresFlows(engine), FlowStore(tmp_path / "data")
        (tmp_path / "data").mkdir()
        await copy(store, kept)
        assert await kept.all() == ([], "")
        publish(store, "main", "a", {"sounds/hello.wav": b"RIFF\x00\xff"})
        publish(store, "main", "b")
        publish(store, "other", "Ünïcode \U0001f600")
        await copy(store, kept)
        await copy(store, kept)  # what is there already stays as it is
        versions = {(each.flow, each.number): (each.sha256, each.read()) for flow in store.flows() for each in store.versions(flow)}
        in_use, actions = store.in_use(), store.actions()
        shutil.rmtree(store.folder)
        await copy(store, kept)
        assert {(each.flow, each.number): (each.sha256, each.read()) for flow in store.flows() for each in store.versions(flow)} == versions
        assert (store.in_use(), list(store.actions())) == (in_use, list(actions))
        assert (store.folder.stat().st_mode & 0o777, publish(store, "main", "c")) == (0o700, 3)
    finally:
        await engine.dispose()


async def test_a_crash_while_they_are_put_back_is_made_good(tmp_path: Path, database_url: str) -> None:
    engine = connect(database_url, name="test")
    try:
        kept, store = PostgresFlows(engine), FlowStore(tmp_path)
        for text in ("a", "b"):
            publish(store, "main", text)
        await copy(store, kept)
        (store.folder / "in-use.json").unlink()  # all but the last step was done
        shutil.rmtree(store.folder / "main" / "0002")
        await copy(store, kept)
        assert [version.read() for version in store.versions("main")] == ["a", "b"]
        assert store.in_use() == {"main": InUse(2)}
    finally:
        await engine.dispose()
