"""Callers enter digits: what counts as an entry, where it goes, and that it is heard again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.domain import facts as f
from callcenter.domain.ivr.flow import CollectNode, Flow, HangUpNode, PromptNode, QueueNode, faults
from callcenter.domain.ivr.speech import SpeakAs, Spoken
from callcenter.domain.ivr.validation import Known
from callcenter.sim.world import World, small_center

ASK = CollectNode("enter-number", "number", "repeat", "bye", min_length=3, max_length=5, invalid_prompt="wrong-key", tries=2)
DID = "+18005550200"


def flow(ask: CollectNode = ASK) -> Flow:
    return Flow(
        "entry",
        "ask",
        {
            "ask": ask,
            "repeat": PromptNode(("you-entered", Spoken(SpeakAs.DIGITS, "number"), "thank-you"), "queue"),
            "queue": QueueNode("support"),
            "bye": PromptNode("goodbye", "end"),
            "end": HangUpNode(),
        },
    )


class Entry:
    """A caller in front of the question."""

    def __init__(self, ask: CollectNode = ASK) -> None:
        self.world = World(small_center(flows=[flow(ask)]))
        self.leg = self.world.pbx.call_in(DID)
        self.world.run_for(1)

    def presses(self, keys: str, apart: float = 0.5) -> None:
        for key in keys:
            self.world.pbx.party_presses(self.leg, key)
            self.world.run_for(apart)

    @property
    def heard(self) -> list[str]:
        return self.world.pbx.channels[self.leg].heard

    @property
    def number(self) -> str | None:
        (call,) = self.world.center.state.calls.values()
        return call.attributes.get("number")


REPEATED = ["en-1", "en-2", "en-3", "thank-you"]


def test_digits_up_to_the_terminator_are_the_entry_and_are_said_back() -> None:
    caller = Entry()
    caller.presses("123#")
    assert caller.number == "123"
    assert caller.heard == ["enter-number", "you-entered", *REPEATED]
    caller.world.run_for(30)
    assert caller.world.waiting() == [caller.leg]
    assert caller.number == "123"  # it outlives the flow


def test_the_first_digit_ends_the_prompt() -> None:
    caller = Entry()
    assert caller.world.pbx.channels[caller.leg].playback
    caller.presses("1", apart=0)
    assert not caller.world.pbx.channels[caller.leg].playback


def test_the_longest_length_ends_the_entry_at_once() -> None:
    caller = Entry()
    caller.presses("12345", apart=0)
    assert caller.number == "12345"


def test_a_long_enough_entry_ends_when_no_further_digit_comes() -> None:
    caller = Entry()
    caller.presses("123", apart=2.9)
    assert caller.number is None
    caller.world.run_for(0.2)
    assert caller.number == "123"


@pytest.mark.parametrize(("keys", "seconds"), [("12#", 0.0), ("12", 3.1), ("1*", 0.0), ("", 7.0), ("#", 0.0)])
def test_too_short_or_with_another_key_it_is_asked_again_and_then_left(keys: str, seconds: float) -> None:
    caller = Entry()
    caller.presses(keys, apart=0)
    caller.world.run_for(seconds)
    assert caller.heard == ["enter-number", "wrong-key", "enter-number"]
    caller.presses("12#", apart=0)  # what was entered before does not count
    assert caller.number is None
    assert caller.heard[3:] == ["goodbye"]


def test_without_a_terminator_the_pound_key_is_a_wrong_key() -> None:
    caller = Entry(replace(ASK, terminator=""))
    caller.presses("123#", apart=0)
    assert caller.heard == ["enter-number", "wrong-key", "enter-number"]


def test_an_entry_goes_on_after_a_crash_of_ours() -> None:
    caller = Entry()
    caller.presses("12")
    caller.world.crash_and_restore()
    caller.presses("3#")
    assert caller.number == "123"
    caller.world.crash_and_restore()
    assert caller.number == "123"


def test_the_facts_of_an_entry() -> None:
    caller = Entry()
    caller.presses("123#")
    taken = [fact for fact in caller.world.facts if isinstance(fact, f.FlowDigitTaken | f.FlowCollected)]
    assert [getattr(fact, "digit", "") or fact.digits for fact in taken] == ["1", "2", "3", "123"]  # type: ignore[union-attr]
    assert [fact.until - fact.at for fact in taken if isinstance(fact, f.FlowDigitTaken)] == [timedelta(seconds=3)] * 3


def test_the_number_called_from_can_be_said() -> None:
    say = Flow("say", "say", {"say": PromptNode(("you-call-from", Spoken(SpeakAs.DIGITS, "caller")), "end"), "end": HangUpNode()})
    world = World(small_center(flows=[say]))
    leg = world.pbx.call_in(DID, "+120")
    assert world.pbx.channels[leg].heard == ["you-call-from", "en-plus", "en-1", "en-2", "en-0"]
    withheld = world.pbx.call_in(DID, "")
    assert world.pbx.channels[withheld].heard == ["you-call-from"]


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (replace(ASK, min_length=6), "node 'ask', min_length: takes at least 6 digits and at most 5, which no entry can be"),
        (replace(ASK, otherwise="nowhere"),
         "node 'ask', otherwise: goes to 'nowhere', which does not exist; nodes: ask, bye, end, queue, repeat"),
        (replace(ASK, prompt=(Spoken(SpeakAs.DIGITS, "number"),)),
         "node 'ask', prompt: says values only, which may be missing; say a prompt beside them"),
    ],
)  # fmt: skip
def test_what_no_entry_can_be_is_refused(ask: CollectNode, sentence: str) -> None:
    assert sentence in [str(fault) for fault in faults(flow(ask), Known({"queue": ["support"]}))]
