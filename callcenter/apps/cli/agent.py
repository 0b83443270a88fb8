"""``callcenter agent``: what an agent does."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from callcenter.apps.cli.common import DEFAULT, AsJson, Config, ask_engine

if TYPE_CHECKING:
    from callcenter.services.control import JsonObject

agent_app = typer.Typer(no_args_is_help=True, help="What an agent does: log in, be ready, transfer, consult.")

AgentName = Annotated[str, typer.Argument(metavar="NAME", help="The agent's name in the configuration.")]


def _agent_became(answer: "JsonObject", name: str) -> None:
    state_now, reason, later = (str(answer.get(key) or "").replace("_", " ") for key in ("state", "reason", "later"))
    words = state_now or "done"
    words += f" ({reason})" if reason else ""
    words += f", and after this contact {later}" if later else ""
    typer.echo(f"{name}: {words}")


@agent_app.command()
def login(name: AgentName, config: Config = DEFAULT) -> None:
    """Log in; not ready yet."""
    _agent_became(ask_engine(config, "agent_login", agent=name), name)


@agent_app.command()
def ready(name: AgentName, config: Config = DEFAULT) -> None:
    """Ready for contacts."""
    _agent_became(ask_engine(config, "agent_ready", agent=name), name)


@agent_app.command("not-ready")
def not_ready(
    name: AgentName,
    reason: Annotated[str, typer.Option(help="One of center.not_ready_reasons; by default the first.")] = "",
    config: Config = DEFAULT,
) -> None:
    """Not ready, for a reason; in the middle of a contact, after it."""
    if reason:
        _agent_became(ask_engine(config, "agent_not_ready", agent=name, reason=reason), name)
    else:
        _agent_became(ask_engine(config, "agent_not_ready", agent=name), name)


@agent_app.command()
def logout(name: AgentName, config: Config = DEFAULT) -> None:
    """Log out; in the middle of a contact, after it."""
    _agent_became(ask_engine(config, "agent_logout", agent=name), name)


ToQueue = Annotated[str, typer.Option("--queue", help="A queue: whoever of it answers.")]
ToColleague = Annotated[str, typer.Option("--agent", help="A colleague who is ready.")]
ToNumber = Annotated[str, typer.Option("--number", help="Outside: one that she may call by herself.")]


@agent_app.command()
def transfer(
    name: AgentName,
    queue: ToQueue = "",
    colleague: ToColleague = "",
    number: ToNumber = "",
    config: Config = DEFAULT,
) -> None:
    """Move the agent's caller to a queue, a colleague or a number outside, without talking first."""
    ask_engine(config, "agent_transfer", agent=name, queue=queue or None, colleague=colleague or None, number=number or None)
    typer.echo(f"{name}: the caller waits for {colleague or queue or number}")


@agent_app.command()
def consult(
    name: AgentName,
    queue: ToQueue = "",
    colleague: ToColleague = "",
    number: ToNumber = "",
    config: Config = DEFAULT,
) -> None:
    """Put the caller on hold, and talk to somebody of a queue, a colleague or a number outside first."""
    ask_engine(config, "agent_consult", agent=name, queue=queue or None, colleague=colleague or None, number=number or None)
    typer.echo(f"{name}: the caller is on hold, {colleague or queue or number} is asked; then complete, cancel, swap or conference")


@agent_app.command()
def complete(name: AgentName, config: Config = DEFAULT) -> None:
    """Leave: the caller goes on with the consulted, or waits for who was asked for."""
    _agent_became(ask_engine(config, "agent_complete", agent=name), name)


@agent_app.command()
def cancel(name: AgentName, config: Config = DEFAULT) -> None:
    """Call the consult off: agent and caller go on."""
    _agent_became(ask_engine(config, "agent_cancel", agent=name), name)


@agent_app.command()
def swap(name: AgentName, config: Config = DEFAULT) -> None:
    """Talk to the other one of caller and consulted; who is not talked to hears music."""
    _agent_became(ask_engine(config, "agent_swap", agent=name), name)


@agent_app.command()
def conference(name: AgentName, config: Config = DEFAULT) -> None:
    """Let caller, agent and consulted hear each other; complete leaves the two others together."""
    _agent_became(ask_engine(config, "agent_conference", agent=name), name)


@agent_app.command()
def dial(
    name: AgentName,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="An extension, or a number outside that she may call.")] = "",
    colleague: Annotated[str, typer.Option("--agent", help="A colleague, by name.")] = "",
    queue: Annotated[str, typer.Option("--queue", help="For which she calls: its number is shown.")] = "",
    config: Config = DEFAULT,
) -> None:
    """Call a colleague or a number outside: her phone rings first, then the other one."""
    _agent_became(
        ask_engine(config, "agent_dial", agent=name, number=number or None, colleague=colleague or None, queue=queue or None), name
    )


@agent_app.command("hang-up")
def hang_up(name: AgentName, config: Config = DEFAULT) -> None:
    """End the call that the agent has made by herself."""
    _agent_became(ask_engine(config, "agent_dial_end", agent=name), name)


@agent_app.command()
def figures(name: AgentName, as_json: AsJson = False, config: Config = DEFAULT) -> None:
    """The agent's own figures of today, as she hears them on her phone (*23)."""
    found = ask_engine(config, "agent_figures", agent=name)
    if as_json:
        typer.echo(json.dumps({key: value for key, value in found.items() if key not in ("ok", "seq", "id")}))
        return
    aht, occupancy = found["aht_s"], found["occupancy"]
    handling = f"{aht:.0f} s" if isinstance(aht, float) else "-"
    share = f"{100 * occupancy:.0f} %" if isinstance(occupancy, float) else "-"
    typer.echo(f"{name}: {found['contacts']} contacts, talk {found['talk_s']} s, AHT {handling}, occupancy {share}")


@agent_app.command("wrap-up-end")
def wrap_up_end(name: AgentName, config: Config = DEFAULT) -> None:
    """End the wrap-up; what was asked for during the contact is obeyed, else the agent is ready."""
    _agent_became(ask_engine(config, "agent_wrap_up_end", agent=name), name)


@agent_app.command()
def extend(name: AgentName, config: Config = DEFAULT) -> None:
    """Extend the wrap-up, once per contact, by what the queue allows."""
    answer = ask_engine(config, "agent_extend", agent=name)
    typer.echo(f"{name}: wrap-up until {answer['until']}")


@agent_app.command()
def disposition(
    name: AgentName,
    disposition: Annotated[str, typer.Argument(metavar="DISPOSITION", help="One of the queue's dispositions.")],
    config: Config = DEFAULT,
) -> None:
    """Say what the contact has achieved, in mid-talk or in wrap-up."""
    _agent_became(ask_engine(config, "agent_disposition", agent=name, disposition=disposition), name)


ServedQueue = Annotated[str, typer.Argument(metavar="QUEUE", help="One of the agent's queues.")]


@agent_app.command("opt-in")
def opt_in(name: AgentName, queue: ServedQueue, config: Config = DEFAULT) -> None:
    """Serve a queue again that the agent had opted out of."""
    ask_engine(config, "agent_opt_in", agent=name, queue=queue)
    typer.echo(f"{name}: serves {queue}")


@agent_app.command("opt-out")
def opt_out(name: AgentName, queue: ServedQueue, config: Config = DEFAULT) -> None:
    """Serve a queue no longer, as far as the configuration lets the agent."""
    ask_engine(config, "agent_opt_out", agent=name, queue=queue)
    typer.echo(f"{name}: serves {queue} no longer")
