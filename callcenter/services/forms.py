"""The shape of a document's form: its fields, of which kind each is, what may be chosen. Pages render it, and read back what was sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

Choices: TypeAlias = Mapping[str, Sequence[str]]
"""By kind of document: the names of those there are."""


class Entry(StrEnum):
    """The kinds of field."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    WHOLE = "whole"
    NUMBER = "number"
    YES_NO = "yes_no"
    CHOICE = "choice"
    """One of ``options``."""
    LINES = "lines"
    """A list of texts, one on a line."""
    NUMBERS = "numbers"
    """A list of whole numbers, one on a line."""
    SOME_OF = "some_of"
    """A list of names of documents of kind ``of``."""
    ONE_OF = "one_of"
    """The name of a document of kind ``of``."""
    PAIRS = "pairs"
    """Names with texts: ``3 = voicemail`` on a line."""
    NUMBER_PAIRS = "number_pairs"
    """Names with numbers: ``spanish = 80`` on a line."""
    TABLE = "table"
    """Fields of their own, all of them or none."""
    TABLES = "tables"
    """A list of such tables."""
    AS_WRITTEN = "as_written"
    """What no other kind fits: as TOML."""


@dataclass(frozen=True, slots=True)
class FieldShape:
    """One field of a form."""

    name: str
    """As the document says it."""
    entry: Entry
    required: bool = False
    options: tuple[str, ...] = ()
    of: str = ""
    """The kind of document whose names may be chosen."""
    fields: tuple["FieldShape", ...] = ()
    """Of a table."""
    default: str = ""
    """What holds when nothing is given, as people write it; empty: nothing, or it is not worth saying."""


@dataclass(frozen=True, slots=True)
class FormShape:
    """The form of one kind of document."""

    kind: str
    named_by: str
    """The field that names it; empty: a field of the page's own does, or nothing, because there is one only."""
    one: bool
    fields: tuple[FieldShape, ...] = field(default_factory=tuple)
