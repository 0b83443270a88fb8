"""The lamps beside the keys of phones (BLF): each extension shows what its agent does, or whether callers wait in its queue.

A phone subscribes to an extension (RFC 4235, RFC 3856); the PBX tells it whenever the state that we give changes. What each node was told
is remembered here alone: after a restart, and when a node comes back, all of it is told again.
"""

from callcenter.domain.agent import Agent
from callcenter.domain.commands import DeviceState, SetDeviceState
from callcenter.domain.facts import (
    AgentState,
    AgentStateChanged,
    ContactAbandoned,
    ContactConnected,
    ContactEntered,
    ContactOverflowed,
    NodeUp,
)
from callcenter.domain.turn import Turn

OF_AGENT = {
    AgentState.LOGGED_OUT: DeviceState.UNAVAILABLE,
    AgentState.NOT_READY: DeviceState.ONHOLD,
    AgentState.READY: DeviceState.NOT_INUSE,
    AgentState.RESERVED: DeviceState.RINGING,
    AgentState.TALKING: DeviceState.INUSE,
    AgentState.WRAP_UP: DeviceState.BUSY,
}


def device_of(*, agent: str = "", queue: str = "") -> str:
    """The name under which the dialplan's hints know it."""
    return f"agent-{agent}" if agent else f"queue-{queue}"


class StateLamps:
    """Told after each turn what has happened in it."""

    __slots__ = ("_shown",)

    def __init__(self) -> None:
        self._shown: dict[tuple[str, str], DeviceState] = {}
        """By node and device."""

    def look(self, turn: Turn) -> None:
        """Whoever has an extension and changed in this turn."""
        for fact in turn.out.facts:
            if isinstance(fact, AgentStateChanged):
                agent = turn.state.agents.get(fact.agent)
                if agent is not None:
                    self._agent(turn, agent)
            elif isinstance(fact, ContactEntered | ContactConnected | ContactAbandoned | ContactOverflowed):
                self._queue(turn, fact.queue)
            elif isinstance(fact, NodeUp):
                self._shown = {key: state for key, state in self._shown.items() if key[0] != fact.node}
                self.all(turn)

    def all(self, turn: Turn) -> None:
        """A node has come, or the extensions are others."""
        for agent in turn.state.agents.values():
            self._agent(turn, agent)
        for queue in turn.state.config.queues:
            self._queue(turn, queue)

    def _agent(self, turn: Turn, agent: Agent) -> None:
        config = turn.state.config.agents.get(agent.name)
        if config is not None and config.extension:
            self._show(turn, device_of(agent=agent.name), OF_AGENT[agent.state])

    def _queue(self, turn: Turn, name: str) -> None:
        config = turn.state.config.queues.get(name)
        if config is not None and config.extension:
            waiting = turn.state.queue(name).unanswered > 0
            self._show(turn, device_of(queue=name), DeviceState.INUSE if waiting else DeviceState.NOT_INUSE)

    def _show(self, turn: Turn, device: str, shown: DeviceState) -> None:
        for node in turn.state.nodes.values():
            if node.started_at is not None and not node.away and self._shown.get((node.name, device)) is not shown:
                self._shown[node.name, device] = shown
                turn.want(SetDeviceState(f"lamp of {device}", node.name, device, shown))
