"""Recordings: which there are, and their sound. Whoever takes the sound is written down."""

from typing import Annotated

from aiohttp import web
from pydantic import AliasChoices, AwareDatetime, Field

from callcenter.adapters.web.api.endpoint import Asked, Endpoint, Line, Nothing, Shown
from callcenter.adapters.web.api.paging import Page
from callcenter.adapters.web.api.ports import Ports
from callcenter.adapters.web.api.problems import Problem, not_found
from callcenter.adapters.web.api.resources import scope
from callcenter.adapters.web.api.resources.lists import DatedQuery, listed, read
from callcenter.domain.audit import Deed
from callcenter.domain.rights import Right
from callcenter.services.archive import Row, Shelf

TAG = "recordings"


class RecordingShown(Shown):
    """One audio file of one contact, or of a part of it."""

    recording: Annotated[str, Field(validation_alias=AliasChoices("recording_id", "recording"))]
    contact: Annotated[str, Field(validation_alias=AliasChoices("contact_id", "contact"))]
    call: Annotated[str, Field(validation_alias=AliasChoices("call_id", "call"))]
    agent: str
    queue: str
    node: str
    started_at: AwareDatetime
    stopped_at: AwareDatetime | None
    state: Annotated[str, Field(description="`recording`, `stopped`, `finished`, `missing` or `deleted`.")]
    why: str
    bytes: int | None
    seconds: float | None


class RecordingPage(Page[RecordingShown]):
    """Recordings, the newest first."""


class RecordingQuery(DatedQuery):
    queue: Line = ""
    agent: Line = ""
    contact: Line = ""
    call: Line = ""
    state: Line = ""


async def recordings(asked: Asked[RecordingQuery, Nothing], ports: Ports) -> RecordingPage:
    query = asked.query
    same = {"queue": query.queue, "agent": query.agent, "contact_id": query.contact, "call_id": query.call, "state": query.state}
    return await listed(asked, ports, Shelf.RECORDINGS, same, RecordingPage, "started_at", "recording_id")


async def recording(asked: Asked[Nothing, Nothing], ports: Ports) -> RecordingShown:
    shown: RecordingShown = read(RecordingShown, await _one(asked, ports, Right.SEE_RECORDINGS))
    return shown


async def audio(asked: Asked[Nothing, Nothing], ports: Ports) -> web.StreamResponse:
    """The WAV file: the caller left, the agent right. Parts of it with `Range`. That you took it is written into the audit trail."""
    row = await _one(asked, ports, Right.LISTEN_RECORDINGS)
    name = str(row["recording_id"])
    if row["state"] != "finished":
        raise Problem(409, "refused", f"recording '{name}' is {row['state']}: there is no file to hear")
    file = ports.recordings(str(row["node"]), str(row["file"] or ""))
    if file is None:
        raise not_found(f"the file of recording '{name}' is not on this machine")
    if not asked.http.headers.get("Range", "").startswith("bytes=") or asked.http.headers["Range"].startswith("bytes=0-"):
        await ports.audit(asked.by, Deed("listened", f"recording {name}", after={"contact": str(row["contact_id"])}))
    return web.FileResponse(file, headers={"Content-Type": "audio/wav", "Cache-Control": "private, no-store"})


async def _one(asked: Asked[Nothing, Nothing], ports: Ports, right: Right) -> Row:
    name = asked.path["recording"]
    row = await ports.archive.row(Shelf.RECORDINGS, name)
    if row is None:
        raise not_found(f"there is no recording '{name}' in the books (yet)")
    scope.check_row_queue(asked, right, str(row["queue"]))
    return row


ENDPOINTS = (
    Endpoint("GET", "/recordings", recordings, "Recordings", Right.SEE_RECORDINGS, TAG, query=RecordingQuery, answers=RecordingPage),
    Endpoint("GET", "/recordings/{recording}", recording, "One recording", Right.SEE_RECORDINGS, TAG, answers=RecordingShown),
    Endpoint(
        "GET", "/recordings/{recording}/audio", audio, "What it sounds like", Right.LISTEN_RECORDINGS, TAG, audio=True, problems=(409,)
    ),
)
