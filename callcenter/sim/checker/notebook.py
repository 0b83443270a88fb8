"""What the facts have told so far, kept naively."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from callcenter.domain import facts as f
from callcenter.domain.config import CenterConfig
from callcenter.domain.facts import callbacks as cf
from callcenter.domain.routing_config import Membership, Routing, Strategy

ZERO = timedelta()
PLAIN = (Routing(Strategy.LONGEST_IDLE), Routing(Strategy.RING_ALL))
"""First come, first served, by whoever is idle longest. What other rules ask for is judged by tests of their own."""


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must never be."""

    invariant: str
    """``A1`` to ``A10``; others are named after what they check."""
    what: str
    at: datetime | None = None

    def __str__(self) -> str:
        return f"{self.invariant}: {self.what}" + (f" (at {self.at:%H:%M:%S.%f})" if self.at else "")


@dataclass(slots=True)
class Contact:
    """One contact, as its facts tell."""

    entered: f.ContactEntered
    offers: dict[str, f.ContactOffered] = field(default_factory=dict)
    """Those still open."""
    connected_at: datetime | None = None
    agent: str = ""
    offer: str = ""
    held_since: datetime | None = None
    hold: timedelta = ZERO
    parted_at: datetime | None = None
    why: f.EndedWhy | None = None
    over: bool = False
    directed: bool = False
    """A supervisor has moved it, or put it elsewhere in its line."""

    @property
    def in_line(self) -> bool:
        """Waiting or offered."""
        return not self.over and self.connected_at is None

    @property
    def is_plain(self) -> bool:
        """Any agent of the queue will do."""
        entered = self.entered
        return not (self.directed or entered.require or entered.prefer or entered.preferred or entered.for_agent or entered.consult)

    @property
    def rank(self) -> tuple[int, datetime]:
        return -self.entered.priority, self.entered.place


@dataclass(slots=True)
class Agent:
    state: f.AgentState = f.AgentState.LOGGED_OUT
    contact: str = ""
    idle_since: datetime | None = None
    reachable: bool = True
    fallback_leg: str = ""
    opted_out: tuple[str, ...] = ()


@dataclass(slots=True)
class Call:
    began: f.CallBegan
    legs: set[str] = field(default_factory=set)
    closing: set[str] = field(default_factory=set)
    """The legs that we have asked the PBX to end."""
    flow: bool = False
    contacts: list[str] = field(default_factory=list)
    recording: str = ""
    paused: bool = False
    paying: bool = False
    """An agent has sent the caller through a flow, and waits: the caller is in both."""
    ended_at: datetime | None = None


class Notebook:
    """Whoever is in the center, and what was found wrong."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self.at: datetime | None = None
        self.calls: dict[str, Call] = {}
        self.contacts: dict[str, Contact] = {}
        self.agents: dict[str, Agent] = {}
        self.counts: dict[str, int] = {}
        """How many facts of each kind there were."""
        self.callbacks: dict[str, str] = {}
        """Promised, and neither kept nor broken; the agent whose own each is; empty: anybody's."""
        self.reservations: dict[str, cf.CallbackReserved] = {}
        """By callback: the agent who is reserved for it."""
        self.away: set[str] = set()
        self.live: dict[str, Contact] = {}
        """Contacts that wait, are offered or talk."""
        self.legs: dict[str, str] = {}
        """Callers' legs that have not ended, and their calls."""
        self.staying: set[str] = set()
        """Agents' persistent legs, which are a call of their own."""
        self.ids: set[str] = set()
        self.touched: set[str] = set()
        self.deserted: set[str] = set()
        """Calls whose caller has gone in this record."""
        self.config = CenterConfig()
        self.plain: tuple[str, ...] = ()
        """Queues without rules of their own."""

    def wrong(self, invariant: str, what: str) -> None:
        self.violations.append(Violation(invariant, what, self.at))

    def once(self, kind: str, name: str) -> None:
        if name in self.ids:
            self.wrong("once", f"{kind} {name} comes a second time")
        self.ids.add(name)

    def call(self, fact: f.CallFact) -> Call | None:
        call = self.calls.get(fact.call)
        if call is None or (call.ended_at is not None and not isinstance(fact, f.ContactEnded)):
            self.wrong("A3", f"{type(fact).__name__} of call {fact.call}, which {'has ended' if call else 'never began'}")
        return call

    def find(self, contact: str, fact: f.Fact) -> Contact | None:
        found = self.live.get(contact)
        if found is None:
            self.wrong("A3", f"{type(fact).__name__} of contact {contact}, which is over or never entered")
        return found

    def agent(self, name: str) -> Agent:
        return self.agents.setdefault(name, Agent())

    def has_outside(self, agent: str) -> bool:
        """Whether she can be reached without her desk phone."""
        config = self.config.agents.get(agent)
        return config is not None and any(device.number for device in config.devices)

    def serves(self, agent: str, queue: str) -> bool:
        config = self.config.agents.get(agent)
        return config is not None and queue in config.queues and not (queue in self.agent(agent).opted_out and queue in config.may_opt_out)

    def ready(self, queue: str) -> Iterator[tuple[str, Agent]]:
        """Agents who could take a contact of the queue now."""
        for name, agent in self.agents.items():
            if agent.state is f.AgentState.READY and self.serves(name, queue):
                yield name, agent

    def waiting(self, queue: str) -> Iterator[Contact]:
        """Contacts of the queue that could be offered now."""
        for contact in self.live.values():
            reachable = self.calls[contact.entered.call].began.node not in self.away
            if contact.entered.queue == queue and contact.is_plain and contact.in_line and not contact.offers and reachable:
                yield contact

    def engaged(self) -> dict[str, list[str]]:
        """By agent: the offers, reservations and talks she is in."""
        engaged: dict[str, list[str]] = {}
        for contact in self.live.values():
            for offer in contact.offers.values():
                engaged.setdefault(offer.agent, []).append(f"offer of {contact.entered.contact}")
            if contact.connected_at is not None:
                engaged.setdefault(contact.agent, []).append(f"talk in {contact.entered.contact}")
        for reserved in self.reservations.values():
            engaged.setdefault(reserved.agent, []).append(f"attempt of callback {reserved.callback}")
        return engaged


def plain_queues(config: CenterConfig) -> Iterator[str]:
    """Those without rules of their own."""
    for queue in config.queues.values():
        members = (agent.memberships.get(queue.name, Membership()) for agent in config.agents.values() if queue.name in agent.queues)
        if queue.routing in PLAIN and all(member == Membership() for member in members):
            yield queue.name
