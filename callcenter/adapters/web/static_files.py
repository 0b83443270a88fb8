"""Scripts, styles and pictures of ours: what is in ``static/`` and of a kind we know, and nothing else."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from callcenter.adapters.web.access import PUBLIC, Routes
from callcenter.adapters.web.words.catalogue import LANGUAGES, areas, words

FOLDER = Path(__file__).parent / "static"
KINDS = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
    ".wav": "audio/wav",
    ".ogg": "audio/ogg",
    ".woff2": "font/woff2",
    ".txt": "text/plain",
}


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    kind: str
    tag: str


class StaticFiles:
    """``/static/<path>``, and the words of scripts: ``/words/<language>/<area>.json``. Browsers ask each time whether it still holds."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = {
            file.relative_to(folder).as_posix(): _file(file.read_bytes(), KINDS[file.suffix])
            for file in sorted(folder.rglob("*"))
            if file.is_file() and file.suffix in KINDS
        }

    def register(self, routes: Routes) -> None:
        routes.add("GET", "/static/{file:.+}", self.file, needs=PUBLIC)
        routes.add("GET", "/words/{language}/{area}.json", self.words, needs=PUBLIC)

    async def file(self, request: web.Request) -> web.Response:
        found = self._files.get(request.match_info["file"])
        if found is None:
            raise web.HTTPNotFound(text="There is nothing at this address.\n")
        headers = {"ETag": f'"{found.tag}"', "Cache-Control": "no-cache"}
        if f'"{found.tag}"' in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        text = found.kind.startswith("text/")
        return web.Response(body=found.body, content_type=found.kind, charset="utf-8" if text else None, headers=headers)

    async def words(self, request: web.Request) -> web.Response:
        language, area = request.match_info["language"], request.match_info["area"]
        if language not in LANGUAGES or area not in areas():
            raise web.HTTPNotFound(text="There are no such words.\n")
        return web.json_response(dict(words(language).area(area)), headers={"Cache-Control": "no-cache"})


def _file(body: bytes, kind: str) -> _File:
    return _File(body, kind, hashlib.sha256(body).hexdigest()[:32])
