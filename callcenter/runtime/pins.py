"""PINs, as hashes only: in one file of the data folder that nobody else can read. Slow on purpose; never called on the engine's loop."""

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

FILE = "pins.json"
SHORTEST, LONGEST = 4, 12

_hasher = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=1)
"""Argon2id (RFC 9106, second recommended option, with one lane): about a tenth of a second and 64 MiB for one try."""


class PinError(Exception):
    """The PIN cannot be set, or the file cannot be used; the sentence says why."""


class Pins:
    """By holder, such as ``calendar:main``."""

    def __init__(self, data: Path) -> None:
        self._file = data / FILE

    def check(self, holder: str, pin: str) -> bool | None:
        """Whether it is the holder's; None: the holder has none. Raises PinError."""
        kept = self._read().get(holder)
        if kept is None:
            return None
        try:
            return _hasher.verify(kept, pin)
        except VerificationError:
            return False
        except InvalidHashError:
            raise PinError(f"{self._file}: what is kept for {holder} is no hash; set the PIN anew") from None

    def holders(self) -> frozenset[str]:
        """Who has one. Raises PinError."""
        return frozenset(self._read())

    def set(self, holder: str, pin: str) -> None:
        """Raises PinError."""
        fault = weakness(pin)
        if fault:
            raise PinError(f"the PIN {fault}")
        with self._alone():
            self._write({**self._read(), holder: _hasher.hash(pin)})

    def remove(self, holder: str) -> None:
        """It opens nothing any more. Raises PinError."""
        with self._alone():
            self._write({kept: hash_ for kept, hash_ in self._read().items() if kept != holder})

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        folder = os.open(self._file.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def _read(self) -> Mapping[str, str]:
        try:
            raw = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise PinError(f"{self._file}: cannot be read ({error}); restore it, or remove it and set all PINs anew") from None
        if not isinstance(raw, dict) or not all(isinstance(kept, str) for kept in raw.values()):
            raise PinError(f"{self._file}: holds something else than PINs; remove it and set all PINs anew")
        return raw

    def _write(self, kept: Mapping[str, str]) -> None:
        """Whole or not at all, and never readable for others."""
        handle, name = tempfile.mkstemp(dir=self._file.parent, prefix=".pins-")  # mkstemp creates it 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump(kept, stream, indent=2)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(name, self._file)
        except BaseException:
            os.unlink(name)
            raise


def weakness(pin: str) -> str | None:
    """What is wrong with it; None: it may be used."""
    if not (pin.isascii() and pin.isdigit() and SHORTEST <= len(pin) <= LONGEST):
        return f"must be {SHORTEST} to {LONGEST} digits"
    steps = {(int(later) - int(earlier)) % 10 for earlier, later in pairwise(pin)}
    if len(steps) == 1 and steps <= {0, 1, 9}:
        return "must not be one digit again and again, or digits in a row: they are tried first"
    return None
