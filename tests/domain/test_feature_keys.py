"""Keys in the middle of a talk, for phones with one line: what belongs to a sequence the caller never gets, all the rest he does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.domain import facts as f
from callcenter.domain.config import CenterConfig, DispositionRule, QueueConfig
from callcenter.sim.fake_pbx import Channel
from callcenter.sim.world import World, small_center


def config(prefix: str = "*") -> CenterConfig:
    support = QueueConfig("support", wrap_up=timedelta(seconds=5), dispositions=DispositionRule(("solved", "open")))
    plain = small_center((support, QueueConfig("sales", extension="3002")))
    agents = {name: replace(agent, extension=f"200{number}") for number, (name, agent) in enumerate(plain.agents.items(), 1)}
    return replace(plain, agents=agents, feature_prefix=prefix)


class Talk:
    """alice talks to a caller, bob is ready."""

    def __init__(self, prefix: str = "*") -> None:
        self.world = World(config(prefix))
        self.world.agent_ready("alice")
        self.caller = self.world.caller_arrives()
        self.world.run_for(3)
        assert self.world.talking() == {"alice": self.caller}
        self.world.agent_ready("bob")

    def channel(self, name: str) -> Channel:
        """The caller's, or an agent's who is in it."""
        channels = self.world.pbx.channels
        return (
            channels[self.caller] if name == "caller" else next(each for each in channels.values() if each.endpoint == f"phone-of-{name}")
        )

    def press(self, keys: str) -> None:
        alice = self.channel("alice").id
        for key in keys:
            self.world.pbx.party_presses(alice, key)

    def together(self, *names: str) -> bool:
        return len({self.channel(name).bridge for name in names} - {""}) == 1


@pytest.mark.parametrize("keys", ["*12002#", "*12002"])
def test_the_caller_is_transferred_by_keys_alone(keys: str) -> None:
    talk = Talk()
    talk.press(keys)
    talk.world.run_for(6)  # without the pound key it is whole after three seconds
    assert talk.world.talking() == {"bob": talk.caller}
    assert talk.channel("caller").digits == ""


def test_one_line_is_enough_to_consult_swap_join_and_leave() -> None:
    talk = Talk()
    talk.press("*22002#")
    talk.world.run_for(4)
    assert talk.together("alice", "bob")
    assert not talk.together("alice", "caller")
    talk.press("*4")
    assert talk.together("alice", "caller")
    assert not talk.together("alice", "bob")
    talk.press("*5")
    assert talk.together("alice", "bob", "caller")
    talk.press("*3")
    assert talk.world.talking() == {"bob": talk.caller}
    assert talk.world.faults == []


def test_a_consult_is_called_off() -> None:
    talk = Talk()
    talk.press("*23002#")
    talk.press("*6")
    assert talk.together("alice", "caller")
    assert [fact.why for fact in talk.world.facts if isinstance(fact, f.ContactOverflowed)] == ["called_off"]


def test_keys_of_no_sequence_are_sent_on_to_whom_she_hears() -> None:
    talk = Talk()
    talk.press("12#")
    assert talk.channel("caller").digits == "12#"
    talk.press("**")
    assert talk.channel("caller").digits == "12#*"
    talk.press("*0")
    assert talk.channel("caller").digits == "12#**0"
    talk.press("*")
    talk.world.run_for(4)
    assert talk.channel("caller").digits == "12#**0*"


@pytest.mark.parametrize("extension", ["2001", "9999", "911", "3"])
def test_what_is_not_possible_is_said_to_her_alone_and_the_talk_goes_on(extension: str) -> None:
    talk = Talk()
    talk.press(f"*1{extension}#")
    assert talk.channel("alice").heard[-1] == "not-possible"
    assert "not-possible" not in talk.channel("caller").heard
    assert talk.world.talking() == {"alice": talk.caller}
    assert talk.world.refusals == []


def test_the_disposition_is_given_while_talking() -> None:
    talk = Talk()
    talk.press("*82#")
    assert [fact.disposition for fact in talk.world.facts if isinstance(fact, f.DispositionGiven)] == ["open"]
    talk.press("*83#")
    assert talk.channel("alice").heard[-1] == "not-possible"


def test_half_a_sequence_outlives_a_restart_and_ends_with_the_talk() -> None:
    talk = Talk()
    talk.press("*1200")
    talk.world.crash_and_restore()
    talk.press("2#")
    talk.world.run_for(4)
    assert talk.world.talking() == {"bob": talk.caller}
    talk = Talk()
    talk.press("*1200")
    talk.world.pbx.party_hangs_up(talk.caller)
    assert talk.world.agent("alice").keys == ""
    talk.world.run_for(60)
    assert talk.world.faults == []


def test_without_a_prefix_keys_go_where_they_always_went() -> None:
    talk = Talk(prefix="")
    talk.press("*12002#")
    talk.world.run_for(6)
    assert talk.channel("caller").digits == "*12002#"
    assert talk.world.talking() == {"alice": talk.caller}


def test_a_prefix_of_two_keys() -> None:
    talk = Talk(prefix="*#")
    talk.press("*1")
    assert talk.channel("caller").digits == "*1"
    talk.press("*#12002#")
    talk.world.run_for(4)
    assert talk.world.talking() == {"bob": talk.caller}
