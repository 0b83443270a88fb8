"""``callcenter payment``: an agent sends her caller to pay, and gets the caller back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callcenter.apps.cli.common import DEFAULT, Config, ask_engine

if TYPE_CHECKING:
    from callcenter.services.control import Json

payment_app = typer.Typer(
    no_args_is_help=True, help="Payments: the caller pays alone, unheard and unrecorded, and comes back to the agent."
)

AgentName = Annotated[str, typer.Argument(metavar="AGENT", help="Whose caller it is.")]


def _ask(config: Path, do: str, **fields: "Json") -> None:
    ask_engine(config, do, 5.0, **fields)


@payment_app.command()
def begin(
    agent: AgentName,
    config: Config = DEFAULT,
    flow: Annotated[str | None, typer.Option(help="One of payments.flows; the first by default.")] = None,
) -> None:
    """Send the caller through a flow to pay. The agent hears music meanwhile, and nothing is recorded."""
    _ask(config, "agent_payment_begin", agent=agent, flow=flow)
    typer.echo(f"{agent}'s caller is paying")


@payment_app.command()
def end(agent: AgentName, config: Config = DEFAULT) -> None:
    """Bring the caller back before the flow is over."""
    _ask(config, "agent_payment_end", agent=agent)
    typer.echo(f"{agent} has the caller again")
