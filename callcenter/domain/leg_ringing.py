"""Ringing an agent's phone for the leg that is to stay up. What becomes of it: ``persistent_leg``."""

from datetime import datetime, timedelta

from callcenter.domain.agent import Agent
from callcenter.domain.commands import RingAgent
from callcenter.domain.facts import CallBegan, Direction, LegCreated
from callcenter.domain.turn import Turn

RING_TIME = timedelta(seconds=30)
GRACE = timedelta(seconds=5)
"""The node ends the ringing by itself; later than this we stop believing in it."""


def ring(turn: Turn, agent: Agent) -> datetime | None:
    """Ring her phone at the node with the fewest calls; returns until when at most. None: no node is there."""
    node = turn.state.node_to_call
    if not node:
        return None
    call, leg = turn.ids.draw(), turn.ids.draw_leg(node)
    turn.emit(CallBegan(turn.now, call, node, leg, Direction.PERSISTENT, "", "", "", "", leg, agent.name))
    turn.emit(LegCreated(turn.now, call, leg, agent.name))
    turn.want(RingAgent(call, node, leg, agent.name, agent.endpoint, "", "Call center", RING_TIME))
    return turn.now + RING_TIME + GRACE
