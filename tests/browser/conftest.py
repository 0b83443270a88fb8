"""A real browser, and a center to look at: the web process and PostgreSQL as in production, and an engine in which nothing happens."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from callcenter.runtime.postgres import EmbeddedPostgres
from tests.adapters.db.conftest import postgres_server
from tests.browser.center import Center, Screen
from tests.support import postgres

__all__ = ["postgres_server"]

QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Nothing but the page we open, and nothing to anybody outside."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium with a profile folder of its own, new and empty."""
    program = shutil.which("chromium")
    if program is None:
        pytest.fail("Chromium is missing: run 'make test' (or 'scripts/setup.sh --tests'), which installs Debian's package chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=QUIET)
        yield browser
        await browser.close()


@pytest.fixture(scope="module")
def database(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    with postgres.database(postgres_server) as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def center(tmp_path_factory: pytest.TempPathFactory, database: str) -> AsyncIterator[Center]:
    async with Center(tmp_path_factory.mktemp("center"), database) as center:
        yield center


@pytest_asyncio.fixture(loop_scope="module")
async def screen(browser: Browser, center: Center, tmp_path: Path) -> AsyncIterator[Screen]:
    """A browser that has never been here, before it opens the page."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    yield await Screen.make(context, center.address, tmp_path)
    await context.close()
