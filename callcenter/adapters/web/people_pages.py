"""People for admins: who may sign in, as what, upon what; and the audit trail."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from aiohttp import web
from multidict import MultiDictProxy

from callcenter.adapters.web.access import Routes, by, form_of, signed
from callcenter.adapters.web.shell import Shell, words_for
from callcenter.domain.rights import SEPARATE, Right, Role, Scope
from callcenter.services.people.passwords import Busy, checked
from callcenter.services.people.person import Person, PersonError, shown_name, sign_in_name
from callcenter.services.people.signing import Signing

DONE = frozenset({"saved", "added", "removed", "password_changed", "sessions_ended"})
KINDS = ("queues", "teams", "campaigns")
LONGEST_REASON = 300
PAGE = 100
Sent = MultiDictProxy[str | bytes | bytearray | web.FileField]


@dataclass(frozen=True, slots=True)
class Known:
    """What the configuration has names for."""

    queues: Collection[str] = ()
    teams: Collection[str] = ()
    campaigns: Collection[str] = ()
    agents: Collection[str] = ()


class PeoplePages:
    def __init__(self, shell: Shell, signing: Signing, known: Callable[[], Known], time_zone: str) -> None:
        self._shell = shell
        self._signing = signing
        self._known = known
        self._time_zone = time_zone

    def register(self, routes: Routes) -> None:
        manage = Right.MANAGE_PEOPLE
        routes.add("GET", "/people", self.people, needs=manage, menu="shell.people")
        routes.add("GET", "/people/new", self.new, needs=manage)
        routes.add("POST", "/people", self.add, needs=manage)
        routes.add("GET", "/people/{name}/edit", self.edit, needs=manage)
        routes.add("POST", "/people/{name}", self.change, needs=manage)
        routes.add("POST", "/people/{name}/password", self.password, needs=manage)
        routes.add("POST", "/people/{name}/sign-out", self.sign_out, needs=manage)
        routes.add("POST", "/people/{name}/remove", self.remove, needs=manage)
        routes.add("GET", "/audit", self.audit, needs=Right.SEE_AUDIT, menu="shell.audit")

    # --- the list -------------------------------------------------------------------------------

    async def people(self, request: web.Request) -> web.Response:
        done = request.query.get("done", "")
        people = await self._signing.store.people()
        return self._shell.page(request, "people.html", people=people, done=done if done in DONE else "")

    # --- one person -----------------------------------------------------------------------------

    async def new(self, request: web.Request) -> web.Response:
        return self._form(request, Person("", "", frozenset({Role.AGENT})), new=True)

    def _form(
        self,
        request: web.Request,
        person: Person,
        *,
        new: bool = False,
        status: int = 200,
        faults: Mapping[str, str] | None = None,
        done: str = "",
    ) -> web.Response:
        known = self._known()
        return self._shell.page(
            request,
            "person.html",
            status=status,
            person=person,
            new=new,
            faults=faults or {},
            done=done,
            roles=list(Role),
            separate=sorted(SEPARATE),
            limits={kind: sorted({*getattr(known, kind), *(getattr(person.scope, kind) or ())}) for kind in KINDS},
            agents=sorted({*known.agents, *([person.agent] if person.agent else [])}),
        )

    async def edit(self, request: web.Request) -> web.Response:
        done = request.query.get("done", "")
        return self._form(request, await self._person(request), done=done if done in DONE else "")

    async def _person(self, request: web.Request) -> Person:
        person = await self._signing.store.person(request.match_info["name"])
        if person is None:
            raise web.HTTPNotFound(text="There is nobody of this name.\n")
        return person

    async def add(self, request: web.Request) -> web.Response:
        sent, t = await form_of(request), words_for(request)
        draft = _read(sent, Person(_text(sent, "name"), "", password_hash=""))
        try:
            draft = replace(draft, name=sign_in_name(draft.name))
            draft = self._checked(draft, Person("", ""))
            plain = checked(_text(sent, "password"), draft.name)
            hashed = await self._signing.passwords.hash(plain)
            if not await self._signing.store.add(replace(draft, password_hash=hashed), by(request)):
                raise PersonError("name", "there is somebody of this name", "fault_name_taken")
        except PersonError as error:
            return self._form(request, draft, new=True, status=422, faults={error.field: t(f"people.{error.why}")})
        except Busy:
            return self._form(request, draft, new=True, status=503, faults={"password": t("sign_in.busy", wait=5)})
        raise web.HTTPSeeOther("/people?done=added")

    async def change(self, request: web.Request) -> web.Response:
        sent, t, before = await form_of(request), words_for(request), await self._person(request)
        draft = _read(sent, before)
        reason = _text(sent, "reason")[:LONGEST_REASON]
        try:
            after = self._checked(draft, before)
            rights = (before.roles, before.granted, before.withheld, before.scope, before.active)
            if rights != (after.roles, after.granted, after.withheld, after.scope, after.active):
                if not reason or not reason.isprintable():
                    raise PersonError("reason", "a change of rights needs a reason", "fault_reason")
                if before.name == signed(request).person:
                    raise PersonError("role", "nobody changes her own rights", "fault_own_rights")
            values = {field: getattr(after, field) for field in ("shown", "roles", "granted", "withheld", "scope", "agent", "active")}
            await self._signing.store.change(before.name, values, by(request), reason=reason)
        except PersonError as error:
            return self._form(request, draft, status=422, faults={error.field: t(f"people.{error.why}")})
        self._signing.ask_anew(before.name)
        raise web.HTTPSeeOther(f"/people/{before.name}/edit?done=saved")

    def _checked(self, draft: Person, before: Person) -> Person:
        """As it may be kept. Raises PersonError."""
        known = self._known()
        if not draft.roles:
            raise PersonError("role", "a person has at least one role", "fault_role")
        if draft.agent and draft.agent != before.agent and draft.agent not in known.agents:
            raise PersonError("agent", "there is no such agent", "fault_agent")
        if draft.granted & draft.withheld:
            raise PersonError("granted", "a right is granted or withheld, not both", "fault_both")
        for kind in KINDS:
            chosen, was = getattr(draft.scope, kind), getattr(before.scope, kind)
            if chosen is not None and not chosen <= {*getattr(known, kind), *(was or ())}:
                raise PersonError(kind, "there is no such name in the configuration", "fault_scope")
        return replace(draft, shown=shown_name(draft.shown or draft.name))

    async def password(self, request: web.Request) -> web.Response:
        sent, t, person = await form_of(request), words_for(request), await self._person(request)
        try:
            await self._signing.set_password(person.name, checked(_text(sent, "password"), person.name), by(request))
        except PersonError as error:
            return self._form(request, person, status=422, faults={error.field: t(f"people.{error.why}")})
        except Busy:
            return self._form(request, person, status=503, faults={"password": t("sign_in.busy", wait=5)})
        raise web.HTTPSeeOther(f"/people/{person.name}/edit?done=password_changed")

    async def sign_out(self, request: web.Request) -> web.Response:
        """Everywhere."""
        person = await self._person(request)
        await self._signing.store.end_sessions(person.name, by(request))
        raise web.HTTPSeeOther(f"/people/{person.name}/edit?done=sessions_ended")

    async def remove(self, request: web.Request) -> web.Response:
        person = await self._person(request)
        if person.name == signed(request).person:
            fault = words_for(request)("people.fault_own_rights")
            return self._form(request, person, status=422, faults={"role": fault})
        await self._signing.store.remove(person.name, by(request))
        raise web.HTTPSeeOther("/people?done=removed")

    # --- the audit trail ------------------------------------------------------------------------

    async def audit(self, request: web.Request) -> web.Response:
        """The newest first; ``before`` is where the last page ended."""
        # NUL is part of no text that PostgreSQL keeps, and it refuses to be asked for one.
        person, what, before = (request.query.get(name, "").replace("\x00", "\ufffd").strip()[:64] for name in ("person", "what", "before"))
        start = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
        entries = await self._signing.store.audit(before=start, limit=PAGE, person=person, what=what)
        older = entries[-1].seq if len(entries) == PAGE else None
        return self._shell.page(request, "audit.html", entries=entries, person=person, what=what, older=older, zone=self._time_zone)


def _text(sent: Sent, name: str) -> str:
    value = sent.get(name, "")
    return value.strip() if isinstance(value, str) and name != "password" else value if isinstance(value, str) else ""


def _several(sent: Sent, name: str, allowed: Collection[str]) -> frozenset[str]:
    return frozenset(value for value in sent.getall(name, []) if isinstance(value, str) and value in allowed)


def _read(sent: Sent, person: Person) -> Person:
    """The form over what was; checked later, so that it can be shown again as it was filled in."""
    limits = []
    for kind in KINDS:
        chosen = frozenset(value for value in sent.getall(kind, []) if isinstance(value, str) and len(value) <= 80)
        limits.append(chosen if _text(sent, f"{kind}_limited") == "yes" else None)
    return replace(
        person,
        shown=_text(sent, "shown")[:200],
        roles=frozenset(map(Role, _several(sent, "role", list(Role)))),
        granted=frozenset(map(Right, _several(sent, "granted", list(SEPARATE)))),
        withheld=frozenset(map(Right, _several(sent, "withheld", list(SEPARATE)))),
        scope=Scope(*limits),
        agent=_text(sent, "agent")[:80],
        active=person.name == "" or _text(sent, "active") == "yes" or not _text(sent, "active_shown"),
    )
