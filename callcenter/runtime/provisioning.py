"""What a desk phone must know to register, and the file by which the common makes are told so."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import jinja2

from callcenter.runtime.places import shipped
from callcenter.runtime.secrets import Phone
from callcenter.runtime.settings import Settings
from callcenter.runtime.settings_model import AgentSection

MODELS: Mapping[str, tuple[str, str]] = {
    "yealink": ("yealink.cfg.j2", "{mac}.cfg"),
    "grandstream": ("grandstream.xml.j2", "cfg{mac}.xml"),
    "snom": ("snom.xml.j2", "snom-{mac}.htm"),
    "linphone": ("linphone.xml.j2", "linphone-{name}.xml"),
}
"""By make: the template, and the name under which the phone asks for its file."""
_MAC = re.compile(r"([0-9a-f]{2}[:.-]?){5}[0-9a-f]{2}", re.IGNORECASE)


class ProvisioningError(ValueError):
    """The file cannot be made; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Account:
    """All that is entered into a phone."""

    agent: str
    label: str
    user: str
    password: str
    server: str
    port: int
    transport: str
    srtp: bool


@dataclass(frozen=True, slots=True)
class Lamp:
    """A key of the phone that shows somebody else's state."""

    extension: str
    label: str


def account(settings: Settings, agent: AgentSection, phone: Phone) -> Account:
    """At the first node; what stands before several of them is entered in its place. Raises ProvisioningError."""
    node = next(iter(settings.nodes), None)
    if node is None:
        raise ProvisioningError("there is no [[node]] to register at")
    server = node.host or node.external_address or ("" if node.bind in ("0.0.0.0", "::") else node.bind)
    if not server:
        raise ProvisioningError(f"node {node.name} listens on every address; name the one that phones use as node.external_address")
    transport = settings.desk_phone.transport
    port = node.sip_tls_port if transport == "tls" and node.sip_tls_port is not None else node.sip_port
    label = f"{agent.name} {agent.extension}" if agent.extension else agent.name
    return Account(agent.name, label, phone.endpoint, phone.password, server, port, transport, settings.desk_phone.srtp)


def lamps(settings: Settings, agent: AgentSection) -> list[Lamp]:
    """Of the queues she serves, and of her colleagues there."""
    queues = [Lamp(queue.extension, queue.name) for queue in settings.queues if queue.extension and queue.name in agent.queues]
    others = [each for each in settings.agents if each.name != agent.name and set(each.queues) & set(agent.queues)]
    return [*queues, *(Lamp(each.extension, each.name) for each in others if each.extension)][:20]


def file_name(model: str, agent: str, mac: str) -> str:
    """Under which the phone asks for its file. Raises ProvisioningError."""
    name = MODELS[model][1]
    if "{mac}" in name and not _MAC.fullmatch(mac):
        raise ProvisioningError(f"a {model} asks for its file by its MAC address; give --mac, twelve hexadecimal digits, not {mac!r}")
    return name.format(mac=re.sub(r"[:.-]", "", mac).lower(), name=agent)


def provision(settings: Settings, agent: AgentSection, phone: Phone, model: str) -> str:
    """The file for a phone of this make. Raises ProvisioningError."""
    if model not in MODELS:
        raise ProvisioningError(f"there is no template for '{model}'; there are: {', '.join(MODELS)}")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(shipped("provisioning")),
        undefined=jinja2.StrictUndefined,
        autoescape=jinja2.select_autoescape(enabled_extensions=("xml.j2",)),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    known = account(settings, agent, phone)
    values = {name: getattr(known, name) for name in ("label", "user", "password", "server", "port", "transport", "srtp")}
    return environment.get_template(MODELS[model][0]).render(**values, lamps=lamps(settings, agent))
