"""Contacts and calls of the past, as the books have them; and why a contact waited, or waits."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AliasChoices, AwareDatetime, BaseModel, Field

from callcenter.adapters.web.api.endpoint import Asked, Endpoint, Line, Nothing, Shown
from callcenter.adapters.web.api.paging import Page
from callcenter.adapters.web.api.ports import Ports
from callcenter.adapters.web.api.problems import not_found, refused
from callcenter.adapters.web.api.resources import scope
from callcenter.adapters.web.api.resources.callbacks import CallbackShown
from callcenter.adapters.web.api.resources.lists import DatedQuery, listed, read
from callcenter.adapters.web.api.resources.messages import MessageShown
from callcenter.adapters.web.api.resources.recordings import RecordingShown
from callcenter.domain.dips.source import Outcome
from callcenter.domain.rights import Right, may
from callcenter.services.archive import Part, Row, Shelf
from callcenter.services.control import ControlError

Id = Annotated[str, Field(validation_alias=AliasChoices("contact_id", "contact"))]
CallId = Annotated[str, Field(validation_alias=AliasChoices("call_id", "call"))]


class ContactShown(Shown):
    """One pass of one caller through one queue. What is not known yet is null."""

    contact: Id
    call: CallId
    queue: str
    caller: str
    priority: int
    state: str
    entered_at: AwareDatetime
    answered_at: AwareDatetime | None
    parted_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    agent: str
    offers: int
    offers_missed: int
    wait_s: float | None
    talk_s: float | None
    hold_s: float | None
    wrap_up_s: float | None
    why: Annotated[str, Field(description="Why it overflowed, or how the talk ended.")]
    short_abandon: bool
    transferred_from: str
    disposition: str
    disposition_flags: Annotated[list[str], Field(description="What the disposition was said to mean when it was given.")]
    served_by: str


class ContactPage(Page[ContactShown]):
    """Contacts, the newest first."""


class ContactQuery(DatedQuery):
    queue: Line = ""
    agent: Line = ""
    caller: Annotated[Line, Field(description="The number, in whatever way it is written.")] = ""
    state: Line = ""
    disposition: Line = ""


class LookupShown(Shown):
    """What another system knows of the caller."""

    source: str
    outcome: Outcome
    attributes: dict[str, str]


class CallShown(Shown):
    """Everything under one call id: the CDR."""

    call: CallId
    linkedid: str
    node: str
    direction: str
    caller: str
    dialed: str
    trunk: str
    flow: str
    started_at: AwareDatetime
    answered_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    wait_s: float
    talk_s: float
    hold_s: float
    queue: str
    agent: str
    contacts: int
    cause: str | None
    ended_by: str | None
    served_by: str
    disposition: str
    flow_outcome: str | None


class CallPage(Page[CallShown]):
    """Calls, the newest first."""


class CallQuery(DatedQuery):
    queue: Annotated[Line, Field(description="The last contact's.")] = ""
    agent: Line = ""
    caller: Line = ""
    dialed: Line = ""
    direction: Line = ""
    flow: Line = ""


class StayShown(Shown):
    """A stay at a node of a flow."""

    flow: str
    version: str
    node: str
    entered_at: AwareDatetime
    left_at: AwareDatetime | None
    exit: str
    to_node: str
    tries: int


class AnswerShown(Shown):
    """What was answered in a script."""

    field: str
    answer: str


class ScriptFilledShown(Shown):
    """The answers of one script."""

    script: str
    done: Annotated[bool, Field(description="It was gone through to its end.")]
    answers: list[AnswerShown]


class SoundShown(Shown):
    """How the talk sounded at the agent's softphone."""

    agent: str
    received: Annotated[int, Field(description="Packets.")]
    lost: int
    jitter_ms: float
    rtt_ms: float
    worst_loss: Annotated[float, Field(description="Of the worst second, 0 to 1.")]
    worst_jitter_ms: float
    worst_rtt_ms: float


class ContactWritten(ContactShown):
    """A contact with what agents wrote of it."""

    note: Annotated[str, Field(description="Empty: nobody wrote one.")] = ""
    scripts: Annotated[list[ScriptFilledShown], Field(default_factory=list)]
    sound: Annotated[SoundShown | None, Field(description="null: nothing was measured.")] = None


class ContactWhole(ContactWritten):
    """A contact with all that belongs to it."""

    history: Annotated[list[ContactWritten], Field(description="Earlier contacts of the same caller, the newest first.")]
    way: Annotated[list[StayShown], Field(description="Through flows, before the queue and after.")]
    others: Annotated[list[ContactShown], Field(description="Other contacts of the same call.")]
    recordings: Annotated[list[RecordingShown] | None, Field(description="null: the right to see them is missing.")]
    callbacks: list[CallbackShown]
    messages: list[MessageShown]


class CallWhole(CallShown):
    """A call with its contacts and its way through flows."""

    way: list[StayShown]
    passed: Annotated[list[ContactShown], Field(description="Its contacts, in order.")]


class Explained(BaseModel):
    """Why a contact waits, or was offered to whom it was; as `callcenter explain` says it."""

    now: Annotated[bool, Field(description="It still waits.")]
    explanation: dict[str, Any]


HISTORY = 20


async def contacts(asked: Asked[ContactQuery, Nothing], ports: Ports) -> ContactPage:
    query = asked.query
    same = {name: getattr(query, name) for name in ("queue", "agent", "state", "disposition")} | _of_caller(query.caller, ports)
    return await listed(asked, ports, Shelf.CONTACTS, same, ContactPage, "entered_at", "contact_id")


async def contact(asked: Asked[Nothing, Nothing], ports: Ports) -> ContactWhole:
    """With the caller's earlier contacts, the way through flows, recordings, callbacks and voicemail."""
    row = await _contact(asked, ports)
    name, call, caller = str(row["contact_id"]), str(row["call_id"]), str(row["caller"])
    around = await ports.archive.of_contact(name, call)
    same_call = await ports.archive.contacts_of_call(call)
    recordings = around[Shelf.RECORDINGS] if may(asked.signed, Right.SEE_RECORDINGS) else None
    whole = {
        **row,
        **(await ports.archive.written([call])).get(name, {}),
        "history": await _history(asked, ports, caller, name) if caller else [],
        "way": await ports.archive.way(call),
        "others": [each for each in same_call if each["contact_id"] != name and _seen(asked, each)],
        "recordings": recordings,
        "callbacks": around[Shelf.CALLBACKS],
        "messages": around[Shelf.MESSAGES],
    }
    shown: ContactWhole = read(ContactWhole, whole)
    return shown


async def _history(asked: Asked[Any, Any], ports: Ports, caller: str, but: str) -> list[Row]:
    rows = await ports.archive.rows(Shelf.CONTACTS, Part(_of_caller(caller, ports), queues=scope.queues(asked), limit=HISTORY + 1))
    others = [row for row in rows if row["contact_id"] != but][:HISTORY]
    written = await ports.archive.written([str(row["call_id"]) for row in others])
    return [{**row, **written.get(str(row["contact_id"]), {})} for row in others]


def _of_caller(caller: str, ports: Ports) -> dict[str, Sequence[str]]:
    """Rows of one caller, in whatever way the number was written."""
    return {"caller": ports.number_forms(caller)} if caller else {}


def _seen(asked: Asked[Any, Any], row: Row) -> bool:
    return asked.signed.scope.has_queue(str(row["queue"]))


async def _contact(asked: Asked[Any, Any], ports: Ports) -> Row:
    name = asked.path["contact"]
    row = await ports.archive.row(Shelf.CONTACTS, name)
    if row is None:
        raise not_found(f"there is no contact '{name}' in the books (yet)")
    scope.check_row_queue(asked, Right.SEE_CONTACTS, str(row["queue"]))
    return row


async def explanation(asked: Asked[Nothing, Nothing], ports: Ports) -> Explained:
    """Who could take it, why each other agent cannot, what changes when; for a contact of the past, each of its offers."""
    name = asked.path["contact"]
    try:
        told = await ports.live.explanation(name)
        scope.check_row_queue(asked, Right.SEE_CONTACTS, str(told.get("queue", "")))
        return Explained(now=True, explanation=told)
    except ControlError:
        pass
    await _contact(asked, ports)
    try:
        past = await ports.explain_past(name)
    except LookupError as error:
        raise not_found(str(error)) from None
    return Explained(now=False, explanation=dict(past))


async def lookup(asked: Asked[Nothing, Nothing], ports: Ports) -> LookupShown:
    """The queue's `lookup` source is asked, within its time limit; for the screen pop, and for contacts that are over."""
    name = asked.path["contact"]
    queue = await ports.live.queue_of(name)
    row = None
    if queue is not None:
        scope.check_row_queue(asked, Right.SEE_CONTACTS, queue)
    else:
        row = await _contact(asked, ports)
    known = None if row is None else {key: str(row[column] or "") for key, column in _KNOWN_TO_BOOKS.items()}
    try:
        found = await ports.lookup(name, known)
    except LookupError:
        raise not_found(f"there is no contact '{name}' any more") from None
    if found is None:
        raise refused("the queue of this contact has no lookup; name a dip as its 'lookup'")
    return LookupShown(source=found.source, outcome=found.answer.outcome, attributes=dict(found.answer.told()))


_KNOWN_TO_BOOKS = {"contact": "contact_id", "call": "call_id", "queue": "queue", "caller": "caller"}


async def calls(asked: Asked[CallQuery, Nothing], ports: Ports) -> CallPage:
    query = asked.query
    same = {name: getattr(query, name) for name in ("queue", "agent", "dialed", "direction", "flow")} | _of_caller(query.caller, ports)
    return await listed(asked, ports, Shelf.CALLS, same, CallPage, "started_at", "call_id")


async def call(asked: Asked[Nothing, Nothing], ports: Ports) -> CallWhole:
    name = asked.path["call"]
    row = await ports.archive.row(Shelf.CALLS, name)
    if row is None:
        raise not_found(f"there is no call '{name}' in the books (yet)")
    passed = await ports.archive.contacts_of_call(name)
    seen = [each for each in passed if _seen(asked, each)]
    if not seen:
        scope.check_row_queue(asked, Right.SEE_CONTACTS, str(row["queue"]))
    whole: CallWhole = read(CallWhole, {**row, "way": await ports.archive.way(name), "passed": seen})
    return whole


ENDPOINTS = (
    Endpoint("GET", "/contacts", contacts, "Contacts", Right.SEE_CONTACTS, "contacts", query=ContactQuery, answers=ContactPage),
    Endpoint("GET", "/contacts/{contact}", contact, "One contact, with its history", Right.SEE_CONTACTS, "contacts", answers=ContactWhole),
    Endpoint(
        "GET",
        "/contacts/{contact}/explanation",
        explanation,
        "Why it waits, or was offered to whom it was",
        Right.SEE_CONTACTS,
        "contacts",
        answers=Explained,
    ),
    Endpoint(
        "GET",
        "/contacts/{contact}/lookup",
        lookup,
        "What another system knows of the caller",
        Right.SEE_CONTACTS,
        "contacts",
        answers=LookupShown,
        problems=(409,),
    ),
    Endpoint("GET", "/calls", calls, "Calls (CDR)", Right.SEE_CONTACTS, "calls", query=CallQuery, answers=CallPage),
    Endpoint("GET", "/calls/{call}", call, "One call", Right.SEE_CONTACTS, "calls", answers=CallWhole),
)
