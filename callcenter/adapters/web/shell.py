"""The shell of every page: center's name, menu by rights, language and direction, light or dark; and how we say no."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from callcenter.adapters.web.access import Routes, form_token_of, signed_if_any
from callcenter.adapters.web.api.problems import is_api, refusal
from callcenter.adapters.web.words import browser, date, shown
from callcenter.adapters.web.words.catalogue import Words, wished, words

HERE = Path(__file__).parent
PROBLEM = "application/problem+json"
BEGINNING = "/"
TITLES: Mapping[int, str] = {
    401: "sign_in.title",
    404: "shell.not_found_title",
    405: "shell.not_found_title",
    415: "shell.packed_title",
    503: "shell.away_title",
}
"""Keys of the catalogue of words."""


class Shell:
    """Renders templates that extend ``shell.html``. In them: ``t`` the words, ``who`` the signed or none, ``form_token``, ``center``."""

    def __init__(self, center: str, routes: Routes) -> None:
        self._center = center
        self._routes = routes
        self.templates = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self.templates.filters["shown"] = shown
        self.templates.filters["browser"] = browser
        self.templates.filters["moment"] = lambda at, zone: date(at.isoformat(), zone)

    def page(self, request: web.Request, template: str, *, status: int = 200, **values: object) -> web.Response:
        """The template, filled in and in her language."""
        who, t = signed_if_any(request), words_for(request)
        text = self.templates.get_template(template).render(
            t=t,
            who=who,
            center=self._center,
            path=request.path,
            theme=who.theme if who else "",
            form_token=form_token_of(request),
            menu=list(self._routes.menu(who)) if who else [],
            **values,
        )
        return web.Response(text=text, status=status, content_type="text/html")

    async def refuse(self, request: web.Request, status: int, why: str) -> web.StreamResponse:
        """No: who looks for a page is led to the sign-in or told by a page, a program by a problem document (RFC 9457)."""
        if is_api(request):
            return refusal(request, status, words("en")(why)).response()
        if wants_page(request):
            if status == 401:
                asked = request.path_qs if request.method == "GET" else BEGINNING
                raise web.HTTPSeeOther(f"/sign-in?next={quote(asked, safe='')}")
            return self.page(request, "message.html", status=status, title=title_of(status), message=why)
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
        problem = {"type": "about:blank", "title": words("en")(title_of(status)), "status": status, "detail": words("en")(why)}
        return web.json_response(problem, status=status, content_type=PROBLEM, headers=headers)


def title_of(status: int) -> str:
    """A key of the catalogue of words."""
    return {
        401: "sign_in.title",
        415: "shell.packed_title",
        404: "shell.not_found_title",
        405: "shell.not_found_title",
        503: "shell.away_title",
    }.get(status, "shell.forbidden_title")


def words_for(request: web.Request) -> Words:
    """In the language she has chosen, else in the one that her browser wishes."""
    who = signed_if_any(request)
    return words(who.language if who and who.language else wished(request.headers.get("Accept-Language", "")))


def wants_page(request: web.Request) -> bool:
    """Whether a person waits for the answer in a browser's window."""
    return "text/html" in request.headers.get("Accept", "") and not request.path.startswith("/api/")


def local_path(text: str) -> str:
    """An address of ours to go on to; the beginning when it leads elsewhere, or is none."""
    harmless = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isascii() and text.isprintable() and "\\" not in text
    return text if harmless and len(text) <= 500 and not text.startswith(("/sign-in", "/sign-out")) else BEGINNING
