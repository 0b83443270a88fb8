"""``doctor`` at one Asterisk node: does it run, does it answer, has it what we need."""

import json
import re
import socket
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

from callcenter.runtime.asterisk import PID_FILE
from callcenter.runtime.asterisk_modules import LOADED, REQUIRED
from callcenter.runtime.asterisk_root import FLOOR
from callcenter.runtime.checks import Check, fail, ok, warn
from callcenter.runtime.doctor_trunks import check_trunks
from callcenter.runtime.process import Process
from callcenter.runtime.secrets import AMI_DOCTOR_USER, ARI_USER, Secrets
from callcenter.runtime.settings import Settings
from callcenter.runtime.settings_model import NodeSection

TIMEOUT = 2.0
CLOCK_TOLERANCE = 5.0
"""Seconds that two clocks may differ; the dialplan's guard uses node time, so this is for the reports."""


@dataclass(frozen=True, slots=True)
class Door:
    """How to reach one node."""

    ari_url: str
    ari_user: str
    ari_password: str
    ami_host: str
    ami_port: int
    ami_user: str
    ami_password: str


def door(settings: Settings, secrets: Secrets, node: NodeSection) -> Door:
    if not node.remote:
        ari = f"http://127.0.0.1:{node.http_port}/ari"
        return Door(ari, ARI_USER, secrets.ari_password, "127.0.0.1", node.ami_port, AMI_DOCTOR_USER, secrets.ami_doctor_password)
    return Door(
        (node.ari_url or "").rstrip("/"),
        node.ari_user or "",
        _password(settings, node.ari_password_file),
        node.host or "",
        node.ami_port,
        node.ami_user or "",
        _password(settings, node.ami_password_file),
    )


def _password(settings: Settings, file: Path | None) -> str:
    try:
        return settings.beside_the_file(file).read_text().strip() if file else ""
    except OSError:
        return ""


def check_node(settings: Settings, secrets: Secrets, node: NodeSection) -> Iterator[Check]:
    """All checks of one node; those that need it running only when it does."""
    name = f"asterisk {node.name}"
    if not node.remote:
        folder = settings.data / "nodes" / node.name
        yield from _host_name(name, folder)
        process = Process.read(folder / PID_FILE)
        if process is None:
            yield warn(f"{name} runs", "it does not run", "start it with: callcenter serve")
            return
        yield ok(f"{name} runs", f"process {process.pid}")
    way = door(settings, secrets, node)
    yield from _ari(name, way, node.remote)
    yield _ami(name, way)
    if not node.remote:
        yield from check_trunks(settings, node, {"Username": way.ami_user, "Secret": way.ami_password}, _endpoint_states(way))


def _host_name(name: str, folder: Path) -> Iterator[Check]:
    """Inside the private root the machine's name must resolve too: without it every call waits for the resolver."""
    try:
        words = (folder / "hosts").read_text(encoding="utf-8").split()
    except OSError:
        return  # it was never started; it is written then
    host = socket.gethostname()
    if host in words:
        yield ok(f"{name} host name", f"'{host}' resolves inside")
    else:
        yield fail(f"{name} host name", f"'{host}' does not resolve inside", "the machine was renamed: stop and start callcenter serve")


# --- ARI --------------------------------------------------------------------------------------


def _ari(name: str, way: Door, remote: bool) -> Iterator[Check]:
    try:
        info, seconds_off = _get(way, "/asterisk/info")
        modules, _ = _get(way, "/asterisk/modules")
    except _NoAnswer as error:
        fix = "check ari_url, ari_user and ari_password_file" if remote else "stop and start callcenter serve; see the node's log folder"
        yield fail(f"{name} ARI", str(error), fix)
        return
    yield ok(f"{name} ARI", f"answers at {way.ari_url}")
    yield _version(name, info)
    yield from _modules(name, modules)
    if abs(seconds_off) > CLOCK_TOLERANCE:
        yield warn(f"{name} clock", f"differs from ours by {seconds_off:+.0f} s", "let both machines keep time by NTP")
    else:
        yield ok(f"{name} clock", "agrees with ours")


def _version(name: str, info: object) -> Check:
    floor = ".".join(map(str, FLOOR))
    system = info.get("system") if isinstance(info, dict) else None
    text = str(system.get("version", "")) if isinstance(system, dict) else ""
    found = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    if found is None:
        return warn(f"{name} version", f"cannot be read from {text!r}", f"make sure that it is {floor} or newer")
    if tuple(int(part or 0) for part in found.groups()) < FLOOR:
        return fail(f"{name} version", f"{text} is older than {floor}", f"install Asterisk {floor} or newer: it closes known holes")
    return ok(f"{name} version", f"{text} (floor {floor})")


def _modules(name: str, modules: object) -> Iterator[Check]:
    running = {
        str(module.get("name", "")).removesuffix(".so")
        for module in (modules if isinstance(modules, list) else [])
        if isinstance(module, dict) and module.get("status") == "Running"
    }
    missing = [module for module in (*REQUIRED, *LOADED) if module not in running]
    needed = [module for module in missing if module in REQUIRED]
    if needed:
        yield fail(f"{name} modules", f"not running: {', '.join(needed)}", "reinstall Asterisk, or remove a modules.conf of your own")
    elif missing:
        yield warn(f"{name} modules", f"not running: {', '.join(missing)}", "look for their errors in the node's log folder")
    else:
        yield ok(f"{name} modules", f"{len(REQUIRED) + len(LOADED)} running")
    codecs = [codec for codec in ("codec_ulaw", "codec_alaw") if codec not in running]
    if codecs:
        yield fail(f"{name} codecs", f"missing: {', '.join(codecs)}", "install an Asterisk with G.711; carriers speak it")
    else:
        yield ok(f"{name} codecs", ", ".join(sorted(module.removeprefix("codec_") for module in running if module.startswith("codec_"))))


def _endpoint_states(way: Door) -> dict[str, str]:
    """``online``, ``offline`` or ``unknown`` by name; nothing when ARI does not answer, which is a finding of its own."""
    try:
        endpoints, _ = _get(way, "/endpoints/PJSIP")
    except _NoAnswer:
        return {}
    found = [endpoint for endpoint in (endpoints if isinstance(endpoints, list) else []) if isinstance(endpoint, dict)]
    return {str(endpoint.get("resource")): str(endpoint.get("state")) for endpoint in found}


class _NoAnswer(Exception):
    """It did not answer, or not as it should."""


def _get(way: Door, path: str) -> tuple[object, float]:
    """What ARI says, and how far its clock is ahead of ours in seconds (a whole second uncertain)."""
    url = urlsplit(way.ari_url)
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    if not url.hostname:
        raise _NoAnswer(f"'{way.ari_url}' is no address")
    connection = kind(url.hostname, url.port, timeout=TIMEOUT)
    credentials = b64encode(f"{way.ari_user}:{way.ari_password}".encode()).decode()
    try:
        connection.request("GET", f"{url.path}{path}", headers={"Authorization": f"Basic {credentials}"})
        response = connection.getresponse()
        body = response.read()
    except (OSError, HTTPException) as error:
        raise _NoAnswer(f"no answer at {way.ari_url}: {error}") from None
    finally:
        connection.close()
    if response.status != 200:
        raise _NoAnswer(f"answers with {response.status} {response.reason}")
    try:
        date = response.headers.get("Date")
        off = (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds() if date else 0.0
        return json.loads(body), off
    except (ValueError, TypeError) as error:
        raise _NoAnswer(f"says something else than JSON: {error}") from None


# --- AMI --------------------------------------------------------------------------------------


def _ami(name: str, way: Door) -> Check:
    fix = "stop and start callcenter serve; for a remote node check ami_port, ami_user and ami_password_file"
    if not way.ami_user:
        return warn(f"{name} AMI", "no account is configured", "set ami_user and ami_password_file: without AMI nothing is recorded")
    try:
        with socket.create_connection((way.ami_host, way.ami_port), TIMEOUT) as connection, connection.makefile("rwb") as stream:
            banner = stream.readline(200).decode(errors="replace").strip()
            stream.write(f"Action: Login\r\nUsername: {way.ami_user}\r\nSecret: {way.ami_password}\r\nEvents: off\r\n\r\n".encode())
            stream.flush()
            answer = stream.readline(200).decode(errors="replace").strip()
    except OSError as error:
        return fail(f"{name} AMI", f"no answer at {way.ami_host}:{way.ami_port}: {error}", fix)
    if answer != "Response: Success":
        return fail(f"{name} AMI", f"refuses the login ({answer or 'no answer'})", fix)
    return ok(f"{name} AMI", f"answers at {way.ami_host}:{way.ami_port} ({banner})")
