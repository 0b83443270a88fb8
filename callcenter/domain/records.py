"""The records of the books: CDR, contact, recording and agent-state records. What is not known yet is None."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from callcenter.domain import facts as f
from callcenter.domain.callback import CallbackState
from callcenter.domain.contact import ContactState
from callcenter.domain.events import Cause
from callcenter.domain.facts.callbacks import CallbackSource
from callcenter.domain.flow_books import FlowOutcome, FlowStay
from callcenter.domain.survey_kinds import SurveyKind


class ServedBy(StrEnum):
    ENGINE = "engine"
    FALLBACK = "fallback"
    """The dialplan, while we were away."""


class EndedBy(StrEnum):
    """Who ended the call."""

    CALLER = "caller"
    AGENT = "agent"
    CENTER = "center"
    """We hung up: the flow was at its end."""
    NETWORK = "network"
    """The caller's audio or the trunk was lost."""
    NODE = "node"
    UNKNOWN = "unknown"


class RecordingState(StrEnum):
    RECORDING = "recording"
    STOPPED = "stopped"
    """Asterisk is done with it; the file is not finished yet."""
    FINISHED = "finished"
    MISSING = "missing"
    DELETED = "deleted"
    """It was kept for as long as recordings are kept."""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One CDR: everything under one ``call_id``."""

    call_id: str
    linkedid: str
    node: str
    direction: f.Direction
    caller: str
    dialed: str
    """The DID, or what the agent dialed."""
    trunk: str
    flow: str
    """The first flow run's."""
    started_at: datetime
    answered_at: datetime | None
    """When the first agent and the caller heard each other."""
    ended_at: datetime | None
    wait: timedelta
    """Of all contacts; likewise talk and hold."""
    talk: timedelta
    hold: timedelta
    queue: str
    """The last contact's; likewise the last agent who talked."""
    agent: str
    contacts: int
    cause: Cause | None
    ended_by: EndedBy | None
    served_by: ServedBy
    disposition: str = ""
    """Of the last contact that was answered."""
    flow_outcome: FlowOutcome | None = None
    """Of a caller who began in a flow; None while that is open."""


@dataclass(frozen=True, slots=True)
class ContactRecord:
    """One pass of one caller through one queue."""

    contact_id: str
    call_id: str
    queue: str
    caller: str
    priority: int
    entered_at: datetime
    offers: int
    offers_missed: int
    answered_at: datetime | None
    agent: str
    parted_at: datetime | None
    ended_at: datetime | None
    """When the contact was over: wrap-up ended, abandoned or overflowed."""
    state: ContactState
    wait: timedelta | None
    talk: timedelta | None
    hold: timedelta | None
    wrap_up: timedelta | None
    why: str
    """Why it overflowed, or how the talk ended."""
    short_abandon: bool
    transferred_from: str
    served_by: ServedBy
    disposition: str = ""
    """What it achieved, as the agent said; empty when nobody did."""
    disposition_flags: tuple[str, ...] = ()
    """What the configuration said that it means, when it was given: ``success``, ``resolved``, ``retry`` ..."""
    callback_offered: bool = False
    """The caller was told that we would call back."""
    told_right: int = 0
    """How often an estimated wait told to the caller came true ..."""
    told_wrong: int = 0
    """... and how often it did not; what is not known counts in neither."""
    survey_offered: bool = False
    """The caller went on into the queue's survey."""


@dataclass(frozen=True, slots=True)
class CallbackRecord:
    """One promise to call a caller back."""

    callback_id: str
    queue: str
    number: str
    caller_name: str
    source: CallbackSource
    call_id: str
    """The call in which the caller asked for it; likewise the contact that left its queue for it."""
    contact_id: str
    created_at: datetime
    due_at: datetime
    """The chosen time; for virtual hold, when it was promised."""
    owner: str
    state: CallbackState
    attempts: int
    first_attempt_at: datetime | None
    reached_at: datetime | None
    bridged_at: datetime | None
    agent: str
    bridged_contact_id: str
    settled_at: datetime | None
    """When it was kept or broken."""
    why: str
    """How it was kept, or why it was broken."""
    in_time: bool | None


@dataclass(frozen=True, slots=True)
class SurveyAnswerRecord:
    """One answer to one survey question."""

    call_id: str
    n: int
    """Which answer of the call, from 0."""
    contact_id: str
    """Of the talk before, if there was one; likewise queue and agent."""
    queue: str
    agent: str
    flow: str
    question: str
    kind: SurveyKind
    value: str
    score: int | None
    """The number that was given; None where none is."""
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class RecordingRecord:
    """One audio file, as far as facts tell; what became of the file is found on disk."""

    recording_id: str
    contact_id: str
    call_id: str
    agent: str
    queue: str
    node: str
    started_at: datetime
    stopped_at: datetime | None
    state: RecordingState
    why: str


@dataclass(frozen=True, slots=True)
class Stay:
    """One stay of one agent in one state; ``ended_at`` is None while it lasts."""

    agent: str
    state: f.AgentState
    reason: str
    contact_id: str
    began_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class CallBooks:
    """What one call's facts come to. ``call`` is None when its beginning is not among them."""

    call: CallRecord | None
    contacts: tuple[ContactRecord, ...]
    recordings: tuple[RecordingRecord, ...]
    stays: tuple[FlowStay, ...] = ()
    """At the nodes of flows; of inbound calls."""
    survey_answers: tuple[SurveyAnswerRecord, ...] = ()
