"""What supervisors may ask for over the control socket: hearing contacts, forcing states, moving callers, notices.

What is asked on behalf of a person is allowed, or refused, at the door (``services.desk``); whose contacts a supervisor may hear is
the core's to say, within that person's scope.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar
from uuid import uuid4

from callcenter.domain.events import (
    AgentForceRequested,
    ContactMoveRequested,
    ContactPriorityRequested,
    ForcedState,
    NoticeAckRequested,
    NoticeSendRequested,
    SupervisionEndRequested,
    SupervisionRequested,
    SupervisionSwitchRequested,
    SupervisorRequest,
)
from callcenter.domain.supervision_modes import EVERY_QUEUE, SupervisionMode
from callcenter.services import mandate
from callcenter.services.control import ControlError, JsonObject
from callcenter.services.engine import Engine

LONGEST_TEXT = 2000
LONGEST_LIFE_S = 31 * 86_400
MOST_NAMES = 1000
Choice = TypeVar("Choice", bound=StrEnum)


class SupervisionDesk:
    """Each operation is a method named after it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def supervise_begin(self, request: JsonObject) -> Mapping[str, object]:
        """The supervisor's phone rings; ``mode`` is listen, whisper, barge or take_over; ``stay``: with her next contacts, too."""
        mode = _choice(request, "mode", SupervisionMode, SupervisionMode.LISTEN)
        stay = request.get("stay", False)
        if not isinstance(stay, bool):
            raise ControlError("'stay' must be true or false")
        who = _text(request, "supervisor"), _text(request, "agent")
        signed = mandate.signed_of(request)
        within = (EVERY_QUEUE,) if signed is None or signed.scope.queues is None else tuple(sorted(signed.scope.queues))
        return await self._ask(SupervisionRequested(*who, mode, stay, _text(request, "reason", ""), _text(request, "by", ""), within))

    async def supervise_switch(self, request: JsonObject) -> Mapping[str, object]:
        mode = _choice(request, "mode", SupervisionMode)
        return await self._ask(SupervisionSwitchRequested(_text(request, "supervisor"), mode, _text(request, "by", "")))

    async def supervise_end(self, request: JsonObject) -> Mapping[str, object]:
        return await self._ask(SupervisionEndRequested(_text(request, "supervisor"), _text(request, "by", "")))

    async def agent_force(self, request: JsonObject) -> Mapping[str, object]:
        """``state`` is ready, not_ready (with ``reason``) or logged_out; in the middle of a contact it comes after it."""
        state = _choice(request, "state", ForcedState)
        reason = _text(request, "reason") if state is ForcedState.NOT_READY else ""
        agent = _text(request, "agent")
        await self._ask(AgentForceRequested(agent, state, reason, _text(request, "by"), _text(request, "why", "")))
        forced = self._engine.center.state.agents.get(agent)
        later = forced.remembered if forced is not None else None
        return {"ok": True, "state": forced.state if forced else None, "later": later.state if later else None}

    async def contact_move(self, request: JsonObject) -> Mapping[str, object]:
        """The waiting ``contact`` to ``queue``, or to ``agent``, who must be ready."""
        given = [name for name in ("queue", "agent") if request.get(name) is not None]
        if len(given) != 1:
            raise ControlError("name a queue or an agent, one of both")
        queue, agent = _text(request, "queue", ""), _text(request, "agent", "")
        by, why = _text(request, "by"), _text(request, "why", "")
        return await self._ask(ContactMoveRequested(_text(request, "contact"), queue, agent, by, why))

    async def contact_priority(self, request: JsonObject) -> Mapping[str, object]:
        """A ``priority`` between -1000 and 1000, or ``head``: true."""
        head, priority = request.get("head", False), request.get("priority")
        if not isinstance(head, bool) or head is (priority is not None):
            raise ControlError("give a priority, or head: true, one of both")
        if priority is not None and (isinstance(priority, bool) or not isinstance(priority, int) or not -1000 <= priority <= 1000):
            raise ControlError("'priority' must be a whole number between -1000 and 1000")
        wanted = priority if isinstance(priority, int) else None
        return await self._ask(ContactPriorityRequested(_text(request, "contact"), wanted, _text(request, "by"), _text(request, "why", "")))

    async def notice_send(self, request: JsonObject) -> Mapping[str, object]:
        """``text`` to ``agents`` and to who serves ``queues``; without both, to all. ``notice`` may name it: sending twice sends once."""
        lasts = request.get("lasts_s", 8 * 3600)
        if isinstance(lasts, bool) or not isinstance(lasts, int | float) or not 0 < lasts <= LONGEST_LIFE_S:
            raise ControlError(f"'lasts_s' must be a number of seconds, more than 0 and at most {LONGEST_LIFE_S}")
        notice = _text(request, "notice", str(uuid4()))
        text = request.get("text")
        if not isinstance(text, str) or not text.strip() or len(text) > LONGEST_TEXT or not text.replace("\n", "").isprintable():
            raise ControlError(f"'text' is missing, or is no text of at most {LONGEST_TEXT} characters")
        to = _names(request, "agents"), _names(request, "queues")
        answer = await self._ask(NoticeSendRequested(notice, text.strip(), *to, timedelta(seconds=lasts), _text(request, "by")))
        sent = self._engine.center.state.notices.open.get(notice)
        return {**answer, "notice": notice, "agents": list(sent.sent.agents) if sent is not None else []}

    async def notice_ack(self, request: JsonObject) -> Mapping[str, object]:
        """The ``agent`` has seen the ``notice``."""
        return await self._ask(NoticeAckRequested(_text(request, "notice"), _text(request, "agent")))

    async def notice_list(self, request: JsonObject) -> Mapping[str, object]:
        """The notices that are not over; with ``agent``, those she has not acknowledged."""
        agent = _text(request, "agent", "")
        notices = self._engine.center.state.notices
        shown = notices.unseen_by(agent) if agent else notices.open.values()
        return {
            "notices": [
                {
                    "notice": notice.sent.notice,
                    "text": notice.sent.text,
                    "by": notice.sent.by,
                    "to": notice.sent.to,
                    "at": notice.sent.at.isoformat(),
                    "expires_at": notice.sent.expires_at.isoformat(),
                    "unseen": sorted(notice.unseen),
                }
                for notice in shown
            ]
        }

    async def _ask(self, event: SupervisorRequest) -> Mapping[str, object]:
        refusal = await self._engine.request(event)
        if refusal is not None:
            raise ControlError(refusal)
        return {"ok": True}


def _text(request: JsonObject, name: str, default: str | None = None) -> str:
    text = request.get(name, default)
    if not isinstance(text, str) or len(text) > 200 or (not text and default is None) or not text.isprintable():
        raise ControlError(f"'{name}' is missing or no text of at most 200 characters on one line")
    return text


def _choice(request: JsonObject, name: str, choices: type[Choice], default: Choice | None = None) -> Choice:
    given = request.get(name, default)
    try:
        return choices(given)  # type: ignore[arg-type]
    except ValueError:
        raise ControlError(f"'{name}' must be one of: {', '.join(choices)}") from None


def _names(request: JsonObject, name: str) -> tuple[str, ...]:
    names = request.get(name, [])
    if not isinstance(names, list) or len(names) > MOST_NAMES or not all(isinstance(each, str) and 0 < len(each) <= 200 for each in names):
        raise ControlError(f"'{name}' must be a list of at most {MOST_NAMES} names")
    return tuple(str(each) for each in names)
