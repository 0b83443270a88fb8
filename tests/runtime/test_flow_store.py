"""Published versions never change; what is in use changes all at once, and a crash at any moment leaves the old or the new."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callcenter.runtime import whole_files
from callcenter.runtime.flow_store import KEPT, Draft, FlowStore, InUse, StoreError

AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> FlowStore:
    return FlowStore(tmp_path)


def publish(store: FlowStore, text: str, flow: str = "main") -> int:
    with store.alone():
        version = store.add(Draft(flow, text), AT, "ann", f"note on {text}")
        store.use({flow: InUse(version.number)}, "publish", AT, "ann")
    return version.number


def test_versions_are_numbered_and_say_who_published_them(store: FlowStore) -> None:
    assert [publish(store, text) for text in ("a", "b", "c")] == [1, 2, 3]
    second = store.find("main", 2)
    assert (second.author, second.note, second.at, second.read()) == ("ann", "note on b", AT, "b")
    assert store.in_use() == {"main": InUse(3)}
    assert [(action.did, action.version) for action in store.actions()] == [("publish", 1), ("publish", 2), ("publish", 3)]


def test_the_same_document_is_not_kept_twice(store: FlowStore) -> None:
    assert [publish(store, text) for text in ("a", "a", "b", "a")] == [1, 1, 2, 3]


def test_its_recordings_are_part_of_a_version(store: FlowStore) -> None:
    with store.alone():
        first = store.add(Draft("main", "a", {"sounds/hello.wav": b"RIFF"}), AT, "ann", "")
        second = store.add(Draft("main", "a", {"sounds/hello.wav": b"RIFF2"}), AT, "ann", "")
    assert [first.number, second.number] == [1, 2]
    assert (second.folder / second.recordings["sounds/hello.wav"]).read_bytes() == b"RIFF2"


def test_what_was_before_comes_back(store: FlowStore) -> None:
    for text in ("a", "b", "c"):
        publish(store, text)
    assert store.before("main") == InUse(2)
    store.use({"main": InUse(2)}, "rollback", AT, "ann")
    assert store.before("main") == InUse(3)
    store.use({"main": InUse(2, canary=3, share=0.1)}, "canary", AT, "ann")
    assert store.before("main") == InUse(2)


def test_before_the_first_there_is_the_file(store: FlowStore) -> None:
    publish(store, "a")
    assert store.before("main") == InUse(0)
    with pytest.raises(StoreError, match="was never published; published: main"):
        store.before("other")


def test_what_the_engine_refused_leaves_no_trace_but_its_version(store: FlowStore) -> None:
    publish(store, "a")
    before = store.in_use()
    publish(store, "b")
    store.put_back({"main": before["main"]})
    assert store.in_use() == before
    assert store.before("main") == InUse(0)
    assert publish(store, "c") == 3


def test_a_version_that_somebody_changed_is_not_read(store: FlowStore) -> None:
    publish(store, "a")
    version = store.find("main", 1)
    version.document.write_text("evil")
    with pytest.raises(StoreError, match="was changed since it was published"):
        version.read()


def test_a_version_that_is_not_there_is_named_with_those_that_are(store: FlowStore) -> None:
    publish(store, "a")
    with pytest.raises(StoreError, match="there is no version 7 of flow 'main'; versions: 1"):
        store.find("main", 7)


def test_old_versions_go_but_never_those_in_use(store: FlowStore) -> None:
    for number in range(3):
        publish(store, f"text {number}")
    store.use({"main": InUse(1, canary=2, share=0.5)}, "canary", AT, "ann")
    with store.alone():
        for number in range(KEPT + 5):
            store.add(Draft("main", f"more {number}"), AT, "ann", "")
    numbers = [version.number for version in store.versions("main")]
    assert {1, 2} < set(numbers)
    assert 3 not in numbers
    assert len(numbers) <= KEPT + 2


def test_a_damaged_list_of_what_is_in_use_is_said_plainly(store: FlowStore) -> None:
    publish(store, "a")
    (store.folder / "in-use.json").write_text("{")
    with pytest.raises(StoreError, match=r"in-use\.json is damaged"):
        store.in_use()


class Crash(BaseException):
    """The process is killed."""


CALLS = ("mkdtemp", "fsync", "rename", "replace", "chmod")


@pytest.mark.parametrize("step", range(1, 12))
def test_a_crash_at_any_moment_leaves_the_old_or_the_new(store: FlowStore, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Every call that changes something on disk is once the last one."""
    publish(store, "old")
    left = step

    def dying(name: str, real: object) -> object:
        def call(*arguments: object, **named: object) -> object:
            nonlocal left
            left -= 1
            if left == 0:
                raise Crash(name)
            return real(*arguments, **named)  # type: ignore[operator]

        return call

    with monkeypatch.context() as patched:
        for name in ("fsync", "rename", "replace", "chmod"):
            patched.setattr(whole_files.os, name, dying(name, getattr(os, name)))
        crashed = False
        try:
            publish(store, "new")
        except Crash:
            crashed = True
    assert crashed == (left <= 0)
    after = FlowStore(store.folder.parent)
    number = after.in_use()["main"].version
    assert after.find("main", number).read() == ("old" if number == 1 else "new")
    assert json.loads((store.folder / "in-use.json").read_text())["flows"]["main"]["version"] == number
    assert publish(after, "newer") in (2, 3)
    assert after.find("main", after.in_use()["main"].version).read() == "newer"
    assert not list(store.folder.glob("main/.new-*"))
