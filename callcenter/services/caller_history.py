"""What is known of a caller from before: calls with their contacts, the way through flows, notes, answers, messages, callbacks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class CallerHistory:
    """Newest first; each row in the words of the glossary, dates in ISO 8601, spans in seconds."""

    calls: Sequence[Row] = ()
    """Each with its ``contacts`` (with ``note``, ``scripts`` and ``sound``) and ``path`` through flows."""
    messages: Sequence[Row] = ()
    callbacks: Sequence[Row] = ()


class Histories(Protocol):
    async def of(self, caller: str, without_call: str) -> CallerHistory:
        """Raises when the database is away."""
