"""Who asked not to be called is not called: not promised, not dialed, and what was promised is taken back at once."""

from datetime import timedelta

import pytest

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.center import Center
from callcenter.domain.do_not_call import opt_out
from callcenter.domain.facts import AgentState, DoNotCallSource
from callcenter.domain.facts import callbacks as cf
from callcenter.domain.ids import Ids
from callcenter.domain.turn import Turn
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.world import World
from tests.domain.test_callbacks import ANN, BEN, kept, one, promise, world_of


def refused(world: World, event: e.Event) -> str | None:
    outputs = world.center.handle(event, world.now)
    world.facts += outputs.facts
    return outputs.refusal


def test_a_promise_is_taken_back_and_no_other_is_made() -> None:
    world = world_of()
    callback = promise(world)
    world.tell(e.DoNotCallAddRequested("+1 202 555 0101".replace(" ", ""), by="sue", note="by letter"))
    broken = one(world, cf.CallbackBroken)
    assert (broken.callback, broken.why) == (callback, cf.BrokenWhy.DO_NOT_CALL)
    world.agent_ready("alice")
    world.run_for(60)
    assert world.pbx.dialed == []
    assert world.agent("alice").state is AgentState.READY

    leg = world.caller_arrives(caller=ANN)  # she calls again and presses the key out of habit
    world.run_for(1)
    assert len(kept(world, cf.CallbackCreated)) == 1
    world.pbx.party_hangs_up(leg)
    assert "do-not-call list since" in str(refused(world, e.CallbackRequested("mine", "support", ANN)))
    assert refused(world, e.CallbackRequested("hers", "support", BEN)) is None


def test_an_agent_who_is_rung_for_it_is_free_again_and_nobody_is_dialed() -> None:
    world = world_of()
    world.pbx.phones["phone-of-alice"] = Phone(Mood.RINGS_ON)
    promise(world)
    world.agent_ready("alice")
    world.run_for(1)
    assert world.agent("alice").state is AgentState.RESERVED
    world.tell(e.DoNotCallAddRequested(ANN))
    world.run_for(1)
    assert world.agent("alice").state is AgentState.READY
    assert world.pbx.dialed == []
    assert world.pbx.channels == {}
    assert world.faults == []


def test_who_is_being_dialed_is_hung_up_on_before_the_answer() -> None:
    world = world_of()
    world.pbx.outside[ANN] = Phone(Mood.RINGS_ON)
    promise(world)
    world.agent_ready("alice")
    world.run_for(5)
    assert [dial.number for dial in world.pbx.dialed] == [ANN]
    world.tell(e.DoNotCallAddRequested(ANN))
    world.run_for(120)
    assert one(world, cf.CallbackUnreached).outcome is cf.AttemptOutcome.CANCELLED
    assert one(world, cf.CallbackBroken).why is cf.BrokenWhy.DO_NOT_CALL
    assert len(world.pbx.dialed) == 1
    assert world.pbx.channels == {}
    assert world.faults == []


def test_it_survives_a_restart_with_its_date_and_source_and_can_be_taken_back() -> None:
    world = world_of()
    world.tell(e.DoNotCallAddRequested(ANN, by="sue"))
    added = one(world, f.DoNotCallAdded)
    world.run_for(60)
    world.tell(e.DoNotCallAddRequested(ANN, by="bob"))  # the first word is the one that counts
    for facts in (world.facts, list(world.center.checkpoint())):
        restored = Center.restore(world.center.state.config, Ids("other"), facts)
        assert restored.state.do_not_call == {ANN: added}
    assert "is not on the do-not-call list" in str(refused(world, e.DoNotCallRemoveRequested(BEN)))
    assert refused(world, e.DoNotCallRemoveRequested(ANN, by="sue")) is None
    assert world.center.state.do_not_call == {}
    assert [type(fact) for fact in world.center.checkpoint() if isinstance(fact, f.DoNotCallAdded)] == []
    assert refused(world, e.CallbackRequested("mine", "support", ANN)) is None


@pytest.mark.parametrize("number", ["", "anonymous", "911", "+1e5", "١٢٣", "*67"])
def test_what_is_no_number_is_refused(number: str) -> None:
    assert "is no telephone number" in str(refused(world_of(), e.DoNotCallAddRequested(number)))


def test_a_caller_opts_out_in_a_flow() -> None:
    world = world_of()
    leg = world.caller_arrives(caller=ANN)
    world.run_for(1)
    call = world.center.state.legs[leg]
    turn = Turn(world.center.state, Ids("x"), world.now + timedelta(seconds=1), {})
    assert opt_out(turn, call, ANN)
    assert not opt_out(turn, call, "")
    (added,) = [fact for fact in turn.out.facts if isinstance(fact, f.DoNotCallAdded)]
    assert (added.number, added.source, added.call) == (ANN, DoNotCallSource.FLOW, call.id)
