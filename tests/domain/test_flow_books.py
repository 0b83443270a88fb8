"""What became of callers who began in a flow."""

import pytest

from callcenter.domain.books import fold_call
from callcenter.domain.flow_books import FlowOutcome
from callcenter.domain.ivr.flow import Flow, HangUpNode, Node, PromptNode, ReturnNode, SubflowNode
from callcenter.sim.world import World, small_center

END = HangUpNode()


def outcome(world: World, leave_after: float | None = None) -> FlowOutcome | None:
    """Of somebody who calls the first flow."""
    leg = world.pbx.call_in("+18005550200")
    if leave_after is not None:
        world.run_for(leave_after)
        world.pbx.party_hangs_up(leg)
    world.run_for(60)
    books = fold_call(fact for fact in world.facts if getattr(fact, "call", ""))
    assert books.call is not None
    return books.call.flow_outcome


def center_of(flow: Flow) -> World:
    return World(small_center(agents=(), flows=[flow]))


def test_a_flow_that_comes_to_its_end_has_contained_the_caller() -> None:
    assert outcome(center_of(Flow("news", "tell", {"tell": PromptNode("welcome", "end"), "end": END}))) is FlowOutcome.CONTAINED


@pytest.mark.parametrize("wrong", [ReturnNode("told"), SubflowNode("gone", "end")])
def test_a_flow_that_went_wrong_has_failed_though_it_said_goodbye(wrong: Node) -> None:
    flow = Flow("news", "tell", {"tell": PromptNode("welcome", "wrong"), "wrong": wrong, "end": END})
    assert outcome(center_of(flow)) is FlowOutcome.FAILED


def test_who_hangs_up_in_it_is_dropped() -> None:
    flow = Flow("news", "tell", {"tell": PromptNode("welcome", "end"), "end": END})
    assert outcome(center_of(flow), leave_after=0.5) is FlowOutcome.DROPPED
