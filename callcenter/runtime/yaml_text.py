"""YAML as people mean it: text with the line of every key, and nothing in it that surprises or harms.

Of YAML 1.2 this is the part that has one meaning only. Keys are always text, as they are written: ``1``, ``yes``, ``no``
and ``on`` in the choices of a menu are keys and words, never numbers and truth values. Of the values only ``true``,
``false``, ``null`` and plain decimal numbers are more than text; dates, times, ``012`` and ``+18005550100`` stay text.
Anchors, aliases, tags, repeated keys and a second document are refused, and so is what is too large or nested too deep:
without aliases a document cannot grow while it is read ("billion laughs").
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

_PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where it is there: an engine reads hundreds of versions when it starts."""

MOST_BYTES = 512 * 1024
MOST_DEPTH = 20
MOST_VALUES = 50_000

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,18}")
_PLAIN: Mapping[str, object] = {"true": True, "false": False, "null": None, "~": None, "": None}
_COMMENTED_KEY = re.compile(r"\s*#\s*:\s*\S")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
"""What YAML does not allow in a document (YAML 1.2.2 §5.1)."""


class YamlError(ValueError):
    """The text cannot be read: the line (from 1), and one sentence."""

    def __init__(self, line: int, sentence: str, key: str = "") -> None:
        super().__init__(sentence)
        self.line = line
        self.sentence = sentence
        self.key = key
        """The dotted key it happened at, where it is known."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was read, and where each key stands."""

    value: object
    lines: Mapping[str, int]
    """From a dotted key, such as ``nodes.ask.choices.1`` or ``prompts[2]``, to its line."""

    def line(self, key: str) -> int:
        """The line of the key, or of the nearest one around it that is there."""
        while key and key not in self.lines:
            key = key[: max(key.rfind("."), key.rfind("["), 0)]
        return self.lines.get(key, 1)


def read_yaml(text: str) -> Written:
    """Raises YamlError."""
    if len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise YamlError(1, f"the document is larger than {MOST_BYTES // 1024} KiB; split it into several flows")
    if found := _FORBIDDEN.search(text):
        raise YamlError(
            text.count("\n", 0, found.start()) + 1, f"has the character U+{ord(found[0]):04X}, which is no part of a text; remove it"
        )
    for number, line in enumerate(text.splitlines(), 1):
        if _COMMENTED_KEY.match(line):
            raise YamlError(number, 'a line that begins with # is a comment; the key # is written in quotes: "#"')
    try:
        return _Reader(yaml.parse(text, Loader=_PARSER)).read()
    except yaml.MarkedYAMLError as error:
        raise YamlError(*_syntax(error, text)) from None
    except yaml.YAMLError as error:
        raise YamlError(1, f"is not YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise YamlError(1, f"is nested deeper than {MOST_DEPTH} levels") from None


def _syntax(error: yaml.MarkedYAMLError, text: str) -> tuple[int, str]:
    """Line and sentence; with a hint where the cause is nearly always the same."""
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    written = text.splitlines()[line - 1 : line]
    sentence = f"is not YAML: {error.problem or error.context or 'cannot be read'}"
    if written and "\t" in written[0][: len(written[0]) - len(written[0].lstrip())]:
        sentence += "; indent with spaces, not with tabs"
    elif written and re.search(r"(^|[\s{,])[*&]", written[0]):
        sentence += '; the keys * and & are written in quotes, such as "*"'
    elif re.search(r"[{,]\s*#", text):
        sentence += '; the key # is written in quotes: "#"'
    elif written and re.search(r":\s+[^\"'|>].*:\s", written[0]):
        sentence += "; a text with a colon in it is written in quotes"
    return line, sentence


class _Reader:
    """From the parser's events to plain values, without ever building a node twice."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        self._lines: dict[str, int] = {}
        self._count = 0

    def read(self) -> Written:
        assert isinstance(self._next(), StreamStartEvent)
        first = self._next()
        if isinstance(first, StreamEndEvent):
            raise YamlError(1, "is empty; a flow begins with 'flow: NAME'")
        value = self._value(self._next(), "", 0)
        self._next()  # the end of the document
        after = self._next()
        if isinstance(after, DocumentStartEvent):
            raise YamlError(_line(after), "a second document begins here; a file holds one flow")
        return Written(value, self._lines)

    def _next(self) -> Event:
        return next(self._events)

    def _value(self, event: Event, key: str, depth: int) -> object:
        self._count += 1
        if self._count > MOST_VALUES:
            raise YamlError(_line(event), f"the document has more than {MOST_VALUES} values; split it into several flows", key)
        if depth > MOST_DEPTH:
            raise YamlError(_line(event), f"is nested deeper than {MOST_DEPTH} levels")
        self._lines.setdefault(key, _line(event))
        _refuse_references(event, key)
        match event:
            case ScalarEvent():
                return _scalar(event)
            case SequenceStartEvent():
                return self._sequence(key, depth)
            case MappingStartEvent():
                return self._mapping(key, depth)
        raise YamlError(_line(event), "cannot be read", key)

    def _sequence(self, key: str, depth: int) -> list[object]:
        items: list[object] = []
        while not isinstance(event := self._next(), SequenceEndEvent):
            items.append(self._value(event, f"{key}[{len(items)}]", depth + 1))
        return items

    def _mapping(self, key: str, depth: int) -> dict[str, object]:
        entries: dict[str, object] = {}
        while not isinstance(event := self._next(), MappingEndEvent):
            _refuse_references(event, key)
            if not isinstance(event, ScalarEvent):
                raise YamlError(_line(event), "a key is one word or text, not a list or a table", key)
            name = event.value
            inside = f"{key}.{name}" if key else name
            if name == "<<" and not event.style:
                raise YamlError(_line(event), "merging with << is not possible; write the keys out", key)
            if name in entries:
                raise YamlError(_line(event), f"is there twice; the first is in line {self._lines[inside]}", inside)
            self._lines[inside] = _line(event)
            entries[name] = self._value(self._next(), inside, depth + 1)
        return entries


def _refuse_references(event: Event, key: str) -> None:
    if isinstance(event, AliasEvent):
        raise YamlError(_line(event), f"*{event.anchor} is an alias, which is not possible; a key or text with * is written in quotes", key)
    anchor = getattr(event, "anchor", None)
    if anchor is not None:
        raise YamlError(_line(event), f"&{anchor} is an anchor, which is not possible; a text with & is written in quotes", key)
    tag = getattr(event, "tag", None)
    if tag is not None:
        raise YamlError(_line(event), f"the tag {tag} is not possible; a text that begins with ! is written in quotes", key)


def _scalar(event: ScalarEvent) -> object:
    text: str = event.value
    if event.style:  # quoted, or a block of text
        return text
    if text in _PLAIN:
        return _PLAIN[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1 if event.start_mark else 1


def write_yaml(value: Mapping[str, object]) -> str:
    """As people write it; what this module reads comes back the same."""
    return str(yaml.safe_dump(dict(value), sort_keys=False, allow_unicode=True, default_flow_style=None, width=120))
