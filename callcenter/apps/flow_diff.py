"""What two versions of a flow differ in: node by node, key by key."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from pydantic import BaseModel

from callcenter.runtime.flow_documents import FlowDocument
from callcenter.runtime.settings_flow_words import PromptTextSection


@dataclass(frozen=True, slots=True)
class Change:
    """One difference; ``before`` or ``after`` is empty where there is nothing."""

    place: str
    """``nodes.ask``, ``prompts.greeting`` or a key of the flow, such as ``start``."""
    key: str
    """The key of the node; empty: all of it."""
    before: str
    after: str

    def __str__(self) -> str:
        where = f"{self.place}.{self.key}" if self.key else self.place
        if not self.before:
            return f"+ {where}: {self.after}"
        return f"- {where}: {self.before}" if not self.after else f"~ {where}: {self.before} -> {self.after}"


def changes(before: FlowDocument, after: FlowDocument) -> Iterator[Change]:
    """In the order of the new document; what is gone comes last of its kind."""
    old, new = written(before.section, whole=True), written(after.section, whole=True)
    for table in ("", "prompts", "nodes"):
        place = f"{table}." if table else ""
        was, now = _entries(old, table), _entries(new, table)
        for name in (*now, *(name for name in was if name not in now)):
            yield from _compare(f"{place}{name}", was.get(name), now.get(name), within=table == "nodes")


def _entries(section: Mapping[str, object], table: str) -> Mapping[str, object]:
    if table:
        found = section.get(table)
        return found if isinstance(found, dict) else {}
    return {key: value for key, value in section.items() if key not in ("prompts", "nodes", "node")}


def _compare(place: str, was: object, now: object, *, within: bool) -> Iterator[Change]:
    if was == now:
        return
    if within and isinstance(was, dict) and isinstance(now, dict) and was.get("type") == now.get("type"):
        for key in (*now, *(key for key in was if key not in now)):
            if was.get(key) != now.get(key):
                yield Change(place, key, text(was.get(key)), text(now.get(key)))
    else:
        yield Change(place, "", text(_short(was)), text(_short(now)))


def _short(value: object) -> object:
    """A whole node without what it leaves open."""
    return {key: item for key, item in value.items() if item not in (None, "", [], {})} if isinstance(value, dict) else value


def written(section: BaseModel, *, whole: bool = False) -> dict[str, object]:
    """The section as people write it; unless ``whole``, without what is as it is by default."""
    kept: dict[str, object] = {}
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if whole or field.is_required() or value != field.get_default(call_default_factory=True):
            key = "nodes" if name == "nodes" else field.alias or name
            kept[key] = _plain(value, whole)
    return kept


def _plain(value: object, whole: bool) -> object:
    match value:
        case PromptTextSection():
            return value.text if value.text is not None else {"file": str(value.file)}
        case BaseModel():
            return written(value, whole=whole)
        case timedelta():
            return value.total_seconds()
        case dict():
            return {key: _plain(item, whole) for key, item in value.items()}
        case tuple() | list():
            return [_plain(item, whole) for item in value]
        case _:
            return value


def text(value: object) -> str:
    """On one line, as a document might say it."""
    match value:
        case None:
            return ""
        case dict():
            return "{" + ", ".join(f"{key}: {text(item)}" for key, item in value.items()) + "}"
        case list():
            return text(value[0]) if len(value) == 1 else "[" + ", ".join(map(text, value)) + "]"
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:g}"
        case str() if not value:
            return '""'
        case _:
            return str(value)
