"""Asterisk stops answering without closing anything, and goes on some seconds later."""

import os
import signal
from contextlib import AsyncExitStack

import pytest

from callcenter.domain import facts as f
from tests.support.asterisk import asterisk_node, raw_settings, short_folder
from tests.support.parties import story_settings
from tests.support.real_parties import RealEngine, RealStoryCenter


@pytest.mark.long
async def test_two_who_talk_through_a_node_that_was_frozen() -> None:
    with short_folder() as folder:
        raw = story_settings(raw_settings(folder), 1)
        async with asterisk_node(raw) as pbx, RealEngine([pbx], folder).running() as running, AsyncExitStack() as phones:
            center = RealStoryCenter(0, running, phones)
            alice = await center.agent("alice")
            await alice.ready()
            caller = await center.calls()
            await caller.hears("menu")
            await caller.presses("2")
            await alice.talks()
            since = len(running.book.facts)
            assert pbx.node.process is not None
            os.kill(pbx.node.process.pid, signal.SIGSTOP)
            try:
                await running.book.until(lambda: next((fact for fact in running.book.facts[since:] if isinstance(fact, f.NodeAway)), None))
            finally:
                os.kill(pbx.node.process.pid, signal.SIGCONT)
            await running.sees("node1", since)
            await caller.hears("alice")
            assert [type(fact) for fact in running.book.facts[since:]] == [f.NodeAway, f.NodeUp]
            await caller.hangs_up()
            assert (await caller.story())[-1] == "CallEnded normal"
            assert await running.left() == (set(), set())
