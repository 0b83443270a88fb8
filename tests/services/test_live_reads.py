"""Who reads what is now: from the replica, never older than what the engine has told, and never for nothing."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, cast

import pytest

from callcenter.services.control import ControlError
from callcenter.services.control_client import EngineAway
from callcenter.services.live_reads import LiveReads
from callcenter.services.replica import Replica
from callcenter.sim.virtual_loop import run_virtual
from tests.support.watched_center import WatchedCenter, browsers


class Reading:
    """A center, and who reads it; ``made`` is how often the replica was made anew."""

    def __init__(self) -> None:
        self.center = WatchedCenter(browsers("alice"))
        self.center.made = 1  # type: ignore[attr-defined]
        self.reads = LiveReads(cast(Replica, self.center), lambda: self.center.world.now)

    async def alice(self) -> str:
        picture: Any = await self.reads.picture()
        return str(picture["agents"][0]["state"])


def told(story: Callable[[Reading], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    def test() -> None:
        run_virtual(lambda: story(Reading()))

    return test


@told
async def test_who_has_told_the_engine_something_waits_for_it_to_be_seen(it: Reading) -> None:
    assert await it.alice() == "logged_out"
    it.reads.told(it.center.seq + 1)
    reading = asyncio.create_task(it.alice())
    await asyncio.sleep(1)
    assert not reading.done()
    it.center.world.agent_ready("alice")
    assert await reading == "ready"


@told
async def test_a_picture_is_made_once_for_all_who_ask_at_the_same_moment(it: Reading) -> None:
    first = await it.reads.picture()
    assert await it.reads.picture() is first
    it.reads.told(it.center.seq)
    second = await it.reads.picture()
    assert second is not first
    it.center.world.run_for(timedelta(seconds=0.4).total_seconds())
    assert await it.reads.picture() is not second


@told
async def test_an_engine_that_is_away_is_said_and_one_that_is_back_is_read(it: Reading) -> None:
    it.center.engine_leaves()
    with pytest.raises(EngineAway):
        await it.reads.picture()
    reading = asyncio.create_task(it.alice())
    await asyncio.sleep(0.5)
    it.center.engine_comes()
    assert await reading == "logged_out"


@told
async def test_what_a_killed_engine_told_and_never_kept_is_waited_for_by_nobody(it: Reading) -> None:
    it.reads.told(it.center.seq + 1000)
    with pytest.raises(EngineAway):
        await it.reads.picture()
    it.center.made += 1  # type: ignore[attr-defined]
    assert await it.alice() == "logged_out"
    it.reads.told(it.center.seq)
    assert await it.alice() == "logged_out"


@told
async def test_why_a_contact_waits_and_in_which_queue(it: Reading) -> None:
    it.center.world.caller_arrives(caller="+12025550188")
    (contact,) = it.center.world.center.state.contacts
    assert (await it.reads.explanation(contact))["queue"] == "support"
    assert (await it.reads.queue_of(contact), await it.reads.queue_of("nobody")) == ("support", None)
    with pytest.raises(ControlError):
        await it.reads.explanation("nobody")
