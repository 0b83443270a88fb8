"""Documents: the configuration of the center, read, planned, changed and brought back; the same code as ``callcenter config``."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, JsonValue

from callcenter.adapters.web.access import NotAllowed
from callcenter.adapters.web.api.endpoint import Answer, Asked, Endpoint, Line, Nothing, Request, Shown
from callcenter.adapters.web.api.ports import Ports
from callcenter.adapters.web.api.problems import Fault, Problem, not_found
from callcenter.adapters.web.config.objects import object_of
from callcenter.domain.documents import Body, Documents, kind_of
from callcenter.domain.rights import Right, may
from callcenter.services.configuration import Change, ChangeRefused, Faulty, NoSuchVersion, Plan, Stale, Stored

TAG = "documents"
LARGEST = 1024 * 1024
MOST_FAULTS = 100
Key = Annotated[str, Field(min_length=1, max_length=250, pattern=r"^[a-z_]{1,40}(/[^\x00-\x1f\x7f]{1,200})?$")]
"""``queue/support``; of kinds of which there is one, the kind alone: ``center``."""
WrittenBody = dict[str, JsonValue]


class DocumentRow(Shown):
    key: str
    changed_in: Annotated[int, Field(description="The version in which it became what it is: its ETag.")]


class DocumentList(Shown):
    """All documents, without what they say."""

    version: Annotated[int, Field(description="Of all documents; 0: none was kept yet.")]
    items: list[DocumentRow]


class KindQuery(Request):
    kind: Annotated[Line, Field(description="Only this kind: `queue`, `agent`, `team` ...")] = ""


class KeyQuery(Request):
    key: Key


class KeptDocument(Shown):
    """One document: what a table of `callcenter.toml` says."""

    key: str
    changed_in: int
    body: WrittenBody


class FieldChanged(Shown):
    path: str
    before: JsonValue
    after: JsonValue


class DocumentChanged(Shown):
    key: str
    did: Annotated[str, Field(description="`add`, `change` or `remove`.")]
    fields: list[FieldChanged]


class ConsequenceShown(Shown):
    """What it means for the people of this moment."""

    what: str
    subject: str
    count: int
    waiting: int


class PlanShown(Shown):
    """What a change would do."""

    base: Annotated[int, Field(description="The version that it changes.")]
    changes: list[DocumentChanged]
    moved: Annotated[list[str], Field(description="Kinds whose documents stand in another order.")]
    consequences: list[ConsequenceShown]


class PlanRequest(Request):
    changes: Annotated[
        dict[Key, WrittenBody | None],
        Field(min_length=1, max_length=2000, description="Documents in place of what is there; null removes."),
    ]
    expected: Annotated[
        dict[Key, Annotated[int, Field(ge=0, le=999_999_999)]],
        Field(
            default_factory=dict,
            max_length=2000,
            description="The ETag (`changed_in`) with which you know a document; 0: it is not there.",
        ),
    ]


class ApplyRequest(PlanRequest):
    reason: Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$", description="For the history.")] = ""


class BackRequest(Request):
    version: Annotated[int, Field(ge=1, le=999_999_999)]
    key: Annotated[Key | None, Field(description="One document; without it, all.")] = None
    reason: Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""


class AppliedShown(Shown):
    version: int
    taken_up: Annotated[bool, Field(description="The engine goes by it already; else it does when it starts.")]
    plan: PlanShown


class VersionRow(Shown):
    version: int
    at: AwareDatetime
    author: str
    reason: str
    source: str
    digest: str
    changed: Annotated[list[str], Field(description="Documents; those that were taken away begin with a minus sign.")]


class HistoryList(Shown):
    """The newest first."""

    items: list[VersionRow]


class HistoryQuery(Request):
    key: Annotated[Line, Field(description="Only versions that changed this document.")] = ""
    most: Annotated[int, Field(ge=1, le=1000)] = 100


async def documents(asked: Asked[KindQuery, Nothing], ports: Ports) -> DocumentList:
    stored = await ports.configuration.now()
    kind = asked.query.kind
    rows = [{"key": key, "changed_in": stored.changed_in.get(key, 0)} for key in stored.documents if kind in ("", kind_of(key))]
    return DocumentList.model_validate({"version": stored.version, "items": rows})


async def document(asked: Asked[KeyQuery, Nothing], ports: Ports) -> Answer:
    """The ETag is `changed_in`: name it in `expected` when you change the document."""
    stored, key = await ports.configuration.now(), asked.query.key
    if key not in stored.documents:
        raise not_found(f"there is no document '{key}'")
    changed_in = stored.changed_in.get(key, 0)
    shown = {"key": key, "changed_in": changed_in, "body": stored.documents[key]}
    return Answer(KeptDocument.model_validate(shown), etag=f'"{changed_in}"')


async def plan(asked: Asked[Nothing, PlanRequest], ports: Ports) -> PlanShown:
    """Checked as a whole, and shown; nothing is changed."""
    return _shown(await _planned(asked, ports))


async def apply(asked: Asked[Nothing, ApplyRequest], ports: Ports) -> AppliedShown:
    """All of it or nothing; calls, contacts and agents at work stay as they are."""
    return await _apply(asked, ports, await _planned(asked, ports), "api")


async def history(asked: Asked[HistoryQuery, Nothing], ports: Ports) -> HistoryList:
    notes = await ports.configuration.history(asked.query.key, asked.query.most)
    rows = [{field: getattr(note, field) for field in VersionRow.model_fields} for note in notes]
    return HistoryList.model_validate({"items": [{**row, "changed": list(row["changed"])} for row in rows]})


async def rollback(asked: Asked[Nothing, BackRequest], ports: Ports) -> AppliedShown:
    """A new version that says what that one said."""
    try:
        planned = await ports.configuration.plan_back(asked.body.version, asked.body.key or "")
    except NoSuchVersion as error:
        raise not_found(str(error)) from None
    except Faulty as error:
        raise _faulty(error) from None
    _check(asked, planned)
    return await _apply(asked, ports, planned, "rollback")


async def _planned(asked: Asked[Nothing, Any], ports: Ports) -> Plan:
    """Raises Problem, NotAllowed."""
    changes: Mapping[str, Body | None] = asked.body.changes
    stored: Stored = await ports.configuration.now()
    _check_keys(asked, changes, stored.documents)
    try:
        return await ports.configuration.plan(changes, asked.body.expected)
    except Faulty as error:
        raise _faulty(error) from None
    except Stale as error:
        raise Problem(412, "changed_meanwhile", str(error)) from None


async def _apply(asked: Asked[Any, Any], ports: Ports, planned: Plan, source: str) -> AppliedShown:
    by = asked.by
    try:
        done = await ports.configuration.apply(planned, Change(by.person, asked.body.reason, source, by.via, by.address))
    except Faulty as error:
        raise _faulty(error) from None
    except Stale as error:
        raise Problem(412, "changed_meanwhile", str(error)) from None
    except ChangeRefused as error:
        raise Problem(409, "refused", str(error)) from None
    return AppliedShown(version=done.version, taken_up=done.taken_up, plan=_shown(planned))


def _check(asked: Asked[Any, Any], planned: Plan) -> None:
    _check_keys(asked, {change.key: change.after for change in planned.changes}, planned.before)


def _check_keys(asked: Asked[Any, Any], changes: Mapping[str, object], there: Documents) -> None:
    """Raises NotAllowed when one of them lies outside of her scope."""
    for key in changes:
        if not may(asked.signed, Right.CHANGE_CONFIG, object_of(key, there)):
            raise NotAllowed(Right.CHANGE_CONFIG)


def _shown(planned: Plan) -> PlanShown:
    did = {True: "add", False: "change"}
    changes = [
        {
            "key": change.key,
            "did": "remove" if change.after is None else did[change.before is None],
            "fields": [{"path": field.path, "before": field.before, "after": field.after} for field in change.fields],
        }
        for change in planned.changes
    ]
    means = [
        {"what": str(each.what), "subject": each.subject, "count": each.count, "waiting": each.waiting} for each in planned.consequences
    ]
    return PlanShown.model_validate({"base": planned.base, "changes": changes, "moved": list(planned.moved), "consequences": means})


def _faulty(error: Faulty) -> Problem:
    faults = [
        Fault(where="/changes/" + "/".join(filter(None, (_pointer(fault.document), fault.field)))[:300], what=fault.sentence[:500])
        for fault in error.faults[:MOST_FAULTS]
    ]
    return Problem(422, "invalid", "what would be in use has faults", faults=faults)


def _pointer(key: str) -> str:
    """As a part of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


ENDPOINTS = (
    Endpoint("GET", "/documents", documents, "All documents", Right.SEE_CONFIG, TAG, query=KindQuery, answers=DocumentList),
    Endpoint(
        "GET",
        "/document",
        document,
        "One document",
        Right.SEE_CONFIG,
        TAG,
        query=KeyQuery,
        answers=KeptDocument,
        etag=True,
        problems=(404,),
    ),
    Endpoint(
        "POST",
        "/documents/plan",
        plan,
        "What a change would do",
        Right.CHANGE_CONFIG,
        TAG,
        body=PlanRequest,
        answers=PlanShown,
        problems=(412,),
        largest=LARGEST,
    ),
    Endpoint(
        "POST",
        "/documents/apply",
        apply,
        "Change documents",
        Right.CHANGE_CONFIG,
        TAG,
        body=ApplyRequest,
        answers=AppliedShown,
        problems=(409, 412),
        largest=LARGEST,
    ),
    Endpoint("GET", "/documents/history", history, "Who changed what", Right.SEE_CONFIG, TAG, query=HistoryQuery, answers=HistoryList),
    Endpoint(
        "POST",
        "/documents/rollback",
        rollback,
        "Bring a version back",
        Right.CHANGE_CONFIG,
        TAG,
        body=BackRequest,
        answers=AppliedShown,
        problems=(404, 409, 412),
    ),
)
