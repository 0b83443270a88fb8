"""My account: language and theme, password, where I am signed in, and tokens for my programs."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from aiohttp import web

from callcenter.adapters.web.access import Routes, address_of, by, form_of, signed
from callcenter.adapters.web.numbers import whole
from callcenter.adapters.web.shell import Shell, words_for
from callcenter.adapters.web.words.catalogue import LANGUAGES
from callcenter.domain.rights import Right
from callcenter.services.people.passwords import Busy, checked
from callcenter.services.people.person import PersonError
from callcenter.services.people.signing import Signing, SignInRefused

THEMES = ("", "light", "dark")
LONGEST_TOKEN_DAYS = 366
LONGEST_LABEL = 60
DONE = frozenset({"saved", "password_changed", "sessions_ended", "token_ended"})


class AccountPages:
    def __init__(self, shell: Shell, signing: Signing, time_zone: str) -> None:
        self._shell = shell
        self._signing = signing
        self._time_zone = time_zone

    def register(self, routes: Routes) -> None:
        mine = Right.OWN_ACCOUNT
        routes.add("GET", "/account", self.account, needs=mine, menu="shell.account")
        routes.add("POST", "/account/preferences", self.preferences, needs=mine)
        routes.add("POST", "/account/password", self.password, needs=mine)
        routes.add("POST", "/account/sessions/end", self.end_others, needs=mine)
        routes.add("POST", "/account/sessions/{id}/end", self.end_one, needs=mine)
        routes.add("POST", "/account/tokens", self.add_token, needs=mine)
        routes.add("POST", "/account/tokens/{id}/end", self.end_token, needs=mine)

    async def account(self, request: web.Request) -> web.Response:
        done = request.query.get("done", "")
        return await self._page(request, done=done if done in DONE else "")

    async def _page(
        self, request: web.Request, *, status: int = 200, done: str = "", faults: Mapping[str, str] | None = None, secret: str = ""
    ) -> web.Response:
        """``faults``: by field, keys of the catalogue. ``secret``: of a new token, shown this once."""
        who, now = signed(request), datetime.now(UTC)
        store = self._signing.store
        return self._shell.page(
            request,
            "account.html",
            status=status,
            done=done,
            faults=faults or {},
            secret=secret,
            languages=LANGUAGES,
            themes=THEMES,
            sessions=await store.sessions(who.person, now),
            tokens=[token for token in await store.tokens(who.person) if token.expires_at > now],
            rights=sorted(who.rights),
            zone=self._time_zone,
            longest_days=LONGEST_TOKEN_DAYS,
        )

    async def preferences(self, request: web.Request) -> web.Response:
        sent = await form_of(request)
        language, theme = str(sent.get("language", "")), str(sent.get("theme", ""))
        if language not in ("", *LANGUAGES) or theme not in THEMES:
            return await self._page(request, status=422, faults={"language": "account.fault_choice"})
        who = signed(request)
        await self._signing.store.change(who.person, {"language": language, "theme": theme}, by(request), "preferences_changed")
        self._signing.ask_anew(who.person)
        raise web.HTTPSeeOther("/account?done=saved")

    async def password(self, request: web.Request) -> web.Response:
        """Only who knows the present one changes it; all other sessions end."""
        who, sent = signed(request), await form_of(request)
        present, new, again = (str(sent.get(field, "")) for field in ("present", "password", "again"))
        try:
            await self._signing.prove(who.person, present, address_of(request))
            plain = checked(new, who.person)
            if new != again:
                raise PersonError("again", "the two passwords differ", "fault_again")
            await self._signing.set_password(who.person, plain, by(request), but=who.session)
        except SignInRefused as refused:
            wait = words_for(request)(refused.why, wait=refused.wait_s)
            return await self._page(request, status=429 if refused.wait_s else 422, faults={"present": wait})
        except PersonError as error:
            return await self._page(request, status=422, faults={error.field: words_for(request)(f"people.{error.why}")})
        except Busy:
            return await self._page(request, status=503, faults={"present": words_for(request)("sign_in.busy", wait=5)})
        raise web.HTTPSeeOther("/account?done=password_changed")

    async def end_others(self, request: web.Request) -> web.Response:
        """Everywhere but here."""
        who = signed(request)
        await self._signing.store.end_sessions(who.person, by(request), but=who.session)
        raise web.HTTPSeeOther("/account?done=sessions_ended")

    async def end_one(self, request: web.Request) -> web.Response:
        await self._signing.store.end_sessions(signed(request).person, by(request), only=request.match_info["id"])
        raise web.HTTPSeeOther("/account?done=sessions_ended")

    async def add_token(self, request: web.Request) -> web.Response:
        who, sent = signed(request), await form_of(request)
        label, days = str(sent.get("label", "")).strip(), whole(str(sent.get("days", ""))) or 0
        t = words_for(request)
        faults = {}
        if not 1 <= len(label) <= LONGEST_LABEL or not label.isprintable():
            faults["label"] = t("account.fault_label", most=LONGEST_LABEL)
        if not 1 <= days <= LONGEST_TOKEN_DAYS:
            faults["days"] = t("account.fault_days", most=LONGEST_TOKEN_DAYS)
        scopes = {str(scope) for scope in sent.getall("scope", [])}
        if not scopes or not scopes <= {str(right) for right in who.rights}:
            faults["scope"] = t("account.fault_scope")
        if who.token:  # a token must not outlive itself by making another
            faults["label"] = t("account.fault_by_token")
        person = None if faults else await self._signing.store.person(who.person)
        if person is None:
            return await self._page(request, status=422, faults=faults)
        secret, _ = await self._signing.new_token(person, label, frozenset(map(Right, scopes)), timedelta(days=days), by(request))
        return await self._page(request, done="token_added", secret=secret)

    async def end_token(self, request: web.Request) -> web.Response:
        await self._signing.store.end_token(signed(request).person, request.match_info["id"], by(request))
        raise web.HTTPSeeOther("/account?done=token_ended")
