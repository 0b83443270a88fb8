"""The invariants of docs/invariants.md, judged from the facts alone: a naive book-keeper that shares no code with the center.

It is told every record in order, with the settings that were in force. Used by the Hypothesis machine of
``tests/domain/test_center_machine.py``, by ``callcenter simulate chaos`` and by ``callcenter bench survive``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from callcenter.domain import facts as f
from callcenter.domain.config import CenterConfig
from callcenter.domain.facts import callbacks as cf
from callcenter.domain.routing_config import Membership, Routing, Strategy

ZERO = timedelta()
RESTING = frozenset({f.AgentState.LOGGED_OUT, f.AgentState.NOT_READY, f.AgentState.READY})

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
class _Contact:
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
class _Agent:
    state: f.AgentState = f.AgentState.LOGGED_OUT
    contact: str = ""
    idle_since: datetime | None = None
    reachable: bool = True
    fallback_leg: str = ""
    opted_out: tuple[str, ...] = ()


@dataclass(slots=True)
class _Call:
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


class Checker:
    """Feed it records with ``keep``; read ``violations``."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self.at: datetime | None = None
        self.calls: dict[str, _Call] = {}
        self.contacts: dict[str, _Contact] = {}
        self.agents: dict[str, _Agent] = {}
        self.counts: dict[str, int] = {}
        """How many facts of each kind there were."""
        self._callbacks: dict[str, str] = {}
        """The open ones, and the agent whose own each is; empty: anybody's."""
        """Promised, and neither kept nor broken."""
        self._reservations: dict[str, cf.CallbackReserved] = {}
        """By callback: the agent who is reserved for it."""
        self._away: set[str] = set()
        self._live: dict[str, _Contact] = {}
        """Contacts that wait, are offered or talk."""
        self._legs: dict[str, str] = {}
        """Callers' legs that have not ended, and their calls."""
        self._staying: set[str] = set()
        """Agents' persistent legs, which are a call of their own."""
        self._ids: set[str] = set()
        self._touched: set[str] = set()
        self._deserted: set[str] = set()
        """Calls whose caller has gone in this record."""
        self._config = CenterConfig()
        self._plain: tuple[str, ...] = ()
        """Queues without rules of their own."""
        self._steps: Mapping[type, Callable[..., None]] = {
            f.CallBegan: self._call_began,
            f.LegClosing: self._leg_closing,
            f.LegGone: self._leg_gone,
            f.CallEnded: self._call_ended,
            f.FlowStarted: self._flow_started,
            f.FlowEnded: self._flow_ended,
            f.FlowResumed: self._flow_resumed,
            f.LegCreated: self._leg_created,
            f.LegJoined: self._leg_created,
            f.LegMoved: self._leg_moved,
            f.FlowDialed: self._leg_created,
            f.OwnCallDialed: self._leg_created,
            f.OwnLegRedialed: self._own_redialed,
            f.OutsideConsulted: self._leg_created,
            f.AgentLegStays: lambda fact: self._staying.add(fact.leg),
            f.ContactEntered: self._entered,
            f.ContactOffered: self._offered,
            f.OfferMoved: self._offer_moved,
            f.OfferMissed: self._offer_over,
            f.OfferWithdrawn: self._offer_over,
            f.ContactConnected: self._connected,
            f.ContactAbandoned: self._left,
            f.ContactReordered: self._directed,
            f.ContactMoved: self._directed,
            f.ContactOverflowed: self._left,
            f.ContactHeld: self._held,
            f.ContactResumed: self._resumed,
            f.ContactParted: self._parted,
            f.ContactEnded: self._ended,
            f.AgentStateChanged: self._agent_changed,
            f.AgentPhoneChanged: self._phone_changed,
            f.AgentFallbackTalkChanged: self._fallback_talk,
            f.AgentOptedOut: self._opted_out,
            f.AgentRemoved: self._agent_removed,
            cf.CallbackCreated: self._owned,
            cf.CallbackEdited: self._owned,
            cf.CallbackReserved: self._reserved_for_callback,
            cf.CallbackReleased: self._released,
            cf.CallbackAttempted: self._attempted,
            cf.CallbackBridged: self._released,
            cf.CallbackKept: self._callback_over,
            cf.CallbackBroken: self._callback_over,
            f.RecordingStarted: self._recording_started,
            f.RecordingStopped: self._recording_over,
            f.RecordingMissing: self._recording_over,
            f.RecordingPaused: self._paused,
            f.RecordingResumed: self._paused,
            f.PaymentBegan: self._paying,
            f.PaymentEnded: self._paying,
            f.NodeAway: lambda fact: self._away.add(fact.node),
            f.NodeUp: lambda fact: self._away.discard(fact.node),
        }

    def keep(self, facts: Sequence[f.Fact], config: CenterConfig) -> None:
        """One record: the facts of one event, and the settings in force once it was handled."""
        looks = config is self._config
        if not looks:  # with a restart they are in force before the queues are looked at: nobody is idle for nothing yet
            self._config, self._plain = config, tuple(_plain_queues(config))
        self._touched.clear()
        self._deserted.clear()
        for fact in facts:
            self.counts[type(fact).__name__] = self.counts.get(type(fact).__name__, 0) + 1
            if self.at is not None and fact.at < self.at:
                self._wrong("order", f"{type(fact).__name__} is dated {fact.at}, before the fact it follows ({self.at})")
            self.at = fact.at if self.at is None else max(self.at, fact.at)
            step = self._steps.get(type(fact))
            if step is not None:
                step(fact)
        self._after_the_record()
        if looks:
            self._nobody_is_idle_for_nothing()

    def _wrong(self, invariant: str, what: str) -> None:
        self.violations.append(Violation(invariant, what, self.at))

    # --- calls ----------------------------------------------------------------------------------

    def _once(self, kind: str, name: str) -> None:
        if name in self._ids:
            self._wrong("once", f"{kind} {name} comes a second time")
        self._ids.add(name)

    def _call_began(self, fact: f.CallBegan) -> None:
        self._once("call", fact.call)
        if fact.leg in self._legs:
            self._wrong("A2", f"leg {fact.leg} of call {self._legs[fact.leg]} begins another call {fact.call}")
        self.calls[fact.call] = _Call(fact)
        if fact.direction is not f.Direction.OUTBOUND:  # whom we call has a leg only once we dial
            self._legs[fact.leg] = fact.call
            self.calls[fact.call].legs.add(fact.leg)

    def _call(self, fact: f.CallFact) -> _Call | None:
        call = self.calls.get(fact.call)
        if call is None or (call.ended_at is not None and not isinstance(fact, f.ContactEnded)):
            self._wrong("A3", f"{type(fact).__name__} of call {fact.call}, which {'has ended' if call else 'never began'}")
        return call

    def _leg_created(self, fact: f.LegCreated | f.LegJoined | f.FlowDialed | f.OwnCallDialed | f.OutsideConsulted) -> None:
        call = self._call(fact)
        if call is not None:
            call.legs.add(fact.leg)

    def _own_redialed(self, fact: f.OwnLegRedialed) -> None:
        call = self._call(fact)
        if call is not None and call.began.leg == fact.lost:
            call.began = replace(call.began, leg=fact.leg)

    def _leg_moved(self, fact: f.LegMoved) -> None:
        before, call = self.calls.get(fact.from_call), self._call(fact)
        if before is None or fact.leg not in before.legs:
            self._wrong("A8", f"leg {fact.leg} leaves call {fact.from_call}, and it was not there")
        elif call is not None:
            before.legs.discard(fact.leg)
            call.legs.add(fact.leg)
            self._legs.pop(fact.leg, None)

    def _leg_gone(self, fact: f.LegGone) -> None:
        call = self._call(fact)
        if call is not None and fact.leg not in call.legs:
            self._wrong("A8", f"leg {fact.leg} ends, and it was not there")
        elif call is not None:
            call.legs.discard(fact.leg)
            self._legs.pop(fact.leg, None)
            if fact.leg == call.began.leg:
                self._deserted.add(fact.call)

    def _leg_closing(self, fact: f.LegClosing) -> None:
        call = self._call(fact)
        if call is not None:
            call.closing.add(fact.leg)

    def _call_ended(self, fact: f.CallEnded) -> None:
        call = self._call(fact)
        if call is None:
            return
        call.ended_at = fact.at
        if call.legs:
            self._wrong("A8", f"call {fact.call} ends and leaves {', '.join(sorted(call.legs))}")
        if call.recording:
            self._wrong("A10", f"call {fact.call} ends, and nothing is said of what became of recording {call.recording}")
        live = [name for name in call.contacts if name in self._live]
        if live or call.flow:
            self._wrong("A2", f"call {fact.call} ends with {live or 'its flow run'} still going on")

    def _flow_started(self, fact: f.FlowStarted) -> None:
        call = self._call(fact)
        if call is not None:
            if call.flow:
                self._wrong("A2", f"the caller of {fact.call} enters flow {fact.flow} while in another")
            call.flow = True
            self._touched.add(fact.call)

    def _flow_ended(self, fact: f.FlowEnded) -> None:
        call = self._call(fact)
        if call is not None:
            call.flow = False

    def _flow_resumed(self, fact: f.FlowResumed) -> None:
        call = self._call(fact)
        if call is not None:
            if call.flow:
                self._wrong("A2", f"the caller of {fact.call} goes on in a flow while in another")
            call.flow = True

    def _recording_started(self, fact: f.RecordingStarted) -> None:
        self._once("recording", fact.recording)
        call = self._call(fact)
        if call is not None:
            call.recording = fact.recording
            if call.paused:
                self._wrong("A10", f"recording {fact.recording} of call {fact.call} begins in a pause")

    def _paused(self, fact: f.RecordingPaused | f.RecordingResumed) -> None:
        call = self._call(fact)
        if call:
            call.paused = isinstance(fact, f.RecordingPaused)

    def _paying(self, fact: f.PaymentBegan | f.PaymentEnded) -> None:
        call = self._call(fact)
        if call:
            call.paying = isinstance(fact, f.PaymentBegan)

    def _recording_over(self, fact: f.RecordingStopped | f.RecordingMissing) -> None:
        call = self.calls.get(fact.call)
        if call is not None and call.recording == fact.recording:
            call.recording = ""

    # --- contacts -------------------------------------------------------------------------------

    def _entered(self, fact: f.ContactEntered) -> None:
        self._once("contact", fact.contact)
        contact = self.contacts[fact.contact] = self._live[fact.contact] = _Contact(fact)
        call = self._call(fact)
        if call is not None:
            call.contacts.append(fact.contact)
            self._touched.add(fact.call)
        if fact.entered_at > fact.at or fact.place > fact.at:
            self._wrong("A9", f"contact {fact.contact} enters in the future")
        before = self.contacts.get(fact.transferred_from)
        if before is not None and before.parted_at is None and not before.over and not fact.consult:
            self._wrong("A2", f"contact {fact.contact} comes from {fact.transferred_from}, which goes on")
        self._keeps_its_place(contact, before)

    def _keeps_its_place(self, contact: _Contact, before: _Contact | None) -> None:
        """Who comes back to the same queue because the agent was lost stands where he stood."""
        fact = contact.entered
        if before is not None and before.why is f.EndedWhy.AGENT_LOST and contact.rank != before.rank:
            self._wrong("A4", f"contact {fact.contact} has lost the place of {before.entered.contact}")

    def _find(self, contact: str, fact: f.Fact) -> _Contact | None:
        found = self._live.get(contact)
        if found is None:
            self._wrong("A3", f"{type(fact).__name__} of contact {contact}, which is over or never entered")
        return found

    def _offered(self, fact: f.ContactOffered) -> None:
        self._once("offer", fact.offer)
        contact, call = self._find(fact.contact, fact), self._call(fact)
        if call is not None and fact.leg not in self._staying:
            call.legs.add(fact.leg)
        if contact is None:
            return
        if not contact.in_line:
            self._wrong("A2", f"contact {fact.contact} is offered while it talks")
        promised = next((each for each in self._reservations.values() if each.leg == fact.leg), None)
        if promised is not None:  # agent first: she has been there since before the caller was
            if promised.agent != fact.agent:
                self._wrong("A1", f"{fact.agent} is offered {fact.contact} on the leg of {promised.agent}")
            del self._reservations[promised.callback]
        else:
            if call is not None and call.began.node in self._away:
                self._wrong("A5", f"contact {fact.contact} is offered while its node {call.began.node} is away")
            self._may_be_offered(fact.agent, fact.contact, fact.queue if contact.is_plain else "")
            self._nobody_is_passed_over(fact, contact)
        contact.offers[fact.offer] = fact

    def _may_be_offered(self, name: str, what: str, queue: str) -> None:
        agent = self.agents.get(name, _Agent())
        engaged = self._engaged().get(name)
        if engaged:
            self._wrong("A1", f"{name} is offered {what} and is in an {engaged[0]} already")
        if agent.state is not f.AgentState.READY:
            self._wrong("A5", f"{name} is offered {what} while {agent.state}")
        if not agent.reachable and not self._has_outside(name):
            self._wrong("A5", f"{name} is offered {what}, and the phone is unreachable")
        if agent.fallback_leg:
            self._wrong("A5", f"{name} is offered {what} while talking in the fallback")
        if queue in self._plain and not self._serves(name, queue):
            self._wrong("A5", f"{name} is offered {what} of queue {queue}, which she does not serve")

    def _nobody_is_passed_over(self, fact: f.ContactOffered, contact: _Contact) -> None:
        """Nobody who came earlier waits in this queue, and nobody who could take it has been idle longer."""
        if fact.queue not in self._plain or not contact.is_plain:
            return
        for other in self._waiting(fact.queue):
            if other.rank < contact.rank:
                self._wrong("A4", f"{fact.contact} is offered before {other.entered.contact}, who came earlier")
        idle_since = self.agents[fact.agent].idle_since if fact.agent in self.agents else None
        for name, agent in self._ready(fact.queue):
            if idle_since is not None and agent.idle_since is not None and agent.idle_since < idle_since:
                self._wrong("A4", f"{fact.agent} is offered {fact.contact}, and {name} has been idle longer")

    def _offer_moved(self, fact: f.OfferMoved) -> None:
        call, contact = self._call(fact), self._find(fact.contact, fact)
        if call is not None:
            call.legs.add(fact.leg)
        if contact is not None and fact.offer not in contact.offers:
            self._wrong("A2", f"offer {fact.offer} rings elsewhere, and is over or never was")

    def _offer_over(self, fact: f.OfferMissed | f.OfferWithdrawn) -> None:
        contact = self._find(fact.contact, fact)
        if contact is not None and contact.offers.pop(fact.offer, None) is None:
            self._wrong("A2", f"offer {fact.offer} is over a second time, or never was")
        self._touched.add(fact.call)

    def _connected(self, fact: f.ContactConnected) -> None:
        contact = self._find(fact.contact, fact)
        if contact is None:
            return
        if fact.offer not in contact.offers or contact.offers[fact.offer].agent != fact.agent:
            self._wrong("A2", f"{fact.agent} is connected to {fact.contact} without an open offer")
        contact.offers.pop(fact.offer, None)
        contact.connected_at, contact.agent, contact.offer = fact.at, fact.agent, fact.offer
        self._wait_is_right(contact, fact)

    def _left(self, fact: f.ContactAbandoned | f.ContactOverflowed) -> None:
        contact = self._find(fact.contact, fact)
        if contact is None:
            return
        if not contact.in_line or contact.offers:
            self._wrong("A2", f"contact {fact.contact} leaves the queue while {'offered' if contact.offers else 'talking'}")
        contact.over = True
        del self._live[fact.contact]
        self._wait_is_right(contact, fact)

    def _wait_is_right(self, contact: _Contact, fact: f.ContactConnected | f.ContactAbandoned | f.ContactOverflowed) -> None:
        wait = fact.at - contact.entered.entered_at
        if contact.entered.consult:
            return  # nobody of ours waits until the caller is handed over
        if fact.wait != wait or wait < ZERO:
            self._wrong("A9", f"contact {fact.contact} is said to have waited {fact.wait}; it was {wait}")

    def _directed(self, fact: f.ContactReordered | f.ContactMoved) -> None:
        contact = self._find(fact.contact, fact)
        if contact is not None:
            contact.directed = True

    def _held(self, fact: f.ContactHeld) -> None:
        contact = self._find(fact.contact, fact)
        if contact is not None:
            contact.held_since = fact.at

    def _resumed(self, fact: f.ContactResumed) -> None:
        contact = self._find(fact.contact, fact)
        if contact is not None and contact.held_since is not None:
            contact.hold, contact.held_since = contact.hold + (fact.at - contact.held_since), None

    def _parted(self, fact: f.ContactParted) -> None:
        contact = self._find(fact.contact, fact)
        if contact is None:
            return
        if contact.connected_at is None:
            self._wrong("A2", f"contact {fact.contact} parts and never talked")
            return
        hold = contact.hold + (fact.at - contact.held_since if contact.held_since else ZERO)
        if contact.entered.consult:
            pass  # talk counts from when the caller is handed over
        elif fact.hold != hold or fact.talk + fact.hold != fact.at - contact.connected_at or min(fact.talk, fact.hold) < ZERO:
            self._wrong("A9", f"contact {fact.contact}: talk {fact.talk} and hold {fact.hold} of {fact.at - contact.connected_at}")
        contact.parted_at, contact.why = fact.at, fact.why
        del self._live[fact.contact]

    def _ended(self, fact: f.ContactEnded) -> None:
        contact = self.contacts.get(fact.contact)
        if contact is None or contact.parted_at is None or contact.over:
            self._wrong("A3", f"contact {fact.contact} ends, and has not parted or has ended before")
            return
        contact.over = True
        if fact.wrap_up != fact.at - contact.parted_at or fact.wrap_up < ZERO:
            self._wrong("A9", f"contact {fact.contact}: wrap-up {fact.wrap_up} of {fact.at - contact.parted_at}")

    # --- callbacks ------------------------------------------------------------------------------

    def _owned(self, fact: cf.CallbackCreated | cf.CallbackEdited) -> None:
        self._callbacks[fact.callback] = fact.owner

    def _reserved_for_callback(self, fact: cf.CallbackReserved) -> None:
        if fact.callback in self._reservations:
            self._wrong("A1", f"callback {fact.callback} has {self._reservations[fact.callback].agent} and is given {fact.agent}")
        if fact.node in self._away:
            self._wrong("A5", f"callback {fact.callback} has its turn while its node {fact.node} is away")
        own = self._callbacks.get(fact.callback) == fact.agent  # who promised to call does, whatever queues she serves
        self._may_be_offered(fact.agent, f"callback {fact.callback}", "" if own else fact.queue)
        self._reservations[fact.callback] = fact

    def _released(self, fact: cf.CallbackReleased | cf.CallbackBridged) -> None:
        self._reservations.pop(fact.callback, None)

    def _attempted(self, fact: cf.CallbackAttempted) -> None:
        self._once("attempt", fact.attempt)
        if fact.callback not in self._callbacks:
            self._wrong("once", f"callback {fact.callback} is dialed, and was kept, broken or never promised")

    def _callback_over(self, fact: cf.CallbackKept | cf.CallbackBroken) -> None:
        if fact.callback not in self._callbacks:
            self._wrong("A3", f"callback {fact.callback} is over a second time, or was never promised")
        self._callbacks.pop(fact.callback, None)

    # --- agents ---------------------------------------------------------------------------------

    def _agent(self, name: str) -> _Agent:
        return self.agents.setdefault(name, _Agent())

    def _agent_changed(self, fact: f.AgentStateChanged) -> None:
        agent = self._agent(fact.agent)
        withdrawn = agent.state is f.AgentState.RESERVED and fact.state is f.AgentState.READY
        if withdrawn and fact.idle_since != agent.idle_since:
            self._wrong("A4", f"{fact.agent} loses her place among the idle by an offer that was withdrawn")
        if fact.state is f.AgentState.READY and ((not agent.reachable and not self._has_outside(fact.agent)) or agent.fallback_leg):
            self._wrong("A5", f"{fact.agent} becomes ready with a phone that cannot be rung")
        agent.state, agent.contact, agent.idle_since = fact.state, fact.contact, fact.idle_since

    def _phone_changed(self, fact: f.AgentPhoneChanged) -> None:
        self._agent(fact.agent).reachable = fact.reachable

    def _fallback_talk(self, fact: f.AgentFallbackTalkChanged) -> None:
        self._agent(fact.agent).fallback_leg = fact.leg if fact.talking else ""

    def _agent_removed(self, fact: f.AgentRemoved) -> None:
        self.agents.pop(fact.agent, None)

    def _opted_out(self, fact: f.AgentOptedOut) -> None:
        self._agent(fact.agent).opted_out = fact.queues

    def _has_outside(self, agent: str) -> bool:
        """Whether she can be reached without her desk phone."""
        config = self._config.agents.get(agent)
        return config is not None and any(device.number for device in config.devices)

    def _serves(self, agent: str, queue: str) -> bool:
        config = self._config.agents.get(agent)
        return config is not None and queue in config.queues and not (queue in self._agent(agent).opted_out and queue in config.may_opt_out)

    def _ready(self, queue: str) -> Iterator[tuple[str, _Agent]]:
        """Agents who could take a contact of the queue now."""
        for name, agent in self.agents.items():
            if agent.state is f.AgentState.READY and self._serves(name, queue):
                yield name, agent

    def _waiting(self, queue: str) -> Iterator[_Contact]:
        """Contacts of the queue that could be offered now."""
        for contact in self._live.values():
            reachable = self.calls[contact.entered.call].began.node not in self._away
            if contact.entered.queue == queue and contact.is_plain and contact.in_line and not contact.offers and reachable:
                yield contact

    # --- after each record ----------------------------------------------------------------------

    def _after_the_record(self) -> None:
        self._one_life_per_agent()
        for name in self._deserted:
            for leg in sorted(self.calls[name].legs - self.calls[name].closing):
                self._wrong("A8", f"the caller of {name} is gone, and leg {leg} is not ended")
        for name in self._touched:
            call = self.calls[name]
            live = [contact for contact in call.contacts if contact in self._live and not self.contacts[contact].entered.consult]
            if len(live) + call.flow > (2 if call.paying else 1):
                self._wrong("A2", f"the caller of {name} is in {len(live)} contacts{' and in a flow' if call.flow else ''} at once")

    def _nobody_is_idle_for_nothing(self) -> None:
        for queue in self._plain:
            waiting = next(self._waiting(queue), None)
            ready = next(self._ready(queue), None)
            if waiting is not None and ready is not None:
                self._wrong("A6", f"{ready[0]} is idle while {waiting.entered.contact} waits in {queue}")

    def _engaged(self) -> dict[str, list[str]]:
        """By agent: the offers, reservations and talks she is in."""
        engaged: dict[str, list[str]] = {}
        for contact in self._live.values():
            for offer in contact.offers.values():
                engaged.setdefault(offer.agent, []).append(f"offer of {contact.entered.contact}")
            if contact.connected_at is not None:
                engaged.setdefault(contact.agent, []).append(f"talk in {contact.entered.contact}")
        for reserved in self._reservations.values():
            engaged.setdefault(reserved.agent, []).append(f"attempt of callback {reserved.callback}")
        return engaged

    def _one_life_per_agent(self) -> None:
        engaged = self._engaged()
        for name, lives in engaged.items():
            if len(lives) > 1:
                self._wrong("A1", f"{name} is in {' and '.join(lives)} at once")
            state = self._agent(name).state
            if state is not (f.AgentState.TALKING if lives[0].startswith("talk") else f.AgentState.RESERVED):
                self._wrong("A1", f"{name} is {state} and in an {lives[0]}")
        for name, agent in self.agents.items():
            if agent.state in (f.AgentState.RESERVED, f.AgentState.TALKING) and name not in engaged:
                self._wrong("A1", f"{name} is {agent.state} for nobody")

    # --- when all is over -----------------------------------------------------------------------

    def at_rest(self) -> None:
        """Everybody has hung up and every timer has run out: nothing may be left, and the books balance."""
        for name, call in self.calls.items():
            if call.ended_at is None:
                self._wrong("A7", f"call {name} never ended")
        for name, contact in self.contacts.items():
            if not contact.over:
                self._wrong("A3", f"contact {name} never ended")
        for name, agent in self.agents.items():
            if agent.state not in RESTING:
                self._wrong("A7", f"{name} is still {agent.state}")
        self._balance()

    def _balance(self) -> None:
        count = self.counts.get
        out = count("ContactConnected", 0) + count("ContactAbandoned", 0) + count("ContactOverflowed", 0)
        waiting = sum(contact.in_line for contact in self._live.values())
        if count("ContactEntered", 0) != out + waiting:
            self._wrong("A3", f"{count('ContactEntered', 0)} contacts entered, {out} left and {waiting} are waiting")
        over = count("CallbackKept", 0) + count("CallbackBroken", 0)
        if count("CallbackCreated", 0) != over + len(self._callbacks):
            self._wrong("A3", f"{count('CallbackCreated', 0)} callbacks promised, {over} over and {len(self._callbacks)} open")
        going_on = sum(call.ended_at is None for call in self.calls.values())
        if count("CallBegan", 0) != count("CallEnded", 0) + going_on:
            self._wrong("A3", f"{count('CallBegan', 0)} calls began, {count('CallEnded', 0)} ended and {going_on} go on")


def _plain_queues(config: CenterConfig) -> Iterator[str]:
    for queue in config.queues.values():
        members = (agent.memberships.get(queue.name, Membership()) for agent in config.agents.values() if queue.name in agent.queues)
        if queue.routing in PLAIN and all(member == Membership() for member in members):
            yield queue.name
