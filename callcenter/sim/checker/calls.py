"""Calls, their legs, flows and recordings (A2, A3, A8, A10)."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from callcenter.domain import facts as f
from callcenter.sim.checker.notebook import Call, Notebook


def _call_began(notes: Notebook, fact: f.CallBegan) -> None:
    notes.once("call", fact.call)
    if fact.leg in notes.legs:
        notes.wrong("A2", f"leg {fact.leg} of call {notes.legs[fact.leg]} begins another call {fact.call}")
    notes.calls[fact.call] = Call(fact)
    if fact.direction is not f.Direction.OUTBOUND:  # whom we call has a leg only once we dial
        notes.legs[fact.leg] = fact.call
        notes.calls[fact.call].legs.add(fact.leg)


def _leg_created(notes: Notebook, fact: f.LegCreated | f.LegJoined | f.FlowDialed | f.OwnCallDialed | f.OutsideConsulted) -> None:
    call = notes.call(fact)
    if call is not None:
        call.legs.add(fact.leg)


def _own_redialed(notes: Notebook, fact: f.OwnLegRedialed) -> None:
    call = notes.call(fact)
    if call is not None and call.began.leg == fact.lost:
        call.began = replace(call.began, leg=fact.leg)


def _leg_moved(notes: Notebook, fact: f.LegMoved) -> None:
    before, call = notes.calls.get(fact.from_call), notes.call(fact)
    if before is None or fact.leg not in before.legs:
        notes.wrong("A8", f"leg {fact.leg} leaves call {fact.from_call}, and it was not there")
    elif call is not None:
        before.legs.discard(fact.leg)
        call.legs.add(fact.leg)
        notes.legs.pop(fact.leg, None)


def _leg_gone(notes: Notebook, fact: f.LegGone) -> None:
    call = notes.call(fact)
    if call is not None and fact.leg not in call.legs:
        notes.wrong("A8", f"leg {fact.leg} ends, and it was not there")
    elif call is not None:
        call.legs.discard(fact.leg)
        notes.legs.pop(fact.leg, None)
        if fact.leg == call.began.leg:
            notes.deserted.add(fact.call)


def _leg_closing(notes: Notebook, fact: f.LegClosing) -> None:
    call = notes.call(fact)
    if call is not None:
        call.closing.add(fact.leg)


def _call_ended(notes: Notebook, fact: f.CallEnded) -> None:
    call = notes.call(fact)
    if call is None:
        return
    call.ended_at = fact.at
    if call.legs:
        notes.wrong("A8", f"call {fact.call} ends and leaves {', '.join(sorted(call.legs))}")
    if call.recording:
        notes.wrong("A10", f"call {fact.call} ends, and nothing is said of what became of recording {call.recording}")
    live = [name for name in call.contacts if name in notes.live]
    if live or call.flow:
        notes.wrong("A2", f"call {fact.call} ends with {live or 'its flow run'} still going on")


def _flow_started(notes: Notebook, fact: f.FlowStarted) -> None:
    call = notes.call(fact)
    if call is not None:
        if call.flow:
            notes.wrong("A2", f"the caller of {fact.call} enters flow {fact.flow} while in another")
        call.flow = True
        notes.touched.add(fact.call)


def _flow_ended(notes: Notebook, fact: f.FlowEnded) -> None:
    call = notes.call(fact)
    if call is not None:
        call.flow = False


def _flow_resumed(notes: Notebook, fact: f.FlowResumed) -> None:
    call = notes.call(fact)
    if call is not None:
        if call.flow:
            notes.wrong("A2", f"the caller of {fact.call} goes on in a flow while in another")
        call.flow = True


def _recording_started(notes: Notebook, fact: f.RecordingStarted) -> None:
    notes.once("recording", fact.recording)
    call = notes.call(fact)
    if call is not None:
        call.recording = fact.recording
        if call.paused:
            notes.wrong("A10", f"recording {fact.recording} of call {fact.call} begins in a pause")


def _paused(notes: Notebook, fact: f.RecordingPaused | f.RecordingResumed) -> None:
    call = notes.call(fact)
    if call:
        call.paused = isinstance(fact, f.RecordingPaused)


def _paying(notes: Notebook, fact: f.PaymentBegan | f.PaymentEnded) -> None:
    call = notes.call(fact)
    if call:
        call.paying = isinstance(fact, f.PaymentBegan)


def _recording_over(notes: Notebook, fact: f.RecordingStopped | f.RecordingMissing) -> None:
    call = notes.calls.get(fact.call)
    if call is not None and call.recording == fact.recording:
        call.recording = ""


CALLS: Mapping[type, Callable[..., None]] = {
    f.CallBegan: _call_began,
    f.LegClosing: _leg_closing,
    f.LegGone: _leg_gone,
    f.CallEnded: _call_ended,
    f.FlowStarted: _flow_started,
    f.FlowEnded: _flow_ended,
    f.FlowResumed: _flow_resumed,
    f.LegCreated: _leg_created,
    f.LegJoined: _leg_created,
    f.LegMoved: _leg_moved,
    f.FlowDialed: _leg_created,
    f.OwnCallDialed: _leg_created,
    f.OwnLegRedialed: _own_redialed,
    f.OutsideConsulted: _leg_created,
    f.AgentLegStays: lambda notes, fact: notes.staying.add(fact.leg),
    f.RecordingStarted: _recording_started,
    f.RecordingStopped: _recording_over,
    f.RecordingMissing: _recording_over,
    f.RecordingPaused: _paused,
    f.RecordingResumed: _paused,
    f.PaymentBegan: _paying,
    f.PaymentEnded: _paying,
    f.NodeAway: lambda notes, fact: notes.away.add(fact.node),
    f.NodeUp: lambda notes, fact: notes.away.discard(fact.node),
}
