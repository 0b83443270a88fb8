"""What may be asked for at a console, and by whom: the Desk's operations, each behind a right; an agent's own are said of nobody else.

A command has an id that the console chose. The same id again, from a tab that came back or a finger that was too quick, is not carried out
again: it is answered as the first time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from callcenter.domain.rights import Of, Right, Signed, may, of_agent, of_queue
from callcenter.domain.state import State
from callcenter.services import explanations
from callcenter.services.consoles import Ask, Console
from callcenter.services.control import ControlError, JsonObject
from callcenter.services.control_client import EngineAway, RequestRefused
from callcenter.services.replica import Replica

ANSWERS_KEPT = 200
"""By console."""
ID_LIMIT = 64
OWN_PREFIX = "agent_"
"""Operations of an agent upon herself are named so."""

OTHERS: Mapping[str, Right] = {
    "agent_force": Right.FORCE_STATE,
    "supervise_begin": Right.LISTEN,
    "supervise_switch": Right.LISTEN,
    "supervise_end": Right.LISTEN,
    "contact_move": Right.MOVE_CONTACTS,
    "contact_priority": Right.MOVE_CONTACTS,
    "notice_send": Right.SEND_NOTICES,
    "calendar_switch": Right.SWITCH_HOURS,
    "callback_list": Right.HANDLE_CALLBACKS,
    "callback_add": Right.HANDLE_CALLBACKS,
    "callback_edit": Right.HANDLE_CALLBACKS,
    "callback_cancel": Right.HANDLE_CALLBACKS,
}
"""The right that each other operation needs."""

OWN_TOO = frozenset({"notice_ack", "notice_list"})
BY_PHONE = frozenset({"supervise_begin", "supervise_switch", "supervise_end"})
"""The supervisor's own phone rings for these; whose it is, is not hers to say."""

Audit = Callable[[Signed, str, JsonObject, str], Awaitable[None]]
"""Who did what with which fields, and what came of it (empty: it was done)."""


async def _no_audit(signed: Signed, do: str, fields: JsonObject, refused: str) -> None:
    pass


class Commands:
    """Answers them. Whatever is wrong is a sentence."""

    def __init__(self, replica: Replica, ask: Ask, audit: Audit = _no_audit) -> None:
        self._replica, self._ask, self._audit = replica, ask, audit

    async def carry_out(self, console: Console, signed: Signed, message: JsonObject) -> JsonObject:
        """The answer to one command, under its id."""
        command = message.get("id")
        if not isinstance(command, str) or not 0 < len(command) <= ID_LIMIT:
            return {"id": None, "error": f"'id' must be a text of 1 to {ID_LIMIT} characters, another one for each command"}
        before = console.answers.get(command)
        if before is not None:
            return await asyncio.shield(before)
        answering = console.answers[command] = asyncio.ensure_future(self._answer(command, signed, message))
        while len(console.answers) > ANSWERS_KEPT:
            del console.answers[next(iter(console.answers))]
        return await asyncio.shield(answering)

    async def _answer(self, command: str, signed: Signed, message: JsonObject) -> JsonObject:
        try:
            return {"id": command, "ok": await self._do(signed, message)}
        except (ControlError, RequestRefused) as refused:
            return {"id": command, "error": str(refused)}
        except EngineAway:
            return {"id": command, "error": "the engine does not answer; calls go on, try again in some seconds"}

    async def _do(self, signed: Signed, message: JsonObject) -> JsonObject:
        do = message.get("do")
        fields = {name: value for name, value in message.items() if name not in ("id", "do")}
        if not isinstance(do, str):
            raise ControlError("'do' is missing; it must name an operation")
        if do == "explain":
            return self._explain(signed, fields)
        right = OTHERS.get(do)
        if right is None and (do.startswith(OWN_PREFIX) or do in OWN_TOO):
            return await self._ask(do, **self._own(signed, fields))
        if right is None:
            raise ControlError(f"there is no operation '{do}' for consoles")
        if do in BY_PHONE:
            fields = {**fields, "supervisor": self._own(signed, {})["agent"]}
        self._check(signed, right, fields)
        try:
            answer = await self._ask(do, **{**fields, "by": signed.person})
        except RequestRefused as refused:
            await self._audit(signed, do, fields, str(refused))
            raise
        await self._audit(signed, do, fields, "")
        return answer

    @staticmethod
    def _own(signed: Signed, fields: JsonObject) -> JsonObject:
        if not signed.agent:
            raise ControlError("you are no agent")
        if fields.get("agent", signed.agent) != signed.agent or not may(signed, Right.COMMAND_OWN_AGENT):
            raise ControlError("you may not do this for another agent")
        return {**fields, "agent": signed.agent}

    def _check(self, signed: Signed, right: Right, fields: JsonObject) -> None:
        """The right, upon everything that the fields name. Raises ControlError."""
        state = self._replica.state
        wanted: list[Of | None] = [None]
        if fields.get("agent") == signed.agent != "":
            fields = {name: value for name, value in fields.items() if name != "agent"}  # to herself, whatever her scope
        if state is not None:
            named = [(name, value) for name, value in fields.items() if isinstance(value, str)]
            named += [
                (name[:-1], one) for name in ("agents", "queues") if isinstance(many := fields.get(name), list) for one in map(str, many)
            ]
            wanted += [upon for name, value in named if (upon := _upon(state, name, value)) is not None]
        if right is Right.SEND_NOTICES and not fields.get("agents") and not fields.get("queues"):
            wanted.append(Of(queues=frozenset(), team=""))  # to all: for who has no limits
        if not all(may(signed, right, upon) for upon in wanted):
            raise ControlError(f"you may not do this: it needs the right '{right.value}'{' there' if may(signed, right) else ''}")

    def _explain(self, signed: Signed, fields: JsonObject) -> JsonObject:
        """Why a contact waits; the engine is not troubled."""
        state, wanted = self._replica.state, fields.get("contact")
        if state is None or not self._replica.here:
            raise EngineAway("nobody knows")
        if not isinstance(wanted, str) or not wanted:
            raise ControlError("'contact' is missing or no text")
        explained = explanations.waiting(state, wanted, datetime.now(UTC))
        self._check(signed, Right.SEE_CONTACTS, {"queue": explained["queue"]})
        return explained


def _upon(state: State, name: str, value: str) -> Of | None:
    """What a field names, as far as rights are bounded by it."""
    if name == "queue":
        return of_queue(value)
    if name == "agent":
        agent, config = state.agents.get(value), state.config.agents.get(value)
        return of_agent(value, agent.queues if agent else (), (config.team if config else "") or None)
    if name == "contact" and value in state.contacts:
        return of_queue(state.contacts[value].entered.queue)
    return None
