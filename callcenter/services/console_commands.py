"""What may be asked for at a console, and by whom: the Desk's operations, each behind a right; an agent's own are said of nobody else.

A command has an id that the console chose. The same id again, from a tab that came back or a finger that was too quick, is not carried out
again: it is answered as the first time.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from callcenter.domain import permitted
from callcenter.domain.rights import Right, Signed, may, of_queue
from callcenter.domain.supervision_modes import SupervisionMode
from callcenter.services import explanations, mandate
from callcenter.services.console_view import supervision_view
from callcenter.services.consoles import Ask, Console
from callcenter.services.control import ControlError, JsonObject
from callcenter.services.control_client import EngineAway, RequestRefused
from callcenter.services.replica import Replica

ANSWERS_KEPT = 200
"""By console."""
ID_LIMIT = 64
OWN_PREFIX = "agent_"
"""Operations of an agent upon herself are named so."""

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
        if do not in permitted.OTHERS:
            if do.startswith(OWN_PREFIX) or do in OWN_TOO:
                return await self._ask(do, **self._own(signed, fields))
            raise ControlError(f"there is no operation '{do}' for consoles")
        if do in BY_PHONE:
            fields = {**fields, "supervisor": self._own(signed, {})["agent"]}
        why_not = permitted.refusal(signed, do, fields, self._replica.state)
        if why_not is not None:
            await self._audit(signed, do, fields, why_not)
            raise ControlError(why_not)
        try:
            answer = await self._ask(do, **{**fields, "by": signed.person, "who": mandate.who(signed)})
        except RequestRefused as refused:
            await self._audit(signed, do, fields, str(refused))
            raise
        await self._audit(signed, do, fields, "")
        return answer

    async def session_over(self, signed: Signed) -> None:
        """Nobody listens whose session has ended: it may have been taken from her. A caller whom she has taken over stays with her."""
        state = self._replica.state
        heard = supervision_view(state, signed.agent) if state is not None and signed.agent else None
        if heard is None or heard["mode"] == SupervisionMode.TAKE_OVER:
            return
        refused = ""
        try:
            await self._ask("supervise_end", supervisor=signed.agent, by=signed.person, who=mandate.who(signed))
        except (EngineAway, RequestRefused) as error:
            refused = str(error) or "the engine does not answer"
        await self._audit(signed, "supervise_end", {"supervisor": signed.agent, "agent": heard["agent"]}, refused)

    @staticmethod
    def _own(signed: Signed, fields: JsonObject) -> JsonObject:
        if not signed.agent:
            raise ControlError("you are no agent")
        if fields.get("agent", signed.agent) != signed.agent or not may(signed, Right.COMMAND_OWN_AGENT):
            raise ControlError("you may not do this for another agent")
        return {**fields, "agent": signed.agent}

    def _explain(self, signed: Signed, fields: JsonObject) -> JsonObject:
        """Why a contact waits; the engine is not troubled."""
        state, wanted = self._replica.state, fields.get("contact")
        if state is None or not self._replica.here:
            raise EngineAway("nobody knows")
        if not isinstance(wanted, str) or not wanted:
            raise ControlError("'contact' is missing or no text")
        explained = explanations.waiting(state, wanted, datetime.now(UTC))
        if not may(signed, Right.SEE_CONTACTS, of_queue(str(explained["queue"]))):
            raise ControlError(f"you may not do this: it needs the right '{Right.SEE_CONTACTS.value}' there")
        return explained
