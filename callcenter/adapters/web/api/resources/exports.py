"""What is taken out of the center: contacts and calls as a table (CSV, RFC 4180), for who may export. Each time is in the audit trail."""

import asyncio
import csv
import io
import re
from collections.abc import Mapping, Sequence

from aiohttp import web
from pydantic import AwareDatetime, BaseModel

from callcenter.adapters.web.api.endpoint import Asked, Endpoint, Line, Nothing, Request
from callcenter.adapters.web.api.ports import Ports
from callcenter.adapters.web.api.problems import Problem
from callcenter.adapters.web.api.resources import scope
from callcenter.adapters.web.api.resources.contacts import CallShown, ContactShown
from callcenter.adapters.web.api.resources.lists import read
from callcenter.domain.audit import Deed
from callcenter.domain.rights import Right, of_queue
from callcenter.services.archive import Part, Row, Shelf

TAG = "exports"
MOST = 20_000
"""Rows of one table."""
_FORMULA = re.compile(r"[=+\-@\t\r]")
"""How a text begins that spreadsheets take for a formula (CWE-1236)."""
_NUMBER = re.compile(r"\+[0-9]{3,15}")
"""A telephone number, which may begin so."""
MODELS: Mapping[Shelf, type[BaseModel]] = {Shelf.CONTACTS: ContactShown, Shelf.CALLS: CallShown}


class ExportQuery(Request):
    """Of which time: by the entry into the queue, or the beginning of the call."""

    from_at: AwareDatetime | None = None
    to_at: AwareDatetime | None = None
    queue: Line = ""


async def contacts(asked: Asked[ExportQuery, Nothing], ports: Ports) -> web.StreamResponse:
    """The newest first; at most 20,000 of them at once."""
    return await _exported(asked, ports, Shelf.CONTACTS)


async def calls(asked: Asked[ExportQuery, Nothing], ports: Ports) -> web.StreamResponse:
    """CDR. The newest first; at most 20,000 of them at once."""
    return await _exported(asked, ports, Shelf.CALLS)


async def _exported(asked: Asked[ExportQuery, Nothing], ports: Ports, shelf: Shelf) -> web.StreamResponse:
    query = asked.query
    if query.queue:
        scope.check(asked, Right.EXPORT, of_queue(query.queue))
    same = {"queue": query.queue} if query.queue else {}
    rows = await ports.archive.rows(shelf, Part(same, query.from_at, query.to_at, scope.queues(asked), None, MOST + 1))
    if len(rows) > MOST:
        raise Problem(422, "invalid", f"that would be more than {MOST} rows; ask for a shorter time with from_at and to_at")
    table = await asyncio.to_thread(_table, MODELS[shelf], rows)
    asked_for = query.model_dump(mode="json", exclude_defaults=True)
    await ports.audit(asked.by, Deed("exported", str(shelf), after={**asked_for, "rows": len(rows)}))
    headers = {"Content-Disposition": f'attachment; filename="{shelf}.csv"', "Cache-Control": "private, no-store"}
    return web.Response(body=table, content_type="text/csv", charset="utf-8", headers=headers)


def _table(model: type[BaseModel], rows: Sequence[Row]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(model.model_fields)
    for row in rows:
        shown: BaseModel = read(model, row)
        writer.writerow([_cell(value) for value in shown.model_dump(mode="json").values()])
    return text.getvalue().encode("utf-8", "replace")


def _cell(value: object) -> object:
    """A text that a spreadsheet would run is put behind an apostrophe."""
    if isinstance(value, list):
        value = " ".join(map(str, value))
    if isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return "" if value is None else value


ENDPOINTS = (
    Endpoint("GET", "/exports/contacts", contacts, "Contacts as a table", Right.EXPORT, TAG, query=ExportQuery, table=True),
    Endpoint("GET", "/exports/calls", calls, "Calls (CDR) as a table", Right.EXPORT, TAG, query=ExportQuery, table=True),
)
