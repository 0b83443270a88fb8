"""What the pages say is the case."""

import re
from pathlib import Path

import pytest

from callcenter.apps import diagrams

ROOT = Path(__file__).parent.parent


def test_state_diagrams_are_current() -> None:
    assert (ROOT / diagrams.PAGE).read_text(encoding="utf-8") == diagrams.page(), "run: python -m callcenter.apps.diagrams"


@pytest.mark.parametrize("page", ["README.md", *(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))])
def test_files_that_pages_name_exist(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|md|toml|j2|conf|sql))`", text))
    missing = [name for name in named if not (ROOT / name).exists() and not (ROOT / "callcenter" / name).exists()]
    assert not missing


def test_every_link_between_pages_leads_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        for target in re.findall(r"\]\(([^)#:]+)\)", prose):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
