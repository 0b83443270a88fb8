"""The agent's console: its page, what the page must know of the center, what is known of a caller, scripts, and her softphone's line."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog
from aiohttp import web

from callcenter.adapters.web.access import Routes, signed, while_signed_in
from callcenter.adapters.web.shell import Shell
from callcenter.adapters.web.sip_proxy import Account, SipProxy
from callcenter.domain import scripts
from callcenter.domain.rights import Right, Scope, Signed, may, of_queue
from callcenter.domain.scripts import Page, Script
from callcenter.services.caller_history import CallerHistory, Histories
from callcenter.services.control import JsonObject
from callcenter.services.control_client import EngineAway, RequestRefused

log = structlog.get_logger(__name__)

HISTORY_SECONDS = 3.0
OWN_CONTACT_ONLY = "this contact is not yours any more"


@dataclass(frozen=True, slots=True)
class AgentDesk:
    """What the page of one agent must know of the configuration."""

    told: JsonObject
    """As it is sent to the page."""
    account: Account | None
    """Of her softphone; None: her phone is on her desk."""


@dataclass(frozen=True, slots=True)
class Center:
    """What the console asks of the rest of the process."""

    desk: Callable[[str], AgentDesk | None]
    """By agent; None: there is no such agent."""
    contact: Callable[[str], JsonObject | None]
    """The contact that is hers now, as ``console_view`` shows it."""
    script: Callable[[str], Script | None]
    """Of a queue."""
    pop: Callable[[str, Mapping[str, str]], str]
    """The address that a queue's screen pop opens; empty: none."""
    ask: Callable[..., Awaitable[JsonObject]]
    """An operation of the engine's. Raises EngineAway, RequestRefused."""
    histories: Histories
    waiting: Callable[[str], tuple[list[JsonObject] | None, list[JsonObject] | None]]
    """By agent: callbacks that she may take, messages that she may hear, as ``agent_waiting`` shows them; None: there are never any."""


class AgentPages:
    """Registers its routes at the one door."""

    def __init__(self, shell: Shell, center: Center, proxy: SipProxy) -> None:
        self._shell, self._center, self._proxy = shell, center, proxy

    def register(self, routes: Routes) -> None:
        own = Right.COMMAND_OWN_AGENT
        routes.add("GET", "/agent", self.page, needs=own, menu="agent.title")
        routes.add("GET", "/agent/desk", self.desk, needs=own)
        routes.add("GET", "/agent/caller", self.caller, needs=own)
        routes.add("GET", "/agent/waiting", self.waiting, needs=own)
        routes.add("POST", "/agent/script", self.script, needs=own)
        routes.add("GET", "/sip/{node}", self.sip, needs=own)

    async def page(self, request: web.Request) -> web.Response:
        if self._center.desk(signed(request).agent) is None:
            return self._shell.page(request, "message.html", status=403, title="agent.title", message="agent.no_agent")
        return self._shell.page(request, "agent.html")

    async def desk(self, request: web.Request) -> web.Response:
        desk = self._center.desk(signed(request).agent)
        if desk is None:
            raise web.HTTPNotFound(text="You are no agent of this center.\n")
        return web.json_response(desk.told)

    async def sip(self, request: web.Request) -> web.StreamResponse:
        """Until she signs out; a call that is on goes on without its signalling."""
        desk = self._center.desk(signed(request).agent)
        if desk is None or desk.account is None:
            raise web.HTTPNotFound(text="Your phone is not a softphone.\n")
        with while_signed_in(request) as ended:
            serving = asyncio.ensure_future(self._proxy.serve(request, desk.account, request.match_info["node"]))
            leaving = asyncio.ensure_future(ended.wait())
            try:
                await asyncio.wait((serving, leaving), return_when=asyncio.FIRST_COMPLETED)
                if not serving.done():
                    await self._proxy.hang_up(desk.account.user, request.match_info["node"])
                return await serving
            finally:
                leaving.cancel()
                serving.cancel()

    # --- who is before her ------------------------------------------------------------------------

    async def caller(self, request: web.Request) -> web.Response:
        """What is known of the caller whom she is offered, talks to, or wraps up after; of nobody else."""
        who = signed(request)
        contact = self._hers(who.agent, request.query.get("contact", ""))
        if contact is None:
            raise web.HTTPNotFound(text=f"{OWN_CONTACT_ONLY}\n")
        known = _known(contact)
        history, away = CallerHistory(), False
        try:
            async with asyncio.timeout(HISTORY_SECONDS):
                history = await self._center.histories.of(str(contact.get("caller") or ""), str(contact.get("call") or ""))
        except Exception as error:  # the talk goes on without it
            log.warning("history_missing", error=type(error).__name__)
            away = True
        return web.json_response(
            {
                "contact": contact["contact"],
                "pop": self._center.pop(str(contact.get("queue") or ""), known),
                "away": away,
                "calls": [call for call in history.calls if _within(call, who.scope)],
                "messages": list(history.messages),
                "callbacks": [callback for callback in history.callbacks if who.scope.has_queue(str(callback.get("queue") or ""))],
            }
        )

    async def waiting(self, request: web.Request) -> web.Response:
        """Callbacks and messages of her queues, as far as her scope reaches."""
        who = signed(request)
        callbacks, messages = self._center.waiting(who.agent)
        return web.json_response(
            {
                "callbacks": _reached(callbacks, who, Right.HANDLE_CALLBACKS),
                "messages": _reached(messages, who, Right.HANDLE_VOICEMAIL),
            }
        )

    def _hers(self, agent: str, contact_id: str) -> JsonObject | None:
        contact = self._center.contact(agent) if agent else None
        return contact if contact is not None and contact_id and contact.get("contact") == contact_id else None

    # --- scripts ----------------------------------------------------------------------------------

    async def script(self, request: web.Request) -> web.Response:
        """One step: the answers to a page are checked and kept, and the next page is said. Without a page, the first one."""
        who = signed(request)
        asked = await _asked(request)
        contact = self._hers(who.agent, str(asked.get("contact") or ""))
        script = self._center.script(str(contact.get("queue") or "")) if contact is not None else None
        if contact is None or script is None:
            return web.json_response({"error": OWN_CONTACT_ONLY}, status=409)
        answers = _texts(asked.get("answers"))
        name = str(asked.get("page") or "")
        if not name:
            return web.json_response(_shown(script, script.start, {**_known(contact), **answers}))
        page = script.pages.get(name)
        if page is None:
            return web.json_response({"error": f"the script has no page '{name[:40]}' any more; begin anew"}, status=409)
        return await self._step(who.agent, contact, script, page, answers)

    async def _step(self, agent: str, contact: JsonObject, script: Script, page: Page, answers: Mapping[str, str]) -> web.Response:
        kept, wrong = scripts.check(page, answers)
        if wrong:
            return web.json_response({"wrong": {field: fault.value for field, fault in wrong.items()}})
        asked = {field.name for each in script.pages.values() for field in each.fields}
        own = {field.name for field in page.fields}
        given = {name: answer for name, answer in answers.items() if name in asked - own and answer} | kept
        known = {**_known(contact), **given}
        then = scripts.next_page(page, known)
        try:
            await self._center.ask(
                "agent_script", agent=agent, contact=contact["contact"], script=script.name, answers=given, done=not then
            )
        except RequestRefused as refused:
            return web.json_response({"error": str(refused)}, status=409)
        except EngineAway as away:
            return web.json_response({"error": str(away)}, status=503)
        return web.json_response(_shown(script, then, known) if then else {"done": True, "answers": given})


def _shown(script: Script, name: str, known: Mapping[str, str]) -> JsonObject:
    page = script.pages[name]
    return {
        "script": script.name,
        "title": script.title,
        "page": name,
        "text": scripts.say(page.text, known),
        "last": not page.ways,
        "fields": [
            {
                "name": field.name,
                "label": scripts.say(field.label, known),
                "kind": field.kind.value,
                "required": field.required,
                "choices": list(field.choices),
                "answer": known.get(field.name, ""),
            }
            for field in page.fields
        ],
    }


def _known(contact: JsonObject) -> dict[str, str]:
    """What scripts and addresses may speak of: attributes of the call, and who calls whom."""
    attributes = contact.get("attributes")
    known = {name: str(value) for name, value in attributes.items()} if isinstance(attributes, dict) else {}
    names = ("caller", "caller_name", "queue", "contact", "call", "dialed")
    return known | {name: str(contact.get(name) or "") for name in names}


async def _asked(request: web.Request) -> JsonObject:
    try:
        asked = await request.json()
    except ValueError:
        raise web.HTTPBadRequest(text="This is no JSON.\n") from None
    if not isinstance(asked, dict):
        raise web.HTTPBadRequest(text="One JSON object is wanted.\n")
    return asked


def _texts(answers: object) -> dict[str, str]:
    if not isinstance(answers, dict) or len(answers) > 500:
        return {}
    return {str(name)[:40]: answer for name, answer in answers.items() if isinstance(answer, str) and len(answer) <= 10_000}


def _reached(waiting: list[JsonObject] | None, who: Signed, right: Right) -> list[JsonObject] | None:
    """Those of queues upon which she has the right; what is of no queue is her own."""
    if waiting is None or not may(who, right):
        return None
    return [each for each in waiting if not each["queue"] or may(who, right, of_queue(str(each["queue"])))]


def _within(call: Mapping[str, object], scope: Scope) -> bool:
    """A call that reached queues is shown to who may see one of them."""
    contacts = call.get("contacts")
    queues = {str(contact["queue"]) for contact in contacts} if isinstance(contacts, list) else set()
    return not queues or scope.queues is None or bool(queues & scope.queues)
