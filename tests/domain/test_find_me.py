"""Find-me: desk, mobile, home, then the next agent; who presses 1 outside takes the caller, and nobody else does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.agent import Agent
from callcenter.domain.config import AgentConfig, CallingConfig, CenterConfig, Device, QueueConfig
from callcenter.domain.events import Cause
from callcenter.domain.facts import AgentState, MissedWhy
from callcenter.sim.fake_pbx import Channel, Mood, Phone
from callcenter.sim.world import World, small_center

DESK, MOBILE, HOME = "phone-of-alice", "+12025550171", "+12025550172"
DEVICES = (
    Device(ring=timedelta(seconds=5)),
    Device(MOBILE, timedelta(seconds=20), timedelta(seconds=12)),
    Device(HOME, timedelta(seconds=10), timedelta(seconds=12)),
)
SHOWN = "+18005550100"


def config(devices: tuple[Device, ...] = DEVICES) -> CenterConfig:
    center = small_center([QueueConfig("support")], ["alice", "bob"])
    alice = AgentConfig("alice", DESK, ("support",), devices=devices)
    return replace(center, agents={"alice": alice, "bob": center.agents["bob"]}, calling=CallingConfig(trunk="carrier-out"))


def phone(mood: Mood, after: float = 1) -> Phone:
    return Phone(mood, lambda: timedelta(seconds=after))


class Story:
    """Alice is ready and everybody rings on, unless told otherwise; a caller waits for her."""

    def __init__(self, *, desk: Mood = Mood.RINGS_ON, mobile: Mood = Mood.RINGS_ON, home: Mood = Mood.RINGS_ON) -> None:
        self.world = World(config())
        self.world.pbx.phones[DESK] = phone(desk)
        self.world.pbx.outside = {MOBILE: phone(mobile), HOME: phone(home)}
        self.world.agent_ready("alice")
        self.world.run_for(1)
        self.caller = self.world.caller_arrives()

    def ringing(self) -> list[str]:
        """Endpoints and numbers of the legs we created."""
        return [channel.number or channel.endpoint for channel in self.world.pbx.channels.values() if channel.arrival is None]

    def outside(self, number: str) -> Channel:
        return next(channel for channel in self.world.pbx.channels.values() if channel.number == number)

    def moves(self) -> list[tuple[str, MissedWhy]]:
        return [(fact.number, fact.why) for fact in self.world.facts if isinstance(fact, f.OfferMoved)]

    def missed(self) -> list[tuple[str, MissedWhy]]:
        return [(fact.agent, fact.why) for fact in self.world.facts if isinstance(fact, f.OfferMissed)]

    @property
    def alice(self) -> Agent:
        return self.world.agent("alice")


def test_the_devices_ring_one_after_the_other_each_for_its_time() -> None:
    story = Story()
    rang = []
    for _ in range(36):
        rang.append(story.ringing())
        story.world.run_for(1)
    assert [each for n, each in enumerate(rang) if n == 0 or rang[n - 1] != each] == [[DESK], [MOBILE], [HOME], []]
    assert [rang.count([each]) for each in (DESK, MOBILE, HOME)] == [5, 20, 10]
    assert story.missed() == [("alice", MissedWhy.NO_ANSWER)]
    assert story.alice.reason == "missed_offer"
    assert story.world.waiting() == [story.caller]


def test_at_the_mobile_the_caller_is_connected_by_the_key() -> None:
    story = Story(mobile=Mood.ANSWERS)
    story.world.run_for(8)
    mobile = story.outside(MOBILE)
    assert mobile.heard == ["press-1-to-accept"] * 2
    assert story.world.talking() == {}
    assert story.alice.state is AgentState.RESERVED
    story.world.pbx.party_presses(mobile.id, "1")
    assert story.world.talking() == {"alice": story.caller}
    assert mobile.heard[-1] == "bridge"
    (dialed,) = story.world.pbx.dialed
    assert (dialed.number, dialed.trunk, dialed.shown) == (MOBILE, "carrier-out", SHOWN)
    story.world.pbx.party_hangs_up(mobile.id)
    assert story.alice.state is AgentState.WRAP_UP


def test_a_voicemail_never_takes_the_caller() -> None:
    story = Story(mobile=Mood.ANSWERS, home=Mood.ANSWERS)
    story.world.run_for(5 + 1 + 12 + 1)
    assert story.ringing() == [HOME]
    assert story.moves() == [(MOBILE, MissedWhy.NO_ANSWER), (HOME, MissedWhy.NO_ANSWER)]
    story.world.run_for(1 + 12)
    assert story.missed() == [("alice", MissedWhy.NO_ANSWER)]
    assert not any(isinstance(fact, f.ContactConnected) for fact in story.world.facts)


def test_the_key_2_and_a_hang_up_go_to_the_next_device() -> None:
    story = Story(mobile=Mood.ANSWERS, home=Mood.ANSWERS)
    story.world.run_for(8)
    for key in "9*":
        story.world.pbx.party_presses(story.outside(MOBILE).id, key)
    assert story.ringing() == [MOBILE]
    story.world.pbx.party_presses(story.outside(MOBILE).id, "2")
    assert story.ringing() == [HOME]
    story.world.run_for(3)
    story.world.pbx.party_hangs_up(story.outside(HOME).id)
    assert story.moves() == [(MOBILE, MissedWhy.NO_ANSWER), (HOME, MissedWhy.REJECTED)]
    assert story.missed() == [("alice", MissedWhy.NO_ANSWER)]


@pytest.mark.parametrize("mood", [Mood.BUSY, Mood.DECLINES, Mood.UNREACHABLE])
def test_a_device_that_fails_at_once_costs_no_time(mood: Mood) -> None:
    story = Story(desk=mood, mobile=Mood.ANSWERS)
    story.world.run_for(3)
    assert story.ringing() == [MOBILE]


def test_a_key_pressed_before_the_answer_or_after_the_time_means_nothing() -> None:
    story = Story(mobile=Mood.RINGS_ON)
    story.world.run_for(6)
    mobile = story.outside(MOBILE).id
    story.world.pbx.party_presses(mobile, "1")
    assert story.world.talking() == {}
    story.world.run_for(20)
    story.world.tell(e.DigitPressed(mobile, "1"))
    assert story.world.talking() == {}
    assert story.world.faults == []


def test_a_caller_who_leaves_ends_it_at_any_device() -> None:
    story = Story(mobile=Mood.ANSWERS)
    story.world.run_for(8)
    story.world.pbx.party_hangs_up(story.caller)
    assert story.ringing() == []
    assert story.alice.state is AgentState.READY
    assert not story.world.center.state.calls


def test_a_restart_in_the_middle_changes_nothing() -> None:
    story = Story(mobile=Mood.ANSWERS)
    story.world.run_for(8)
    story.world.crash_and_restore()
    story.world.pbx.party_presses(story.outside(MOBILE).id, "1")
    assert story.world.talking() == {"alice": story.caller}
    again = Story(home=Mood.ANSWERS)
    again.world.run_for(6)
    again.world.crash_and_restore()
    again.world.run_for(22)
    again.world.pbx.party_presses(again.outside(HOME).id, "1")
    assert again.world.talking() == {"alice": again.caller}


def test_who_wants_no_more_contacts_is_not_looked_for() -> None:
    story = Story()
    story.world.run_for(2)
    story.world.tell(e.AgentNotReadyRequested("alice", "lunch"))
    story.world.run_for(4)
    assert (story.ringing(), story.alice.reason) == ([], "lunch")
    assert story.missed() == [("alice", MissedWhy.NO_ANSWER)]


def test_a_desk_phone_that_is_gone_is_passed_over_and_keeps_nobody_away() -> None:
    story = Story(mobile=Mood.ANSWERS)
    story.world.pbx.party_hangs_up(story.caller)
    story.world.tell(e.PhoneUnreachable(DESK))
    assert story.alice.state is AgentState.READY
    caller = story.world.caller_arrives()
    assert story.ringing() == [MOBILE]
    story.world.run_for(3)
    story.world.pbx.party_presses(story.outside(MOBILE).id, "1")
    assert story.world.talking() == {"alice": caller}


def test_when_nothing_can_be_reached_it_is_no_miss_of_hers_and_is_tried_again() -> None:
    story = Story(desk=Mood.UNREACHABLE, mobile=Mood.UNREACHABLE, home=Mood.UNREACHABLE)
    story.world.run_for(2)
    assert story.missed() == [("alice", MissedWhy.UNREACHABLE)]
    assert (story.alice.state, story.alice.reason) == (AgentState.NOT_READY, "phone_unreachable")
    story.world.pbx.outside[HOME] = phone(Mood.ANSWERS)
    story.world.run_for(15)
    assert story.ringing() == [HOME]


def test_the_next_agent_has_the_caller_after_the_last_device() -> None:
    story = Story()
    story.world.run_for(3)
    story.world.agent_ready("bob")
    story.world.run_for(36)
    assert story.world.talking() == {"bob": story.caller}


def test_devices_that_were_taken_away_meanwhile_are_not_rung() -> None:
    story = Story()
    story.world.run_for(2)
    story.world.tell(e.ConfigChanged(config(DEVICES[:1])))
    story.world.run_for(5)
    assert story.ringing() == []
    assert story.missed() == [("alice", MissedWhy.NO_ANSWER)]


def test_a_lost_mobile_in_mid_talk_gives_the_caller_back() -> None:
    story = Story(mobile=Mood.ANSWERS)
    story.world.run_for(8)
    mobile = story.outside(MOBILE).id
    story.world.pbx.party_presses(mobile, "1")
    story.world.run_for(10)
    story.world.pbx.party_hangs_up(mobile, Cause.LOST)
    assert story.world.waiting() == [story.caller]


def test_who_may_be_looked_for_outside_no_longer_waits_for_her_desk_phone_when_that_is_gone() -> None:
    """She was ready all the same, as long as there was a phone outside."""
    world = World(config())
    world.agent_ready("alice")
    world.tell(e.PhoneUnreachable(DESK))
    assert world.agent("alice").state is AgentState.READY
    world.tell(e.ConfigChanged(config(())))
    assert (world.agent("alice").state, world.agent("alice").reason) == (AgentState.NOT_READY, "phone_unreachable")
    world.caller_arrives()
    assert not [fact for fact in world.facts if isinstance(fact, f.ContactOffered)]
    world.tell(e.PhoneReachable(DESK))
    assert world.agent("alice").state is AgentState.RESERVED
