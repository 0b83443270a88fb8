"""``callcenter explain`` of the past, and routing rules tried on past contacts: from PostgreSQL and from the journal."""

from pathlib import Path

import pytest

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.ledger import PostgresLedger
from callcenter.apps import dry_run, explain
from callcenter.apps.reports import ReportError
from callcenter.runtime.config_versions import ConfigVersions
from callcenter.runtime.settings import Settings, parse
from callcenter.services.journal import Journal
from callcenter.services.ledger import Shipper
from tests.support.day import BEGIN, abandoned_call, answered_call, seconds

RAW = {
    "center": {"time_zone": "UTC"},
    "queue": [{"name": "support"}, {"name": "sales"}],
    "agent": [{"name": "alice", "queues": ["support", "sales"]}, {"name": "bob", "queues": ["support"]}],
}
CALLS = [
    *answered_call("c1", BEGIN, "alice", wait=12),
    *answered_call("c2", BEGIN + seconds(200), "alice", wait=30, caller="+4930333"),
    *abandoned_call("c3", BEGIN + seconds(300), wait=3),
]


def settings(data: Path, **tables: object) -> Settings:
    return parse({**RAW, "paths": {"data": str(data)}, **tables}, Path("callcenter.toml"))


@pytest.fixture
async def shipped(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The facts are in PostgreSQL, and in no journal of the center's data folder."""
    monkeypatch.setenv("CALLCENTER_DATABASE_URL", database_url)
    monkeypatch.setenv("CALLCENTER_DATA", str(tmp_path / "data"))
    journal = Journal(tmp_path / "journal")
    for facts in CALLS:
        journal.append(facts)
    journal.close()
    engine = connect(database_url, name="test")
    shipper = Shipper(tmp_path / "journal", PostgresLedger(engine), dead_letters=tmp_path)
    while await shipper.step():
        pass
    await engine.dispose()


@pytest.mark.usefixtures("shipped")
def test_from_postgresql(tmp_path: Path) -> None:
    explained = explain.from_the_past(settings(tmp_path), "c2-con")
    assert (explained["contact"], explained["answered_by"], explained["waited"]) == ("c2-contact", "alice", 30)
    (offer,) = explained["offers"]  # type: ignore[misc, attr-defined]
    assert offer["agent"] == "alice"
    assert {"agent": "bob", "why": "is logged out"} in offer["explained"]["others"]
    assert "answered by alice after 30.0 s" in explain.words(explained)


@pytest.mark.usefixtures("shipped")
def test_what_is_not_there_or_not_clear_is_said(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="no contact that begins with 'c9'"):
        explain.from_the_past(settings(tmp_path), "c9")
    with pytest.raises(ReportError, match="may be any of c1-contact, c2-contact"):
        explain.from_the_past(settings(tmp_path), "c")


def test_from_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLCENTER_DATA", str(tmp_path))
    journal = Journal(tmp_path / "journal")
    for facts in CALLS:
        journal.append(facts)
    journal.close()
    assert explain.from_the_past(settings(tmp_path), "c1-contact")["answered_by"] == "alice"


VERSION = """
[center]
time_zone = "UTC"

[[queue]]
name = "support"

[[queue]]
name = "sales"

[[agent]]
name = "alice"
queues = ["support", "sales"]

[[agent]]
name = "bob"
queues = {bobs}
"""


def test_the_past_is_explained_by_the_rules_of_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bob came to support when the first contact was over, and has left it since."""
    monkeypatch.setenv("CALLCENTER_DATA", str(tmp_path))
    versions = ConfigVersions(tmp_path)
    versions.keep(VERSION.format(bobs='["sales"]'), BEGIN - seconds(60))
    versions.keep("this is no TOML", BEGIN - seconds(30))  # of another release, say
    versions.keep(VERSION.format(bobs='["support"]'), BEGIN + seconds(100))
    journal = Journal(tmp_path / "journal")
    for facts in CALLS:
        journal.append(facts)
    journal.close()
    today = settings(tmp_path, agent=[{"name": "alice", "queues": ["support", "sales"]}])

    def others(contact: str) -> list[str]:
        (offer,) = explain.from_the_past(today, contact)["offers"]  # type: ignore[misc, attr-defined]
        return [other["agent"] for other in offer["explained"]["others"]]

    assert "bob" not in others("c1-contact")
    assert "bob" in others("c2-contact")


@pytest.mark.usefixtures("shipped")
def test_rules_are_tried_on_past_contacts(tmp_path: Path) -> None:
    rules = [
        {"name": "berlin-3", "match": {"caller": ["+49303*"]}, "queue": "sales"},
        {"name": "nobody", "match": {"caller": ["+1*"]}},
    ]
    center = settings(tmp_path, routing_rule=rules)
    begin, end = BEGIN.isoformat(), (BEGIN + seconds(3600)).isoformat()
    said = dry_run.run(center, begin, end, as_json=False)
    assert said.splitlines() == [
        "3 contacts",
        "       1 berlin-3",
        "       0 nobody (matches none of them)",
        "       2 no rule",
        "1 would be directed otherwise than they were",
        "  c2-contact from +4930333: support by no rule -> sales by berlin-3",
    ]
    assert '"contacts": 3' in dry_run.run(center, begin, end, as_json=True)
