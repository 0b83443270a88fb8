"""Sign-in, my account, people and the audit trail in a real browser: by keyboard, in three languages, narrow and wide."""

import pytest
from playwright.async_api import Page, expect

from callcenter.apps.people import add_person
from callcenter.domain.rights import Role
from tests.browser.center import Center, Screen
from tests.support.people import PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="module")

expect.set_options(timeout=60_000)
PAGES = ("/account", "/people", "/people/new", "/people/ada/edit", "/audit")


async def as_admin(screen: Screen, center: Center, path: str = "/account") -> Page:
    await add_person(center.database, "ada", PASSWORD, [Role.ADMIN])
    return await screen.opens(path, "ada")


async def keeps_its_width(page: Page) -> bool:
    return bool(await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


async def test_somebody_signs_in_works_and_signs_out_by_keyboard_alone(screen: Screen) -> None:
    page = screen.page
    await page.goto(f"{screen.address}/account")
    await expect(page.locator("#name")).to_be_focused()
    await page.keyboard.type("sue")
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1, name="My account")).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main")).to_be_focused()
    await page.get_by_role("button", name="Sign out", exact=True).focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{screen.address}/sign-in")
    await page.go_back()
    await expect(page.locator("#password")).to_be_visible()
    assert screen.complaints == []


async def test_the_session_is_a_cookie_that_no_script_reads_and_no_log_holds(screen: Screen, center: Center) -> None:
    page = await screen.opens()
    (cookie,) = await page.context.cookies()
    assert (cookie.get("httpOnly"), cookie.get("sameSite"), cookie.get("path")) == (True, "Lax", "/")
    assert await page.evaluate("document.cookie") == ""
    assert not [line for line in center.log if str(cookie.get("value")) in line]


@pytest.mark.parametrize("width", [320, 1440])
async def test_pages_keep_their_width_in_every_language(screen: Screen, center: Center, width: int) -> None:
    await screen.page.set_viewport_size({"width": width, "height": 800})
    page = await as_admin(screen, center)
    for language, direction in (("es", "ltr"), ("ar", "rtl"), ("en", "ltr")):
        await page.goto(f"{screen.address}/account")
        await page.locator("#language").select_option(language)
        await page.locator("form[action='/account/preferences'] button").click()
        await expect(page.locator("html")).to_have_attribute("dir", direction)
        for path in PAGES:
            await page.goto(f"{screen.address}{path}")
            await expect(page.locator("html")).to_have_attribute("lang", language)
            assert await keeps_its_width(page), f"{path} in {language}"
    assert screen.complaints == []


async def test_an_admin_lets_somebody_in_and_is_told_what_is_wrong_where(screen: Screen, center: Center) -> None:
    page = await as_admin(screen, center, "/people")
    await page.get_by_role("link", name="Add somebody").click()
    await page.get_by_label("Sign-in name").fill("carol")
    await page.get_by_label("Password").fill("password1234")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_contain_text("Nothing was saved")
    assert await page.get_by_label("Password").get_attribute("aria-invalid") == "true"
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status").filter(has_text="Added.")).to_be_visible()
    await expect(page.get_by_role("row", name="carol")).to_be_visible()
    await page.goto(f"{screen.address}/audit")
    await expect(page.get_by_role("row").nth(1)).to_contain_text("person carol")


async def test_her_colours_win_over_the_systems(screen: Screen) -> None:
    await screen.page.emulate_media(color_scheme="light")
    page = await screen.opens("/account")
    await page.locator("#theme").select_option("dark")
    await page.locator("form[action='/account/preferences'] button").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await expect(page.locator("body")).to_have_css("background-color", "rgb(16, 19, 23)")
    await page.locator("#theme").select_option("")
    await page.locator("form[action='/account/preferences'] button").click()
    await expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
