"""The engine's one task, its outbox and its timer, in virtual time."""

from collections import defaultdict
from datetime import timedelta

import pytest

from callcenter.domain import commands as c
from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.ivr.flow import Flow, MenuNode, PromptNode, QueueNode, say_and_hang_up
from callcenter.sim.fake_pbx import Mood
from callcenter.sim.world import small_center
from tests.support.virtual import VirtualCenter, in_virtual_time

MENU = Flow(
    "menu",
    "hello",
    {
        "hello": PromptNode("welcome", "ask"),
        "ask": MenuNode("press-1", {"1": "support"}, otherwise="support", timeout=timedelta(seconds=4), tries=1),
        "support": QueueNode("support"),
    },
)
WITH_MENU = small_center(flows=[MENU, say_and_hang_up("closed")])
MENU_DID = "+18005550200"


@in_virtual_time
async def test_a_call_from_its_arrival_to_the_end_of_the_wrap_up(center: VirtualCenter) -> None:
    await center.agent_ready("alice")
    caller = center.calls()
    await center.pass_time(3)
    assert center.talking() == {"alice": caller}
    assert center.together() == {frozenset((caller, "phone-of-alice"))}
    center.pbx.party_hangs_up(caller)
    await center.pass_time(1)
    assert center.agent("alice").state is f.AgentState.WRAP_UP
    await center.pass_time(10)
    assert center.agent("alice").state is f.AgentState.READY
    assert not center.pbx.channels
    assert not center.pbx.bridges
    assert len(center.pbx.recorded) == 1
    assert len(center.kept(f.CallEnded)) == 1


@in_virtual_time
async def test_commands_of_one_call_are_carried_out_in_the_order_they_were_wanted(center: VirtualCenter) -> None:
    await center.agent_ready("alice")
    await center.agent_ready("bob")
    callers = [center.calls() for _ in range(4)]
    await center.pass_time(3)
    for caller in callers:
        center.pbx.party_hangs_up(caller)
    await center.pass_time(1)
    wanted: dict[str, list[c.Command]] = defaultdict(list)
    for done in center.journal.done:
        if isinstance(done, c.Command):
            wanted[done.call].append(done)
    carried_out: dict[str, list[c.Command]] = defaultdict(list)
    for command in center.wire.carried_out:
        carried_out[command.call].append(command)
    refused = {id(command) for call in wanted for command in wanted[call] if command not in carried_out[call]}
    assert carried_out == {call: [command for command in commands if id(command) not in refused] for call, commands in wanted.items()}
    kinds = [type(command) for command in wanted[center.kept(f.ContactConnected)[0].call]]
    assert kinds[:5] == [c.RingAgent, c.StartMusic, c.StopMusic, c.StartRecording, c.ConnectLegs]


@in_virtual_time
async def test_a_command_that_is_stuck_holds_up_its_own_call_only(center: VirtualCenter) -> None:
    center.pbx.door_answers = False
    center.wire.stuck = lambda command: isinstance(command, c.Answer) and command.call == stuck_call()
    stuck = center.calls()

    def stuck_call() -> str:
        return next(fact.call for fact in center.facts if isinstance(fact, f.CallBegan) and fact.leg == stuck)

    others = [center.calls() for _ in range(3)]
    await center.pass_time(1)
    assert not center.pbx.channels[stuck].up
    assert all(center.pbx.channels[leg].heard == ["music:default"] for leg in others)
    center.wire.freed.set()
    await center.pass_time(0.2)
    assert center.pbx.channels[stuck].up
    assert center.pbx.channels[stuck].heard == ["music:default"]


@in_virtual_time(config=WITH_MENU)
async def test_a_refused_command_comes_back_as_an_event(center: VirtualCenter) -> None:
    center.pbx.broken_prompts.add("press-1")
    caller = center.calls(MENU_DID)
    await center.pass_time(2.5)  # the menu cannot be said: it listens at once
    center.pbx.party_presses(caller, "1")
    await center.pass_time(0.1)
    assert center.waiting() == [caller]
    assert [line["refusal"] for line in center.logs if line["event"] == "command_refused"] == [e.Refusal.NO_SUCH_MEDIA]


@in_virtual_time
async def test_a_full_disk_costs_the_recording_and_not_the_call(center: VirtualCenter) -> None:
    center.pbx.disk_full = True
    await center.agent_ready("alice")
    caller = center.calls()
    await center.pass_time(3)
    assert center.talking() == {"alice": caller}
    (missing,) = center.kept(f.RecordingMissing)
    assert missing.why is f.MissingWhy.REFUSED


JUSTIFIED = {
    c.Answer: (f.CallBegan, "leg"),
    c.Play: (f.FlowMoved, "playback"),
    c.RingAgent: (f.ContactOffered, "leg"),
    c.ConnectLegs: (f.ContactConnected, "bridge"),
    c.StartRecording: (f.RecordingStarted, "recording"),
    c.StopRecording: (f.RecordingStopped, "recording"),
    c.HangUp: (f.LegClosing, "leg"),
}


@in_virtual_time(config=WITH_MENU)
async def test_a_fact_is_written_before_the_command_it_justifies(center: VirtualCenter) -> None:
    center.pbx.door_answers = False
    await center.agent_ready("alice")
    center.calls("+18005550201")  # is told that we are closed, and hung up on
    caller = center.calls(MENU_DID)
    await center.pass_time(12)
    await center.engine.request(e.TransferRequested("alice", "support"))
    await center.pass_time(1)
    center.pbx.party_hangs_up(caller)
    await center.pass_time(1)
    seen: set[type[c.Command]] = set()
    for place, command in enumerate(center.journal.done):
        if type(command) in JUSTIFIED:
            assert isinstance(command, c.Command)
            kind, same = JUSTIFIED[type(command)]
            before = [fact for fact in center.journal.done[:place] if isinstance(fact, kind)]
            assert getattr(command, same) in [getattr(fact, same) for fact in before], command
            seen.add(type(command))
    assert seen == set(JUSTIFIED)


@in_virtual_time
async def test_the_timer_fires_at_the_date_itself(center: VirtualCenter) -> None:
    center.phone("alice").mood = Mood.RINGS_ON
    await center.agent_ready("alice")
    center.calls()
    await center.pass_time(30)
    (offered,) = center.kept(f.ContactOffered)
    (missed,) = center.kept(f.OfferMissed)
    assert missed.at == offered.until


@in_virtual_time
async def test_an_event_that_comes_late_finds_the_deadline_before_it_already_run(center: VirtualCenter) -> None:
    """A busy inbox cannot starve a timer."""
    center.phone("alice").mood = Mood.RINGS_ON
    await center.agent_ready("alice")
    caller = center.calls()
    await center.pass_time(0.5)
    (offered,) = center.kept(f.ContactOffered)
    center.engine.center.handle(e.TimePassed(), center.now)
    center.engine._handle(e.LegEnded(caller, e.Cause.NORMAL), offered.until + timedelta(seconds=1))
    (missed,) = center.kept(f.OfferMissed)
    (abandoned,) = center.kept(f.ContactAbandoned)
    assert missed.at == offered.until < abandoned.at


@in_virtual_time(faults=True)
async def test_a_poisonous_event_hurts_nobody_else(center: VirtualCenter) -> None:
    await center.agent_ready("alice")
    caller = center.calls()
    await center.pass_time(3)
    center.engine.tell(e.LegArrived("node1", [], e.Door.TRUNK, "+18005550100", ""))  # type: ignore[arg-type]
    center.engine.tell(e.TransferRequested("alice", ["x"]))  # type: ignore[arg-type]
    await center.pass_time(0.1)
    assert len(center.faults()) == 2
    assert center.talking() == {"alice": caller}
    other = center.calls()
    await center.pass_time(0.1)
    assert center.waiting() == [other]


@in_virtual_time
async def test_what_a_person_asks_for_is_answered(center: VirtualCenter) -> None:
    assert "no agent 'zoe'" in str(await center.engine.request(e.AgentReadyRequested("zoe")))
    assert await center.engine.request(e.AgentLoginRequested("alice")) is None


@in_virtual_time
async def test_the_heart_beats_every_second_while_we_live(center: VirtualCenter) -> None:
    await center.pass_time(5)
    assert center.pbx.beat_at is not None
    assert center.now - center.pbx.beat_at < timedelta(seconds=1.1)
    await center.kill()
    last = center.pbx.beat_at
    await center.pass_time(5)
    assert center.pbx.beat_at == last
    await center.start()
    assert center.pbx.beat_at > last


@pytest.mark.parametrize("lost", ["request", "answer"])
@in_virtual_time
async def test_a_bridge_whose_fate_nobody_knows_is_looked_at(center: VirtualCenter, lost: str) -> None:
    tries: list[c.Command] = []

    def first_connect(command: c.Command) -> bool:
        if isinstance(command, c.ConnectLegs):
            tries.append(command)
        return isinstance(command, c.ConnectLegs) and len(tries) == 1

    if lost == "request":
        center.wire.loses_request = first_connect
    else:
        center.wire.loses_answer = first_connect
    await center.agent_ready("alice")
    caller = center.calls()
    await center.pass_time(8)
    assert center.together() == {frozenset((caller, "phone-of-alice"))}
    assert center.talking() == {"alice": caller}
    assert len(tries) == (2 if lost == "request" else 1)


@pytest.mark.parametrize("lost", ["request", "answer"])
@in_virtual_time
async def test_an_offer_whose_fate_nobody_knows_costs_neither_the_agent_nor_the_place(center: VirtualCenter, lost: str) -> None:
    tries: list[c.Command] = []

    def first_ring(command: c.Command) -> bool:
        if isinstance(command, c.RingAgent):
            tries.append(command)
        return isinstance(command, c.RingAgent) and len(tries) == 1

    setattr(center.wire, f"loses_{lost}", first_ring)
    await center.agent_ready("alice")
    caller = center.calls()
    await center.pass_time(10)
    assert center.talking() == {"alice": caller}
    assert center.together() == {frozenset((caller, "phone-of-alice"))}
    assert not center.kept(f.OfferMissed)


@in_virtual_time
async def test_a_hang_up_whose_request_was_lost_is_said_again(center: VirtualCenter) -> None:
    await center.agent_ready("alice")
    caller = center.calls()
    await center.pass_time(3)
    tries: list[c.Command] = []

    def first_hang_up(command: c.Command) -> bool:
        if isinstance(command, c.HangUp):
            tries.append(command)
        return isinstance(command, c.HangUp) and len(tries) == 1

    center.wire.loses_request = first_hang_up
    center.pbx.party_hangs_up(caller)
    await center.pass_time(10)
    assert not center.pbx.channels
    assert len(tries) == 2
    assert len(center.kept(f.CallEnded)) == 1
