"""Where the files are that we ship, and where caches go."""

import os
from pathlib import Path

import callcenter


def shipped(folder: str) -> Path:
    """A folder of ours, as ``dialplan`` or ``provisioning``; inside the installed package, else in the checkout around it."""
    package = Path(callcenter.__file__).resolve().parent
    installed = package / "share" / folder
    return installed if installed.is_dir() else package.parent / folder


def cache() -> Path:
    """Caches outlive a checkout, and are readable for the unprivileged account that Asterisk runs as when we are root."""
    return Path("/var/cache/callcenter") if os.geteuid() == 0 else Path.home() / ".cache/callcenter"
