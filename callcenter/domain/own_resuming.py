"""A softphone that was lost in the middle of an agent's own call: its page was loaded anew, or the call is to go on at another device.

As with a contact (``resuming``): the center owns the call. The old leg is given up, the other one hears music, her phone rings, and both
hear each other again; if she does not come back, the call is over, ``lost``. While the other phone still rings, it rings on.
"""

from datetime import timedelta

from callcenter.domain import outward
from callcenter.domain.agent import Agent
from callcenter.domain.call import Call, Leg, LegState, OwnCall
from callcenter.domain.commands import CloseBridge, RingAgent, StartMusic, StartRinging, StopMusic
from callcenter.domain.config import QueueConfig
from callcenter.domain.facts import LegCreated, OwnLegRedialed, OwnLegResumed
from callcenter.domain.turn import Turn

RING_TIME = timedelta(seconds=12)


def hers(turn: Turn, agent: Agent) -> tuple[Call, OwnCall, Leg] | None:
    """The own call that she is in, and the leg on which she is, or was, or is being rung to come back."""
    for call in (turn.state.calls[name] for name in sorted(agent.own_calls) if name in turn.state.calls):
        for leg in call.legs.values():
            if call.own is not None and leg.agent == agent.name and leg.id in (call.began.leg, call.outside):
                return call, call.own, leg
    return None


def redial(turn: Turn, agent: Agent) -> None:
    """She wants to go on with her own call on the softphone that is there now."""
    found = hers(turn, agent)
    if found is None or found[2].closing or (found[2].state is not LegState.UP and found[2].id not in found[1].resuming):
        turn.refuse(f"{agent.name} is not talking, so there is no call to go on with")
        return
    call, own, lost = found
    if turn.state.node(call.node).away:
        turn.refuse("the call is out of our reach at the moment; try again in a few seconds")
        return
    began, leg, config = own.began, turn.ids.draw_leg(call.node), turn.state.config.agents.get(own.began.agent)
    if lost.id == call.began.leg:
        shown, name = began.number, began.colleague
    else:
        shown, name = config.extension if config is not None else "", began.agent
    turn.emit(LegCreated(turn.now, call.id, leg, agent.name))
    turn.emit(OwnLegRedialed(turn.now, call.id, agent.name, leg, lost.id))
    turn.hang_up(call, lost)
    keep_apart(turn, call)
    turn.want(RingAgent(call.id, call.node, leg, agent.name, agent.endpoint, shown, name, RING_TIME))


def keep_apart(turn: Turn, call: Call) -> None:
    """Who is there hears music until both are; nobody does before the other one has answered. To say it twice changes nothing."""
    own = call.own
    if own is None or own.answered_at is None:
        return
    turn.want(CloseBridge(call.id, call.node, call.bridge))
    for leg in (call.began.leg, call.outside):
        if leg in call.legs and leg not in own.resuming:
            turn.want(StartMusic(call.id, call.node, leg, _music(turn, own)))


def _music(turn: Turn, own: OwnCall) -> str:
    """That of the queue she calls for, else of the first of hers, as for who is held by her phone."""
    config = turn.state.config
    agent = config.agents.get(own.began.agent)
    name = own.began.queue or (agent.queues[0] if agent is not None and agent.queues else "")
    return config.queues[name].music if name in config.queues else QueueConfig(name).music


def answered(turn: Turn, call: Call, leg: Leg) -> None:
    """She is back."""
    own = call.own
    assert own is not None
    turn.emit(OwnLegResumed(turn.now, call.id, leg.agent, leg.id))
    if own.answered_at is None:
        turn.want(StartRinging(call.id, call.node, leg.id))
    elif own.resuming:
        keep_apart(turn, call)
    else:
        for there in (call.began.leg, call.outside):
            turn.want(StopMusic(call.id, call.node, there))
        outward.together(turn, call)
