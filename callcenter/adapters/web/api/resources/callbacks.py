"""Callbacks: whom we have promised to call back, and when."""

from typing import Annotated, Any

from pydantic import AliasChoices, AwareDatetime, Field

from callcenter.adapters.web.api.endpoint import Asked, Endpoint, Line, Name, Nothing, Request, Shown
from callcenter.adapters.web.api.paging import Page
from callcenter.adapters.web.api.ports import Ports
from callcenter.adapters.web.api.problems import not_found
from callcenter.adapters.web.api.resources import scope
from callcenter.adapters.web.api.resources.lists import DatedQuery, listed, read
from callcenter.adapters.web.api.resources.told import tell
from callcenter.domain.rights import Right
from callcenter.services.archive import Row, Shelf

TAG = "callbacks"


class CallbackShown(Shown):
    """A promise to call somebody back."""

    callback: Annotated[str, Field(validation_alias=AliasChoices("callback_id", "callback"))]
    state: str
    queue: str
    number: str
    caller_name: Annotated[str, Field(validation_alias=AliasChoices("caller_name", "name"))]
    source: str
    call: Annotated[str, Field(validation_alias=AliasChoices("call_id", "call"))] = ""
    contact: Annotated[str, Field(validation_alias=AliasChoices("contact_id", "contact"))] = ""
    created_at: AwareDatetime
    due_at: AwareDatetime | None
    owner: str
    attempts: int
    agent: str = ""
    bridged_at: AwareDatetime | None = None
    settled_at: AwareDatetime | None = None
    why: str = ""
    in_time: bool | None = None


class CallbackPage(Page[CallbackShown]):
    """Callbacks, the newest first."""


class CallbackQuery(DatedQuery):
    queue: Line = ""
    owner: Annotated[Line, Field(description="An agent.")] = ""
    number: Line = ""
    state: Line = ""


class CallbackRequest(Request):
    queue: Name
    number: Annotated[Name, Field(description="As people write it; E.164 is best.")]
    at: Annotated[AwareDatetime | None, Field(description="Not before; without it, in its turn.")] = None
    name: Line = ""
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    owner: Annotated[Line, Field(description="The agent whose callback it is.")] = ""
    owned_for_s: Annotated[float | None, Field(gt=0, le=31_536_000, description="For so long; then it is anybody's.")] = None


class CallbackChange(Request):
    """What is given is changed."""

    queue: Name | None = None
    number: Name | None = None
    at: AwareDatetime | None = None
    owner: Annotated[Line | None, Field(description="Empty: anybody's.")] = None


class CallbackDone(Shown):
    """The promise, as it is on disk."""

    callback: str
    shown: CallbackShown | None


async def callbacks(asked: Asked[CallbackQuery, Nothing], ports: Ports) -> CallbackPage:
    query = asked.query
    same = {name: getattr(query, name) for name in ("queue", "owner", "number", "state")}
    return await listed(asked, ports, Shelf.CALLBACKS, same, CallbackPage, "created_at", "callback_id")


async def callback(asked: Asked[Nothing, Nothing], ports: Ports) -> CallbackShown:
    shown: CallbackShown = read(CallbackShown, await _one(asked, ports))
    return shown


async def add(asked: Asked[Nothing, CallbackRequest], ports: Ports) -> CallbackDone:
    """The answer comes when the promise is on disk."""
    body = asked.body
    scope.check_row_queue(asked, Right.HANDLE_CALLBACKS, body.queue)
    at = body.at.isoformat() if body.at else None
    answer = await tell(
        asked,
        ports,
        "callback_add",
        queue=body.queue,
        number=body.number,
        at=at,
        name=body.name,
        priority=body.priority,
        owner=body.owner,
        owned_for_s=body.owned_for_s,
    )
    return _done(answer)


async def change(asked: Asked[Nothing, CallbackChange], ports: Ports) -> CallbackDone:
    row, body = await _one(asked, ports), asked.body
    if body.queue is not None:
        scope.check_row_queue(asked, Right.HANDLE_CALLBACKS, body.queue)
    given = body.model_dump(exclude_unset=True, exclude_none=True, mode="json")
    return _done(await tell(asked, ports, "callback_edit", callback=str(row["callback_id"]), **given))


async def cancel(asked: Asked[Nothing, Nothing], ports: Ports) -> None:
    row = await _one(asked, ports)
    await tell(asked, ports, "callback_cancel", callback=str(row["callback_id"]))


def _done(answer: Any) -> CallbackDone:
    shown = answer.get("shown")
    return CallbackDone(callback=str(answer["callback"]), shown=read(CallbackShown, shown) if isinstance(shown, dict) else None)


async def _one(asked: Asked[Any, Any], ports: Ports) -> Row:
    """From the books; one that was promised this moment, from the engine."""
    name = asked.path["callback"]
    row = await ports.archive.row(Shelf.CALLBACKS, name)
    if row is None:
        found = (await ports.engine("callback_list")).get("callbacks")
        rows = [each for each in found if isinstance(each, dict) and each.get("callback") == name] if isinstance(found, list) else []
        row = {"callback_id": name, **rows[0]} if rows else None
    if row is None:
        raise not_found(f"there is no callback '{name}'")
    scope.check_row_queue(asked, Right.HANDLE_CALLBACKS, str(row["queue"]))
    return row


ENDPOINTS = (
    Endpoint("GET", "/callbacks", callbacks, "Callbacks", Right.HANDLE_CALLBACKS, TAG, query=CallbackQuery, answers=CallbackPage),
    Endpoint("POST", "/callbacks", add, "Promise one", Right.HANDLE_CALLBACKS, TAG, body=CallbackRequest, answers=CallbackDone, status=201),
    Endpoint("GET", "/callbacks/{callback}", callback, "One callback", Right.HANDLE_CALLBACKS, TAG, answers=CallbackShown),
    Endpoint("PATCH", "/callbacks/{callback}", change, "Change it", Right.HANDLE_CALLBACKS, TAG, body=CallbackChange, answers=CallbackDone),
    Endpoint("DELETE", "/callbacks/{callback}", cancel, "Cancel it", Right.HANDLE_CALLBACKS, TAG, status=204),
)
