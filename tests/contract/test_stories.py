"""One set of stories, on the fake PBX in virtual time and on a real Asterisk: it keeps the fake honest.

The stories on Asterisk share one node and one engine, and go on side by side.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio

from callcenter.domain import facts as f
from callcenter.domain.center import Center
from callcenter.domain.events import Event
from callcenter.domain.ids import Ids
from callcenter.domain.ivr.dipping import DipQuestion
from callcenter.runtime.settings import parse
from callcenter.services.answering import Answering
from callcenter.services.engine import Engine
from callcenter.sim.fake_pbx import FakePbx
from callcenter.sim.fake_telephony import FakeTelephony, Wire, varied
from callcenter.sim.sip.phone import Phone
from callcenter.sim.sip.policy import AnswerAfter
from callcenter.sim.virtual_loop import LoopClock, LoopTimeline, run_virtual
from tests.support.asterisk import asterisk_node, raw_settings, short_folder
from tests.support.fake_parties import FakeStoryCenter
from tests.support.parties import FactBook, answered_for_stories, story_settings
from tests.support.real_parties import CALLER_TONE, Outside, RealEngine, RealStoryCenter
from tests.support.virtual import KeptJournal

pytest.register_assert_rewrite("tests.contract.stories")
from tests.contract.stories import STORIES, Story  # noqa: E402 after its assertions were made to tell

each_story = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)


@pytest.mark.parametrize("seed", [None, 1, 2])
@each_story
def test_on_the_fake(story: Story, seed: int | None, tmp_path: Path) -> None:
    run_virtual(lambda: _on_the_fake(story, tmp_path, seed))


async def _on_the_fake(story: Story, folder: Path, seed: int | None) -> None:
    settings = parse(story_settings(raw_settings(folder), 1))
    config = settings.center_config({agent.name: f"phone-of-{agent.name}" for agent in settings.agents})
    timeline = LoopTimeline(asyncio.get_running_loop())
    wire = Wire(FakePbx("node1", timeline, lambda event: None), varied(seed))
    center = FakeStoryCenter(0, book := FactBook(), told := [])
    center.pbx = wire.pbx
    center.engine = Engine(Center(config, Ids("fake")), KeptJournal(), LoopClock(timeline), book.keep)

    def tell(event: Event) -> None:
        told.append(event)
        center.engine.tell(event)

    telephony = FakeTelephony({"node1": wire}, tell, center.engine.on_connect)
    answers = Answering({DipQuestion: answered_for_stories}, tell)
    running = asyncio.create_task(center.engine.run(telephony, answers))
    await book.until(lambda: next(iter(book.of(f.NodeUp)), None), "the node")
    await story(center)
    await asyncio.sleep(1)
    assert (wire.pbx.channels, wire.pbx.bridges, wire.pbx.recordings) == ({}, {}, {})
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await answers.close()
    await telephony.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on_asterisk(request: pytest.FixtureRequest) -> AsyncIterator[dict[str, asyncio.Task[None]]]:
    """All the stories that were asked for, under way side by side."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function) and item.originalname == "test_on_asterisk"]
    wanted = [cast(Story, item.callspec.params["story"]) for item in items]
    with short_folder() as folder:
        async with (
            await Phone.start("outside", tone=CALLER_TONE, on_invite=AnswerAfter(0.3)) as outside,
            asterisk_node(story_settings(raw_settings(folder), len(STORIES), outside.address[1])) as pbx,
            RealEngine([pbx], folder, answerers={DipQuestion: answered_for_stories}).running() as running,
        ):
            everybody = Outside(outside)
            taking = asyncio.create_task(everybody.take_calls())
            tasks = {story.__name__: asyncio.create_task(_on_asterisk(story, running, everybody)) for story in wanted}
            yield tasks
            await asyncio.gather(*tasks.values(), return_exceptions=True)
            taking.cancel()
            assert await running.left() == (set(), set())
            assert "0 active channels" in pbx.cli("core show channels count")


async def _on_asterisk(story: Story, running: RealEngine, outside: Outside) -> None:
    number = STORIES.index(story)
    async with AsyncExitStack() as phones:
        await story(RealStoryCenter(number, running, phones, outside=outside))


@pytest.mark.asyncio(loop_scope="module")
@each_story
async def test_on_asterisk(story: Story, on_asterisk: dict[str, asyncio.Task[None]]) -> None:
    await on_asterisk[story.__name__]
