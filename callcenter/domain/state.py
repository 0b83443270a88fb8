"""The state of the center: a fold over facts, and nothing else.

``apply`` is the only way to change it. Live and restored centers run the same ``apply``, so after any
prefix of facts they are equal. What each kind of fact changes stands in ``domain.folds``; here is what is found by what, and who
stands in which line.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zlib import crc32

from callcenter.domain import facts as f
from callcenter.domain.agent import Agent
from callcenter.domain.call import Call, Leg
from callcenter.domain.callback_register import CallbackRegister
from callcenter.domain.callers import CallerIndex
from callcenter.domain.checkpoint import Checkpoint
from callcenter.domain.config import CenterConfig
from callcenter.domain.contact import UNANSWERED, Contact, ContactState
from callcenter.domain.deadlines import ADVANCE, LOOK, still_set
from callcenter.domain.enrolment import enroll, learn_skills, strike_off
from callcenter.domain.folds import FOLDS
from callcenter.domain.hours import Hours, PinLock, Switched, hours_of
from callcenter.domain.ivr.flow import GOODBYE, Flow, built_in
from callcenter.domain.lines import Lines
from callcenter.domain.machine import Deadlines
from callcenter.domain.mailboxes import Mailboxes
from callcenter.domain.node import Node
from callcenter.domain.notices import Notices
from callcenter.domain.queue import Queue
from callcenter.domain.waiter import CONTACT, Waiter

CALLERS_REMEMBERED = 20_000


class State:
    """Calls, contacts, agents, queues and nodes. Read freely; change by ``apply`` and ``configure`` only."""

    def __init__(self, config: CenterConfig) -> None:
        self.config = config
        self.at: datetime | None = None
        """The date of the latest fact."""
        self.calls: dict[str, Call] = {}
        self.legs: dict[str, Call] = {}
        """From each leg that has not ended to its call."""
        self.contacts: dict[str, Contact] = {}
        self.offers: dict[str, Contact] = {}
        """From each open offer to its contact."""
        self.lines = Lines()
        self.queues = self.lines.queues
        self.waiters = self.lines.waiters
        """Who stands in a line now, by id."""
        self.agents: dict[str, Agent] = {}
        self.struck_off: set[str] = set()
        """Agents whom we forgot because they are no longer configured, and no fact says so yet."""
        self.endpoints: dict[str, Agent] = {}
        self.fallback_legs: dict[str, Agent] = {}
        self.extensions: dict[str, tuple[str, str]] = {}
        """From what is dialed to a queue or an agent, the other one empty."""
        self.nodes: dict[str, Node] = {}
        self.last_agents: dict[str, str] = {}
        """With whom each caller talked last, the oldest first."""
        self.supervising: dict[str, Call] = {}
        """By supervisor: the call in which each supervises."""
        self.supervised: dict[str, dict[str, Call]] = {}
        """By agent: the calls of those who supervise her."""
        self.snoops: dict[str, Call] = {}
        """From each supervisor's ear to that call."""
        self.switches: dict[str, Switched] = {}
        """Calendars that somebody opened or closed by hand."""
        self.pin_locks: dict[str, PinLock] = {}
        """Calendars whose PIN was wrong last."""
        self.caller_lists = CallerIndex(())
        self.do_not_call: dict[str, f.DoNotCallAdded] = {}
        """By number: who asked us, or had us asked, not to call any more."""
        self.surveyed: dict[str, datetime] = {}
        """By caller: before which date nobody asks again; who was asked longest ago first."""
        self.config_taken: f.ConfigTaken | None = None
        """By which documents the center goes; None: by none that have a name."""
        self.deadlines = Deadlines(lambda alarm: still_set(self, alarm))
        self.callbacks = CallbackRegister(self)
        self.mailboxes = Mailboxes(self)
        self.notices = Notices()
        self.checkpoint = Checkpoint(self)
        self.configure(config)

    # --- from outside ---------------------------------------------------------------------------

    def apply(self, fact: f.Fact) -> None:
        """Let the fact have happened. Raises IllegalTransition before anything is changed."""
        FOLDS[type(fact)](self, fact)
        if self.at is None or fact.at > self.at:
            self.at = fact.at
        self.checkpoint.keep(fact)

    def configure(self, config: CenterConfig) -> None:
        """Take over what people decided. Contacts, calls and agents at work stay as they are."""
        self.config = config
        self.caller_lists = CallerIndex(config.caller_lists)
        self.lines.learn(config)
        for order, agent_config in enumerate(config.agents.values()):
            enroll(self, agent_config, order)
        self.extensions = {queue.extension: (queue.name, "") for queue in config.queues.values() if queue.extension}
        self.extensions |= {agent.extension: ("", agent.name) for agent in config.agents.values() if agent.extension}
        for name in [name for name in self.agents if name not in config.agents]:
            strike_off(self, self.agents[name])
        self.callbacks.line_up_all()
        self.mailboxes.configure(config.mailboxes)
        for name in [name for name, queue in self.queues.items() if name not in config.queues and not queue.unanswered]:
            del self.queues[name]
        for agent in self.agents.values():
            learn_skills(self, agent)
        unanswered = self.unanswered()
        self.lines.begin_anew(self.agents, unanswered)
        for waiter in unanswered:
            self.set_advance(waiter)
        for contact in self.contacts.values():
            if contact.state is ContactState.OFFERED:
                self.line_up_contact(contact)
        for watched in self.queues.values():
            if self.at is not None:
                self.look_soon(watched, self.at)

    def forget(self, call: Call) -> None:
        """All of it is over."""
        del self.calls[call.id]
        self.node(call.node).calls.discard(call.id)
        for _, fact in call.history:
            if isinstance(fact, f.ContactEntered):
                self.contacts.pop(fact.contact, None)

    # --- who is found by what -------------------------------------------------------------------

    def queue(self, name: str) -> Queue:
        """The queue of that name; one that is no longer configured keeps serving whom it holds."""
        return self.lines.queue(name)

    def node(self, name: str) -> Node:
        if name not in self.nodes:
            self.nodes[name] = Node(name)
        return self.nodes[name]

    def agent(self, name: str) -> Agent:
        if name not in self.agents:
            self.agents[name] = Agent(name)
            self.struck_off.discard(name)  # she had come back before it was said
        return self.agents[name]

    @property
    def node_to_call(self) -> str:
        """The connected node with the fewest calls, for a call of our own; empty: there is none."""
        connected = [(len(node.calls), name) for name, node in self.nodes.items() if node.started_at is not None and not node.away]
        return min(connected)[1] if connected else ""

    def leg_of(self, agent: Agent) -> Leg | None:
        """Her leg that stays up, unless it is ending."""
        call = self.legs.get(agent.leg)
        leg = call.legs[agent.leg] if call is not None else None
        return None if leg is None or leg.closing else leg

    def add_leg(self, call: Call, leg: Leg) -> None:
        call.legs[leg.id] = leg
        self.legs[leg.id] = call

    def flow(self, name: str, version: int = 0) -> Flow:
        """That version if it is still known, else the one in use."""
        return self.config.flow_versions.get((name, version)) or self.config.flows.get(name) or built_in(name) or GOODBYE

    def flows_for(self, call: str) -> Mapping[str, Flow]:
        """All flows, as a call gets them that begins now."""
        taken = {name: canary.flow for name, canary in self.config.canaries.items() if canary.takes(call)}
        return {**self.config.flows, **taken} if taken else self.config.flows

    def flow_for(self, name: str, call: str) -> Flow:
        """What a call gets that comes to the flow now: the version in use, or its canary."""
        canary = self.config.canaries.get(name)
        return canary.flow if canary is not None and canary.takes(call) else self.flow(name)

    def hours(self, calendar: str) -> Hours | None:
        """The opening hours of that name, as they are switched; None: there are none."""
        return hours_of(self.config.calendars, self.switches, calendar)

    def remember_served(self, caller: str, agent: str) -> None:
        self.last_agents.pop(caller, None)
        self.last_agents[caller] = agent
        if len(self.last_agents) > CALLERS_REMEMBERED:
            del self.last_agents[next(iter(self.last_agents))]

    # --- lines ----------------------------------------------------------------------------------

    def stand_in_line(self, waiter: Waiter) -> None:
        """It may be given to an agent from now on."""
        self.lines.stand(waiter)
        if waiter.kind != CONTACT:
            self.set_advance(waiter)

    def step_out(self, waiter_id: str) -> None:
        """It no longer stands in line, if it did."""
        self.lines.step_out(waiter_id)
        self.checkpoint.forget_waiter(waiter_id)

    def waiter(self, waiter_id: str) -> Waiter | None:
        """Who waits, in line or offered."""
        contact = self.contacts.get(waiter_id)
        if contact is None:
            return self.waiters.get(waiter_id)
        return contact.waiter if contact.state in UNANSWERED else None

    def unanswered(self) -> list[Waiter]:
        """All who wait or are offered; for changes of the configuration, not for routing."""
        return [*(contact.waiter for contact in self.contacts.values() if contact.state in UNANSWERED), *self.lines.others()]

    def set_advance(self, waiter: Waiter) -> None:
        waiter.advances_at = due = self.queue(waiter.queue).advances_at(waiter)
        if due is not None:
            self.deadlines.set(due, ADVANCE, waiter.id)

    def line_up_contact(self, contact: Contact) -> None:
        """Where it belongs by its state; while its node is away, or as long as it is for one colleague, nowhere."""
        self.step_aside(contact)
        if contact.bound or self.node(self.calls[contact.entered.call].node).away:
            return
        if contact.state is ContactState.WAITING:
            self.stand_in_line(contact.waiter)
        elif contact.state is ContactState.OFFERED:
            queue = self.queue(contact.entered.queue)
            queue.ringing.put(queue.place_of(contact.waiter))

    def step_aside(self, contact: Contact) -> None:
        self.step_out(contact.id)
        self.queue(contact.entered.queue).ringing.take(contact.id)

    # --- when to look at a queue ----------------------------------------------------------------

    def look_soon(self, queue: Queue, at: datetime) -> None:
        """Somebody waits, or a condition stands: look at it from ``at`` on."""
        if queue.look_at is None and queue.conditions and (queue.unanswered or queue.standings):
            queue.look_at = at
            self.deadlines.set(at, LOOK, queue.name)

    def look_again(self, queue: Queue, now: datetime) -> None:
        """At its own moment of the next second, while there is something to look at."""
        queue.look_at = None
        moment = now.replace(microsecond=1000 * (crc32(queue.name.encode()) % 1000))
        self.look_soon(queue, moment if moment > now else moment + timedelta(seconds=1))

    def recount(self, queue: Queue, at: datetime) -> None:
        queue.measures.count(at, len(queue.waiting), queue.serving)
