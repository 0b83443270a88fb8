"""``callcenter bench``: the figures, each measured by a module of its own."""

from typing import Annotated

import typer

bench_app = typer.Typer(no_args_is_help=True, help="The figures, measured on this machine.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@bench_app.command("acd")
def bench_acd(
    events: Annotated[int, typer.Option(min=1000, help="How many events are timed, for each size.")] = 60_000,
    as_json: AsJson = False,
) -> None:
    """How long the center takes for one event, with 500, 2,000 and 10,000 agents."""
    from callcenter.apps.bench import acd as bench

    bench.run(events, as_json)


@bench_app.command("survive")
def bench_survive(
    calls: Annotated[int, typer.Option(min=8, max=400, help="How many calls are on when it happens.")] = 100,
    fault: Annotated[str, typer.Option(help="engine, supervisor, freeze, database, database-hang or asterisk.")] = "engine",
    outage_s: Annotated[float, typer.Option("--outage-s", min=5, help="How long the database is away.")] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Real calls, and one process is killed, frozen or taken away under them."""
    from callcenter.apps.bench import survive as bench

    bench.run(fault, calls, outage_s, as_json)


@bench_app.command("calls")
def bench_calls(
    calls: Annotated[int, typer.Option(min=20, max=1000, help="Calls in each of the eight rounds.")] = 300,
    as_json: AsJson = False,
) -> None:
    """What a whole call costs against app_queue, and how soon a free agent's phone rings."""
    from callcenter.apps.bench import calls as bench

    try:
        bench.run(calls, as_json)
    except bench.ERRORS as error:
        typer.echo(f"callcenter: {error}", err=True)
        raise typer.Exit(1) from None


@bench_app.command("all")
def every() -> None:
    """All of them, one after the other: about twelve minutes."""
    bench_acd()
    bench_calls()
    for fault in ("engine", "supervisor", "freeze", "database", "database-hang", "asterisk"):
        bench_survive(fault=fault)
