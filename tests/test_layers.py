"""The rings hold: who may import whom (docs/decisions/0001)."""

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "callcenter"
MAY_IMPORT = {
    "domain": {"domain"},
    "services": {"services", "domain"},
    "adapters": {"services", "domain"},
    "sim": {"sim", "services.ports", "domain"},
    "runtime": {"runtime", "domain"},
    "apps": {"apps", "adapters", "services", "runtime", "sim", "domain"},
}
ENGINE_NEVER = {"sqlalchemy", "psycopg", "alembic"}


def imports(path: Path) -> set[str]:
    """Every module named by an import anywhere in the file."""
    named: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            named |= {f"{node.module}.{alias.name}" for alias in node.names}
    return named


def modules(ring: str) -> list[Path]:
    return sorted((PACKAGE / ring).rglob("*.py"))


@pytest.mark.parametrize("ring", MAY_IMPORT)
def test_rings_hold(ring: str) -> None:
    for path in modules(ring):
        allowed = set(MAY_IMPORT[ring])
        if ring == "adapters":  # adapters never import each other
            allowed.add(".".join(path.relative_to(PACKAGE).with_suffix("").parts[:2]))
        for name in imports(path):
            if name.startswith("callcenter."):
                inside = name.removeprefix("callcenter.")
                assert any(inside == a or inside.startswith(f"{a}.") for a in allowed), f"{path} imports {name}"


def test_domain_is_standard_library_only() -> None:
    for path in modules("domain"):
        for name in imports(path):
            top = name.split(".")[0]
            assert top == "callcenter" or top in sys.stdlib_module_names, f"{path} imports {name}"
            assert top not in {"asyncio", "logging", "random", "time", "socket", "threading", "os"}, f"{path} imports {name}"
            assert name != "uuid.uuid4", f"{path} imports {name}"


def reach(start: Path) -> set[Path]:
    """All files of the package that importing ``start`` loads, by its module-level and inner imports."""
    seen: set[Path] = set()
    todo = [start]
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in imports(path):
            if not name.startswith("callcenter."):
                continue
            for stem in (name, name.rpartition(".")[0]):
                base = PACKAGE.parent / Path(*stem.split("."))
                todo += [p for p in (base.with_suffix(".py"), base / "__init__.py") if p.exists()]
    return seen


def test_engine_never_loads_the_database() -> None:
    start = PACKAGE / "apps" / "engine.py"
    for path in reach(start):
        for name in imports(path):
            assert name.split(".")[0] not in ENGINE_NEVER, f"the engine reaches {path}, which imports {name}"
