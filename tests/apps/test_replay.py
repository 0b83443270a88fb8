"""``callcenter replay``: from a journal or from PostgreSQL, with the same configuration or another, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.ledger import PostgresLedger
from callcenter.apps.cli import app
from callcenter.services.ledger import Shipper
from tests.support.simulated_day import DayPlan, simulated_day
from tests.support.toml import write

PLAN = DayPlan(hours=2, shifts=False, transfer_share=0.1, missed_share=0.03)
WINDOW = ["--from", "2026-11-16T08:00", "--to", "2026-11-16T10:00"]


def center(**changed: object) -> dict[str, object]:
    """The simulated day's configuration, as people write it."""
    agents = [{"name": f"agent-{n}", "queues": ["support"] if n % 3 == 0 else ["support", "sales"]} for n in range(PLAN.agents)]
    return {
        "center": {"time_zone": "UTC"},
        "queue": [{"name": "support", "wrap_up_s": 30}, {"name": "sales", "wrap_up_s": 20, "target_wait_s": 10}],
        "agent": agents,
        **changed,
    }


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("journal")
    simulated_day(PLAN, folder)
    return folder


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CALLCENTER_DATA", str(tmp_path / "data"))
    path = write(tmp_path / "callcenter.toml", center())
    monkeypatch.setenv("CALLCENTER_CONFIG", str(path))
    return path


def run(*args: object) -> Result:
    return CliRunner().invoke(app, ["replay", *WINDOW, *map(str, args)])


def report(*args: object) -> dict[str, Any]:
    result = run(*args, "--json")
    assert result.exit_code == 0, result.output
    printed: dict[str, Any] = json.loads(result.stdout)
    return printed


def test_the_unchanged_configuration_reproduces_the_record_and_passes_strictly(journal: Path, file: Path) -> None:
    printed = report("--journal", journal, "--strict")
    assert printed["calibration"]["reproduced"] is True
    assert [row["queue"] for row in printed["queues"]] == ["sales", "support", ""]
    for row in printed["queues"]:
        assert row["replayed"] == pytest.approx(row["recorded"])
        assert row["recorded"]["offered"] > 50
        assert row["tried"] is None
    assert printed["worse_off"]["contacts"] == 0
    assert printed["notes"] == []
    text = run("--journal", journal).stdout
    for words in ("replayed, unchanged", "reproduced", "Nobody is worse off", "service level = "):
        assert words in text
    assert "NOT" not in text


def test_another_configuration_beside_it_and_who_pays(journal: Path, file: Path, tmp_path: Path) -> None:
    agents = [{"name": f"agent-{n}", "queues": ["support"] if n != 1 else ["support", "sales"]} for n in range(PLAN.agents + 1)]
    other = write(tmp_path / "other.toml", center(agent=agents))
    printed = report("--journal", journal, "--config", other)
    by_queue = {row["queue"]: row for row in printed["queues"]}
    assert printed["tried_with"] == "other.toml"
    assert printed["calibration"]["reproduced"] is True
    assert by_queue["sales"]["tried"]["service_level"] < by_queue["sales"]["replayed"]["service_level"] - 0.1
    assert by_queue["support"]["tried"]["service_level"] > by_queue["support"]["replayed"]["service_level"]
    assert by_queue["support"]["tried"]["offered"] == by_queue["support"]["recorded"]["offered"]
    worse = printed["worse_off"]
    assert worse["compared_with"] == "replayed"
    assert worse["classes"][0]["queue"] == "sales"
    assert worse["contacts"] == sum(row["worse"] for row in worse["classes"]) > 20
    assert worse["worst"][0]["grew_s"] >= worse["worst"][-1]["grew_s"] > 1
    assert printed["notes"] == ["agents of other.toml who were never logged in at this time, and are not in the replay: agent-9"]
    text = run("--journal", journal, "--config", other).stdout
    for words in ("other.toml", "who waits longer", "no longer answered", "the worst"):
        assert words in text


def test_a_record_of_another_configuration_is_not_reproduced_and_said_so(journal: Path, tmp_path: Path, file: Path) -> None:
    slow = [{"name": "support", "wrap_up_s": 90}, {"name": "sales", "wrap_up_s": 90, "target_wait_s": 10}]
    changed_since = write(tmp_path / "callcenter.toml", center(queue=slow))
    printed = report("--journal", journal, "--center", changed_since)
    assert printed["calibration"]["reproduced"] is False
    assert {row["queue"]: row["reproduced"] for row in printed["calibration"]["queues"]} == {"sales": False, "support": False}
    assert "does not reproduce the record" in run("--journal", journal).stdout
    assert run("--journal", journal, "--strict").exit_code == 1


async def test_postgresql_tells_the_same_as_the_journal(
    journal: Path, file: Path, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    engine = connect(database_url, name="test")
    shipper = Shipper(journal, PostgresLedger(engine), dead_letters=tmp_path)
    while await shipper.step():
        pass
    await engine.dispose()
    monkeypatch.setenv("CALLCENTER_DATABASE_URL", database_url)
    middle = ("--from", "2026-11-16T08:40", "--to", "2026-11-16T09:40")
    from_database = await asyncio.to_thread(report, *middle)
    assert from_database["calibration"]["reproduced"] is True
    assert from_database["contacts"] > 100
    assert from_database == await asyncio.to_thread(report, *middle, "--journal", journal)


def test_bad_input_is_refused_in_a_sentence(journal: Path, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_sales = [{"name": "agent-1", "queues": ["sales"]}]
    without_support = write(tmp_path / "sales.toml", center(queue=[{"name": "sales"}], agent=only_sales))
    strangers = write(tmp_path / "strangers.toml", center(agent=[{"name": "zoe", "queues": ["support", "sales"]}]))
    monkeypatch.setenv("CALLCENTER_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:9/nothing")
    for args, sentence in (
        (("--journal", journal, "--from", "2026-11-15", "--to", "2026-11-16"), "no contact entered a queue between 2026-11-15"),
        (("--journal", journal, "--from", "2026-11-17", "--to", "2026-11-16"), "must lie before --to"),
        (("--journal", journal, "--from", "yesterday"), "--from 'yesterday' is not a date"),
        (("--journal", tmp_path / "nowhere"), "there is no journal in"),
        (("--journal", journal, "--config", without_support), "sales.toml: there is no queue 'support', in which"),
        (("--journal", journal, "--config", strangers), "strangers.toml: none of its agents was logged in at this time"),
        (("--journal", journal, "--config", tmp_path / "none.toml"), "none.toml"),
        ((), "the database does not give the facts"),
    ):
        result = run(*args)
        assert result.exit_code == 2, (args, result.output)
        assert sentence in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1
        assert "secret" not in result.stderr
        assert result.stdout == ""
