"""An agent sends her caller to pay: who hears what, what is recorded, and how it ends whatever happens."""

from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.agent import Agent
from callcenter.domain.center import Center
from callcenter.domain.config import CenterConfig, QueueConfig
from callcenter.domain.facts import AgentState
from callcenter.domain.ids import Ids
from callcenter.domain.ivr.deciding import ReturnNode
from callcenter.domain.ivr.flow import CollectNode, Flow, PromptNode, QueueNode
from callcenter.domain.ivr.leaving import HangUpNode
from callcenter.domain.ivr.off_record import OptOutNode, PauseRecordingNode, ResumeRecordingNode
from callcenter.services.fact_codec import encode
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.world import World, small_center

T = TypeVar("T")
CARD = "4929123456789"
PAY = Flow(
    "pay",
    "card",
    {
        "card": CollectNode("enter-card", "card", "thanks", "sorry", max_length=13, secret=True, tries=1, first_digit=timedelta(seconds=5)),
        "thanks": PromptNode("thank-you", "paid"),
        "sorry": PromptNode("not-possible", "unpaid"),
        "paid": ReturnNode("paid"),
        "unpaid": ReturnNode("not_paid"),
    },
)
RUDE = Flow("rude", "end", {"end": HangUpNode()})


def center(**queue: object) -> CenterConfig:
    made = small_center([QueueConfig("support", **queue)], ["alice", "bob"], [PAY, RUDE])  # type: ignore[arg-type]
    return replace(made, payment_flows=("pay", "rude"))


def talking() -> tuple[World, str, Agent]:
    """A caller talks to alice, and is recorded."""
    world = World(center())
    alice = world.agent_ready("alice")
    leg = world.caller_arrives()
    world.run_for(4)
    assert alice.state is AgentState.TALKING
    return world, leg, world.agent("alice")


def kept(world: World, kind: type[T]) -> list[T]:
    return [fact for fact in world.facts if isinstance(fact, kind)]


def agent_leg(world: World) -> str:
    (contact,) = [contact for contact in world.center.state.contacts.values() if contact.connected_at]
    assert contact.offer is not None
    return contact.offer.leg


def together(world: World, *legs: str) -> bool:
    return any(set(legs) <= members for members in world.pbx.bridges.values())


def enter(world: World, leg: str, digits: str = CARD) -> None:
    for digit in digits:
        world.pbx.party_presses(leg, digit)
        world.run_for(0.3)


def test_caller_and_agent_are_apart_while_it_lasts_and_together_and_recorded_again_after_it() -> None:
    world, caller, _ = talking()
    agent = agent_leg(world)
    (first,) = kept(world, f.RecordingStarted)
    world.tell(e.PaymentRequested("alice"))
    world.run_for(1)
    assert not together(world, caller, agent)
    assert world.pbx.channels[agent].music
    assert caller not in world.pbx.recordings.values()
    world.run_for(4)
    enter(world, caller)
    assert not together(world, caller, agent)
    assert caller not in world.pbx.recordings.values()
    world.run_for(5)

    assert together(world, caller, agent)
    assert not world.pbx.channels[agent].music
    (call,) = world.center.state.calls.values()
    assert call.attributes["payment"] == "paid"
    assert [fact.outcome for fact in kept(world, f.PaymentEnded)] == ["paid"]
    assert [fact.recording for fact in kept(world, f.RecordingPaused)] == [first.recording]
    second = kept(world, f.RecordingStarted)[1]
    assert (second.contact, second.recording != first.recording) == (first.contact, True)
    assert caller in world.pbx.recordings.values()
    held, resumed = kept(world, f.ContactHeld), kept(world, f.ContactResumed)
    assert len(held) == len(resumed) == 1
    world.pbx.party_hangs_up(caller)
    world.run_for(30)
    assert world.faults == []
    assert world.pbx.channels == {}
    assert len(kept(world, f.RecordingStopped)) == 2


def test_no_digit_of_the_card_is_in_a_fact_and_the_memory_is_wiped_at_the_end_of_the_flow() -> None:
    world, caller, _ = talking()
    world.tell(e.PaymentRequested("alice"))
    world.run_for(2)
    enter(world, caller, CARD[:6])
    (call,) = world.center.state.calls.values()
    assert CARD[:6] in call.secrets.values()
    assert CARD[:6] not in repr(call)
    enter(world, caller, CARD[6:])
    assert CARD in call.secrets.values()
    world.run_for(10)
    assert call.secrets == {}
    written = " ".join(str(encode(fact)) for fact in (*world.facts, *world.center.checkpoint()))
    assert CARD not in written
    digits = [fact.digit for fact in kept(world, f.FlowDigitTaken)] + [fact.digit for fact in kept(world, f.FlowKeyPressed)]
    assert set(digits) == {""}


def test_the_agent_may_call_it_off() -> None:
    world, caller, _ = talking()
    world.tell(e.PaymentRequested("alice", "pay"))
    world.run_for(1)
    world.tell(e.PaymentEndRequested("alice"))
    world.run_for(1)
    assert together(world, caller, agent_leg(world))
    assert [fact.outcome for fact in kept(world, f.PaymentEnded)] == ["called_off"]
    world.tell(e.PaymentEndRequested("alice"))
    assert world.refusals == ["no caller of alice's is paying"]


@pytest.mark.parametrize(("flow", "outcome"), [("rude", "hang_up"), ("pay", "not_paid")])
def test_whatever_the_flow_ends_with_the_caller_is_back_with_the_agent(flow: str, outcome: str) -> None:
    world, caller, _ = talking()
    world.tell(e.PaymentRequested("alice", flow))
    world.run_for(30)
    assert together(world, caller, agent_leg(world))
    assert [fact.outcome for fact in kept(world, f.PaymentEnded)] == [outcome]
    assert caller in world.pbx.recordings.values()
    assert world.faults == []


def test_the_caller_hangs_up_while_paying() -> None:
    world, caller, _alice = talking()
    world.tell(e.PaymentRequested("alice"))
    world.run_for(2)
    world.pbx.party_hangs_up(caller)
    world.run_for(1)
    assert [fact.outcome for fact in kept(world, f.PaymentEnded)] == ["caller_left"]
    assert [fact.why for fact in kept(world, f.ContactParted)] == [f.EndedWhy.CALLER_HUNG_UP]
    world.run_for(60)
    assert world.agent("alice").state is AgentState.READY
    assert world.faults == []
    assert world.pbx.channels == {}


def test_the_agent_hangs_up_and_the_caller_pays_in_peace_and_hears_goodbye() -> None:
    world, caller, _ = talking()
    agent = agent_leg(world)
    world.tell(e.PaymentRequested("alice"))
    world.run_for(2)
    world.pbx.party_hangs_up(agent)
    world.run_for(1)
    assert caller in world.pbx.channels
    enter(world, caller)
    world.run_for(30)
    assert [fact.outcome for fact in kept(world, f.PaymentEnded)] == ["agent_left"]
    assert "goodbye" in " ".join(" ".join(fact.prompts) for fact in kept(world, f.FlowMoved))
    assert world.pbx.channels == {}
    assert world.faults == []


def test_the_agent_is_lost_and_the_caller_is_at_the_head_of_the_line_after_paying() -> None:
    world, caller, _ = talking()
    agent = agent_leg(world)
    (entered,) = kept(world, f.ContactEntered)
    world.tell(e.PaymentRequested("alice"))
    world.run_for(2)
    world.pbx.party_hangs_up(agent, e.Cause.LOST)
    world.run_for(1)
    enter(world, caller)
    world.run_for(5)
    again = kept(world, f.ContactEntered)[1]
    assert (again.place, again.transferred_from) == (entered.place, entered.contact)
    assert world.waiting() == [caller]
    assert world.faults == []


def test_meanwhile_she_can_neither_transfer_nor_consult_nor_send_the_caller_once_more() -> None:
    world, _, _ = talking()
    world.tell(e.PaymentRequested("alice"))
    world.run_for(1)
    for asked in (e.PaymentRequested("alice"), e.TransferRequested("alice", colleague="bob"), e.ConsultRequested("alice", queue="support")):
        world.tell(asked)
        assert "caller is paying" in world.refusals[-1]
    world.tell(e.PaymentRequested("bob"))
    assert "is not talking to a caller" in world.refusals[-1]


def test_only_flows_for_payments() -> None:
    world, caller, _ = talking()
    world.tell(e.PaymentRequested("alice", "to-support"))
    assert world.refusals == ["'to-support' is no flow for payments; payments.flows: pay, rude"]
    assert together(world, caller, agent_leg(world))


def test_a_restart_keeps_them_apart_and_unrecorded_and_asks_again_for_what_was_secret() -> None:
    world, caller, _ = talking()
    agent = agent_leg(world)
    world.tell(e.PaymentRequested("alice"))
    world.run_for(2)
    enter(world, caller, CARD[:5])
    world.crash_and_restore()
    (call,) = world.center.state.calls.values()
    assert call.paused
    assert call.secrets == {}
    assert call.payment is not None
    assert not together(world, caller, agent)
    assert caller not in world.pbx.recordings.values()
    enter(world, caller)  # the whole number once more
    world.run_for(10)
    assert together(world, caller, agent)
    assert caller in world.pbx.recordings.values()
    assert world.faults == []


def test_a_restart_before_they_were_parted_parts_them() -> None:
    """We are killed after the fact is on disk and before the PBX was told."""
    world, caller, _ = talking()
    agent = agent_leg(world)
    outputs = world.center.handle(e.PaymentRequested("alice"), world.now)
    world.facts += outputs.facts
    restored = Center.restore(world.config, Ids("again"), world.facts)
    assert together(world, caller, agent)
    for command in restored.handle(e.LegFoundAlone(caller), world.now).commands:
        world.pbx.run(command)
    assert not together(world, caller, agent)
    assert caller not in world.pbx.recordings.values()


def test_a_pause_in_a_flow_ends_with_the_flow() -> None:
    quiet = Flow(
        "quiet",
        "off",
        {
            "off": PauseRecordingNode("secret"),
            "secret": CollectNode("enter-card", "card", "on", "wait", max_length=4, secret=True),
            "on": ResumeRecordingNode("wait"),
            "wait": QueueNode("support"),
        },
    )
    world = World(small_center(flows=[quiet]))
    world.agent_ready("alice")
    leg = world.pbx.call_in("+18005550200", "+12025550123")
    world.run_for(60)  # nothing is entered: the node that resumes is never passed
    assert [type(fact) for fact in world.facts if isinstance(fact, f.RecordingPaused | f.RecordingResumed)] == [
        f.RecordingPaused,
        f.RecordingResumed,
    ]
    assert leg in world.pbx.recordings.values()


def test_a_caller_opts_out_in_a_flow() -> None:
    stop = Flow(
        "stop",
        "out",
        {
            "out": OptOutNode("confirmed", "no-number"),
            "confirmed": PromptNode("thank-you", "end"),
            "no-number": PromptNode("not-possible", "end"),
            "end": HangUpNode(),
        },
    )
    world = World(small_center(flows=[stop]))
    world.pbx.call_in("+18005550200", "+12025550123")
    world.run_for(10)
    world.pbx.call_in("+18005550200", "")
    world.run_for(10)
    assert [(fact.number, fact.source) for fact in kept(world, f.DoNotCallAdded)] == [("+12025550123", "flow")]
    assert [fact.prompts for fact in kept(world, f.FlowMoved)] == [("thank-you",), ("not-possible",)]


def at_a_softphone(back_after: float = 3) -> tuple[World, str]:
    """A caller of alice's pays, and her page is loaded anew."""
    made = center()
    world = World(replace(made, agents={name: replace(agent, browser=True) for name, agent in made.agents.items()}))
    world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(4)
    world.tell(e.PaymentRequested("alice"))
    world.pbx.phones["phone-of-alice"] = Phone(Mood.ANSWERS, lambda: timedelta(seconds=back_after))
    world.tell(e.AgentLegResumeRequested("alice"))
    assert world.refusals == []
    return world, caller


def test_who_pays_hears_nothing_of_a_softphone_that_is_lost_and_comes_back() -> None:
    world, caller = at_a_softphone()
    assert not world.pbx.channels[caller].music
    world.run_for(3.5)
    assert world.pbx.channels[agent_leg(world)].music
    assert not together(world, caller, agent_leg(world))
    enter(world, caller)
    world.run_for(2)
    assert together(world, caller, agent_leg(world))
    assert not world.pbx.channels[agent_leg(world)].music
    assert [fact.outcome for fact in kept(world, f.PaymentEnded)] == ["paid"]
    assert world.faults == []


def test_who_has_paid_before_she_is_back_hears_music_until_then() -> None:
    world, caller = at_a_softphone(back_after=11)
    enter(world, caller)
    world.run_for(5)
    assert [fact.outcome for fact in kept(world, f.PaymentEnded)] == ["paid"]
    assert world.pbx.channels[caller].music
    world.run_for(8)
    assert together(world, caller, agent_leg(world))
    assert not world.pbx.channels[caller].music
    assert world.faults == []


def test_who_pays_and_whose_agent_does_not_come_back_is_at_the_head_of_the_line_afterwards() -> None:
    world, caller = at_a_softphone()
    world.pbx.phones["phone-of-alice"] = Phone(Mood.BUSY)
    world.tell(e.AgentLegResumeRequested("alice"))
    world.run_for(1)
    enter(world, caller)
    world.run_for(2)
    assert [fact.outcome for fact in kept(world, f.PaymentEnded)] == ["agent_lost"]
    assert world.waiting() == [caller]
    assert world.faults == []
