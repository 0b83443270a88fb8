"""A drawing of a flow shows how many callers went which way yesterday."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.ledger import PostgresLedger
from callcenter.apps.flow_drawing import svg, words
from callcenter.apps.flow_picture import picture
from callcenter.apps.flow_traffic import yesterday
from callcenter.domain import facts as f
from callcenter.runtime.flow_documents import read_document
from callcenter.runtime.settings import Settings, parse_text
from callcenter.services.journal import Journal
from callcenter.services.ledger import Shipper
from callcenter.sim.world import World

TOML = """
[center]
time_zone = "UTC"
[paths]
data = "{data}"
[[agent]]
name = "alice"
queues = ["support"]
[[queue]]
name = "support"
[[number]]
did = "+18005550100"
flow = "main"
"""
MAIN = """
flow: main
start: choice
nodes:
  choice: {type: menu, prompt: menu, choices: {1: support, 2: bye}, otherwise: bye, tries: 1, timeout_s: 4}
  support: {type: queue, queue: support}
  bye: {type: prompt, prompt: goodbye, next: end}
  end: {type: hang_up}
"""


def center(data: Path) -> Settings:
    document = read_document(MAIN, data / "main.yaml")
    return parse_text(TOML.format(data=data), data / "callcenter.toml", {"main": document})


def a_call(settings: Settings, at: datetime, key: str) -> list[Sequence[f.Fact]]:
    records: list[Sequence[f.Fact]] = []
    world = World(settings.center_config({"alice": "phone"}), keep_facts=False, seed=f"{at}", start=at)
    world.on_facts = lambda facts: records.append(list(facts)) if facts else None
    leg = world.pbx.call_in("+18005550100")
    world.run_for(3)
    if key:
        world.pbx.party_presses(leg, key)
    world.run_for(20)
    if leg in world.pbx.channels:
        world.pbx.party_hangs_up(leg)
    return records


def test_yesterdays_callers_stand_on_the_ways_they_went(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLCENTER_DATABASE_URL", database_url)
    settings = center(tmp_path)
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
    records = a_call(settings, noon - timedelta(days=1), "2")
    for minute, key in enumerate(["1", "1", "1", "2", ""]):
        records += a_call(settings, noon + timedelta(minutes=minute), key)
    _ship(database_url, tmp_path, records)

    seen = yesterday(settings, "main")
    drawn = picture(settings, settings.flow_sources.in_use["main"], seen)
    assert seen.when == f"callers of {noon:%Y-%m-%d} (UTC)"
    assert words(drawn).splitlines()[2:7] == [
        "choice (menu): “For sales, press 1. For support, press 2.”",
        "    1: 3 -> support",
        "    2: 1 -> bye",
        "    otherwise: 1 -> bye",
        "support (queue): support",
    ]
    assert "2: 1, otherwise: 1" in svg(drawn)


def _ship(database_url: str, folder: Path, records: Sequence[Sequence[f.Fact]]) -> None:
    async def ship() -> None:
        journal = Journal(folder / "journal")
        for facts in records:
            journal.append(facts)
        journal.close()
        engine = connect(database_url, name="test")
        shipper = Shipper(folder / "journal", PostgresLedger(engine), dead_letters=folder)
        while await shipper.step():
            pass
        await engine.dispose()

    asyncio.run(ship())
