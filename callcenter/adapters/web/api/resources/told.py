"""What the engine is told on somebody's behalf."""

from typing import Any

import structlog

from callcenter.adapters.web.api.endpoint import Asked
from callcenter.adapters.web.api.ports import Ports
from callcenter.domain import permitted
from callcenter.domain.audit import Deed
from callcenter.services import mandate
from callcenter.services.control import Json, JsonObject
from callcenter.services.control_client import RequestRefused
from callcenter.services.people.store import PeopleAway

log = structlog.get_logger(__name__)


async def tell(asked: Asked[Any, Any], ports: Ports, do: str, **fields: Json) -> JsonObject:
    """The engine's answer. It knows who asks and what she may; what came of it, a refusal too, goes into the audit trail.

    Raises EngineAway, RequestRefused. A database that is away keeps nobody from working: the facts name who did it, too.
    """
    try:
        answer = await ports.engine(do, **fields, by=asked.signed.person, who=mandate.who(asked.signed))
    except RequestRefused as refused:
        await _note(asked, ports, permitted.deed(do, fields, str(refused)))
        raise
    await _note(asked, ports, permitted.deed(do, fields))
    return answer


async def _note(asked: Asked[Any, Any], ports: Ports, deed: Deed | None) -> None:
    if deed is None:
        return
    try:
        await ports.audit(asked.by, deed)
    except PeopleAway as error:
        log.warning("not_audited", person=asked.signed.person, do=deed.what, why=str(error))
