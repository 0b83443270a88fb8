"""The files that desk phones fetch for themselves: each under a secret address of its own, made anew at each request.

Kept are the hashes of the secrets alone (``phone-files.json`` of the data folder); a secret is told once, when it is made. An agent has one
device, so a new address takes the place of the one before.
"""

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from callcenter.runtime.provisioning import ProvisioningError, file_name, provision
from callcenter.runtime.secrets import load_secrets
from callcenter.runtime.settings import Settings

log = logging.getLogger(__name__)

FILE = "phone-files.json"
PATH = "/phone-files"
"""Below it: the secret, then the name under which the phone asks."""


@dataclass(frozen=True, slots=True)
class PhoneFile:
    """One phone's."""

    agent: str
    model: str
    name: str


def make_address(data: Path, agent: str, model: str, mac: str) -> tuple[str, PhoneFile]:
    """A secret of 256 bits for this phone, and its file; the agent's address before is worth nothing any more. Raises ProvisioningError."""
    made, secret = PhoneFile(agent, model, file_name(model, agent, mac)), secrets.token_urlsafe(32)
    with _alone(data):
        known = {key: each for key, each in _read(data).items() if each.agent != agent}
        _write(data, {**known, _hash(secret): made})
    return secret, made


def withdraw_address(data: Path, agent: str) -> bool:
    """Whether the agent's phone had one."""
    with _alone(data):
        known = _read(data)
        left = {key: each for key, each in known.items() if each.agent != agent}
        if left != known:
            _write(data, left)
    return left != known


def text_for(settings: Settings, secret: str, name: str) -> tuple[PhoneFile, str] | None:
    """The file as it is to be now, if this is its secret and its name; None: there is none, for whatever reason. Blocks."""
    if not settings.desk_phone.provisioning:
        return None
    try:
        found = _read(settings.data).get(_hash(secret))
    except ProvisioningError as error:
        log.error("phone_files_unreadable %s", error)
        return None
    agent = next((each for each in settings.agents if found is not None and each.name == found.agent), None)
    if found is None or agent is None or found.name != name:
        return None
    phone = load_secrets(settings.data, [agent.name]).phones[agent.name]
    try:
        return found, provision(settings, agent, phone, found.model)
    except ProvisioningError:
        return None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _read(data: Path) -> dict[str, PhoneFile]:
    try:
        raw = json.loads((data / FILE).read_text(encoding="utf-8"))
        return {key: PhoneFile(**each) for key, each in raw.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ProvisioningError(f"{data / FILE}: cannot be read ({error}); remove it and give phones new addresses") from None


def _write(data: Path, files: dict[str, PhoneFile]) -> None:
    fresh = data / f"{FILE}.new"
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
        json.dump({key: asdict(each) for key, each in files.items()}, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(data / FILE)


@contextlib.contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Two commands at once must not lose one another's addresses."""
    with os.fdopen(os.open(data / f"{FILE}.lock", os.O_RDWR | os.O_CREAT, 0o600), "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
