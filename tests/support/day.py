"""A day of a small center as facts: what the center would have written, for tests of everything behind the journal."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from callcenter.domain import facts as f
from callcenter.domain.events import Cause

BEGIN = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)
NODE = "ast1"


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def answered_call(
    call: str, at: datetime, agent: str, *, queue: str = "support", caller: str = "+4930111", wait: float = 12.5, talk: float = 50
) -> Iterator[list[f.Fact]]:
    """Arrives, hears the menu, waits, talks and is on hold for 10 s, is wrapped up for 5 s. One list per event."""
    leg, contact, offer, agent_leg = f"{NODE}-{call}", f"{call}-contact", f"{call}-offer", f"{NODE}-{call}-agent"
    entered, rang = at + seconds(4), at + seconds(4 + wait - 2)
    connected, parted = at + seconds(4 + wait), at + seconds(4 + wait + talk + 10)
    yield [
        f.CallBegan(at, call, NODE, leg, f.Direction.INBOUND, "+498001", caller, "", "carrier", f"{leg}.linked"),
        f.LegUp(at, call, leg),
        f.FlowStarted(at, call, "main"),
        f.FlowMoved(at, call, "menu", 1, f"{call}-playback", ("welcome",)),
    ]
    yield [
        f.FlowKeyPressed(entered, call, "1", "queue"),
        f.FlowEnded(entered, call, "queue"),
        f.ContactEntered(entered, call, contact, queue, 0, entered, entered, caller),
    ]
    yield [
        f.AgentStateChanged(rang, agent, f.AgentState.RESERVED, contact=contact),
        f.ContactOffered(rang, call, contact, queue, offer, agent, agent_leg, rang + seconds(15), 1),
    ]
    yield [
        f.LegUp(connected, call, agent_leg),
        f.ContactConnected(connected, call, contact, queue, offer, agent, agent_leg, f"{call}-bridge", seconds(wait)),
        f.AgentStateChanged(connected, agent, f.AgentState.TALKING, contact=contact),
        f.RecordingStarted(connected, call, contact, queue, agent, NODE, f"{call}-recording"),
    ]
    yield [f.ContactHeld(connected + seconds(20), call, contact, agent)]
    yield [f.ContactResumed(connected + seconds(30), call, contact, agent)]
    yield [
        f.LegGone(parted, call, leg, Cause.NORMAL),
        f.RecordingStopped(parted, call, contact, f"{call}-recording"),
        f.ContactParted(parted, call, contact, queue, agent, seconds(talk), seconds(10), f.EndedWhy.CALLER_HUNG_UP, parted + seconds(5)),
        f.AgentStateChanged(parted, agent, f.AgentState.WRAP_UP, contact=contact, until=parted + seconds(5)),
        f.LegClosing(parted, call, agent_leg),
    ]
    yield [f.LegGone(parted + seconds(0.01), call, agent_leg, Cause.NORMAL), f.CallEnded(parted + seconds(0.01), call, Cause.NORMAL)]
    yield [
        f.ContactEnded(parted + seconds(5), call, contact, queue, agent, seconds(5)),
        f.AgentStateChanged(parted + seconds(5), agent, f.AgentState.READY, idle_since=parted + seconds(5)),
    ]


def abandoned_call(
    call: str, at: datetime, *, queue: str = "support", caller: str = "+4930222", wait: float = 3.0
) -> Iterator[list[f.Fact]]:
    leg, contact, left = f"{NODE}-{call}", f"{call}-contact", at + seconds(wait)
    yield [
        f.CallBegan(at, call, NODE, leg, f.Direction.INBOUND, "+498001", caller, "", "carrier", f"{leg}.linked"),
        f.ContactEntered(at, call, contact, queue, 0, at, at, caller),
    ]
    yield [
        f.LegGone(left, call, leg, Cause.NORMAL),
        f.ContactAbandoned(left, call, contact, queue, seconds(wait), wait <= 5),
        f.CallEnded(left, call, Cause.NORMAL),
    ]


def day(calls: int, *, seed: int = 1, agents: int = 5) -> list[list[f.Fact]]:
    """Events of many calls, interleaved in the order of time, and of the agents who log in before them."""
    chance = random.Random(seed)
    events: list[list[f.Fact]] = [[f.AgentStateChanged(BEGIN, f"agent-{n}", f.AgentState.READY, idle_since=BEGIN)] for n in range(agents)]
    free_at = [BEGIN + seconds(1)] * agents
    for number in range(calls):
        n = number % agents
        at = free_at[n] + seconds(chance.randrange(1, 30_000_000) / 1e6)
        if chance.random() < 0.2:
            events += abandoned_call(f"call-{seed}-{number}", at, wait=chance.randrange(1, 30), caller=f"+49{number:06d}")
        else:
            call = list(answered_call(f"call-{seed}-{number}", at, f"agent-{n}", wait=chance.randrange(3, 60), caller=f"+49{number:06d}"))
            events += call
            free_at[n] = call[-1][0].at
    return sorted(events, key=lambda facts: facts[0].at)
