"""Every kind of document there is, through the door of the command: exported, changed in its file, planned, applied, told in the history,
taken back. The kinds are those of the code, so that a new one cannot be forgotten.
"""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from callcenter.apps.cli import app
from callcenter.runtime import toml_text
from callcenter.runtime.document_kinds import KINDS
from callcenter.runtime.settings import Settings, load

runner = CliRunner()
Body = Mapping[str, Any]
BEFORE: Mapping[str, Mapping[str, Body]] = {
    "center": {"": {"time_zone": "UTC", "languages": ["en", "es"], "emergency_numbers": ["911"]}},
    "recording": {"": {"keep_days": 30}},
    "payments": {"": {"flows": ["pay"]}},
    "missed_offers": {"": {"most": 2}},
    "occupancy": {"": {"ceiling": 0.8}},
    "calling": {"": {"trunk": "carrier", "countries": ["US"]}},
    "desk_phone": {"": {"feature_prefix": "*"}},
    "own_calls": {"": {"allowed": ["+1"], "ring_s": 30}},
    "routing": {"": {"window_s": 600}},
    "queue": {"support": {"name": "support", "dispositions": ["sale/by-phone", "no_sale"], "script": "sale"}},
    "agent": {"alice": {"name": "alice", "queues": ["support"], "skills": {"english": 80}}},
    "team": {"north": {"name": "north", "agents": ["alice"]}},
    "supervisor": {"alice": {"name": "alice", "queues": ["support"]}},
    "skill": {"english": {"name": "english", "description": "speaks it"}},
    "number": {"+18005550100": {"did": "+18005550100", "flow": "main"}},
    "calendar": {"office": {"weekly": ["mon-fri 09:00-17:00"]}},
    "flow": {
        "main": {"start": "q", "node": {"q": {"type": "queue", "queue": "support"}}},
        "pay": {"start": "back", "node": {"back": {"type": "return"}}},
    },
    "script": {"sale": {"title": "Sale", "start": "hello", "page": {"hello": {"text": "Hello {caller_name}"}}}},
    "disposition": {"sale/by-phone": {"success": True}},
    "caller_list": {"vip": {"name": "vip", "priority": 5, "entry": [{"number": "+12025550100", "reason": "a friend"}]}},
    "routing_rule": {"gold": {"name": "gold", "match": {"trunk": ["carrier"]}, "priority": 3}},
    "prompt": {"welcome.es": {"id": "welcome", "language": "es", "text": "Hola"}},
    "music": {"tones": {"name": "tones", "source": "tone:350+450:10"}},
    "language": {"es": {"fallback": "en"}},
}
CHANGED: Mapping[str, tuple[str, Body]] = {
    "center": ("", {"name": "Another name"}),
    "recording": ("", {"keep_days": 31}),
    "payments": ("", {"flows": []}),
    "missed_offers": ("", {"most": 3}),
    "occupancy": ("", {"ceiling": 0.7}),
    "calling": ("", {"countries": ["US", "CA"]}),
    "desk_phone": ("", {"feature_prefix": "#"}),
    "own_calls": ("", {"ring_s": 20}),
    "routing": ("", {"window_s": 900}),
    "queue": ("support", {"wrap_up_s": 7}),
    "agent": ("alice", {"skills": {"english": 90}}),
    "team": ("north", {"supervisor": "sue"}),
    "supervisor": ("alice", {"queues": ["*"]}),
    "skill": ("english", {"description": "speaks it well"}),
    "number": ("+18005550100", {"fallback_queue": "support"}),
    "calendar": ("office", {"weekly": ["mon-fri 08:00-17:00"]}),
    "flow": ("main", {"title": "The main one"}),
    "script": ("sale", {"title": "Another sale"}),
    "disposition": ("sale/by-phone", {"resolved": True}),
    "caller_list": ("vip", {"priority": 6}),
    "routing_rule": ("gold", {"priority": 4}),
    "prompt": ("welcome.es", {"text": "Buenos días"}),
    "music": ("tones", {"source": "tone:400+450:10"}),
    "language": ("es", {"voice": "es"}),
}
SITE: Body = {"trunk": [{"name": "carrier", "authentication": "address", "addresses": ["192.0.2.1"], "host": "192.0.2.1"}]}
ON_THE_SITE = frozenset(
    {
        *("paths", "database", "node", "engine", "web", "softphone", "webhooks", "people", "oidc", "mail", "trunk", "speech", "dip"),
        *("connection", "tts"),
    }
)
"""Where it runs, and what names secrets and other machines: no documents."""


def test_every_table_of_the_settings_is_a_document_or_said_to_belong_to_the_site() -> None:
    tables = {field.alias or name for name, field in Settings.model_fields.items()}
    assert set(KINDS) | ON_THE_SITE == tables
    assert not set(KINDS) & ON_THE_SITE
    assert set(BEFORE) == set(CHANGED) == set(KINDS), "a kind is new: say here what one looks like, and what may change in it"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Path:
    monkeypatch.setenv("CALLCENTER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("CALLCENTER_DATABASE_URL", database_url)
    file = tmp_path / "callcenter.toml"
    monkeypatch.setenv("CALLCENTER_CONFIG", str(file))
    return toml_text.write(file, {**SITE, **tables(BEFORE)})


def tables(documents: Mapping[str, Mapping[str, Body]]) -> dict[str, Any]:
    """As the file says them."""
    return {
        kind: next(iter(bodies.values())) if KINDS[kind].one else list(bodies.values()) if KINDS[kind].named_by else dict(bodies)
        for kind, bodies in documents.items()
    }


def key(kind: str) -> str:
    return f"{kind}/{CHANGED[kind][0]}" if CHANGED[kind][0] else kind


def config(*words: str, code: int = 0) -> Result:
    ran = runner.invoke(app, ["config", *words])
    assert ran.exit_code == code, ran.output
    return ran


def exported() -> dict[str, Any]:
    return dict(json.loads(config("export", "--json").stdout))


def change(folder: Path, kind: str) -> None:
    """In the file of its kind, as somebody would with an editor."""
    name, fields = CHANGED[kind]
    place = folder / f"{kind}.toml"
    raw = tomllib.loads(place.read_text())
    if KINDS[kind].one:
        raw[kind].update(fields)
    elif KINDS[kind].named_by:
        raw[kind][0].update(fields)
    else:
        raw[kind][name].update(fields)
    toml_text.write(place, raw)


def test_every_kind_goes_out_comes_back_is_remembered_and_taken_back(file: Path, tmp_path: Path) -> None:
    config("apply", "--yes", "--reason", "the first")
    folder = tmp_path / "center"
    config("export", "--to", str(folder))
    assert {path.stem for path in folder.iterdir()} == set(KINDS)
    before = exported()
    for kind in KINDS:
        change(folder, kind)
    planned = json.loads(config("plan", str(folder), "--json", code=1).stdout)
    assert {each["document"]: sorted(field["path"].partition(".")[0] for field in each["fields"]) for each in planned["changes"]} == {
        key(kind): sorted(fields) for kind, (_, fields) in CHANGED.items()
    }
    config("apply", str(folder), "--yes", "--reason", "all of them")
    after = exported()
    assert {name: after[name] for name in map(key, KINDS)} == {
        key(kind): {**BEFORE[kind][name], **fields} for kind, (name, fields) in CHANGED.items()
    }
    assert load(file).center.name == "Another name"
    told = json.loads(config("history", "--json").stdout)
    assert [(each["version"], each["reason"]) for each in told] == [(2, "all of them"), (1, "the first")]
    assert set(told[0]["changed"]) == set(map(key, KINDS))
    for kind in KINDS:
        back = config("rollback", "1", "--yes", "--document", key(kind))
        assert back.stdout.splitlines()[0] == f"~ {key(kind)}"
    assert exported() == before
    config("rollback", "2", "--yes")
    assert exported() == after
