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
    scenario: Annotated[str, typer.Option(help="cost: against app_queue; mixed: four queues, each with another strategy.")] = "cost",
    calls: Annotated[int, typer.Option(min=20, max=1000, help="cost: calls in each of the eight rounds.")] = 300,
    seconds: Annotated[int, typer.Option(min=5, max=3600, help="mixed: how long ten calls a second come.")] = 120,
    as_json: AsJson = False,
) -> None:
    """Real calls: what a whole one costs against app_queue, and how soon a free agent's phone rings; or many, to queues of all kinds."""
    from callcenter.apps.bench import calls as cost
    from callcenter.apps.bench import mixed
    from callcenter.apps.stage import StageError

    if scenario not in ("cost", "mixed"):
        typer.echo(f"callcenter: there is no scenario '{scenario}'; scenarios: cost, mixed", err=True)
        raise typer.Exit(2)
    try:
        if scenario == "cost":
            cost.run(calls, as_json)
        elif not mixed.run(seconds, as_json):
            raise typer.Exit(1)
    except (*cost.ERRORS, StageError) as error:
        typer.echo(f"callcenter: {error}", err=True)
        raise typer.Exit(1) from None


@bench_app.command("flow")
def bench_flow(
    rounds: Annotated[int, typer.Option(min=100, help="How often the flow is walked through.")] = 50_000,
    as_json: AsJson = False,
) -> None:
    """The flow interpreter: node steps per second, pure."""
    from callcenter.apps.bench import flow as bench

    if not bench.run(rounds, as_json):
        raise typer.Exit(1)


@bench_app.command("ivr")
def bench_ivr(
    callers: Annotated[int, typer.Option(min=1, max=1000, help="Callers who are in the IVR at once.")] = 200,
    seconds: Annotated[float, typer.Option(min=5, max=3600, help="How long keys are measured once all are inside.")] = 60.0,
    seed: Annotated[int, typer.Option(help="Of when callers press their keys.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Many callers in the IVR at once: from a key to the first sound of the next prompt."""
    from callcenter.apps.bench import ivr as bench
    from callcenter.apps.stage import StageError

    try:
        passed = bench.run(callers, seconds, seed, as_json)
    except StageError as error:
        typer.echo(f"callcenter: {error}", err=True)
        raise typer.Exit(1) from None
    if not passed:
        raise typer.Exit(1)


@bench_app.command("callbacks")
def bench_callbacks(
    callbacks: Annotated[int, typer.Option(min=1, max=100_000, help="How many callers are promised a callback.")] = 1000,
    kills: Annotated[int, typer.Option(min=1, max=1000, help="How often the engine is killed meanwhile.")] = 50,
    first: Annotated[str, typer.Option(help="Whose phone rings first: agent or caller.")] = "agent",
    seed: Annotated[int, typer.Option(help="Of what callers and phones do, and when the engine is killed.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Callbacks promised while the engine is killed at random moments: promised, kept, lost, dialed twice."""
    from callcenter.apps.bench import callbacks as bench

    if first not in ("agent", "caller"):
        typer.echo("callcenter: --first is agent or caller", err=True)
        raise typer.Exit(2)
    if not bench.run(callbacks, kills, first, seed, as_json):
        raise typer.Exit(1)


@bench_app.command("consoles")
def bench_consoles(
    consoles: Annotated[int, typer.Option(min=2, max=2000, help="How many are open; one of them is a page in Chromium.")] = 200,
    rate: Annotated[float, typer.Option(min=0.5, max=200, help="Calls per second.")] = 20.0,
    seconds: Annotated[float, typer.Option(min=5, max=3600, help="How long it is measured.")] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Many consoles and wallboards open, calls coming: from an offer to the screen pop, and what it costs the engine and web."""
    from callcenter.apps.bench import consoles as bench
    from callcenter.runtime.postgres import PostgresError

    try:
        passed = bench.run(consoles, rate, seconds, as_json)
    except (*bench.ERRORS, PostgresError) as error:
        typer.echo(f"callcenter: {error}", err=True)
        raise typer.Exit(1) from None
    if not passed:
        raise typer.Exit(1)


@bench_app.command("mutants")
def bench_mutants(
    seeds: Annotated[int, typer.Option(min=1, help="At most so many seeds of the simulation for each bug.")] = 10,
    steps: Annotated[int, typer.Option(min=50, help="So many steps of the Hypothesis machine for each bug.")] = 20_000,
    only: Annotated[str, typer.Option(help="Only bugs with this in their name.")] = "",
    as_json: AsJson = False,
) -> None:
    """Bugs planted on purpose, invariant by invariant: how many do the searches of make test find?"""
    from callcenter.apps.bench import mutants as bench

    try:
        enough = bench.run(seeds, steps, only, as_json)
    except bench.MutantError as error:
        typer.echo(f"callcenter: {error}", err=True)
        raise typer.Exit(2) from None
    if not enough:
        raise typer.Exit(1)


@bench_app.command("all")
def every() -> None:
    """All of them, one after the other: about fifteen minutes."""
    bench_acd()
    bench_calls()
    bench_calls(scenario="mixed")
    bench_ivr()
    for fault in ("engine", "supervisor", "freeze", "database", "database-hang", "asterisk"):
        bench_survive(fault=fault)
