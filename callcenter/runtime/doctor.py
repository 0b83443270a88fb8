"""``doctor``: is this machine, and what runs on it, fit to take calls. Each failure comes with its fix."""

import ctypes
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from callcenter.runtime import ports
from callcenter.runtime.asterisk import PID_FILE
from callcenter.runtime.asterisk_root import FLOOR, AsteriskMissing, Installation, find
from callcenter.runtime.checks import Check, Level, fail, ok, warn
from callcenter.runtime.data_folder import data_folder
from callcenter.runtime.doctor_hours import check_hours
from callcenter.runtime.doctor_node import check_node
from callcenter.runtime.process import Process
from callcenter.runtime.secrets import FILE, Secrets, SecretsError, load_secrets
from callcenter.runtime.settings import Settings

PYTHON = (3, 11)
FREE_AT_LEAST = 1_000_000_000
"""Bytes; less is a failure: the journal must always find room."""
TOOLS = {"sipp": "sip-tester", "espeak-ng": "espeak-ng", "bwrap": "bubblewrap"}
CODECS = ("codec_ulaw", "codec_alaw")
SAFE_TO_REFER = (22, 11, 0)
"""The first Asterisk that survives every REFER told to us (docs/asterisk.md)."""


@dataclass(frozen=True, slots=True)
class Space:
    """Of a disk, in bytes."""

    total: int
    free: int


Also = Callable[[Settings, Secrets | None], Iterable[Check]]
"""Further checks, by those who may load the database and the engine's socket."""


def examine(settings: Settings, also: Also | None = None) -> Iterator[Check]:
    """All checks, in the order in which one would repair."""
    yield check_python()
    yield from check_asterisk(settings)
    yield check_host_name()
    yield from check_disk(settings.data)
    yield check_clock()
    yield from check_tools(which=shutil.which)
    secrets, found = check_secrets(settings)
    yield found
    if secrets is not None:
        for node in settings.nodes:
            yield from check_node(settings, secrets, node)
    yield from check_ports(settings)
    yield from check_hours(settings)
    if also is not None:
        yield from also(settings, secrets)


def healthy(checks: Iterable[Check]) -> bool:
    return all(check.level is not Level.FAIL for check in checks)


# --- the machine ------------------------------------------------------------------------------


def check_python(version: tuple[int, ...] = tuple(sys.version_info[:3])) -> Check:
    text = ".".join(map(str, version))
    if version < PYTHON:
        return fail("python", f"{text} is too old", "install Python 3.11 or newer, then run: make setup")
    return ok("python", text)


def check_asterisk(settings: Settings, search: Callable[[], Installation] = find) -> Iterator[Check]:
    """The Asterisk that local nodes run; nothing to check when all nodes are remote."""
    if all(node.remote for node in settings.nodes):
        return
    try:
        found = search()
    except AsteriskMissing as error:
        yield fail("asterisk", str(error), "run: make setup")
        return
    where = found.program if found.root is None else f"private root {found.root}"
    floor = ".".join(map(str, FLOOR))
    if found.version < FLOOR:
        yield fail("asterisk", f"{found.version_text} is older than {floor}", "run: make setup")
    else:
        yield ok("asterisk", f"{found.version_text} in {where} (floor {floor})")
    transferring = [agent.name for agent in settings.agents if settings.may_transfer(agent)]
    if transferring and found.version < SAFE_TO_REFER:
        yield warn(
            "phone transfers",
            f"{found.version_text} dies of a phone's REFER with 'Refer-Sub: false' (mended in {'.'.join(map(str, SAFE_TO_REFER))});"
            f" {len(transferring)} phones may send one, {transferring[0]}'s among them",
            "set phone_transfers = true only for agents whose phones do not send it (docs/transfers.md); the others transfer by command",
        )
    missing = [codec for codec in CODECS if not any((found.root or Path("/")).glob(f"usr/lib*/**/asterisk/modules/{codec}.so"))]
    if missing:
        yield fail("codecs", f"the installation lacks {', '.join(missing)}", "install an Asterisk with G.711; carriers speak it")
    else:
        yield ok("codecs", "G.711 µ-law and A-law are installed")


def check_host_name(name: str | None = None) -> Check:
    """Without it every call waits for the resolver."""
    host = name or socket.gethostname()
    try:
        address = socket.getaddrinfo(host, None)[0][4][0]
    except OSError as error:
        return fail("host name", f"'{host}' does not resolve ({error.strerror})", f"add the line '127.0.1.1 {host}' to /etc/hosts")
    return ok("host name", f"'{host}' is {address}")


def check_disk(folder: Path, space: Callable[[Path], Space] | None = None) -> Iterator[Check]:
    """Where the journal and the recordings go."""
    place = folder
    while not place.exists():
        place = place.parent
    seen = (space or _space)(place)
    used = 1 - seen.free / seen.total if seen.total else 1.0
    free = f"{seen.free / 1e9:.1f} GB" if seen.free >= 1e8 else f"{seen.free / 1e6:.1f} MB"
    detail = f"{free} free at {folder} ({used:.0%} used)"
    fix = f"make room at {folder}, keep recordings for fewer days (recording.keep_days), or move paths.data"
    if not os.access(place, os.W_OK):
        yield fail("disk", f"{place} cannot be written", f"let the account that runs callcenter write there, or move {folder} (paths.data)")
    elif seen.free < FREE_AT_LEAST:
        yield fail("disk", detail, fix)
    elif used >= 0.9:
        yield warn("disk", f"{detail}: nearly full", fix)
    elif used >= 0.8:
        yield warn("disk", detail, fix)
    else:
        yield ok("disk", detail)


def _space(place: Path) -> Space:
    usage = shutil.disk_usage(place)
    return Space(usage.total, usage.free)


def check_clock(synchronised: Callable[[], bool | None] | None = None, now: Callable[[], datetime] | None = None) -> Check:
    """Dates in reports, and calling hours, are only as good as the clock."""
    year = (now or (lambda: datetime.now(UTC)))().year
    if not 2025 <= year < 2100:
        return fail("clock", f"it shows the year {year}", "set the clock, and let it be kept by NTP")
    kept = (synchronised or _kept_by_ntp)()
    if kept is None:
        return warn("clock", "whether NTP keeps it cannot be read here", "make sure that the host's clock is kept by NTP")
    if not kept:
        return warn("clock", "nothing keeps it right", "install and start chrony or systemd-timesyncd")
    return ok("clock", "kept by NTP")


def _kept_by_ntp() -> bool | None:
    """The kernel knows: ``adjtimex`` answers TIME_ERROR (5) while nobody disciplines the clock."""
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(512))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != 5


def check_tools(which: Callable[[str], str | None]) -> Iterator[Check]:
    """Programs that tests, spoken prompts and the private root use."""
    for program, package in TOOLS.items():
        found = which(program)
        yield ok(program, found) if found else warn(program, "is not installed", f"install the package {package} (make setup does)")


# --- ours -------------------------------------------------------------------------------------


def check_secrets(settings: Settings) -> tuple[Secrets | None, Check]:
    """They are made at the first start; looking at a machine makes nothing."""
    file = settings.data / FILE
    try:
        if not file.exists():
            return None, warn("secrets", f"{file} is not there yet", "it is made by: callcenter serve")
        return load_secrets(settings.data), ok("secrets", f"{file}, for our eyes only")
    except OSError as error:
        return None, fail("secrets", f"{file} cannot be read: {error.strerror}", "run doctor as the account that runs callcenter")
    except SecretsError as error:
        return None, fail("secrets", str(error), f"run: chmod 600 {file}")


def check_ports(settings: Settings) -> Iterator[Check]:
    """Each port is free, or its owner is our own process that runs."""
    for wanted in ports.all_of(settings):
        name = f"port {wanted.port}/{wanted.kind}"
        if wanted.is_free():
            yield ok(name, f"free for {wanted.owner}")
        elif _runs(settings, wanted.owner):
            yield ok(name, f"ours ({wanted.owner})")
        else:
            yield fail(
                name, f"in use by another program; {wanted.owner} needs it", f"stop that program, or set {wanted.key} to a free port"
            )


def _runs(settings: Settings, owner: str) -> bool:
    folder = data_folder(settings)
    if owner.startswith("asterisk "):
        return Process.read(folder.nodes / owner.removeprefix("asterisk ") / PID_FILE) is not None
    return Process.read(folder.run / f"{owner}.json") is not None
