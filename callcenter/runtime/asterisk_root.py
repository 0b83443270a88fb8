"""Which Asterisk we run: one on PATH that is new enough, else our private root of Debian packages.

``python -m callcenter.runtime.asterisk_root`` builds that root (``make setup`` calls it). The packages come
from the mirror that the machine's own apt is configured for.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from callcenter.runtime.places import cache

FLOOR = (22, 10, 1)
"""The oldest version we run: it closes twenty advisories, among them a read-only bypass on ARI over WebSocket."""
SUITE = "forky"
PACKAGES = ("asterisk", "asterisk-core-sounds-en-wav", "asterisk-moh-opsound-wav")
STAMP = "callcenter-root-1"
"""Raise the number to have everybody's root built anew."""


class AsteriskMissing(Exception):
    """There is no Asterisk that we may run; the message says how to get one."""


@dataclass(frozen=True, slots=True)
class Installation:
    """An Asterisk on this machine."""

    version: tuple[int, ...]
    program: str
    """As seen where it runs: inside ``root`` when there is one."""
    root: Path | None = None
    """The private root filesystem; None: the machine's own."""

    @property
    def version_text(self) -> str:
        return ".".join(map(str, self.version))


def find() -> Installation:
    """The Asterisk to run. Raises AsteriskMissing."""
    own = on_path()
    if own is not None and own.version >= FLOOR:
        return own
    private = private_root()
    if private is not None and private.version >= FLOOR:
        return private
    floor = ".".join(map(str, FLOOR))
    seen = [f"{found.program if found.root is None else found.root} is {found.version_text}" for found in (own, private) if found]
    raise AsteriskMissing(
        f"no Asterisk {floor} or newer: {'; '.join(seen) or 'none on PATH, no private root'}; "
        f"run 'make setup' on Debian, or put an Asterisk {floor} or newer on PATH"
    )


def on_path() -> Installation | None:
    """The Asterisk on PATH, whatever its version."""
    program = shutil.which("asterisk", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        return None
    answer = subprocess.run([program, "-V"], capture_output=True, text=True, check=False, timeout=20).stdout
    version = _version(answer.removeprefix("Asterisk "))
    return Installation(version, program) if version else None


def root_folder() -> Path:
    return cache() / "asterisk-root"


def private_root() -> Installation | None:
    """The private root, if there is one. Its version is read from its package list; nothing in it is run."""
    root = root_folder()
    try:
        status = (root / "var/lib/dpkg/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = re.search(r"^Package: asterisk\n(?:.+\n)*?Version: (?:\d+:)?(\S+)", status, re.MULTILINE)
    version = _version(found.group(1)) if found else ()
    return Installation(version, "/usr/sbin/asterisk", root) if version and (root / "usr/sbin/asterisk").exists() else None


def _version(text: str) -> tuple[int, ...]:
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", text)
    return tuple(map(int, found.groups())) if found else ()


# --- building it ------------------------------------------------------------------------------


def mirror() -> str:
    """The Debian mirror of this machine's own apt. Raises AsteriskMissing."""
    wanted = ["apt-get", "indextargets", "--format", "$(REPO_URI)|$(ORIGIN)|$(LABEL)", "Created-By: Packages", "Component: main"]
    try:
        lines = subprocess.run(wanted, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        lines = []
    for line in lines:
        uri, origin, label = line.split("|")
        if (origin, label) == ("Debian", "Debian"):
            return uri
    raise AsteriskMissing(
        "this machine's apt knows no Debian mirror (run 'apt-get update' first on Debian); "
        f"elsewhere put an Asterisk {'.'.join(map(str, FLOOR))} or newer on PATH, or use compose.yaml"
    )


def build() -> Path:
    """Build the private root beside its place and move it there when it is whole. Raises AsteriskMissing."""
    target = root_folder()
    target.parent.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        target.parent.chmod(0o755)
    work = Path(tempfile.mkdtemp(prefix=".asterisk-root-", dir=target.parent))
    root = work / "root"
    try:
        done = subprocess.run(_mmdebstrap(root, mirror()), check=False)
        if done.returncode != 0:
            raise AsteriskMissing(f"the private root for Asterisk could not be built: mmdebstrap ended with {done.returncode} (see above)")
        (root / STAMP).touch()
        root.chmod(0o755)
        if target.exists():
            target.rename(work / "old")
        root.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def _mmdebstrap(root: Path, uri: str) -> list[str]:
    command = [
        "mmdebstrap",
        "--variant=apt",
        f"--mode={'root' if os.geteuid() == 0 else 'unshare'}",
        # A mirror that lags is still signed; its packages are checked against that signature.
        '--aptopt=Acquire::Check-Valid-Until "false"',
        '--aptopt=APT::Install-Recommends "false"',
    ]
    for scheme in ("http", "https"):
        shown = subprocess.run(["apt-config", "dump", f"Acquire::{scheme}::Proxy"], capture_output=True, text=True, check=False)
        command += [f"--aptopt={line.rstrip(';')}" for line in shown.stdout.splitlines() if line.startswith(f"Acquire::{scheme}::Proxy ")]
    return [*command, f"--include={','.join(PACKAGES)}", SUITE, str(root), f"deb {uri} {SUITE} main"]


def main() -> int:
    """Build the private root unless a suitable Asterisk is here already; with ``--find``, only say which is here."""
    try:
        found = find()
        print(f"Asterisk {found.version_text} is here: {found.root or found.program}")
        return 0
    except AsteriskMissing as error:
        if "--find" in sys.argv[1:]:
            print(error, file=sys.stderr)
            return 1
    try:
        build()
        found = find()
    except AsteriskMissing as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    print(f"Asterisk {found.version_text} is ready: {found.root}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
