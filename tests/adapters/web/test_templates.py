"""What every template keeps to: no inline script or style, headers of tables with their scope, regions that scroll reached by keyboard."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from callcenter.adapters.web.shell import HERE

TEMPLATES = sorted((HERE / "templates").rglob("*.html"))
Element = tuple[str, dict[str, str | None]]


class Elements(HTMLParser):
    """All of them, with the template's own language left out."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[Element] = []
        self.feed(re.sub(r"{%.*?%}|{#.*?#}", " ", re.sub(r"{{.*?}}", "x", text, flags=re.DOTALL), flags=re.DOTALL))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda file: str(file.relative_to(HERE / "templates")))
def test_it_keeps_to_the_content_security_policy_and_speaks_to_screen_readers(template: Path) -> None:
    elements = Elements(template.read_text(encoding="utf-8")).found
    assert not [tag for tag, _ in elements if tag == "style"]
    assert not [given for tag, given in elements if tag == "script" and not given.get("src")]
    assert not [given for _, given in elements if any(name == "style" or name.startswith("on") for name in given)]
    assert not [given for tag, given in elements if tag == "th" and not given.get("scope")]
    regions = [given for _, given in elements if "scroll" in (given.get("class") or "").split()]
    assert not [given for given in regions if given.get("tabindex") != "0" or not ({"aria-label", "aria-labelledby"} & set(given))]
