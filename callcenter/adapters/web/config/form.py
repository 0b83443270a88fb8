"""Forms of documents: from a body to what fields show, and from what was sent back to a body.

A field's name in the form is its path in the document, ``overflow.0.to``. Nothing here decides whether a value is right; what cannot be
read as what the field wants is passed on as text, and the checks of the configuration say what is wrong with it.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from callcenter.domain.documents import Body
from callcenter.services.forms import Choices, Entry, FieldShape, FormShape

BLANKS = 1
"""Empty entries offered after those of a list of tables."""
MOST_BOXES = 40
"""More names than that are written on lines instead of ticked."""
MOST_ENTRIES = 1000
USED = "+used"
"""The box that says that an optional table is wanted."""
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
Sent = Mapping[str, Sequence[str]]
"""What a form sent: all values of each field."""
Faults = Mapping[str, Sequence[str]]
"""Sentences by the path of the field, as ``domain.documents`` and the settings write it: ``overflow[0].to``."""


@dataclass(frozen=True, slots=True)
class Box:
    """One field as the page shows it."""

    name: str
    """In the form."""
    label: str
    """A key of the words."""
    entry: str
    text: str = ""
    required: bool = False
    default: str = ""
    options: Sequence[str] = ()
    ticked: Sequence[str] = ()
    faults: Sequence[str] = ()
    number: int = 0
    """Of an entry in a list."""
    used: bool = False
    boxes: Sequence["Box"] = field(default_factory=tuple)

    @property
    def id(self) -> str:
        return "field-" + re.sub(r"[^a-z0-9_]", "-", self.name.lower())


def boxes(shape: FormShape, body: Body, faults: Faults, choices: Choices) -> Sequence[Box]:
    """All fields of a form; the name comes first."""
    fields = sorted(shape.fields, key=lambda each: each.name != shape.named_by)
    return [_box(each, each.name, each.name, body.get(each.name), faults, choices) for each in fields]


def _box(shape: FieldShape, name: str, path: str, value: object, faults: Faults, choices: Choices) -> Box:
    own = tuple(sentence for key, said in faults.items() if _belongs(key, path, shape) for sentence in said)
    box = _plain(shape, name, value, choices)
    if shape.entry is Entry.TABLE:
        inner = value if isinstance(value, Mapping) else {}
        kept = [_box(each, f"{name}.{each.name}", f"{path}.{each.name}", inner.get(each.name), faults, choices) for each in shape.fields]
        return Box(name, shape.name, "table", required=shape.required, faults=own, used=value is not None, boxes=kept)
    if shape.entry is Entry.TABLES:
        entries = [each for each in value if isinstance(each, Mapping)] if isinstance(value, list | tuple) else []
        kept = [_entry(shape, name, path, place, body, faults, choices) for place, body in enumerate([*entries, *[{}] * BLANKS])]
        return Box(name, shape.name, "tables", faults=own, boxes=kept)
    return Box(box.name, box.label, box.entry, box.text, shape.required, shape.default, box.options, box.ticked, own)


def _entry(shape: FieldShape, name: str, path: str, place: int, body: Body, faults: Faults, choices: Choices) -> Box:
    at, where = f"{name}.{place}", f"{path}[{place}]"
    kept = [_box(each, f"{at}.{each.name}", f"{where}.{each.name}", body.get(each.name), faults, choices) for each in shape.fields]
    return Box(at, shape.name, "entry", faults=tuple(faults.get(where, ())), number=place + 1, boxes=kept)


def _belongs(key: str, path: str, shape: FieldShape) -> bool:
    """Whether a fault is told at this field: its own, or of a part of it that has no field."""
    if shape.entry in (Entry.TABLE, Entry.TABLES):
        return key == path
    return key == path or key.startswith((f"{path}.", f"{path}["))


def _plain(shape: FieldShape, name: str, value: object, choices: Choices) -> Box:
    entry, there = shape.entry, tuple(choices.get(shape.of, ()))
    match entry:
        case Entry.SOME_OF:
            names = _texts(value)
            if len(there) <= MOST_BOXES:
                return Box(name, shape.name, "boxes", options=tuple(dict.fromkeys((*shape.options, *there, *names))), ticked=names)
            return Box(name, shape.name, "lines", "\n".join(names))
        case Entry.LINES | Entry.NUMBERS:
            return Box(name, shape.name, "lines", "\n".join(_texts(value)))
        case Entry.PAIRS | Entry.NUMBER_PAIRS:
            pairs = value.items() if isinstance(value, Mapping) else ()
            return Box(name, shape.name, "pairs", "\n".join(f"{key} = {_text(inner)}" for key, inner in pairs))
        case Entry.YES_NO:
            return Box(name, shape.name, "choice", {True: "yes", False: "no"}.get(value) or _text(value), options=("yes", "no"))  # type: ignore[call-overload]
        case Entry.CHOICE:
            return Box(name, shape.name, "choice", _text(value), options=shape.options)
        case Entry.ONE_OF:
            return Box(name, shape.name, "one_of", _text(value), options=there)
        case Entry.AS_WRITTEN:
            return Box(name, shape.name, "as_written", _written(value))
        case Entry.LONG_TEXT:
            return Box(name, shape.name, "long_text", _text(value))
        case _:
            return Box(name, shape.name, "text", _text(value))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(_text, value)) if isinstance(value, list | tuple) else () if value is None else (_text(value),)


def _written(value: object) -> str:
    """A value that has no field of its own, as TOML on lines."""
    if isinstance(value, Mapping):
        return "\n".join(f"{_key(str(key))} = {_toml(inner)}" for key, inner in value.items())
    return "" if value is None else _toml(value)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(str(key))} = {_toml(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return str(value) if isinstance(value, int | float) else _key(str(value), quoted=True)


def _key(text: str, *, quoted: bool = False) -> str:
    if not quoted and re.fullmatch(r"[A-Za-z0-9_-]+", text):
        return text
    escaped = "".join(
        f"\\u{ord(sign):04x}" if sign < " " or sign == "\x7f" else sign for sign in text.replace("\\", "\\\\").replace('"', '\\"')
    )
    return f'"{escaped}"'


# --- reading back -------------------------------------------------------------------------------


def body_of(shape: FormShape, sent: Sent) -> dict[str, object]:
    """The document that a form asks for. What is left empty is not given."""
    return _read_fields(shape.fields, "", sent)


def _read_fields(shapes: Sequence[FieldShape], prefix: str, sent: Sent) -> dict[str, object]:
    read = ((each.name, _read(each, f"{prefix}{each.name}", sent)) for each in shapes)
    return {name: value for name, value in read if value is not None}


def _read(shape: FieldShape, name: str, sent: Sent) -> object:
    if shape.entry is Entry.TABLE:
        body = _read_fields(shape.fields, f"{name}.", sent)
        return body if f"{name}.{USED}" in sent or (shape.required and body) else None
    if shape.entry is Entry.TABLES:
        return list(_read_entries(shape, name, sent)) or None
    values = [value for value in sent.get(name, ()) if value.strip()]
    if not values:
        return None
    if shape.entry is Entry.SOME_OF:
        return [line for value in values for line in _lines(value)]
    return _read_one(shape.entry, values[-1].replace("\r\n", "\n"))


def _read_one(entry: Entry, text: str) -> object:
    match entry:
        case Entry.LINES:
            return _lines(text)
        case Entry.NUMBERS:
            return [_number(line) for line in _lines(text)]
        case Entry.PAIRS:
            return dict(_pair(line) for line in _lines(text))
        case Entry.NUMBER_PAIRS:
            return {key: _number(value) for key, value in map(_pair, _lines(text))}
        case Entry.WHOLE | Entry.NUMBER:
            return _number(text.strip())
        case Entry.YES_NO:
            return {"yes": True, "no": False}.get(text.strip(), text)
        case Entry.AS_WRITTEN:
            return _as_written(text)
        case _:
            return text.strip()


def _read_entries(shape: FieldShape, name: str, sent: Sent) -> Iterator[dict[str, object]]:
    """In order of their numbers; one whose fields are all empty goes."""
    found = {match[1] for key in sent if (match := re.fullmatch(rf"{re.escape(name)}\.(\d{{1,4}})\..+", key))}
    for number in sorted(found, key=int)[:MOST_ENTRIES]:
        body = _read_fields(shape.fields, f"{name}.{number}.", sent)
        if body:
            yield body


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _pair(line: str) -> tuple[str, str]:
    key, _, value = line.partition("=")
    return key.strip(), value.strip()


def _number(text: str) -> int | float | str:
    if not _NUMBER.fullmatch(text) or len(text) > 30:
        return text
    return float(text) if "." in text else int(text)


def _as_written(text: str) -> object:
    """A table by its lines, or one value; what is no TOML stays a text, which the checks refuse."""
    for tried in (text, f"value = {text}"):
        try:
            table = tomllib.loads(tried)
            return table.get("value") if tried is not text else table
        except tomllib.TOMLDecodeError:
            continue
    return text
