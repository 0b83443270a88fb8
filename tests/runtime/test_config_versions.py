"""Configurations that were in use are kept, and one command brings one back."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callcenter.apps.cli import app
from callcenter.runtime.config_versions import KEPT, ConfigVersions, VersionError, digest

AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
GOOD = """
[center]
time_zone = "UTC"
[paths]
data = "{data}"
[[agent]]
name = "alice"
queues = ["{queue}"]
[[queue]]
name = "{queue}"
"""
runner = CliRunner()


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CALLCENTER_DATA", raising=False)
    (tmp_path / "data").mkdir()
    return tmp_path / "callcenter.toml"


def text(file: Path, queue: str) -> str:
    return GOOD.format(data=file.parent / "data", queue=queue)


def kept(file: Path) -> ConfigVersions:
    return ConfigVersions(file.parent / "data")


def rollback(file: Path, *words: str) -> tuple[int, str]:
    ran = runner.invoke(app, ["config", "rollback", *words, "--config", str(file)])
    return ran.exit_code, (ran.stdout + ran.stderr).strip()


def test_what_is_in_use_is_kept_once_for_nobody_elses_eyes(tmp_path: Path) -> None:
    versions = ConfigVersions(tmp_path)
    first = versions.keep("a", AT)
    assert versions.keep("a", AT + timedelta(hours=1)) == first
    second = versions.keep("b", AT + timedelta(hours=2))
    assert versions.all() == [first, second]
    assert (second.number, second.at, second.sha256, second.read()) == (2, AT + timedelta(hours=2), digest("b"), "b")
    assert (second.file.stat().st_mode & 0o777, versions.folder.stat().st_mode & 0o777) == (0o600, 0o700)


def test_what_comes_back_is_a_version_of_its_own_and_the_one_before_is_the_other(tmp_path: Path) -> None:
    versions = ConfigVersions(tmp_path)
    for hour, content in enumerate(("a", "b", "a")):
        versions.keep(content, AT + timedelta(hours=hour))
    assert [version.read() for version in versions.all()] == ["a", "b", "a"]
    assert versions.find(None).number == 2
    assert versions.find(1).read() == "a"


def test_old_versions_go(tmp_path: Path) -> None:
    versions = ConfigVersions(tmp_path)
    for n in range(KEPT + 3):
        versions.keep(str(n), AT)
    assert [version.number for version in versions.all()] == list(range(4, KEPT + 4))


@pytest.mark.parametrize("number", [None, 0, 7])
def test_what_is_not_there_is_said(tmp_path: Path, number: int | None) -> None:
    versions = ConfigVersions(tmp_path)
    versions.keep("a", AT)
    with pytest.raises(VersionError, match=r"there is no .*version.*; versions: 1"):
        versions.find(number)


def test_a_version_that_was_tampered_with_is_not_used(file: Path) -> None:
    file.write_text(text(file, "two"))
    first = kept(file).keep(text(file, "one"), AT)
    kept(file).keep(text(file, "two"), AT)
    first.file.write_text(text(file, "evil"))
    code, said = rollback(file)
    assert (code, "its hash differs" in said) == (1, True)
    assert file.read_text() == text(file, "two")


def test_without_an_engine_the_file_is_restored_and_says_when_it_counts(file: Path) -> None:
    file.write_text(text(file, "two"))
    file.chmod(0o640)
    kept(file).keep(text(file, "one"), AT)
    kept(file).keep(text(file, "two"), AT + timedelta(hours=1))
    code, said = rollback(file)
    assert (code, said) == (0, "version 1 of 2026-11-22 09:30:00 UTC: restored; the engine does not run, and takes it over when it starts")
    assert (file.read_text(), file.stat().st_mode & 0o777) == (text(file, "one"), 0o640)


def test_a_file_that_is_broken_or_gone_can_be_brought_back(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLCENTER_DATA", str(file.parent / "data"))
    file.write_text("[center\n")
    kept(file).keep(text(file, "one"), AT)
    assert rollback(file, "1")[0] == 0
    assert file.read_text() == text(file, "one")
    assert [(version.used, version.read()) for version in kept(file).all()] == [(True, text(file, "one")), (False, "[center\n")]
    file.unlink()
    assert rollback(file, "1")[0] == 0
    assert file.read_text() == text(file, "one")


def test_edits_that_were_never_in_use_are_not_lost(file: Path) -> None:
    kept(file).keep(text(file, "one"), AT)
    kept(file).keep(text(file, "two"), AT)
    file.write_text(text(file, "edited"))
    assert rollback(file)[0] == 0
    assert [(version.number, version.used) for version in kept(file).all()] == [(1, True), (2, True), (3, False)]
    assert rollback(file, "3")[0] == 0
    assert file.read_text() == text(file, "edited")


def test_a_version_that_does_not_fit_any_more_is_refused_with_the_place(file: Path) -> None:
    file.write_text(text(file, "two"))
    kept(file).keep(text(file, "one") + "ring_timout_s = 3\n", AT)
    kept(file).keep(text(file, "two"), AT)
    code, said = rollback(file)
    assert code == 1
    assert "version 1 does not fit any more" in said
    assert "queue[0].ring_timout_s" in said
    assert file.read_text() == text(file, "two")


def test_the_history_says_what_is_in_use(file: Path) -> None:
    file.write_text(text(file, "one"))
    nothing = runner.invoke(app, ["config", "history", "--config", str(file)])
    assert nothing.stdout == "nothing yet; the engine keeps each configuration that it takes over\n"
    kept(file).keep(text(file, "one"), AT)
    kept(file).keep(text(file, "two"), AT + timedelta(hours=1))
    ran = runner.invoke(app, ["config", "history", "--config", str(file)])
    assert ran.stdout.splitlines() == [
        f"   2  2026-11-22 10:30:00 UTC  {digest(text(file, 'two'))}  in use",
        f"   1  2026-11-22 09:30:00 UTC  {digest(text(file, 'one'))}  as the file is now",
        f"{file} was changed since; callcenter reload takes it over",
    ]
    as_json = json.loads(runner.invoke(app, ["config", "history", "--json", "--config", str(file)]).stdout)
    assert [(each["version"], each["in_use"], each["is_the_file"]) for each in as_json] == [(2, True, False), (1, False, True)]
    assert as_json[0]["at"] == "2026-11-22T10:30:00+00:00"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_written_changes_nothing(file: Path) -> None:
    file.write_text(text(file, "two"))
    kept(file).keep(text(file, "one"), AT)
    kept(file).keep(text(file, "two"), AT)
    file.parent.chmod(0o500)
    assert "nothing was changed" in rollback(file)[1]
