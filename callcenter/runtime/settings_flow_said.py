"""What nodes of flows say, and what all nodes share that ask the caller for something."""

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import BeforeValidator, Field

from callcenter.domain.ivr.speech import Pieces, SpeakAs, Spoken
from callcenter.runtime.settings_fields import Name, SaidMark, SaidPiece, Section

VALUE = re.compile(r"\{([a-z]+):([a-z0-9_]+)(?::([A-Z]{3}))?\}")


def _pieces(value: object) -> object:
    """``"welcome"`` or ``["your-number-is", "{digits:number}"]``; a value is an attribute of the call and how it is said."""
    return (value,) if isinstance(value, str) else value


Said = Annotated[tuple[SaidPiece, ...], BeforeValidator(_pieces), Field(min_length=1, max_length=20), SaidMark()]


def said(written: Iterable[str]) -> Pieces:
    """What a node says, from ``["your-number-is", "{digits:number}"]``; a single prompt stands for itself."""
    read = tuple(Spoken(SpeakAs(value[1]), value[2], value[3] or "") if (value := VALUE.fullmatch(piece)) else piece for piece in written)
    return read[0] if len(read) == 1 and isinstance(read[0], str) else read


class LadderSection(Section):
    """What all nodes share that ask the caller for something."""

    prompt: Said
    otherwise: Name
    tries: int = Field(default=3, ge=1, le=10)
    invalid_prompt: Said | None = None
    """Said before it is asked again."""
    rephrase_prompt: Said | None = None
    """Asked in its place at the last try."""
    barge_in: bool = True
    """Whether a key cuts the prompt short."""
    type_ahead: bool = True
    """Whether keys count that were pressed before the caller came here."""

    @property
    def invalid(self) -> Pieces | None:
        return said(self.invalid_prompt) if self.invalid_prompt else None

    @property
    def rephrased(self) -> Pieces | None:
        return said(self.rephrase_prompt) if self.rephrase_prompt else None
