"""The message lamps of agents' phones: on while there is a new message in a mailbox that her phone shows."""

from callcenter.domain.agent import Agent
from callcenter.domain.commands import SetLamp
from callcenter.domain.turn import Turn


def show(turn: Turn, mailbox: str) -> None:
    """What is in the mailbox has changed."""
    config = turn.state.config.mailboxes.get(mailbox)
    for name in config.lamps if config is not None else ():
        if name in turn.state.agents:
            show_agent(turn, turn.state.agents[name])


def show_agent(turn: Turn, agent: Agent) -> None:
    """Tell her phone; it may be registered at any node that we reach. A phone that shows no mailbox is told nothing."""
    if agent.name not in turn.state.mailboxes.lamps or not agent.reachable:
        return
    new, old = turn.state.mailboxes.counts(agent.name)
    for node in turn.state.nodes.values():
        if node.started_at is not None and not node.away:
            turn.want(SetLamp(f"lamp of {agent.name}", node.name, agent.endpoint, new, old))
