"""Where a center of hostile texts is looked at: the addresses of all its pages, what is to be seen there, and its forms."""

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from playwright.async_api import Page

from callcenter.adapters.web.access import Rule
from callcenter.apps import rights_page
from callcenter.runtime.document_kinds import KINDS
from tests.browser.hostile_center import HostileCenter, plain
from tests.browser.watched import Watched
from tests.support.hostile_texts import ALL

WITHOUT_PAGES = frozenset({"/sip/{node}", "/console/socket"})
STREAMS = frozenset({"/wallboard/events"})
"""Events, which pages of ours show; as a page they would never end."""
PAGES = frozenset({"text/html", "image/svg+xml"})
SAFE = frozenset(
    {
        "",
        "application/json",
        "application/problem+json",
        "application/openapi+json",
        "text/plain",
        "text/javascript",
        "text/css",
        "text/csv",
        "audio/wav",
        "audio/x-wav",
    }
)
"""What no browser takes for a page."""
NAMED: Mapping[str, str] = {"/people/{name}/edit": "h{n}", "/config/edit/{kind}/{name}": "hostile-{n}.en"}
"""``{name}`` means something else on each page."""
REFLECTED = (
    "/config/prompts?find={}",
    "/config/history?document={}",
    "/audit?person={}&what={}",
    "/config/flows/main?version={}",
    "/alerts?done={}",
    "/config?saved={}&later={}",
    "/sign-in?next={}",
    "/{}",
    "/people/{}/edit",
    "/config/edit/queue/{}",
    "/config/flows/{}",
    "/config/prompts/en/{}",
    "/trends?queue={}",
)
"""What is asked for is said again, or is not found: with hostile words in the address."""
FORMS = (
    "/people/new",
    "/people/h0/edit",
    "/account",
    "/alerts",
    "/config/flows/main",
    *(f"/config/new/{kind}" for kind in KINDS if kind not in ("flow", "payments")),
)
"""All into which words are written; that of payments has none."""


def pages() -> Iterator[Rule]:
    """Whatever can be opened, of the routing table."""
    return (rule for rule in rights_page.routes().rules if rule.method == "GET" and rule.path not in WITHOUT_PAGES | STREAMS)


def values(center: HostileCenter) -> Mapping[str, Sequence[str]]:
    """What the parts of addresses may be; where objects are hostile themselves, each of them."""
    every = range(len(center.texts) if center.texts is ALL else 2)
    return {
        "kind": [kind for kind in KINDS if kind != "flow"] if center.texts is ALL else ["caller_list", "script", "center"],
        "flow": ["main"],
        "language": ["en"],
        "prompt": [f"hostile-{n}" for n in every],
        "version": ["1", "0"],
        "agent": ["alice"],
        "queue": ["support"],
        "calendar": ["office"],
        "callback": [f"b{n}" for n in every],
        "call": [f"h{n}" for n in every],
        "contact": [f"h{n}-contact" for n in every],
        "list": ["vip"],
        "message": [f"m{n}" for n in every],
        "recording": ["h0-recording"],
        "webhook": [f"w{n}" for n in every],
        "area": ["agent"],
        "file": ["agent/console.js"],
        "secret": ["x"],
    }


def addresses(rule: Rule, center: HostileCenter) -> Iterator[str]:
    """Where this route leads, filled in with all there is of each kind."""
    path = rights_page.shown(rule)
    if path in NAMED:
        for n in range(len(center.texts) if center.texts is ALL else 4):
            yield path.replace("{kind}", "prompt").replace("{name}", NAMED[path].replace("{n}", str(n)))
        return
    found = [path]
    for part in re.findall(r"\{(\w+)\}", path):
        assert part in values(center), f"{rule.path}: say in 'values' what {{{part}}} may be, so that this page is looked at, too"
        found = [each.replace(f"{{{part}}}", value) for each in found for value in values(center)[part]]
    yield from found


def expected(address: str, center: HostileCenter) -> Sequence[str]:
    """The texts that have to be seen there."""
    texts = center.texts
    found = re.fullmatch(r"/people/h(\d+)/edit|/config/(?:edit/prompt|prompts/en)/hostile-(\d+)(?:\.en)?", address)
    if found:
        place = int(found[1] or found[2])
        return [texts[place] if found[1] else plain(texts[place])]
    if address in ("/people", "/account"):
        return texts
    if address == "/alerts":
        return texts[:200]
    if address == "/audit":
        return texts[-90:]
    if address == "/config/edit/caller_list/vip":
        return [plain(each) for each in texts]
    return ()


@dataclass(frozen=True, slots=True)
class Found:
    """What a browser that asks for a page is given."""

    kind: str
    """Its media type; empty: nothing is there, or it is elsewhere."""
    body: bytes


async def ask(watched: Watched, address: str, *, as_page: bool = True) -> Found:
    """As the browser's own request, without looking at it."""
    headers = {"Accept": "text/html,application/xhtml+xml,*/*"} if as_page else {}
    answer = await watched.page.context.request.get(f"{watched.address}{address}", headers=headers, max_redirects=0 if not as_page else 5)
    assert answer.status < 500, f"{address}: {answer.status} {await answer.text()}"
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if answer.status == 400 and kind == "text/plain" and "server" in answer.headers:
        return Found(kind, b"")  # more than a request may be: no page of ours was asked
    assert answer.headers["x-content-type-options"] == "nosniff", address
    return Found(kind, await answer.body() if as_page else b"") if answer.ok or as_page else Found("", b"")


_FORMS = """
  const written = "input:not([type]), input[type=text], input[type=number], textarea";
  const forms = [...document.querySelectorAll("main form[method=post]")].filter((form) => form.querySelector(written));
  const never = ["hidden", "checkbox", "radio", "submit", "password"];
  const fields = (form) => [...form.querySelectorAll("input, textarea")].filter((one) => !never.includes(one.type));
"""
_SEEN = f"() => {{ {_FORMS} return forms.map((form) => [form.action, fields(form).length]); }}"
_FILL = f"""([which, texts]) => {{ {_FORMS}
  fields(forms[which]).forEach((one, place) => {{
    one.removeAttribute("maxlength");
    if (one.type === "number") one.type = "text";
    one.value = texts[place] ?? "-";
  }});
  forms[which].noValidate = true;
  forms[which].requestSubmit();
}}"""
MOST = 40_000
"""Bytes of one form, beyond which it would be refused unread."""


async def forms_of(page: Page) -> list[tuple[str, int]]:
    """Where those forms of the page are sent that words are written into, and how many fields each has for them."""
    return [(action, fields) for action, fields in await page.evaluate(_SEEN)]


async def send(page: Page, which: int, todo: deque[str], fields: int) -> None:
    """Fill this form, each of its fields with another text as long as they fit, and wait until the answer is on the screen."""
    texts: list[str] = []
    while todo and len(texts) < fields and (not texts or sum(len(quote(each)) for each in (*texts, todo[0])) < MOST):
        texts.append(todo.popleft())
    async with page.expect_navigation():
        await page.evaluate(_FILL, [which, texts])
