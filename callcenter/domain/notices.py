"""Notices: what a supervisor has to say to agents, until each has acknowledged it or its time is up.

Screens show the text. A plain desk phone says at the next star code that there is one, and another star code acknowledges.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from callcenter.domain.events import NoticeAckRequested, NoticeSendRequested
from callcenter.domain.facts import Fact, NoticeAcknowledged, NoticeOver, NoticeSent
from callcenter.domain.facts.notices import NoticeFact
from callcenter.domain.machine import IllegalTransition

if TYPE_CHECKING:
    from callcenter.domain.agent import Agent
    from callcenter.domain.turn import Turn

MOST = 1000
"""Notices at once."""


@dataclass(slots=True)
class Notice:
    """One that is not over."""

    sent: NoticeSent
    unseen: set[str]


class Notices:
    """Those that are not over, as part of the state; changed by ``State.apply`` only."""

    def __init__(self) -> None:
        self.open: dict[str, Notice] = {}
        self._by_agent: dict[str, dict[str, Notice]] = {}
        """Those that each agent has not acknowledged, the oldest first."""
        self._history: dict[str, list[tuple[int, Fact]]] = {}

    def unseen_by(self, agent: str) -> list[Notice]:
        """Those she has not acknowledged, the oldest first."""
        return list(self._by_agent.get(agent, {}).values())

    def sent(self, fact: NoticeSent) -> None:
        if fact.notice in self.open:
            raise IllegalTransition(fact.notice, "sent", type(fact).__name__)
        notice = self.open[fact.notice] = Notice(fact, set(fact.agents))
        for agent in fact.agents:
            self._by_agent.setdefault(agent, {})[fact.notice] = notice

    def acknowledged(self, fact: NoticeAcknowledged) -> None:
        if fact.agent not in self._find(fact).unseen:
            raise IllegalTransition(fact.notice, "not unseen", type(fact).__name__)
        self._seen(fact.notice, fact.agent)

    def over(self, fact: NoticeOver) -> None:
        for agent in list(self._find(fact).unseen):
            self._seen(fact.notice, agent)
        del self.open[fact.notice]

    def _find(self, fact: NoticeAcknowledged | NoticeOver) -> Notice:
        if fact.notice not in self.open:
            raise IllegalTransition(fact.notice, "not sent", type(fact).__name__)
        return self.open[fact.notice]

    def _seen(self, notice: str, agent: str) -> None:
        self.open[notice].unseen.discard(agent)
        hers = self._by_agent[agent]
        del hers[notice]
        if not hers:
            del self._by_agent[agent]

    def keep(self, number: int, fact: NoticeFact) -> None:
        """For checkpoints: those of notices that are not over."""
        if isinstance(fact, NoticeOver):
            self._history.pop(fact.notice, None)
        else:
            self._history.setdefault(fact.notice, []).append((number, fact))

    def history(self) -> Iterator[tuple[int, Fact]]:
        for facts in self._history.values():
            yield from facts


# --- stories ------------------------------------------------------------------------------------


def send(turn: "Turn", event: NoticeSendRequested) -> None:
    """To the agents named, to those who serve the queues named; to all when nobody is. Sent twice, it is sent once."""
    state = turn.state
    if event.notice in state.notices.open:
        return
    missing = [f"agent '{name}'" for name in event.agents if name not in state.config.agents]
    missing += [f"queue '{name}'" for name in event.queues if name not in state.config.queues]
    if missing:
        turn.refuse(f"there is no {missing[0]}")
        return
    named = set(event.agents) | {name for name, agent in state.config.agents.items() if set(agent.queues).intersection(event.queues)}
    everybody = not event.agents and not event.queues
    agents = tuple(name for name in state.config.agents if everybody or name in named)
    if not agents:
        turn.refuse("nobody would get this notice")
    elif len(state.notices.open) >= MOST:
        turn.refuse(f"there are {MOST} notices already; wait until some are over")
    else:
        to = ", ".join([*(f"agent:{name}" for name in event.agents), *(f"queue:{name}" for name in event.queues)]) or "all"
        turn.emit(NoticeSent(turn.now, event.notice, event.text, agents, to, turn.now + event.lasts, event.by))


def acknowledge(turn: "Turn", event: NoticeAckRequested) -> None:
    """Twice is once; the last one who does ends it."""
    notice = turn.state.notices.open.get(event.notice)
    if notice is None or event.agent not in notice.sent.agents:
        turn.refuse(f"there is no notice '{event.notice}' to {event.agent}")
    elif event.agent in notice.unseen:
        turn.emit(NoticeAcknowledged(turn.now, event.notice, event.agent))
        if not notice.unseen:
            turn.emit(NoticeOver(turn.now, event.notice, ()))


def acknowledge_all(turn: "Turn", agent: "Agent") -> None:
    """By phone, which cannot say which."""
    unseen = turn.state.notices.unseen_by(agent.name)
    for notice in unseen:
        acknowledge(turn, NoticeAckRequested(notice.sent.notice, agent.name))
    if not unseen:
        turn.refuse(f"there is no notice to {agent.name}")


def time_is_up(turn: "Turn", notice: str) -> None:
    turn.emit(NoticeOver(turn.now, notice, tuple(sorted(turn.state.notices.open[notice].unseen))))
