"""How the processes are, as alerts are judged by it: away for so long, slow by so much, behind by so many."""

import asyncio
from collections.abc import Mapping

from callcenter.domain.conditions import Figure
from callcenter.domain.webhooks import MessageState
from callcenter.services.control import JsonObject
from callcenter.services.control_client import EngineAway
from callcenter.services.vitals import Watchkeeper
from callcenter.sim.virtual_loop import run_virtual


class Processes:
    """What is watched over."""

    def __init__(self) -> None:
        self.engine = self.database = True
        self.takes = 0.25

    async def trunks(self) -> JsonObject:
        await asyncio.sleep(self.takes)
        if not self.engine:
            raise EngineAway("away")
        return {"trunks": {"carrier": True, "backup": False}, "seq": 107}

    async def shipped(self) -> int | None:
        return 100

    async def webhooks(self) -> Mapping[MessageState, int]:
        if not self.database:
            raise ConnectionError
        return {MessageState.DUE: 3, MessageState.DEAD: 9}


def test_it_tells_what_it_saw_last_and_how_long_who_is_away_has_been() -> None:
    async def story() -> None:
        processes = Processes()
        watchkeeper = Watchkeeper(processes.trunks, processes.webhooks, processes.shipped)
        watching = asyncio.create_task(watchkeeper.run())
        await asyncio.sleep(2)
        assert watchkeeper.vitals() == {
            Figure.ENGINE_AWAY: 0.0,
            Figure.ENGINE_LAG: 0.25,
            Figure.DATABASE_AWAY: 0.0,
            Figure.BOOKS_BEHIND: 7.0,
            Figure.WEBHOOKS_WAITING: 3.0,
        }
        assert watchkeeper.trunks() == {"carrier": True, "backup": False}
        processes.engine = processes.database = False
        await asyncio.sleep(20)
        seen = watchkeeper.vitals()
        assert [seen[figure] for figure in (Figure.ENGINE_LAG, Figure.BOOKS_BEHIND, Figure.WEBHOOKS_WAITING)] == [None] * 3
        assert watchkeeper.trunks() is None
        for figure in (Figure.ENGINE_AWAY, Figure.DATABASE_AWAY):
            away = seen[figure]
            assert away is not None
            assert 18 < away <= 22
        processes.engine = processes.database = True
        await asyncio.sleep(3)
        assert (watchkeeper.vitals()[Figure.ENGINE_AWAY], watchkeeper.vitals()[Figure.DATABASE_AWAY]) == (0.0, 0.0)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    run_virtual(story)


def test_before_anything_was_seen_nobody_knows() -> None:
    processes = Processes()
    assert set(Watchkeeper(processes.trunks, processes.webhooks, processes.shipped).vitals().values()) == {None}
