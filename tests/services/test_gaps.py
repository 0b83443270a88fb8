"""The engine loses sight of a node, or is itself started again: nobody on the phone may notice."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest

from callcenter.domain import commands as c
from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.config import QueueConfig
from callcenter.domain.facts import AgentState
from callcenter.domain.ivr.flow import Flow, MenuNode, QueueNode
from callcenter.services.ports import CommandError
from callcenter.sim.fake_pbx import Mood
from callcenter.sim.world import small_center
from tests.support.virtual import VirtualCenter, in_virtual_time

MENU = Flow(
    "menu", "ask", {"ask": MenuNode("press-1", {"1": "q"}, otherwise="q", timeout=timedelta(seconds=5), tries=3), "q": QueueNode("support")}
)
CONFIG = small_center(flows=[MENU])
MENU_DID = "+18005550200"

Gap = Callable[[VirtualCenter], Awaitable[None]]
Meanwhile = Callable[[], None]


async def connection_lost(center: VirtualCenter, meanwhile: Meanwhile = lambda: None) -> None:
    """Three seconds out of sight."""
    center.wire.cut()
    await center.pass_time(1)
    meanwhile()
    await center.pass_time(2)
    center.wire.mend()
    await center.pass_time(0.5)


async def engine_killed(center: VirtualCenter, meanwhile: Meanwhile = lambda: None) -> None:
    """Three seconds without us; the journal is all that is left."""
    await center.kill()
    await center.pass_time(1)
    meanwhile()
    await center.pass_time(2)
    await center.start()


gaps = pytest.mark.parametrize("gap", [connection_lost, engine_killed])


@gaps
@in_virtual_time(config=CONFIG)
async def test_a_caller_who_hears_a_prompt_goes_on_hearing_it(center: VirtualCenter, gap: Gap) -> None:
    center.pbx.prompt_length = timedelta(seconds=20)
    caller = center.calls(MENU_DID)
    await center.pass_time(1)
    await gap(center)
    assert center.pbx.channels[caller].heard == ["press-1"]
    center.pbx.party_presses(caller, "1")
    await center.pass_time(0.1)
    assert center.waiting() == [caller]


@gaps
@in_virtual_time(config=CONFIG)
async def test_a_prompt_that_ended_in_the_gap_is_said_again(center: VirtualCenter, gap: Gap) -> None:
    caller = center.calls(MENU_DID)
    await center.pass_time(1)
    await gap(center)
    assert center.pbx.channels[caller].heard == ["press-1", "press-1"]
    center.pbx.party_presses(caller, "1")
    await center.pass_time(0.1)
    assert center.waiting() == [caller]


@gaps
@in_virtual_time(config=CONFIG)
async def test_a_key_that_nobody_heard_ends_in_another_try(center: VirtualCenter, gap: Callable[..., Awaitable[None]]) -> None:
    """The menu was listening when we left: its time runs out, and it asks again."""
    caller = center.calls(MENU_DID)
    await center.pass_time(3)  # the prompt has ended
    await gap(center, lambda: center.pbx.party_presses(caller, "1"))
    await center.pass_time(2)
    assert center.pbx.channels[caller].heard == ["press-1", "press-1"]
    center.pbx.party_presses(caller, "1")
    await center.pass_time(0.1)
    assert center.waiting() == [caller]


@gaps
@in_virtual_time
async def test_callers_who_wait_keep_their_places_and_their_waits(center: VirtualCenter, gap: Gap) -> None:
    line = []
    for _ in range(5):
        line.append(center.calls())
        await center.pass_time(1)
    entered = [fact.entered_at for fact in center.facts if isinstance(fact, f.ContactEntered)]
    await gap(center)
    assert center.waiting() == line
    contacts = center.engine.center.state.contacts.values()
    assert [contact.entered.entered_at for contact in contacts] == entered
    assert all(center.pbx.channels[leg].music == "default" for leg in line)
    await center.agent_ready("alice")
    await center.pass_time(3)
    assert center.talking() == {"alice": line[0]}


@gaps
@in_virtual_time
async def test_a_phone_that_rings_may_be_answered_afterwards(center: VirtualCenter, gap: Gap) -> None:
    center.phone("alice").answers_after = lambda: timedelta(seconds=8)
    await center.agent_ready("alice")
    caller = center.calls()
    await center.pass_time(1)
    await gap(center)
    assert center.agent("alice").state is AgentState.RESERVED
    await center.pass_time(6)
    assert center.talking() == {"alice": caller}
    assert center.together() == {frozenset((caller, "phone-of-alice"))}
    assert len(center.kept(f.ContactOffered)) == 1


@gaps
@in_virtual_time
async def test_an_agent_who_answered_in_the_gap_talks_at_once_when_we_are_back(center: VirtualCenter, gap: Gap) -> None:
    await center.agent_ready("alice")
    caller = center.calls()
    await center.pass_time(1)
    await gap(center)
    assert center.together() == {frozenset((caller, "phone-of-alice"))}
    assert center.talking() == {"alice": caller}
    assert len(center.kept(f.ContactConnected)) == 1
    assert len(center.pbx.recordings) == 1


@gaps
@in_virtual_time
async def test_a_phone_that_stopped_ringing_in_the_gap_costs_neither_agent_nor_caller(
    center: VirtualCenter, gap: Callable[..., Awaitable[None]]
) -> None:
    center.phone("alice").mood = Mood.RINGS_ON
    await center.agent_ready("alice")
    caller = center.calls()
    await center.pass_time(1)
    (ringing,) = [leg for leg in center.pbx.channels if leg != caller]

    def meanwhile() -> None:
        center.phone("alice").mood = Mood.ANSWERS
        center.pbx.party_hangs_up(ringing, e.Cause.NO_ANSWER)

    await gap(center, meanwhile)
    (withdrawn,) = center.kept(f.OfferWithdrawn)
    assert withdrawn.why is f.WithdrawnWhy.NODE_AWAY
    assert not center.kept(f.OfferMissed)
    await center.pass_time(3)
    assert center.talking() == {"alice": caller}


@gaps
@in_virtual_time
async def test_two_who_talk_never_notice(center: VirtualCenter, gap: Gap) -> None:
    await center.agent_ready("alice")
    caller = center.calls()
    await center.pass_time(3)
    bridges, recordings = dict(center.pbx.bridges), dict(center.pbx.recordings)
    commands = len(center.wire.carried_out)
    await gap(center)
    assert center.talking() == {"alice": caller}
    assert (center.pbx.bridges, center.pbx.recordings) == (bridges, recordings)
    said = center.wire.carried_out[commands:]
    assert {type(command) for command in said} <= {c.StartRecording}, "what was being recorded is said to be, to whoever may be new"
    center.pbx.party_hangs_up(caller)
    await center.pass_time(1)
    (parted,) = center.kept(f.ContactParted)
    assert parted.why is f.EndedWhy.CALLER_HUNG_UP
    assert not center.pbx.channels


@gaps
@in_virtual_time
async def test_a_caller_who_left_in_the_gap_ends_the_talk(center: VirtualCenter, gap: Callable[..., Awaitable[None]]) -> None:
    await center.agent_ready("alice")
    caller = center.calls()
    await center.pass_time(3)
    await gap(center, lambda: center.pbx.party_hangs_up(caller))
    (parted,) = center.kept(f.ContactParted)
    assert parted.why is f.EndedWhy.CALLER_HUNG_UP
    assert center.agent("alice").state is AgentState.WRAP_UP
    assert not center.pbx.channels
    assert not center.pbx.bridges
    assert len(center.kept(f.CallEnded)) == 1


@gaps
@in_virtual_time
async def test_an_agent_who_left_in_the_gap_leaves_the_caller_at_the_head_of_the_line(
    center: VirtualCenter, gap: Callable[..., Awaitable[None]]
) -> None:
    await center.agent_ready("alice")
    caller = center.calls()
    await center.pass_time(3)
    other = center.calls()
    (agent_leg,) = [leg for leg, channel in center.pbx.channels.items() if channel.endpoint == "phone-of-alice"]
    await gap(center, lambda: center.pbx.party_hangs_up(agent_leg))
    assert center.waiting() == [caller, other]
    (parted,) = center.kept(f.ContactParted)
    assert parted.why is f.EndedWhy.AGENT_LOST


@gaps
@in_virtual_time
async def test_both_left_in_the_gap(center: VirtualCenter, gap: Callable[..., Awaitable[None]]) -> None:
    await center.agent_ready("alice")
    caller = center.calls()
    await center.pass_time(3)

    def both() -> None:
        for leg in list(center.pbx.channels):
            center.pbx.party_hangs_up(leg)

    await gap(center, both)
    (ended,) = center.kept(f.CallEnded)
    (parted,) = center.kept(f.ContactParted)
    assert (parted.why, ended.cause) == (f.EndedWhy.CALLER_HUNG_UP, e.Cause.UNKNOWN)
    assert caller not in center.engine.center.state.legs


@gaps
@in_virtual_time
async def test_a_caller_who_gave_up_in_the_gap_has_abandoned(center: VirtualCenter, gap: Callable[..., Awaitable[None]]) -> None:
    first, second = center.calls(), center.calls()
    await center.pass_time(1)
    await gap(center, lambda: center.pbx.party_hangs_up(first))
    assert center.waiting() == [second]
    assert len(center.kept(f.ContactAbandoned)) == 1


@gaps
@in_virtual_time
async def test_a_caller_who_came_in_the_gap_is_served(center: VirtualCenter, gap: Callable[..., Awaitable[None]]) -> None:
    await center.pass_time(1)
    came: list[str] = []
    await gap(center, lambda: came.append(center.calls()))
    assert center.waiting() == came
    assert center.pbx.channels[came[0]].up
    assert len(center.kept(f.CallBegan)) == 1


@gaps
@in_virtual_time
async def test_a_caller_who_returns_from_the_fallback_has_waited_from_the_first_entry_on(
    center: VirtualCenter, gap: Callable[..., Awaitable[None]]
) -> None:
    later = center.calls()
    await center.pass_time(5)
    since: datetime = center.now - timedelta(seconds=60)
    came: list[str] = []
    await gap(center, lambda: came.append(center.pbx.call_in("+18005550100", waiting_since=since)))
    assert center.waiting() == [came[0], later]
    entered = [fact for fact in center.kept(f.ContactEntered) if fact.entered_at == since]
    assert len(entered) == 1


@gaps
@in_virtual_time
async def test_a_leg_and_a_bridge_of_nobody_are_cleared_away(center: VirtualCenter, gap: Callable[..., Awaitable[None]]) -> None:
    """We rang a phone and died before anybody wrote it down: the offer was never made."""
    await center.pass_time(1)

    def stray() -> None:
        listening, center.pbx.listening = center.pbx.listening, True
        center.pbx.run(c.RingAgent("?", "node1", "node1-stray", "alice", "phone-of-alice", "", "", timedelta(seconds=60)))
        center.pbx.listening = listening
        center.pbx.bridges["node1-orphan"] = set()

    await gap(center, stray)
    assert not center.pbx.channels
    assert not center.pbx.bridges


@gaps
@in_virtual_time
async def test_an_agent_who_talks_in_the_fallback_is_offered_nothing_until_that_ends(
    center: VirtualCenter, gap: Callable[..., Awaitable[None]]
) -> None:
    await center.agent_ready("alice")
    await center.pass_time(1)
    legs: list[str] = []
    await gap(center, lambda: legs.append(center.pbx.talk_in_fallback("phone-of-alice")))
    assert (center.agent("alice").state, center.agent("alice").reason) == (AgentState.NOT_READY, "fallback_call")
    caller = center.calls()
    await center.pass_time(5)
    assert center.waiting() == [caller]
    await gap(center)  # and once more: we still know, and still hear of its end
    assert center.waiting() == [caller]
    center.pbx.party_hangs_up(legs[0])
    await center.pass_time(3)
    assert center.talking() == {"alice": caller}


@gaps
@in_virtual_time
async def test_a_fallback_talk_that_ended_in_the_gap_is_over(center: VirtualCenter, gap: Callable[..., Awaitable[None]]) -> None:
    await center.agent_ready("alice")
    await center.pass_time(1)
    legs: list[str] = []
    await gap(center, lambda: legs.append(center.pbx.talk_in_fallback("phone-of-alice")))
    await gap(center, lambda: center.pbx.party_hangs_up(legs[0]))
    assert center.agent("alice").state is AgentState.READY


@gaps
@in_virtual_time
async def test_a_wrap_up_ends_on_its_date(center: VirtualCenter, gap: Gap) -> None:
    await center.agent_ready("alice")
    caller = center.calls()
    await center.pass_time(3)
    center.pbx.party_hangs_up(caller)
    await center.pass_time(1)
    await gap(center)
    assert center.agent("alice").state is AgentState.WRAP_UP
    await center.pass_time(10)
    (parted,) = center.kept(f.ContactParted)
    (ended,) = center.kept(f.ContactEnded)
    assert ended.at == parted.wrap_up_until
    assert center.agent("alice").state is AgentState.READY


@gaps
@in_virtual_time(config=small_center([QueueConfig("support", max_wait=timedelta(seconds=6))]))
async def test_the_longest_wait_counts_the_gap(center: VirtualCenter, gap: Gap) -> None:
    center.calls()
    await center.pass_time(4)
    await gap(center)  # 6 s have passed in it
    (overflowed,) = center.kept(f.ContactOverflowed)
    assert overflowed.why is f.OverflowWhy.MAX_WAIT
    assert overflowed.wait >= timedelta(seconds=6)


@gaps
@in_virtual_time(config=CONFIG)
async def test_one_call_in_each_phase(center: VirtualCenter, gap: Gap) -> None:
    for name in ("alice", "bob"):
        await center.agent_ready(name)
    talks = center.calls()
    await center.pass_time(3)
    (busy,) = center.talking()
    (free,) = {"alice", "bob"} - {busy}
    center.phone(free).answers_after = lambda: timedelta(seconds=10)
    rings = center.calls()
    await center.pass_time(1)
    waits = center.calls()
    in_flow = center.calls(MENU_DID)
    await center.pass_time(0.5)
    await gap(center)
    assert set(center.pbx.channels) >= {talks, rings, waits, in_flow}
    await center.pass_time(8)
    assert center.talking() == {busy: talks, free: rings}
    assert center.waiting() == [waits]
    assert in_flow in center.engine.center.state.legs


@in_virtual_time
async def test_a_node_that_crashed_takes_its_calls_with_it(center: VirtualCenter) -> None:
    await center.agent_ready("alice")
    center.calls()
    waiting = center.calls()
    await center.pass_time(3)
    center.wire.crash()
    await center.pass_time(2)
    center.wire.mend()
    await center.pass_time(1)
    assert {fact.cause for fact in center.facts if isinstance(fact, f.CallEnded)} == {e.Cause.NODE_CRASH}
    assert len(center.kept(f.CallEnded)) == 2
    assert waiting not in center.engine.center.state.legs
    assert center.agent("alice").state is AgentState.WRAP_UP
    await center.pass_time(10)
    later = center.calls()
    await center.pass_time(3)
    assert center.talking() == {"alice": later}


@in_virtual_time
async def test_a_node_that_stays_away_is_given_up(center: VirtualCenter) -> None:
    await center.agent_ready("alice")
    center.calls()
    await center.pass_time(3)
    center.wire.cut()
    await center.pass_time(29)
    assert not center.kept(f.CallEnded)
    await center.pass_time(2)
    (ended,) = center.kept(f.CallEnded)
    assert ended.cause is e.Cause.NODE_CRASH
    assert center.agent("alice").state is AgentState.WRAP_UP
    center.wire.mend()  # it was only the network: those two were talking to each other all the time
    await center.pass_time(1)
    assert not center.pbx.bridges


@in_virtual_time(nodes=("node1", "node2"))
async def test_two_nodes_and_one_of_them_crashes(center: VirtualCenter) -> None:
    await center.agent_ready("alice")
    here = center.calls(node="node1")
    await center.pass_time(3)
    await center.agent_ready("bob")
    there = center.calls(node="node2")
    await center.pass_time(3)
    assert center.talking() == {"alice": here, "bob": there}
    center.wires["node2"].crash()
    await center.pass_time(1)
    center.wires["node2"].mend()
    await center.pass_time(1)
    assert center.talking() == {"alice": here}
    (ended,) = center.kept(f.CallEnded)
    assert ended.cause is e.Cause.NODE_CRASH


@in_virtual_time
async def test_a_connection_that_flaps_in_the_middle_of_catching_up(center: VirtualCenter) -> None:
    caller = center.calls()
    await center.pass_time(1)
    for pause in (0.0, 0.0005, 0.001, 0.0015, 0.002, 0.003):
        center.wire.cut()
        await center.pass_time(1)
        center.wire.mend()
        await center.pass_time(pause)
    center.wire.cut()
    await center.pass_time(1)
    center.wire.mend()
    await center.pass_time(1)
    assert center.waiting() == [caller]
    await center.agent_ready("alice")
    await center.pass_time(3)
    assert center.together() == {frozenset((caller, "phone-of-alice"))}


@gaps
@in_virtual_time
async def test_an_agent_who_answered_before_the_ring_time_out_passed_in_the_gap_has_missed_nothing(center: VirtualCenter, gap: Gap) -> None:
    center.phone("alice").answers_after = lambda: timedelta(seconds=14)
    await center.agent_ready("alice")
    caller = center.calls()
    await center.pass_time(13)
    await gap(center)
    assert center.talking() == {"alice": caller}
    assert not center.kept(f.OfferMissed)


@in_virtual_time
async def test_a_call_whose_commands_are_still_under_way_is_judged_later(center: VirtualCenter) -> None:
    """The phone is not ringing yet because our request has not got through: that is no lost offer."""
    center.wire.stuck = lambda command: isinstance(command, c.RingAgent)
    await center.agent_ready("alice")
    caller = center.calls()
    await center.pass_time(0.1)
    await connection_lost(center)
    center.wire.freed.set()
    await center.pass_time(0.5)
    assert sum(channel.endpoint == "phone-of-alice" for channel in center.pbx.channels.values()) == 1
    await center.pass_time(3)
    assert center.talking() == {"alice": caller}
    assert len(center.kept(f.ContactOffered)) == 1


@in_virtual_time
async def test_a_call_that_was_judged_later_has_not_been_forgotten(center: VirtualCenter) -> None:
    center.wire.stuck = lambda command: isinstance(command, c.StartMusic)
    caller = center.calls()
    await center.pass_time(0.7)
    await connection_lost(center, lambda: center.pbx.party_hangs_up(caller))
    assert not center.kept(f.ContactAbandoned)
    center.wire.freed.set()
    await center.pass_time(2)
    assert len(center.kept(f.ContactAbandoned)) == 1
    assert len(center.kept(f.CallEnded)) == 1


@in_virtual_time(config=CONFIG)
async def test_music_that_the_node_would_not_play_is_tried_again(center: VirtualCenter) -> None:
    """Nobody waits in silence because of one refusal."""
    refused: list[c.Command] = []
    carry_out = center.pbx.run

    def run(command: c.Command) -> None:
        if isinstance(command, c.StartMusic) and not refused:
            refused.append(command)
            raise CommandError(e.Refusal.REFUSED, "no")
        carry_out(command)

    center.pbx.run = run  # type: ignore[method-assign]
    caller = center.calls()
    await center.pass_time(5)
    assert refused
    assert center.pbx.channels[caller].music
