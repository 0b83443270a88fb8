"""Differences and versions as pages show them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from callcenter.adapters.web.words import shown
from callcenter.domain.documents import DocumentChange
from callcenter.services.configuration import Plan, VersionNote

_LONGEST = 400


@dataclass(frozen=True, slots=True)
class ShownField:
    path: str
    before: str
    """Empty: not given."""
    after: str


@dataclass(frozen=True, slots=True)
class ShownChange:
    key: str
    did: str
    """``added``, ``removed`` or ``changed``: a key of the words."""
    fields: Sequence[ShownField]


@dataclass(frozen=True, slots=True)
class ShownVersion:
    version: int
    at: datetime
    author: str
    reason: str
    source: str
    changed: Sequence[str]
    more: int


def what_changes(plan: Plan) -> Sequence[ShownChange]:
    return [_change(change) for change in plan.changes or ()]


def _change(change: DocumentChange) -> ShownChange:
    did = "added" if change.before is None else "removed" if change.after is None else "changed"
    fields = () if change.after is None else [ShownField(each.path, text(each.before), text(each.after)) for each in change.fields]
    return ShownChange(change.key, did, fields)


def versions_shown(notes: Sequence[VersionNote]) -> Sequence[ShownVersion]:
    return [
        ShownVersion(note.version, note.at, note.author, note.reason, note.source, note.changed[:10], max(0, len(note.changed) - 10))
        for note in notes
    ]


def text(value: object) -> str:
    """A value on one line; empty: it is not given."""
    if value is None:
        return ""
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return said if len(said) <= _LONGEST else f"{said[: _LONGEST - 1]}…"


def shown_long(said: object) -> str:
    """Text from outside, made harmless to look at, but not cut as short as in a table."""
    return "".join(map(shown, str(said or "")[:_LONGEST]))
