"""How subscribers are told: the Standard Webhooks convention, its signatures, and when to try again.

Each message has one id, whatever is tried how often: who has seen the id has seen the message.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from callcenter.domain.webhook_events import Numbers

PAUSES: tuple[timedelta, ...] = tuple(
    timedelta(seconds=seconds) for seconds in (5, 60, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""Before the second attempt, the third ... After the last of them the message is dead: three days after the first attempt."""
LONGEST_WISH = timedelta(hours=6)
"""How long a subscriber may ask us to wait (Retry-After)."""
DISABLED_AFTER = timedelta(days=5)
"""A subscription all of whose messages fail for so long is disabled."""
FORMER_SECRET_FOR = timedelta(hours=24)
"""After a rotation messages are signed with the former secret too, for so long."""
SECRET_PREFIX = "whsec_"
GONE = 410
"""The subscriber says that it never wants to hear from us again."""


class MessageState(StrEnum):
    DUE = "due"
    SENDING = "sending"
    DELIVERED = "delivered"
    DEAD = "dead"
    """It will not be tried again, unless somebody asks for it."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who is told what, and where."""

    webhook: str
    url: str
    events: tuple[str, ...]
    """Types of ``domain.webhook_events``; empty: all."""
    numbers: Numbers
    note: str
    enabled: bool
    why: str
    """Why it is not enabled."""
    created_at: datetime
    created_by: str
    revision: int
    """Rises with every change."""
    generation: int
    """Of its secret; rises with every rotation."""
    former_until: datetime | None
    """Until then the secret of the generation before signs too."""
    failing_since: datetime | None
    delivered_at: datetime | None

    def wants(self, event: str) -> bool:
        return not self.events or event in self.events


@dataclass(frozen=True, slots=True)
class Attempted:
    """What came of one attempt. ``status`` 0: there was no answer."""

    status: int
    why: str = ""
    retry_after: timedelta | None = None

    @property
    def delivered(self) -> bool:
        return 200 <= self.status < 300


def message_id(journal: UUID, seq: int, n: int, webhook: str) -> str:
    """Of fact ``n`` of a journal's record for one subscription: always the same one."""
    return "msg_" + hashlib.sha256(f"{journal}/{seq}/{n}/{webhook}".encode()).hexdigest()[:32]


def secret_of(key: bytes, webhook: str, generation: int) -> str:
    """The secret of a subscription, as its subscriber is given it. It is kept nowhere: it follows from a key of the center."""
    raw = hmac.new(key, f"webhook/{webhook}/{generation}".encode(), hashlib.sha256).digest()
    return SECRET_PREFIX + base64.b64encode(raw).decode()


def signature(secret: str, message: str, timestamp: int, body: bytes) -> str:
    """``v1,…`` over id, timestamp and body. Raises ValueError for what is no secret."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    signed = b".".join((message.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def signatures(secrets: Sequence[str], message: str, timestamp: int, body: bytes) -> str:
    """The header: one signature per secret, parted by spaces; any of them suffices."""
    return " ".join(signature(secret, message, timestamp, body) for secret in secrets)


def verified(secret: str, message: str, timestamp: int, body: bytes, header: str) -> bool:
    """As a subscriber checks it."""
    wanted = signature(secret, message, timestamp, body)
    return any(hmac.compare_digest(wanted.encode(), given.encode()) for given in header.split(" "))


def pause(attempt: int, attempted: Attempted, spread: float) -> timedelta | None:
    """How long to wait after attempt number ``attempt`` (from 1); None: never again. ``spread``: 0 to 1, so that not all come at once."""
    if attempted.status == GONE or attempt > len(PAUSES):
        return None
    planned = PAUSES[attempt - 1] * (1 + 0.1 * spread)
    return max(planned, min(attempted.retry_after, LONGEST_WISH)) if attempted.retry_after is not None else planned


def disabled_why(attempted: Attempted, failing_since: datetime | None, now: datetime) -> str:
    """Why the subscription is not to be used any more; empty: it is."""
    if attempted.status == GONE:
        return "the subscriber answered 410: it does not want to be told any more"
    if failing_since is not None and now - failing_since >= DISABLED_AFTER:
        last = attempted.why or f"status {attempted.status}"
        return f"everything has failed since {failing_since:%Y-%m-%d %H:%M} UTC; the last attempt: {last}"
    return ""
