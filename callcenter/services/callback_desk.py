"""What supervisors and agents may ask about callbacks over the control socket: the list, new ones, changes, cancelling."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from callcenter.domain.callback import Callback, CallbackState
from callcenter.domain.events import CallbackCancelRequested, CallbackEditRequested, CallbackRequest, CallbackRequested
from callcenter.services.control import ControlError, JsonObject
from callcenter.services.engine import Engine
from callcenter.services.ports import Clock

LISTED = 1000
"""At most; the rest is counted."""


class CallbackDesk:
    """Each operation is a method named after it."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def callback_list(self, request: JsonObject) -> Mapping[str, object]:
        """Those that are not settled, in the order in which they are due; ``queue`` and ``owner`` choose among them."""
        wanted = {name: request[name] for name in ("queue", "owner") if request.get(name)}
        listed = [
            callback
            for callback in self._engine.center.state.callbacks.open.values()
            if all(getattr(callback, name) == value for name, value in wanted.items())
        ]
        listed.sort(key=lambda callback: (callback.due_at or callback.expires_at, callback.rank))
        return {"callbacks": [self._shown(callback) for callback in listed[:LISTED]], "count": len(listed)}

    async def callback_add(self, request: JsonObject) -> Mapping[str, object]:
        """Promise one; ``callback`` may name it, so that asking again after a lost answer promises once."""
        owned = request.get("owned_for_s")
        if owned is not None and (isinstance(owned, bool) or not isinstance(owned, int | float) or not 0 < owned <= 31_536_000):
            raise ControlError("'owned_for_s' must be a number of seconds, more than 0 and at most a year")
        asked = CallbackRequested(
            _text(request, "callback", str(uuid4())),
            _text(request, "queue"),
            _text(request, "number"),
            _date(request, "at"),
            _text(request, "name", ""),
            _whole(request, "priority"),
            _text(request, "owner", ""),
            timedelta(seconds=owned) if isinstance(owned, int | float) else None,
            _text(request, "by", ""),
        )
        return await self._ask(asked)

    async def callback_edit(self, request: JsonObject) -> Mapping[str, object]:
        """What is given is changed. ``owner`` may be empty: then it is anybody's."""
        changed = {name: _text(request, name, "") if name in request else None for name in ("queue", "number", "owner")}
        if not any(name in request for name in (*changed, "at")):
            raise ControlError("nothing to change; give queue, number, at or owner")
        by = _text(request, "by", "")
        event = CallbackEditRequested(
            _text(request, "callback"), changed["queue"], changed["number"], _date(request, "at"), changed["owner"], by
        )
        return await self._ask(event)

    async def callback_cancel(self, request: JsonObject) -> Mapping[str, object]:
        return await self._ask(CallbackCancelRequested(_text(request, "callback"), _text(request, "by", "")))

    async def _ask(self, event: CallbackRequest) -> Mapping[str, object]:
        """The answer comes when the promise is on disk."""
        refusal = await self._engine.request(event)
        if refusal is not None:
            raise ControlError(refusal)
        try:
            await self._engine.on_disk()
        except Exception as error:  # a full or failing disk, said in one sentence
            raise ControlError(f"done, but the disk does not take it at the moment: {error}") from error
        callback = self._engine.center.state.callbacks.open.get(event.callback)
        return {"ok": True, "callback": event.callback, **({"shown": self._shown(callback)} if callback else {})}

    def _shown(self, callback: Callback) -> dict[str, object]:
        created, now = callback.created, self._clock.now()
        busy = callback.live_call and callback.state is CallbackState.DUE
        return {
            "callback": callback.id,
            "state": "agent_rings" if busy else callback.state,
            "queue": callback.queue,
            "number": callback.number,
            "name": created.caller_name,
            "source": created.source,
            "created_at": created.at.isoformat(),
            "due_at": callback.due_at.isoformat() if callback.due_at else None,
            "expires_at": callback.expires_at.isoformat(),
            "waited_s": (now - created.place).total_seconds() if now > created.place else 0.0,
            "attempts": callback.attempts,
            "owner": callback.owner,
            "owner_until": callback.owner_until.isoformat() if callback.owner_until else None,
            "agent": callback.reserved.agent if callback.reserved else "",
        }


def _text(request: JsonObject, name: str, default: str | None = None) -> str:
    text = request.get(name, default)
    if not isinstance(text, str) or len(text) > 200 or (not text and default is None) or not text.isprintable():
        raise ControlError(f"'{name}' is missing or no text of at most 200 characters on one line")
    return text


def _whole(request: JsonObject, name: str) -> int:
    number = request.get(name, 0)
    if isinstance(number, bool) or not isinstance(number, int) or not -1000 <= number <= 1000:
        raise ControlError(f"'{name}' must be a whole number between -1000 and 1000")
    return number


def _date(request: JsonObject, name: str) -> datetime | None:
    text = request.get(name)
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ControlError(f"'{name}' must be a date and time with its zone, such as 2026-11-22T15:00:00-05:00")
    return at.astimezone(UTC)
