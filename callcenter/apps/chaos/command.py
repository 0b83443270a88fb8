"""``callcenter simulate chaos``: many seeds side by side, or one with its trace."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from callcenter.apps.chaos.seed import Outcome

TOLD = 10
"""So many failing seeds are told one by one."""


def chaos(
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds, beginning with --first.")] = 200,
    first: Annotated[int, typer.Option(help="The first seed.")] = 1,
    seed: Annotated[int | None, typer.Option(help="This seed alone; the same seed is the same day, step by step.")] = None,
    trace: Annotated[Path | None, typer.Option(metavar="FILE", help="With --seed: write what happened, as JSON lines.")] = None,
    processes: Annotated[int, typer.Option(min=0, help="How many seeds side by side; 0: one per CPU.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Days of a small center in virtual time: processes killed and frozen, nodes lost, disks full, databases away. Nothing may break."""
    if trace is not None and seed is None:
        typer.echo("callcenter: --trace needs --seed: a trace is of one seed", err=True)
        raise typer.Exit(2)
    outcomes = [_one(seed, trace)] if seed is not None else run(range(first, first + seeds), processes)
    if as_json:
        typer.echo(json.dumps(as_dict(outcomes), indent=2))
    else:
        _print(outcomes)
    if any(outcome.violations for outcome in outcomes):
        raise typer.Exit(1)


def run(seeds: Sequence[int], processes: int = 0) -> "list[Outcome]":
    """Live through the seeds, with a progress bar when standard error is a terminal; in the order of the seeds."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("seeds", total=len(seeds))
        outcomes = []
        for outcome in _side_by_side(seeds, processes):
            outcomes.append(outcome)
            failed = sum(bool(each.violations) for each in outcomes)
            progress.update(task, advance=1, description=f"seeds ({failed} failed)" if failed else "seeds")
    return sorted(outcomes, key=lambda outcome: outcome.seed)


def _side_by_side(seeds: Sequence[int], processes: int) -> "Iterator[Outcome]":
    import multiprocessing
    import os

    from callcenter.apps.chaos.seed import run_seed

    count = min(processes or os.cpu_count() or 1, len(seeds))
    if count == 1:
        yield from map(run_seed, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(count) as pool:
        yield from pool.imap_unordered(run_seed, seeds)


def _one(seed: int, file: Path | None) -> "Outcome":
    from callcenter.apps.chaos.seed import run_seed
    from callcenter.apps.chaos.trace import Trace

    trace = Trace(keep=file is not None)
    try:
        return run_seed(seed, trace=trace)
    finally:
        if file is not None:
            trace.write(file)


def as_dict(outcomes: "Sequence[Outcome]") -> dict[str, object]:
    """What the project promises, and a little more."""
    from callcenter.apps.chaos.seed import outcomes_hash

    return {
        "seeds": len(outcomes),
        "violations": sum(len(outcome.violations) for outcome in outcomes),
        "virtual_hours": round(sum(outcome.virtual_s for outcome in outcomes) / 3600, 2),
        "trace_sha256": outcomes_hash(outcomes),
        "calls": sum(outcome.calls for outcome in outcomes),
        "faults": sum(outcome.faults for outcome in outcomes),
        "facts": sum(outcome.facts for outcome in outcomes),
        "failed": [
            {"seed": outcome.seed, "again": _again(outcome), "violations": [str(violation) for violation in outcome.violations]}
            for outcome in outcomes
            if outcome.violations
        ],
    }


def _again(outcome: "Outcome") -> str:
    return f"callcenter simulate chaos --seed {outcome.seed} --trace chaos-{outcome.seed}.jsonl"


def _print(outcomes: "Sequence[Outcome]") -> None:
    from rich.console import Console

    console = Console(highlight=False)
    for outcome in [outcome for outcome in outcomes if outcome.violations][:TOLD]:
        console.print(f"seed {outcome.seed}: {_again(outcome)}", markup=False)
        for violation in outcome.violations:
            console.print(f"    {violation}", markup=False)
    found = as_dict(outcomes)
    console.print(
        f"{found['seeds']} seeds, {found['virtual_hours']} virtual hours, {found['calls']:,} calls, {found['faults']:,} faults,"
        f" {found['facts']:,} facts: {found['violations']} violations"
    )
    console.print(f"trace {found['trace_sha256']}")
