"""What people configure, as documents: one for each queue, agent, team, number ...; and the difference between two sets of them.

A document's key is its kind and its name, ``queue/support``; of kinds that a center has one of, the kind alone, ``center``. Its body is
what ``callcenter.toml`` would say, with dates and times of day as ISO 8601 texts. The order of documents of a kind counts: the first
queue is the fallback's, the first routing rule that fits wins.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias

Body: TypeAlias = Mapping[str, object]
Documents: TypeAlias = Mapping[str, Body]
"""By key, in their order."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a document that says something else; ``None`` where it says nothing."""

    path: str
    """Dotted, with places in lists: ``overflow[0].to``."""
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """What became of one document."""

    key: str
    before: Body | None
    """None: there was none."""
    after: Body | None
    """None: it is taken away."""

    @property
    def fields(self) -> Sequence[FieldChange]:
        return tuple(_fields("", self.before or {}, self.after or {}))


def kind_of(key: str) -> str:
    return key.partition("/")[0]


def name_of(key: str) -> str:
    """Empty: its kind has one document only."""
    return key.partition("/")[2]


def plain(value: object) -> object:
    """As it is kept: lists for tuples, ISO 8601 for dates and times, whole numbers without a fraction; what is null says nothing.

    Raises ValueError.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise ValueError(f"{value!r} is no number that can be kept")
        return int(value) if value.is_integer() else value
    if isinstance(value, str | int):
        return value
    isoformat = getattr(value, "isoformat", None)
    if isoformat is None:
        raise ValueError(f"{type(value).__name__} has no place in a document")
    return str(isoformat())


def digest(documents: Documents) -> str:
    """The same for the same documents in the same order within each kind, however they were written."""
    kinds: dict[str, list[object]] = {}
    for key, body in documents.items():
        kinds.setdefault(kind_of(key), []).append([key, body])
    return sha256(json.dumps(kinds, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]


def difference(before: Documents, after: Documents) -> Sequence[DocumentChange]:
    """What has to change, by document: taken away first, then in the order of ``after``. The order of documents is told by ``moved``."""
    gone = [DocumentChange(key, body, None) for key, body in before.items() if key not in after]
    new = [DocumentChange(key, before.get(key), body) for key, body in after.items() if before.get(key) != body]
    return (*gone, *new)


def moved(before: Documents, after: Documents) -> Sequence[str]:
    """The kinds whose documents stand in another order, of those in both."""
    kinds = dict.fromkeys(map(kind_of, after))
    return tuple(kind for kind in kinds if _order(kind, before, after) != _order(kind, after, before))


def _order(kind: str, documents: Documents, also_in: Documents) -> list[str]:
    return [key for key in documents if kind_of(key) == kind and key in also_in]


def changed(documents: Documents, changes: Mapping[str, Body | None]) -> Documents:
    """With these put in place of what was there; None takes one away. New ones come last of their kind."""
    every = {**documents, **changes}
    return {key: body for key, body in every.items() if body is not None}


def _fields(path: str, before: object, after: object) -> Iterator[FieldChange]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*before, *after)):
            yield from _fields(f"{path}.{key}" if path else str(key), before.get(key), after.get(key))
    elif _tables(before) and _tables(after):
        assert isinstance(before, Sequence)
        assert isinstance(after, Sequence)
        for place in range(max(len(before), len(after))):
            old = before[place] if place < len(before) else None
            new = after[place] if place < len(after) else None
            yield from _fields(f"{path}[{place}]", old, new)
    else:
        yield FieldChange(path, before, after)


def _tables(value: object) -> bool:
    """Whether it is a list of tables, which is compared entry by entry; other lists are compared as a whole."""
    return isinstance(value, list | tuple) and all(isinstance(item, Mapping) for item in value)
