"""Every page in a real browser, light and dark: axe-core finds nothing serious, nothing sticks out, nothing complains."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.browser.axe import axe
from tests.browser.pictures.scene import Scene, scene
from tests.browser.pictures.views import NARROW, VIEWS, WIDE, Tour, looks

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def center(tmp_path_factory: pytest.TempPathFactory, database: str) -> AsyncIterator[Scene]:
    async with scene(tmp_path_factory.mktemp("scene"), database) as center:
        yield center


@pytest_asyncio.fixture(loop_scope="module")
async def tour(browser: Browser, center: Scene) -> Tour:
    return Tour(browser, center)


async def sticks_out(page: Page) -> list[str]:
    """What makes the page scroll sideways; tables scroll within their own region."""
    found = await page.evaluate(
        """() => document.documentElement.scrollWidth <= document.documentElement.clientWidth ? [] :
            [...document.querySelectorAll("body *")].filter((one) => {
                const box = one.getBoundingClientRect();
                return !one.closest(".scroll") && (box.right > document.documentElement.clientWidth + 1 || box.left < -1);
            }).map((one) => `${one.tagName} ${one.id} ${one.className}`).concat(["the page"])"""
    )
    return [str(one) for one in found]


async def test_axe_finds_nothing_serious_on_a_sample_of_pages(tour: Tour) -> None:
    wrong = []
    for view in VIEWS:
        if view.sample:
            async with tour.at(view) as page:
                for scheme, size in (("light", WIDE), ("dark", NARROW)):
                    await looks(page, scheme, size)
                    wrong += [f"{view.name}, {scheme}: {one}" for one in (*await axe(page), *await sticks_out(page))]
    assert wrong + tour.complaints == []


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_axe_finds_nothing_serious_on_any_page_light_and_dark_wide_and_narrow(tour: Tour) -> None:
    wrong = []
    for view in VIEWS:
        async with tour.at(view) as page:
            for scheme in ("light", "dark"):
                for size in (WIDE, NARROW):
                    await looks(page, scheme, size)
                    wrong += [f"{view.name}, {scheme}, {size[0]}: {one}" for one in (*await axe(page), *await sticks_out(page))]
    assert wrong + tour.complaints == []
