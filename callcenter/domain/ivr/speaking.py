"""Nodes that only speak."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from callcenter.domain.ivr.expressions import Circumstances
from callcenter.domain.ivr.kind import Kind, Leave, Say, Step, spoken
from callcenter.domain.ivr.node import NEXT, Node
from callcenter.domain.ivr.run import FlowRun
from callcenter.domain.ivr.speech import Pieces


@dataclass(frozen=True, slots=True)
class PromptNode(Node):
    """Says something, then goes on."""

    prompt: Pieces
    next: str
    barge_in: bool = False
    """Whether any key cuts it short ..."""
    type_ahead: bool = True
    """... and counts for the next node that takes keys."""

    def exits(self) -> Iterator[tuple[str, str]]:
        yield NEXT, self.next

    def says(self) -> Iterator[tuple[str, Pieces]]:
        yield "prompt", self.prompt


def _enter(run: FlowRun, node: PromptNode, around: Circumstances) -> Step:
    return Say(0, spoken(run, node.prompt))


def _said(run: FlowRun, node: PromptNode, around: Circumstances) -> Step:
    return Leave(NEXT, node.next)


def _key(run: FlowRun, node: PromptNode, digit: str, around: Circumstances) -> Step | None:
    return Leave(NEXT, node.next) if node.barge_in else None


def _keeps(node: PromptNode) -> bool:
    return node.barge_in and node.type_ahead


KINDS: Mapping[type, Kind] = {PromptNode: Kind(_enter, said=_said, key=_key, keeps=_keeps, takes_time=True)}
