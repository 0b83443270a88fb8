"""Who may open what, drawn from the routes themselves: ``python -m callcenter.apps.rights_page`` writes docs/rights.md."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

from callcenter.adapters.web.access import PUBLIC, Routes, Rule
from callcenter.apps.web import Database, put_together
from callcenter.domain.rights import RIGHTS, SEPARATE, Right, Role
from callcenter.runtime.settings import parse

PAGE = Path("docs/rights.md")
HEAD = """# Rights

Drawn from `callcenter/domain/rights.py` and from the routes of the web process by `python -m callcenter.apps.rights_page`; a test keeps it
current, and another asks for each route as each role. Denied unless there is a tick. A tick is a right within the person's scope; rights
to listen and to export (†) can also be granted to one person or withheld from one.
"""


def routes() -> Routes:
    """All routes that the web process has, of a center that has one of each."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "callcenter.toml"
        tables = {
            "center": {"time_zone": "UTC"},
            "paths": {"data": folder},
            "queue": [{"name": "support"}],
            "agent": [{"name": "alice", "queues": ["support"]}],
        }
        settings = parse(tables, file)
        return put_together(settings, file, Database(settings), AsyncExitStack()).routes


def page(of: Routes) -> str:
    return "\n".join([HEAD, *_rights(), "", *_routes(of), ""])


def _rights() -> Iterator[str]:
    yield "## What each role may\n"
    yield f"| Right | {' | '.join(Role)} |"
    yield f"|---|{'---|' * len(Role)}"
    for right in Right:
        ticks = " | ".join("✓" if right in RIGHTS[role] else "" for role in Role)
        yield f"| `{right}`{' †' if right in SEPARATE else ''} | {ticks} |"


def _routes(of: Routes) -> Iterator[str]:
    yield "## What each address needs\n"
    yield f"| Address | Needs | {' | '.join(Role)} | Checked before the handler |"
    yield f"|---|---|{'---|' * len(Role)}---|"
    for rule in sorted(of.rules, key=lambda rule: (rule.path, rule.method)):
        yield f"| `{rule.method} {shown(rule)}` | {line(rule)} |"


def shown(rule: Rule) -> str:
    """The path, its parts without their patterns."""
    return re.sub(r"\{(\w+)(?::(?:[^{}]|\{[^{}]*\})*)?\}", r"{\1}", rule.path)


def line(rule: Rule) -> str:
    """One route's row, after its address."""
    if rule.needs is PUBLIC:
        return f"*open to everybody* | {' | '.join('✓' for _ in Role)} | "
    rights = rights_for(rule)
    ticks = " | ".join("✓" if rights & RIGHTS[role] else "" for role in Role)
    return f"{' or '.join(f'`{right}`' for right in sorted(rights))} | {ticks} | {'right and object' if rule.of else 'right'}"


def rights_for(rule: Rule) -> frozenset[Right]:
    """Any of these opens it; none: nothing has to."""
    if isinstance(rule.needs, frozenset):
        return rule.needs
    return frozenset({rule.needs}) if isinstance(rule.needs, Right) else frozenset()


def main() -> None:
    PAGE.write_text(page(routes()), encoding="utf-8")


if __name__ == "__main__":
    main()
