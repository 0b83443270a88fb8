"""``callcenter bench mutants``: bugs that we plant on purpose, to see whether our own searches find them.

Each is a diff in ``bench/mutants`` that names the invariant it breaks. It is applied to a copy of the package, and then the
searches of ``make test`` go hunting there: the simulation of the services (``callcenter simulate chaos``), the machine of
``tests/domain/test_center_machine.py``, and the other tests of the core and the services. A search that finds nothing in a broken
center proves nothing in a whole one; and one that finds something in a whole one proves nothing in a broken one, so that is tried first.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

REPOSITORY = Path(__file__).parents[3]
DIFFS = REPOSITORY / "bench" / "mutants"
NEEDED = ("callcenter", "tests", "pyproject.toml")
"""What of the repository a search needs, and a bug may be planted in ..."""
READ = ("sounds", "dialplan", "asterisk-config")
"""... and what it only reads."""
PATIENCE_S = 2400.0
REFRESH = (
    "the code around it has changed; make the change it describes by hand, write it with 'git diff -U1 > bench/mutants/NAME.diff',"
    " put the lines 'Invariant:' and 'Bug:' back on top, and undo the change"
)


class MutantError(Exception):
    """A mutant cannot be planted."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted bug."""

    name: str
    invariant: str
    """The one it breaks, as in docs/invariants.md."""
    bug: str
    """In words."""
    changes: tuple[tuple[str, str, str], ...]
    """File, what stands there, what the bug makes of it."""


@dataclass(frozen=True, slots=True)
class Hunted:
    """What became of one mutant."""

    mutant: Mutant
    found_by: str
    """``chaos`` with the seed, ``machine``, or a test by its name; empty: it survived."""
    what: str
    """What was noticed."""


def all_mutants(folder: Path = DIFFS) -> list[Mutant]:
    """Raises MutantError when a diff is not one of ours, or when there is none (outside a checkout)."""
    mutants = [read(path) for path in sorted(folder.glob("*.diff"))]
    if not mutants:
        raise MutantError(f"there are no planted bugs in {folder}; run this in a checkout of the repository")
    return mutants


def read(path: Path) -> Mutant:
    """A header of ``Invariant:`` and ``Bug:``, then a unified diff; line numbers in it mean nothing. Raises MutantError."""
    header: dict[str, str] = {}
    changes: list[tuple[str, list[str], list[str]]] = []
    file = ""
    for line in path.read_text().splitlines():
        if not file and ": " in line and not line.startswith("---"):
            name, _, value = line.partition(": ")
            header[name] = value
        elif line.startswith("--- a/"):
            continue
        elif line.startswith("+++ b/"):
            file = line.removeprefix("+++ b/")
        elif line.startswith("@@"):
            changes.append((file, [], []))
        elif changes and line[:1] in (" ", "-", "+", ""):
            _, before, after = changes[-1]
            if line[:1] != "+":
                before.append(line[1:])
            if line[:1] != "-":
                after.append(line[1:])
    if not changes or {"Invariant", "Bug"} - set(header):
        raise MutantError(f"{path} is no planted bug: it needs 'Invariant:', 'Bug:' and a diff")
    joined = tuple((name, "\n".join(before) + "\n", "\n".join(after) + "\n") for name, before, after in changes)
    return Mutant(path.stem, header["Invariant"], header["Bug"], joined)


def plant(mutant: Mutant, root: Path) -> None:
    """Apply it below ``root``. Raises MutantError when what it changes is not there exactly once."""
    for name, before, after in mutant.changes:
        path = root / name
        text = path.read_text() if path.exists() else ""
        if text.count(before) != 1:
            raise MutantError(f"bench/mutants/{mutant.name}.diff does not fit {name} any more: {REFRESH}")
        path.write_text(text.replace(before, after))


def hunt(mutant: Mutant, seeds: int, steps: int) -> Hunted:
    """Plant it in a copy and let the searches look for it there. Raises MutantError."""
    found_by, what = _search(mutant, seeds, steps)
    return Hunted(mutant, found_by, what)


def check_healthy(seeds: int, steps: int) -> None:
    """Raises MutantError if the searches find something in a copy without any planted bug."""
    found_by, what = _search(None, seeds, steps)
    if found_by:
        raise MutantError(f"without any planted bug, {found_by} finds something already, so that its finds would mean nothing: {what}")


def _search(mutant: Mutant | None, seeds: int, steps: int) -> tuple[str, str]:
    """Who found what; twice nothing when nothing was found."""
    name = mutant.name if mutant else "healthy"
    with tempfile.TemporaryDirectory(prefix=f"mutant-{name}-") as place:
        root = Path(place)
        for needed in NEEDED:
            source = REPOSITORY / needed
            if source.is_dir():
                shutil.copytree(source, root / needed, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, root / needed)
        for read_only in READ:
            (root / read_only).symlink_to(REPOSITORY / read_only)
        if mutant:
            plant(mutant, root)
        environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "MACHINE_STEPS": str(steps)}
        ask = [sys.executable, "-m", "callcenter.apps.bench.mutant_hunt", str(seeds)]
        done = subprocess.run(ask, cwd=root, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        if done.returncode:
            raise MutantError(f"{name}: the search did not run: {done.stderr.strip()[-400:]}")
        found = json.loads(done.stdout.splitlines()[-1])
        return str(found["by"]), str(found["what"])


def hunt_all(mutants: Sequence[Mutant], seeds: int, steps: int) -> Iterator[Hunted]:
    """Side by side, one per CPU."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        yield from pool.map(lambda mutant: hunt(mutant, seeds, steps), mutants)


def as_dict(hunted: Sequence[Hunted]) -> dict[str, object]:
    found = [each for each in hunted if each.found_by]
    return {
        "planted": len(hunted),
        "found": len(found),
        "survivors": [each.mutant.name for each in hunted if not each.found_by],
        "invariants": sorted({each.mutant.invariant for each in hunted}),
        "mutants": [
            {
                "name": each.mutant.name,
                "invariant": each.mutant.invariant,
                "bug": each.mutant.bug,
                "found_by": each.found_by,
                "what": each.what,
            }
            for each in hunted
        ],
    }


def run(seeds: int, steps: int, only: str, as_json: bool) -> bool:
    """Look at the healthy copy, hunt, and print; true when nine in ten were found. Raises MutantError."""
    mutants = [mutant for mutant in all_mutants() if only in mutant.name]
    console = Console(stderr=True)
    hunted: list[Hunted] = []
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("healthy, then mutants", total=len(mutants))
        check_healthy(seeds, steps)
        for each in hunt_all(mutants, seeds, steps):
            hunted.append(each)
            progress.update(task, advance=1)
    if as_json:
        print(json.dumps(as_dict(hunted), indent=2))
    else:
        _print(hunted)
    return 10 * sum(bool(each.found_by) for each in hunted) >= 9 * len(hunted)


def _print(hunted: Sequence[Hunted]) -> None:
    found = sum(bool(each.found_by) for each in hunted)
    table = Table("", "planted bug", "found by", title=f"{found} of {len(hunted)} planted bugs found", box=box.SIMPLE_HEAD)
    for each in hunted:
        table.add_row(each.mutant.invariant, each.mutant.bug, each.found_by or "survived")
    Console(highlight=False).print(table)
