"""The pages of prompts: all there are, how each sounds, and a recording in its place, uploaded or made in the browser."""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from aiohttp import web

from callcenter.adapters.web.access import BROKEN, CLOSE, Routes, require
from callcenter.adapters.web.config.objects import EVERYBODY
from callcenter.adapters.web.shell import Shell
from callcenter.domain.rights import Of, Right

LARGEST = 64 * 1024 * 1024
SHOWN = 300
RECEIVE_S = 60.0


class PromptRefused(Exception):
    """Nothing was changed; the sentence says why."""


class TooLarge(Exception):
    """More than ``LARGEST``."""


@dataclass(frozen=True, slots=True)
class PromptRow:
    """One prompt in one language."""

    prompt: str
    language: str
    origin: str
    """``added``, ``recorded``, ``tones`` or ``spoken``."""
    text: str


class Prompts(Protocol):
    """What the pages do with prompts."""

    async def rows(self) -> Sequence[PromptRow]:
        """Those of all languages, without the words that values are put together from."""

    async def sound(self, prompt: str, language: str) -> Path:
        """Its WAV file. Raises PromptRefused."""

    async def add(self, prompt: str, language: str, file: Path) -> float:
        """Let callers hear this WAV file in its place; return its length in seconds. Raises PromptRefused."""

    async def remove(self, prompt: str, language: str) -> None:
        """Take an added recording away. Raises PromptRefused."""


def _center(request: web.Request) -> Of:
    return EVERYBODY


class PromptPages:
    def __init__(self, shell: Shell, prompts: Prompts) -> None:
        self._shell = shell
        self._prompts = prompts

    def register(self, routes: Routes) -> None:
        see, record = Right.SEE_CONFIG, Right.RECORD_PROMPTS
        routes.add("GET", "/config/prompts", self.list_, needs=see)
        routes.add("GET", "/config/prompts/{language}/{prompt}", self.show, needs=see)
        routes.add("GET", "/config/prompts/{language}/{prompt}/sound.wav", self.sound, needs=see)
        routes.add("POST", "/config/prompts/{language}/{prompt}/sound", self.add, needs=record, of=_center)
        routes.add("POST", "/config/prompts/{language}/{prompt}/remove", self.remove, needs=record, of=_center)

    async def list_(self, request: web.Request) -> web.Response:
        wanted = request.query.get("find", "")[:100].casefold()
        rows = [row for row in await self._prompts.rows() if wanted in f"{row.prompt} {row.text} {row.language}".casefold()]
        return self._shell.page(request, "config/prompts.html", rows=rows[:SHOWN], more=max(0, len(rows) - SHOWN), find=wanted)

    async def _row(self, request: web.Request) -> PromptRow:
        prompt, language = request.match_info["prompt"], request.match_info["language"]
        found = next((row for row in await self._prompts.rows() if (row.prompt, row.language) == (prompt, language)), None)
        if found is None:
            raise web.HTTPNotFound(text="There is no such prompt.\n")
        return found

    async def show(self, request: web.Request) -> web.Response:
        row = await self._row(request)
        try:
            require(request, Right.RECORD_PROMPTS, EVERYBODY)
            may = True
        except Exception:  # she may look only
            may = False
        return self._shell.page(request, "config/prompt.html", row=row, may=may)

    async def sound(self, request: web.Request) -> web.StreamResponse:
        row = await self._row(request)
        try:
            file = await self._prompts.sound(row.prompt, row.language)
        except PromptRefused:
            raise web.HTTPNotFound(text="Nobody can make its sound here.\n") from None
        headers = {"Content-Type": "audio/wav", "Content-Disposition": f'attachment; filename="{row.prompt}.{row.language}.wav"'}
        return web.FileResponse(file, headers=headers)

    async def add(self, request: web.Request) -> web.Response:
        """The WAV file is the body; it is decoded in a child process that can open and reach nothing."""
        row = await self._row(request)
        with tempfile.TemporaryDirectory(prefix="callcenter-upload-") as folder:
            file = Path(folder) / "upload.wav"
            try:
                await _receive(request, file)
                seconds = await self._prompts.add(row.prompt, row.language, file)
            except TooLarge:
                return web.json_response({"error": f"it is larger than {LARGEST >> 20} MiB"}, status=413, headers=CLOSE)
            except BROKEN:
                return web.json_response({"error": "it did not arrive whole"}, status=400, headers=CLOSE)
            except PromptRefused as error:
                return web.json_response({"error": str(error)}, status=422)
            except TimeoutError:
                return web.json_response({"error": "it did not arrive in time"}, status=408, headers=CLOSE)
        return web.json_response({"seconds": round(seconds, 1)})

    async def remove(self, request: web.Request) -> web.Response:
        row = await self._row(request)
        try:
            await self._prompts.remove(row.prompt, row.language)
        except PromptRefused as error:
            return self._shell.page(request, "config/refused.html", status=422, why=str(error))
        return web.Response(status=303, headers={"Location": f"/config/prompts/{row.language}/{row.prompt}"})


async def _receive(request: web.Request, file: Path) -> None:
    """Raises TooLarge, TimeoutError, or one of ``BROKEN``."""
    if (request.content_length or 0) > LARGEST:
        raise TooLarge
    size = 0
    async with asyncio.timeout(RECEIVE_S):
        with file.open("wb") as kept:
            async for chunk in request.content.iter_chunked(1 << 16):
                size += len(chunk)
                if size > LARGEST:
                    raise TooLarge
                kept.write(chunk)
