"""What a document looks like as a picture: for each node what it says or does in short, and its ways out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from callcenter.apps.flow_dial import text_of
from callcenter.apps.flow_diff import text, written
from callcenter.apps.flow_drawing import Arrow, Box, Picture
from callcenter.domain.ivr.speech import Spoken, pieces
from callcenter.runtime.flow_documents import FlowDocument
from callcenter.runtime.settings import Settings

SHOWN = {
    "collect": ("attribute", "secret", "check_digit"),
    "condition": ("when", "cases"),
    "set": ("set",),
    "flow": ("flow",),
    "queue": ("queue",),
    "callback": ("queue",),
    "transfer": ("agent",),
    "voicemail": ("queue", "agent"),
    "dip": ("dip", "source"),
}
"""The keys that say what a node of that kind does, beside what it says to the caller."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """How many callers went which way, and in which time."""

    callers: Mapping[tuple[str, str, str], int]
    """By node, exit and the node it leads to."""
    when: str


def picture(settings: Settings, document: FlowDocument, traffic: Traffic | None = None) -> Picture:
    """``settings`` know its prompts."""
    program = document.program
    boxes = {name: Box(name, document.section.nodes[name].type, tuple(_lines(settings, document, name))) for name in program.nodes}
    arrows = tuple(Arrow(name, exit_, target) for name, node in program.nodes.items() for exit_, target in node.exits())
    shown = (traffic.callers, traffic.when) if traffic is not None else (None, "")
    version = f" (version {document.version})" if document.version else ""
    return Picture(f"{document.section.title or document.name}{version}", program.start, boxes, arrows, *shown)


def _lines(settings: Settings, document: FlowDocument, name: str) -> Iterator[str]:
    said = next((said for _, said in document.program.nodes[name].says()), ())
    if said:
        words = (f"{{{piece.how}:{piece.attribute}}}" if isinstance(piece, Spoken) else text_of(settings, piece) for piece in pieces(said))
        yield f"“{' '.join(words)}”"
    section = document.section.nodes[name]
    kept = written(section)
    for key in SHOWN.get(section.type, ()):
        if key in kept:
            yield text(kept[key]) if key in ("when", "queue", "agent", "flow") else f"{key}: {text(kept[key])}"
