"""What waiting callers hear between the music."""

from datetime import timedelta

import pytest

from callcenter.domain import facts as f
from callcenter.domain.config import AnnounceConfig, PositionTold, QueueConfig
from callcenter.domain.ivr.speech import LANGUAGES
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.world import World, small_center

MUSIC = "music:default"
POSITION = AnnounceConfig(position=PositionTold.YES)


def world_with(announce: AnnounceConfig, **queue: object) -> World:
    return World(small_center([QueueConfig("support", announce=announce, **queue)]))  # type: ignore[arg-type]


def heard(world: World, leg: str) -> list[str]:
    return world.pbx.channels[leg].heard


def callers(world: World, count: int) -> list[str]:
    """One after the other."""
    legs = []
    for _ in range(count):
        legs.append(world.caller_arrives())
        world.run_for(0.1)
    return legs


def begun(world: World) -> list[float]:
    """When announcements began, seconds after the first contact entered."""
    entered = next(fact.at for fact in world.facts if isinstance(fact, f.ContactEntered))
    return [(fact.at - entered).total_seconds() for fact in world.facts if isinstance(fact, f.ContactAnnounced)]


def test_the_position_is_told_and_the_music_goes_on() -> None:
    world = world_with(POSITION)
    first, second = callers(world, 2)
    world.run_for(25)
    assert heard(world, first) == [MUSIC, "you-are-next", MUSIC]
    assert heard(world, second) == [MUSIC, "your-position-is", "en-2", MUSIC]
    world.run_for(60)
    assert heard(world, second) == [MUSIC, "your-position-is", "en-2", MUSIC, "your-position-is", "en-2", MUSIC]
    assert world.pbx.channels[second].music == "default"


@pytest.mark.parametrize(
    ("announce", "third"),
    [
        (AnnounceConfig(position=PositionTold.NO), []),
        (AnnounceConfig(position=PositionTold.LIMIT, position_limit=2), []),
        (AnnounceConfig(position=PositionTold.LIMIT, position_limit=3), ["your-position-is", "en-3"]),
        (AnnounceConfig(position=PositionTold.MORE, position_limit=2), ["more-callers-than", "en-2", "are-waiting"]),
    ],
)
def test_the_position_is_told_up_to_a_limit(announce: AnnounceConfig, third: list[str]) -> None:
    world = world_with(announce)
    _, _, leg = callers(world, 3)
    world.run_for(30)
    assert [said for said in heard(world, leg) if said != MUSIC] == third


def test_comfort_prompts_are_said_in_turn() -> None:
    world = world_with(AnnounceConfig(comfort=("one", "two"), comfort_every=timedelta(seconds=30)))
    leg = world.caller_arrives()
    world.run_for(100)
    assert heard(world, leg) == [MUSIC, "one", MUSIC, "two", MUSIC, "one", MUSIC]


def test_between_two_announcements_lie_fifteen_seconds_of_music() -> None:
    both = AnnounceConfig(
        PositionTold.YES,
        first_after=timedelta(seconds=20),
        comfort=("comfort",),
        comfort_every=timedelta(seconds=20),
        every=timedelta(seconds=20),
    )
    world = world_with(both)
    world.caller_arrives()
    world.run_for(120)
    at = begun(world)
    assert at[:3] == [20, 37, 54]  # each lasts 2 s
    ends = [fact.at for fact in world.facts if isinstance(fact, f.AnnouncementEnded)]
    starts = [fact.at for fact in world.facts if isinstance(fact, f.ContactAnnounced)]
    assert all(start - end >= timedelta(seconds=15) for end, start in zip(ends, starts[1:], strict=False))


def test_nothing_is_begun_while_a_phone_rings_and_what_is_said_is_cut_off_by_the_agent() -> None:
    world = world_with(POSITION)
    world.pbx.prompt_length = timedelta(seconds=10)
    leg = world.caller_arrives()
    world.run_for(19)
    world.pbx.phones["phone-of-alice"] = Phone(Mood.ANSWERS, lambda: timedelta(seconds=5))
    world.agent_ready("alice")  # it rings from 19 to 24 s
    world.run_for(4)
    assert begun(world) == []
    world.run_for(2)
    assert heard(world, leg) == [MUSIC, "bridge"]

    other = world.caller_arrives()
    world.run_for(21)
    world.agent_ready("bob")  # while it is being said
    world.run_for(1)
    assert world.pbx.channels[other].playback
    world.run_for(2)
    assert heard(world, other) == [MUSIC, "you-are-next", "bridge"]
    assert not world.pbx.channels[other].playback
    assert world.talking()["bob"] == other
    world.run_for(60)
    assert heard(world, other)[-1] == "bridge"


def test_a_missed_offer_does_not_swallow_the_announcement() -> None:
    world = world_with(POSITION)
    leg = world.caller_arrives()
    world.run_for(15)
    world.pbx.phones["phone-of-alice"] = Phone(Mood.RINGS_ON)
    world.agent_ready("alice")  # rings until 30 s
    world.run_for(16)
    assert begun(world) == [pytest.approx(30, abs=0.2)]
    assert heard(world, leg) == [MUSIC, "you-are-next"]


def test_a_position_that_rose_is_not_told() -> None:
    world = World(small_center([QueueConfig("support", announce=POSITION)], agents=()))
    leg = world.caller_arrives()
    world.run_for(25)
    state = world.center.state
    important = state.queue("support").waiting
    important.put((-5, world.now, "somebody-important"))
    world.run_for(60)
    assert heard(world, leg) == [MUSIC, "you-are-next", MUSIC]
    important.take("somebody-important")


def test_an_announcement_goes_on_after_a_crash_of_ours_and_is_followed_by_music() -> None:
    world = world_with(POSITION)
    leg = world.caller_arrives()
    world.run_for(21)
    world.crash_and_restore()
    world.run_for(2)
    assert heard(world, leg) == [MUSIC, "you-are-next", MUSIC]


def test_a_prompt_that_cannot_be_played_is_followed_by_music() -> None:
    world = world_with(AnnounceConfig(comfort=("broken",), comfort_every=timedelta(seconds=20)))
    world.pbx.broken_prompts.add("broken")
    leg = world.caller_arrives()
    world.run_for(30)
    assert heard(world, leg) == [MUSIC, MUSIC]
    assert world.pbx.channels[leg].music == "default"


def test_the_estimated_wait_is_learned_and_told_and_never_rises() -> None:
    announce = AnnounceConfig(ewt=True, first_after=timedelta(seconds=20), every=timedelta(seconds=20))
    world = World(small_center([QueueConfig("support", announce=announce, wrap_up=timedelta())], agents=["alice"]))
    world.agent_ready("alice")
    world.pbx.phones["phone-of-alice"] = Phone(Mood.ANSWERS, lambda: timedelta(seconds=1))
    legs = callers(world, 40)
    for number in range(30):
        world.run_for(25 + number % 10)
        world.pbx.party_hangs_up(world.talking()["alice"])
        if number == 20:
            world.crash_and_restore()
    told = [fact for fact in world.facts if isinstance(fact, f.ContactAnnounced)]
    starts = [fact.at for fact in world.facts if isinstance(fact, f.ContactConnected)]
    assert told
    assert all(fact.at > starts[10] and fact.under is not None and fact.position is None for fact in told)
    by_contact: dict[str, list[f.ContactAnnounced]] = {}
    for fact in told:
        by_contact.setdefault(fact.contact, []).append(fact)
    assert max(map(len, by_contact.values())) >= 2
    for each in by_contact.values():
        until = [fact.at + fact.under for fact in each if fact.under]
        assert until == sorted(until, reverse=True)
    first = told[0]
    assert first.under is not None
    assert first.prompts == ("your-wait-is-under", *LANGUAGES["en"].minutes(first.under // timedelta(minutes=1)))
    assert first.prompts[0] in heard(world, legs[-1])


def test_without_enough_seen_only_the_position_is_told() -> None:
    world = world_with(AnnounceConfig(position=PositionTold.YES, ewt=True))
    leg = callers(world, 1)[0]
    world.run_for(30)
    assert heard(world, leg) == [MUSIC, "you-are-next", MUSIC]
