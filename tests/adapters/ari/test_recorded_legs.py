"""A recording listens anew whenever its leg hears another party, and only then."""

from datetime import timedelta

import pytest

from callcenter.adapters.ari.recorded_legs import RecordedLegs
from callcenter.domain.commands import CloseBridge, Command, ConnectLegs, Play, RingAgent, StartMusic, StartRecording, StopRecording
from callcenter.domain.events import Cause, Event, LegEnded, LegHeld, LegResumed, PlaybackEnded

NODE, CALL, TALK, OTHER = "n1", "c", "bridge", "other"


def together(*legs: str, bridge: str = TALK) -> ConnectLegs:
    return ConnectLegs(CALL, NODE, bridge, legs)


BEGIN = (StartRecording(CALL, NODE, "caller", "r"), together("caller", "alice"))
"""The first party that a recording hears."""


def told(*happenings: Command | Event) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Which recordings listen anew, and which are over because their leg has ended."""
    again: list[tuple[str, str]] = []
    over: list[tuple[str, str]] = []
    legs = RecordedLegs(lambda node, leg: again.append((node, leg)), lambda node, leg: over.append((node, leg)))
    for one in (*BEGIN, *happenings):
        if isinstance(one, LegEnded | LegHeld | LegResumed | PlaybackEnded):
            legs.happened(one)
        else:
            legs.did(one)  # type: ignore[arg-type]
    return again, over


def anew(*happenings: Command | Event) -> list[tuple[str, str]]:
    return told(*happenings)[0]


ONCE = [(NODE, "caller")]


@pytest.mark.parametrize(
    ("happenings", "times"),
    [
        ((), 0),
        ((together("caller", "alice"),), 0),
        ((LegHeld("alice"),), 1),
        ((LegHeld("alice"), LegResumed("alice")), 2),
        ((LegHeld("bob"),), 0),
        ((together("alice", "bob", bridge=OTHER), StartMusic(CALL, NODE, "caller", "default")), 1),
        ((together("alice", "bob", bridge=OTHER), together("caller", bridge=OTHER)), 1),
        ((together("sam"), LegEnded("sam", Cause.NORMAL)), 2),
        ((together("sam"), together("sam", "ear", bridge=OTHER)), 2),
        ((Play(CALL, NODE, "caller", "p", ("comfort",)), PlaybackEnded("caller", "p")), 2),
        ((Play(CALL, NODE, "alice", "p", ("comfort",)), PlaybackEnded("alice", "p")), 0),
        ((LegEnded("alice", Cause.NORMAL),), 0),
        ((LegEnded("caller", Cause.NORMAL), LegHeld("alice")), 0),
        ((StopRecording(CALL, NODE, "caller", "r"), LegHeld("alice")), 0),
        ((CloseBridge(CALL, NODE, TALK), LegHeld("alice")), 0),
        ((CloseBridge(CALL, NODE, TALK), together("caller", "alice")), 1),
        ((StartRecording(CALL, NODE, "caller", "r"), LegHeld("alice")), 1),
        ((RingAgent(CALL, NODE, "bob", "bob", "bob", "", "", timedelta(1)),), 0),
    ],
)
def test_it_listens_anew_when_the_caller_hears_another(happenings: tuple[Command | Event, ...], times: int) -> None:
    assert anew(*happenings) == ONCE * times


def test_after_a_restart_it_is_seen_who_is_together() -> None:
    again: list[tuple[str, str]] = []
    legs = RecordedLegs(lambda node, leg: again.append((node, leg)), lambda node, leg: None)
    legs.saw({TALK: frozenset({"caller", "alice"})})
    assert (legs.talks("caller"), legs.talks("bob")) == (True, False)
    legs.did(BEGIN[0])
    assert again == []
    legs.happened(LegHeld("alice"))
    assert again == ONCE


def test_the_next_recording_of_a_leg_hears_its_first_party_as_the_first_one_did() -> None:
    assert anew(StopRecording(CALL, NODE, "caller", "r"), CloseBridge(CALL, NODE, TALK), *BEGIN) == []


def test_a_recording_is_over_with_its_leg_and_only_with_that() -> None:
    assert told(LegEnded("alice", Cause.NORMAL), LegEnded("caller", Cause.NORMAL))[1] == ONCE
    assert told(StopRecording(CALL, NODE, "caller", "r"), LegEnded("caller", Cause.NORMAL))[1] == []
