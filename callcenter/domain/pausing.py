"""Recording off and on again within a call: what is said and pressed meanwhile is in no file.

The recording ends where the pause begins, and another one of the same contact begins after it: two files cannot hold what was
between them, whatever is killed at whatever moment. A pause lasts until it is ended on purpose or the flow run is over; a restart of
ours never ends it.
"""

from callcenter.domain.call import Call
from callcenter.domain.commands import StopRecording
from callcenter.domain.contact import ContactState
from callcenter.domain.delivery import start_recording
from callcenter.domain.facts import RecordingPaused, RecordingResumed, RecordingStopped
from callcenter.domain.turn import Turn


def pause(turn: Turn, call: Call) -> None:
    """From now on nothing of this call is recorded. To pause twice is to pause once."""
    if call.paused:
        return
    turn.emit(RecordingPaused(turn.now, call.id, call.contact, call.recording))
    if call.recording:
        recording = call.recording
        turn.emit(RecordingStopped(turn.now, call.id, call.contact, recording))
        turn.want(StopRecording(call.id, call.node, call.began.leg, recording))


def resume(turn: Turn, call: Call) -> None:
    """It may be recorded again; who talks to an agent is, if the queue says so."""
    if not call.paused:
        return
    turn.emit(RecordingResumed(turn.now, call.id, call.contact))
    contact = turn.state.contacts.get(call.contact)
    if contact is not None and contact.state is ContactState.CONNECTED and contact.offer is not None and call.caller_leg is not None:
        start_recording(turn, contact, contact.offer)
