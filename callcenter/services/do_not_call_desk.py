"""What people may ask about the do-not-call list over the control socket: who is on it since when and why, on it, off it."""

from collections.abc import Mapping

from callcenter.domain.events import DoNotCallAddRequested, DoNotCallRemoveRequested, DoNotCallRequest
from callcenter.services.control import ControlError, JsonObject
from callcenter.services.engine import Engine

LISTED = 10_000
"""At most; the rest is counted."""


class DoNotCallDesk:
    """Each operation is a method named after it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def do_not_call_list(self, request: JsonObject) -> Mapping[str, object]:
        """In the order in which they were put on it; the list of the configuration is not repeated."""
        listed = self._engine.center.state.do_not_call
        shown = [
            {
                "number": fact.number,
                "since": fact.at.isoformat(),
                "source": fact.source,
                "call": fact.call,
                "by": fact.by,
                "note": fact.note,
            }
            for fact in sorted(listed.values(), key=lambda fact: (fact.at, fact.number))[:LISTED]
        ]
        return {"numbers": shown, "count": len(listed)}

    async def do_not_call_add(self, request: JsonObject) -> Mapping[str, object]:
        return await self._ask(DoNotCallAddRequested(_text(request, "number"), _text(request, "by", ""), _text(request, "note", "")))

    async def do_not_call_remove(self, request: JsonObject) -> Mapping[str, object]:
        return await self._ask(DoNotCallRemoveRequested(_text(request, "number"), _text(request, "by", "")))

    async def _ask(self, event: DoNotCallRequest) -> Mapping[str, object]:
        """The answer comes when it is on disk: a wish not to be called must not be lost."""
        refusal = await self._engine.request(event)
        if refusal is not None:
            raise ControlError(refusal)
        try:
            await self._engine.on_disk()
        except Exception as error:  # a full or failing disk, said in one sentence
            raise ControlError(f"done, but the disk does not take it at the moment: {error}") from error
        return {"ok": True}


def _text(request: JsonObject, name: str, default: str | None = None) -> str:
    text = request.get(name, default)
    if not isinstance(text, str) or len(text) > 200 or (not text and default is None) or not text.isprintable():
        raise ControlError(f"'{name}' is missing or no text of at most 200 characters on one line")
    return text
