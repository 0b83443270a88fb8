"""Everything that ``callcenter.toml`` may say, table by table. Attribute names are those of the code, aliases those of the file."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field

from callcenter.runtime.settings_calendars_model import DaySpan
from callcenter.runtime.settings_console import QueueConsole
from callcenter.runtime.settings_fields import (
    Action,
    AttributeName,
    BindAddress,
    Country,
    Date,
    DatedWindow,
    Dialable,
    Disposition,
    Extension,
    HostName,
    Interval,
    Key,
    Language,
    Name,
    Network,
    NodeName,
    Plain,
    Port,
    Prefix,
    PromptId,
    RtpRange,
    Seconds,
    Section,
    SipUser,
    SomeSeconds,
    TimeOfDay,
    TimeZone,
    Url,
    WeeklyWindow,
)
from callcenter.runtime.settings_routing_model import AgentRouting, ConditionText, QueueRouting


class CenterSection(Section):
    name: Plain = "Call center"
    time_zone: TimeZone
    """Of the center; reports and their days are in it."""
    country: Country = "US"
    """How national numbers are read."""
    languages: tuple[Language, ...] = Field(default=("en",), min_length=1, max_length=20)
    """In which callers are spoken to; the first is that of callers who have chosen none, and of agents."""
    emergency_numbers: tuple[Dialable, ...] = ("911", "112")
    phone_transfers: bool = False
    """Whether agents' phones may transfer with their own keys (SIP REFER); an agent's own ``phone_transfers`` comes first."""
    not_ready_reasons: tuple[Name, ...] = Field(default=("break", "lunch", "meeting", "training"), min_length=1)
    """What agents may be not ready for by their own wish; ``*12`` is the first, ``*122`` the second."""
    node_lost_after: SomeSeconds = Field(default=timedelta(seconds=30), alias="node_lost_after_s")


class PathsSection(Section):
    data: str = ""
    """Where everything is kept; empty: /var/lib/callcenter as root, else ~/.local/share/callcenter."""


class DatabaseSection(Section):
    url: str = ""
    """``postgresql://...``; empty: an embedded PostgreSQL of our own."""


class NodeSection(Section):
    """An Asterisk of ours: on this machine, or (``remote``) one that somebody else has configured and started."""

    name: NodeName
    bind: BindAddress = "0.0.0.0"
    """Where SIP and RTP listen."""
    sip_port: Port = 5060
    """UDP and TCP."""
    sip_tls_port: Port | None = None
    tls_certificate: Path | None = None
    """PEM; without it a self-signed one is made."""
    tls_private_key: Path | None = None
    rtp_ports: RtpRange = (10_000, 20_000)
    http_port: Port = 8088
    ami_port: Port = 5038
    dialplan: Path | None = None
    """A dialplan file of your own, read last."""
    external_address: HostName | None = None
    """Our address as the outside sees it, when the machine is behind NAT."""
    local_networks: tuple[Network, ...] = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8")
    """Who is on our side of the NAT."""
    remote: bool = False
    host: HostName | None = None
    ari_url: Url | None = None
    ari_user: SipUser | None = None
    ari_password_file: Path | None = None
    ami_user: SipUser | None = None
    ami_password_file: Path | None = None


class EngineSection(Section):
    agi_host: BindAddress = "127.0.0.1"
    """Where dialplans ask (FastAGI). It knows no passwords: only trusted machines may reach it."""
    agi_port: Port = 4573
    rest_over_websocket: bool = True


class WebSection(Section):
    host: BindAddress = "127.0.0.1"
    port: Port = 8080
    public_url: Url | None = None
    """How browsers reach us when a proxy stands before us: ``https://center.example``. With https, cookies are for TLS only."""
    proxies: tuple[Network, ...] = Field(default=(), max_length=20)
    """Proxies that may say for whom they ask (X-Forwarded-For)."""
    api_requests_per_second: int = Field(default=50, ge=1, le=100_000)
    """Of one token, or of one person who is signed in, on average; four times as many at once."""


class PeopleSection(Section):
    """People who sign in."""

    idle: SomeSeconds = Field(default=timedelta(hours=1), alias="idle_s")
    """A session ends that is not used for so long; an open console uses it."""
    longest: SomeSeconds = Field(default=timedelta(hours=12), alias="longest_s")
    """At the latest after so long."""


class WebhooksSection(Section):
    """Other systems are told of what happens (docs/api.md)."""

    allow_private: bool = False
    """Whether they may be on this machine or its network, and spoken to without TLS."""


class PaymentsSection(Section):
    """Agents send their callers through these flows to pay."""

    flows: tuple[Name, ...] = Field(default=(), max_length=9)
    """The first one unless another is asked for; ``*202`` is the second."""


class RecordingSection(Section):
    enabled: bool = True
    """False: nothing is recorded, whatever the queues say."""
    keep_days: int = Field(default=90, ge=1, le=3660)


class TrunkSection(Section):
    """The SIP connection to the carrier."""

    name: Name
    authentication: Literal["address", "registration"]
    addresses: tuple[Network, ...] = ()
    """Who may send us calls through this trunk."""
    host: HostName | None = None
    """Where we send calls and registrations."""
    port: Port | None = None
    user: SipUser | None = None
    password_file: Path | None = None
    transport: Literal["udp", "tcp", "tls"] = "udp"
    srtp: bool = False
    codecs: tuple[Literal["ulaw", "alaw", "g722"], ...] = ("ulaw", "alaw")
    did_prefix: Prefix | None = None
    """Put before a dialed number that comes without plus sign."""
    did_country: Country | None = None
    """The country in whose national form the carrier sends the dialed number; ``center.country`` when not given."""


class CallingHoursSection(Section):
    """When we may call people, by the wall clock of ``center.time_zone``; without any line, always."""

    weekly: tuple[WeeklyWindow, ...] = ()
    """``mon-fri 09:00-20:00``; without any, every day is open."""
    closed: tuple[Date, ...] = ()
    """Dates on which we call nobody."""
    dated: tuple[DatedWindow, ...] = ()
    """``2026-12-24 09:00-12:00``: takes the place of that weekday's windows."""


class CallingSection(Section):
    """What holds for every call that we begin."""

    trunk: Name | None = None
    """Through which we call; without it we never do."""
    countries: tuple[Country, ...] = ()
    """Where we call; ``center.country`` when not given."""
    do_not_call: tuple[Plain, ...] = ()
    do_not_call_file: Path | None = None
    """One number on a line."""
    hours: CallingHoursSection = CallingHoursSection()
    calendar: Name | None = None
    """In place of ``hours``: we call while this calendar is open."""
    local_hours: tuple[DaySpan, ...] = Field(default=(), max_length=5)
    """Also by the clock where the number says that its owner may be, in all of its zones if it may be one of several."""


class NumberSection(Section):
    did: Plain
    flow: Name | None = None
    switch: Name | None = None
    """In place of a flow: the calendar whose emergency switch answers, behind its PIN."""
    fallback_queue: Name | None = None
    """Whose agents the dialplan rings while the engine is away; the first queue when not given."""
    fallback_hours: Name | None = None
    """The calendar by which callers are told that it is closed while the engine is away; that of the fallback queue when not given."""


class CallbackSection(Section):
    """How a queue calls its callers back."""

    key: Key | Literal[""] = "1"
    """What a waiting caller presses to be called back; empty: no key does it."""
    flow: Name | None = None
    """Where the caller who pressed it goes on; without it, the promise is confirmed and the call ends."""
    first: Literal["agent", "caller"] = "agent"
    """Whose phone rings first."""
    greeting_flow: Name | None = None
    """Caller first: what the caller hears who has answered; must lead to the queue."""
    ring_time: SomeSeconds = Field(default=timedelta(seconds=30), alias="ring_time_s")
    attempts: int = Field(default=3, ge=1, le=10)
    retry_after: SomeSeconds = Field(default=timedelta(minutes=5), alias="retry_after_s")
    expires_after: SomeSeconds = Field(default=timedelta(hours=96), alias="expires_after_s")
    in_time: SomeSeconds = Field(default=timedelta(minutes=15), alias="in_time_s")
    """Kept in time: agent and caller talk within so long after its turn, or the chosen time."""
    owned_for: SomeSeconds = Field(default=timedelta(minutes=30), alias="owned_for_s")
    """How long after the chosen time an agent's own callback waits for her alone."""
    number_shown: Plain | None = None
    """The number of ours that callers see; the one they had dialed when not given."""


class AnnounceSection(Section):
    """What waiting callers are told between the music."""

    position: Literal["no", "yes", "limit", "more"] = "no"
    position_limit: int = Field(default=10, ge=1, le=1000)
    ewt: bool = False
    first_after: SomeSeconds = Field(default=timedelta(seconds=20), alias="first_after_s")
    every: Interval = Field(default=timedelta(seconds=60), alias="every_s")
    comfort: tuple[PromptId, ...] = Field(default=(), max_length=10)
    comfort_every: Interval = Field(default=timedelta(seconds=60), alias="comfort_every_s")


class OverflowSection(Section):
    """A row of a queue's overflow table: when (all that is given must be so), and where to."""

    when: ConditionText | None = None
    lasting: Seconds = Field(default=timedelta(0), alias="for_s")
    """For how long without a break."""
    release: float | None = Field(default=None, ge=0, alias="released_at")
    """Once it holds, it does until the metric is back at this value."""
    of_queue: Name | None = None
    """Whose metric; the queue's own when not given."""
    waited: SomeSeconds | None = Field(default=None, alias="waited_s")
    to: Action


class ClosingSection(Section):
    """What becomes of callers when the queue's ``hours`` are over, or every day from ``at`` to ``until`` by the clock of the center."""

    at: TimeOfDay | None = None
    until: TimeOfDay | None = None
    to: Action = "goodbye"
    drain: bool = False
    """True: who waits then is served to the end."""


class QueueSection(QueueConsole, QueueRouting):
    name: Name
    extension: Extension | None = None
    """What agents dial to transfer to it."""
    number_shown: Plain | None = None
    """The number of ours that those see whom its agents call by themselves; the center's first when not given."""
    ring_timeout: SomeSeconds = Field(default=timedelta(seconds=15), alias="ring_timeout_s")
    wrap_up: Seconds = Field(default=timedelta(seconds=10), alias="wrap_up_s")
    wrap_up_extension: Seconds = Field(default=timedelta(0), alias="wrap_up_extension_s")
    """By how much an agent may extend a wrap-up, once; 0: not at all."""
    dispositions: tuple[Disposition, ...] = ()
    """What a contact may have achieved; ``*141`` is the first. ``sale/by-phone`` is one of two levels."""
    disposition_required: bool = False
    """Wrap-up does not end by the agent's wish without one."""
    disposition_on_timeout: Disposition = "not_given"
    """Noted when the time is up and one was required."""
    not_ready_on_timeout: Name | None = None
    """The reason the agent is not ready for then; without it she is ready."""
    short_abandon: Seconds = Field(default=timedelta(seconds=5), alias="short_abandon_s")
    target_ratio: float = Field(default=0.8, gt=0, le=1)
    target_wait: Seconds = Field(default=timedelta(seconds=20), alias="target_wait_s")
    max_wait: SomeSeconds | None = Field(default=None, alias="max_wait_s")
    max_waiting: int | None = Field(default=None, ge=0)
    wait_without_agents: bool = True
    overflow_flow: Name | None = None
    lookup: Name | None = None
    """The dip that tells what another system knows of the caller, for the screen pop."""
    survey_flow: Name | None = None
    """Where callers go on whose agent hangs up first."""
    survey_attribute: AttributeName | None = None
    """Only those callers whose attribute of that name says yes."""
    survey_again_after_days: int = Field(default=0, ge=0, le=366)
    """A caller who was asked is not asked again for so long; 0: each time."""
    music: Name = "default"
    announce: AnnounceSection = AnnounceSection()
    keys: dict[Key, Action] = Field(default_factory=dict)
    """What a key does that a waiting caller presses."""
    overflow: tuple[OverflowSection, ...] = Field(default=(), max_length=20)
    hours: Name | None = None
    """The calendar of its opening hours; without it, always open."""
    closing: ClosingSection | None = None
    record: bool = True
    supervision: Literal["silent", "agent", "both"] = "silent"
    """Who is told when a supervisor begins to hear a contact."""
    callback: CallbackSection | None = None
    """Without it nobody is called back from this queue."""


class DeviceSection(Section):
    """One way to reach an agent."""

    phone: Literal["desk"] | None = None
    number: Plain | None = None
    """Outside: whoever answers there must press 1 to take the call."""
    ring: SomeSeconds = Field(default=timedelta(seconds=15), alias="ring_s")
    accept: SomeSeconds = Field(default=timedelta(seconds=12), alias="accept_s")
    """Outside: how long after the answer she has to press the key."""


class AgentSection(AgentRouting):
    name: Name
    extension: Extension | None = None
    """What colleagues dial to transfer to her."""
    phone: Literal["desk", "browser"] = "desk"
    """What is rung for her: a SIP phone on her desk, or the softphone of her console."""
    phone_transfers: bool | None = None
    """Whether her phone may transfer with its own keys; without it as ``center.phone_transfers`` says."""
    may_opt_out: tuple[Name, ...] = ()
    """Queues she may leave, and come back to, by herself ..."""
    least_queues: int = Field(default=1, ge=0, le=100)
    """... as long as she serves so many."""
    find_me: tuple[DeviceSection, ...] = Field(default=(), max_length=10)
    """Her devices, tried one after the other; without it her desk phone, for the queue's ring time."""
    leg: Literal["ring", "persistent"] = "ring"
    """Whether her phone rings for each contact, or is rung once and stays up between them."""
    may_dial: tuple[Prefix, ...] | None = Field(default=None, max_length=50)
    """With what numbers outside must begin that she may call by herself; ``own_calls.allowed`` when not given."""
    language: Language | None = None
    """In which we speak to her on her desk phone; the center's first when not given."""
    find_me_then: Literal["next_agent", "voicemail"] = "next_agent"
    """Where the caller goes when she took the call at none of them."""


class SupervisorSection(Section):
    """Who may hear others' contacts: an agent, maybe one who serves no queue."""

    name: Name
    queues: tuple[Name | Literal["*"], ...] = Field(min_length=1)
    """Contacts of these may be heard; ``*``: of all."""


class MissedOffersSection(Section):
    """What becomes of an agent who misses offers."""

    most: int = Field(default=1, ge=1, le=100)
    within: SomeSeconds = Field(default=timedelta(minutes=10), alias="within_s")
    rest: SomeSeconds = Field(default=timedelta(seconds=5), alias="rest_s")
    busy_rest: SomeSeconds = Field(default=timedelta(seconds=30), alias="busy_rest_s")
    busy_counts: bool = True


class OccupancySection(Section):
    """Who has been busy too much in the last half hour gets a break before the next offer."""

    ceiling: float | None = Field(default=None, gt=0, lt=1)
    """Without it there are no such breaks."""
    micro_break: SomeSeconds = Field(default=timedelta(seconds=60), alias="micro_break_s")


class MusicSection(Section):
    """What callers hear while they wait."""

    name: Name
    folder: Path | None = None
    """A folder of WAV files (8 kHz, mono, 16 bit), relative to the settings file."""
    source: Plain | None = None
    """``tone:350+450:10``: two tones (Hz), repeated."""
