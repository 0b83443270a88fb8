"""The state of the center: a fold over facts, and nothing else.

``apply`` is the only way to change it. Live and restored centers run the same ``apply``, so after any
prefix of facts they are equal.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import cast
from zlib import crc32

from callcenter.domain import facts as f
from callcenter.domain.agent import AGENT_MOVES, Agent
from callcenter.domain.call import LEG_TRANSITIONS, Call, Consult, Leg, LegState
from callcenter.domain.callback_facts import CallbackFact, CallbackOffered
from callcenter.domain.callback_register import DEADLINES as CALLBACK_DEADLINES
from callcenter.domain.callback_register import CallbackRegister
from callcenter.domain.callers import CallerIndex
from callcenter.domain.conditions import Phase, Standing
from callcenter.domain.config import AgentConfig, CenterConfig
from callcenter.domain.contact import CONTACT_TRANSITIONS, FINISHED, UNANSWERED, Contact, ContactState, said_most
from callcenter.domain.ewt import Estimate
from callcenter.domain.ivr.flow import CALLER, GOODBYE, Flow, built_in
from callcenter.domain.ivr.interpreter import FlowRun
from callcenter.domain.lines import Lines
from callcenter.domain.load import Load
from callcenter.domain.machine import Alarm, Deadlines, IllegalTransition, transition
from callcenter.domain.queue import CONTACT, Band, Queue, Waiter
from callcenter.domain.tally import AgentTally, QueueTally
from callcenter.domain.told import outcome

OFFER, WRAP_UP, REST, FLOW, MUSIC, OVERFLOW, NODE_LOST = "offer", "wrap_up", "rest", "flow", "music", "overflow", "node_lost"
LOOK, ANNOUNCE, ADVANCE, SKILL = "look", "announce", "advance", "skill"
CALLERS_REMEMBERED = 20_000
SERVING = frozenset({f.AgentState.READY, f.AgentState.RESERVED, f.AgentState.TALKING, f.AgentState.WRAP_UP})


@dataclass(slots=True)
class Node:
    """One Asterisk node, as far as we know."""

    name: str
    started_at: datetime | None = None
    lost_at: datetime | None = None
    """Set while it is out of reach: when its calls are taken for lost."""
    calls: set[str] = field(default_factory=set)
    held_back: set[Alarm] = field(default_factory=set)
    """Deadlines of its calls that came due while it was out of reach."""
    log_offset: int = 0
    """How far its queue log has been read."""
    history: dict[type, tuple[int, f.Fact]] = field(default_factory=dict)

    @property
    def away(self) -> bool:
        return self.lost_at is not None


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
        self.caller_lists = CallerIndex(())
        self.deadlines = Deadlines(self._still_set)
        self.callbacks = CallbackRegister(self)
        self._applied = 0
        self._kept_apart: dict[tuple[str, ...], tuple[int, f.Fact]] = {}
        """Facts that belong to no call, agent or node, by what makes a later one replace them; for checkpoints."""
        self._appliers: dict[type, tuple[Callable[..., None], Callable[..., None]]] = {
            kind: (self._applier(kind), self._keeper(kind)) for kind in f.FACT_TYPES.values()
        }
        """What each kind of fact changes, and with whom it is kept for checkpoints."""
        self.configure(config)

    # --- from outside ---------------------------------------------------------------------------

    def apply(self, fact: f.Fact) -> None:
        """Let the fact have happened. Raises IllegalTransition before anything is changed."""
        change, keep = self._appliers[type(fact)]
        change(fact)
        self._applied += 1
        if self.at is None or fact.at > self.at:
            self.at = fact.at
        keep(self._applied, fact)

    def configure(self, config: CenterConfig) -> None:
        """Take over what people decided. Contacts, calls and agents at work stay as they are."""
        self.config = config
        self.caller_lists = CallerIndex(config.caller_lists)
        self.lines.learn(config)
        for order, agent_config in enumerate(config.agents.values()):
            self._enroll(agent_config, order)
        self.extensions = {queue.extension: (queue.name, "") for queue in config.queues.values() if queue.extension}
        self.extensions |= {agent.extension: ("", agent.name) for agent in config.agents.values() if agent.extension}
        for name in [name for name in self.agents if name not in config.agents]:
            self._strike_off(self.agents[name])
        self.callbacks.line_up_all()
        for name in [name for name, queue in self.queues.items() if name not in config.queues and not queue.unanswered]:
            del self.queues[name]
        for agent in self.agents.values():
            self._learn_skills(agent)
        unanswered = self.unanswered()
        self.lines.begin_anew(self.agents, unanswered)
        for waiter in unanswered:
            self._set_advance(waiter)
        for contact in self.contacts.values():
            if contact.state is ContactState.OFFERED:
                self._line_up_contact(contact)
        for watched in self.queues.values():
            if self.at is not None:
                self.look_soon(watched, self.at)

    def queue(self, name: str) -> Queue:
        """The queue of that name; one that is no longer configured keeps serving whom it holds."""
        return self.lines.queue(name)

    def node(self, name: str) -> Node:
        if name not in self.nodes:
            self.nodes[name] = Node(name)
        return self.nodes[name]

    @property
    def node_to_call(self) -> str:
        """The connected node with the fewest calls, for a call of our own; empty: there is none."""
        connected = [(len(node.calls), name) for name, node in self.nodes.items() if node.started_at is not None and not node.away]
        return min(connected)[1] if connected else ""

    def flow(self, name: str) -> Flow:
        return self.config.flows.get(name) or built_in(name) or GOODBYE

    def checkpoint(self) -> Iterator[f.Fact]:
        """The facts from which ``apply`` makes this state again: those of what is not over yet, in their order."""
        kept: list[tuple[float, f.Fact]] = []
        for call in self.calls.values():
            kept += call.history
        for agent in self.agents.values():
            kept += agent.history.values()
            kept += self._load_of(agent)
        for node in self.nodes.values():
            kept += node.history.values()
        kept += [(self._applied, self.measured(queue)) for queue in self.queues.values() if queue.measures.at is not None]
        kept += self.callbacks.history()
        kept += self._kept_apart.values()
        for _, fact in sorted(kept, key=lambda numbered: numbered[0]):
            yield fact
        if self.at is not None:
            yield from (agent.tally.fact(agent.name, self.at) for agent in self.agents.values())
            yield from (queue.tally.fact(queue.name, self.at) for queue in self.queues.values())
            served = list(self.last_agents.items())
            for few in (served[begin : begin + 500] for begin in range(0, len(served), 500)):
                yield f.CallersServed(self.at, tuple(caller for caller, _ in few), tuple(agent for _, agent in few))

    def measured(self, queue: Queue) -> f.QueueMeasured:
        """What the queue remembers, as a fact."""
        assert self.at is not None
        measures = queue.measures
        stand = queue.standings.items()
        standings = tuple(f"{standing.phase} {standing.since.isoformat()} {key}" for key, standing in stand if standing.since)
        return f.QueueMeasured(
            *(self.at, queue.name, measures.line, measures.agents, measures.at),
            *(tuple(map(repr, measures.levels)), measures.remembered(), standings),
        )

    def _load_of(self, agent: Agent) -> Iterator[tuple[float, f.Fact]]:
        """Of all the states that made it, a checkpoint holds but the last."""
        changed = agent.history.get(f.AgentStateChanged)
        if changed is not None:
            number, fact = changed
            yield number + 0.5, f.AgentLoadKept(fact.at, agent.name, agent.load.busy, agent.load.free)

    # --- what keeps the order -------------------------------------------------------------------

    def _applier(self, kind: type) -> Callable[..., None]:
        if kind in CallbackFact.__args__:
            return self.callbacks.apply
        return cast(Callable[..., None], getattr(self, f"_{_snake(kind.__name__)}"))

    def _keeper(self, kind: type) -> Callable[..., None]:
        if kind in CallbackFact.__args__:
            return self.callbacks.keep
        if kind is f.AgentTallied:
            return _keep_nowhere
        if kind in f.AgentFact.__args__:
            return self._keep_with_agent
        if kind in f.QueueFact.__args__:
            return _keep_nowhere  # a checkpoint holds all of it in one fact
        return self._keep_with_node if kind in f.NodeFact.__args__ else self._keep_with_call

    def _keep_with_agent(self, number: int, fact: f.AgentFact) -> None:
        agent = self.agents.get(fact.agent)
        if agent is not None and not isinstance(fact, f.AgentLoadKept):
            agent.history[type(fact)] = (number, fact)

    def _keep_with_node(self, number: int, fact: f.NodeFact) -> None:
        self.node(fact.node).history[type(fact)] = (number, fact)

    def _keep_with_call(self, number: int, fact: f.CallFact) -> None:
        call = self.calls.get(fact.call)
        if call is None and isinstance(fact, f.WaiterAdvanced):
            self._kept_apart["waiter", fact.contact] = number, fact
        if call is not None:
            call.history.append((number, fact))
            if call.ended_at is not None and call.over:
                self._forget(call)

    def _forget(self, call: Call) -> None:
        del self.calls[call.id]
        self.node(call.node).calls.discard(call.id)
        for _, fact in call.history:
            if isinstance(fact, f.ContactEntered):
                self.contacts.pop(fact.contact, None)

    def _still_set(self, alarm: Alarm) -> bool:
        at, kind, subject = alarm
        if kind in (WRAP_UP, REST):
            agent = self.agents.get(subject)
            return agent is not None and agent.until == at and (agent.state is f.AgentState.WRAP_UP) is (kind == WRAP_UP)
        if kind in CALLBACK_DEADLINES:
            return self.callbacks.still_set(alarm)
        if kind == NODE_LOST:
            return subject in self.nodes and self.nodes[subject].lost_at == at
        if kind == LOOK:
            return subject in self.queues and self.queues[subject].look_at == at
        if kind == ADVANCE:
            waiter = self.waiter(subject)
            return waiter is not None and waiter.advances_at == at
        if kind == SKILL:
            agent = self.agents.get(subject)
            return agent is not None and self._expires_at(agent) == at
        if kind == FLOW:
            call = self.calls.get(subject)
            return call is not None and call.flow is not None and call.flow.until == at
        if kind == OFFER:
            return subject in self.offers and self.offers[subject].offers[subject].until == at
        contact = self.contacts.get(subject)
        if contact is None:
            return False
        if kind == ANNOUNCE:
            return contact.state is ContactState.WAITING and contact.announcing.due_at == at
        date = contact.music_at if kind == MUSIC else contact.overflow_at
        return contact.state in UNANSWERED and date == at

    # --- people ---------------------------------------------------------------------------------

    def _enroll(self, config: AgentConfig, order: int) -> None:
        """She also goes on serving those who still wait in queues that were taken away."""
        agent = self._agent(config.name)
        self._unplug(agent)
        self.lines.stand_back(agent)
        self._count_out(agent)
        retired = [name for name in agent.queues if name not in self.config.queues and self.queue(name).unanswered]
        agent.devices, agent.persistent = config.devices, config.persistent
        agent.endpoint, agent.queues, agent.order = config.endpoint, (*_served(config, agent), *retired), order
        agent.serves = self.lines.serving(config, agent.queues)
        self.endpoints[agent.endpoint] = agent
        self._count_in(agent)

    def _strike_off(self, agent: Agent) -> None:
        """A removed agent is forgotten once logged out; until then she serves no further queue."""
        self.lines.stand_back(agent)
        self._count_out(agent)
        agent.queues, agent.serves = (), {}
        if agent.state is f.AgentState.LOGGED_OUT:
            self._forget_agent(agent)

    def _forget_agent(self, agent: Agent) -> None:
        self._unplug(agent)
        self.fallback_legs.pop(agent.fallback_leg, None)
        del self.agents[agent.name]
        self.struck_off.add(agent.name)

    def _unplug(self, agent: Agent) -> None:
        """Her phone is no longer hers; it may be another's already."""
        if self.endpoints.get(agent.endpoint) is agent:
            del self.endpoints[agent.endpoint]

    def _agent(self, name: str) -> Agent:
        if name not in self.agents:
            self.agents[name] = Agent(name)
            self.struck_off.discard(name)  # she had come back before it was said
        return self.agents[name]

    def _learn_skills(self, agent: Agent) -> None:
        """What she can do now; the next expiry is a date to act on."""
        config = self.config.agents.get(agent.name)
        known = agent.skills_as_of
        skills = config.skills if config is not None else {}
        agent.skills = {name: skill.level for name, skill in skills.items() if skill.until is None or known is None or skill.until > known}
        due = self._expires_at(agent)
        if due is not None:
            self.deadlines.set(due, SKILL, agent.name)

    def _expires_at(self, agent: Agent) -> datetime | None:
        config = self.config.agents.get(agent.name)
        skills = config.skills if config is not None else {}
        return min((until for name in agent.skills if (until := skills[name].until) is not None), default=None)

    def _count_in(self, agent: Agent) -> None:
        """Who is logged in counts in each of her queues."""
        if agent.state is not f.AgentState.LOGGED_OUT:
            for name in agent.queues:
                self.queue(name).logged_in += 1
                self.queue(name).serving += agent.state in SERVING

    def _count_out(self, agent: Agent) -> None:
        if agent.state is not f.AgentState.LOGGED_OUT:
            for name in agent.queues:
                self.queue(name).logged_in -= 1
                self.queue(name).serving -= agent.state in SERVING

    def _agent_state_changed(self, fact: f.AgentStateChanged) -> None:
        agent = self._agent(fact.agent)
        if fact.state not in AGENT_MOVES[agent.state] and f.AgentStateChanged in agent.history:
            raise IllegalTransition(agent.name, agent.state, fact.state)
        self.lines.stand_back(agent)
        comes_or_goes = (agent.state is f.AgentState.LOGGED_OUT) is not (fact.state is f.AgentState.LOGGED_OUT)
        comes_or_goes = comes_or_goes or (agent.state in SERVING) is not (fact.state in SERVING)
        if comes_or_goes:
            self._count_out(agent)
        if agent.since is not None:
            agent.load = agent.load.after(agent.state, fact.at - agent.since)
        agent.tally.moved(agent.state, fact.state, fact.at, self.config.window)
        agent.state, agent.reason, agent.since = fact.state, fact.reason, fact.at
        agent.idle_since, agent.contact, agent.until = fact.idle_since, fact.contact, fact.until
        agent.extended = False
        agent.history.pop(f.WrapUpExtended, None)
        agent.history.pop(f.AgentPhoneAsked, None)
        if fact.state not in (f.AgentState.TALKING, f.AgentState.WRAP_UP):
            agent.remembered = None
            agent.history.pop(f.AgentRequestRemembered, None)
        if fact.until is not None:
            self.deadlines.set(fact.until, WRAP_UP if fact.state is f.AgentState.WRAP_UP else REST, agent.name)
        if comes_or_goes:
            self._count_in(agent)
            for name in agent.queues:
                self._recount(self.queue(name), fact.at)
        self.lines.line_up(agent)
        if agent.name not in self.config.agents:
            self._strike_off(agent)

    def _agent_request_remembered(self, fact: f.AgentRequestRemembered) -> None:
        self._agent(fact.agent).remembered = fact

    def _wrap_up_extended(self, fact: f.WrapUpExtended) -> None:
        agent = self._agent(fact.agent)
        if agent.state is not f.AgentState.WRAP_UP or agent.contact != fact.contact:
            raise IllegalTransition(agent.name, agent.state, type(fact).__name__)
        agent.until, agent.extended = fact.until, True
        self.deadlines.set(fact.until, WRAP_UP, agent.name)

    def _missed_offers_counted(self, fact: f.MissedOffersCounted) -> None:
        self._agent(fact.agent).missed_at = fact.missed_at

    def _agent_removed(self, fact: f.AgentRemoved) -> None:
        """After a restart she may be configured again: what was known of her before is not hers any more."""
        agent = self.agents.get(fact.agent)
        if agent is not None:
            self.lines.stand_back(agent)
            self._count_out(agent)
            self._forget_agent(agent)
        self.struck_off.discard(fact.agent)
        config = self.config.agents.get(fact.agent)
        if config is not None:
            self._enroll(config, list(self.config.agents).index(fact.agent))
            self._learn_skills(self.agents[fact.agent])

    def _agent_taken_out(self, fact: f.AgentTakenOut) -> None:
        pass  # the state that follows says it all; this is for people

    def _agent_opted_out(self, fact: f.AgentOptedOut) -> None:
        agent = self._agent(fact.agent)
        config = self.config.agents.get(agent.name)
        self.lines.stand_back(agent)
        self._count_out(agent)
        agent.opted_out = fact.queues
        retired = [name for name in agent.queues if name not in self.config.queues]
        agent.queues = (*_served(config, agent), *retired) if config else ()
        agent.serves = self.lines.serving(config, agent.queues) if config else {}
        self.lines.look_again(agent)
        self._count_in(agent)
        self.lines.line_up(agent)

    def _agent_load_kept(self, fact: f.AgentLoadKept) -> None:
        self._agent(fact.agent).load = Load(fact.busy, fact.free)

    def _agent_phone_asked(self, fact: f.AgentPhoneAsked) -> None:
        agent = self._agent(fact.agent)
        agent.until = fact.until
        self.deadlines.set(fact.until, REST, agent.name)

    def _agent_phone_changed(self, fact: f.AgentPhoneChanged) -> None:
        self._agent(fact.agent).reachable = fact.reachable

    def _agent_fallback_talk_changed(self, fact: f.AgentFallbackTalkChanged) -> None:
        agent = self._agent(fact.agent)
        self.fallback_legs.pop(agent.fallback_leg, None)
        agent.fallback_leg = fact.leg if fact.talking else ""
        if not fact.talking:
            agent.tally.call_at = fact.at
        if fact.talking:
            self.fallback_legs[fact.leg] = agent

    # --- queues ---------------------------------------------------------------------------------

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

    def _recount(self, queue: Queue, at: datetime) -> None:
        queue.measures.count(at, len(queue.waiting), queue.serving)

    def _condition_changed(self, fact: f.ConditionChanged) -> None:
        queue = self.queue(fact.queue)
        if fact.phase is Phase.OFF:
            queue.standings.pop(fact.condition, None)
        elif any(condition.key == fact.condition for condition in queue.conditions):
            queue.standings[fact.condition] = Standing(fact.phase, fact.at)
        queue.condition_changed(fact.condition)

    def _queue_measured(self, fact: f.QueueMeasured) -> None:
        queue = self.queue(fact.queue)
        measures = queue.measures
        measures.line, measures.agents, measures.at = fact.line, fact.agents, fact.since
        short, middling, long = map(float, fact.levels)
        measures.levels = short, middling, long
        measures.recall(fact.minutes)
        wanted = {condition.key for condition in queue.conditions}
        read = (text.split(" ", 2) for text in fact.standings)
        queue.standings = {key: Standing(Phase(phase), datetime.fromisoformat(since)) for phase, since, key in read if key in wanted}
        for key in wanted:
            queue.condition_changed(key)
        self.look_soon(queue, fact.at)

    def _skills_expired(self, fact: f.SkillsExpired) -> None:
        agent = self._agent(fact.agent)
        self.lines.stand_back(agent)
        agent.skills_as_of = fact.at
        self._learn_skills(agent)
        self.lines.look_again(agent)
        self.lines.line_up(agent)

    def _agent_tallied(self, fact: f.AgentTallied) -> None:
        agent = self.agents.get(fact.agent)
        if agent is not None:
            self.lines.stand_back(agent)
            agent.tally = AgentTally.of(fact)
            self.lines.line_up(agent)

    # --- queues ---------------------------------------------------------------------------------

    def _queue_tallied(self, fact: f.QueueTallied) -> None:
        self.queue(fact.queue).tally = QueueTally.of(fact)

    def _callers_served(self, fact: f.CallersServed) -> None:
        for caller, agent in zip(fact.callers, fact.agents, strict=True):
            self._served(caller, agent)

    def _served(self, caller: str, agent: str) -> None:
        self.last_agents.pop(caller, None)
        self.last_agents[caller] = agent
        if len(self.last_agents) > CALLERS_REMEMBERED:
            del self.last_agents[next(iter(self.last_agents))]

    # --- nodes ----------------------------------------------------------------------------------

    def _node_up(self, fact: f.NodeUp) -> None:
        node = self.node(fact.node)
        node.started_at, node.lost_at = fact.started_at, None
        for alarm in node.held_back:
            self.deadlines.set(*alarm)
        node.held_back = set()
        for contact in self._unanswered_on(node):
            self._line_up_contact(contact)
        self.callbacks.line_up_all()

    def _node_away(self, fact: f.NodeAway) -> None:
        node = self.node(fact.node)
        node.lost_at = fact.lost_at
        self.deadlines.set(fact.lost_at, NODE_LOST, node.name)
        for contact in self._unanswered_on(node):
            self._step_aside(contact)
        self.callbacks.line_up_all()

    def _unanswered_on(self, node: Node) -> Iterable[Contact]:
        calls = (self.calls[call] for call in sorted(node.calls))
        names = (name for call in calls for name in (call.contact, call.consult.contact if call.consult else ""))
        contacts = (self.contacts.get(name) for name in names)
        return [contact for contact in contacts if contact is not None and contact.state in UNANSWERED]

    def _fallback_call_ended(self, fact: f.FallbackCallEnded) -> None:
        self.node(fact.node).log_offset = fact.log_offset

    # --- calls and legs -------------------------------------------------------------------------

    def _call_began(self, fact: f.CallBegan) -> None:
        call = Call(fact, attributes={CALLER: fact.caller} if fact.caller else {})
        self.calls[call.id] = call
        self.node(call.node).calls.add(call.id)
        if fact.direction not in (f.Direction.OUTBOUND, f.Direction.PERSISTENT):
            self._add_leg(call, Leg(fact.leg, agent=fact.agent, state=LegState.UP))

    def _leg_created(self, fact: f.LegCreated) -> None:
        call = self.calls[fact.call]
        self._add_leg(call, Leg(fact.leg, agent=fact.agent))
        agent = self.agents.get(fact.agent)
        if agent is not None and call.began.direction is f.Direction.PERSISTENT:
            agent.leg_to_be = fact.leg

    def _agent_leg_stays(self, fact: f.AgentLegStays) -> None:
        agent = self.agents.get(fact.agent)
        if agent is not None:
            agent.leg, agent.leg_to_be = fact.leg, ""

    def leg_of(self, agent: Agent) -> Leg | None:
        """Her leg that stays up, unless it is ending."""
        call = self.legs.get(agent.leg)
        leg = call.legs[agent.leg] if call is not None else None
        return None if leg is None or leg.closing else leg

    def _add_leg(self, call: Call, leg: Leg) -> None:
        call.legs[leg.id] = leg
        self.legs[leg.id] = call

    def _caller_list_hit(self, fact: f.CallerListHit) -> None:
        call = self.calls[fact.call]
        call.lists = (*call.lists, fact.list)

    def _number_unknown(self, fact: f.NumberUnknown) -> None:
        pass

    def _move_leg(self, fact: f.LegRinging | f.LegUp | f.LegGone) -> Leg:
        leg = self.calls[fact.call].legs[fact.leg]
        leg.state = transition(LEG_TRANSITIONS, leg.id, leg.state, fact)
        return leg

    def _leg_ringing(self, fact: f.LegRinging) -> None:
        self._move_leg(fact)

    def _leg_up(self, fact: f.LegUp) -> None:
        self._move_leg(fact)

    def _leg_was_held(self, fact: f.LegWasHeld) -> None:
        self.calls[fact.call].legs[fact.leg].held = True

    def _leg_was_resumed(self, fact: f.LegWasResumed) -> None:
        self.calls[fact.call].legs[fact.leg].held = False

    def _leg_closing(self, fact: f.LegClosing) -> None:
        self.calls[fact.call].legs[fact.leg].closing = True

    def _leg_gone(self, fact: f.LegGone) -> None:
        call = self.calls[fact.call]
        leg = self._move_leg(fact)
        if leg is call.caller_leg:
            call.cause = fact.cause
        del call.legs[leg.id]
        del self.legs[leg.id]
        agent = self.agents.get(leg.agent)
        if agent is not None and agent.leg == leg.id:
            agent.leg = ""
        if agent is not None and agent.leg_to_be == leg.id:
            agent.leg_to_be = ""

    def _call_ended(self, fact: f.CallEnded) -> None:
        self.calls[fact.call].ended_at = fact.at

    # --- flow runs ------------------------------------------------------------------------------

    def _flow_started(self, fact: f.FlowStarted) -> None:
        call = self.calls[fact.call]
        call.flow = FlowRun(self.flow(fact.flow), call.attributes)

    def _flow_moved(self, fact: f.FlowMoved) -> None:
        run = self._flow_run(fact.call)
        run.node, run.tries, run.playback, run.prompts, run.until = fact.node, fact.tries, fact.playback, fact.prompts, None
        run.digits = ""

    def _flow_listened(self, fact: f.FlowListened) -> None:
        run = self._flow_run(fact.call)
        run.playback, run.until = "", fact.until
        self.deadlines.set(fact.until, FLOW, fact.call)

    def _flow_key_pressed(self, fact: f.FlowKeyPressed) -> None:
        self._flow_run(fact.call).until = None

    def _flow_digit_taken(self, fact: f.FlowDigitTaken) -> None:
        run = self._flow_run(fact.call)
        run.digits += fact.digit
        run.playback, run.until = "", fact.until
        self.deadlines.set(fact.until, FLOW, fact.call)

    def _flow_collected(self, fact: f.FlowCollected) -> None:
        run = self._flow_run(fact.call)
        run.digits, run.until = "", None
        run.attributes[fact.attribute] = fact.digits

    def _flow_ended(self, fact: f.FlowEnded) -> None:
        self.calls[fact.call].flow = None

    def _flow_run(self, call: str) -> FlowRun:
        run = self.calls[call].flow
        if run is None:
            raise IllegalTransition(call, "not in a flow", "a step of a flow")
        return run

    # --- lines ----------------------------------------------------------------------------------

    def stand_in_line(self, waiter: Waiter) -> None:
        """It may be given to an agent from now on."""
        self.lines.stand(waiter)
        if waiter.kind != CONTACT:
            self._set_advance(waiter)

    def step_out(self, waiter_id: str) -> None:
        """It no longer stands in line, if it did."""
        self.lines.step_out(waiter_id)
        self._kept_apart.pop(("waiter", waiter_id), None)

    def waiter(self, waiter_id: str) -> Waiter | None:
        """Who waits, in line or offered."""
        contact = self.contacts.get(waiter_id)
        if contact is None:
            return self.waiters.get(waiter_id)
        return contact.waiter if contact.state in UNANSWERED else None

    def unanswered(self) -> list[Waiter]:
        """All who wait or are offered; for changes of the configuration, not for routing."""
        return [*(contact.waiter for contact in self.contacts.values() if contact.state in UNANSWERED), *self.lines.others()]

    def _set_advance(self, waiter: Waiter) -> None:
        waiter.advances_at = due = self.queue(waiter.queue).advances_at(waiter)
        if due is not None:
            self.deadlines.set(due, ADVANCE, waiter.id)

    def _waiter_advanced(self, fact: f.WaiterAdvanced) -> None:
        waiter = self.waiter(fact.contact)
        if waiter is None:
            raise IllegalTransition(fact.contact, "not waiting", type(fact).__name__)
        stands = self.lines.step_out(waiter.id) is not None
        queue = self.queue(waiter.queue)
        waiter.rung, waiter.band, waiter.preferred = min(fact.rung, len(queue.rungs) - 1), Band(fact.band), fact.preferred
        if stands:
            self.lines.stand(waiter)
        self._set_advance(waiter)

    def _line_up_contact(self, contact: Contact) -> None:
        """Where it belongs by its state; while its node is away, or as long as it is for one colleague, nowhere."""
        self._step_aside(contact)
        if contact.bound or self.node(self.calls[contact.entered.call].node).away:
            return
        if contact.state is ContactState.WAITING:
            self.stand_in_line(contact.waiter)
        elif contact.state is ContactState.OFFERED:
            queue = self.queue(contact.entered.queue)
            queue.ringing.put(queue.place_of(contact.waiter))

    def _step_aside(self, contact: Contact) -> None:
        self.step_out(contact.id)
        self.queue(contact.entered.queue).ringing.take(contact.id)

    # --- contacts and offers --------------------------------------------------------------------

    def _contact_entered(self, fact: f.ContactEntered) -> None:
        call = self.calls[fact.call]
        queue = self.queue(fact.queue)
        waiter = Waiter(fact.contact, fact.queue, fact.priority, fact.entered_at, fact.place, CONTACT, fact.require, fact.prefer)
        waiter.preferred, waiter.preferred_until = fact.preferred, fact.preferred_until
        waiter.rung, waiter.band = queue.rung_at(waiter.wait(fact.at)), queue.band_at(waiter, fact.at)
        contact = self.contacts[fact.contact] = Contact(fact, waiter, bound=fact.for_agent)
        if call.consult_of(contact.id) is None:
            call.contact = contact.id
        call.unfinished.add(contact.id)
        queue.unanswered += 1
        self._line_up_contact(contact)
        self._set_advance(waiter)
        self._overflow_later(contact, fact.overflow_at)
        self.deadlines.set(contact.music_at, MUSIC, contact.id)
        contact.announcing.status_at, contact.announcing.comfort_at = fact.status_at, fact.comfort_at
        self._announce_later(contact)
        queue.oldest.put((fact.entered_at, contact.id))
        self._recount(queue, fact.at)
        self.look_soon(queue, fact.at)

    def _move_contact(self, fact: f.Fact, contact_id: str) -> Contact:
        contact = self.contacts[contact_id]
        contact.state = transition(CONTACT_TRANSITIONS, contact_id, contact.state, fact)
        if contact.state in FINISHED:
            self.calls[contact.entered.call].unfinished.discard(contact_id)
        return contact

    def _contact_offered(self, fact: f.ContactOffered) -> None:
        contact = self._move_contact(fact, fact.contact)
        contact.offers[fact.offer] = fact
        self.offers[fact.offer] = contact
        self._line_up_contact(contact)
        call = self.calls[fact.call]
        if not fact.stays and fact.leg not in call.legs:  # agent first, she is there before the caller is
            self._add_leg(call, Leg(fact.leg, agent=fact.agent))
        self.deadlines.set(fact.until, OFFER, fact.offer)
        self._recount(self.queue(fact.queue), fact.at)

    def _offer_moved(self, fact: f.OfferMoved) -> None:
        contact = self._with_offer(fact)
        offered = contact.offers[fact.offer]
        missed = fact.why if offered.missed is None else said_most(offered.missed, fact.why)
        at_next = replace(offered, leg=fact.leg, until=fact.until, number=fact.number, device=fact.device, missed=missed)
        contact.offers[fact.offer] = at_next
        self._add_leg(self.calls[fact.call], Leg(fact.leg, agent=fact.agent))
        self.deadlines.set(fact.until, OFFER, fact.offer)

    def _offer_to_accept(self, fact: f.OfferToAccept) -> None:
        contact = self._with_offer(fact)
        contact.offers[fact.offer] = replace(contact.offers[fact.offer], until=fact.until)
        self.deadlines.set(fact.until, OFFER, fact.offer)

    def _with_offer(self, fact: f.OfferMoved | f.OfferToAccept) -> Contact:
        """The contact with that open offer."""
        contact = self.contacts[fact.contact]
        if contact.state is not ContactState.OFFERED or fact.offer not in contact.offers:
            raise IllegalTransition(contact.id, contact.state, type(fact).__name__)
        return contact

    def _offer_missed(self, fact: f.OfferMissed) -> None:
        self._take_back(fact)
        agent = self.agents.get(fact.agent)
        if agent is not None:
            agent.tally.missed(fact.queue, fact.at)

    def _offer_withdrawn(self, fact: f.OfferWithdrawn) -> None:
        self._take_back(fact)

    def _take_back(self, fact: f.OfferMissed | f.OfferWithdrawn) -> None:
        contact = self.contacts[fact.contact]
        if fact.offer not in contact.offers:
            raise IllegalTransition(contact.id, contact.state, fact)
        if contact.offers.keys() == {fact.offer} or contact.state is not ContactState.OFFERED:
            self._move_contact(fact, fact.contact)
        del contact.offers[fact.offer], self.offers[fact.offer]
        if self.calls[fact.call].consult_of(contact.id) is None:
            contact.bound = ""
        self._line_up_contact(contact)
        self._announce_later(contact)
        self._recount(self.queue(fact.queue), fact.at)

    def _contact_connected(self, fact: f.ContactConnected) -> None:
        contact = self._move_contact(fact, fact.contact)
        contact.connected_at = fact.at
        for offer in contact.offers:
            del self.offers[offer]
        contact.offers = {fact.offer: contact.offers[fact.offer]}
        self._line_up_contact(contact)
        contact.bound = ""
        call = self.calls[fact.call]
        if call.consult_of(contact.id) is None:
            call.bridge = fact.bridge
        queue, offered_at = self._no_longer_waits(contact, fact.at), contact.offers[fact.offer].at
        stood_in_line = offered_at > contact.entered.at
        in_time = fact.wait <= queue.config.target_wait
        self._learn_waits(queue, contact, fact.at, connected=True)
        queue.measures.answered(fact.at, stood_in_line=stood_in_line, rang=fact.at - offered_at, in_time=in_time)
        if contact.entered.caller and call.consult_of(contact.id) is None:
            self._served(contact.entered.caller, fact.agent)
        agent = self.agents.get(fact.agent)
        if agent is not None:
            agent.tally.answered(fact.queue, fact.at, self.config.window)

    def _no_longer_waits(self, contact: Contact, at: datetime) -> Queue:
        queue = self.queue(contact.entered.queue)
        queue.unanswered -= 1
        queue.oldest.take(contact.id)
        self._recount(queue, at)
        return queue

    def _leave_queue(self, fact: f.ContactAbandoned | f.ContactOverflowed) -> None:
        contact = self._move_contact(fact, fact.contact)
        self._line_up_contact(contact)
        queue = self._no_longer_waits(contact, fact.at)
        self._learn_waits(queue, contact, fact.at, connected=False)
        queue.measures.gone(fact.at, counts=isinstance(fact, f.ContactAbandoned) and not fact.short)
        call = self.calls[fact.call]
        if call.consult_of(contact.id) is not None:
            call.consult = None
        else:
            call.contact, call.left = "", contact.id

    def _contact_abandoned(self, fact: f.ContactAbandoned) -> None:
        self._leave_queue(fact)

    def _contact_overflowed(self, fact: f.ContactOverflowed) -> None:
        self.contacts[fact.contact].why = fact.why
        if fact.rule:
            self.calls[fact.call].overflowed_by.add(fact.rule)
        self._leave_queue(fact)

    def _callback_offered(self, fact: CallbackOffered) -> None:
        self.contacts[fact.contact].callback_offered = True

    def _learn_waits(self, queue: Queue, contact: Contact, at: datetime, *, connected: bool) -> None:
        for told_at, estimate in contact.announcing.told:
            came_true = outcome(told_at, estimate.under, at, connected=connected)
            if came_true is not None:
                queue.measures.came_true(estimate.expected, came_true)

    def _overflow_later(self, contact: Contact, overflow_at: datetime | None) -> None:
        contact.overflow_at = overflow_at
        if overflow_at is not None:
            self.deadlines.set(overflow_at, OVERFLOW, contact.id)

    def _overflow_planned(self, fact: f.OverflowPlanned) -> None:
        self._overflow_later(self.contacts[fact.contact], fact.overflow_at)

    def _announce_later(self, contact: Contact) -> None:
        due_at = contact.announcing.due_at
        if due_at is not None:
            self.deadlines.set(due_at, ANNOUNCE, contact.id)

    def _contact_announced(self, fact: f.ContactAnnounced) -> None:
        contact = self.contacts[fact.contact]
        if contact.state is not ContactState.WAITING:
            raise IllegalTransition(contact.id, contact.state, type(fact).__name__)
        announcing = contact.announcing
        announcing.playback, announcing.comforts = fact.playback, fact.comforts
        announcing.status_at, announcing.comfort_at = fact.status_at, fact.comfort_at
        if fact.position is not None:
            announcing.position = fact.position
        if fact.under is not None:
            announcing.told.append((fact.at, Estimate(fact.under, fact.expected or fact.under)))

    def _announcement_ended(self, fact: f.AnnouncementEnded) -> None:
        contact = self.contacts[fact.contact]
        contact.announcing.playback, contact.announcing.quiet_until = "", fact.quiet_until
        self._announce_later(contact)

    def _announcements_planned(self, fact: f.AnnouncementsPlanned) -> None:
        contact = self.contacts[fact.contact]
        contact.announcing.status_at, contact.announcing.comfort_at = fact.status_at, fact.comfort_at
        self._announce_later(contact)

    def _contact_held(self, fact: f.ContactHeld) -> None:
        self.contacts[fact.contact].held_since = fact.at

    def _contact_resumed(self, fact: f.ContactResumed) -> None:
        contact = self.contacts[fact.contact]
        contact.hold, contact.held_since = contact.held(fact.at), None

    def _contact_parted(self, fact: f.ContactParted) -> None:
        contact = self._move_contact(fact, fact.contact)
        contact.hold, contact.held_since, contact.parted_at = fact.hold, None, fact.at
        call = self.calls[fact.call]
        if call.consult_of(contact.id) is not None:
            call.consult = None
        else:
            call.contact = call.bridge = ""
        self.queue(fact.queue).tally.talked(fact.talk)
        agent = self.agents.get(fact.agent)
        if agent is not None:
            agent.tally.talked(fact.talk, fact.at, self.config.window)

    def _disposition_given(self, fact: f.DispositionGiven) -> None:
        contact = self.contacts[fact.contact]
        if contact.state not in (ContactState.CONNECTED, ContactState.WRAPPING):
            raise IllegalTransition(contact.id, contact.state, type(fact).__name__)
        contact.disposition = fact.disposition

    def _contact_ended(self, fact: f.ContactEnded) -> None:
        self._move_contact(fact, fact.contact)

    # --- consults -------------------------------------------------------------------------------

    def _leg_joined(self, fact: f.LegJoined) -> None:
        self._add_leg(self.calls[fact.call], Leg(fact.leg, agent=fact.agent, state=LegState.UP))

    def _consult_began(self, fact: f.ConsultBegan) -> None:
        self.calls[fact.call].consult = Consult(fact.contact, fact.agent, fact.leg, fact.bridge)

    def _consult(self, fact: f.ConsultTurned | f.CallerHandedOver) -> Consult:
        consult = self.calls[fact.call].consult_of(fact.contact)
        if consult is None:
            raise IllegalTransition(fact.contact, "not a consult", type(fact).__name__)
        return consult

    def _consult_turned(self, fact: f.ConsultTurned) -> None:
        self._consult(fact).hears = fact.hears

    def _caller_handed_over(self, fact: f.CallerHandedOver) -> None:
        call, contact = self.calls[fact.call], self.contacts[fact.contact]
        bridge = self._consult(fact).bridge
        call.contact, call.consult = contact.id, None
        call.bridge = bridge if contact.state is ContactState.CONNECTED else ""
        if contact.state is ContactState.CONNECTED and contact.offer and contact.entered.caller:
            self._served(contact.entered.caller, contact.offer.agent)

    # --- recordings -----------------------------------------------------------------------------

    def _recording_started(self, fact: f.RecordingStarted) -> None:
        self.calls[fact.call].recording = fact.recording

    def _recording_stopped(self, fact: f.RecordingStopped) -> None:
        self.calls[fact.call].recording = ""

    def _recording_missing(self, fact: f.RecordingMissing) -> None:
        if fact.call in self.calls:
            self.calls[fact.call].recording = ""


def _keep_nowhere(number: int, fact: f.QueueFact) -> None:
    pass


def _served(config: AgentConfig, agent: Agent) -> tuple[str, ...]:
    """Her queues, but for those she opted out of as far as she still may."""
    return tuple(name for name in config.queues if name not in agent.opted_out or name not in config.may_opt_out)


@lru_cache
def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
