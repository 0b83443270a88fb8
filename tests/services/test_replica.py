"""A replica is the engine's state after every record, whatever is cut, restarted, written down or changed meanwhile."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callcenter.domain.config import CenterConfig, QueueConfig
from callcenter.domain.events import Cause, ConfigChanged
from callcenter.domain.facts import Fact
from callcenter.services.control import ControlServer, JsonObject
from callcenter.services.fact_codec import dump, encode
from callcenter.services.journal import Journal
from callcenter.services.notices import NoticeRing
from callcenter.services.replica import Replica
from callcenter.services.survival import write_checkpoint
from callcenter.sim.world import World, small_center
from tests.domain.test_center_machine import picture

TOKEN = "a-token-of-the-test"
AGENTS = ("alice", "bob")
QUEUES = (QueueConfig("support"), QueueConfig("sales", max_wait=timedelta(seconds=40)))
PATIENCE = 60.0


async def nothing(request: JsonObject) -> JsonObject:
    return {}


@dataclass
class Watched:
    """A center in virtual time whose facts are kept and told as an engine does it, and a replica that follows."""

    folder: Path

    def __post_init__(self) -> None:
        self.config: CenterConfig = small_center(QUEUES, AGENTS)
        self.world = World(self.config, keep_facts=False)
        self.journal = Journal(self.folder / "journal")
        self.seq = 0
        self.told: list[tuple[int, int]] = []
        self.world.on_facts = self.keep
        self.ring: NoticeRing[Fact] = NoticeRing(encode, dump=dump)
        self.server: ControlServer | None = None
        self.replica = Replica(self.folder / "run" / "control.sock", TOKEN, self.folder / "journal", lambda: self.config)
        self.replica.watch(lambda seq, facts: self.told.append((seq, len(facts))))
        self.keep(list(self.world.center.checkpoint()))  # what happened before somebody kept it

    def keep(self, facts: Sequence[Fact]) -> None:
        if facts:
            self.seq = self.journal.append(facts)
            self.ring.put(self.seq, facts)

    async def engine_starts(self) -> None:
        self.server = ControlServer(self.folder / "run" / "control.sock", TOKEN, nothing, self.ring)
        await self.server.start()

    async def connection_is_cut(self) -> None:
        assert self.server is not None
        await self.server.stop()
        await self.engine_starts()

    async def engine_is_killed(self) -> None:
        """The next one goes on with what is on disk."""
        assert self.server is not None
        await self.server.stop()
        self.world.crash_and_restore()
        self.ring = NoticeRing(encode, dump=dump)
        self.ring.begin_at(self.seq)
        await self.engine_starts()

    async def many_are_missed(self) -> None:
        """More than the engine keeps in memory."""
        assert self.server is not None
        await self.server.stop()
        kept, self.ring = self.ring, NoticeRing(encode, kept=2, dump=dump)
        self.ring.begin_at(self.seq)
        self.ring.life, self.ring._changes = kept.life, kept._changes
        self.people(random.Random(self.seq), 6)
        await self.engine_starts()

    async def checkpoint_is_written(self) -> None:
        write_checkpoint(self.journal, self.seq, list(self.world.center.checkpoint()))

    async def rules_change(self) -> None:
        wrap_up = timedelta(seconds=1 + self.seq % 7)
        queues = {name: replace(queue, wrap_up=wrap_up) for name, queue in self.config.queues.items()}
        self.config = self.world.config = replace(self.config, queues=queues)
        self.world.tell(ConfigChanged(self.config))
        self.ring.change_rules()

    def people(self, chance: random.Random, steps: int) -> None:
        """Callers come and go, agents work."""
        for _ in range(steps):
            what = chance.randrange(5)
            channels = sorted(self.world.pbx.channels)
            if what < 2:
                self.world.caller_arrives(chance.choice(("support", "sales")), f"+1202555{chance.randrange(10_000):04}")
            elif what == 2:
                self.world.agent_ready(chance.choice(AGENTS))
            elif what == 3 and channels:
                self.world.pbx.party_hangs_up(chance.choice(channels), Cause.NORMAL)
            self.world.run_for(chance.random() * 8)

    async def is_seen(self) -> None:
        """The replica comes to be what the center is."""
        async with asyncio.timeout(PATIENCE):
            while not (self.replica.here and self.replica.seq == self.seq):
                await asyncio.sleep(0.005)
        assert self.replica.state is not None
        assert picture(self.replica.state) == picture(self.world.center.state)


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[Watched]:
    center = Watched(folder)
    await center.engine_starts()
    following = asyncio.create_task(center.replica.run())
    try:
        await center.is_seen()
        yield center
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        assert center.server is not None
        await center.server.stop()
        center.journal.close()


TROUBLES = ("connection_is_cut", "engine_is_killed", "many_are_missed", "checkpoint_is_written", "rules_change", "")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callcenter.services.replica.RETRY_EVERY", 0.005)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), troubles=st.lists(st.sampled_from(TROUBLES), min_size=2, max_size=8))
def test_whatever_happens_the_replica_is_the_engines_state(
    tmp_path_factory: pytest.TempPathFactory, seed: int, troubles: list[str]
) -> None:
    async def live() -> None:
        chance = random.Random(seed)
        async with watched(tmp_path_factory.mktemp("r")) as center:
            for trouble in troubles:
                center.people(chance, chance.randrange(8))
                await asyncio.sleep(0)
                if trouble:
                    await getattr(center, trouble)()
                center.people(chance, chance.randrange(4))
                await center.is_seen()

    asyncio.run(live())


async def test_it_applies_each_record_once_and_tells_who_watches(tmp_path: Path) -> None:
    async with watched(tmp_path) as center:
        begun, made = center.seq, center.replica.made
        center.told.clear()
        center.world.agent_ready("alice")
        center.world.caller_arrives()
        await center.is_seen()
        await center.connection_is_cut()
        center.world.caller_arrives()
        await center.is_seen()
        assert [seq for seq, facts in center.told if facts] == list(range(begun + 1, center.seq + 1))
        assert center.replica.made == made, "who missed nothing does not begin anew"


async def test_what_a_killed_engine_told_but_never_wrote_down_is_forgotten(tmp_path: Path) -> None:
    async with watched(tmp_path) as center:
        center.world.agent_ready("alice")
        await center.is_seen()
        assert center.replica.state is not None
        lost = [fact for fact in center.world.center.checkpoint() if getattr(fact, "agent", "") == "alice"]
        center.ring.put(center.seq + 1, [replace(fact, agent="bob") for fact in lost if type(fact).__name__ == "AgentStateChanged"])
        async with asyncio.timeout(PATIENCE):
            while center.replica.seq != center.seq + 1:
                await asyncio.sleep(0.005)
        assert center.replica.state.agents["bob"].state == "ready"
        await center.engine_is_killed()
        async with asyncio.timeout(PATIENCE):
            while center.replica.seq != center.seq or not center.replica.here:
                await asyncio.sleep(0.005)
        assert center.replica.state.agents["bob"].state == "logged_out"


async def test_it_says_that_the_engine_is_away(tmp_path: Path) -> None:
    async with watched(tmp_path) as center:
        assert center.server is not None
        await center.server.stop()
        async with asyncio.timeout(PATIENCE):
            while center.replica.here:
                await asyncio.sleep(0.005)
        await center.engine_starts()
        await center.is_seen()


async def test_alarms_do_not_pile_up_where_nobody_acts_on_them(tmp_path: Path) -> None:
    async with watched(tmp_path) as center:
        chance = random.Random(7)
        for _ in range(30):
            center.people(chance, 20)
            await center.is_seen()
        assert center.replica.state is not None
        assert len(center.replica.state.deadlines._alarms) <= 2 * len(center.world.center.state.deadlines._alarms) + 100
