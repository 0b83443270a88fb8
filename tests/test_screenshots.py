"""Every page has its pictures, and nothing else has: a page that is new needs a view in ``tests/browser/pictures/views.py``."""

from callcenter.apps import rights_page
from tests.browser.pictures.take import FOLDER, INDEX, files, index
from tests.browser.pictures.views import NO_PAGES, VIEWS, pages


def test_every_page_of_the_site_is_among_the_views() -> None:
    routes = rights_page.routes()
    assert {view.route for view in VIEWS if view.route} == set(pages(routes)), "a page without a view, or a view without a page"
    assert {rights_page.shown(rule) for rule in routes.rules if rule.method == "GET"} >= NO_PAGES, "no such routes any more"
    assert len({view.name for view in VIEWS}) == len(VIEWS)


def test_every_view_has_its_pictures() -> None:
    assert sorted(file.name for file in FOLDER.iterdir()) == sorted(files()), "run make screenshots, and look at them"
    assert INDEX.read_text(encoding="utf-8") == index(), "run make screenshots"
