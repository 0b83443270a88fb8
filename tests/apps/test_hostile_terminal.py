"""Other people's words in a terminal: nothing in them moves the cursor, colours, links, rings, turns or hides."""

import asyncio
import tomllib
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner

from callcenter.adapters.db import tables, tables_people
from callcenter.adapters.db.connection import connect
from callcenter.adapters.web.words import visible
from callcenter.apps.cli import app
from callcenter.runtime.document_cache import Cached, DocumentCache
from callcenter.runtime.document_kinds import split
from tests.support.hostile_texts import ALL

COMMANDS = (
    ("audit", "list", "--limit", "500"),
    ("voicemail", "list"),
    ("config", "history"),
    ("webhook", "list"),
    ("person", "list"),
    ("person", "token", "list", "root"),
)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Path:
    monkeypatch.setenv("CALLCENTER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("CALLCENTER_DATABASE_URL", database_url)
    file = tmp_path / "callcenter.toml"
    file.write_text('[center]\ntime_zone = "UTC"\n[[queue]]\nname = "support"\n[[agent]]\nname = "alice"\nqueues = ["support"]\n')
    monkeypatch.setenv("CALLCENTER_CONFIG", str(file))
    asyncio.run(seed(database_url))
    _, documents = split(tomllib.loads(file.read_text()))
    DocumentCache(tmp_path / "data").write(Cached(1, datetime.now(UTC), "", documents))
    return file


async def seed(url: str) -> None:
    """Past the checks that stand before these tables."""
    now, later = datetime.now(UTC), datetime(2100, 1, 1, tzinfo=UTC)
    every = list(enumerate(text.replace("\x00", "") for text in ALL))
    names = ("person", "via", "address", "what", "of", "reason")
    hook = {"events": [], "numbers": "none", "enabled": False, "created_at": now, "created_by": "", "revision": 1, "generation": 1}
    message = {"mailbox": "queue:support", "node": "n", "call_id": "", "contact_id": "", "state": "new", "left_at": now}
    token = {"person": "root", "created_at": now, "expires_at": later, "scopes": ["see_audit"]}
    rows = {
        tables_people.person: [
            {"name": "root", "shown": "Root"},
            *({"name": f"p{n}", "shown": text, "roles": ["agent"]} for n, text in every),
        ],
        tables_people.audit_entry: [
            {"seq": n + 1, "at": now, "hash": "x", "before": {}, "after": {}, **dict.fromkeys(names, text)} for n, text in every
        ],
        tables_people.person_token: [{**token, "hash": f"t{n}", "id": f"t{n}", "label": text} for n, text in every],
        tables.message: [
            {**message, "message_id": f"m{n}", "caller": text, "caller_name": text, "transcript": text, "length_s": 1} for n, text in every
        ],
        tables.webhook: [{**hook, "webhook_id": f"w{n}", "url": text, "note": text, "why": text} for n, text in every],
        tables.config_version: [
            {"version": n + 1, "at": now, "author": text, "reason": text, "source": "page", "digest": f"{n}"} for n, text in every
        ],
    }
    engine = connect(url, name="test")
    async with engine.begin() as connection:
        for table, values in rows.items():
            await connection.execute(insert(table), values)
    await engine.dispose()


def test_no_command_lets_anything_through_that_steers_a_terminal(file: Path) -> None:
    for command in COMMANDS:
        for more in ((), ("--json",)):
            ran = CliRunner().invoke(app, [*command, *more])
            assert ran.exit_code == 0, (command, ran.output[-500:])
            wrong = {sign for sign in ran.stdout if unicodedata.category(sign) in ("Cc", "Cf", "Zl", "Zp")} - {"\n"}
            assert not wrong, (command, more, wrong)
            assert "DROP TABLE" in ran.stdout, command  # it did list them


def test_signs_are_shown_in_their_place() -> None:
    assert visible("a\x1b[31mb\u202ec\x9b") == "a\u241b[31mb\ufffdc\ufffd"
