"""The pages of flows: which version callers get, what it looks like, publishing another one, a canary, and back."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from aiohttp import web

from callcenter.adapters.web.access import Routes, form_of, signed
from callcenter.adapters.web.config.objects import EVERYBODY
from callcenter.adapters.web.numbers import whole
from callcenter.adapters.web.shell import Shell, words_for
from callcenter.domain.rights import Of, Right

LONGEST_FLOW = 1024 * 1024


class FlowRefused(Exception):
    """Nothing was changed; ``faults`` are sentences with their places."""

    def __init__(self, sentence: str, faults: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.faults = faults


class Flows(Protocol):
    """What the pages do with flows."""

    async def overview(self) -> Sequence[Mapping[str, Any]]:
        """All flows: ``flow, title, version, canary, share, callers, nodes``."""

    async def history(self, flow: str) -> Mapping[str, Any]:
        """``versions`` and ``actions``, the newest first."""

    async def picture(self, flow: str, version: int) -> str:
        """As SVG; version 0: the one of the files. Raises FlowRefused."""

    async def text(self, flow: str, version: int) -> str:
        """The document as it is written. Raises FlowRefused."""

    async def publish(self, text: str, share: float, author: str, note: str) -> str:
        """Publish a document; return its flow. Raises FlowRefused."""

    async def publish_version(self, flow: str, version: int, share: float, author: str, note: str) -> None:
        """One that was published before; with a share, as a canary. Raises FlowRefused."""

    async def rollback(self, flow: str, author: str, note: str) -> None:
        """To what was in use before. Raises FlowRefused."""


def _center(request: web.Request) -> Of:
    return EVERYBODY


class FlowPages:
    def __init__(self, shell: Shell, flows: Flows) -> None:
        self._shell = shell
        self._flows = flows

    def register(self, routes: Routes) -> None:
        see, change = Right.SEE_CONFIG, Right.CHANGE_CONFIG
        routes.add("GET", "/config/flows", self.list_, needs=see)
        routes.add("GET", "/config/flows/{flow}", self.show, needs=see)
        routes.add("GET", "/config/flows/{flow}/{version}.svg", self.picture, needs=see)
        routes.add("POST", "/config/flows/publish", self.publish, needs=change, of=_center)
        routes.add("POST", "/config/flows/{flow}/use", self.use, needs=change, of=_center)
        routes.add("POST", "/config/flows/{flow}/back", self.back, needs=change, of=_center)

    async def list_(self, request: web.Request) -> web.Response:
        return self._shell.page(request, "config/flows.html", flows=await self._flows.overview())

    async def show(self, request: web.Request) -> web.Response:
        flow = request.match_info["flow"]
        row = next((each for each in await self._flows.overview() if each["flow"] == flow), None)
        if row is None:
            raise web.HTTPNotFound(text="There is no such flow.\n")
        return await self._show(request, row)

    async def _show(
        self,
        request: web.Request,
        row: Mapping[str, Any],
        *,
        status: int = 200,
        why: str = "",
        faults: Sequence[str] = (),
        text: str | None = None,
    ) -> web.Response:
        flow, asked = str(row["flow"]), request.query.get("version", "")
        version = _version(asked, int(row["version"]))
        try:
            written = await self._flows.text(flow, version)
        except FlowRefused:
            written = ""
        history = await self._flows.history(flow)
        return self._shell.page(
            request,
            "config/flow.html",
            status=status,
            row=row,
            shown=version,
            history=history,
            written=written if text is None else text,
            why=why,
            faults=faults,
        )

    async def picture(self, request: web.Request) -> web.Response:
        version = request.match_info["version"]
        try:
            svg = await self._flows.picture(request.match_info["flow"], _version(version, -1))
        except FlowRefused:
            raise web.HTTPNotFound(text="There is no such flow.\n") from None
        return web.Response(text=svg, content_type="image/svg+xml", headers={"Cache-Control": "no-cache"})

    async def publish(self, request: web.Request) -> web.Response:
        sent = await form_of(request)
        text, note, share = str(sent.get("text", "")), str(sent.get("note", "")).strip()[:500], _share(str(sent.get("share", "")))
        flow = str(sent.get("flow", ""))
        try:
            if not note:
                raise FlowRefused(words_for(request)("config.reason_missing"))
            flow = await self._flows.publish(text.replace("\r\n", "\n"), share, signed(request).person, note)
        except FlowRefused as error:
            row = next((each for each in await self._flows.overview() if each["flow"] == flow), None)
            if row is None:
                faults = "; ".join(error.faults)
                return self._shell.page(request, "config/refused.html", status=422, why=f"{error} {faults}".strip())
            return await self._show(request, row, status=422, why=str(error), faults=error.faults, text=text)
        return _on_to(flow)

    async def use(self, request: web.Request) -> web.Response:
        """A version that was published before, for all callers or for a share of them."""
        sent, flow = await form_of(request), request.match_info["flow"]
        version, share = str(sent.get("version", "")), _share(str(sent.get("share", "")))
        note = str(sent.get("note", "")).strip()[:500] or f"{datetime.now(UTC):%Y-%m-%d %H:%M}"
        try:
            await self._flows.publish_version(flow, _version(version, 0), share, signed(request).person, note)
        except FlowRefused as error:
            return self._shell.page(request, "config/refused.html", status=422, why=" ".join((str(error), *error.faults)))
        return _on_to(flow)

    async def back(self, request: web.Request) -> web.Response:
        sent, flow = await form_of(request), request.match_info["flow"]
        try:
            await self._flows.rollback(flow, signed(request).person, str(sent.get("note", "")).strip()[:500])
        except FlowRefused as error:
            return self._shell.page(request, "config/refused.html", status=422, why=" ".join((str(error), *error.faults)))
        return _on_to(flow)


def _version(text: str, otherwise: int) -> int:
    found = whole(text)
    return otherwise if found is None else found


def _share(text: str) -> float:
    """Per cent, as people write it; 0: all callers."""
    try:
        share = float(text or 0) / 100
    except ValueError:
        return 0.0
    return share if 0 < share < 1 else 0.0


def _on_to(flow: str) -> web.Response:
    return web.Response(status=303, headers={"Location": f"/config/flows/{flow}"})
