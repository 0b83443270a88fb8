"""From pydantic's complaints to one sentence each: the dotted key, what is wrong, what is allowed."""

from collections.abc import Iterator
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails


class Problem(NamedTuple):
    key: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.key}: {self.sentence}"


class Fault(NamedTuple):
    """What is wrong in a file, and where."""

    file: str
    line: int
    """0: it is not known."""
    key: str
    sentence: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}: {self.sentence}" if self.key else f"{place}: {self.sentence}"


KINDS = {
    "string_type": "text in quotes",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list, [ ... ]",
    "list_type": "a list, [ ... ]",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "path_type": "a path in quotes",
}


def from_pydantic(error: ValidationError, model: type[BaseModel]) -> Iterator[Problem]:
    """All complaints of one validation, in the order of the file."""
    details = error.errors(include_url=False)
    for detail in details:
        if detail["type"] == "too_short" and any(_within(other["loc"], detail["loc"]) for other in details):
            continue  # it only looks empty because its entries were refused
        key, table = _where(detail["loc"], model)
        yield Problem(key, _sentence(detail, table))


def _within(loc: tuple[int | str, ...], outer: tuple[int | str, ...]) -> bool:
    return len(loc) > len(outer) and loc[: len(outer)] == outer


def _sentence(detail: ErrorDetails, table: type[BaseModel] | None) -> str:
    kind, ctx, value = detail["type"], detail.get("ctx", {}), detail["input"]
    if kind == "extra_forbidden" and table is not None:
        return _unknown_key(str(detail["loc"][-1]), table)
    if kind == "missing":
        return "is missing"
    if kind == "value_error":
        return str(ctx["error"])
    if kind in KINDS:
        return f"must be {KINDS[kind]}, but is {value!r}"
    if kind == "literal_error":
        return f"must be one of {ctx['expected']}, but is {value!r}"
    if kind == "union_tag_invalid":
        return f"has type {ctx['tag']!r}; allowed: {ctx['expected_tags']}"
    if kind == "union_tag_not_found":
        return "needs a type, such as 'prompt', 'menu', 'collect', 'condition', 'queue' or 'hang_up'"
    if kind in {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}:
        return f"must be {kind.replace('_', ' ')} {next(iter(ctx.values())):g}, but is {value!r}".replace("equal", "or equal to")
    if kind == "too_short":
        return "must not be empty"
    if kind == "too_long":
        return f"must have {ctx['max_length']} entries, but has {ctx['actual_length'] or 'more'}"
    return f"{detail['msg'][0].lower()}{detail['msg'][1:]}"


def _unknown_key(name: str, table: type[BaseModel]) -> str:
    allowed = [field.alias or attribute for attribute, field in table.model_fields.items()]
    near = get_close_matches(name, allowed, n=3, cutoff=0.65)
    if near:
        return f"is not a key; did you mean {' or '.join(repr(candidate) for candidate in near)}?"
    return f"is not a key; allowed: {', '.join(allowed)}"


def _where(loc: tuple[int | str, ...], model: type[BaseModel]) -> tuple[str, type[BaseModel] | None]:
    """The dotted key of a location, and the table its last part is (or should be) a key of."""
    key = ""
    shape: object = model
    table: type[BaseModel] | None = None
    for part in loc:
        shape = _plain(shape)
        if part == "[key]":  # pydantic's way to say that it is the key itself that does not fit
            continue
        if isinstance(part, int):
            key += f"[{part}]"
            shape = next(iter(get_args(shape)), None)
        elif isinstance(shape, type) and issubclass(shape, BaseModel):
            table = shape
            key += f".{part}" if key else part
            shape = next((field.annotation for name, field in shape.model_fields.items() if part in (field.alias or name, name)), None)
        elif get_origin(shape) is dict:
            key += f".{part}" if key else part
            shape = get_args(shape)[1]
        elif get_origin(shape) in (Union, UnionType):
            shape = _tagged(shape, part)
        # else: a detail of pydantic's own, such as "[key]", that the file does not have
    return key, table


def _plain(shape: object) -> object:
    """Without ``Annotated`` and ``| None``."""
    while True:
        if get_origin(shape) is Annotated:
            shape = get_args(shape)[0]
        elif get_origin(shape) in (Union, UnionType):
            some = [option for option in get_args(shape) if option is not type(None)]
            if len(some) != 1:
                return shape
            shape = some[0]
        else:
            return shape


def _tagged(union: object, tag: str) -> object:
    """The option of a union whose ``type`` is ``tag``."""
    for option in get_args(union):
        if isinstance(option, type) and issubclass(option, BaseModel):
            field = option.model_fields.get("type")
            if field is not None and tag in get_args(field.annotation):
                return option
    return None
