"""Asterisk's own configuration files, written from our settings and secrets.

Templates are in ``asterisk-config`` and ``dialplan``. All values that reach them have been checked by
``runtime.settings``; nothing comes from a call.
"""

import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import jinja2
import phonenumbers

from callcenter.domain.state_lamps import device_of
from callcenter.runtime import asterisk_modules
from callcenter.runtime.catalogue import DEFAULT_MUSIC
from callcenter.runtime.places import shipped
from callcenter.runtime.secrets import AMI_DOCTOR_USER, AMI_OPERATIONS_USER, AMI_RECORDING_USER, ARI_USER, Phone, Secrets
from callcenter.runtime.settings import Settings
from callcenter.runtime.settings_model import NodeSection, TrunkSection

APPLICATION = "callcenter"
"""The name of our ARI application."""
FALLBACK_MAX_WAIT_S = 1800
OWN_DIALPLAN = "dialplan-own.conf"
ENGINE_IS_AWAY = "$[${EPOCH} - 0${CC_BEAT} > 3 | ${EPOCH} - 0${CC_BEAT} < -3]"
"""True in the dialplan when the heartbeat is missing or not of the last 3 seconds (a clock step back counts as such)."""

RELOADED_BY = {
    "pjsip.conf": "res_pjsip",
    "queues.conf": "app_queue",
    "musiconhold.conf": "res_musiconhold",
    "logger.conf": "logger",
    "manager.conf": "manager",
    "ari.conf": "res_ari",
    "http.conf": "http",
    "rtp.conf": "rtp",
    "features.conf": "features",
    "indications.conf": "indications",
    "extensions.conf": "pbx_config",
}
"""From file to the module whose reload reads it; a file that is not listed is read at the start only."""


class RenderError(Exception):
    """The configuration cannot be written."""


@dataclass(frozen=True, slots=True)
class Form:
    """One way in which a carrier may write a number of ours."""

    dialed: str
    did: str
    queue: str


@dataclass(frozen=True, slots=True)
class Trunk:
    """A trunk as the templates want it."""

    name: str
    transport: str
    codecs: tuple[str, ...]
    srtp: bool
    host: str
    uri: str
    client_uri: str
    user: str
    password: str
    account: str
    """The user we register as, when calls may come to it: unless it is one of our numbers."""
    registers: bool
    matches: tuple[str, ...]
    did_prefix: str
    forms: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """One way out for an emergency call: what stands before and after the number in the dial string."""

    trunk: str
    before: str
    after: str


def render(settings: Settings, secrets: Secrets, node: NodeSection, folder: Path) -> tuple[str, ...]:
    """Write the node's ``etc``; return the modules that a running Asterisk must reload to follow (none when nothing changed)."""
    values = _values(settings, secrets, node, folder)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([shipped("asterisk-config"), shipped("dialplan")]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    etc = folder / "etc"
    (etc / "dialplan").mkdir(exist_ok=True, mode=0o750)
    os.chown(etc / "dialplan", -1, etc.stat().st_gid)
    reload: list[str] = []
    for name in _templates("dialplan"):
        if _write(etc / "dialplan" / name, environment.get_template(f"{name}.j2").render(values)):
            reload.append("pbx_config")
    if node.dialplan is not None and _write(etc / OWN_DIALPLAN, _own_dialplan(settings.beside_the_file(node.dialplan))):
        reload.append("pbx_config")
    for name in _templates("asterisk-config"):
        if _write(etc / name, environment.get_template(f"{name}.j2").render(values)) and name in RELOADED_BY:
            reload.append(RELOADED_BY[name])
    return tuple(dict.fromkeys(reload))


def _templates(folder: str) -> list[str]:
    return sorted(path.name.removesuffix(".j2") for path in shipped(folder).glob("*.conf.j2"))


def _write(path: Path, text: str) -> bool:
    """Put the file in place whole, readable for Asterisk's group at most; say whether it is another one than before."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    temporary = path.with_name(f".{path.name}.new")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o640)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.chown(temporary, -1, path.parent.stat().st_gid)
    os.replace(temporary, path)
    return True


# --- values for the templates -----------------------------------------------------------------


def _values(settings: Settings, secrets: Secrets, node: NodeSection, folder: Path) -> Mapping[str, object]:
    phones = [(agent.name, secrets.phones[agent.name]) for agent in settings.agents]
    trunks = [_trunk(settings, trunk) for trunk in settings.trunks]
    return {
        "settings": settings,
        "secrets": secrets,
        "node": node,
        "folder": folder,
        "bind": f"[{node.bind}]" if ":" in node.bind else node.bind,
        "application": APPLICATION,
        "ari_user": ARI_USER,
        "ami_users": {"recording": AMI_RECORDING_USER, "operations": AMI_OPERATIONS_USER, "doctor": AMI_DOCTOR_USER},
        "modules": [
            *({"kind": "require", "name": name} for name in asterisk_modules.REQUIRED),
            *({"kind": "load", "name": name} for name in asterisk_modules.LOADED),
        ],
        "cpus": max(2, os.cpu_count() or 2),
        "maxfiles": 65_536 if os.geteuid() == 0 else 4096,
        "engine_is_away": ENGINE_IS_AWAY,
        "fallback_max_wait_s": FALLBACK_MAX_WAIT_S,
        "dialplan": _templates("dialplan"),
        "own_dialplan": OWN_DIALPLAN if node.dialplan is not None else "",
        "trunks": trunks,
        "phones": phones,
        "browser_agents": {agent.name for agent in settings.agents if agent.phone == "browser"},
        "lamps": _lamps(settings),
        "music_on_hold": _music_on_hold(settings),
        "may_transfer": {agent.name for agent in settings.agents if settings.may_transfer(agent)},
        "members": _members(settings, dict(phones)),
        "music": [DEFAULT_MUSIC, *(music.name for music in settings.music if music.name != DEFAULT_MUSIC)],
        "emergency_numbers": settings.center.emergency_numbers,
        "emergency_routes": [_route(trunk) for trunk in trunks if trunk.host],
        "emergency_callback": settings.did(settings.numbers[0]) if settings.numbers else "",
    }


def _lamps(settings: Settings) -> list[tuple[str, str]]:
    """Each extension, and the device whose state its watchers are told."""
    agents = [(agent.extension, device_of(agent=agent.name)) for agent in settings.agents if agent.extension]
    return agents + [(queue.extension, device_of(queue=queue.name)) for queue in settings.queues if queue.extension]


def _music_on_hold(settings: Settings) -> dict[str, str]:
    """By agent: what those hear whom her phone holds, the music of the first of her queues."""
    music = {queue.name: queue.music for queue in settings.queues}
    return {agent.name: next((music[name] for name in agent.queues if name in music), DEFAULT_MUSIC) for agent in settings.agents}


def _own_dialplan(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise RenderError(f"{file}: the dialplan cannot be read: {error}") from None


def _members(settings: Settings, phones: Mapping[str, Phone]) -> dict[str, list[str]]:
    """The phones that the fallback rings, by queue."""
    return {
        queue.name: [phones[agent.name].endpoint for agent in settings.agents if queue.name in agent.queues] for queue in settings.queues
    }


def _trunk(settings: Settings, trunk: TrunkSection) -> Trunk:
    password = ""
    if trunk.password_file is not None:
        password = _password(settings.beside_the_file(trunk.password_file))
    host = trunk.host or ""
    after_host = f":{trunk.port}" if trunk.port else ""
    forms = tuple(_forms(settings, trunk))
    registers = trunk.authentication == "registration"
    transport = "" if trunk.transport == "udp" else f"\\;transport={trunk.transport}"  # a bare ; begins a comment
    return Trunk(
        name=trunk.name,
        transport=trunk.transport,
        codecs=trunk.codecs,
        srtp=trunk.srtp,
        host=host,
        uri=f"sip:{host}{after_host}{transport}" if host else "",
        client_uri=f"sip:{trunk.user}@{host}{after_host}{transport}",
        user=trunk.user or "",
        password=password,
        account=_account(trunk, forms) if registers else "",
        registers=registers,
        matches=tuple(trunk.addresses) or ((host,) if host else ()),
        did_prefix=trunk.did_prefix or "",
        forms=forms,
    )


def _account(trunk: TrunkSection, forms: tuple[Form, ...]) -> str:
    """The extension of calls to what we registered; none when that is a number of ours, or would be read as a pattern."""
    user = trunk.user or ""
    return "" if user.startswith("_") or user in {form.dialed for form in forms} else user


def _password(file: Path) -> str:
    try:
        password = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise RenderError(f"{file}: the trunk's password cannot be read: {error.strerror}") from None
    if not password or any(character in password for character in "\r\n;\x00") or not password.isprintable():
        raise RenderError(f"{file}: a trunk's password must be one line of printable characters without ';'")
    return password


def _forms(settings: Settings, trunk: TrunkSection) -> Iterator[Form]:
    """Every way in which this carrier may write each number of ours; the first number that claims a form gets it."""
    country = trunk.did_country or settings.center.country
    taken: set[str] = set()
    for number in settings.numbers:
        did = settings.did(number)
        parsed = phonenumbers.parse(did)
        written = [did, did.removeprefix("+"), f"00{did.removeprefix('+')}"]
        if trunk.did_prefix and did.startswith(trunk.did_prefix):
            written.append(did.removeprefix(trunk.did_prefix))
        if country in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(parsed.country_code or 0, ()):
            written.append(phonenumbers.national_significant_number(parsed))
            national = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
            written.append("".join(character for character in national if character.isascii() and character.isdigit()))
        for dialed in written:
            if dialed and dialed not in taken:
                taken.add(dialed)
                yield Form(dialed, did, settings.fallback_queue(number) or "")


def _route(trunk: Trunk) -> Route:
    """An explicit address: a trunk that did not answer our last OPTIONS is tried all the same."""
    return Route(trunk.name, "sip:", f"@{trunk.uri.removeprefix('sip:')}")


# --- the machine around it --------------------------------------------------------------------


def hosts() -> str:
    """An ``/etc/hosts`` in which this machine's name resolves: without it every call waits for the resolver."""
    name = socket.gethostname()
    try:
        text = Path("/etc/hosts").read_text(encoding="utf-8")
    except OSError:
        text = "127.0.0.1 localhost\n::1 localhost\n"
    known = {word for line in text.splitlines() for word in line.partition("#")[0].split()[1:]}
    return text if name in known else f"{text.rstrip()}\n127.0.1.1 {name}\n"
