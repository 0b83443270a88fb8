"""Takes the pictures of every page, light and dark, wide and narrow: ``make screenshots`` (``python -m tests.browser.pictures.take``).

They are written to docs/screenshots/, and docs/screenshots.md shows them all. Names of views may be given: then only those are taken.
"""

import asyncio
import shutil
import sys
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.async_api import Error, FloatRect, Page, async_playwright

from tests.browser.conftest import QUIET
from tests.browser.pictures.scene import scene
from tests.browser.pictures.softphone import SHIFT, shift_views
from tests.browser.pictures.views import NARROW, VIEWS, WIDE, Tour, View, looks
from tests.support import postgres

ROOT = Path(__file__).parents[3]
FOLDER, INDEX = ROOT / "docs" / "screenshots", ROOT / "docs" / "screenshots.md"
LOOKS = (("light", "wide", WIDE), ("dark", "wide", WIDE), ("light", "narrow", NARROW), ("dark", "narrow", NARROW))
PALETTE = Path(__file__).with_name("palette.js")
LONGEST = 2400
"""Pixels of a page's height that are shown."""
HEAD = """# Every page

Taken by `make screenshots` from a center in the middle of a busy day (`tests/browser/pictures`): wide and narrow, light and dark. What the
pages are for is told in [agents](agents.md), [supervisors](supervisors.md), [people](people.md), [configuration](configuration.md),
[flows](flows.md) and [prompts](prompts.md).
"""


def file_of(view: View, scheme: str, width: str) -> str:
    return f"{view.name}-{width}-{scheme}.png"


def files() -> Iterator[str]:
    """The names of all pictures."""
    for view in (*VIEWS, *SHIFT):
        for scheme, width, _ in LOOKS:
            yield file_of(view, scheme, width)


def index() -> str:
    """docs/screenshots.md."""
    lines = [HEAD]
    for title, views in (*_by_page(), ("`/agent`, the phone in the browser", SHIFT)):
        lines += [f"## {title}", ""]
        for view in views:
            shown = " ".join(_shown(view, scheme, width) for scheme, width, _ in LOOKS)
            lines += [f"{view.title}:", "", shown, ""]
    return "\n".join(lines)


def _by_page() -> Iterator[tuple[str, Iterable[View]]]:
    for route, views in groupby(VIEWS, lambda view: view.route):
        yield f"`{route}`" if route else "Other addresses", views


def _shown(view: View, scheme: str, width: str) -> str:
    file = f"screenshots/{file_of(view, scheme, width)}"
    return f'<a href="{file}"><img src="{file}" alt="{view.title}, {width}, {scheme}" width="{340 if width == "wide" else 100}"></a>'


async def take(views: Sequence[View], folder: Path) -> None:
    """All pictures of these views. Raises SystemExit when a page complained."""
    program = shutil.which("chromium")
    if program is None:
        raise SystemExit("Chromium is missing: scripts/setup.sh --tests installs it")
    with TemporaryDirectory(prefix="callcenter-pictures-") as place, postgres.server(**postgres.FAST) as server:
        postgres.prepare_template(server)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=program, args=QUIET)
            album = Album(folder, await browser.new_page())
            with postgres.database(server) as database:
                async with scene(Path(place), database) as center:
                    complaints = await _of_the_scene([view for view in views if view in VIEWS], Tour(browser, center), album)
            if any(view in SHIFT for view in views):
                with postgres.database(server) as database:
                    async for view, page in shift_views(Path(place), database):
                        await album.keep(view, page)
            await browser.close()
    if complaints:
        raise SystemExit("\n".join(complaints))


async def _of_the_scene(views: Sequence[View], tour: Tour, album: "Album") -> list[str]:
    """What pages had to say against themselves."""
    for view in views:
        try:
            async with tour.at(view) as page:
                await album.keep(view, page)
        except (AssertionError, Error) as error:
            tour.complaints.append(f"{view.name}: {error}")
    return tour.complaints


@dataclass
class Album:
    """Where pictures go."""

    folder: Path
    page: Page
    """A blank one, in which they are made smaller."""

    async def keep(self, view: View, page: Page) -> None:
        """The page in all its looks."""
        print(view.name, flush=True)
        for scheme, width, size in LOOKS:
            await looks(page, scheme, size)
            await page.mouse.move(0, 0)
            reduced = await self.page.evaluate(PALETTE.read_text(encoding="utf-8"), b64encode(await _picture(page, size)).decode())
            (self.folder / file_of(view, scheme, width)).write_bytes(b64decode(reduced))


async def _picture(page: Page, size: tuple[int, int]) -> bytes:
    """Of a dialog and of a full screen as it is in its window, of other pages as long as they are."""
    if await page.locator("dialog[open], .full").count():
        return await page.screenshot(animations="disabled", caret="hide")
    height = min(LONGEST, int(await page.evaluate("document.documentElement.scrollHeight")))
    clip: FloatRect = {"x": 0, "y": 0, "width": size[0], "height": height}
    return await page.screenshot(full_page=True, clip=clip, animations="disabled", caret="hide")


def main(names: Collection[str]) -> None:
    wanted = [view for view in (*VIEWS, *SHIFT) if not names or view.name in names]
    FOLDER.mkdir(exist_ok=True)
    if not names:
        for old in FOLDER.glob("*.png"):
            old.unlink()
    asyncio.run(take(wanted, FOLDER))
    INDEX.write_text(index(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
