"""Flows: which versions callers get; publishing and rolling back through the same code as ``callcenter flow``."""

from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from callcenter.adapters.web.api.endpoint import Answer, Asked, Endpoint, Line, Nothing, Request, Shown
from callcenter.adapters.web.api.ports import FlowsAway, Ports
from callcenter.adapters.web.api.problems import Fault, Problem, not_found
from callcenter.adapters.web.numbers import whole
from callcenter.domain.audit import Deed
from callcenter.domain.rights import Right

TAG = "flows"
LARGEST_DOCUMENT = 1024 * 1024


class FlowShown(Shown):
    """A flow, and which version callers get."""

    flow: str
    title: str
    version: Annotated[int, Field(description="0: the one of the configuration's files.")]
    canary: Annotated[int, Field(description="A version that a share of the calls gets; 0: none.")]
    share: float
    nodes: int
    callers: Annotated[int, Field(description="Inside it at this moment.")]
    not_used: Annotated[str, Field(description="Why it is not in use; empty: it is.")]


class FlowList(Shown):
    """All flows."""

    items: list[FlowShown]


class VersionShown(Shown):
    """A version as it was published, for good."""

    version: int
    at: AwareDatetime
    author: str
    note: str
    sha256: str
    in_use: bool
    canary: float


class ActionShown(Shown):
    """What was done."""

    at: AwareDatetime
    by: str
    did: str
    version: int
    note: str


class FlowWhole(Shown):
    """Versions and actions of one flow, the newest first."""

    flow: str
    version: int
    versions: list[VersionShown]
    actions: list[ActionShown]


class DocumentShown(Shown):
    """The text of a version."""

    flow: str
    version: int
    document: Annotated[str, Field(description="YAML (docs/flows.md).")]


class PublishRequest(Request):
    document: Annotated[
        str, Field(min_length=1, max_length=LARGEST_DOCUMENT, description="YAML, of this flow; without recordings of its own.")
    ]
    note: Line = ""
    share: Annotated[float, Field(ge=0, lt=1, description="As a canary for this share of the calls; 0: for all.")] = 0.0


class RollbackRequest(Request):
    version: Annotated[
        int | None, Field(ge=1, le=999_999_999, description="Without it, what was in use before; a canary is withdrawn.")
    ] = None
    note: Line = ""


class FlowDone(Shown):
    """What is in use now."""

    flow: str
    version: int
    canary: int
    share: float
    taken_up: Annotated[bool, Field(description="The engine serves it already; else it does when it starts.")]


async def flows(asked: Asked[Nothing, Nothing], ports: Ports) -> FlowList:
    try:
        return FlowList.model_validate({"items": (await ports.flows.listed())["flows"]})
    except FlowsAway as error:
        raise _problem(error) from None


async def flow(asked: Asked[Nothing, Nothing], ports: Ports) -> Answer:
    """The ETag is that of what is in use: give it to `publish` and `rollback` as If-Match."""
    try:
        told = FlowWhole.model_validate(await ports.flows.history(asked.path["flow"]))
    except FlowsAway as error:
        raise _problem(error) from None
    return Answer(told, etag=_etag(told.version))


async def version(asked: Asked[Nothing, Nothing], ports: Ports) -> DocumentShown:
    name, number = asked.path["flow"], int(asked.path["version"])
    try:
        return DocumentShown(flow=name, version=number, document=await ports.flows.document(name, number))
    except FlowsAway as error:
        raise _problem(error) from None


async def publish(asked: Asked[Nothing, PublishRequest], ports: Ports) -> Answer:
    """Checked as a whole, then in use for callers who come from now on; who is inside finishes on the version she began with."""
    name, body = asked.path["flow"], asked.body
    try:
        told = await ports.flows.publish(name, body.document, asked.by.person, body.note, body.share, _expected(asked))
    except FlowsAway as error:
        raise _problem(error) from None
    done = _done(told)
    await ports.audit(asked.by, Deed("flow_published", f"flow {name}", body.note, after={"version": told["version"], "share": body.share}))
    return done


async def rollback(asked: Asked[Nothing, RollbackRequest], ports: Ports) -> Answer:
    name, body = asked.path["flow"], asked.body
    try:
        told = await ports.flows.rollback(name, body.version, asked.by.person, body.note, _expected(asked))
    except FlowsAway as error:
        raise _problem(error) from None
    done = _done(told)
    await ports.audit(asked.by, Deed("flow_rolled_back", f"flow {name}", body.note, after={"version": told["version"]}))
    return done


def _done(told: Any) -> Answer:
    done = FlowDone.model_validate(told)
    return Answer(done, etag=_etag(done.version))


def _etag(version: int) -> str:
    return f'"{version}"'


def _expected(asked: Asked[Any, Any]) -> int | None:
    """The version that If-Match names; None: whatever is there. Raises Problem."""
    given = asked.http.headers.get("If-Match", "*").strip()
    if given == "*":
        return None
    number = whole(given.strip('"'))
    if number is None:
        raise Problem(412, "changed_meanwhile", "If-Match is not the ETag of this flow")
    return number


def _problem(error: FlowsAway) -> Problem:
    if error.unknown:
        return not_found(str(error))
    if error.changed:
        return Problem(412, "changed_meanwhile", str(error))
    if error.faults:
        return Problem(422, "invalid", str(error), faults=[Fault(where="/document", what=fault[:500]) for fault in error.faults[:50]])
    return Problem(409, "refused", str(error))


ENDPOINTS = (
    Endpoint("GET", "/flows", flows, "All flows", Right.SEE_CONFIG, TAG, answers=FlowList, problems=(409,)),
    Endpoint(
        "GET",
        "/flows/{flow}",
        flow,
        "One flow: versions, and what was done",
        Right.SEE_CONFIG,
        TAG,
        answers=FlowWhole,
        etag=True,
        problems=(409,),
    ),
    Endpoint(
        "GET",
        "/flows/{flow}/versions/{version}",
        version,
        "The document of a version",
        Right.SEE_CONFIG,
        TAG,
        answers=DocumentShown,
        problems=(409,),
    ),
    Endpoint(
        "POST",
        "/flows/{flow}/publish",
        publish,
        "Publish a version",
        Right.CHANGE_CONFIG,
        TAG,
        body=PublishRequest,
        answers=FlowDone,
        etag=True,
        largest=2 * LARGEST_DOCUMENT,
    ),
    Endpoint(
        "POST",
        "/flows/{flow}/rollback",
        rollback,
        "Bring an earlier version back",
        Right.CHANGE_CONFIG,
        TAG,
        body=RollbackRequest,
        answers=FlowDone,
        etag=True,
    ),
)
