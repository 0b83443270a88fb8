"""``callcenter simulate``: a center in virtual time, through the production core, beside what Erlang's formulas say."""

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from callcenter.apps.chaos.command import chaos
from callcenter.apps.simulate_ewt import ewt
from callcenter.apps.simulate_flows import flow_fuzz

if TYPE_CHECKING:
    from callcenter.domain.erlang import ErlangA
    from callcenter.sim.measures import Measures
    from callcenter.sim.queue_simulation import Traffic

WRONG_USE = 2

simulate_app = typer.Typer(no_args_is_help=True, help="A center in virtual time: what would happen with so many calls and agents.")


@simulate_app.callback()
def _simulate() -> None:
    """Without this, typer would make the only command the command itself."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """What was measured, and what the formula says; None where no formula applies."""

    traffic: "Traffic"
    seed: int
    calls: int
    measured: "Measures"
    expected: "ErlangA | None"


@simulate_app.command()
def queue(
    calls_per_hour: Annotated[float, typer.Option(min=0.001, help="How many callers come, on average.")],
    aht: Annotated[float, typer.Option(min=0.001, metavar="SECONDS", help="Average handle time: talk and wrap-up.")],
    agents: Annotated[int, typer.Option(min=1, help="How many agents are there, all for this queue.")],
    patience: Annotated[
        float | None,
        typer.Option(min=0.001, metavar="SECONDS", help="How long callers wait on average before they give up; without it, for ever."),
    ] = None,
    calls: Annotated[
        int, typer.Option(min=40, help="How many callers come in all; the first twentieth is warm-up and not counted.")
    ] = 200_000,
    seed: Annotated[int, typer.Option(help="The same seed brings the same callers.")] = 1,
    ring_s: Annotated[
        float, typer.Option("--ring-s", min=0, metavar="SECONDS", help="How long a phone rings before it is answered.")
    ] = 0.0,
    wrap_up_share: Annotated[float, typer.Option(min=0, max=0.99, help="This share of the handle time is wrap-up.")] = 0.0,
    target_s: Annotated[
        float, typer.Option("--target-s", min=0, metavar="SECONDS", help="The service level counts answers within this wait.")
    ] = 20.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """One queue, first come first served: exponential handle times and patience, random arrivals, agents who never leave."""
    from callcenter.sim.queue_simulation import Traffic

    traffic = Traffic(calls_per_hour, aht, agents, patience, ring_s, wrap_up_share, target_s)
    load = calls_per_hour * aht / 3600
    if patience is None and load >= agents:
        typer.echo(
            f"callcenter: {agents} agents cannot carry {load:g} erlangs when nobody gives up, and the line would grow for ever;"
            f" give at least {int(load) + 1} --agents, or --patience",
            err=True,
        )
        raise typer.Exit(WRONG_USE)
    simulated = run(traffic, calls, seed)
    if as_json:
        typer.echo(json.dumps(as_dict(simulated), indent=2))
    else:
        _print(simulated)


@simulate_app.command()
def routing(
    scenario: Annotated[str, typer.Option(help="v-model, chain, fairness or vip.")],
    calls: Annotated[int | None, typer.Option(min=400, help="How many callers come in each run; by default enough to be sure.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed brings the same callers.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """The production router against the rules it must beat and the bounds it must keep; exit code 1 when it does not."""
    from callcenter.apps import simulate_routing as routing

    if sentence := routing.unknown(scenario):
        typer.echo(f"callcenter: {sentence}", err=True)
        raise typer.Exit(WRONG_USE)
    verdict = routing.run(scenario, calls, seed)
    routing.show(verdict, as_json)
    if not verdict.passed:
        raise typer.Exit(1)


def run(traffic: "Traffic", calls: int, seed: int) -> Simulated:
    """Simulate, with a progress bar when standard error is a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    from callcenter.sim.queue_simulation import simulate

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("calls", total=calls)
        measured = simulate(traffic, calls, seed, lambda arrived: progress.update(task, completed=arrived))
    return Simulated(traffic, seed, calls, measured, expected(traffic))


def expected(traffic: "Traffic") -> "ErlangA | None":
    """Erlang A, or C when nobody gives up. Neither knows of phones that ring: None with ring time, for it takes the agent's time too."""
    from math import inf

    from callcenter.domain.erlang import erlang_a

    if traffic.ring_s:
        return None
    return erlang_a(traffic.calls_per_hour, traffic.aht_s, traffic.agents, traffic.patience_s or inf, traffic.target_s)


def as_dict(simulated: Simulated) -> dict[str, object]:
    """Glossary names; ratios 0 to 1, seconds as ``…_s``, standard errors as ``…_se``."""
    formula = None if simulated.expected is None else asdict(simulated.expected)
    return asdict(simulated.measured) | {
        "erlang": formula and {name: formula[name] for name in _NAMES},
        "traffic": asdict(simulated.traffic),
        "calls": simulated.calls,
        "seed": simulated.seed,
    }


_NAMES = {
    "p_wait": "had to wait",
    "p_abandon": "abandoned",
    "asa_s": "ASA of the answered",
    "service_level": "service level",
    "occupancy": "occupancy",
}


def _print(simulated: Simulated) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    traffic = simulated.traffic
    callers = "callers wait for ever" if traffic.patience_s is None else f"callers give up after {traffic.patience_s:g} s on average"
    title = f"{traffic.calls_per_hour:g} calls/h, AHT {traffic.aht_s:g} s, {traffic.agents} agents; {callers}"
    caption = f"{simulated.measured.offered:,} contacts counted; service level: answered within {traffic.target_s:g} s ÷ offered"
    table = Table("", title=title, caption=caption, box=box.SIMPLE_HEAD)
    for heading in ("simulated", "± standard error", "Erlang " + ("C" if traffic.patience_s is None else "A"), "apart"):
        table.add_column(heading, justify="right")
    for name, words in _NAMES.items():
        value, error = getattr(simulated.measured, name), getattr(simulated.measured, f"{name}_se")
        formula = None if simulated.expected is None else getattr(simulated.expected, name)
        apart = "" if formula is None or not error else f"{(value - formula) / error:+.1f} SE"
        table.add_row(words, *(_shown(name, number) for number in (value, error, formula)), apart)
    Console(highlight=False).print(table)


def _shown(name: str, number: float | None) -> str:
    if number is None:
        return ""
    return f"{number:.2f} s" if name.endswith("_s") else f"{number:.2%}"


simulate_app.command("chaos")(chaos)
simulate_app.command("ewt")(ewt)
simulate_app.command("flow-fuzz")(flow_fuzz)
