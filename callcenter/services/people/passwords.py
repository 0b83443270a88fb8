"""Passwords: what is accepted, and their hashes, made and checked in threads of our own so that no loop ever waits for one.

Argon2id (RFC 9106) with OWASP's least: 19 MiB, two passes, one lane. At most ``AT_ONCE`` run at a time, each with its 19 MiB;
the others wait in line, and beyond ``IN_LINE`` whoever comes is told to come back: a storm costs time, never memory.
"""

import asyncio
import secrets
import unicodedata
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from callcenter.services.people.person import PersonError

T = TypeVar("T")

SHORTEST, LONGEST = 12, 256
"""In characters, after normalisation. Longer texts are refused before they are hashed."""
AT_ONCE = 2
IN_LINE = 500

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_nobody = _hasher.hash(secrets.token_hex(16))
"""What the password of somebody unknown is checked against, so that it takes as long as that of somebody known."""

COMMON = (
    "password", "passwort", "contraseña", "letmein", "welcome", "qwerty", "qwertz", "azerty", "iloveyou", "changeme", "callcenter",
    "asterisk", "admin", "administrator", "supervisor", "football", "baseball", "sunshine", "princess", "dragon", "monkey", "superman",
    "batman", "trustno", "master", "shadow", "secret", "login", "default", "summer", "winter", "spring", "autumn", "company", "support",
)  # fmt: skip
"""What guessers begin with. A password must hold more than one of these, digits and signs."""


class Busy(Exception):
    """Too many passwords are being checked; try again in some seconds."""


def normalised(password: str) -> str:
    """The same password, however the keyboard composes its letters (NFKC, as NIST SP 800-63B 5.1.1.2 asks)."""
    return unicodedata.normalize("NFKC", password)


def checked(password: str, name: str) -> str:
    """The password as it may be kept for this person. Raises PersonError with a sentence."""
    if len(password) > 4 * LONGEST or len(plain := normalised(password)) > LONGEST:
        raise PersonError("password", f"the password must not be longer than {LONGEST} characters", "fault_password_long")
    if len(plain) < SHORTEST:
        raise PersonError(
            "password", f"the password must have at least {SHORTEST} characters; a few words are easy to remember", "fault_password_short"
        )
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in plain):
        raise PersonError("password", "the password must not hold control characters", "fault_password_signs")
    if len(set(plain)) < 5 or _in_a_row(plain):
        raise PersonError("password", "the password repeats or counts; guessers try that first", "fault_password_rows")
    lowered = plain.lower()
    rest = lowered.replace(name.lower(), "") if len(name) >= 3 else lowered
    for common in COMMON:
        rest = rest.replace(common, "")
    if sum(sign.isalpha() for sign in rest) < 4 and len(rest) < SHORTEST:
        raise PersonError(
            "password",
            "the password is little more than a common word or the sign-in name; guessers try that first",
            "fault_password_common",
        )
    return plain


def _in_a_row(plain: str) -> bool:
    steps = {ord(later) - ord(earlier) for earlier, later in pairwise(plain)}
    return len(steps) == 1 and steps <= {-1, 0, 1}


class Passwords:
    """Hashes and checks, a few at a time."""

    def __init__(self, at_once: int = AT_ONCE, in_line: int = IN_LINE) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="argon2")
        self._apart = ThreadPoolExecutor(1, thread_name_prefix="argon2-known")
        self._room = at_once + in_line
        self._asked: Counter[ThreadPoolExecutor] = Counter()

    async def hash(self, password: str) -> str:
        """Of a password that was ``checked``. Raises Busy."""
        return await self._run(lambda: _hasher.hash(normalised(password)), self._apart)

    async def right(self, kept: str, password: str, *, known: bool = False) -> bool:
        """Whether it is the one kept; takes as long when nothing is kept. Who is ``known`` has a line apart. Raises Busy."""
        if len(password) > 4 * LONGEST or len(plain := normalised(password)) > LONGEST:
            return False
        return await self._run(lambda: _verify(kept, plain), self._apart if known else self._threads)

    @staticmethod
    def outdated(kept: str) -> bool:
        """Whether it was hashed with less than we now use."""
        return _hasher.check_needs_rehash(kept)

    def close(self) -> None:
        for threads in (self._threads, self._apart):
            threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T], threads: ThreadPoolExecutor) -> T:
        if self._asked[threads] >= self._room:
            raise Busy
        self._asked[threads] += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, work)
        finally:
            self._asked[threads] -= 1


def _verify(kept: str, plain: str) -> bool:
    try:
        return _hasher.verify(kept or _nobody, plain) and bool(kept)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):  # a lone surrogate is nobody's password
        return False


def hash_now(password: str) -> str:
    """The same at once, for commands that wait for nothing else."""
    return _hasher.hash(normalised(password))
