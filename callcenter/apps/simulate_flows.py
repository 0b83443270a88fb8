"""``callcenter simulate flow-fuzz``: random flows and everything that can happen to callers in them, through the production core."""

import json
import time
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from callcenter.sim.flow_fuzz import FuzzResult


def flow_fuzz(
    steps: Annotated[int, typer.Option(min=100, help="How many things happen in all.")] = 1_000_000,
    seed: Annotated[int, typer.Option(help="The same seed does the same.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Random flows, keys, answers, garbage, restarts; exit code 1 when anything goes wrong inside or a caller is left in silence."""
    from callcenter.sim.flow_fuzz import FlowFault, fuzz

    began = time.process_time()
    try:
        result = fuzz(steps, seed)
    except FlowFault as fault:
        typer.echo(json.dumps({"seed": seed, "steps": steps, "fault": str(fault)}) if as_json else f"callcenter: {fault}", err=not as_json)
        raise typer.Exit(1) from None
    took = time.process_time() - began
    if as_json:
        typer.echo(json.dumps({**_fields(result), "faults": 0, "cpu_s": round(took, 1)}, indent=2))
        return
    typer.echo(f"{result.steps:,} steps in {took:.0f} s of CPU time: {result.calls:,} calls through {result.flows:,} random flows,")
    typer.echo(
        f"{result.node_moves:,} nodes passed, {result.restarts:,} restarts, {result.published:,} times published meanwhile: no fault."
    )
    ends = ", ".join(f"{name} {count:,}" for name, count in result.exits.most_common())
    typer.echo(f"Each of {result.started:,} flow runs came to an end: {ends}.")


def _fields(result: "FuzzResult") -> dict[str, object]:
    return {field.name: getattr(result, field.name) for field in fields(result)} | {"exits": dict(result.exits)}
