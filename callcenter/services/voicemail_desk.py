"""What people may do to messages over the control socket."""

from collections.abc import Mapping

from callcenter.domain.events import MessageDeleteRequested, MessageHeardRequested, MessageRequest
from callcenter.services.control import ControlError, JsonObject
from callcenter.services.engine import Engine


class VoicemailDesk:
    """Each operation is a method named after it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def message_delete(self, request: JsonObject) -> Mapping[str, object]:
        """Its audio is destroyed, and lamps are told."""
        return await self._ask(MessageDeleteRequested(_text(request, "message"), _text(request, "by")))

    async def message_heard(self, request: JsonObject) -> Mapping[str, object]:
        """It is new no longer."""
        return await self._ask(MessageHeardRequested(_text(request, "message"), _text(request, "by")))

    async def _ask(self, event: MessageRequest) -> Mapping[str, object]:
        refusal = await self._engine.request(event)
        if refusal is not None:
            raise ControlError(refusal)
        return {"message": event.message}


def _text(request: JsonObject, name: str) -> str:
    value = request.get(name, "")
    if not isinstance(value, str) or len(value) > 200:
        raise ControlError(f"'{name}' must be a text of at most 200 characters")
    return value
