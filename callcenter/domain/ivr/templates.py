"""Texts with attributes of the call in them: ``{account}`` is replaced by its value.

Values come from callers and from other people's servers: control characters are dropped and what is too long is cut, so a
value stays a value wherever the text is put. ``{{`` and ``}}`` stand for the braces themselves.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

LONGEST = 500
"""Characters of what a template comes to, and of a value kept with a call."""
_PIECE = re.compile(r"\{\{|\}\}|\{([a-z][a-z0-9_]{0,39})\}|\{|\}")


class TemplateError(Exception):
    """The template cannot be understood."""


@dataclass(frozen=True, slots=True)
class Template:
    """Pieces said as they are, and names of attributes, in turn: the first, third ... are texts."""

    pieces: tuple[str, ...]

    def names(self) -> Iterator[str]:
        """The attributes it reads."""
        return iter(self.pieces[1::2])

    def fill(self, attributes: Mapping[str, str], neutral: Callable[[str], str] | None = None) -> str:
        """The text with the values of now; what is not set is left out. ``neutral`` makes a value harmless for where it goes."""
        guard = neutral or neutralised
        return "".join(guard(attributes.get(piece, "")) if place % 2 else piece for place, piece in enumerate(self.pieces))[:LONGEST]


def template(text: str) -> Template:
    """Raises TemplateError with a sentence."""
    pieces: list[str] = [""]
    at = 0
    for found in _PIECE.finditer(text):
        pieces[-1] += text[at : found.start()]
        at = found.end()
        if found[0] in ("{{", "}}"):
            pieces[-1] += found[0][0]
        elif found[1]:
            pieces += [found[1], ""]
        else:
            at_character = f"has a '{found[0]}' at character {found.start() + 1} that is no attribute"
            raise TemplateError(f"{at_character}; write {{name}}, or {{{{ and }}}} for braces")
    pieces[-1] += text[at:]
    return Template(tuple(pieces))


def neutralised(value: str) -> str:
    """One line of printable characters, of bounded length."""
    return "".join(character for character in value[: 4 * LONGEST] if character.isprintable())[:LONGEST]
