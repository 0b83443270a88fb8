"""The audit trail: who did what, when, from where; each entry carries a hash over itself and the entry before it.

So a changed, removed or inserted entry breaks the chain at its place. Cutting off the end leaves a chain that holds; that is
found by the anchors (number and hash of entries, kept outside the database).
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

BEGINNING = ""
"""The hash before the first entry."""

Facts = Mapping[str, object]
"""What can be written as JSON."""


@dataclass(frozen=True, slots=True)
class By:
    """Who does something, and from where."""

    person: str
    """Her sign-in name; ``command line`` for whoever may use the machine itself."""
    via: str = ""
    """By which session or token; on the command line, the account."""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that is to be remembered: a change, or that somebody listened or took something out."""

    what: str
    """In words of ours: ``person_added``, ``listened``, ``exported``, ``state_forced`` ..."""
    of: str = ""
    """Upon what: ``person alice``, ``contact c1`` ..."""
    reason: str = ""
    before: Facts = field(default_factory=dict)
    after: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the trail, as it is kept."""

    seq: int
    """From 1, without gaps."""
    at: datetime
    by: By
    deed: Deed
    hash: str = ""
    """Of this and all before it."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """What was seen of the trail at a moment, kept elsewhere."""

    seq: int
    hash: str


def hash_of(entry: AuditEntry, previous: str) -> str:
    """SHA-256 over the hash before and the entry in one fixed way of writing."""
    written = json.dumps(
        [
            previous,
            entry.seq,
            entry.at.isoformat(),
            [entry.by.person, entry.by.via, entry.by.address],
            [entry.deed.what, entry.deed.of, entry.deed.reason, entry.deed.before, entry.deed.after],
        ],
        sort_keys=True,
        ensure_ascii=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(written.encode()).hexdigest()


def faults(entries: Iterable[AuditEntry], anchors: Iterable[Anchor] = ()) -> Iterator[str]:
    """What is wrong with the trail, in order of place; nothing when it is whole. ``entries`` in order of ``seq``."""
    expected, previous = 1, BEGINNING
    wanted = {anchor.seq: anchor.hash for anchor in anchors}
    for entry in entries:
        if entry.seq != expected:
            missing = f"entry {expected} is" if entry.seq == expected + 1 else f"entries {expected} to {entry.seq - 1} are"
            yield f"{missing} missing" if entry.seq > expected else f"entry {entry.seq} stands where {expected} should"
        elif hash_of(entry, previous) != entry.hash:
            yield f"entry {entry.seq} does not fit the one before it: it, or that one, was changed"
        if wanted.pop(entry.seq, entry.hash) != entry.hash:
            yield f"entry {entry.seq} is not the one that was anchored: the trail was written anew"
        expected, previous = entry.seq + 1, entry.hash
    if wanted:
        yield f"the trail ends with entry {expected - 1}, but entry {max(wanted)} was anchored: its end was cut off"
