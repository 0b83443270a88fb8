"""Facts of who asked not to be called any more."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DoNotCallSource(StrEnum):
    """Who said so."""

    FLOW = "flow"
    """The caller, in a flow."""
    PERSON = "person"
    """One of ours, for somebody."""


@dataclass(frozen=True, slots=True)
class DoNotCallAdded:
    """The number is not called any more, by nobody and for nothing, from now on."""

    at: datetime
    number: str
    source: DoNotCallSource
    call: str = ""
    """In which the caller said so."""
    by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class DoNotCallRemoved:
    """It may be called again."""

    at: datetime
    number: str
    by: str = ""


DoNotCallFact = DoNotCallAdded | DoNotCallRemoved
