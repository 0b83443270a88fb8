"""What people decided beforehand: queues, agents, numbers and flows, as the core reads them.

These are plain values. Reading them from a file, and saying what is wrong in it, is the work of
``runtime.settings``; what arrives here is consistent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b

from callcenter.domain.calling_hours import CallingHours, Window
from callcenter.domain.conditions import Comparator, Condition, Metric
from callcenter.domain.hours import Calendar
from callcenter.domain.ivr.flow import Flow
from callcenter.domain.ivr.speech import ENGLISH, Languages
from callcenter.domain.mailbox_config import MailboxConfig
from callcenter.domain.numbers import NumberRules, any_e164
from callcenter.domain.overflow_rules import Closing, Overflow, OverflowRow, OverflowTo, RowKind, conditions_of
from callcenter.domain.routing_config import Between, CallerList, Membership, Routing, RoutingRule, Skill
from callcenter.domain.supervision_modes import SupervisionTold, reaches
from callcenter.domain.survey_kinds import SurveyRule


@dataclass(frozen=True, slots=True)
class CallbackConfig:
    """How a queue calls its callers back."""

    key: str = "1"
    """What a waiting caller presses to be called back; empty: no key does it, only flows and people do."""
    flow: str = ""
    """Where the caller who pressed it goes on; empty: the promise is confirmed and the call ends."""
    agent_first: bool = True
    """True: the agent's phone rings first, then the caller is dialed. False: the caller first, with an agent reserved."""
    greeting_flow: str = ""
    """Caller first: what the caller hears who has answered, up to its queue node; empty: a short greeting."""
    ring_time: timedelta = timedelta(seconds=30)
    """How long the caller's phone rings."""
    attempts: int = 3
    """At most."""
    retry_after: timedelta = timedelta(minutes=5)
    """Between the end of an attempt and the next."""
    expires_after: timedelta = timedelta(hours=96)
    """From the promise, or the chosen time, on."""
    in_time: timedelta = timedelta(minutes=15)
    """A promise is kept in time when agent and caller talk within so long after its turn, or the chosen time."""
    owned_for: timedelta = timedelta(minutes=30)
    """How long after the chosen time an agent's own callback waits for her alone."""
    number_shown: str = ""
    """The number of ours that callers see; empty: the one they had dialed, else the center's first."""


@dataclass(frozen=True, slots=True)
class CallingConfig:
    """What holds for every call that we begin."""

    trunk: str = ""
    """Through which we call; empty: we never do."""
    hours: CallingHours = field(default_factory=CallingHours)
    calendar: str = ""
    """Within whose hours we call, too; empty: those of none."""
    local: tuple[Window, ...] = ()
    """Within these, by the clock where the called party may be; empty: at any time."""
    rules: NumberRules = any_e164
    """Which numbers we may dial, the do-not-call list included."""
    e164: Callable[[str], str] | None = None
    """How ``rules`` read a number, and nothing else of it: much cheaper, and asked for every caller. What is no number stays as it is."""


@dataclass(frozen=True, slots=True)
class DispositionRule:
    """What the agents of a queue say a contact has achieved."""

    choices: tuple[str, ...] = ()
    required: bool = False
    """Wrap-up does not end by the agent's wish without one."""
    on_timeout: str = "not_given"
    """What is noted when the time is up and one was required."""
    then_not_ready: str = ""
    """The reason she is not ready for afterwards; empty: none, she is ready."""


class PositionTold(StrEnum):
    """Whether a waiting caller is told the position in line."""

    NO = "no"
    YES = "yes"
    LIMIT = "limit"
    """Up to the limit; beyond, nothing is said."""
    MORE = "more"
    """Up to the limit; beyond, "more than" the limit."""


@dataclass(frozen=True, slots=True)
class AnnounceConfig:
    """What waiting callers are told between the music."""

    position: PositionTold = PositionTold.NO
    position_limit: int = 10
    ewt: bool = False
    """The estimated wait, when it is sure enough."""
    first_after: timedelta = timedelta(seconds=20)
    """After entering the queue: the first position and estimated wait ..."""
    every: timedelta = timedelta(seconds=60)
    """... and again so often."""
    comfort: tuple[str, ...] = ()
    """Prompts said in turn ..."""
    comfort_every: timedelta = timedelta(seconds=60)
    """... so often, counted from entering the queue."""


AT_CLOSING_TIME = Closing()
"""Goodbye, unless the queue says something else."""


@dataclass(frozen=True, slots=True)
class QueueConfig:
    """A named waiting line with its policy."""

    name: str
    routing: Routing = field(default_factory=Routing)
    ring_timeout: timedelta = timedelta(seconds=15)
    wrap_up: timedelta = timedelta(seconds=10)
    wrap_up_extension: timedelta = timedelta(0)
    """By how much an agent may extend a wrap-up, once; 0: not at all."""
    dispositions: DispositionRule = DispositionRule()
    short_abandon: timedelta = timedelta(seconds=5)
    target_ratio: float = 0.8
    """Service level target: this share ..."""
    target_wait: timedelta = timedelta(seconds=20)
    """... answered within this wait."""
    max_wait: timedelta | None = None
    """A contact still waiting then overflows (``max_wait``)."""
    max_waiting: int | None = None
    """A contact that would be one more than this overflows (``full``)."""
    wait_without_agents: bool = True
    """False: a contact that finds no agent logged in overflows (``no_agents``)."""
    survey: SurveyRule | None = None
    """None: callers are asked nothing after the talk."""
    overflow_flow: str | None = None
    """The flow an overflowed caller goes on with; None: a goodbye."""
    music: str = "default"
    announce: AnnounceConfig = AnnounceConfig()
    record: bool = True
    callback: CallbackConfig | None = None
    """None: nobody is called back from this queue."""
    keys: Mapping[str, Overflow] = field(default_factory=dict)
    """What a key does that a waiting caller presses."""
    overflows: tuple[OverflowRow, ...] = ()
    """Rows of the overflow table that people wrote; see ``rows``."""
    hours: str = ""
    """The calendar of its opening hours; empty: always open."""
    closing: Closing = AT_CLOSING_TIME
    extension: str = ""
    """What agents dial to transfer to it; empty: by name only."""
    supervision_told: SupervisionTold = SupervisionTold.NOBODY
    """Who is told when a supervisor begins to hear a contact."""
    number_shown: str = ""
    """The number of ours that those see whom its agents call by themselves; empty: the center's first."""
    watched: tuple[Condition, ...] = ()
    """Conditions that something in this queue depends on."""

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All that are looked at once a second; who adds rules with conditions adds them here."""
        return tuple(dict.fromkeys((*self.watched, *conditions_of(self.overflows))))

    @property
    def rows(self) -> tuple[OverflowRow, ...]:
        """The whole overflow table, in the order in which rows are tried: its hours, the written rows, then the shorthands."""
        usual = Overflow(OverflowTo.FLOW, self.overflow_flow) if self.overflow_flow else Overflow(OverflowTo.GOODBYE)
        rows: tuple[OverflowRow, ...] = self.overflows
        if self.hours:
            rows = (OverflowRow(self.closing.action, kind=RowKind.CLOSED), *rows)
        if self.max_waiting is not None:
            full = Condition(Metric.WAITING, Comparator.ABOVE, self.max_waiting)
            rows = (*rows, OverflowRow(usual, full, entering=True, kind=RowKind.FULL))
        if not self.wait_without_agents:
            nobody = Condition(Metric.AGENTS_LOGGED_IN, Comparator.AT_MOST, 0)
            rows = (*rows, OverflowRow(usual, nobody, entering=True, kind=RowKind.NO_AGENTS))
        if self.max_wait is not None:
            rows = (*rows, OverflowRow(usual, waited=self.max_wait, kind=RowKind.MAX_WAIT))
        return rows

    def next_look(self, entered_at: datetime, closes_at: datetime | None, now: datetime) -> datetime | None:
        """The next date on which a row may apply to who entered then, because of the wait or the hours; None: none."""
        dates = [entered_at + row.waited for row in self.rows if row.waited is not None]
        if closes_at is not None and not self.closing.drain:
            dates.append(closes_at)
        return min((date for date in dates if date > now), default=None)


@dataclass(frozen=True, slots=True)
class Device:
    """One way to reach an agent, in the order in which they are tried (find-me)."""

    number: str = ""
    """Outside, E.164; empty: the desk phone."""
    ring: timedelta = timedelta(seconds=15)
    accept: timedelta = timedelta(seconds=12)
    """Outside: how long after the answer she has to press the key. A voicemail never does."""


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """A person who handles contacts, and the phone we ring."""

    name: str
    endpoint: str
    """The PJSIP endpoint of the agent's phone. Never guessable from the name."""
    queues: tuple[str, ...] = ()
    may_opt_out: tuple[str, ...] = ()
    """Queues she may leave, and come back to, by herself ..."""
    least_queues: int = 1
    """... as long as she serves so many."""
    memberships: Mapping[str, Membership] = field(default_factory=dict)
    """How she serves those queues; what is not there has level 0 and no delay."""
    skills: Mapping[str, Skill] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    """The reserve groups she belongs to."""
    devices: tuple[Device, ...] = ()
    """Tried one after the other; none: the desk phone, for the queue's ring time."""
    then_voicemail: bool = False
    """Who is offered to her, and whom she takes at none of her devices, goes to her mailbox; else to the next agent."""
    extension: str = ""
    """What colleagues dial to transfer to her; empty: by name only."""
    may_dial: tuple[str, ...] = ()
    """With what a number outside (E.164) must begin that she may call by herself, or send her callers to; none: she may not."""
    language: str = ""
    """In which we speak to her; empty: the center's first."""
    persistent: bool = False
    """Her leg is made once and stays up between contacts (off-hook), instead of ringing for each."""
    browser: bool = False
    """Her phone is the softphone of her console, and is gone when that is."""
    team: str = ""
    """Of which she is; empty: of none."""


@dataclass(frozen=True, slots=True)
class TeamConfig:
    """Agents under one supervisor."""

    name: str
    supervisor: str = ""
    """The sign-in name of the person who leads it; empty: nobody does."""
    agents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SupervisorConfig:
    """An agent who may hear others' contacts; one who serves no queue is a supervisor only."""

    name: str
    queues: tuple[str, ...]
    """Those of these queues; ``*``: of all."""

    def may_hear(self, queue: str) -> bool:
        return reaches(self.queues, queue)


@dataclass(frozen=True, slots=True)
class MissPolicy:
    """What becomes of an agent who misses offers (RONA). A phone that cannot be reached is never her fault."""

    most: int = 1
    """With so many misses ..."""
    within: timedelta = timedelta(minutes=10)
    """... in so long she is not ready until she says so. After each miss before that one she is ready again by herself, after:"""
    rest: timedelta = timedelta(seconds=5)
    busy_rest: timedelta = timedelta(seconds=30)
    busy_counts: bool = True
    """Whether a phone that was busy counts as a miss."""


@dataclass(frozen=True, slots=True)
class OccupancyRule:
    """Who has been busy too long gets a break before the next offer."""

    ceiling: float
    """Occupancy of the last half hour, 0 to 1."""
    micro_break: timedelta


@dataclass(frozen=True, slots=True)
class OwnCallsConfig:
    """Calls that agents make by themselves."""

    ring: timedelta = timedelta(seconds=40)
    """How long a phone rings for one."""
    premium: bool = False
    """Whether numbers may be called that cost the caller more."""


@dataclass(frozen=True, slots=True)
class NumberConfig:
    """A DID and what answers it."""

    did: str
    """E.164 with the plus sign."""
    flow: str
    fallback_queue: str = ""
    """Where its callers wait while we are away, and go on waiting once we are back; empty: they begin anew."""
    fallback_hours: str = ""
    """The calendar by which they are told that we are closed while we are away; empty: they never are."""


@dataclass(frozen=True, slots=True)
class Canary:
    """A version of a flow that only some calls get."""

    flow: Flow
    share: float
    """0 to 1."""

    def takes(self, call: str) -> bool:
        """The same call always decides alike, also after a restart; and who takes a small share takes every larger one."""
        drawn = int.from_bytes(blake2b(f"{self.flow.name}\0{call}".encode(), digest_size=8).digest(), "big")
        return drawn < self.share * 2**64


@dataclass(frozen=True, slots=True)
class CenterConfig:
    """Everything the center was told beforehand."""

    queues: Mapping[str, QueueConfig] = field(default_factory=dict)
    agents: Mapping[str, AgentConfig] = field(default_factory=dict)
    supervisors: Mapping[str, SupervisorConfig] = field(default_factory=dict)
    teams: Mapping[str, TeamConfig] = field(default_factory=dict)
    numbers: Mapping[str, NumberConfig] = field(default_factory=dict)
    flows: Mapping[str, Flow] = field(default_factory=dict)
    flow_versions: Mapping[tuple[str, int], Flow] = field(default_factory=dict)
    """Every published version that callers may still be in, by name and number; those in use, too."""
    canaries: Mapping[str, Canary] = field(default_factory=dict)
    """By flow: the version that a share of its calls gets instead."""
    payment_flows: tuple[str, ...] = ()
    """Where agents may send their callers to pay, the usual one first."""
    not_ready_reasons: tuple[str, ...] = ("break", "lunch", "meeting", "training")
    """What agents may be not ready for by their own wish; the first is that of the plain star code."""
    calling: CallingConfig = field(default_factory=CallingConfig)
    disposition_flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What dispositions mean, beside their names; of one that is not there, nothing more."""
    mailboxes: Mapping[str, MailboxConfig] = field(default_factory=dict)
    missed_offers: MissPolicy = MissPolicy()
    occupancy: OccupancyRule | None = None
    between_queues: Between = Between.PRIORITY
    window: timedelta = timedelta(minutes=30)
    """Of strategies and conditions that look back: what was so long ago counts about a third."""
    languages: Languages = ENGLISH
    """What callers hear is said in one of them."""
    caller_lists: tuple[CallerList, ...] = ()
    routing_rules: tuple[RoutingRule, ...] = ()
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    """Opening hours, made for some time ahead and renewed daily."""
    own_calls: OwnCallsConfig = OwnCallsConfig()
    feature_prefix: str = ""
    """What begins a sequence of keys by which an agent does something in the middle of a talk; empty: nothing does."""
    time_zone: str = "UTC"
    """Of the center; an agent's day of work is one of its days."""
    node_lost_after: timedelta = timedelta(seconds=30)
    """A node out of reach for so long is taken for dead, and its calls for lost."""
    documents: str = ""
    """The digest of the documents that all this was read from (``domain.documents``); empty: of none."""
