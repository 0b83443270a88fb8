"""``callcenter bench``: the figures, each measured by a module of its own."""

from typing import Annotated

import typer

bench_app = typer.Typer(no_args_is_help=True, help="The figures, measured on this machine.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@bench_app.command()
def acd(
    events: Annotated[int, typer.Option(min=1000, help="How many events are timed, for each size.")] = 60_000,
    as_json: AsJson = False,
) -> None:
    """How long the center takes for one event, with 500, 2,000 and 10,000 agents."""
    from callcenter.apps.bench import acd as bench

    bench.run(events, as_json)


@bench_app.command("all")
def every() -> None:
    """All of them, one after the other."""
    acd()
