"""``callcenter phone``: the accounts of agents' desk phones, and the files by which phones are set up."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callcenter.apps.cli.common import DEFAULT, AsJson, Config, ask_engine, fail, settings_of

if TYPE_CHECKING:
    from callcenter.runtime.secrets import Phone
    from callcenter.runtime.settings import Settings
    from callcenter.runtime.settings_model import AgentSection

phone_app = typer.Typer(no_args_is_help=True, help="Accounts of agents' desk phones: one for each agent, random, the newest device wins.")

AgentName = Annotated[str, typer.Argument(metavar="AGENT", help="Whose phone it is.")]


def _found(config: Path, name: str) -> "tuple[Settings, AgentSection, Phone]":
    from callcenter.runtime.secrets import SecretsError, load_secrets

    settings = settings_of(config)
    agent = next((agent for agent in settings.agents if agent.name == name), None)
    if agent is None:
        fail(f"there is no agent '{name}'; agents: {', '.join(each.name for each in settings.agents) or 'none'}")
    try:
        secrets = load_secrets(settings.data, [each.name for each in settings.agents])
    except (SecretsError, OSError) as error:
        fail(str(error))
    return settings, agent, secrets.phones[name]


@phone_app.command("list")
def list_phones(config: Config = DEFAULT, as_json: AsJson = False) -> None:
    """Every agent's account, without its password, and whether its phone is there."""
    import json

    from callcenter.runtime.secrets import load_secrets

    settings = settings_of(config)
    phones = load_secrets(settings.data, [agent.name for agent in settings.agents]).phones
    state = ask_engine(config, "state")
    agents = state["agents"] if isinstance(state["agents"], list) else []
    there = {each["name"]: each["phone_reachable"] for each in agents if isinstance(each, dict)}
    found = [
        {
            "agent": agent.name,
            "phone": agent.phone,
            "account": phones[agent.name].endpoint,
            "extension": agent.extension or "",
            "reachable": bool(there.get(agent.name)),
        }
        for agent in settings.agents
    ]
    if as_json:
        typer.echo(json.dumps(found))
        return
    for each in found:
        typer.echo("{agent:<20} {phone:<8} {account:<20} {extension:<8} {}".format("there" if each["reachable"] else "-", **each))


@phone_app.command()
def show(agent: AgentName, config: Config = DEFAULT) -> None:
    """What is entered into the agent's phone, the password among it."""
    from callcenter.runtime.provisioning import ProvisioningError, account

    try:
        known = account(*_found(config, agent))
    except ProvisioningError as error:
        fail(str(error))
    for key in ("agent", "user", "password", "server", "port", "transport"):
        typer.echo(f"{key:<10} {getattr(known, key)}")
    typer.echo(f"{'audio':<10} {'SRTP' if known.srtp else 'RTP'}")


@phone_app.command()
def rotate(agent: AgentName, config: Config = DEFAULT) -> None:
    """Give the agent's phone a new account: the old name and password are worth nothing any more. A call that is on goes on."""
    from callcenter.runtime.phone_files import withdraw_address
    from callcenter.runtime.provisioning import ProvisioningError
    from callcenter.runtime.secrets import SecretsError, rotate_phone

    settings, _, old = _found(config, agent)
    try:
        new = rotate_phone(settings.data, agent)
        withdraw_address(settings.data, agent)  # whoever knew the old account may know it
    except (SecretsError, ProvisioningError, OSError) as error:
        fail(str(error))
    typer.echo(f"{agent}: {old.endpoint} is {new.endpoint} from now on; 'callcenter phone show {agent}' tells the password")
    ask_engine(config, "reload", 60.0)


@phone_app.command()
def provision(
    agent: AgentName,
    model: Annotated[str, typer.Option(help="yealink, grandstream, snom or linphone.")],
    mac: Annotated[str, typer.Option(help="The phone's MAC address, by which most makes ask for their file.")] = "",
    folder: Annotated[Path | None, typer.Option(help="Where your provisioning server looks; without it the file is printed.")] = None,
    config: Config = DEFAULT,
) -> None:
    """The file that sets up a phone of this make: account, transport, keys with lamps. It holds the password."""
    from callcenter.runtime.provisioning import ProvisioningError, file_name
    from callcenter.runtime.provisioning import provision as made

    try:
        text = made(*_found(config, agent), model)
        name = file_name(model, agent, mac) if folder is not None else ""
    except ProvisioningError as error:
        fail(str(error))
    if folder is None:
        typer.echo(text, nl=False)
        return
    try:
        handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o640)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        fail(f"{folder / name} cannot be written: {error.strerror or error}")
    typer.echo(f"{agent}: {folder / name}")


@phone_app.command()
def address(
    agent: AgentName,
    model: Annotated[str, typer.Option(help="yealink, grandstream, snom or linphone.")] = "",
    mac: Annotated[str, typer.Option(help="The phone's MAC address, by which most makes ask for their file.")] = "",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="The phone's address is worth nothing any more.")] = False,
    config: Config = DEFAULT,
) -> None:
    """A secret address at which the agent's phone fetches its file by itself; the one before is worth nothing any more. Shown once."""
    from callcenter.runtime.phone_files import PATH, make_address, withdraw_address
    from callcenter.runtime.provisioning import MODELS, ProvisioningError

    settings, _, _ = _found(config, agent)
    if not withdraw and not settings.desk_phone.provisioning:
        fail("phones fetch nothing here: desk_phone.provisioning is not set to true")
    try:
        if withdraw:
            typer.echo(f"{agent}: {'withdrawn' if withdraw_address(settings.data, agent) else 'has none'}")
            return
        if model not in MODELS:
            fail(f"there is no template for '{model}'; there are: {', '.join(MODELS)}")
        secret, made = make_address(settings.data, agent, model, mac)
    except (ProvisioningError, OSError) as error:
        fail(str(error))
    base = (settings.web.public_url or f"http://{settings.web.host}:{settings.web.port}").rstrip("/")
    typer.echo(f"{base}{PATH}/{secret}/   the phone asks there for {made.name}; whoever knows it has the phone's password")
