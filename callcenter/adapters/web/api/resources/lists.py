"""Lists from the books, page by page."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import AwareDatetime, BaseModel, Field

from callcenter.adapters.web.api.endpoint import Asked
from callcenter.adapters.web.api.paging import Cursors, Page, PageQuery
from callcenter.adapters.web.api.ports import Ports
from callcenter.adapters.web.api.resources import scope
from callcenter.services.archive import Part, Shelf

P = TypeVar("P", bound=Page[Any])


class DatedQuery(PageQuery):
    """Lists of the past."""

    from_at: Annotated[AwareDatetime | None, Field(description="Not before (ISO 8601 with its zone).")] = None
    to_at: Annotated[AwareDatetime | None, Field(description="Before.")] = None


async def listed(
    asked: Asked[Any, Any], ports: Ports, shelf: Shelf, same: Mapping[str, str | Sequence[str]], page: type[P], at: str, name: str
) -> P:
    """``same``: what the rows must hold, without those that are empty; ``at`` and ``name`` are the columns that order them."""
    query: DatedQuery = asked.query
    cursors = Cursors(ports.cursor_key)
    place = cursors.read(shelf, query)
    part = Part(
        {column: value for column, value in same.items() if value},
        query.from_at,
        query.to_at,
        scope.queues(asked),
        (datetime.fromisoformat(place[0]), place[1]) if place else None,
        query.limit + 1,
    )
    rows = await ports.archive.rows(shelf, part)
    shown, more = rows[: query.limit], len(rows) > query.limit
    last = shown[-1] if more else None
    cursor = cursors.make(shelf, query, (_iso(last[at]), str(last[name]))) if last else None
    model = page.model_fields["items"].annotation.__args__[0]  # type: ignore[union-attr]
    return page(items=[read(model, row) for row in shown], next=cursor)


def read(model: type[BaseModel], row: Mapping[str, object]) -> Any:
    return model.model_validate(dict(row))


def _iso(at: object) -> str:
    assert isinstance(at, datetime)
    return at.isoformat()
