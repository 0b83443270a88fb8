"""A request that is sent twice is done once: its first answer is kept under the key that came with it (IETF draft ``Idempotency-Key``)."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

KEPT_FOR = timedelta(hours=24)
GIVEN_UP_AFTER = timedelta(minutes=2)
"""Whoever had the first request and has said nothing for so long was killed; the next one with the key is done anew."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What the first request was answered."""

    status: int
    content_type: str
    body: bytes
    etag: str = ""


class KeyReused(Exception):
    """The key was used for a request that says something else."""


class KeyInFlight(Exception):
    """The first request with it has not been answered yet."""


def fingerprint(method: str, path: str, body: bytes) -> str:
    """Two requests say the same when this is the same."""
    return hashlib.sha256(b"\0".join((method.encode(), path.encode("utf-8", "surrogateescape"), body))).hexdigest()


class KeyStore(Protocol):
    """Where keys are kept: PostgreSQL. Each raises StoreAway."""

    async def begin(self, owner: str, key: str, said: str) -> KeptAnswer | None:
        """None: go on, it is the first. ``said`` is its fingerprint. Raises KeyReused, KeyInFlight."""

    async def finish(self, owner: str, key: str, answer: KeptAnswer) -> None:
        """Keep the answer for ``KEPT_FOR``."""

    async def release(self, owner: str, key: str) -> None:
        """Nothing came of it, by our fault: the next one with the key is the first."""
