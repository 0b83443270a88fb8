"""``doctor`` at the trunks of a running node: are we registered, does the carrier answer."""

import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, cast

from callcenter.runtime.checks import Check, fail, ok, warn
from callcenter.runtime.settings import Settings
from callcenter.runtime.settings_model import NodeSection, TrunkSection

TIMEOUT = 3.0
LOG_TAIL = 100_000
"""Bytes of the log in which the latest word on a registration is looked for."""


def check_trunks(settings: Settings, node: NodeSection, login: Mapping[str, str], states: Mapping[str, str]) -> Iterator[Check]:
    """Every trunk with a host, as this node sees it.

    ``login`` are the fields of an AMI login; ``states`` what ARI says of endpoints: ``online``, ``offline``, ``unknown``.
    """
    trunks = [trunk for trunk in settings.trunks if trunk.host]
    registered = _registrations(node.ami_port, login) if any(trunk.authentication == "registration" for trunk in trunks) else {}
    for trunk in trunks:
        name = f"trunk {trunk.name} at {node.name}"
        if trunk.authentication == "registration":
            yield _registration(f"{name} registers", settings, node, trunk, registered.get(trunk.name, ""))
        yield _answering(name, trunk, states.get(trunk.name, "unknown"))


def _registrations(port: int, login: Mapping[str, str]) -> dict[str, str]:
    """The status of each registration by trunk; none when the AMI does not answer, which is a finding of its own."""
    try:
        events = asked(port, login, "PJSIPShowRegistrationsOutbound")
    except OSError:
        return {}
    # The list holds the trunks' passwords too; nothing of it but this may be kept or shown.
    return {event.get("ObjectName", ""): event.get("Status", "") for event in events if event.get("Event") == "OutboundRegistrationDetail"}


def _registration(name: str, settings: Settings, node: NodeSection, trunk: TrunkSection, status: str) -> Check:
    where = f"{trunk.host} as '{trunk.user}'"
    if status == "Registered":
        return ok(name, f"registered with {where}")
    if not status:
        return fail(name, "Asterisk does not tell", "run: callcenter reload; else stop and start callcenter serve")
    said = _said(settings.data / "nodes" / node.name / "log" / "messages", trunk)
    fix = (
        f"check host, port, transport, user and password_file of trunk '{trunk.name}', then: callcenter reload; it is tried again by itself"
    )
    return fail(name, f"not registered with {where}, so no calls come in{f': {said}' if said else ''}", fix)


def _said(log: Path, trunk: TrunkSection) -> str:
    """Why the last attempt failed, as Asterisk's log has it: its state does not tell a refusal from silence."""
    try:
        with log.open("rb") as file:
            file.seek(-min(LOG_TAIL, log.stat().st_size), os.SEEK_END)
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    about = [line for line in lines if "res_pjsip_outbound_registration.c: " in line and f"sip:{trunk.user}@" in line]
    if not about:
        return ""
    words = about[-1].partition("res_pjsip_outbound_registration.c: ")[2]
    return "the carrier does not answer" if words.startswith("No response") else f"the carrier refuses ({words[:160]})"


def _answering(name: str, trunk: TrunkSection, state: str) -> Check:
    """By OPTIONS each 30 s. A carrier may ignore these, so silence is no failure; calls out are tried all the same."""
    if state == "offline":
        fix = f"check host and port of trunk '{trunk.name}', unless this carrier never answers OPTIONS"
        return warn(f"{name} answers", f"{trunk.host} does not answer OPTIONS", fix)
    return ok(f"{name} answers", f"{trunk.host} is {'there' if state == 'online' else 'not asked yet'}")


def asked(port: int, login: Mapping[str, str], action: str) -> list[dict[str, str]]:
    """The events of an action's list. Raises OSError."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as connection, connection.makefile("rwb") as made:
        stream = cast(BinaryIO, made)
        stream.readline(200)  # the banner
        _send(stream, {"Action": "Login", **login, "Events": "off"})
        if _message(stream).get("Response") != "Success":
            raise OSError("the login is refused")
        _send(stream, {"Action": action})
        return list(_listed(stream))


def _send(stream: BinaryIO, fields: Mapping[str, str]) -> None:
    stream.write("".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode() + b"\r\n")
    stream.flush()


def _listed(stream: BinaryIO) -> Iterator[dict[str, str]]:
    """The events between a list's answer and its end; none when there is no list."""
    answer = _message(stream)
    while answer and "Response" not in answer:
        answer = _message(stream)  # an event that came between
    if answer.get("EventList") != "start":
        return
    while (event := _message(stream)) and event.get("EventList") != "Complete":
        yield event


def _message(stream: BinaryIO) -> dict[str, str]:
    """One message; empty at the end of the connection."""
    fields: dict[str, str] = {}
    while line := stream.readline(8192).decode(errors="replace").strip():
        key, _, value = line.partition(":")
        fields[key] = value.strip()
    return fields
