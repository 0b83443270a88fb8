"""Flows ask the outside: the caller never waits longer than the budget, and hears something whatever becomes of it."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from callcenter.domain import facts as f
from callcenter.domain.center import Center
from callcenter.domain.events import AskAnswered, CommandRefused, NodeConnected, Refusal
from callcenter.domain.ids import Ids
from callcenter.domain.ivr.dipping import DipNode, DipQuestion
from callcenter.domain.ivr.flow import Flow, HangUpNode, PromptNode, QueueNode
from callcenter.domain.ivr.speech import SpeakAs, Spoken
from callcenter.domain.ivr.templates import template
from callcenter.sim.scripted_answers import Scripted
from callcenter.sim.world import NODE, World, small_center

DID = "+18005550200"
BALANCE = Flow(
    "balance",
    "hello",
    {
        "hello": PromptNode("hello", "dip"),
        "dip": DipNode(
            "accounts",
            "found",
            "none",
            "down",
            parameters={"number": template("{caller}")},
            results=("balance",),
            filler="one-moment",
        ),
        "found": PromptNode(("your-balance", Spoken(SpeakAs.NUMBER, "balance")), "end"),
        "none": PromptNode("no-such-account", "end"),
        "down": PromptNode("not-possible-now", "queue"),
        "queue": QueueNode("support"),
        "end": HangUpNode(),
    },
)


class Asker:
    """A caller whose balance is being looked up."""

    def __init__(self, answer: Scripted) -> None:
        self.world = World(small_center(flows=[BALANCE]))
        self.world.answers.script = lambda question: answer
        self.leg = self.world.pbx.call_in(DID)
        self.channel = self.world.pbx.channels[self.leg]

    def goes_on(self, seconds: float) -> list[str]:
        """What the caller has heard after so long."""
        self.world.run_for(seconds)
        return self.channel.heard

    @property
    def answers(self) -> list[f.FlowAnswered]:
        return [fact for fact in self.world.facts if isinstance(fact, f.FlowAnswered)]


def test_the_answer_becomes_attributes_of_the_call_and_is_said() -> None:
    caller = Asker(Scripted("answered", {"balance": "42"}))
    assert caller.goes_on(2.5) == ["hello", "one-moment"]
    (asked,) = caller.world.answers.asked
    assert asked.question == DipQuestion("accounts", {"number": "+12025550123"})
    assert caller.goes_on(1) == ["hello", "one-moment", "your-balance", "en-40", "en-2"]
    assert [(fact.outcome, fact.names, fact.values) for fact in caller.answers] == [("answered", ("balance",), ("42",))]
    assert not caller.world.faults


@pytest.mark.parametrize(
    ("outcome", "heard"), [("not_found", "no-such-account"), ("failed", "not-possible-now"), ("junk", "not-possible-now")]
)
def test_each_outcome_has_its_way(outcome: str, heard: str) -> None:
    assert Asker(Scripted(outcome)).goes_on(3.5)[-1] == heard


def test_who_never_gets_an_answer_waits_the_budget_and_no_longer() -> None:
    caller = Asker(Scripted("answered", never=True))
    caller.goes_on(2.1)
    assert caller.goes_on(2.8)[-1] == "one-moment"
    assert caller.goes_on(0.2)[-1] == "not-possible-now"
    assert [fact.outcome for fact in caller.answers] == ["late"]
    assert caller.world.answers.withdrawn == [caller.world.answers.asked[0].ask]


def test_an_answer_that_comes_too_late_or_to_another_question_means_nothing() -> None:
    caller = Asker(Scripted("answered", never=True))
    caller.goes_on(6)
    (asked,) = caller.world.answers.asked
    before = len(caller.world.facts)
    for ask in (asked.ask, "another", ""):
        caller.world.tell(AskAnswered(asked.call, ask, "answered", {"balance": "1"}))
        caller.world.tell(AskAnswered("no-such-call", ask, "answered", {}))
    assert len(caller.world.facts) == before
    assert not caller.world.faults


def test_keys_mean_nothing_while_something_is_looked_up() -> None:
    caller = Asker(Scripted("answered", {"balance": "7"}, timedelta(seconds=2)))
    caller.goes_on(3)
    for key in "19#*":
        caller.world.pbx.party_presses(caller.leg, key)
    assert caller.goes_on(2)[-1] == "en-7"


def test_who_hangs_up_meanwhile_is_waited_for_no_more() -> None:
    caller = Asker(Scripted("answered", never=True))
    caller.goes_on(3)
    caller.world.pbx.party_hangs_up(caller.leg)
    assert len(caller.world.answers.withdrawn) == 1
    (ended,) = [fact for fact in caller.world.facts if isinstance(fact, f.FlowEnded)]
    assert (ended.exit, ended.node) == ("caller_left", "dip")
    caller.goes_on(30)
    assert not caller.world.center.state.calls
    assert not caller.world.faults


@pytest.mark.parametrize(
    ("attributes", "kept"),
    [
        ({"balance": "1\n2\x00"}, {"balance": "12"}),
        ({"balance": "9" * 5000}, {"balance": "9" * 500}),
        ({"caller": "+1", "Bad Name": "1", "list": "vip", "": "x"}, {}),
        ({f"a{n}": "1" for n in range(500)}, {f"a{n}": "1" for n in range(40)}),
    ],
)
def test_what_the_outside_says_is_made_harmless(attributes: Mapping[str, str], kept: Mapping[str, str]) -> None:
    caller = Asker(Scripted("answered", attributes))
    caller.goes_on(3.5)
    (fact,) = caller.answers
    assert dict(zip(fact.names, fact.values, strict=True)) == kept
    assert not caller.world.faults


def test_after_a_restart_an_open_question_is_asked_again_if_time_is_left() -> None:
    caller = Asker(Scripted("answered", {"balance": "3"}, timedelta(seconds=1.5)))
    caller.goes_on(3)
    caller.world.crash_and_restore()
    caller.world.tell(NodeConnected(NODE, caller.world.pbx.started_at))
    first, again = caller.world.answers.asked
    assert (first.ask, first.question) == (again.ask, again.question)
    assert again.budget == timedelta(seconds=2)
    assert caller.goes_on(1.4)[-1] == "one-moment"
    assert caller.goes_on(0.2)[-1] == "en-3"


def test_after_a_restart_that_took_too_long_the_question_has_failed() -> None:
    caller = Asker(Scripted("answered", {"balance": "3"}, timedelta(seconds=2)))
    caller.goes_on(3)
    caller.world.lose_node()
    caller.world.crash_and_restore()
    caller.world.run_for(4)
    assert caller.channel.heard[-1] == "one-moment"
    caller.world.pbx.listening = True
    caller.world.tell(NodeConnected(NODE, caller.world.pbx.started_at))
    assert caller.goes_on(0.1)[-1] == "not-possible-now"


def test_restored_equals_live_at_every_moment_of_an_ask() -> None:
    caller = Asker(Scripted("answered", {"balance": "42"}))
    for _ in range(60):
        caller.world.run_for(0.1)
        for kept in (caller.world.facts, list(caller.world.center.checkpoint())):
            restored = Center.restore(caller.world.config, Ids("r"), kept)
            assert [call.flow for call in restored.state.calls.values()] == [call.flow for call in caller.world.center.state.calls.values()]


def test_a_question_that_cannot_even_be_asked_has_failed() -> None:
    caller = Asker(Scripted("answered", never=True))
    caller.goes_on(3)
    (asked,) = caller.world.answers.asked
    caller.world.tell(CommandRefused(asked, Refusal.REFUSED))
    assert caller.goes_on(0.1)[-1] == "not-possible-now"
