"""``callcenter simulate ewt``: of callers who are told "under four minutes", how many reach an agent within four minutes."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from callcenter.sim.ewt_simulation import Calibration

AIMED = (0.80, 0.90)
"""Of those told "under X", the share for whom it should come true."""


def ewt(
    calls: Annotated[int, typer.Option(min=500, help="How many callers come in each scenario; the first tenth is for learning.")] = 4000,
    seed: Annotated[int, typer.Option(help="The same seed brings the same callers.")] = 1,
    scenario: Annotated[str | None, typer.Option(help="Only this scenario.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Estimated waits as they are told to callers, against what became of them, over several kinds of traffic.

    Exit code 1 when in any of them fewer than 80 % or more than 90 % came true.
    """
    from callcenter.sim.ewt_simulation import SCENARIOS, simulate

    wanted = [each for each in SCENARIOS if scenario in (None, each.name)]
    if not wanted:
        typer.echo(f"callcenter: there is no scenario '{scenario}'; scenarios: {', '.join(each.name for each in SCENARIOS)}", err=True)
        raise typer.Exit(2)
    found = []
    for each in wanted:
        found.append(simulate(each, calls, seed))
        typer.echo(f"{each.name}: {_percent(found[-1].share)}", err=True)
    report = as_dict(found, calls, seed)
    if as_json:
        typer.echo(json.dumps(report, indent=2))
    else:
        _print(found)
    if not report["as_aimed"]:
        raise typer.Exit(1)


def as_dict(found: "list[Calibration]", calls: int, seed: int) -> dict[str, object]:
    """Shares are 0 to 1; ``by_under`` says for each number of minutes told how often it came true, and how often not."""
    scenarios = [
        {
            "scenario": each.scenario,
            "callers": each.callers,
            "told": each.told,
            "came_true": each.came_true,
            "did_not": each.did_not,
            "unknown": each.unknown,
            "share": each.share,
            "by_under": {
                f"under_{minutes}_min": {"came_true": true, "did_not": not_} for minutes, (true, not_) in sorted(each.by_under.items())
            },
        }
        for each in found
    ]
    true, known = sum(each.came_true for each in found), sum(each.came_true + each.did_not for each in found)
    return {
        "aimed": list(AIMED),
        "told": sum(each.told for each in found),
        "share": true / known if known else None,
        "as_aimed": all(each.share is not None and AIMED[0] <= each.share <= AIMED[1] for each in found),
        "calls": calls,
        "seed": seed,
        "scenarios": scenarios,
    }


def _print(found: "list[Calibration]") -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    title = f"'under X' should come true for {AIMED[0]:.0%} to {AIMED[1]:.0%} of those told"
    table = Table("scenario", title=title, caption="unknown: the caller left before the time was up", box=box.SIMPLE_HEAD)
    for heading in ("callers", "told", "came true", "did not", "unknown", "share"):
        table.add_column(heading, justify="right")
    for each in found:
        counts = (each.callers, each.told, each.came_true, each.did_not, each.unknown)
        table.add_row(each.scenario, *(f"{count:,}" for count in counts), _percent(each.share))
    Console(highlight=False).print(table)


def _percent(share: float | None) -> str:
    return "nothing told" if share is None else f"{share:.1%}"
