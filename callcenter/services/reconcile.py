"""After a gap: what the PBX holds against what the center believes, as the events we missed.

Asterisk repeats nothing after a reconnect (docs/asterisk.md), so a snapshot is compared instead. Pure:
the engine takes the snapshot, hands the events to the center and carries out the clearings.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from callcenter.domain.call import Call, Leg, LegState
from callcenter.domain.commands import recorded_prompt
from callcenter.domain.consults import places
from callcenter.domain.contact import UNANSWERED, ContactState
from callcenter.domain.events import (
    Cause,
    Event,
    FallbackTalkBegan,
    FallbackTalkEnded,
    LegAnswered,
    LegEnded,
    LegFoundAlone,
    LegFoundSilent,
    LegRang,
)
from callcenter.domain.facts import Stage
from callcenter.domain.state import State
from callcenter.services.ports import SeenLeg, Snapshot


@dataclass(slots=True)
class Missed:
    """What a gap left to do."""

    events: list[Event] = field(default_factory=list)
    release: list[str] = field(default_factory=list)
    """Legs of ours that belong to no call."""
    destroy: list[str] = field(default_factory=list)
    """Bridges of ours that belong to no call."""
    watch: list[str] = field(default_factory=list)
    """Legs outside our application whose end we want to know."""
    skipped: list[str] = field(default_factory=list)
    """Calls that could not be judged yet."""


def playbacks(state: State, node: str) -> list[str]:
    """The playbacks whose fate the snapshot should tell."""
    calls = (state.calls[call] for call in sorted(state.node(node).calls))
    return [playback for call in calls if (playback := _being_said(state, call))]


def _being_said(state: State, call: Call) -> str:
    """The playback that the caller should hear now, or the message that is being recorded; empty: none."""
    if call.visit is not None:
        recording = call.visit.stage is Stage.RECORDING
        return recorded_prompt(call.visit.message) if recording else call.visit.playback
    if call.desk is not None:
        return call.desk.playback
    if call.flow is not None:
        return call.flow.playback
    contact = state.contacts.get(call.contact)
    return contact.announcing.playback if contact is not None and contact.state in UNANSWERED else ""


def compare(state: State, seen: Snapshot, busy: Callable[[str], bool], suspects: Collection[str] | None = None) -> Missed:
    """What the center missed of this node. Calls with commands still under way (``busy``) are left for later.

    ``suspects`` is given when the connection was never lost: the calls in doubt, with no command under way when the
    snapshot was asked for. Only those are judged, and arrivals are not, because events that the snapshot does not
    contain may have come meanwhile. Legs and bridges of ours need no such care: each is a fact before it is made.
    """
    missed = Missed()
    node = state.node(seen.node)
    crashed = node.started_at not in (None, seen.started_at)
    for call_id in sorted(node.calls if suspects is None else _judged(state, node.calls.intersection(suspects))):
        if any(map(busy, _lanes(state, call_id))):
            missed.skipped.append(call_id)
        else:
            missed.events += _missed_of(state, state.calls[call_id], seen, crashed)
    for leg in seen.legs.values():
        if leg.leg not in state.legs and leg.leg not in state.snoops and (suspects is None or leg.arrival is None):
            _unknown(state, seen.node, leg, missed)
    for leg_id in state.fallback_legs:
        if leg_id.startswith(f"{seen.node}-") and leg_id not in seen.legs:
            missed.events.append(FallbackTalkEnded(leg_id))
    calls = [state.calls[call] for call in node.calls]
    bridges = {call.bridge for call in calls} | {call.consult.bridge for call in calls if call.consult}
    bridges |= {call.supervision.bridge for call in calls if call.supervision}
    missed.destroy += sorted(set(seen.bridges) - bridges)
    return missed


def _judged(state: State, suspects: Collection[str]) -> set[str]:
    """The calls in doubt, and those of supervisors who hear them: what concerns their ears is done in the lanes of the former."""
    watching = {call.id for call in state.supervising.values() if call.supervision and call.supervision.watched in suspects}
    return watching.union(suspects)


def _lanes(state: State, call_id: str) -> tuple[str, ...]:
    """In which commands about the call may be under way."""
    supervision = state.calls[call_id].supervision
    return (call_id, supervision.watched) if supervision is not None else (call_id,)


def _missed_of(state: State, call: Call, seen: Snapshot, crashed: bool) -> Iterator[Event]:
    """Ends first, the caller's before the agent's; then what the living legs lack."""
    for leg in sorted(call.legs.values(), key=lambda leg: leg is not call.caller_leg):
        there = seen.legs.get(leg.id)
        if there is None:
            yield LegEnded(leg.id, Cause.NODE_CRASH if crashed else Cause.UNKNOWN)
        else:
            yield from _progress(leg, there)
    caller = call.caller_leg
    if caller is None or caller.id not in seen.legs or caller.closing:
        return
    contact = state.contacts.get(call.contact)
    resuming = (contact is not None and contact.resuming) or (call.own is not None and bool(call.own.resuming))
    if (call.payment is not None or resuming) and call.bridge in seen.bridges:
        yield LegFoundAlone(caller.id)  # they hear each other, and should not
    if caller.state is not LegState.UP and not seen.legs[caller.id].up:
        return  # we called, and it still rings
    answered = seen.legs[caller.id].up
    where = places(state, call)
    if where or (contact is not None and contact.state is ContactState.CONNECTED and call.payment is None):
        if not answered or any(leg not in seen.bridges.get(bridge, frozenset()) for leg, bridge in where.items()):
            yield LegFoundAlone(caller.id)
        return
    said = _being_said(state, call)
    if not answered or (said not in seen.playbacks if said else contact is not None):
        yield LegFoundSilent(caller.id)


def _progress(leg: Leg, there: SeenLeg) -> Iterator[Event]:
    if leg.closing:
        yield LegFoundAlone(leg.id)
    elif there.up and leg.state is not LegState.UP:
        yield LegAnswered(leg.id)
    elif there.ringing and leg.state is LegState.CREATED:
        yield LegRang(leg.id)


def _unknown(state: State, node: str, leg: SeenLeg, missed: Missed) -> None:
    """A leg we know nothing of: a caller who came meanwhile, a stray of ours, or an agent talking in the fallback."""
    if leg.ours:
        if leg.arrival is not None:
            missed.events.append(leg.arrival)
        else:
            missed.release.append(leg.leg)
    elif leg.endpoint in state.endpoints and state.endpoints[leg.endpoint].fallback_leg != leg.leg:
        missed.events.append(FallbackTalkBegan(node, leg.leg, leg.endpoint))
        missed.watch.append(leg.leg)
    elif leg.leg in state.fallback_legs:
        missed.watch.append(leg.leg)
