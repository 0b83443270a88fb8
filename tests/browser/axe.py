"""What axe-core finds on a page: ``assert await axe(page) == []``.

The program is axe-core 4.14.1 (MPL-2.0), as npm has it (``dist`` unchanged), run beside the page's own scripts and not under its content
security policy.
"""

from pathlib import Path
from typing import Any

from playwright.async_api import Page

PROGRAM = Path(__file__).parent / "vendor" / "axe.min.js"
GRAVE = ("serious", "critical")
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


async def axe(page: Page, *, also: tuple[str, ...] = (), within: str = "") -> list[str]:
    """The serious and critical findings (and those of the impacts in ``also``), each a sentence that names rule and element.

    ``within`` is a CSS selector: only there.
    """
    if not await page.evaluate("typeof window.axe === 'object'"):
        await page.evaluate(PROGRAM.read_text(encoding="utf-8") + "\n;undefined")
    found: dict[str, Any] = await page.evaluate(
        "([within, tags]) => axe.run(within || document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] })",
        [within, list(RULES)],
    )
    return [
        f"{violation['impact']} {violation['id']}: {node['target']}: {violation['help']}"
        for violation in found["violations"]
        if violation["impact"] in (*GRAVE, *also)
        for node in violation["nodes"]
    ]
