"""The agents' consoles in the web process: what they are told of the configuration, and the softphones' way to the nodes."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from callcenter.adapters.db.caller_history import PostgresHistories
from callcenter.adapters.web.access import Routes
from callcenter.adapters.web.agent_pages import AgentDesk, AgentPages, Center
from callcenter.adapters.web.sip_proxy import Account, SipProxy
from callcenter.adapters.web.site import Site
from callcenter.apps.web_live import Live
from callcenter.domain.scripts import Script
from callcenter.runtime.number_forms import forms
from callcenter.runtime.secrets import load_secrets
from callcenter.runtime.settings import Settings
from callcenter.runtime.settings_console import disposition_flags, pop_address, script_of
from callcenter.runtime.settings_desk_phone import may_dial, number_shown
from callcenter.runtime.settings_model import AgentSection, QueueSection
from callcenter.runtime.settings_softphone import ice_servers
from callcenter.services.agent_waiting import callbacks_for, messages_for
from callcenter.services.console_view import contact_view
from callcenter.services.control import JsonObject


class AgentConsoles:
    """A ``Part`` of the site. The configuration is the one that is live: it changes under an open page."""

    def __init__(self, live: Live, site: Site, database: AsyncEngine) -> None:
        self._live = live
        self._accounts: dict[str, Account] = {}
        self._proxy = SipProxy(self._node)
        center = Center(
            self._desk,
            self._contact,
            self._script,
            self._pop,
            live.ask,
            PostgresHistories(database, lambda caller: forms(caller, self._settings.center.country)),
            self._waiting,
        )
        self._pages = AgentPages(site.shell, center, self._proxy)

    def register(self, routes: Routes) -> None:
        self._pages.register(routes)

    async def running(self, _app: web.Application) -> AsyncIterator[None]:
        yield
        await self._proxy.close()

    @property
    def _settings(self) -> Settings:
        return self._live.settings

    def _node(self, name: str) -> str | None:
        found = next((node for node in self._settings.nodes if node.name == name and not node.remote), None)
        return f"http://127.0.0.1:{found.http_port}/ws" if found is not None else None

    def _agent(self, name: str) -> AgentSection | None:
        return next((agent for agent in self._settings.agents if agent.name == name), None)

    def _queue(self, name: str) -> QueueSection | None:
        return next((queue for queue in self._settings.queues if queue.name == name), None)

    def _contact(self, agent: str) -> JsonObject | None:
        state = self._live.replica.state
        return contact_view(state, agent) if state is not None else None

    def _waiting(self, agent: str) -> tuple[list[JsonObject] | None, list[JsonObject] | None]:
        state = self._live.replica.state
        return (callbacks_for(state, agent), messages_for(state, agent)) if state is not None else (None, None)

    def _script(self, queue: str) -> Script | None:
        section = self._queue(queue)
        name = section.script if section is not None else None
        return script_of(name, self._settings.scripts[name]) if name is not None else None

    def _pop(self, queue: str, known: Mapping[str, str]) -> str:
        section = self._queue(queue)
        return pop_address(section.screen_pop, known) if section is not None and section.screen_pop else ""

    def _desk(self, name: str) -> AgentDesk | None:
        agent = self._agent(name)
        if agent is None:
            return None
        account = self._account(agent)
        settings = self._settings
        told: JsonObject = {
            "agent": name,
            "softphone": self._softphone(name, account) if account is not None else None,
            "reasons": list(settings.center.not_ready_reasons),
            "queues": [
                {
                    "name": queue.name,
                    "script": queue.script or "",
                    "callback": queue.callback is not None,
                    "number_shown": number_shown(settings, queue),
                }
                for queue in settings.queues
            ],
            "outside": bool(settings.calling.trunk and may_dial(settings, agent)),
            "flags": {disposition: list(flags) for disposition, flags in disposition_flags(settings).items()},
            "payment_flows": list(settings.payments.flows),
            "colleagues": [{"name": other.name, "extension": other.extension or ""} for other in settings.agents if other.name != name],
        }
        return AgentDesk(told, account)

    def _account(self, agent: AgentSection) -> Account | None:
        if agent.phone != "browser":
            return None
        if agent.name not in self._accounts:
            phone = load_secrets(self._settings.data, [agent.name]).phones[agent.name]
            self._accounts[agent.name] = Account(phone.endpoint, phone.password)
        return self._accounts[agent.name]

    def _softphone(self, agent: str, account: Account) -> JsonObject:
        nodes = [node.name for node in self._settings.nodes if not node.remote]
        servers = ice_servers(self._settings, agent, datetime.now(UTC))
        return {"user": account.user, "nodes": list(nodes), "ice_servers": [dict(server) for server in servers]}
