"""The pages of the documents: what there is, a form for each, the difference before it counts, the history, and back."""

import json
from collections.abc import Mapping, Sequence

from aiohttp import web

from callcenter.adapters.web.access import Routes, address_of, form_of, require, signed
from callcenter.adapters.web.config.form import Sent, body_of, boxes
from callcenter.adapters.web.config.objects import choices, columns, is_shown, left, may_change, object_of, served, serving
from callcenter.adapters.web.config.shown import shown_long, text, versions_shown, what_changes
from callcenter.adapters.web.numbers import whole
from callcenter.adapters.web.shell import Shell, words_for
from callcenter.domain.documents import Body, Documents, difference, kind_of, name_of
from callcenter.domain.rights import Right
from callcenter.services.configuration import (
    Change,
    ChangeRefused,
    Configuration,
    DocumentFault,
    Faulty,
    NoSuchVersion,
    Plan,
    Stale,
    Stored,
)
from callcenter.services.forms import FormShape
from callcenter.services.ledger import StoreAway, StoreRefused

HISTORY_SHOWN = 100


class ConfigPages:
    """Use: ``site.add(ConfigPages(site.shell, configuration, forms))``."""

    def __init__(self, shell: Shell, configuration: Configuration, forms: Mapping[str, FormShape]) -> None:
        self._shell = shell
        self._center = configuration
        self._forms = forms
        shell.templates.filters["shown_long"] = shown_long
        shell.templates.filters["field_text"] = text

    def register(self, routes: Routes) -> None:
        see, change = Right.SEE_CONFIG, Right.CHANGE_CONFIG
        routes.add("GET", "/config", self.overview, needs=see, menu="config.title")
        routes.add("GET", "/config/list/{kind}", self.list_, needs=see)
        routes.add("GET", "/config/new/{kind}", self.new, needs=change)
        routes.add("GET", "/config/edit/{kind}", self.edit, needs=see)
        routes.add("GET", "/config/edit/{kind}/{name:.+}", self.edit, needs=see)  # the levels of a disposition have '/' between them
        routes.add("POST", "/config/review/{kind}", self.review, needs=change)
        routes.add("POST", "/config/save", self.save, needs=change)
        routes.add("GET", "/config/history", self.history, needs=see)
        routes.add("GET", "/config/version/{version}", self.version, needs=see)
        routes.add("POST", "/config/back", self.back, needs=change)

    # --- looking --------------------------------------------------------------------------------

    async def overview(self, request: web.Request) -> web.Response:
        try:
            stored = await self._center.now()
        except StoreAway:
            return self._away(request)
        kinds = [(kind, sum(kind_of(key) == kind for key in stored.documents), self._forms[kind].one) for kind in self._forms]
        saved = request.query.get("saved", "")
        return self._shell.page(
            request,
            "config/overview.html",
            kinds=kinds,
            version=stored.version,
            saved=whole(saved) or 0,
            later="later" in request.query,
            conflict=await self._center.in_conflict(),
        )

    async def list_(self, request: web.Request) -> web.Response:
        form = self._form(request)
        try:
            stored = await self._center.now()
        except StoreAway:
            return self._away(request)
        rows = [(name_of(key), body, stored.changed_in.get(key, 0)) for key, body in stored.documents.items() if kind_of(key) == form.kind]
        return self._shell.page(
            request, "config/list.html", kind=form.kind, rows=rows, columns=columns(form), may=may_change(request, form.kind)
        )

    async def new(self, request: web.Request) -> web.Response:
        form = self._form(request)
        try:
            stored = await self._center.now()
        except StoreAway:
            return self._away(request)
        return self._edit(request, form, "", {}, stored, new=True)

    async def edit(self, request: web.Request) -> web.Response:
        form, name = self._form(request), request.match_info.get("name", "")
        try:
            stored = await self._center.now()
        except StoreAway:
            return self._away(request)
        body = stored.documents.get(_key(form, name))
        if body is None and not form.one:
            raise web.HTTPNotFound(text="There is no such document.\n")
        return self._edit(request, form, name, body or {}, stored)

    def _edit(
        self,
        request: web.Request,
        form: FormShape,
        name: str,
        body: Body,
        stored: Stored,
        *,
        new: bool = False,
        status: int = 200,
        faults: Sequence[DocumentFault] = (),
        said: str = "",
        why: str = "",
        seen: int | None = None,
        now: Plan | None = None,
        agents: Sequence[str] | None = None,
    ) -> web.Response:
        """The form. ``seen``: the version in which the document was seen to have changed; without it, that of now."""
        key = _key(form, name) if name or form.one else ""
        own: dict[str, list[str]] = {}
        others = [fault for fault in faults if fault.document != key or not fault.field]
        for fault in faults:
            if fault.document == key and fault.field:
                own.setdefault(fault.field, []).append(fault.sentence)
        shown = boxes(form, body, own, choices(stored.documents))
        return self._shell.page(
            request,
            "config/edit.html",
            status=status,
            kind=form.kind,
            one=form.one,
            asks_name=new and not form.named_by and not form.one,
            name=name,
            new=new,
            boxes=shown,
            others=[
                *others,
                *(fault for fault in faults if fault.document == key and fault.field and not is_shown(shown, fault.field, own)),
            ],
            said=said,
            why=why,
            seen=stored.changed_in.get(key, 0) if seen is None else seen,
            now=what_changes(now) if now else (),
            may=may_change(request, form.kind, name, stored.documents),
            served=served(form, name, stored.documents, agents),
        )

    # --- changing -------------------------------------------------------------------------------

    async def review(self, request: web.Request) -> web.Response:
        """The difference, the consequences, and the question why."""
        form, sent = self._form(request), await _sent(request)
        new, name = _one(sent, "new") == "yes", _one(sent, "document")
        body = body_of(form, sent)
        try:
            stored = await self._center.now()
        except StoreAway:
            return self._away(request)
        if new and not form.one:
            name = str(body.get(form.named_by, "")) if form.named_by else _one(sent, "new_name").strip()
        seen = whole(_one(sent, "seen")) or 0
        key = _key_of(form, name, body)
        agents = sent.get("+agents", ()) if "+serves" in sent else None
        if "remove" in sent:
            key, agents = _key(form, name), [] if form.kind == "queue" else None
        changes: dict[str, Body | None] = {key: None if "remove" in sent else body}
        if "remove" in sent and form.kind == "agent":
            changes |= left(name, stored.documents)
        if key != _key(form, name) and not new:
            changes[_key(form, name)] = None  # it has another name now
        if agents is not None:
            changes |= serving(name if new else name_of(key), agents, stored.documents)
        for touched in changes:
            require(request, Right.CHANGE_CONFIG, object_of(touched, stored.documents))
        if not form.one and not name:
            fault = DocumentFault("", "", f"{form.kind}: {self._shell_words(request, 'config.name_missing')}")
            return self._edit(request, form, name, body, stored, new=new, status=422, faults=[fault], said="config.faulty", agents=agents)
        try:
            plan = await self._center.plan(changes, {key: seen})
        except Faulty as error:
            return self._edit(
                request, form, name, body, stored, new=new, status=422, faults=error.faults, said="config.faulty", seen=seen, agents=agents
            )
        except Stale:
            now = self._overtaken(key, body, stored)
            return self._edit(
                request, form, name, body, stored, new=new and key not in stored.documents, status=409, said="config.stale", now=now
            )
        except StoreAway:
            return self._away(request)
        return self._review(request, plan, changes, {key: seen})

    @staticmethod
    def _overtaken(key: str, body: Body, stored: Stored) -> Plan:
        """From what she sent to what it says now."""
        there = {key: stored.documents[key]} if key in stored.documents else {}
        return Plan(stored.version, {key: body}, there, difference({key: body}, there))

    def _review(
        self,
        request: web.Request,
        plan: Plan,
        changes: Mapping[str, Body | None],
        expected: Mapping[str, int],
        *,
        reason: str = "",
        source: str = "page",
        status: int = 200,
        said: str = "",
        why: str = "",
    ) -> web.Response:
        packed = json.dumps({"changes": changes, "expected": expected, "base": plan.base, "source": source})
        return self._shell.page(
            request,
            "config/review.html",
            status=status,
            changes=what_changes(plan),
            moved=plan.moved,
            consequences=plan.consequences,
            empty=plan.is_empty,
            packed=packed,
            reason=reason,
            said=said,
            why=why,
        )

    async def save(self, request: web.Request) -> web.Response:
        """What was reviewed, with a reason; planned once more, so that nothing counts that was not shown."""
        sent = await _sent(request)
        changes, expected, base, source = _unpacked(_one(sent, "packed"))
        reason = _one(sent, "reason").strip()[:500]
        try:
            stored = await self._center.now()
            for key in changes:
                require(request, Right.CHANGE_CONFIG, object_of(key, stored.documents))
            plan = await self._center.plan(changes, expected)
            if plan.base != base:
                return self._review(request, plan, changes, expected, reason=reason, source=source, status=409, said="config.stale")
            if not reason:
                return self._review(request, plan, changes, expected, source=source, status=422, said="config.reason_missing")
            who = signed(request)
            change = Change(who.person, reason, source, via=who.via, address=address_of(request))
            done = await self._center.apply(plan, change)
        except StoreAway:
            return self._away(request)
        except (Stale, Faulty, ChangeRefused, StoreRefused) as error:
            status = 422 if isinstance(error, Faulty) else 409
            return self._shell.page(request, "config/refused.html", status=status, why=str(error))
        later = "" if done.taken_up else "&later=1"
        return web.Response(status=303, headers={"Location": f"/config?saved={done.version}{later}"})

    # --- the history ----------------------------------------------------------------------------

    async def history(self, request: web.Request) -> web.Response:
        document = request.query.get("document", "")[:300]
        if not document.isprintable():
            raise web.HTTPNotFound(text="There is no such document.\n")
        try:
            notes = await self._center.history(document, HISTORY_SHOWN)
            now = (await self._center.now()).version
        except StoreAway:
            return self._away(request)
        return self._shell.page(
            request,
            "config/history.html",
            document=document,
            versions=versions_shown(notes),
            now=now,
            may=may_change(request, kind_of(document) if document else "", name_of(document)),
        )

    async def version(self, request: web.Request) -> web.Response:
        number = whole(request.match_info["version"]) or 0
        try:
            after = await self._center.version(number)
            before: Documents = await self._center.version(number - 1) if number > 1 else {}
        except NoSuchVersion:
            raise web.HTTPNotFound(text="There is no such version.\n") from None
        except StoreAway:
            return self._away(request)
        plan = Plan(number, before, after, difference(before, after))
        return self._shell.page(request, "config/version.html", version=number, changes=what_changes(plan))

    async def back(self, request: web.Request) -> web.Response:
        """All documents, or one, as in a version: the difference first."""
        sent = await _sent(request)
        number, document = _one(sent, "version"), _one(sent, "document")
        try:
            plan = await self._center.plan_back(whole(number) or 0, document)
        except (NoSuchVersion, Faulty) as error:
            return self._shell.page(request, "config/refused.html", status=422, why=str(error))
        except StoreAway:
            return self._away(request)
        for change in plan.changes:
            require(request, Right.CHANGE_CONFIG, object_of(change.key, plan.before))
        reason = self._shell_words(request, "config.back_reason", n=number)
        changes = {change.key: change.after for change in plan.changes}
        return self._review(request, plan, changes, {}, reason=reason, source="rollback")

    # --- helpers --------------------------------------------------------------------------------

    def _form(self, request: web.Request) -> FormShape:
        form = self._forms.get(request.match_info["kind"])
        if form is None:
            raise web.HTTPNotFound(text="There is no such kind of document.\n")
        return form

    def _away(self, request: web.Request) -> web.Response:
        return self._shell.page(request, "message.html", status=503, title="shell.away_title", message="config.away")

    @staticmethod
    def _shell_words(request: web.Request, key: str, **values: object) -> str:
        return words_for(request)(key, **values)


def _key(form: FormShape, name: str) -> str:
    return form.kind if form.one else f"{form.kind}/{name}"


def _key_of(form: FormShape, name: str, body: Body) -> str:
    """The key that the document has by what it says itself."""
    if form.one or not form.named_by:
        return _key(form, name)
    said = str(body.get(form.named_by, "")) or name
    return _key(form, f"{said}.{body['language']}" if form.kind == "prompt" and body.get("language") else said)


async def _sent(request: web.Request) -> Sent:
    posted = await form_of(request)
    found: dict[str, list[str]] = {}
    for key, value in posted.items():
        if isinstance(value, str):
            found.setdefault(key, []).append(value)
    return found


def _one(sent: Sent, name: str) -> str:
    values = sent.get(name, ())
    return values[-1] if values else ""


def _unpacked(packed: str) -> tuple[Mapping[str, Body | None], Mapping[str, int], int, str]:
    """What the page of the difference had packed; it is checked again as if somebody else had sent it."""
    try:
        read = json.loads(packed)
        changes = {str(key): body if body is None else dict(body) for key, body in read["changes"].items()}
        expected = {str(key): int(version) for key, version in read["expected"].items()}
        return changes, expected, int(read["base"]), "rollback" if read.get("source") == "rollback" else "page"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        raise web.HTTPBadRequest(text="The form was changed on its way.\n") from None
