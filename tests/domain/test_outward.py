"""A flow hands callers on to a number outside: while it rings, once it is answered, and when it is not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.domain import facts as f
from callcenter.domain.center import Center
from callcenter.domain.config import CallingConfig
from callcenter.domain.events import Cause
from callcenter.domain.ids import Ids
from callcenter.domain.ivr.flow import Flow, HangUpNode, Node, OutsideNode, PromptNode
from callcenter.domain.outward import MOST
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.world import World, small_center

DID, PARTNER = "+18005550200", "+12025550199"


class Caller:
    """Whom a flow hands on to the partner's number."""

    def __init__(self, mood: Mood = Mood.ANSWERS, *, number: str = PARTNER, otherwise: Node | None = None, trunk: str = "carrier") -> None:
        nodes: dict[str, Node] = {
            "out": OutsideNode(number, "sorry", timedelta(seconds=10)),
            "sorry": otherwise or PromptNode("not-possible-now", "end"),
            "end": HangUpNode(),
        }
        config = small_center(flows=[Flow("partner", "out", nodes)])
        self.world = World(replace(config, calling=CallingConfig(trunk)))
        self.world.pbx.outside[PARTNER] = Phone(mood, lambda: timedelta(seconds=3))
        self.leg = self.world.pbx.call_in(DID)
        self.channel = self.world.pbx.channels[self.leg]

    def waits(self, seconds: float) -> "Caller":
        self.world.run_for(seconds)
        return self

    @property
    def talks(self) -> bool:
        (dial,) = self.world.pbx.dialed
        return any(members == {self.leg, dial.leg} for members in self.world.pbx.bridges.values())

    def ended(self) -> list[str]:
        return [fact.exit for fact in self.world.facts if isinstance(fact, f.FlowEnded)]

    def nothing_is_left(self) -> bool:
        pbx = self.world.pbx
        return not (pbx.channels or pbx.bridges or self.world.center.state.calls or self.world.faults)


def test_the_caller_hears_it_ring_and_then_both_talk() -> None:
    caller = Caller().waits(2)
    assert caller.channel.heard == ["ringing"]
    (dial,) = caller.world.pbx.dialed
    assert (dial.number, dial.trunk, dial.shown, dial.ring_time) == (PARTNER, "carrier", DID, timedelta(seconds=10))
    caller.waits(2)
    assert caller.talks
    assert not caller.channel.hears_ringing
    assert caller.ended() == ["transfer"]


@pytest.mark.parametrize("who", ["caller", "partner"])
def test_when_one_hangs_up_nothing_is_left(who: str) -> None:
    caller = Caller().waits(4)
    caller.world.pbx.party_hangs_up(caller.leg if who == "caller" else caller.world.pbx.dialed[0].leg)
    assert caller.nothing_is_left()


@pytest.mark.parametrize(
    ("mood", "outcome"),
    [(Mood.BUSY, "busy"), (Mood.DECLINES, "busy"), (Mood.RINGS_ON, "no_answer"), (Mood.UNREACHABLE, "failed")],
)
def test_who_is_not_answered_goes_on(mood: Mood, outcome: str) -> None:
    caller = Caller(mood).waits(11)
    assert caller.channel.heard[-1] == "not-possible-now"
    assert [fact.outcome for fact in caller.world.facts if isinstance(fact, f.FlowAnswered)] == [outcome]
    assert not caller.channel.hears_ringing
    assert caller.waits(5).nothing_is_left()


def test_a_leg_that_never_tells_is_given_up() -> None:
    caller = Caller(Mood.RINGS_ON).waits(9)
    caller.world.pbx.channels[caller.world.pbx.dialed[0].leg].ringing = False  # the fake will not end it by itself
    caller.waits(7)
    assert [fact.outcome for fact in caller.world.facts if isinstance(fact, f.FlowAnswered)] == ["late"]
    assert caller.waits(5).nothing_is_left()


@pytest.mark.parametrize(("number", "trunk"), [("911", "carrier"), ("nonsense", "carrier"), (PARTNER, "")])
def test_what_may_not_be_dialed_is_not(number: str, trunk: str) -> None:
    caller = Caller(number=number, trunk=trunk)
    assert caller.world.pbx.dialed == []
    assert caller.channel.heard == ["not-possible-now"]


def test_a_flow_that_goes_round_dials_so_often_and_no_more() -> None:
    caller = Caller(Mood.BUSY, otherwise=PromptNode("once-more", "out"))
    caller.waits(120)
    assert len(caller.world.pbx.dialed) == MOST
    assert not caller.world.faults


def test_who_hangs_up_while_it_rings_stops_it() -> None:
    caller = Caller().waits(1)
    caller.world.pbx.party_hangs_up(caller.leg)
    assert caller.nothing_is_left()
    assert caller.ended() == ["caller_left"]


def test_keys_mean_nothing_while_it_rings() -> None:
    caller = Caller().waits(1)
    for key in "1*#":
        caller.world.pbx.party_presses(caller.leg, key)
    assert caller.waits(3).talks


def test_an_answer_in_the_moment_of_giving_up_is_hung_up() -> None:
    caller = Caller(Mood.RINGS_ON).waits(1)
    (dial,) = caller.world.pbx.dialed
    caller.world.pbx.party_hangs_up(dial.leg, Cause.NO_ANSWER)
    caller.world.pbx._picked_up(dial.leg)  # too late
    assert caller.channel.heard[-1] == "not-possible-now"
    assert caller.waits(5).nothing_is_left()


def test_restored_equals_live_at_every_moment() -> None:
    caller = Caller()
    for _ in range(8):
        caller.waits(0.7)
        for kept in (caller.world.facts, list(caller.world.center.checkpoint())):
            restored = Center.restore(caller.world.config, Ids("r"), kept).state.calls
            for name, call in caller.world.center.state.calls.items():
                assert (restored[name].flow, restored[name].outside, restored[name].bridge) == (call.flow, call.outside, call.bridge)
                assert restored[name].legs.keys() == call.legs.keys()


def test_after_a_restart_the_talk_goes_on_and_ends_as_it_should() -> None:
    caller = Caller().waits(1)
    caller.world.crash_and_restore()
    caller.waits(3)
    assert caller.talks
    caller.world.crash_and_restore()
    caller.world.pbx.party_hangs_up(caller.world.pbx.dialed[0].leg)
    assert caller.nothing_is_left()
