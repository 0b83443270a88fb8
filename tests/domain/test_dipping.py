"""Data dips in flows, as the caller notices them: the filler, what was found, the way on when nothing comes, secrets."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from callcenter.domain import facts as f
from callcenter.domain.ivr.dipping import DipNode, DipQuestion
from callcenter.domain.ivr.flow import CollectNode, Flow, HangUpNode, PromptNode
from callcenter.domain.ivr.speech import SpeakAs, Spoken
from callcenter.domain.ivr.templates import template
from callcenter.services.fact_codec import encode
from callcenter.sim.scripted_answers import Scripted
from callcenter.sim.world import World, small_center
from tests.domain.test_center_machine import node_away

PIN = "7391"
BALANCE = Flow(
    "balance",
    "pin",
    {
        "pin": CollectNode("enter-pin", "pin", "look", "end", max_length=4, secret=True),
        "look": DipNode(
            "billing",
            "tell",
            "nobody",
            "sorry",
            {"caller": template("{caller}"), "pin": template("{pin}")},
            filler="please-wait",
        ),
        "tell": PromptNode(("your-balance", Spoken(SpeakAs.DIGITS, "balance")), "end"),
        "nobody": PromptNode("no-such-account", "end"),
        "sorry": PromptNode("not-possible", "end"),
        "end": HangUpNode(),
    },
)


def entering(script: Mapping[str, Scripted] | Scripted) -> tuple[World, str]:
    """A caller has entered the PIN."""
    world = World(small_center(flows=[BALANCE]))
    world.answers.script = lambda question: script if isinstance(script, Scripted) else script[type(question).__name__]
    leg = world.pbx.call_in("+18005550200", "+12025550123")
    world.run_for(3)
    press(world, leg)
    return world, leg


def press(world: World, leg: str) -> None:
    for digit in PIN:
        world.pbx.party_presses(leg, digit)
        world.run_for(0.2)


def said(world: World) -> list[str]:
    return [prompt for fact in world.facts if isinstance(fact, f.FlowMoved | f.FlowAsked) for prompt in fact.prompts]


def test_what_was_found_is_said_and_the_question_holds_the_secret_which_nothing_else_does() -> None:
    world, _ = entering(Scripted("answered", {"balance": "12"}, timedelta(seconds=2)))
    world.run_for(10)
    (asked,) = world.answers.asked
    assert asked.question == DipQuestion("billing", {"caller": "+12025550123", "pin": PIN}, secret=True)
    assert PIN not in repr(asked)
    assert said(world) == ["enter-pin", "please-wait", "your-balance", "en-1", "en-2"]
    assert PIN not in " ".join(str(encode(fact)) for fact in (*world.facts, *world.center.checkpoint()))
    spans = [(fact.at) for fact in world.facts if isinstance(fact, f.FlowAsked | f.FlowAnswered)]
    assert spans[1] - spans[0] == timedelta(seconds=2)  # the latency is in the facts


@pytest.mark.parametrize(
    ("script", "hears"),
    [
        (Scripted("not_found"), "no-such-account"),
        (Scripted("failed", {"balance": "0"}), "not-possible"),
        (Scripted("answered", never=True), "not-possible"),
        (Scripted("answered", {"balance": "9"}, timedelta(seconds=30)), "not-possible"),
    ],
    ids=["nobody", "failed", "silent", "too late"],
)
def test_nothing_found_or_no_answer_within_three_seconds_has_its_own_way(script: Scripted, hears: str) -> None:
    world, _ = entering(script)
    asked_at = next(fact.at for fact in world.facts if isinstance(fact, f.FlowAsked))
    world.run_for(4)
    answered_at = next(fact.at for fact in world.facts if isinstance(fact, f.FlowAnswered))
    assert answered_at - asked_at <= timedelta(seconds=3)
    world.run_for(40)
    assert said(world)[2:] == [hears]
    assert world.faults == []


@pytest.mark.parametrize("seconds", [0, 1])
def test_a_restart_while_asking_asks_the_caller_for_the_secret_once_more(seconds: int) -> None:
    world, leg = entering(Scripted("answered", {"balance": "5"}, timedelta(seconds=2)))
    world.run_for(seconds)
    world.crash_and_restore()
    node_away(world, 0, False)
    world.run_for(6)
    press(world, leg)
    world.run_for(10)
    assert said(world).count("enter-pin") == 2
    assert said(world)[-2:] == ["your-balance", "en-5"]
    assert world.faults == []


def test_the_question_is_withdrawn_when_the_caller_hangs_up() -> None:
    world, leg = entering(Scripted("answered", never=True))
    world.pbx.party_hangs_up(leg)
    world.run_for(1)
    assert world.answers.withdrawn == [world.answers.asked[0].ask]
