"""What callcenter.toml says about the database, nodes and trunks, checked against the rest of the file."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from callcenter.runtime.settings_model import TrunkSection
from callcenter.runtime.settings_problems import Problem

if TYPE_CHECKING:
    from callcenter.runtime.settings import Settings


def machine_faults(settings: "Settings") -> Iterator[Problem]:
    yield from _database_faults(settings)
    yield from _node_faults(settings)
    for index, trunk in enumerate(settings.trunks):
        yield from _trunk_faults(settings, f"trunk[{index}]", trunk)


def _database_faults(settings: "Settings") -> Iterator[Problem]:
    """The sentence never repeats the URL: it may hold a password."""
    if settings.database_url and not settings.database_url.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
        key = "CALLCENTER_DATABASE_URL (environment)" if os.environ.get("CALLCENTER_DATABASE_URL") else "database.url"
        yield Problem(key, "must be postgresql://USER:PASSWORD@HOST:PORT/NAME; empty for an embedded PostgreSQL")


def _node_faults(settings: "Settings") -> Iterator[Problem]:
    taken: dict[int, str] = {}
    for index, node in enumerate(settings.nodes):
        key = f"node[{index}]"
        if node.remote:
            needed = {"host": node.host, "ari_url": node.ari_url, "ari_user": node.ari_user, "ari_password_file": node.ari_password_file}
            for name, value in needed.items():
                if value is None:
                    yield Problem(f"{key}.{name}", "is missing; a remote node needs host, ari_url, ari_user and ari_password_file")
            continue
        if (node.tls_certificate is None) != (node.tls_private_key is None):
            yield Problem(f"{key}.tls_certificate", "and tls_private_key go together; give both or neither")
        if node.dialplan is not None and not settings.beside_the_file(node.dialplan).is_file():
            yield Problem(f"{key}.dialplan", f"names '{node.dialplan}', which is not a file")
        ports = {"sip_port": node.sip_port, "http_port": node.http_port, "ami_port": node.ami_port}
        if node.sip_tls_port is not None:
            ports["sip_tls_port"] = node.sip_tls_port
        for name, port in ports.items():
            if port in taken:
                yield Problem(f"{key}.{name}", f"port {port} is taken by {taken[port]}; each needs a port of its own")
            taken[port] = f"{key}.{name}"
    local = [(index, node) for index, node in enumerate(settings.nodes) if not node.remote]
    for place, (index, node) in enumerate(local):
        for other_index, other in local[:place]:
            if node.rtp_ports[0] <= other.rtp_ports[1] and other.rtp_ports[0] <= node.rtp_ports[1]:
                yield Problem(f"node[{index}].rtp_ports", f"overlap with those of node[{other_index}]; each node needs a range of its own")


def _trunk_faults(settings: "Settings", key: str, trunk: TrunkSection) -> Iterator[Problem]:
    if trunk.authentication == "address" and not trunk.addresses:
        yield Problem(f"{key}.addresses", "is missing; a trunk known by address needs the addresses its calls come from")
    if trunk.authentication == "registration":
        for name, value in {"host": trunk.host, "user": trunk.user, "password_file": trunk.password_file}.items():
            if value is None:
                yield Problem(f"{key}.{name}", "is missing; a trunk we register with needs host, user and password_file")
    if trunk.password_file is not None and not settings.beside_the_file(trunk.password_file).is_file():
        yield Problem(f"{key}.password_file", f"names '{trunk.password_file}', which is not a file")
    if trunk.transport == "tls" and any(node.sip_tls_port is None for node in settings.nodes if not node.remote):
        yield Problem(f"{key}.transport", "'tls' needs sip_tls_port in every [[node]]")
    if trunk.srtp and trunk.transport != "tls":
        yield Problem(f"{key}.srtp", 'needs transport = "tls": SRTP keys travel in the signalling')
    if not trunk.codecs:
        yield Problem(f"{key}.codecs", "must name at least one codec; allowed: ulaw, alaw, g722")
