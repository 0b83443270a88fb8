"""``callcenter simulate routing``: the production router in virtual time, in scenarios that it must pass.

``--json`` is an object: ``scenario, title, calls`` (in each run), ``seed, runs`` (a list: ``rule`` and its figures; ratios 0 to 1, seconds
as ``…_s``, standard errors by batch means as ``…_se``), ``gate`` (a sentence), ``figures`` (what the gate looks at), ``passed``.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict

from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from callcenter.apps.report_tables import WIDE
from callcenter.sim.routing_scenarios import SCENARIOS, Figure, Verdict

RATIOS = frozenset({"service_level", "worst_class", "best_class", "mean", "lowest", "highest", "spread", "gap", "limit", "widest_spread"})
WORDS = {"fifo": "first come, first served"}
"""Where a name with its underscores taken out would not be understood."""


def unknown(name: str) -> str | None:
    """A sentence when there is no such scenario."""
    return None if name in SCENARIOS else f"there is no scenario '{name}'; scenarios: {', '.join(SCENARIOS)}"


def run(name: str, calls: int | None, seed: int) -> Verdict:
    """Run the scenario, with a progress bar when standard error is a terminal. Raises ValueError with too few calls."""
    scenario = SCENARIOS[name]
    calls = calls or scenario.calls
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("calls", total=calls * scenario.runs)
        return scenario.run(calls, seed, lambda more: progress.advance(task, more))


def show(verdict: Verdict, as_json: bool) -> None:
    if as_json:
        written = asdict(verdict)
        written["runs"] = written.pop("rows")
        print(json.dumps(written, indent=2))
        return
    out = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
    out.print(_table(verdict))
    out.print(", ".join(_with_error(verdict.figures, name) for name in verdict.figures if not name.endswith("_se")))
    out.print(f"gate: {verdict.gate}: [bold]{'passed' if verdict.passed else 'MISSED'}[/bold]")


def _table(verdict: Verdict) -> Table:
    names = [name for name in verdict.rows[0] if name != "rule" and not name.endswith("_se")]
    caption = f"{verdict.calls:,} calls in each run, seed {verdict.seed}; ± one standard error"
    table = Table("", title=verdict.title, caption=caption, box=box.SIMPLE_HEAD)
    for name in names:
        table.add_column(_words(name), justify="right")
    for row in verdict.rows:
        cells = []
        for name in names:
            error = row.get(f"{name}_se")
            cells.append(_shown(name, row[name]) + (f" ± {_shown(name, error)}" if error is not None else ""))
        table.add_row(_words(str(row["rule"])), *cells)
    return table


def _with_error(figures: Mapping[str, Figure], name: str) -> str:
    error = figures.get(f"{name}_se")
    return f"{_words(name)} {_shown(name, figures[name])}" + (f" ± {_shown(name, error)}" if error is not None else "")


def _words(name: str) -> str:
    return WORDS.get(name, name.removesuffix("_s").replace("_", " "))


def _shown(name: str, value: Figure) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return _words(value)
    if name.endswith("_s"):
        return f"{value:.1f} s"
    return f"{100 * value:.2f} %" if (name in RATIOS or name.startswith("gap_")) and abs(value) <= 1 else f"{value:,.2f}"
