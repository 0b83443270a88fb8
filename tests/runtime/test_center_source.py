"""The file or the documents: which counts."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callcenter.domain.documents import digest
from callcenter.runtime.center_source import Origin, source
from callcenter.runtime.document_cache import Cached, CacheError, DocumentCache
from callcenter.runtime.document_kinds import split
from callcenter.runtime.settings import SettingsError, center_source, load, load_file, parse_text

AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
FILE = Path("callcenter.toml")
TEXT = '[center]\ntime_zone = "UTC"\n[web]\nport = 8088\n[[queue]]\nname = "{queue}"\n[[agent]]\nname = "alice"\nqueues = ["{queue}"]\n'


def text(queue: str) -> str:
    return TEXT.format(queue=queue)


def documents(queue: str) -> dict[str, object]:
    agent = {"name": "alice", "queues": [queue]}
    return {"center": {"time_zone": "UTC"}, f"queue/{queue}": {"name": queue}, "agent/alice": agent}


def cached(queue: str, file: str = "") -> Cached:
    """The documents of ``queue``; the file that was applied last had those of ``file``."""
    return Cached(7, AT, "dana", documents(queue), digest(documents(file)) if file else "")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("file", "copy", "origin", "counts"),
    [
        ("one", None, Origin.FILE, "one"),
        ("one", cached("one", "one"), Origin.SAME, "one"),
        ("one", cached("one", ""), Origin.SAME, "one"),
        ("two", cached("one", "one"), Origin.EDITED, "two"),
        ("one", cached("two", "one"), Origin.DOCUMENTS, "two"),
        ("three", cached("two", "one"), Origin.CONFLICT, "two"),
        ("three", cached("two", ""), Origin.CONFLICT, "two"),
    ],
)
def test_who_was_changed_last_counts_and_nobody_is_passed_over_unseen(file: str, copy: Cached | None, origin: Origin, counts: str) -> None:
    found = source(text(file), FILE, copy)
    settings = parse_text(found.text, FILE)
    assert (found.origin, [queue.name for queue in settings.queues]) == (origin, [counts])
    assert settings.web.port == 8088
    assert (found.text == text(file)) is (origin in (Origin.FILE, Origin.SAME, Origin.EDITED))
    assert bool(found.note) is (origin in (Origin.DOCUMENTS, Origin.CONFLICT))


def test_a_file_with_nothing_but_site_settings_is_enough_once_there_are_documents() -> None:
    found = source("[web]\nport = 8088\n", FILE, cached("one", "one"))
    assert (found.origin, found.note) == (Origin.DOCUMENTS, "")
    assert parse_text(found.text, FILE).queues[0].name == "one"


def test_a_conflict_says_what_to_do() -> None:
    note = source(text("three"), FILE, cached("two", "one")).note
    for command in ("config plan callcenter.toml", "config apply callcenter.toml", "config export --into callcenter.toml"):
        assert command in note
    assert "version 7 (2026-11-22 09:30 UTC, dana)" in note


def test_the_copy_survives_its_own_round_trip_and_is_ours_alone(tmp_path: Path) -> None:
    cache = DocumentCache(tmp_path)
    assert cache.read() is None
    assert cache.written_at() == 0
    kept = Cached(3, AT, "Zoë", {"center": {"name": "Ünïcode \U0001f600"}}, "0123")
    cache.write(kept)
    assert cache.read() == kept
    assert cache.file.stat().st_mode & 0o777 == 0o600
    assert cache.written_at() > 0


DAMAGES = {
    "torn": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "emptied": lambda file: file.write_bytes(b""),
    "changed by hand": lambda file: file.write_text(file.read_text().replace('"two"', '"six"')),
    "not text": lambda file: file.write_bytes(b"\xff\xfe\x00"),
    "something else": lambda file: file.write_text("[1, 2]"),
    "nested without end": lambda file: file.write_text("[" * 100_000),
    "gone": lambda file: file.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_copy_is_made_good_by_the_one_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], object]
) -> None:
    """What was wrong is said, and what is used instead; when both are damaged nothing is guessed."""
    monkeypatch.setenv("CALLCENTER_DATA", str(tmp_path / "data"))
    file = tmp_path / "callcenter.toml"
    file.write_text(text("one"))
    cache = DocumentCache(tmp_path / "data")
    cache.write(cached("two", "one"))
    assert (load(file).queues[0].name, load_file(file).queues[0].name) == ("two", "one")
    damage(cache.file)
    assert load(file).queues[0].name == "two"
    note = center_source(file).note
    assert str(cache.file) in note
    assert "goes by documents.copy.json beside it, version 7 of 2026-11-22 09:30 UTC" in note
    if cache.file.exists():
        damage(cache.copy)
        with pytest.raises(CacheError, match=r"documents\.json is damaged.*remove both"):
            cache.read()
        with pytest.raises(SettingsError, match=r"documents\.json is damaged.*remove both"):
            load(file)
    else:
        cache.copy.unlink()
        assert load(file).queues[0].name == "one"


def test_what_the_core_reads_says_by_which_documents() -> None:
    _, found = split({"center": {"time_zone": "UTC"}, "web": {"port": 8088}})
    assert parse_text('[center]\ntime_zone = "UTC"\n[web]\nport = 8088\n', FILE).center_config({}).documents == digest(found)
