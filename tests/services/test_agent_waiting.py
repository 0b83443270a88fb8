"""What waits for an agent beside callers, as her console shows it."""

from datetime import timedelta
from typing import Any

from callcenter.domain import events as e
from callcenter.services.agent_waiting import callbacks_for, messages_for
from callcenter.sim.world import World, small_center
from tests.domain.test_voicemail_listening import Story

ANN, BEN = "+12025550142", "+12025550143"


def promise(world: World, callback: str, number: str, in_s: float, **more: Any) -> None:
    world.tell(e.CallbackRequested(callback, "support", number, world.now + timedelta(seconds=in_s), **more))


def test_callbacks_of_her_queues_the_next_one_first_and_none_of_a_colleagues() -> None:
    world = Story().world
    promise(world, "later", ANN, 7200)
    promise(world, "hers", BEN, 3600, owner="alice", caller_name="Ben")
    promise(world, "bobs", "+12025550144", 1800, owner="bob")
    shown: Any = callbacks_for(world.center.state, "alice")
    assert [each["callback"] for each in shown] == ["hers", "later"]
    assert [each["mine"] for each in shown] == [True, False]
    assert (shown[0]["number"], shown[0]["name"], shown[0]["queue"]) == (BEN, "Ben", "support")
    assert shown[0]["due_at"] == (world.now + timedelta(seconds=3600)).isoformat()
    assert [each["callback"] for each in callbacks_for(world.center.state, "bob") or []] == ["bobs", "later"]


def test_messages_in_her_mailboxes_the_newest_first_until_they_are_deleted() -> None:
    story = Story()
    first, second = story.leave(ANN), story.leave(BEN)
    state = story.world.center.state
    assert [each["message"] for each in messages_for(state, "alice") or []] == [second, first]
    story.world.tell(e.MessageHeardRequested(first, "alice"))
    shown: Any = messages_for(state, "alice")
    assert [(each["caller"], each["heard"], each["queue"]) for each in shown] == [(BEN, False, "support"), (ANN, True, "support")]
    assert shown[0]["length_s"] > 0
    story.world.tell(e.MessageDeleteRequested(second, "alice"))
    assert [each["message"] for each in messages_for(state, "alice") or []] == [first]


def test_where_nobody_calls_back_and_there_is_no_mailbox_there_is_nothing_to_show() -> None:
    state = World(small_center()).center.state
    assert (callbacks_for(state, "alice"), messages_for(state, "alice")) == (None, None)
    assert (callbacks_for(state, "nobody"), messages_for(state, "nobody")) == (None, None)
