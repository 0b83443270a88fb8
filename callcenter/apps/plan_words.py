"""A planned change as people and scripts read it."""

import json
from collections.abc import Iterator, Mapping

from callcenter.domain.consequences import words
from callcenter.domain.documents import DocumentChange
from callcenter.services.configuration import Plan, VersionNote

_WIDTH = 100


def plan_text(plan: Plan) -> Iterator[str]:
    """Line by line: ``+`` new, ``-`` taken away, ``~`` changed."""
    if plan.is_empty:
        yield f"no difference to version {plan.base}" if plan.base else "no difference to what the center goes by"
    for change in plan.changes:
        yield f"{sign(change)} {change.key}"
        if change.after is not None:
            for field in change.fields:
                now = "not given" if field.after is None else _short(field.after)
                yield f"    {field.path}: {now}" if field.before is None else f"    {field.path}: {_short(field.before)} → {now}"
    for kind in plan.moved:
        yield f"~ the order of {kind}s"
    if plan.consequences:
        yield "consequences:"
        yield from (f"  {words(consequence)}" for consequence in plan.consequences)
    yield from plan.notes


def sign(change: DocumentChange) -> str:
    return "+" if change.before is None else "-" if change.after is None else "~"


def plan_json(plan: Plan) -> dict[str, object]:
    return {
        "base": plan.base,
        "changes": [
            {
                "document": change.key,
                "did": {"+": "add", "-": "remove", "~": "change"}[sign(change)],
                "fields": [{"path": field.path, "before": field.before, "after": field.after} for field in change.fields],
            }
            for change in plan.changes
        ],
        "moved": list(plan.moved),
        "consequences": [
            {
                "what": each.what,
                "subject": each.subject,
                "count": each.count,
                "waiting": each.waiting,
                "state": each.state,
                "sentence": words(each),
            }
            for each in plan.consequences
        ],
        "notes": list(plan.notes),
    }


def version_text(note: VersionNote) -> Iterator[str]:
    why = f" — {note.reason}" if note.reason else ""
    yield f"{note.version:>4}  {note.at:%Y-%m-%d %H:%M:%S} UTC  {note.author or 'somebody'} ({note.source}){why}"
    if note.changed:
        shown = ", ".join(note.changed[:8])
        yield f"      {shown}{f' and {len(note.changed) - 8} more' if len(note.changed) > 8 else ''}"


def version_json(note: VersionNote, in_use: str) -> Mapping[str, object]:
    return {
        "version": note.version,
        "at": note.at.isoformat(),
        "author": note.author,
        "reason": note.reason,
        "source": note.source,
        "digest": note.digest,
        "in_use": note.digest == in_use,
        "changed": list(note.changed),
    }


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
