"""Random secrets, made once and kept in one file that only we can read.

Nobody ever types or chooses them. An agent's phone has a random name too: whoever knows the agent
does not know the account to attack.
"""

import contextlib
import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

FILE = "secrets.json"
ARI_USER = "callcenter"
AMI_RECORDING_USER = "recording"
AMI_OPERATIONS_USER = "operations"
AMI_DOCTOR_USER = "doctor"


class SecretsError(Exception):
    """The file of secrets cannot be used."""


def _secret() -> str:
    """32 characters, 190 bits; letters and digits only, so that it needs no quoting anywhere."""
    return "".join(secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789") for _ in range(32))


def _phone_name() -> str:
    return "phone-" + secrets.token_hex(6)


@dataclass(frozen=True, slots=True)
class Phone:
    """The account of one agent's phone: its PJSIP endpoint, which is the SIP user name too, and its password."""

    endpoint: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Secrets:
    """All secrets of one data folder."""

    ari_password: str = field(default_factory=_secret, repr=False)
    ami_recording_password: str = field(default_factory=_secret, repr=False)
    ami_operations_password: str = field(default_factory=_secret, repr=False)
    ami_doctor_password: str = field(default_factory=_secret, repr=False)
    control_token: str = field(default_factory=_secret, repr=False)
    postgres_password: str = field(default_factory=_secret, repr=False)
    metrics_token: str = field(default_factory=_secret, repr=False)
    """Opens /metrics, and nothing else."""
    webhook_key: str = field(default_factory=_secret, repr=False)
    """The secrets that webhooks are signed with follow from it."""
    phones: Mapping[str, Phone] = field(default_factory=dict)
    """By agent. Phones of agents who have left stay listed, so that nobody else is given their name."""

    @property
    def endpoints(self) -> dict[str, str]:
        """From agent to PJSIP endpoint, as ``Settings.center_config`` wants them."""
        return {agent: phone.endpoint for agent, phone in self.phones.items()}


def load_secrets(data: Path, agents: Iterable[str] = ()) -> Secrets:
    """Read the secrets of a data folder; make those that are not there yet. Raises SecretsError."""
    data.mkdir(parents=True, exist_ok=True)
    with _alone(data):
        file = data / FILE
        known = _read(file)
        phones = dict(known.phones) if known else {}
        for agent in agents:
            phones.setdefault(agent, Phone(_phone_name(), _secret()))
        wanted = replace(known or Secrets(), phones=phones)
        if wanted != known:
            _write(file, wanted)
    return wanted


def rotate_phone(data: Path, agent: str) -> Phone:
    """Give the agent's phone a new random account, and forget the old one. Raises SecretsError."""
    load_secrets(data, [agent])
    with _alone(data):
        known = _read(data / FILE)
        assert known is not None
        made = Phone(_phone_name(), _secret())
        _write(data / FILE, replace(known, phones={**known.phones, agent: made}))
    return made


@contextlib.contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Several processes of ours start at once; all must end up with the same secrets."""
    folder = os.open(data, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _read(file: Path) -> Secrets | None:
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise SecretsError(f"{file}: cannot be read ({error}); restore it from a backup, or remove it to get new secrets") from None
    if file.stat().st_mode & 0o077:
        raise SecretsError(
            f"{file}: others can read it; run: chmod 600 {file}, then remove it to get new secrets if anybody may have looked"
        )
    try:
        raw.pop("web_token", None)  # of versions in which nobody could sign in
        phones = {agent: Phone(**phone) for agent, phone in raw.pop("phones", {}).items()}
        return Secrets(**raw, phones=phones)
    except (TypeError, AttributeError) as error:
        raise SecretsError(f"{file}: holds something else than secrets ({error})") from None


def _write(file: Path, wanted: Secrets) -> None:
    """Whole or not at all, and never readable for others, not even for a moment."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".secrets-")  # mkstemp creates it 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(asdict(wanted), stream, indent=2)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(name, file)
    except BaseException:
        os.unlink(name)
        raise
