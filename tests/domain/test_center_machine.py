"""The center under anything that can happen, in any order: the invariants hold, and restored equals live.

Invariants A1-A6 and A9 (docs/invariants.md says them in full): one life per agent, one place per caller, the
books balance, first come first served, nobody who must not be offered is, nobody idles while a caller
waits, and waits agree. Each is checked from the facts and the fake PBX, against a model of their own.
"""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import time, timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from callcenter.domain import consults
from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.call import Call
from callcenter.domain.center import Center
from callcenter.domain.conditions import Comparator, Condition, Metric
from callcenter.domain.config import (
    AgentConfig,
    AnnounceConfig,
    CallbackConfig,
    CallingConfig,
    Canary,
    Device,
    DispositionRule,
    MissPolicy,
    NumberConfig,
    OccupancyRule,
    PositionTold,
    QueueConfig,
    SupervisorConfig,
)
from callcenter.domain.consults import places
from callcenter.domain.contact import ContactState
from callcenter.domain.enrolment import SERVING
from callcenter.domain.facts import AgentState
from callcenter.domain.facts import callbacks as cf
from callcenter.domain.hours_plan import Plan, expand
from callcenter.domain.ids import Ids
from callcenter.domain.ivr.deciding import Case
from callcenter.domain.ivr.dipping import DipNode, DipQuestion
from callcenter.domain.ivr.expressions import parse
from callcenter.domain.ivr.flow import (
    CallbackNode,
    CollectNode,
    ConditionNode,
    Flow,
    HangUpNode,
    MenuNode,
    OutsideNode,
    PromptNode,
    QueueNode,
    ReturnNode,
    SubflowNode,
)
from callcenter.domain.ivr.grammar import Grammar
from callcenter.domain.ivr.listening import UNDERSTOOD, UNSURE, SpeechNode, SpeechQuestion
from callcenter.domain.ivr.off_record import PauseRecordingNode, ResumeRecordingNode
from callcenter.domain.ivr.questions import ANSWERED, FAILED, Question
from callcenter.domain.ivr.speech import SpeakAs, Spoken
from callcenter.domain.ivr.surveying import SurveyNode
from callcenter.domain.ivr.switch_flow import hours_switch
from callcenter.domain.ivr.switching import WRONG, PinQuestion
from callcenter.domain.ivr.templates import template
from callcenter.domain.mailbox_config import MailboxConfig
from callcenter.domain.mailbox_pin import NONE_SET, RIGHT, MailboxPinQuestion
from callcenter.domain.mailbox_pin import WRONG as WRONG_PIN
from callcenter.domain.overflow_rules import Closing, Overflow, OverflowRow, OverflowTo
from callcenter.domain.queue import Unfit
from callcenter.domain.routing_config import Membership, RelaxStep, Routing, Skill, Strategy
from callcenter.domain.state import State
from callcenter.domain.survey_kinds import SurveyKind, SurveyRule
from callcenter.sim.checker import Checker
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.scripted_answers import Scripted
from callcenter.sim.timeline import Timeline
from callcenter.sim.world import NODE, World, small_center

AGENTS = ("alice", "bob", "carol")
SPEAK = SpeechNode(
    "say-it",
    {"en": Grammar("en", {"support": "support", "expert": "expert"})},
    {"1": "support", "2": "expert"},
    "in",
    choices={"support": "in"},
    next="ask",
    confirm_prompt="is-it",
    tries=2,
)
PARTNER = "+12025550188"
MENU = Flow(
    "menu",
    "ask",
    {
        "ask": MenuNode("press-1", {"1": "in", "2": "vip", "3": "code", "#": "who", "4": "speak"}, "end", tries=2),
        "who": SubflowNode("who", "tier", {"number": template("{caller}")}),
        "tier": ConditionNode((Case(parse('attribute.tier == "gold" and queue.support.waiting < 3'), "vip"),), "out"),
        "out": OutsideNode(PARTNER, "in", timedelta(seconds=6)),
        "code": CollectNode("enter-code", "code", "repeat", "end", min_length=2, max_length=3, tries=2),
        "repeat": PromptNode(("you-entered", Spoken(SpeakAs.DIGITS, "code")), "in"),
        "speak": SPEAK,
        "in": QueueNode("support"),
        "vip": QueueNode("support", 3),
        "end": HangUpNode(),
    },
)
WHO = Flow(
    "who",
    "look",
    {
        "look": DipNode("crm", "back", "back", "back", {"number": template("{number}")}, filler="one-moment"),
        "back": ReturnNode(),
    },
    parameters=("number",),
)
VERSIONS = {
    ("menu", number): replace(MENU, version=number, nodes={**MENU.nodes, "repeat": PromptNode((f"you-entered-{number}",), "ask")})
    for number in (1, 2, 3)
}
"""Each says something else when a code was entered; callers stay in theirs."""
ANNOUNCE = AnnounceConfig(
    PositionTold.MORE, 2, ewt=True, first_after=timedelta(seconds=5), every=timedelta(seconds=20), comfort=("comfort", "broken")
)
CONDITIONS = (
    Condition(Metric.WAITING, Comparator.AT_LEAST, 2, timedelta(seconds=3)),
    Condition(Metric.LONGEST_WAIT, Comparator.ABOVE, 10),
    Condition(Metric.SERVICE_LEVEL, Comparator.BELOW, 0.8, queue="sales"),
)
AGENT_FIRST = CallbackConfig(
    "5", "back", attempts=2, retry_after=timedelta(seconds=20), ring_time=timedelta(seconds=12), expires_after=timedelta(minutes=10)
)
CALLER_FIRST = replace(AGENT_FIRST, agent_first=False, flow="")
BACK = Flow(
    "back",
    "promise",
    {
        "promise": CallbackNode("support", "menu", "menu"),
        "menu": MenuNode("press-1", {"1": "wait", "2": "later"}, "end", tries=1),
        "later": CallbackNode("support", "end", "end", after=timedelta(seconds=40)),
        "wait": QueueNode("support"),
        "end": HangUpNode(),
    },
)
HEARD = (Scripted(UNSURE, {"heard": "support"}), Scripted(UNDERSTOOD, {"heard": "yes"}))
"""Of two phrases; and of the seven or eight of yes and no."""
SURVEY = Flow(
    "survey",
    "how",
    {
        "how": SurveyNode("how", SurveyKind.CSAT, "how-was-it", "recommend", "end"),
        "recommend": SurveyNode("recommend", SurveyKind.NPS, "recommend", "end", "end"),
        "end": HangUpNode(),
    },
)
SURVEYED = SurveyRule("survey", not_again_within=timedelta(seconds=60))
PAY = Flow(
    "pay",
    "off",
    {
        "off": PauseRecordingNode("card"),
        "card": CollectNode("enter-card", "card", "consent", "sorry", max_length=2, secret=True, tries=2),
        "consent": ResumeRecordingNode("sorry"),
        "sorry": PromptNode("wrong-key", "back"),
        "back": ReturnNode("paid"),
    },
)
NUMBERS = ("+12025550101", "+12025550102", "anonymous")
EXPERT = Routing(
    Strategy.LEAST_OCCUPIED,
    require="spanish >= 50",
    prefer="billing",
    relax=(
        RelaxStep("lower", after=timedelta(seconds=15), require="spanish"),
        RelaxStep("anybody", after=timedelta(seconds=40), waive=("spanish",)),
        RelaxStep(
            "office",
            when=Condition(Metric.WAITING, Comparator.AT_LEAST, 2, timedelta(seconds=2), release=0),
            groups=("office",),
        ),
    ),
    acceleration=6.0,
    priority_cap=2.0,
    starve_after=timedelta(seconds=60),
    last_agent_wait=timedelta(seconds=10),
)
"""Everything together: alice may take its contacts at once, bob after 15 s, carol as a reserve until her Spanish expires."""
CROWD = Condition(Metric.WAITING, Comparator.ABOVE, 4, timedelta(seconds=2), release=2)
QUEUES = [
    QueueConfig(
        "support",
        wrap_up=timedelta(seconds=7),
        max_wait=timedelta(seconds=90),
        watched=CONDITIONS,
        announce=ANNOUNCE,
        callback=AGENT_FIRST,
        survey=SURVEYED,
        keys={"9": Overflow(OverflowTo.QUEUE, "care"), "8": Overflow(OverflowTo.VOICEMAIL, "queue:support")},
        overflows=(
            OverflowRow(Overflow(OverflowTo.CALLBACK), waited=timedelta(seconds=50)),
            OverflowRow(
                Overflow(OverflowTo.QUEUE, "sales"), Condition(Metric.WAITING, Comparator.ABOVE, 4, timedelta(seconds=2), release=2)
            ),
        ),
    ),
    QueueConfig(
        "sales",
        wrap_up=timedelta(),
        max_waiting=3,
        record=False,
        callback=CALLER_FIRST,
        overflows=(OverflowRow(Overflow(OverflowTo.FLOW, "menu"), Condition(Metric.AGENTS_LOGGED_IN, Comparator.AT_MOST, 0)),),
        hours="day",
        closing=Closing(Overflow(OverflowTo.QUEUE, "support")),
    ),
    QueueConfig(
        "care",
        wrap_up=timedelta(seconds=5),
        wrap_up_extension=timedelta(seconds=4),
        dispositions=DispositionRule(("solved", "open"), required=True, then_not_ready="lunch"),
    ),
    QueueConfig("expert", survey=SURVEYED, routing=EXPERT, wrap_up=timedelta(seconds=2), max_wait=timedelta(seconds=70)),
    QueueConfig("team", routing=Routing(Strategy.RING_ALL), wrap_up=timedelta(seconds=1), max_wait=timedelta(seconds=40)),
]
CALENDARS = {"day": expand(Plan("day", "UTC", dict.fromkeys(range(7), ((time(9, 6), time(9, 3)),))), Timeline().now.date())}
DIDS = ("+18005550100", "+18005550101", "+18005550102", "+18005550200", "+18005559999", "+18005550104", "+18005550103")
DIRECT = (*DIDS[:3], *DIDS[5:])
SWITCH = "+18005550190"
EXTENSIONS = ("200", "201", "202", "300", "304")
FRIEND = "+12025550165"
ASKED = (*EXTENSIONS, FRIEND)
"""Who may be consulted; the last one is outside."""
"""Of alice, bob, carol, the queues support and team."""


def asdict(thing: Any) -> dict[str, object]:
    """Its fields by name; what is inside is compared as it is, for copies take most of the time."""
    return {field.name: getattr(thing, field.name) for field in fields(thing) if field.compare}


def picture(state: State) -> object:
    """All that the state knows, in a form that can be compared."""
    return {
        "calls": {k: (asdict(c.began), {i: asdict(leg) for i, leg in c.legs.items()}, asdict(c.flow) if c.flow else None, c.contact,
                      c.attributes, c.left, sorted(c.overflowed_by), c.bridge, asdict(c.consult) if c.consult else None, c.recording,
                      c.payment, c.paused, c.desk, asdict(c.own) if c.own else None, c.outside,
                      asdict(c.supervision) if c.supervision else None,
                      c.cause, c.ended_at,
                      sorted(c.unfinished)) for k, c in state.calls.items()},
        "legs": {leg: call.id for leg, call in state.legs.items()},
        "contacts": {k: asdict(c) for k, c in state.contacts.items()},
        "agents": {k: (a.state, a.reason, a.since, a.idle_since, a.contact, a.until, a.extended, a.remembered, a.missed_at,
                       a.load, a.figures, a.own_calls,
                       a.keys, a.keys_until, a.queues, a.opted_out, a.leg, a.leg_to_be, a.reachable, a.fallback_leg)
                   for k, a in state.agents.items()},
        "queues": {k: (q.waiting.in_order(), q.ready.in_order(), q.ringing.in_order(),
                       q.unanswered, q.logged_in, q.serving, q.oldest.in_order(), q.standings, q.tally) for k, q in state.queues.items()},
        "measures": {k: (q.measures.at, q.measures.line, q.measures.agents, q.measures.levels, q.measures.remembered())
                     for k, q in state.queues.items()},
        "skills": {k: (a.skills, a.skills_as_of, a.tally) for k, a in state.agents.items()},
        "pools": {(k, key): (pool.waiting.in_order(), pool.ready.in_order()) for k, q in state.queues.items()
                  for key, pool in q.pools.items() if pool.waiting},
        "personal": {k: line.in_order() for k, line in state.lines.personal.items() if line},
        "offers": {k: c.id for k, c in state.offers.items()},
        "waiters": {k: asdict(w) for k, w in state.waiters.items()},
        "surveyed": list(state.surveyed.items()),
        "callbacks": ({k: asdict(c) | {"history": len(c.history)} for k, c in state.callbacks.open.items()},
                      {k: c.id for k, c in state.callbacks.by_number.items()}, {k: c.id for k, c in state.callbacks.by_call.items()},
                      {k: c.id for k, c in state.callbacks.asked_in.items()},
                      {k: line.in_order() for k, line in state.callbacks.owned.items() if len(line)}),
        "switches": (state.switches, state.pin_locks),
        "do_not_call": dict(state.do_not_call),
        "visits": {k: asdict(c.visit) | {"digits": ""} for k, c in state.calls.items() if c.visit},
        "mailboxes": {k: asdict(state.mailboxes.mailbox(k)) | {"history": 0, "refusals": 0, "messages": [
                          (m.left, m.heard, m.kept_until) for m in state.mailboxes.mailbox(k).messages.values()]} for k in MAILBOXES},
        "messages": list(state.mailboxes.messages),
        "supervising": ({k: c.id for k, c in state.supervising.items()}, {k: sorted(c) for k, c in state.supervised.items()},
                        {k: c.id for k, c in state.snoops.items()}),
        "notices": {k: asdict(n) for k, n in state.notices.open.items()},
        "nodes": {k: (n.started_at, n.lost_at, sorted(n.calls), n.log_offset) for k, n in state.nodes.items()},
    }  # fmt: skip


MAILBOXES = {
    "queue:support": MailboxConfig("queue:support", most=3, keep=timedelta(minutes=4), lamps=("alice", "bob")),
    "agent:carol": MailboxConfig("agent:carol", lamps=("carol",), longest=timedelta(seconds=15)),
}
CALM = OccupancyRule(0.5, timedelta(seconds=20))
MOBILE = "+12025550171"
ALL = tuple(queue.name for queue in QUEUES)
CREW = {
    name: AgentConfig(name, f"phone-of-{name}", ALL, may, least, devices=devices, persistent=name == "bob", browser=name != "carol")
    for name, may, least, devices in (
        ("alice", (), 1, ()),
        ("bob", ("support", "care"), 3, ()),
        ("carol", ALL, 0, (Device(ring=timedelta(seconds=6)), Device(MOBILE, timedelta(seconds=8), timedelta(seconds=5)))),
    )
}
CREW["alice"] = replace(CREW["alice"], skills={"spanish": Skill(80), "billing": Skill(10)})
CREW["bob"] = replace(CREW["bob"], skills={"spanish": Skill(20)}, memberships={"expert": Membership(1, timedelta(seconds=5))})
EXPIRES = Timeline().now + timedelta(seconds=200)
CREW["carol"] = replace(
    CREW["carol"], queues=tuple(name for name in ALL if name != "expert"), skills={"spanish": Skill(60, EXPIRES)}, groups=("office",)
)
CREW["sam"] = AgentConfig("sam", "phone-of-sam", least_queues=0)
"""Serves no queue: a supervisor only."""
MISSES = MissPolicy(most=2, within=timedelta(seconds=60), rest=timedelta(seconds=3), busy_rest=timedelta(seconds=8))


def node_away(world: World, seconds: float, crashed: bool) -> None:
    world.lose_node()
    world.run_for(seconds)
    if crashed:
        world.pbx.crash()
    world.pbx.listening = True
    state = world.center.state
    cause = e.Cause.NODE_CRASH if crashed else e.Cause.UNKNOWN
    for leg in sorted(state.legs):
        channel = world.pbx.channels.get(leg)
        if channel is None:
            world.tell(e.LegEnded(leg, cause))
        elif channel.up:
            world.tell(e.LegAnswered(leg))
        place = places(state, state.legs[leg]).get(leg, "") if leg in state.legs else ""
        if channel is not None and place not in ("", channel.bridge):
            world.tell(e.LegFoundAlone(leg))
        if channel is not None and not channel.bridge:
            world.tell(e.LegFoundAlone(leg))
            recording = leg in {live.leg for live in world.pbx.messages.live.values()}
            if not channel.playback and not channel.music and not recording:
                world.tell(e.LegFoundSilent(leg))
    for snoop in sorted(set(state.snoops) - set(world.pbx.channels)):
        supervision = state.snoops[snoop].supervision
        world.tell(e.LegFoundAlone(supervision.leg if supervision else ""))
    for leg in sorted(set(world.pbx.channels) - set(state.legs) - set(state.snoops)):
        world.pbx.release(leg)
    rooms = {call.bridge for call in state.calls.values()} | {call.consult.bridge for call in state.calls.values() if call.consult}
    rooms |= {call.supervision.bridge for call in state.calls.values() if call.supervision}
    for bridge in sorted(set(world.pbx.bridges) - rooms):
        world.pbx.destroy_bridge(bridge)
    world.tell(e.NodeConnected(NODE, world.pbx.started_at))


def begin_consult(world: World, did: str, whom: str, by_phone: bool, mood: Mood, seconds: int) -> None:
    """All are ready; who is given the caller asks whom, at the console or with her phone; so many seconds ago."""
    world.pbx.outside[FRIEND] = Phone(mood, lambda: timedelta(seconds=2))
    for agent in AGENTS:
        world.pbx.phones[f"phone-of-{agent}"] = Phone(Mood.ANSWERS, lambda: timedelta(seconds=1))
        world.tell(e.PhoneReachable(f"phone-of-{agent}"))
        world.agent_ready(agent)
    world.pbx.call_in(did)
    world.run_for(2)
    own = next((c for c in world.center.state.contacts.values() if c.state is ContactState.CONNECTED), None)
    if own is None or own.offer is None:
        return
    agent, leg = own.offer.agent, own.offer.leg
    for other in set(AGENTS) - {agent}:
        world.pbx.phones[f"phone-of-{other}"] = Phone(mood, lambda: timedelta(seconds=2))
    if by_phone:
        world.pbx.party_holds(leg)
        world.pbx.dial_from_phone(f"phone-of-{agent}", whom)
    else:
        world.tell(e.ConsultRequested(agent, *world.center.state.extensions.get(whom, ("", "", whom))))
    world.run_for(seconds)


CONSULT_STEPS = "kxsfkxsfwwchHrRNQCbtnppuu"
PAYMENT_STEPS = "ppPdddddddwwwchLNCbBtnuu"


def consult_step(world: World, step: str) -> None:
    """Something that agent, consulted, caller, PBX or engine may do to the consult that goes on."""
    state, pbx = world.center.state, world.pbx
    call = next((call for call in state.calls.values() if call.consult), None) or next(iter(state.calls.values()), None)
    if call is None:
        return
    own, consult = consults.talk_leg(state, call), call.consult
    agent = consult.agent if consult else "alice"
    asked = state.contacts.get(consult.contact) if consult else None
    other = consult.outside.leg if consult and consult.outside else asked.offer.leg if asked and asked.offer else "nobody"
    second = consult.leg if consult else "nobody"
    do: dict[str, Callable[[], object]] = {
        "k": lambda: world.tell(e.CompleteRequested(agent)),
        "x": lambda: world.tell(e.CancelRequested(agent)),
        "s": lambda: world.tell(e.SwapRequested(agent)),
        "f": lambda: world.tell(e.ConferenceRequested(agent)),
        "w": lambda: world.run_for(3),
        "c": lambda: pbx.party_hangs_up(call.began.leg),
        "h": lambda: pbx.party_hangs_up(own),
        "H": lambda: pbx.party_hangs_up(second, e.Cause.LOST),
        "r": lambda: pbx.party_refers(own, "200", second),
        "R": lambda: pbx.party_refers(second, "200", own),
        "N": lambda: node_away(world, 2, False),
        "Q": lambda: pbx.party_hangs_up(other),
        "C": world.crash_and_restore,
        "b": lambda: pbx.party_holds(own),
        "t": lambda: world.tell(e.TransferRequested(agent, "team")),
        "n": lambda: world.tell(e.AgentLogoutRequested(agent)),
        "p": lambda: world.tell(e.PaymentRequested(agent)),
        "P": lambda: world.tell(e.PaymentEndRequested(agent)),
        "d": lambda: (pbx.party_presses(call.began.leg, "4"), world.run_for(1)),
        "L": lambda: pbx.party_hangs_up(own, e.Cause.LOST),
        "B": lambda: pbx.party_holds(own, False),
        "u": lambda: world.tell(e.AgentLegResumeRequested(agent)),
    }
    do[step]()


def knows_the_pin(question: Question) -> Scripted:
    if isinstance(question, SpeechQuestion):
        return HEARD[len(question.grammar.phrases) % 2]
    if isinstance(question, DipQuestion):
        return Scripted(ANSWERED, {"tier": "gold" if question.parameters["number"].endswith("1") else "silver"}, timedelta(seconds=2.5))
    right = isinstance(question, PinQuestion) and question.digits.startswith("1")
    return Scripted(ANSWERED if right else WRONG if isinstance(question, PinQuestion) else FAILED)


class CenterMachine(RuleBasedStateMachine):
    steps = 0

    def __init__(self) -> None:
        super().__init__()
        center = small_center(QUEUES, AGENTS, [MENU, BACK, PAY, SURVEY, WHO])
        agents = {name: replace(agent, extension=f"20{n}") for n, (name, agent) in enumerate(CREW.items())}
        queues = {name: replace(queue, extension=f"30{n}") for n, (name, queue) in enumerate(center.queues.items())}
        agents["carol"] = replace(agents["carol"], then_voicemail=True)
        rules: dict[str, Any] = {"mailboxes": MAILBOXES, "missed_offers": MISSES, "occupancy": CALM, "calling": CallingConfig("carrier")}
        rules["feature_prefix"] = "*"
        agents["alice"], agents["carol"] = (replace(agents[name], may_dial=("+1202",)) for name in ("alice", "carol"))
        rules["supervisors"] = {"sam": SupervisorConfig("sam", ("*",)), "carol": SupervisorConfig("carol", ("support", "care"))}
        rules["calendars"], rules["payment_flows"] = CALENDARS, ("pay",)
        rules |= {"flow_versions": VERSIONS, "flows": {**center.flows, "menu": VERSIONS["menu", 1]}}
        rules["numbers"] = {**center.numbers, SWITCH: NumberConfig(SWITCH, hours_switch("day"))}
        self.world = World(replace(center, agents=agents, queues=queues, **rules))
        self.world.pbx.broken_prompts.add("broken")
        self.world.answers.script = knows_the_pin
        self.pressed_1: set[str] = set()
        self.checker = Checker()
        self.checker.keep(self.world.facts, self.world.config)
        self.world.on_facts = self.kept
        self.offered: list[f.ContactOffered] = []
        self.seen = 0
        self.folded, self.folded_on = State(self.world.config), 0

    @invariant()
    def a_step_is_counted(self) -> None:
        type(self).steps += 1

    def kept(self, facts: Sequence[f.Fact]) -> None:
        self.world.facts.extend(facts)
        if facts:
            self.checker.keep(facts, self.world.center.state.config)

    # --- what can happen ------------------------------------------------------------------------

    def press(self, leg: str, digit: str) -> None:
        if digit == "1":
            self.pressed_1.add(leg)
        self.world.pbx.party_presses(leg, digit)

    def leg(self, n: int) -> str:
        channels = sorted(self.world.pbx.channels)
        return channels[n % len(channels)] if channels else "nobody"

    @rule(did=st.sampled_from(DIDS))
    def somebody_calls(self, did: str) -> None:
        self.world.pbx.call_in(did)

    @rule(seconds=st.integers(1, 60))
    def somebody_comes_back_from_the_fallback(self, seconds: int) -> None:
        self.world.pbx.call_in(DIDS[0], waiting_since=self.world.now - timedelta(seconds=seconds))

    @rule(n=st.integers(0, 50), cause=st.sampled_from([e.Cause.NORMAL, e.Cause.NORMAL, e.Cause.LOST]))
    def somebody_hangs_up(self, n: int, cause: e.Cause) -> None:
        self.world.pbx.party_hangs_up(self.leg(n), cause)

    @rule(n=st.integers(0, 50), digit=st.sampled_from("1239#"))
    def somebody_presses_a_key(self, n: int, digit: str) -> None:
        self.press(self.leg(n), digit)

    @rule(n=st.integers(0, 50), hold=st.booleans())
    def somebody_holds(self, n: int, hold: bool) -> None:
        self.world.pbx.party_holds(self.leg(n), hold)

    @rule(agent=st.sampled_from((*AGENTS, "mallory")), what=st.sampled_from("lrrrnowedgb"))
    def an_agent_asks(self, agent: str, what: str) -> None:
        asked: dict[str, e.Event] = {
            "l": e.AgentLoginRequested(agent),
            "r": e.AgentReadyRequested(agent),
            "n": e.AgentNotReadyRequested(agent, "break"),
            "o": e.AgentLogoutRequested(agent),
            "w": e.WrapUpEndRequested(agent),
            "e": e.WrapUpExtensionRequested(agent),
            "d": e.DispositionChosen(agent, "solved"),
            "g": e.ConsoleGone(agent),
            "b": e.ConsoleBack(agent),
        }
        if what == "r":
            self.world.tell(asked["l"])
            self.world.tell(e.WrapUpEndRequested(agent))
        self.world.tell(asked[what])

    @rule(agent=st.sampled_from(AGENTS), code=st.sampled_from(["*11", "*12", "*13", "*141", "*15", "*16", "*18"]))
    def an_agent_dials_a_star_code(self, agent: str, code: str) -> None:
        self.world.pbx.dial_from_phone(f"phone-of-{agent}", code)

    @rule(agent=st.sampled_from(AGENTS), queue=st.sampled_from([*ALL, "nowhere"]), out=st.booleans())
    def an_agent_opts(self, agent: str, queue: str, out: bool) -> None:
        self.world.tell(e.OptOutRequested(agent, queue) if out else e.OptInRequested(agent, queue))

    @invariant()
    def who_opted_out_may_and_serves_enough(self) -> None:
        for agent in self.world.center.state.agents.values():
            config = CREW[agent.name]
            assert set(agent.queues) == set(config.queues) - set(agent.opted_out)
            assert set(agent.opted_out) <= set(config.may_opt_out)
            assert len(agent.queues) >= config.least_queues

    @rule(keys=st.text("123#", max_size=6), agent=st.none() | st.sampled_from(AGENTS), seconds=st.integers(0, 3))
    def somebody_dials_the_switch(self, keys: str, agent: str | None, seconds: int) -> None:
        """Whose PIN begins with 1 gets in."""
        leg = self.world.pbx.call_in(SWITCH) if agent is None else self.world.pbx.dial_from_phone(f"phone-of-{agent}", "*19")
        for key in keys:
            self.world.run_for(seconds)
            self.press(leg, key)

    @rule(is_open=st.none() | st.booleans(), seconds=st.none() | st.integers(1, 120))
    def the_hours_are_switched_by_hand(self, is_open: bool | None, seconds: int | None) -> None:
        until = self.world.now + timedelta(seconds=seconds) if seconds is not None else None
        self.world.tell(e.HoursSwitchRequested("day", is_open, until, "fire drill", "somebody"))

    @rule(version=st.sampled_from([1, 2, 3]), canary=st.none() | st.sampled_from([1, 2, 3]))
    def a_flow_is_published(self, version: int, canary: int | None) -> None:
        flows = {**self.world.config.flows, "menu": VERSIONS["menu", version]}
        canaries = {} if canary is None else {"menu": Canary(VERSIONS["menu", canary], 0.5)}
        self.world.config = replace(self.world.config, flows=flows, canaries=canaries)
        self.world.tell(e.FlowsChanged(flows, VERSIONS, canaries))

    @invariant()
    def callers_stay_in_the_version_they_began_with(self) -> None:
        for call in self.world.center.state.calls.values():
            if call.flow is not None and call.flow.flow.name == "menu":
                began = next(fact for _, fact in reversed(call.history) if isinstance(fact, f.FlowStarted))
                assert call.flow.flow is VERSIONS["menu", began.version]

    @rule(agent=st.sampled_from(AGENTS), queue=st.sampled_from(["support", "sales", "team", "nowhere"]))
    def an_agent_transfers(self, agent: str, queue: str) -> None:
        self.world.tell(e.TransferRequested(agent, queue))

    @rule(agent=st.sampled_from(AGENTS), what=st.sampled_from("tckxsfppPuu"), whom=st.sampled_from([*AGENTS, "support", "team", "nowhere"]))
    def an_agent_asks_about_her_caller(self, agent: str, what: str, whom: str) -> None:
        to = (agent, "", whom) if whom in AGENTS else (agent, whom, "")
        asked: dict[str, e.Event] = {
            "t": e.TransferRequested(*to),
            "c": e.ConsultRequested(*to),
            "k": e.CompleteRequested(agent),
            "x": e.CancelRequested(agent),
            "s": e.SwapRequested(agent),
            "f": e.ConferenceRequested(agent),
            "u": e.AgentLegResumeRequested(agent),
            "p": e.PaymentRequested(agent),
            "P": e.PaymentEndRequested(agent),
        }
        self.world.tell(asked[what])

    @rule(n=st.integers(0, 50), dialed=st.sampled_from([*EXTENSIONS, "+12025550123", ""]), into=st.none() | st.integers(0, 50))
    def a_phone_refers(self, n: int, dialed: str, into: int | None) -> None:
        self.world.pbx.party_refers(self.leg(n), dialed, None if into is None else self.leg(into))

    @rule(agent=st.sampled_from(AGENTS), extension=st.sampled_from(EXTENSIONS))
    def an_agent_dials_an_extension(self, agent: str, extension: str) -> None:
        self.world.pbx.dial_from_phone(f"phone-of-{agent}", extension)

    @rule(
        did=st.sampled_from(DIRECT),
        whom=st.sampled_from(ASKED),
        by_phone=st.booleans(),
        mood=st.sampled_from([Mood.ANSWERS, Mood.ANSWERS, *Mood]),
        seconds=st.integers(0, 4),
        then=st.text(CONSULT_STEPS, max_size=6),
    )
    def somebody_is_consulted(self, did: str, whom: str, by_phone: bool, mood: Mood, seconds: int, then: str) -> None:
        """Once all others have left; one has a caller and asks another, and then what may happen happens."""
        self.everybody_leaves()
        begin_consult(self.world, did, whom, by_phone, mood, seconds)
        for step in then:
            consult_step(self.world, step)

    @rule(agent=st.sampled_from(AGENTS), mood=st.sampled_from(Mood), seconds=st.floats(0, 20))
    def a_phone_changes_its_mood(self, agent: str, mood: Mood, seconds: float) -> None:
        self.world.pbx.phones[f"phone-of-{agent}"] = Phone(mood, lambda: timedelta(seconds=seconds))

    @rule(mood=st.sampled_from(Mood), seconds=st.floats(0, 9), pressed=st.sampled_from("1128"))
    def carol_is_looked_for_outside(self, mood: Mood, seconds: float, pressed: str) -> None:
        """She is the only one, does not answer at her desk, and her mobile is in that mood."""
        for agent in AGENTS:
            self.an_agent_asks(agent, "r" if agent == "carol" else "n")
        self.a_phone_changes_its_mood("carol", Mood.RINGS_ON, 0)
        self.world.pbx.outside[MOBILE] = Phone(mood, lambda: timedelta(seconds=1))
        self.world.pbx.call_in(DIDS[0])
        self.world.run_for(7 + seconds)
        for channel in list(self.world.pbx.channels.values()):
            if channel.number == MOBILE:
                self.press(channel.id, pressed)

    @invariant()
    def only_a_key_connects_somebody_outside(self) -> None:
        asked = {fact.leg for fact in self.world.facts if isinstance(fact, f.OfferToAccept)}
        outside = {dial.leg for dial in self.world.pbx.dialed if dial.number == MOBILE}
        assert {fact.leg for fact in self.world.facts if isinstance(fact, f.ContactConnected)} & outside <= asked & self.pressed_1

    @rule(agent=st.sampled_from(AGENTS), reachable=st.booleans())
    def a_phone_is_seen(self, agent: str, reachable: bool) -> None:
        self.world.tell((e.PhoneReachable if reachable else e.PhoneUnreachable)(f"phone-of-{agent}"))

    @rule(agent=st.sampled_from(AGENTS), began=st.booleans(), n=st.integers(1, 2))
    def a_phone_talks_in_the_fallback(self, agent: str, began: bool, n: int) -> None:
        """Not always in order: a talk may end, and another begin, while we are away."""
        leg = f"fallback-{agent}-{n}"
        self.world.tell(e.FallbackTalkBegan(NODE, leg, f"phone-of-{agent}") if began else e.FallbackTalkEnded(leg))

    @rule(agent=st.sampled_from(AGENTS), did=st.sampled_from(DIRECT), meanwhile=st.sampled_from("-rnodC"), seconds=st.integers(0, 9))
    def a_contact_is_served(self, agent: str, did: str, meanwhile: str, seconds: int) -> None:
        """The common case, with something asked for in the middle of it."""
        self.a_phone_changes_its_mood(agent, Mood.ANSWERS, 1.0)
        self.world.tell(e.PhoneReachable(f"phone-of-{agent}"))
        self.an_agent_asks(agent, "r")
        leg = self.world.pbx.call_in(did)
        self.world.run_for(3)
        if meanwhile == "C":
            self.world.crash_and_restore()
        elif meanwhile != "-":
            self.an_agent_asks(agent, meanwhile)
        self.world.run_for(1)
        self.world.pbx.party_hangs_up(leg)
        self.world.run_for(seconds)

    @rule(
        mood=st.sampled_from([Mood.BUSY, Mood.DECLINES, Mood.RINGS_ON, Mood.UNREACHABLE]),
        seconds=st.integers(0, 20),
        did=st.sampled_from([DIDS[0], DIDS[5]]),
    )
    def an_offer_is_missed(self, mood: Mood, seconds: int, did: str) -> None:
        """Whoever is offered the caller first does not take the call; the others would."""
        for agent in AGENTS:
            self.a_phone_changes_its_mood(agent, Mood.ANSWERS, 3.0)
            self.an_agent_asks(agent, "r")
        ready = self.world.center.state.queue("support").ready.in_order()
        if ready:
            self.world.pbx.phones[f"phone-of-{ready[0]}"].mood = mood
        self.world.pbx.call_in(did)
        self.world.run_for(seconds)

    @rule(
        whose=st.sampled_from(["caller", "agent"]),
        cause=st.sampled_from([e.Cause.NORMAL, e.Cause.LOST, e.Cause.UNKNOWN, e.Cause.BUSY, e.Cause.CONGESTION]),
        asked=st.sampled_from("-no"),
        queue=st.sampled_from([0, 1, 2, 5, 6]),
    )
    def something_ends_while_a_phone_rings(self, whose: str, cause: e.Cause, asked: str, queue: int) -> None:
        """All phones ring, and more callers wait than there are agents: whoever becomes free has somebody to serve."""
        for agent in AGENTS:
            self.a_phone_changes_its_mood(agent, Mood.RINGS_ON, 0)
            self.an_agent_asks(agent, "r")
        for _ in range(len(AGENTS) + 1):
            self.world.pbx.call_in(DIDS[queue])
        self.world.run_for(1)
        state = self.world.center.state
        offered = next((c for c in state.contacts.values() if c.state is ContactState.OFFERED and c.offer), None)
        if offered is None or offered.offer is None:
            return
        if asked != "-":
            self.an_agent_asks(offered.offer.agent, asked)
        caller = state.calls[offered.entered.call].began.leg
        self.world.pbx.party_hangs_up(caller if whose == "caller" else offered.offer.leg, cause)

    @rule(digits=st.text("1239#", max_size=5), patience=st.integers(0, 6))
    def a_caller_uses_the_menu(self, digits: str, patience: int) -> None:
        leg = self.world.pbx.call_in(DIDS[3])
        for digit in digits:
            self.world.run_for(patience)
            self.world.pbx.party_presses(leg, digit)

    @rule(
        number=st.sampled_from(NUMBERS), queue=st.integers(0, 1), seconds=st.integers(0, 40), keys=st.sampled_from(["5", "51", "52", "5-"])
    )
    def a_caller_takes_a_callback(self, number: str, queue: int, seconds: int, keys: str) -> None:
        """And hangs up, or waits after all, or is called at another time."""
        leg = self.world.pbx.call_in(DIDS[queue], number)
        for key in keys:
            self.world.run_for(1)
            if key == "-":
                self.world.pbx.party_hangs_up(leg)
            self.world.pbx.party_presses(leg, key)
        self.world.run_for(seconds)

    @rule(talk=st.integers(0, 20), keys=st.text("123#*-", max_size=6), seconds=st.integers(0, 12), full=st.booleans())
    def a_caller_leaves_a_message(self, talk: int, keys: str, seconds: int, full: bool) -> None:
        """Or tries to, or hangs up meanwhile."""
        leg = self.world.pbx.call_in(DIDS[0])
        self.world.pbx.messages.talk[leg] = timedelta(seconds=talk)
        self.world.pbx.messages.disk_full = full and talk > 15
        self.world.run_for(1)
        for key in "8" + keys:
            if key == "-":
                self.world.pbx.party_hangs_up(leg)
            self.world.pbx.party_presses(leg, key)
            self.world.run_for(seconds)

    @rule(
        agent=st.sampled_from(("alice", "carol")),
        code=st.sampled_from(["*21", "*211"]),
        keys=st.text("1234569#*-", max_size=8),
        seconds=st.integers(0, 6),
        answer=st.sampled_from([RIGHT, WRONG_PIN, NONE_SET, "failed"]),
    )
    def an_agent_listens(self, agent: str, code: str, keys: str, seconds: int, answer: str) -> None:

        def opens(question: Question) -> Scripted:
            return Scripted(answer, never=answer == "failed") if isinstance(question, MailboxPinQuestion) else knows_the_pin(question)

        self.world.answers.script = opens
        leg = self.world.pbx.dial_from_phone(f"phone-of-{agent}", code)
        for key in keys:
            self.world.run_for(seconds)
            if key == "-":
                self.world.pbx.party_hangs_up(leg)
            self.world.pbx.party_presses(leg, key)

    @rule(
        agent=st.sampled_from(AGENTS),
        code=st.sampled_from(["*10", "*10", "*23", "*24", "*22", "*25", "*31300", "*32201", "*33", "*34", "*35", "*36"]),
        keys=st.text("123456789*0#-", max_size=5),
        seconds=st.integers(0, 9),
    )
    def an_agent_is_at_the_menu(self, agent: str, code: str, keys: str, seconds: int) -> None:
        leg = self.world.pbx.dial_from_phone(f"phone-of-{agent}", code)
        for key in keys:
            self.world.run_for(seconds)
            if key == "-":
                self.world.pbx.party_hangs_up(leg)
            self.world.pbx.party_presses(leg, key)

    @rule(
        agent=st.sampled_from(AGENTS),
        keys=st.sampled_from(
            ["*1201#", "*1202", "*1300#", "*2200#", "*2202", "*2304#", "*3", "*4", "*5", "*6", "*7", "*81#", "**", "*", "7*0"]
        ),
        seconds=st.integers(0, 5),
    )
    def an_agent_presses_keys_in_a_talk(self, agent: str, keys: str, seconds: int) -> None:
        legs = [leg for leg, channel in self.world.pbx.channels.items() if channel.endpoint == f"phone-of-{agent}" and channel.bridge]
        for key in keys if legs else ():
            self.world.pbx.party_presses(legs[-1], key)
        self.world.run_for(seconds)

    @rule(
        agent=st.sampled_from(AGENTS),
        whom=st.sampled_from(["200", "201", "202", "300", PARTNER, MOBILE, "911"]),
        by_screen=st.booleans(),
        seconds=st.integers(0, 9),
    )
    def an_agent_calls_somebody_herself(self, agent: str, whom: str, by_screen: bool, seconds: int) -> None:
        if by_screen:
            self.world.tell(e.AgentDialRequested(agent, whom))
        else:
            self.world.pbx.dial_from_phone(f"phone-of-{agent}", whom)
        self.world.run_for(seconds)

    @rule(agent=st.sampled_from(AGENTS), here=st.booleans())
    def an_own_call_is_hung_up(self, agent: str, here: bool) -> None:
        call = self.world.center.state.calls.get(self.world.agent(agent).own_call)
        legs = [leg for leg in call.legs if (leg == call.began.leg) is here] if call is not None else []
        if legs:
            self.world.pbx.party_hangs_up(legs[0])
        else:
            self.world.tell(e.AgentDialEndRequested(agent))

    @rule(n=st.integers(0, 2), seconds=st.integers(0, 14))
    def a_softphone_is_lost_in_an_own_call(self, n: int, seconds: int) -> None:
        talking = sorted(agent.name for agent in self.world.center.state.agents.values() if agent.own_call)
        if talking:
            self.world.tell(e.AgentLegResumeRequested(talking[n % len(talking)]))
            self.world.run_for(seconds)

    @rule(n=st.integers(0, 5), hear=st.booleans())
    def somebody_sees_to_a_message(self, n: int, hear: bool) -> None:
        messages = list(self.world.center.state.mailboxes.messages)
        message = messages[n % len(messages)] if messages else "none"
        self.world.tell((e.MessageHeardRequested if hear else e.MessageDeleteRequested)(message, "somebody"))

    @invariant()
    def every_message_has_one_fate(self) -> None:
        """What was recorded is in a mailbox, was dropped, or is still in somebody's hands; lamps tell of what is new."""
        state = self.world.center.state
        began = [fact.message for fact in self.world.facts if isinstance(fact, f.MessageBegan)]
        settled = [fact.message for fact in self.world.facts if isinstance(fact, f.MessageLeft | f.MessageDropped)]
        settled += [fact.greeting for fact in self.world.facts if isinstance(fact, f.GreetingChanged)]
        assert len(settled) == len(set(settled))
        in_hand = {call.visit.message for call in state.calls.values() if call.visit and call.visit.recorded_since}
        assert sorted(began) == sorted([*settled, *in_hand])
        assert all(not call.contact for call in state.calls.values() if call.visit)
        for name in MAILBOXES:
            mailbox = state.mailboxes.mailbox(name)
            assert mailbox.new == sum(not message.heard for message in mailbox.messages.values())
            assert len(mailbox.messages) <= 3 or name != "queue:support"

    @rule(n=st.integers(0, 50))
    def a_waiting_caller_presses_the_callback_key(self, n: int) -> None:
        self.world.pbx.party_presses(self.leg(n), "5")

    @rule(number=st.sampled_from(NUMBERS[:2]), mood=st.sampled_from(Mood), seconds=st.floats(0, 15))
    def somebody_outside_changes_habits(self, number: str, mood: Mood, seconds: float) -> None:
        self.world.pbx.outside[number] = Phone(mood, lambda: timedelta(seconds=seconds))

    @rule(
        n=st.integers(0, 9),
        queue=st.sampled_from(["support", "sales", "team"]),
        number=st.sampled_from(NUMBERS),
        owner=st.sampled_from(["", *AGENTS]),
        seconds=st.integers(-5, 60),
        what=st.sampled_from("adecnr"),
    )
    def a_supervisor_asks_for_callbacks(self, n: int, queue: str, number: str, owner: str, seconds: int, what: str) -> None:
        at = self.world.now + timedelta(seconds=seconds)
        known = sorted(self.world.center.state.callbacks.open)
        callback = known[n % len(known)] if known else "nothing"
        asked: dict[str, e.Event] = {
            "a": e.CallbackRequested(f"asked-{len(self.world.facts)}", queue, number, at, owner=owner, owned_for=timedelta(seconds=25)),
            "d": e.CallbackRequested(f"asked-{len(self.world.facts)}", queue, number),
            "e": e.CallbackEditRequested(callback, queue, number, at, owner),
            "c": e.CallbackCancelRequested(callback, "sue"),
            "n": e.DoNotCallAddRequested(number, "sue"),
            "r": e.DoNotCallRemoveRequested(number, "sue"),
        }
        self.world.tell(asked[what])

    @rule(
        who=st.sampled_from(["sam", "sam", "carol", "bob"]),
        agent=st.sampled_from(["alice", "alice", "bob", "carol", "mallory"]),
        mode=st.sampled_from(f.SupervisionMode),
        by_phone=st.booleans(),
        stay=st.booleans(),
        then=st.text("45675*hc.", max_size=4),
    )
    def a_supervisor_hears(self, who: str, agent: str, mode: f.SupervisionMode, by_phone: bool, stay: bool, then: str) -> None:
        """Then keys are pressed, a second apart, or the phone hangs up, or the engine crashes."""
        if by_phone:
            code = f"*4{4 + list(f.SupervisionMode).index(mode)}{EXTENSIONS[AGENTS.index(agent)] if agent in AGENTS else ''}"
            self.world.pbx.dial_from_phone(f"phone-of-{who}", code)
        else:
            self.world.tell(e.SupervisionRequested(who, agent, mode, stay, "because", "boss"))
            self.world.run_for(2)
        for step in then:
            call = self.world.center.state.supervising.get(who)
            if step == "h" and call is not None and call.supervision is not None:
                self.world.pbx.party_hangs_up(call.supervision.leg)
            elif step == "c":
                self.the_engine_crashes_and_comes_back()
            elif step in "4567*" and call is not None and call.supervision is not None:
                self.world.pbx.party_presses(call.supervision.leg, step)
            self.world.run_for(1)

    @rule(who=st.sampled_from(["sam", "carol"]), mode=st.none() | st.sampled_from(f.SupervisionMode))
    def a_supervisor_switches(self, who: str, mode: f.SupervisionMode | None) -> None:
        self.world.tell(e.SupervisionEndRequested(who) if mode is None else e.SupervisionSwitchRequested(who, mode, "boss"))

    @rule(
        agent=st.sampled_from([*AGENTS, "mallory"]), state=st.sampled_from(e.ForcedState), reason=st.sampled_from(["lunch", "meeting", "x"])
    )
    def a_supervisor_forces_a_state(self, agent: str, state: e.ForcedState, reason: str) -> None:
        self.world.tell(e.AgentForceRequested(agent, state, reason, "boss", "because"))

    @rule(n=st.integers(0, 50), where=st.sampled_from(["support", "sales", "expert", "alice", "bob", "carol", "head", "3", "-2"]))
    def a_supervisor_moves_a_caller(self, n: int, where: str) -> None:
        contacts = sorted(self.world.center.state.contacts)
        contact = contacts[n % len(contacts)] if contacts else "none"
        if where in AGENTS:
            self.world.tell(e.ContactMoveRequested(contact, "", where, "boss"))
        elif where in ALL:
            self.world.tell(e.ContactMoveRequested(contact, where, "", "boss"))
        else:
            self.world.tell(e.ContactPriorityRequested(contact, None if where == "head" else int(where), "boss"))

    @rule(
        n=st.integers(0, 3), to=st.sampled_from(["alice", "support", ""]), ack=st.none() | st.sampled_from(AGENTS), lasts=st.integers(1, 90)
    )
    def a_notice_is_sent_or_seen(self, n: int, to: str, ack: str | None, lasts: int) -> None:
        if ack is not None:
            self.world.tell(e.NoticeAckRequested(f"notice-{n}", ack))
            return
        agents, queues = ((to,) if to == "alice" else ()), ((to,) if to == "support" else ())
        self.world.tell(e.NoticeSendRequested(f"notice-{n}", "hear, hear", agents, queues, timedelta(seconds=lasts), "boss"))

    @invariant()
    def a_supervisor_hears_and_is_heard_as_the_mode_says(self) -> None:
        """At the PBX; and there is no ear there that we know nothing of."""
        state, pbx = self.world.center.state, self.world.pbx
        if state.node(NODE).away:
            return
        assert {channel.id for channel in pbx.channels.values() if channel.spies_on} == set(state.snoops)
        for call in state.supervising.values():
            supervision = call.supervision
            assert supervision is not None
            contact = state.contacts.get(supervision.contact)
            if supervision.state == "calling" or supervision.leg not in pbx.channels:
                continue
            assert (contact is None) is (supervision.bridge == "")
            if contact is None or contact.offer is None:
                assert pbx.hears(supervision.leg) == set()
                continue
            agent, caller = contact.offer.leg, state.calls[contact.entered.call].began.leg
            assert contact.state is ContactState.CONNECTED
            assert agent in pbx.hears(supervision.leg)
            assert (supervision.leg in pbx.hears(agent)) is (supervision.state in ("whispering", "barged"))
            assert (caller in pbx.hears(supervision.leg)) is (caller in pbx.hears(agent))
            for leg in set(pbx.channels) - {agent, supervision.leg} - set(state.snoops):
                heard = supervision.leg in pbx.hears(leg)
                assert heard is (supervision.state == "barged" and leg in pbx.bridges[supervision.bridge]), (heard, supervision)

    @rule(seconds=st.floats(0, 120))
    def time_passes(self, seconds: float) -> None:
        self.world.run_for(seconds)

    @rule()
    def the_engine_crashes_and_comes_back(self) -> None:
        self.world.crash_and_restore()

    @rule(seconds=st.floats(0, 40), crashed=st.booleans())
    def the_node_is_away_for_a_while(self, seconds: float, crashed: bool) -> None:
        """What ends meanwhile is never told; afterwards the missed events are, and then that it is back."""
        node_away(self.world, seconds, crashed)

    # --- what must hold -------------------------------------------------------------------------

    @invariant()
    def no_bug_was_met(self) -> None:
        assert self.world.faults == []

    @invariant()
    def a1_an_agent_is_in_one_offer_or_talk_at_most(self) -> None:
        state = self.world.center.state
        engaged = Counter(
            o.agent for c in state.contacts.values() if c.state in (ContactState.OFFERED, ContactState.CONNECTED) for o in c.offers.values()
        )
        for contact in state.contacts.values():
            assert (contact.state is ContactState.OFFERED) is any(offer in state.offers for offer in contact.offers)
            assert contact.state is not ContactState.CONNECTED or len(contact.offers) == 1
        engaged.update(c.reserved.agent for c in state.callbacks.open.values() if c.reserved is not None)
        assert all(count == 1 for count in engaged.values())
        busy = {a.name for a in state.agents.values() if a.state in (AgentState.RESERVED, AgentState.TALKING)}
        assert busy == set(engaged)

    @invariant()
    def who_is_kept_away_is_kept_away_by_something(self) -> None:
        """Each state that ends by itself has what ends it."""
        for agent in self.world.center.state.agents.values():
            if agent.state is AgentState.WRAP_UP:
                assert agent.until is not None
            elif agent.state is AgentState.NOT_READY:
                assert agent.reason != "fallback_call" or agent.fallback_leg
                assert agent.reason != "own_call" or agent.own_call
                assert agent.reason != "phone_unreachable" or (
                    agent.until and (agent.has_outside or agent.persistent or not agent.reachable)
                )
                if agent.remembered is not None:
                    assert (
                        agent.fallback_leg
                        or agent.own_call
                        or agent.name in self.world.center.state.supervising
                        or (agent.until and agent.reason in ("phone_unreachable", "missed_offer", "micro_break", "leg_rings"))
                    )

    @invariant()
    def what_must_be_given_is_given(self) -> None:
        """A contact of a queue that requires a disposition has one when it is over; nobody extends twice; none ends before its time."""
        ended = {fact.contact: fact for fact in self.world.facts if isinstance(fact, f.ContactEnded)}
        given = {fact.contact for fact in self.world.facts if isinstance(fact, f.DispositionGiven)}
        handed = {fact.contact for fact in self.world.facts if isinstance(fact, f.CallerHandedOver)}
        consulted = {fact.contact for fact in self.world.facts if isinstance(fact, f.ContactEntered) and fact.consult} - handed
        assert {contact for contact, fact in ended.items() if fact.queue == "care"} <= given | consulted
        extended = Counter(fact.contact for fact in self.world.facts if isinstance(fact, f.WrapUpExtended))
        assert all(count == 1 for count in extended.values())
        for fact in ended.values():
            longest = {"support": 7, "sales": 0, "team": 1, "expert": 2, "care": 5 + 4 * extended[fact.contact]}
            assert fact.wrap_up <= timedelta(seconds=longest[fact.queue])

    @invariant()
    def a2_a_caller_is_in_one_place(self) -> None:
        state = self.world.center.state
        for call in state.calls.values():
            live = [c for c in state.contacts.values() if c.entered.call == call.id and c.state in ("waiting", "offered", "connected")]
            consulted = {call.consult.contact} if call.consult and not call.consult.outside else set()
            assert {c.id for c in live} == ({call.contact} if call.contact else set()) | consulted
            assert not live or call.flow is None or call.payment is not None
            if call.consult:
                own = state.contacts[call.contact]
                assert own.state is ContactState.CONNECTED
                assert own.offer
                assert own.offer.agent == call.consult.agent
                assert call.caller_leg is not None
                assert call.consult.leg in call.legs
            wanted = {call.began.leg, call.outside, call.consult.leg if call.consult else ""}
            wanted |= {call.consult.outside.leg} if call.consult and call.consult.outside else set()
            wanted |= {offer.leg for c in live for offer in c.offers.values()}
            if call.id not in state.callbacks.by_call:  # there, an agent may be on the line before the caller is
                assert {leg.id for leg in call.legs.values() if not leg.closing} <= wanted

    @invariant()
    def who_talks_hears_whom_she_should(self) -> None:
        """At the PBX, too; and who is on hold hears music, nobody else who talks does."""
        state, channels = self.world.center.state, self.world.pbx.channels
        for call in state.calls.values():
            found = places(state, call)
            if state.node(call.node).away or not found:
                continue
            there = {leg: room for leg, room in found.items() if leg in channels}
            assert {leg: channels[leg].bridge for leg in there} == there
            on_hold = self.on_hold(call) & there.keys()
            assert {leg for leg in there if channels[leg].music} == on_hold
            assert {leg for leg in there if channels[leg].hears_ringing} <= {call.consult.leg if call.consult else ""}

    @invariant()
    def who_pays_is_heard_and_recorded_by_nobody(self) -> None:
        """At the PBX, too; what is to be resumed by a flow that plays is in no hands but the caller's."""
        state, pbx = self.world.center.state, self.world.pbx
        for call in state.calls.values():
            if call.node and state.node(call.node).away:
                continue
            if call.paused:
                assert not call.recording
                assert call.began.leg not in pbx.recordings.values()
            if call.payment is not None:
                contact = state.contacts[call.payment.contact]
                assert call.flow is not None
                assert contact.state is ContactState.CONNECTED
                assert contact.held_since is not None
                channel = pbx.channels.get(call.began.leg)
                assert channel is None or not channel.bridge

    def on_hold(self, call: Call) -> set[str]:
        """The legs to which we play music because the agent hears somebody else; the books say the same."""
        state, consult = self.world.center.state, call.consult
        if consult is None or consults.is_by_phone(state, call):
            return set()
        asked, other = state.contacts.get(consult.contact), consults.consulted(state, call)
        assert (asked is None) is (consult.outside is not None)
        assert (state.contacts[call.contact].held_since is not None) is (consult.hears is f.Hears.CONSULTED)
        assert not other or asked is None or (asked.held_since is not None) is (consult.hears is f.Hears.CALLER)
        return {f.Hears.ALL: set(), f.Hears.CALLER: {other}, f.Hears.CONSULTED: {call.began.leg}}[consult.hears]

    @invariant()
    def a3_the_books_balance(self) -> None:
        kinds = Counter(type(fact) for fact in self.world.facts)
        waiting = sum(queue.unanswered for queue in self.world.center.state.queues.values())
        left = kinds[f.ContactConnected] + kinds[f.ContactAbandoned] + kinds[f.ContactOverflowed]
        assert kinds[f.ContactEntered] == left + waiting
        assert kinds[f.CallBegan] - kinds[f.CallEnded] == sum(c.ended_at is None for c in self.world.center.state.calls.values())
        ended = Counter(fact.call for fact in self.world.facts if isinstance(fact, f.CallEnded))
        assert all(count == 1 for count in ended.values())

    @invariant()
    def a1_to_a10_hold_for_a_bookkeeper_who_only_reads_the_facts(self) -> None:
        """The naive model of ``sim.checker``, which the simulation of the services uses too."""
        assert [str(violation) for violation in self.checker.violations] == []

    @invariant()
    def a4_and_a5_offers_went_to_the_right_agent_for_the_right_caller(self) -> None:
        """Replays the new facts on a naive model: at each offer, the earliest of the line, to an agent at rest and ready, longest idle."""
        for fact in self.world.facts[self.seen :]:
            self.model_step(fact)
        self.seen = len(self.world.facts)

    @invariant()
    def a6_nobody_idles_while_a_caller_waits(self) -> None:
        for queue in self.world.center.state.queues.values():
            for pool in queue.awake:
                assert not (len(pool.waiting) and len(pool.ready))
                assert set(pool.ready.in_order()) == {
                    agent.name
                    for agent in queue.at_hand.values()
                    if agent.state is AgentState.READY and not isinstance(pool.fit(agent), Unfit)
                }
            assert queue.name == "expert" or not (len(queue.waiting) and len(queue.ready))
            if queue.config.routing.strategy is Strategy.RING_ALL:
                assert not (len(queue.ringing) and len(queue.ready))

    @invariant()
    def announcements_keep_their_distance_and_never_begin_while_it_rings(self) -> None:
        """And nobody is told more than before. Who waits hears music or a voice."""
        before: dict[str, f.ContactAnnounced] = {}
        quiet: dict[str, f.AnnouncementEnded] = {}
        ringing: Counter[str] = Counter()
        for fact in self.world.facts:
            match fact:
                case f.ContactOffered():
                    ringing[fact.contact] += 1
                case f.OfferMissed() | f.OfferWithdrawn():
                    ringing[fact.contact] -= 1
                case f.ContactAnnounced():
                    assert not ringing[fact.contact]
                    if fact.contact in before:
                        assert fact.at - quiet[fact.contact].at >= timedelta(seconds=15)
                    told = before.get(fact.contact)
                    if told and told.position is not None and fact.position is not None:
                        assert fact.position <= told.position
                    before[fact.contact] = fact
                case f.AnnouncementEnded():
                    quiet[fact.contact] = fact
        state = self.world.center.state
        for contact in [] if state.node(NODE).away else state.contacts.values():
            call = state.calls[contact.entered.call]
            channel = self.world.pbx.channels.get(call.began.leg) if not call.consult_of(contact.id) else None
            if contact.state == "waiting" and channel and self.world.now > contact.music_at:
                assert channel.music or channel.playback

    @invariant()
    def no_row_is_obeyed_twice_for_the_same_caller(self) -> None:
        obeyed = Counter((fact.call, fact.rule) for fact in self.world.facts if isinstance(fact, f.ContactOverflowed) and fact.rule)
        assert all(count == 1 for count in obeyed.values())

    @invariant()
    def what_is_counted_is_there(self) -> None:
        state = self.world.center.state
        for queue in state.queues.values():
            mine = [c for c in state.contacts.values() if c.entered.queue == queue.name and c.state in ("waiting", "offered")]
            assert queue.unanswered == len(mine) == len(queue.oldest)
            assert queue.serving == sum(a.state in SERVING for a in state.agents.values() if queue.name in a.queues)

    @invariant()
    def a_callback_is_dialed_once_for_each_attempt_and_never_on_two_legs(self) -> None:
        attempted = {fact.leg: fact for fact in self.world.facts if isinstance(fact, cf.CallbackAttempted)}
        to_callers = [dial for dial in self.world.pbx.dialed if dial.number not in (MOBILE, PARTNER, FRIEND)]
        dialed = Counter(dial.leg for dial in to_callers)
        assert all(count == 1 for count in dialed.values())
        assert set(dialed) <= set(attempted)
        assert all(dial.number == attempted[dial.leg].number for dial in to_callers)
        alive = Counter(fact.callback for leg, fact in attempted.items() if leg in self.world.pbx.channels and self.is_wanted(leg))
        assert all(count == 1 for count in alive.values()), alive
        settled = {fact.callback for fact in self.world.facts if isinstance(fact, cf.CallbackKept | cf.CallbackBroken)}
        tries = Counter(fact.callback for fact in attempted.values() if fact.callback not in settled)
        assert all(self.world.center.state.callbacks.open[callback].attempts == count for callback, count in tries.items())
        assert all(count <= AGENT_FIRST.attempts for count in Counter(fact.callback for fact in attempted.values()).values())

    def is_wanted(self, leg: str) -> bool:
        call = self.world.center.state.legs.get(leg)
        return call is not None and not call.legs[leg].closing

    @invariant()
    def no_callback_is_lost_and_the_funnel_balances(self) -> None:
        kinds = Counter(type(fact) for fact in self.world.facts)
        callbacks = self.world.center.state.callbacks
        assert kinds[cf.CallbackCreated] == kinds[cf.CallbackKept] + kinds[cf.CallbackBroken] + len(callbacks.open)
        assert kinds[cf.CallbackBridged] <= kinds[cf.CallbackReached] <= kinds[cf.CallbackAttempted]
        state = self.world.center.state
        for callback in callbacks.open.values():
            in_line = callback.id in state.waiters or (callback.owner in callbacks.owned and callback.id in callbacks.owned[callback.owner])
            if callback.live_call:
                assert state.calls[callback.live_call].legs or callback.state == "bridged"
                assert not in_line
            elif callback.state == "due":
                assert in_line or not state.node_to_call
            else:
                assert callback.state == "created"
                assert callback.due_at is not None
                assert callback.due_at >= self.world.now or callbacks.waits_for_call(callback) or state.deadlines.next is not None

    @invariant()
    def restored_equals_live(self) -> None:
        """From a checkpoint, and from all facts: these are folded on as they come, which is the same as from the first one on."""
        live = picture(self.world.center.state)
        for fact in self.world.facts[self.folded_on :]:
            self.folded.apply(fact)
        self.folded_on = len(self.world.facts)
        assert picture(self.folded) == live
        assert picture(Center.restore(self.world.config, Ids("r"), self.world.center.checkpoint()).state) == live

    # --- the naive model ------------------------------------------------------------------------

    def model_step(self, fact: f.Fact) -> None:
        new = {"waiting": {}, "agents": {}, "out": {}, "away": False, "missed": [], "forbidden": set(), "legs": {}, "reserved": {}}
        new["directed"] = set()
        model = self.__dict__.setdefault("model", new)
        waiting, agents = model["waiting"], model["agents"]
        match fact:
            case f.ContactEntered():
                waiting[fact.contact] = fact
            case f.ContactAbandoned() | f.ContactOverflowed() | f.ContactConnected():
                waiting.pop(fact.contact, None)
            case f.AgentStateChanged():
                before = agents.get(fact.agent)
                if before and before.state is AgentState.RESERVED and fact.state is AgentState.READY:
                    assert fact.idle_since == before.idle_since  # a withdrawn offer is not her fault
                agents[fact.agent] = fact
            case f.ContactReordered() | f.ContactMoved():
                model["directed"].add(fact.contact)
            case f.AgentOptedOut():
                model["out"][fact.agent] = fact.queues
            case f.DoNotCallAdded():
                model["forbidden"].add(fact.number)
            case f.DoNotCallRemoved():
                model["forbidden"].remove(fact.number)
            case cf.CallbackAttempted():
                assert fact.number not in model["forbidden"]
            case cf.CallbackReserved():
                assert not model["away"]
                model["legs"][fact.leg] = fact
                model["reserved"][fact.callback] = fact
            case cf.CallbackReleased():
                model["reserved"].pop(fact.callback)
                if fact.why is cf.ReleasedWhy.MISSED:
                    model["missed"].append(fact)
            case f.OfferMissed() if fact.why is not f.MissedWhy.UNREACHABLE:
                model["missed"].append(fact)
            case f.AgentTakenOut() if fact.misses:
                missed = [m for m in model["missed"] if m.agent == fact.agent and m.at > fact.at - MISSES.within]
                assert fact.misses == MISSES.most <= len(missed)
                model["missed"] = [m for m in model["missed"] if m.agent != fact.agent]
            case f.ConditionChanged() if fact.queue == "expert":
                model["office"] = fact.phase == "on"
            case f.NodeAway():
                model["away"] = True
            case f.NodeUp():
                model["away"] = False
            case f.ContactOffered():
                assert not model["away"]
                mine = waiting[fact.contact]
                open_offers = {c.offer.contact for c in self.world.center.state.contacts.values() if c.offer}
                ahead = [
                    c
                    for c in waiting.values()
                    if c.queue == mine.queue != "expert" and (-c.priority, c.place) < (-mine.priority, mine.place) and not mine.for_agent
                ]
                ahead = [] if mine.contact in model["directed"] else [c for c in ahead if c.contact not in model["directed"]]
                for other in ahead:  # whoever is ahead must have been offered already (and may have been missed since)
                    assert other.contact in open_offers or any(o.contact == other.contact for o in self.offered), (other, fact)
                self.offered.append(fact)
                state = agents[fact.agent]
                if fact.leg in model["legs"]:  # agent first: she has been there since before the caller was
                    assert (state.state, model["legs"][fact.leg].agent) == (AgentState.RESERVED, fact.agent)
                    return
                assert state.state is AgentState.READY
                ready = [a for a in agents.values() if a.state is AgentState.READY and mine.queue not in model["out"].get(a.agent, ())]
                ready = [a for a in ready if a.agent != "sam"]  # who serves no queue
                assert state in ready or mine.for_agent or mine.contact in model["directed"]
                if mine.for_agent or mine.contact in model["directed"]:  # who is meant for a colleague goes to her
                    return
                if mine.queue == "expert":
                    self.expert_step(fact, mine, model)
                elif mine.queue != "team":  # which rings all
                    assert state.idle_since == min(a.idle_since for a in ready)

    def expert_step(self, fact: f.ContactOffered, mine: f.ContactEntered, model: dict[str, Any]) -> None:
        """Each agent may be offered only from her own moment on, and nobody to whom the caller is nearer is passed over."""
        waited = (fact.at - mine.entered_at).total_seconds()
        if fact.agent == "bob":
            assert waited >= 15
        elif fact.agent == "carol":
            expired = fact.at >= EXPIRES
            assert model.get("office")
            assert not expired or waited >= 40
        if fact.agent != "alice" and "preferred" not in fact.rank[0]:
            alice = model["agents"].get("alice")
            assert alice is None or alice.state is not AgentState.READY

    def everybody_leaves(self) -> None:
        for agent in AGENTS:
            self.a_phone_changes_its_mood(agent, Mood.ANSWERS, 1.0)
        self.world.pbx.outside = {number: Phone(Mood.UNREACHABLE) for number in NUMBERS}
        self.an_agent_asks("bob", "o")
        for leg in list(self.world.pbx.channels):
            self.world.pbx.party_hangs_up(leg)
        self.world.run_for(30)
        for _ in range(4):  # a callback whose caller is being called cannot be cancelled, and is tried again
            for callback in list(self.world.center.state.callbacks.open):
                self.world.tell(e.CallbackCancelRequested(callback))
            for leg in list(self.world.pbx.channels):
                self.world.pbx.party_hangs_up(leg)
            self.world.run_for(10)
        for leg in list(self.world.center.state.fallback_legs):
            self.world.tell(e.FallbackTalkEnded(leg))
        self.world.run_for(200)

    def teardown(self) -> None:
        """When everybody hangs up, nothing is left."""
        self.everybody_leaves()
        for agent in self.world.center.state.agents.values():
            assert agent.state in (AgentState.READY, AgentState.NOT_READY, AgentState.LOGGED_OUT)
            assert agent.reason != "fallback_call"
            assert agent.reason != "phone_unreachable"
        assert not self.world.pbx.channels
        assert not self.world.pbx.bridges
        assert not self.world.pbx.recordings
        assert not self.world.center.state.calls
        assert not self.world.center.state.contacts
        assert not self.world.pbx.messages.live
        self.a3_the_books_balance()
        assert picture(Center.restore(self.world.config, Ids("r"), self.world.facts).state) == picture(self.world.center.state)
        self.checker.at_rest()
        self.a1_to_a10_hold_for_a_bookkeeper_who_only_reads_the_facts()


STEPS = int(os.environ.get("MACHINE_STEPS", "1000"))
"""Of the four together; ``make test`` asks for 20,000."""
AT_A_TIME = 50


def search(number: int, **more: Any) -> int:
    """Let whatever may happen happen, a quarter of all steps, and other things for each number; returns how many steps were taken."""
    machine = type(f"CenterMachine{number}", (CenterMachine,), {"steps": 0})
    usual = settings(
        max_examples=STEPS // 4 // (AT_A_TIME - 5) + 1,  # some runs are shorter
        stateful_step_count=AT_A_TIME,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        **more,
    )
    if usual.derandomize:
        seed(number)(machine)
    run_state_machine_as_test(machine, settings=usual)  # type: ignore[no-untyped-call]
    return machine.steps


class Quarter:
    """A part of the search, so that the parts run side by side; in ``make test`` each draws the same examples each time."""

    number = 0

    @pytest.mark.timeout(1800)  # shrinking a find takes its time
    def test_whatever_happens(self) -> None:
        assert search(self.number) >= STEPS // 4


class TestFirstQuarter(Quarter):
    number = 1


class TestSecondQuarter(Quarter):
    number = 2


class TestThirdQuarter(Quarter):
    number = 3


class TestFourthQuarter(Quarter):
    number = 4
