"""The forms of documents, made from the models that check them."""

from datetime import timedelta
from enum import Enum
from types import UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from callcenter.runtime.document_kinds import KINDS
from callcenter.runtime.settings import Settings
from callcenter.services.forms import Entry, FieldShape, FormShape

WITHOUT_FORM = frozenset({"flow"})
"""Kinds that are edited as text: flows have documents of their own."""
NAMES_OF = {
    "queues": "queue",
    "agents": "agent",
    "may_opt_out": "queue",
    "queue": "queue",
    "fallback_queue": "queue",
    "of_queue": "queue",
    "flow": "flow",
    "flows": "flow",
    "overflow_flow": "flow",
    "survey_flow": "flow",
    "greeting_flow": "flow",
    "hours": "calendar",
    "calendar": "calendar",
    "switch": "calendar",
    "music": "music",
}
"""Fields that name documents of another kind, wherever they hold names."""
LISTS_OF_NAMES = frozenset({"queues", "agents", "may_opt_out", "flows"})
LONG_TEXTS = frozenset({"text"})


def forms() -> dict[str, FormShape]:
    """Of every kind that has one."""
    return {kind: _form(kind) for kind in KINDS if kind not in WITHOUT_FORM}


def _form(kind: str) -> FormShape:
    section = next(field for name, field in Settings.model_fields.items() if (field.alias or name) == kind)
    model = _model(section.annotation)
    assert model is not None, kind
    return FormShape(kind, KINDS[kind].named_by, KINDS[kind].one, _fields(model))


def _model(annotation: object) -> type[BaseModel] | None:
    """The section behind a list, a table by names, or an optional one."""
    bare = _bare(annotation)
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        return bare
    return next((model for inner in get_args(bare) if (model := _model(inner)) is not None), None)


def _fields(model: type[BaseModel]) -> tuple[FieldShape, ...]:
    return tuple(_field(field.alias or name, field) for name, field in model.model_fields.items())


def _field(name: str, field: FieldInfo) -> FieldShape:
    shape = _shape(name, field.annotation)
    default = "" if field.is_required() or shape.fields else _written(field.get_default(call_default_factory=True))
    return FieldShape(name, shape.entry, field.is_required(), shape.options, shape.of, shape.fields, default)


def _shape(name: str, annotation: object) -> FieldShape:
    bare = _bare(annotation)
    origin, inner = get_origin(bare), get_args(bare)
    if origin is tuple and len(inner) == 2 and inner[1] is Ellipsis:
        return _list(name, inner[0])
    if origin is dict:
        return FieldShape(name, _pairs(inner[1]))
    if origin is Literal:
        return FieldShape(name, Entry.CHOICE, options=tuple(map(str, inner)))
    if isinstance(bare, type):
        return _of_type(name, bare)
    return FieldShape(name, Entry.AS_WRITTEN)


def _of_type(name: str, bare: type) -> FieldShape:
    if issubclass(bare, BaseModel):
        return FieldShape(name, Entry.TABLE, fields=_fields(bare))
    if issubclass(bare, Enum):
        return FieldShape(name, Entry.CHOICE, options=tuple(str(option.value) for option in bare))
    if issubclass(bare, bool):
        return FieldShape(name, Entry.YES_NO)
    if issubclass(bare, int):
        return FieldShape(name, Entry.WHOLE)
    if issubclass(bare, float | timedelta):
        return FieldShape(name, Entry.NUMBER)
    if name in NAMES_OF and issubclass(bare, str):
        return FieldShape(name, Entry.ONE_OF, of=NAMES_OF[name])
    return FieldShape(name, Entry.LONG_TEXT if name in LONG_TEXTS else Entry.TEXT)  # all others are written as texts and read from them


def _list(name: str, annotation: object) -> FieldShape:
    several = get_origin(annotation) in (Union, UnionType)
    bare = annotation if several else _bare(annotation)
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        return FieldShape(name, Entry.TABLES, fields=_fields(bare))
    if isinstance(bare, type) and issubclass(bare, int) and not issubclass(bare, bool):
        return FieldShape(name, Entry.NUMBERS)
    if name in LISTS_OF_NAMES:
        every = tuple(option for inner in get_args(bare) if get_origin(inner) is Literal for option in get_args(inner))
        return FieldShape(name, Entry.SOME_OF, options=every, of=NAMES_OF[name])
    return FieldShape(name, Entry.LINES)


def _pairs(annotation: object) -> Entry:
    bare = _bare(annotation)
    if isinstance(bare, type) and issubclass(bare, int | float) and not issubclass(bare, bool):
        return Entry.NUMBER_PAIRS
    if get_origin(bare) is None and not (isinstance(bare, type) and issubclass(bare, BaseModel)):
        return Entry.PAIRS
    return Entry.AS_WRITTEN


def _bare(annotation: object) -> object:
    """Without ``Annotated`` and ``| None``; of a choice of several kinds (a key, or nothing), the first."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in (Union, UnionType):
            annotation = next(option for option in get_args(annotation) if option is not type(None))
        else:
            return annotation


def _written(value: object) -> str:
    """A default as people write it."""
    if value is None or value == () or value == {} or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value) if isinstance(value, str | int | float) else ""
