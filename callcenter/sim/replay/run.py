"""Run a recorded day through the production core: the same callers, the same agents, another decision at every turn if need be."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from callcenter.domain import facts as f
from callcenter.domain.books import fold_call, fold_stays
from callcenter.domain.config import CenterConfig, NumberConfig
from callcenter.domain.contact import ContactState
from callcenter.domain.events import (
    AgentNotReadyRequested,
    AgentRequest,
    Cause,
    DispositionChosen,
    PhoneReachable,
    PhoneUnreachable,
    TransferRequested,
    WrapUpEndRequested,
    WrapUpExtensionRequested,
)
from callcenter.domain.ivr.flow import Flow, QueueNode
from callcenter.domain.overflow_rules import OverflowTo
from callcenter.domain.records import ContactRecord, Stay
from callcenter.domain.routing_config import Needs
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.replay.people import Part, People
from callcenter.sim.replay.recorded import A_MOMENT, CALLBACK, RecordedAgent, RecordedContact, RecordedDay
from callcenter.sim.world import World

LEAD = timedelta(seconds=1)
"""So long before the day begins agents who were there take their places, and at its very beginning callers who waited."""
LONGEST_AFTERMATH = timedelta(hours=4)
"""How long after the record's end callers may still wait; who does then has nobody left to answer."""
RINGS_AFTER = timedelta(milliseconds=50)
"""The fake PBX needs so long to let a phone ring; it is part of the recorded ring time."""

UNANSWERED = {f.MissedWhy.BUSY: Mood.BUSY, f.MissedWhy.REJECTED: Mood.DECLINES, f.MissedWhy.UNREACHABLE: Mood.UNREACHABLE}
"""What the phone of an absent agent does; it rings on when the record says that it did."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the day came to this time."""

    contacts: tuple[ContactRecord, ...]
    recorded_as: dict[str, str]
    """From a contact of the replay to the recorded contact that it is."""
    stays: tuple[Stay, ...]
    faults: tuple[str, ...]
    """What went wrong inside the core; none in a sound replay."""


def replay(day: RecordedDay, config: CenterConfig, seed: int, told: Callable[[int], None] = lambda settled: None) -> Replayed:
    """The day once more under this configuration. ``told`` hears from time to time how many contacts have come. Raises NothingToLearn."""
    return _Replay(day, config, seed, told).run()


class _Replay:
    """The world, and who does what in it and when."""

    def __init__(self, day: RecordedDay, config: CenterConfig, seed: int, told: Callable[[int], None]) -> None:
        self._day = day
        self._told = told
        self._people = People(day, seed)
        config, self._doors = _with_doors(config, day)
        self._world = World(config, seed=f"replay {seed}", start=day.begins_at - LEAD)
        self._world.on_facts = self._hear
        self._facts: dict[str, list[f.Fact]] = defaultdict(list)
        self._changes: dict[str, list[f.AgentStateChanged]] = defaultdict(list)
        self._recorded: dict[str, RecordedContact] = {}
        """From a contact of this run to the recorded one that it is."""
        self._parts: dict[str, Part] = {}
        self._arriving: RecordedContact | None = None
        """The contact that the caller who is just coming in will be."""
        self._became = {(each.parent, each.record.queue): each for each in day.contacts.values() if each.parent}
        self._last: dict[str, str] = {}
        """From a call to its latest contact."""
        self._legs: dict[str, str] = {}
        """From a call to the caller's leg."""
        self._came = 0
        self._open: set[str] = set()
        """Contacts whose caller still waits."""
        self._answered: set[str] = set()
        self._hear_of: dict[type, Callable[..., None]] = {
            f.CallBegan: self._began,
            f.ContactEntered: self._entered,
            f.ContactOffered: self._offered,
            f.ContactConnected: self._connected,
            f.ContactAbandoned: self._left,
            f.ContactOverflowed: self._left,
            f.ContactParted: self._parted,
            f.AgentStateChanged: self._agent_changed,
        }

    def run(self) -> Replayed:
        for agent in self._day.agents.values():
            for at, reachable in agent.phone:
                self._world.timeline.at(max(at, self._world.now), self._phone, agent.name, reachable)
        for at, request in _in_order(self._day):
            self._world.timeline.at(at, self._ask, request)
        begins = self._day.begins_at
        waited = [contact for contact in self._day.arrivals if contact.entered.at < begins]
        for number, contact in enumerate(waited):
            self._world.timeline.at(begins - timedelta(microseconds=len(waited) - number), self._arrive, contact)
        for contact in self._day.arrivals:
            if contact.entered.at >= begins:
                self._world.timeline.at(contact.entered.at, self._arrive, contact)
        end = max(self._day.until_at or self._day.to_at, self._day.to_at)
        self._world.run_until(end + A_MOMENT)
        give_up_at = end + LONGEST_AFTERMATH
        while self._awaited() and self._world.now < give_up_at:
            self._world.run_for(60)
        contacts = tuple(self._as_left(contact) for call in self._facts.values() for contact in fold_call(call).contacts)
        stays = tuple(stay for name in sorted(self._changes) for stay in self._stays(name))
        faults = tuple(f"{type(fault).__name__}: {fault}" for fault in self._world.faults)
        return Replayed(contacts, {name: recorded.id for name, recorded in self._recorded.items()}, stays, faults)

    def _awaited(self) -> bool:
        """Whether somebody of the window still waits whose wait was over in the record, or whom the record does not know."""
        contacts = self._world.center.state.contacts
        return any(
            contacts[name].entered.entered_at < self._day.to_at and (recorded is None or recorded.settled_at is not None)
            for name in self._open
            for recorded in [self._recorded.get(name)]
        )

    def _as_left(self, contact: ContactRecord) -> ContactRecord:
        """Who left for a callback did not abandon; a replay has no keys, and lets the caller hang up instead."""
        recorded = self._recorded.get(contact.contact_id)
        if recorded is None or recorded.gave_up or not recorded.left_by_choice or contact.state is not ContactState.ABANDONED:
            return contact
        return replace(contact, state=ContactState.OVERFLOWED, why=recorded.record.why, short_abandon=False)

    # --- people ---------------------------------------------------------------------------------

    def _ask(self, request: AgentRequest) -> None:
        if request.agent in self._world.config.agents:
            self._world.tell(request)

    def _phone(self, name: str, reachable: bool) -> None:
        agent = self._world.config.agents.get(name)
        if agent is not None:
            self._world.pbx.phones[agent.endpoint] = Phone(Mood.ANSWERS if reachable else Mood.UNREACHABLE)
            self._world.tell(PhoneReachable(agent.endpoint) if reachable else PhoneUnreachable(agent.endpoint))

    def _arrive(self, contact: RecordedContact) -> None:
        self._came += 1
        self._told(self._came)
        entered = contact.entered
        waiting_since = entered.entered_at if entered.entered_at < entered.at and not entered.transferred_from else None
        self._arriving = contact
        self._world.pbx.call_in(self._doors[contact.id], entered.caller, waiting_since)

    def _give_up(self, contact: str, leg: str) -> None:
        """The caller waits no longer; who pressed a key that led elsewhere does so again, if it still does."""
        if contact not in self._open:
            return
        recorded = self._recorded.get(contact)
        if recorded is not None and recorded.record.why == f.OverflowWhy.KEY_PRESSED:
            following = next((queue for parent, queue in self._became if parent == recorded.id), "")
            if key := self._key(recorded.record.queue, following):
                self._world.pbx.party_presses(leg, key)
        if contact in self._open:
            self._world.pbx.party_hangs_up(leg)

    def _key(self, queue: str, to: str) -> str:
        """The key that leads from the queue to the other one; without such, one that leads anywhere but to a callback."""
        config = self._world.config.queues.get(queue)
        actions = {} if config is None else {key: each for key, each in config.keys.items() if each.to is not OverflowTo.CALLBACK}
        return next((key for key, action in actions.items() if action.target == to), next(iter(actions), ""))

    # --- what the center kept -------------------------------------------------------------------

    def _hear(self, facts: Sequence[f.Fact]) -> None:
        for fact in facts:
            call = getattr(fact, "call", "")
            if call:
                self._facts[call].append(fact)
            heard = self._hear_of.get(type(fact))
            if heard is not None:
                heard(fact)

    def _began(self, fact: f.CallBegan) -> None:
        self._legs[fact.call] = fact.leg

    def _entered(self, fact: f.ContactEntered) -> None:
        recorded, itself = self._which(fact)
        part = self._people.part(fact.queue, recorded, recorded.id if recorded and itself else f"{fact.call} {fact.queue}")
        if recorded is not None and itself:
            self._recorded[fact.contact] = recorded
        self._parts[fact.contact] = part
        self._last[fact.call] = fact.contact
        self._open.add(fact.contact)
        waits_since = fact.entered_at
        if recorded is not None and itself and recorded.entered.at < self._day.begins_at:  # a phone may have been ringing
            waits_since = recorded.record.entered_at
            answered_at = recorded.record.answered_at or fact.at + part.ring
            self._parts[fact.contact] = replace(part, ring=min(part.ring, answered_at - fact.at))
        if part.patience is not None:
            self._world.timeline.at(waits_since + part.patience, self._give_up, fact.contact, self._legs[fact.call])

    def _which(self, fact: f.ContactEntered) -> tuple[RecordedContact | None, bool]:
        """The recorded contact that this one is, or else whose part it plays; None: the record has no such contact."""
        before = self._last.get(fact.call)
        if before is None:
            arriving, self._arriving = self._arriving, None
            return arriving, True
        parent = self._recorded.get(before)
        if before in self._answered:
            following = self._day.contacts.get(self._parts[before].handling.next)
            return following, parent is not None and following is not None and following.parent == parent.id
        return (self._became.get((parent.id, fact.queue)), True) if parent is not None else (None, False)

    def _offered(self, fact: f.ContactOffered) -> None:
        """Said before the phone rings: it will be answered as it was, unless the agent is away from it."""
        endpoint = self._world.config.agents[fact.agent].endpoint
        recorded = self._day.agents.get(fact.agent)
        absence = recorded.absence(fact.at) if recorded else None
        if absence is None:
            mood, after = Mood.ANSWERS, self._parts[fact.contact].ring
        else:
            mood, after = UNANSWERED.get(absence.why, Mood.RINGS_ON), absence.after
        pause = max(after - RINGS_AFTER, timedelta())
        self._world.pbx.phones[endpoint] = Phone(mood, lambda: pause)

    def _connected(self, fact: f.ContactConnected) -> None:
        self._open.discard(fact.contact)
        self._answered.add(fact.contact)
        self._world.timeline.after(self._parts[fact.contact].handling.talk, self._part, fact)

    def _left(self, fact: f.ContactAbandoned | f.ContactOverflowed) -> None:
        self._open.discard(fact.contact)

    def _part(self, fact: f.ContactConnected) -> None:
        """The talk ends as it ended; a transfer that is no longer possible, with the caller's hang-up."""
        if not self._talking(fact.contact):
            return
        handling, agents = self._parts[fact.contact].handling, self._world.config.agents
        if handling.colleague in agents and handling.colleague != fact.agent:
            self._world.tell(TransferRequested(fact.agent, colleague=handling.colleague))
        if handling.sent_to in self._world.config.queues and self._talking(fact.contact):
            self._world.tell(TransferRequested(fact.agent, handling.sent_to))
        if not self._talking(fact.contact):
            return
        if handling.why is f.EndedWhy.AGENT_HUNG_UP:
            self._world.pbx.party_hangs_up(fact.leg)
        elif handling.why is f.EndedWhy.AGENT_LOST:
            self._world.pbx.party_hangs_up(fact.leg, Cause.LOST)
        else:
            self._world.pbx.party_hangs_up(self._legs[fact.call])

    def _talking(self, name: str) -> bool:
        contact = self._world.center.state.contacts.get(name)
        return contact is not None and contact.state is ContactState.CONNECTED

    def _parted(self, fact: f.ContactParted) -> None:
        """Who ended the wrap-up herself does so again; else the server's timer does."""
        handling = self._parts[fact.contact].handling
        if handling.extended:
            self._world.timeline.after(timedelta(), self._world.tell, WrapUpExtensionRequested(fact.agent))
        if not handling.by_timer:
            self._world.timeline.after(handling.wrap_up, self._end_wrap_up, fact, handling.disposition)

    def _end_wrap_up(self, fact: f.ContactParted, disposition: str) -> None:
        agent = self._world.center.state.agents.get(fact.agent)
        if agent is None or agent.state is not f.AgentState.WRAP_UP or agent.contact != fact.contact:
            return
        choices = self._world.center.state.queue(fact.queue).config.dispositions.choices
        if choices:
            self._world.tell(DispositionChosen(agent.name, disposition if disposition in choices else choices[0]))
        self._world.tell(WrapUpEndRequested(agent.name))

    def _agent_changed(self, fact: f.AgentStateChanged) -> None:
        self._changes[fact.agent].append(fact)

    def _stays(self, agent: str) -> Iterator[Stay]:
        """Her stays of this run; the contact she carried into it is work here too."""
        recorded = self._day.agents.get(agent)
        carried = recorded.carried_in if recorded is not None else ()
        yield from carried
        done_at = carried[-1].ended_at if carried else None
        for stay in fold_stays(self._changes[agent]):
            if stay.reason == CALLBACK:
                stay = replace(stay, state=f.AgentState.TALKING)
            if done_at is None or stay.began_at >= done_at:
                yield stay
            elif stay.ended_at is None or stay.ended_at > done_at:
                yield replace(stay, began_at=done_at)


def _in_order(day: RecordedDay) -> Iterable[tuple[datetime, AgentRequest]]:
    """All requests, earliest first; those who were there when the day began come before it, longest idle first."""

    def idle(agent: RecordedAgent) -> tuple[datetime, str]:
        return agent.idle_since or day.begins_at, agent.name

    asked: list[tuple[datetime, int, AgentRequest]] = []
    for number, agent in enumerate(sorted(day.agents.values(), key=idle)):
        begins = day.begins_at - LEAD + timedelta(microseconds=number)
        asked += [(begins if at < day.begins_at else at, order, request) for at, order, request in agent.requests]
    return [(at, request) for at, _, request in sorted(asked, key=lambda each: each[:2])]


def _way_in(contact: RecordedContact, config: CenterConfig) -> QueueNode:
    """How the contact came into its queue, after all rules and lists: what it needs, and whom it waited for at first."""
    entered = contact.entered
    agent, wait = entered.preferred or entered.preferred_skipped.partition(":")[0], timedelta()
    queue = config.queues.get(entered.queue)
    if not entered.rule and queue is not None:  # the queue's own rule on who talked with the caller last
        wait = queue.routing.last_agent_wait or wait
    elif entered.preferred_until is not None:
        wait = entered.preferred_until - entered.at
    needs = Needs(entered.require, entered.prefer, agent if wait else "", wait, entered.rule)
    return QueueNode(entered.queue, entered.priority, needs)


def _with_doors(config: CenterConfig, day: RecordedDay) -> tuple[CenterConfig, dict[str, str]]:
    """The configuration with a number for each way into a queue that the record knows, and the number of each contact that comes in.

    Nothing is recorded, and no rule or list directs anybody: the record says where that led. Agents may have been not ready for
    reasons that the center gave by itself, or that are no longer configured.
    """
    ways = {contact.id: _way_in(contact, config) for contact in day.arrivals}
    doors = {way: f"replay-{number}" for number, way in enumerate(dict.fromkeys(ways.values()))}
    flows = {**config.flows, **{door: Flow(door, "enter", {"enter": way}) for way, door in doors.items()}}
    numbers = {door: NumberConfig(door, door, way.queue) for way, door in doors.items()}
    queues = {name: replace(queue, record=False) for name, queue in config.queues.items()}
    asked = (
        request.reason for agent in day.agents.values() for *_, request in agent.requests if isinstance(request, AgentNotReadyRequested)
    )
    reasons = tuple(dict.fromkeys((*config.not_ready_reasons, *asked)))
    changed = replace(config, queues=queues, numbers=numbers, flows=flows, not_ready_reasons=reasons, routing_rules=(), caller_lists=())
    return changed, {contact: doors[way] for contact, way in ways.items()}
