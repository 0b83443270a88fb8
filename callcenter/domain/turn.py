"""One handling of one event: what the stories read, decide and say."""

from collections.abc import Callable, Mapping
from datetime import datetime

from callcenter.domain.agent import Agent
from callcenter.domain.call import Call, Consult, Leg
from callcenter.domain.commands import Command, ConnectLegs, HangUp
from callcenter.domain.contact import Contact
from callcenter.domain.facts import Fact, LegClosing
from callcenter.domain.facts.voicemail import VisitOutcome
from callcenter.domain.ids import Ids
from callcenter.domain.ivr.flow import GOODBYE
from callcenter.domain.machine import Outputs
from callcenter.domain.state import State
from callcenter.domain.waiter import Waiter

_ON_AFTERWARDS = ("to_flow", "to_mailbox", "to_take", "unanswered", "visited")
"""Who goes on once the story is told."""


class Turn:
    """A story emits facts, which happen at once, and wants commands, which the engine carries out afterwards."""

    __slots__ = ("_sent_on", "hurried", "ids", "its_turn", "now", "out", "over", "state", *_ON_AFTERWARDS)

    def __init__(self, state: State, ids: Ids, now: datetime, its_turn: Mapping[str, "Story"]) -> None:
        self.state = state
        self.its_turn = its_turn
        """By kind of waiter: what is done when its turn comes."""
        self.ids = ids
        self.now = now
        self.out = Outputs()
        self.to_flow: list[tuple[Call, str]] = []
        """Callers who go on in a flow, once the story that sent them there is told."""
        self.over: list[tuple[Call, Consult]] = []
        """Consults that came to nothing, or lost the caller; what is left of them is cleared away once the story is told."""
        self.to_take: list[tuple[Contact, str]] = []
        """Contacts with offers to agents whose legs are up: they are connected once the story is told."""
        self.to_mailbox: list[tuple[Call, str, str]] = []
        """Callers who are to leave a message, with the mailbox and the contact they have left for it, likewise."""
        self.unanswered: list[str] = []
        """Contacts that were for one agent alone who has not answered: their callers go on in the flow that handed them on."""
        self.visited: list[tuple[Call, VisitOutcome]] = []
        """Who has been at a mailbox, and goes on."""
        self.hurried = ""
        """A call whose caller has just pressed a key ahead of a later node: prompts in between that it could cut short are not begun."""
        self._sent_on: set[str] = set()

    def emit(self, fact: Fact) -> None:
        """It happened. Raises IllegalTransition when it cannot have."""
        self.state.apply(fact)
        self.out.facts.append(fact)

    def want(self, command: Command) -> None:
        self.out.commands.append(command)

    def send_on(self, call: Call, flow: str) -> None:
        """The caller goes on in the flow. Who is sent on twice at once has only been going in a circle, and is said goodbye."""
        self.to_flow.append((call, GOODBYE.name if call.id in self._sent_on else flow))
        self._sent_on.add(call.id)

    def refuse(self, sentence: str) -> None:
        """A person asked for the impossible."""
        self.out.refusal = sentence

    def connect(self, call: Call, bridge: str, legs: tuple[str, ...]) -> None:
        """Let them hear each other; an agent's keys are ours to understand (``feature_keys``)."""
        known = (self.state.legs.get(leg) for leg in legs)
        of_agents = any(of is not None and bool(of.legs[leg].agent) for leg, of in zip(legs, known, strict=True))
        self.want(ConnectLegs(call.id, call.node, bridge, legs, absorb=of_agents and bool(self.state.config.feature_prefix)))

    def hang_up(self, call: Call, leg: Leg | None) -> None:
        """Ask for the end of the leg, once; one that has ended already needs nothing."""
        if leg is None or leg.closing or leg.id not in call.legs:
            return
        self.emit(LegClosing(self.now, call.id, leg.id))
        self.want(HangUp(call.id, call.node, leg.id))


Story = Callable[[Turn, Waiter, Agent], None]
"""The turn of this waiter has come, and this agent is the one to take it."""
