"""How long somebody must wait before the next try to sign in. Failures make waits grow; nothing ever locks anybody out.

The wait belongs to a name *from one address*: a stranger elsewhere who fails a thousand times costs her nothing where she has
signed in before (``known``). Elsewhere a name under attack, or an address that fails with many names, leaves one free try
instead of five. An address is never refused as such, so that a whole shift behind one address gets in.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

FREE = 5
FREE_UNDER_ATTACK = 1
NAME_UNDER_ATTACK = 20
"""Failures with one name from everywhere within ``TRIES_COUNT``."""
ADDRESS_SUSPECT = 30
"""Failures from one address with all names."""
TRIES_COUNT = timedelta(minutes=15)
"""So long a failure is remembered."""
KNOWN_FOR = timedelta(days=30)
"""So long the address or the browser of a successful sign-in is known."""
LONGEST = timedelta(seconds=60)
LONGEST_UNDER_ATTACK = timedelta(seconds=300)


@dataclass(frozen=True, slots=True)
class Tries:
    """Failed sign-ins of late, this one not counted."""

    of_pair: int = 0
    """With this name from this address, since the last that succeeded."""
    pair_last_at: datetime | None = None
    of_name: int = 0
    of_address: int = 0
    known: bool = False
    """This name has signed in from this address, or this browser, within ``KNOWN_FOR``."""


def wait(tries: Tries, now: datetime) -> timedelta:
    """How much longer; zero: she may try now."""
    if tries.pair_last_at is None:
        return timedelta(0)
    attacked = not tries.known and (tries.of_name >= NAME_UNDER_ATTACK or tries.of_address >= ADDRESS_SUSPECT)
    beyond = tries.of_pair - (FREE_UNDER_ATTACK if attacked else FREE)
    if beyond < 0:
        return timedelta(0)
    longest = LONGEST_UNDER_ATTACK if attacked else LONGEST
    delay = min(longest, timedelta(seconds=2 ** min(beyond, 20)))
    return max(timedelta(0), tries.pair_last_at + delay - now)
