"""Sign-in, people and the audit trail in the web process, put together."""

import asyncio
from collections.abc import AsyncIterator, Callable

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from callcenter.adapters.db.people import PostgresPeople
from callcenter.adapters.oidc.provider import OidcClient, OidcProvider
from callcenter.adapters.web.access import Origins, Routes
from callcenter.adapters.web.account_pages import AccountPages
from callcenter.adapters.web.oidc_pages import OidcPages
from callcenter.adapters.web.people_pages import Known, PeoplePages
from callcenter.adapters.web.site import Site
from callcenter.domain.config import CenterConfig
from callcenter.runtime.settings import Settings
from callcenter.services.people.passwords import Passwords
from callcenter.services.people.signing import Policy, Signing
from callcenter.services.people.trail import AuditTrail


class People:
    """A ``Part`` of the site, after ``site`` has been made with its door and shell."""

    def __init__(self, settings: Settings, engine: AsyncEngine) -> None:
        self._settings = settings
        self.store = PostgresPeople(engine)
        self.trail = AuditTrail(self.store, settings.data)
        policy = Policy(settings.people.idle, settings.people.longest)
        signing = Signing(self.store, Passwords(), policy)
        self.site = Site(settings.center.name, signing, Origins(settings.web.public_url or "", settings.web.proxies))
        self.site.note = self.trail.note
        self._config: Callable[[], CenterConfig | None] = lambda: None

    def follow(self, config: Callable[[], CenterConfig | None]) -> None:
        """From now on names are those of this configuration; None: those that were read at the start."""
        self._config = config

    def register(self, routes: Routes) -> None:
        zone = self._settings.center.time_zone
        AccountPages(self.site.shell, self.site.signing, zone).register(routes)
        PeoplePages(self.site.shell, self.site.signing, self._known, zone).register(routes)
        if (section := self._settings.oidc) is not None:
            file, secret = section.client_secret_file, ""
            if file is not None:
                secret = self._settings.beside_the_file(file).read_text(encoding="utf-8").strip()
            client = OidcClient(section.issuer, section.client_id, secret, section.shown, " ".join(section.scopes), section.name_claim)
            site = self.site
            OidcPages(site.shell, site.signing, site.origins, OidcProvider(client), site.sign_in_pages).register(routes)

    async def running(self, _app: web.Application) -> AsyncIterator[None]:
        keeping = asyncio.create_task(self.trail.run())
        yield
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)

    def _known(self) -> Known:
        config = self._config()
        if config is None:
            read = self._settings
            return Known([one.name for one in read.queues], [one.name for one in read.teams], (), [one.name for one in read.agents])
        return Known(tuple(config.queues), tuple(config.teams), (), tuple(config.agents))
