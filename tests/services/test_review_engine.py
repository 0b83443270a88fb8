"""Doubts about one call, with the node in sight: what nobody answered for is looked at until it is settled."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from callcenter.domain import commands as c
from callcenter.domain import facts as f
from callcenter.domain.events import Cause, Refusal
from callcenter.domain.facts import AgentState
from callcenter.services.clock import SteadyClock
from callcenter.services.ports import CommandError
from callcenter.sim.fake_pbx import Channel, Mood
from tests.support.virtual import VirtualCenter, in_virtual_time


def first(kind: type[c.Command]) -> Callable[[c.Command], bool]:
    """True for the first command of its kind."""
    tries: list[c.Command] = []

    def chosen(command: c.Command) -> bool:
        if isinstance(command, kind):
            tries.append(command)
        return isinstance(command, kind) and len(tries) == 1

    return chosen


def refuse_first(center: VirtualCenter, kind: type[c.Command], refusal: Refusal) -> None:
    """The PBX does not carry out the first command of its kind."""
    run, chosen = center.pbx.run, first(kind)

    def refuse(command: c.Command) -> None:
        if chosen(command):
            raise CommandError(refusal)
        run(command)

    center.pbx.run = refuse  # type: ignore[method-assign]


@in_virtual_time
async def test_a_call_that_was_busy_when_it_was_looked_at_is_looked_at_again(center: VirtualCenter) -> None:
    """The music never began; when we look, the ringing of the same call is still under way."""
    center.wire.loses_request = first(c.StartMusic)
    center.wire.stuck = lambda command: isinstance(command, c.RingAgent) and not center.wire.freed.is_set()
    center.phone("alice").mood = Mood.RINGS_ON
    await center.agent_ready("alice")
    caller = center.calls()
    await center.pass_time(8)
    assert not center.pbx.channels[caller].music
    center.wire.freed.set()
    await center.pass_time(6)
    assert center.pbx.channels[caller].music == "default"


@in_virtual_time
async def test_a_bridge_refused_because_a_leg_seemed_gone_is_made_if_it_is_not(center: VirtualCenter) -> None:
    refuse_first(center, c.ConnectLegs, Refusal.GONE)
    await center.agent_ready("alice")
    caller = center.calls()
    await center.pass_time(6)
    assert center.talking() == {"alice": caller}
    assert center.together() == {frozenset((caller, "phone-of-alice"))}


@pytest.mark.parametrize("refusal", list(Refusal))
@in_virtual_time
async def test_a_hang_up_that_was_refused_is_said_again(center: VirtualCenter, refusal: Refusal) -> None:
    await center.agent_ready("alice")
    caller = center.calls()
    await center.pass_time(4)
    refuse_first(center, c.HangUp, refusal)
    center.pbx.party_hangs_up(caller)
    await center.pass_time(4)
    assert not center.pbx.channels
    assert len(center.kept(f.CallEnded)) == 1


@in_virtual_time
async def test_a_bridge_whose_closing_got_lost_is_closed(center: VirtualCenter) -> None:
    await center.agent_ready("alice")
    caller = center.calls()
    await center.pass_time(4)
    center.wire.loses_request = first(c.CloseBridge)
    (agent_leg,) = [leg for leg in center.pbx.channels if leg != caller]
    center.pbx.party_hangs_up(agent_leg, Cause.LOST)
    await center.pass_time(5)
    assert center.waiting() == [caller]
    assert not center.pbx.bridges


@pytest.mark.parametrize("kind", [c.CloseBridge, c.ConnectLegs])
@in_virtual_time
async def test_a_bridge_in_doubt_outlives_no_call(center: VirtualCenter, kind: type[c.Command]) -> None:
    """The closing got lost, or the making timed out and was carried out late; meanwhile all legs are gone."""
    await center.agent_ready("alice")
    center.wire.loses_request = first(c.CloseBridge)
    center.wire.loses_answer = first(kind)
    caller = center.calls()
    await center.pass_time(3)
    center.pbx.party_hangs_up(caller)
    await center.pass_time(6)
    assert not center.pbx.channels
    assert not center.pbx.bridges


@in_virtual_time
async def test_looking_at_one_call_tells_nothing_of_the_others(center: VirtualCenter) -> None:
    """No prompt is said twice, and no music begins anew, because another call was in doubt."""
    waiting = center.calls()
    await center.pass_time(1)
    heard = list(center.pbx.channels[waiting].heard)
    center.phone("alice").mood = Mood.RINGS_ON
    center.wire.loses_answer = first(c.StartMusic)
    center.calls()
    await center.pass_time(6)
    assert center.pbx.channels[waiting].heard == heard


@in_virtual_time
async def test_an_agent_whom_the_fallback_rings_after_we_are_back_is_left_alone(center: VirtualCenter) -> None:
    """A caller is in the dialplan's queue for up to ten seconds more; who answers there must not be offered another."""
    await center.agent_ready("alice")
    await center.kill()
    center.pbx.channels["node1-9.9"] = Channel("node1-9.9", "carrier", up=True, ours=False)
    await center.start()
    await center.pass_time(3)
    leg = center.pbx.talk_in_fallback("phone-of-alice")
    await center.pass_time(3)
    assert center.agent("alice").reason == "fallback_call"
    center.pbx.party_hangs_up(leg)
    await center.pass_time(1)
    assert center.agent("alice").state is AgentState.READY


@in_virtual_time(nodes=("node1", "node2"))
async def test_a_node_that_is_no_longer_configured_takes_its_calls_with_it(center: VirtualCenter) -> None:
    await center.agent_ready("alice")
    center.calls(node="node2")
    await center.pass_time(4)
    assert set(center.talking()) == {"alice"}
    await center.kill()
    del center.wires["node2"]
    await center.start()
    await center.pass_time(45)
    assert center.agent("alice").state is AgentState.READY
    assert not center.engine.center.state.calls
    assert len(center.kept(f.CallEnded)) == 1


@in_virtual_time
async def test_a_long_absence_of_ours_is_not_the_nodes_fault(center: VirtualCenter) -> None:
    """A node out of reach for half a minute is taken for dead; one that we did not try to reach for an hour is not."""
    await center.agent_ready("alice")
    talking = center.calls()
    await center.pass_time(3)
    waiting = center.calls()
    await center.restart(away=3600)
    await center.pass_time(2)
    assert center.talking() == {"alice": talking}
    assert center.waiting() == [waiting]
    assert not center.kept(f.CallEnded)


def test_the_clock_does_not_begin_before_what_was_written_last() -> None:
    """A wall clock that was set back by a day while we were away must not stop every timer for a day."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    clock = SteadyClock(not_before=tomorrow)
    assert tomorrow <= clock.now() < tomorrow + timedelta(minutes=1)
    assert clock.now() <= clock.now()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    assert SteadyClock(not_before=yesterday).now() > yesterday + timedelta(hours=23)
