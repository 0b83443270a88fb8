"""Documents change under live calls on a real Asterisk, with a real PostgreSQL; and the engine starts without it."""

import asyncio
import json
import tomllib
from collections.abc import Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.documents import PostgresDocuments
from callcenter.apps.books_documents import keep_documents
from callcenter.domain import facts as f
from callcenter.runtime import toml_text
from callcenter.runtime.document_cache import DocumentCache
from callcenter.runtime.postgres import EmbeddedPostgres
from callcenter.sim.sip.policy import AnswerAfter
from tests.pbx.test_change_while_live import command
from tests.support import postgres
from tests.support.asterisk import MENU_TONES, MUSIC_TONES
from tests.support.center import AGENT_TONES, CALLER_TONE, RunningCenter, running_center

pytestmark = [pytest.mark.pbx, pytest.mark.long]


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    with postgres.server(**postgres.FAST) as running:
        postgres.prepare_template(running)
        yield running


@pytest.fixture
def database(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with postgres.database(server) as url:
        monkeypatch.setenv("CALLCENTER_DATABASE_URL", url)
        yield url


@asynccontextmanager
async def in_step(center: RunningCenter, url: str) -> Any:
    """What ``books`` does about documents, while the test goes on."""
    engine, stop = connect(url, name="books"), asyncio.Event()
    keeping = asyncio.create_task(keep_documents(center.file, engine, stop))
    try:
        yield PostgresDocuments(engine)
    finally:
        stop.set()
        await keeping
        await engine.dispose()


async def test_changes_reach_live_calls_only_where_they_should_and_the_engine_starts_without_the_database(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_center() as center, in_step(center, database) as store:
        alice = await center.agent("alice", AnswerAfter(0.2))
        caller = await center.call()
        await caller.hears(MENU_TONES, for_s=0.2)
        await caller.send_digit("2")
        at_alice = await alice.incoming()
        await caller.hears(AGENT_TONES["alice"])
        waiting = await center.call("+12025550177")
        await waiting.hears(MENU_TONES, for_s=0.2)
        await waiting.send_digit("2")
        await waiting.hears(MUSIC_TONES)
        await center.until(lambda: _kept(center, 1))

        raw = tomllib.loads(center.file.read_text())
        wanted = center.file.with_name("wanted.toml")
        raw["agent"] = [agent for agent in raw["agent"] if agent["name"] != "alice"]
        toml_text.write(wanted, raw)
        code, said = await command(center, "config", "plan", str(wanted))
        assert code == 1, said
        assert "agent alice is talking and leaves, after her contact if she is in one" in said
        assert "; 1 caller waits in it" in said
        for n in range(3):
            raw["queue"][0]["wrap_up_s"] = n + 1
            toml_text.write(wanted, raw)
            code, said = await command(center, "config", "apply", str(wanted), "--yes", "--reason", f"change {n}")
            assert code == 0, said
            assert f"version {n + 2}: in use" in said
        await caller.hears(AGENT_TONES["alice"], for_s=1.0)
        await at_alice.hears(CALLER_TONE, for_s=1.0)
        await waiting.hears(MUSIC_TONES, for_s=0.5)
        assert center.all(f.ContactParted) == []
        assert len(center.all(f.ConfigTaken)) == 4

        monkeypatch.setenv("CALLCENTER_DATABASE_URL", "postgresql://callcenter:secret@127.0.0.1:1/callcenter")
        await center.kill_engine()
        await center.start_engine()
        await caller.hears(AGENT_TONES["alice"], for_s=1.0)
        state = json.loads(json.dumps(await center.ask("state")))
        assert {agent["name"] for agent in state["agents"] if agent["state"] != "logged_out"} == {"alice"}
        code, said = await command(center, "config", "apply", str(wanted), "--yes")
        assert (code, "the database is away" in said) == (1, True)
        await at_alice.hang_up()
        await caller.ended()
        await center.fact(f.AgentStateChanged, agent="alice", state=f.AgentState.LOGGED_OUT)

        monkeypatch.setenv("CALLCENTER_DATABASE_URL", database)
        code, said = await command(center, "config", "rollback", "1", "--yes")
        assert code == 0, said
        await center.agent("alice", AnswerAfter(0.2))
        await waiting.hears(AGENT_TONES["alice"])
        assert [note.version for note in await store.history()] == [5, 4, 3, 2, 1]
        await waiting.hang_up()


def _kept(center: RunningCenter, version: int) -> bool:
    cached = DocumentCache(center.pbx.settings.data).read()
    return cached is not None and cached.version >= version
