"""A page that is watched: whatever a hostile text brings about in the browser is noted, and so is what it does to the page's shape."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from playwright.async_api import BrowserContext, ConsoleMessage, Dialog, Error, Page, Request, Response

from tests.support.hostile_texts import seen_signs

LEAST_SIGNS = 4
"""Texts with fewer signs that a screen must show are not looked for in it."""
_ELEMENTS = (
    "html head meta title link script body a header nav main footer section article aside h1 h2 h3 p ul ol li dl dt dd table caption thead",
    "tbody tr th td form label input select option optgroup textarea button fieldset legend span div bdi time abbr code pre strong details",
    "summary dialog meter progress datalist img audio canvas output figure figcaption kbd",
)
ELEMENTS = [name for names in _ELEMENTS for name in names.split()]
"""All that pages of ours are made of."""
_WATCH = """
addEventListener("securitypolicyviolation", (event) => __violated(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
_LOOK = """([needles, elements]) => {
  const found = [], known = new Set(elements), page = document.documentElement;
  const drawn = page.localName === "svg";
  const active = ["script", "foreignObject", "iframe", "a", "use", "animate", "set"];
  for (const one of document.querySelectorAll("*")) {
    if (!drawn && !known.has(one.localName)) found.push(`an element <${one.localName}>`);
    if (drawn && active.includes(one.localName)) found.push(`<${one.localName}> in a picture`);
    if (one.localName === "script" && !drawn && !one.src) found.push("a script within the page");
    if (one.localName === "meta" && one.httpEquiv) found.push(`<meta http-equiv=${one.httpEquiv}>`);
    for (const { name, value } of one.attributes) {
      if (/^on/i.test(name)) found.push(`an attribute ${name}`);
      if (!["href", "src", "action", "formaction", "xlink:href", "data", "poster", "srcset"].includes(name.toLowerCase())) continue;
      const url = new URL(value, document.baseURI);
      if (url.origin !== location.origin || !/^https?:$/.test(url.protocol)) found.push(`${one.localName} leads to ${value.slice(0, 80)}`);
    }
  }
  const wide = page.scrollWidth - page.clientWidth;
  const beyond = (one) => !one.closest(".scroll") && one.getBoundingClientRect().right > page.clientWidth + 1;
  const named = (one) => `${one.localName}#${one.id}.${one.className} ${one.textContent.slice(0, 12)}`;
  if (!drawn && wide > 0) {
    const out = [...document.querySelectorAll("body *")].filter(beyond).slice(-3).map(named);
    found.push(`the page is ${wide} pixels wider than its window: ${out.join(", ")}`);
  }
  if (!drawn && document.querySelectorAll("h1").length > 1) found.push("a second heading of the page");
  const squeeze = (text) => text.replace(/[^!-~]/g, "");
  const fields = [...document.querySelectorAll("input, textarea, select")].map((one) => one.value);
  const options = [...document.querySelectorAll("option, datalist option")].map((one) => one.value);
  const told = [page.textContent, ...fields, ...options].map(squeeze).join(" ");
  const missing = needles.filter((needle) => !told.includes(needle));
  return [found, missing];
}"""


@dataclass
class Watched:
    """One window and all it complained about."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    @classmethod
    async def make(cls, context: BrowserContext, address: str) -> "Watched":
        watched = cls(await context.new_page(), address)
        page = watched.page
        await page.expose_function("__hit", lambda *said: watched._complain(f"a script ran: {said}"))
        await page.expose_function("__violated", lambda said: watched._complain(f"against the content security policy: {said}"))
        await page.add_init_script(_WATCH)
        page.on("console", watched._console)
        page.on("pageerror", watched._error)
        page.on("dialog", watched._dialog)
        page.on("request", watched._request)
        page.on("response", watched._response)
        page.on("popup", lambda opened: watched._complain(f"a window opened: {opened.url}"))
        page.on("download", lambda download: watched._complain(f"a download: {download.url}"))
        return watched

    def _complain(self, what: str) -> None:
        self.complaints.append(f"{self.page.url[:120]}: {what[:300]}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "responded with a status of 4" not in message.text:
            self._complain(f"{message.type}: {message.text}")

    def _error(self, error: Error) -> None:
        self._complain(f"uncaught: {error}")

    async def _dialog(self, dialog: Dialog) -> None:
        self._complain(f"dialog: {dialog.message}")
        await dialog.dismiss()

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.address, "blob:", "about:")):
            self._complain(f"asks elsewhere: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 500 or (response.status >= 400 and response.request.resource_type not in ("document", "fetch")):
            self._complain(f"{response.status} from {response.url}")

    async def shows(self, hostile: Sequence[str] = ()) -> None:
        """The page has kept its shape, and shows these texts as texts. What is wrong is among the complaints."""
        found, missing = await self.page.evaluate(_LOOK, [needles(hostile), ELEMENTS])
        for what in dict.fromkeys(found):
            self._complain(what)
        if missing:
            self._complain(f"{len(missing)} texts are not shown: {json.dumps(missing[:5])}")

    async def shows_soon(self, hostile: Sequence[str]) -> None:
        """The same, once they are there: they come by script."""
        script = f"async (given) => ({_LOOK})(given)[1].length === 0"
        await self.page.wait_for_function(script, arg=[needles(hostile), ELEMENTS], timeout=60_000)
        await self.shows()


def needles(hostile: Sequence[str]) -> list[str]:
    return sorted({signs for each in hostile if len(signs := seen_signs(each)) >= LEAST_SIGNS})
