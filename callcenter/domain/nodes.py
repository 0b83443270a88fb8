"""Nodes come and go; the calls on them outlive us, and sometimes we outlive them."""

from callcenter.domain import flows, legs
from callcenter.domain.call import Call
from callcenter.domain.callbacks import route_owners
from callcenter.domain.commands import StartRecording
from callcenter.domain.contact import ContactState
from callcenter.domain.events import Cause, FallbackCallReported, NodeConnected, NodeDisconnected
from callcenter.domain.facts import FallbackCallEnded, NodeAway, NodeUp
from callcenter.domain.router import route_queue
from callcenter.domain.turn import Turn


def connected(turn: Turn, event: NodeConnected) -> None:
    """We see the node again, and have been told what happened meanwhile: its callers may be offered."""
    turn.emit(NodeUp(turn.now, event.node, event.started_at))
    for name in sorted(turn.state.node(event.node).calls):
        call = turn.state.calls[name]
        flows.back_in_reach(turn, call)
        _record_on(turn, call)
    for queue in list(turn.state.queues.values()):
        route_queue(turn, queue)
    route_owners(turn)


def _record_on(turn: Turn, call: Call) -> None:
    """What was being recorded still is. To say it twice changes nothing; whoever carries it out may be new, and learns of it so."""
    contact = turn.state.contacts.get(call.contact)
    if call.recording and contact is not None and contact.state is ContactState.CONNECTED and call.caller_leg is not None:
        turn.want(StartRecording(call.id, call.node, call.began.leg, call.recording))


def disconnected(turn: Turn, event: NodeDisconnected) -> None:
    """The node is out of reach. Its calls go on without us; we neither offer its callers nor blame its agents."""
    trying_since = event.tried_since or turn.now
    if not turn.state.node(event.node).away or event.tried_since:
        turn.emit(NodeAway(turn.now, event.node, trying_since + turn.state.config.node_lost_after))


def lost(turn: Turn, name: str) -> None:
    """It has been away too long: its calls are taken for lost, so that no agent hangs in them."""
    node = turn.state.node(name)
    for call_id in sorted(node.calls):
        call = turn.state.calls[call_id]
        for leg in sorted(call.legs, key=lambda leg: leg != call.began.leg):
            legs.ended(turn, leg, Cause.NODE_CRASH)


def fallback_call_reported(turn: Turn, event: FallbackCallReported) -> None:
    """The dialplan served a whole call while we were away; one that we have seen ourselves is not counted again."""
    if event.leg in turn.state.legs or event.log_offset < turn.state.node(event.node).log_offset:
        return
    agent = turn.state.endpoints.get(event.endpoint)
    queue = turn.state.queue(event.queue)
    waited = (event.answered_at or event.ended_at) - event.entered_at
    turn.emit(
        FallbackCallEnded(
            turn.now,
            turn.ids.draw(),
            turn.ids.draw(),
            event.node,
            event.leg,
            event.queue,
            event.did,
            event.caller,
            event.entered_at,
            event.answered_at,
            event.ended_at,
            agent.name if agent else "",
            event.answered_at is None and not event.closed and waited <= queue.config.short_abandon,
            event.log_offset,
            event.closed,
        )
    )
