"""Voicemail: messages left for queues and agents."""

from typing import Annotated, Any

from aiohttp import web
from pydantic import AliasChoices, AwareDatetime, Field

from callcenter.adapters.web.access import NotAllowed
from callcenter.adapters.web.api.endpoint import Asked, Endpoint, Line, Nothing, Shown
from callcenter.adapters.web.api.paging import Page
from callcenter.adapters.web.api.ports import Ports
from callcenter.adapters.web.api.problems import Problem, not_found
from callcenter.adapters.web.api.resources import scope
from callcenter.adapters.web.api.resources.lists import DatedQuery, listed, read
from callcenter.domain.audit import Deed
from callcenter.domain.rights import Right, may
from callcenter.services.archive import Row, Shelf

TAG = "messages"


class MessageShown(Shown):
    """A message in a mailbox."""

    message: Annotated[str, Field(validation_alias=AliasChoices("message_id", "message"))]
    mailbox: Annotated[str, Field(description="`queue:NAME` or `agent:NAME`.")]
    state: Annotated[str, Field(description="`new`, `heard` or `deleted`.")]
    caller: str
    caller_name: str
    call: Annotated[str, Field(validation_alias=AliasChoices("call_id", "call"))]
    contact: Annotated[str, Field(validation_alias=AliasChoices("contact_id", "contact"))]
    left_at: AwareDatetime
    kept_until: AwareDatetime | None
    heard_at: AwareDatetime | None
    heard_by: str
    length_s: float | None
    audio: Annotated[str, Field(description="`awaited`, `kept`, `missing` or `deleted`.")]
    peaks: Annotated[list[int] | None, Field(description="The waveform: loudness of equal parts, 0 to 100.")]
    transcript: str | None


class MessagePage(Page[MessageShown]):
    """Messages, the newest first."""


class MessageQuery(DatedQuery):
    mailbox: Line = ""
    state: Annotated[Line, Field(pattern="^(new|heard|deleted)?$", description="Without it, new and heard.")] = ""
    caller: Line = ""


async def messages(asked: Asked[MessageQuery, Nothing], ports: Ports) -> MessagePage:
    """Of queues within scope; of an agent's mailbox when it is asked for."""
    query = asked.query
    same = {"mailbox": query.mailbox, "state": query.state, "caller": query.caller}
    if query.mailbox:
        _check(asked, ports, query.mailbox)
    if asked.signed.scope.queues is None and not query.mailbox and not may(asked.signed, Right.FORCE_STATE):
        raise Problem(422, "invalid", "mailbox: name one, such as queue:support")
    return await listed(asked, ports, Shelf.MESSAGES, same, MessagePage, "left_at", "message_id")


async def message(asked: Asked[Nothing, Nothing], ports: Ports) -> MessageShown:
    shown: MessageShown = read(MessageShown, await _one(asked, ports))
    return shown


async def audio(asked: Asked[Nothing, Nothing], ports: Ports) -> web.StreamResponse:
    """The WAV file; parts of it with `Range`. The message stays as it is; that it was heard is said by `…/heard`."""
    row = await _one(asked, ports)
    name = str(row["message_id"])
    file = ports.messages(name) if row["audio"] == "kept" else None
    if file is None:
        raise Problem(409, "refused", f"the audio of message '{name}' is {row['audio']}: there is no file to hear")
    if "Range" not in asked.http.headers or asked.http.headers["Range"].startswith("bytes=0-"):
        await ports.audit(asked.by, Deed("listened", f"message {name}", after={"mailbox": str(row["mailbox"])}))
    return web.FileResponse(file, headers={"Content-Type": "audio/wav", "Cache-Control": "private, no-store"})


async def heard(asked: Asked[Nothing, Nothing], ports: Ports) -> None:
    """It is new no longer, and lamps go out."""
    row = await _one(asked, ports)
    await ports.engine("message_heard", message=str(row["message_id"]), by=asked.by.person)


async def delete(asked: Asked[Nothing, Nothing], ports: Ports) -> None:
    """Its audio is destroyed; that it was there is kept."""
    row = await _one(asked, ports)
    await ports.engine("message_delete", message=str(row["message_id"]), by=asked.by.person)


async def _one(asked: Asked[Any, Any], ports: Ports) -> Row:
    name = asked.path["message"]
    row = await ports.archive.row(Shelf.MESSAGES, name)
    if row is None or row["state"] not in ("new", "heard", "deleted"):
        raise not_found(f"there is no message '{name}' in the books (yet)")
    _check(asked, ports, str(row["mailbox"]))
    return row


def _check(asked: Asked[Any, Any], ports: Ports, mailbox: str) -> None:
    """A queue's mailbox is its people's; an agent's is hers, and of who may act for her. Raises NotAllowed."""
    kind, _, name = mailbox.partition(":")
    if kind == "queue":
        scope.check_row_queue(asked, Right.HANDLE_VOICEMAIL, name)
    elif name != asked.signed.agent and not may(asked.signed, Right.FORCE_STATE, ports.configured().agent(name)):
        raise NotAllowed(Right.HANDLE_VOICEMAIL)


ENDPOINTS = (
    Endpoint("GET", "/messages", messages, "Messages", Right.HANDLE_VOICEMAIL, TAG, query=MessageQuery, answers=MessagePage),
    Endpoint("GET", "/messages/{message}", message, "One message", Right.HANDLE_VOICEMAIL, TAG, answers=MessageShown),
    Endpoint("GET", "/messages/{message}/audio", audio, "What it sounds like", Right.HANDLE_VOICEMAIL, TAG, audio=True, problems=(409,)),
    Endpoint("POST", "/messages/{message}/heard", heard, "It is new no longer", Right.HANDLE_VOICEMAIL, TAG, body=Nothing, status=204),
    Endpoint("DELETE", "/messages/{message}", delete, "Delete it", Right.HANDLE_VOICEMAIL, TAG, status=204),
)
