"""What supervisors decide for others: agents' states, callers' places, notices; each says who did it and why."""

from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.center import Center
from callcenter.domain.config import QueueConfig
from callcenter.domain.events import ForcedState
from callcenter.domain.facts import AgentState
from callcenter.domain.ids import Ids
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.world import World, small_center

READY, NOT_READY, LOGGED_OUT = ForcedState


def world() -> World:
    return World(small_center((QueueConfig("support"), QueueConfig("sales")), ("alice", "bob")))


def asks(it: World, event: e.Event) -> str:
    before = len(it.refusals)
    it.tell(event)
    return " ".join(it.refusals[before:])


def of(it: World, kind: type) -> list:  # type: ignore[type-arg]
    return [fact for fact in it.facts if isinstance(fact, kind)]


def force(state: ForcedState, reason: str = "", agent: str = "alice") -> e.AgentForceRequested:
    return e.AgentForceRequested(agent, state, reason, "boss", "shift is over")


def contact(it: World, leg: str) -> str:
    return it.center.state.legs[leg].contact


# --- states -------------------------------------------------------------------------------------


def test_an_agent_is_made_ready_not_ready_and_logged_out() -> None:
    it = world()
    for state, reason in ((READY, ""), (NOT_READY, "meeting"), (READY, ""), (LOGGED_OUT, "")):
        assert asks(it, force(state, reason)) == ""
        assert (it.agent("alice").state, it.agent("alice").reason) == (AgentState(state), reason)
    assert {(fact.by, fact.why) for fact in of(it, f.AgentForced)} == {("boss", "shift is over")}
    assert [fact.before for fact in of(it, f.AgentForced)] == ["logged_out", "ready", "not_ready", "ready"]


def test_in_the_middle_of_a_contact_it_comes_after_it() -> None:
    it = world()
    caller = it.caller_arrives()
    it.agent_ready("alice")
    it.run_for(5)
    asks(it, force(LOGGED_OUT))
    assert it.agent("alice").state is AgentState.TALKING
    it.pbx.party_hangs_up(caller)
    it.run_for(30)
    assert it.agent("alice").state is AgentState.LOGGED_OUT


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (force(READY, agent="zoe"), "there is no agent 'zoe'"),
        (force(NOT_READY, "tired"), "'tired' is not a reason to be not ready"),
        (force(NOT_READY, "meeting"), "alice is not logged in"),
    ],
)
def test_states_that_cannot_be_forced(event: e.Event, sentence: str) -> None:
    it = world()
    assert sentence in asks(it, event)
    assert of(it, f.AgentForced) == []


# --- callers ------------------------------------------------------------------------------------


def three_wait(it: World) -> list[str]:
    callers = []
    for n in range(3):
        callers.append(it.caller_arrives(caller=f"+1202555010{n}"))
        it.run_for(2)
    assert it.waiting() == callers
    return callers


def test_who_is_put_at_the_head_is_next_and_waits_as_long_as_before() -> None:
    it = world()
    first, second, third = three_wait(it)
    for leg in (second, third):
        assert asks(it, e.ContactPriorityRequested(contact(it, leg), None, "boss", "the mayor")) == ""
        it.run_for(0.5)
    assert it.waiting() == [third, second, first]
    entered = it.center.state.contacts[contact(it, third)].entered.entered_at
    it.agent_ready("alice")
    it.run_for(4)
    assert it.talking() == {"alice": third}
    assert of(it, f.ContactConnected)[0].wait == of(it, f.ContactConnected)[0].at - entered
    assert [(fact.head, fact.by, fact.why) for fact in of(it, f.ContactReordered)] == [(True, "boss", "the mayor")] * 2


def test_another_priority_reorders() -> None:
    it = world()
    first, second, third = three_wait(it)
    asks(it, e.ContactPriorityRequested(contact(it, third), 5, "boss"))
    asks(it, e.ContactPriorityRequested(contact(it, first), -5, "boss"))
    assert it.waiting() == [third, second, first]


def test_to_another_queue_at_the_old_place() -> None:
    it = world()
    first, second, _ = three_wait(it)
    assert asks(it, e.ContactMoveRequested(contact(it, first), "sales", "", "boss", "speaks French")) == ""
    assert it.waiting("sales") == [first]
    overflowed = of(it, f.ContactOverflowed)[0]
    again = of(it, f.ContactEntered)[-1]
    assert overflowed.why == "moved"
    assert (again.transferred_from, again.place) == (overflowed.contact, of(it, f.ContactEntered)[0].place)
    asks(it, e.ContactMoveRequested(contact(it, second), "sales", "", "boss"))
    assert it.waiting("sales") == [first, second]


def test_to_an_agent_who_is_not_ready_is_refused() -> None:
    it = world()
    caller = three_wait(it)[1]
    it.tell(e.AgentLoginRequested("bob"))
    assert "bob is not ready (login), not ready" in asks(it, e.ContactMoveRequested(contact(it, caller), "", "bob", "boss"))
    assert asks(it, e.ContactMoveRequested(contact(it, caller), "", "zoe", "boss")).startswith("there is no agent 'zoe'")


def test_to_an_agent_of_another_queue_and_back_to_its_place_when_she_misses_it() -> None:
    config = small_center((QueueConfig("support"), QueueConfig("sales")), ("alice", "bob"))
    it = World(replace(config, agents={**config.agents, "bob": replace(config.agents["bob"], queues=("sales",))}))
    callers = three_wait(it)
    it.agent_ready("bob")
    assert it.talking() == {}
    it.pbx.phones["phone-of-bob"] = Phone(Mood.RINGS_ON)
    assert asks(it, e.ContactMoveRequested(contact(it, callers[2]), "", "bob", "boss")) == ""
    assert it.agent("bob").state is AgentState.RESERVED
    it.run_for(20)
    assert it.waiting() == callers
    assert it.agent("bob").reason == "missed_offer"


@pytest.mark.parametrize(
    ("queue", "agent", "sentence"),
    [("nowhere", "", "there is no queue 'nowhere'"), ("support", "", "the caller waits in queue 'support' already"), ("", "bob", "bob is")],
)
def test_moves_that_cannot_be(queue: str, agent: str, sentence: str) -> None:
    it = world()
    caller = three_wait(it)[0]
    assert sentence in asks(it, e.ContactMoveRequested(contact(it, caller), queue, agent, "boss"))
    assert len(it.waiting()) == 3


def test_who_talks_or_is_gone_cannot_be_moved() -> None:
    it = world()
    caller = it.caller_arrives()
    it.agent_ready("alice")
    it.run_for(5)
    name = contact(it, caller)
    assert asks(it, e.ContactMoveRequested(name, "sales", "", "boss")) == "the contact is connected, not waiting"
    it.pbx.party_hangs_up(caller)
    it.run_for(60)
    assert asks(it, e.ContactPriorityRequested(name, 3, "boss")) == f"there is no contact '{name}', or it is over"


# --- notices ------------------------------------------------------------------------------------


def send(notice: str = "n1", **to: tuple[str, ...]) -> e.NoticeSendRequested:
    return e.NoticeSendRequested(notice, "Fire drill at noon", lasts=timedelta(hours=1), by="boss", **to)


def test_a_notice_lives_until_all_have_seen_it() -> None:
    it = world()
    assert asks(it, send()) == asks(it, send()) == ""
    assert [fact.agents for fact in of(it, f.NoticeSent)] == [("alice", "bob")]
    for agent in ("alice", "alice", "bob"):
        assert asks(it, e.NoticeAckRequested("n1", agent)) == ""
    assert [fact.unseen for fact in of(it, f.NoticeOver)] == [()]
    assert asks(it, e.NoticeAckRequested("n1", "bob")) == "there is no notice 'n1' to bob"


def test_its_time_is_up() -> None:
    it = world()
    asks(it, send(queues=("sales",)))
    asks(it, e.NoticeAckRequested("n1", "bob"))
    restored = Center.restore(it.config, Ids("again"), list(it.center.checkpoint()))
    assert restored.state.notices.open == it.center.state.notices.open
    assert restored.deadline == it.center.deadline
    it.run_for(3601)
    assert [fact.unseen for fact in of(it, f.NoticeOver)] == [("alice",)]
    assert it.center.state.notices.open == {}


def test_notices_to_nobody() -> None:
    it = world()
    assert asks(it, send(agents=("zoe",))) == "there is no agent 'zoe'"
    assert asks(it, send(queues=("nowhere",))) == "there is no queue 'nowhere'"


def test_a_desk_phone_is_told_at_the_next_star_code_and_acknowledges() -> None:
    it = world()
    asks(it, send(agents=("alice",)))
    leg = it.pbx.dial_from_phone("phone-of-alice", "*11")
    assert it.pbx.channels[leg].heard == ["you-are-ready", "you-have-a-notice"]
    it.run_for(10)
    leg = it.pbx.dial_from_phone("phone-of-alice", "*49")
    assert it.pbx.channels[leg].heard == ["disposition-noted"]
    it.run_for(10)
    assert it.center.state.notices.unseen_by("alice") == []
    leg = it.pbx.dial_from_phone("phone-of-alice", "*49")
    assert it.pbx.channels[leg].heard == ["not-possible"]
