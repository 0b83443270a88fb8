"""Data dips: the node that looks something up in somebody else's system, while the caller hears that it takes a moment."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from callcenter.domain.ivr.expressions import Circumstances
from callcenter.domain.ivr.keys import CollectNode
from callcenter.domain.ivr.kind import Ask, Kind, Leave, Step, spoken
from callcenter.domain.ivr.node import FAILED, NEXT, OTHERWISE, Node, Reference
from callcenter.domain.ivr.questions import ANSWERED, Question
from callcenter.domain.ivr.run import FlowRun
from callcenter.domain.ivr.speech import Pieces
from callcenter.domain.ivr.templates import Template

AGAIN = "again"
"""The way back to a secret entry that must be made once more; no way of the document."""
NOT_FOUND = "not_found"
"""The outcome when the other system answered that there is no such thing."""


@dataclass(frozen=True, slots=True)
class DipQuestion(Question):
    """Look it up: ``source`` names what is configured, ``parameters`` are filled in already."""

    source: str
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret: bool = False
    """A secret entry is among the parameters: neither it nor what is answered may be kept anywhere."""


@dataclass(frozen=True, slots=True)
class DipNode(Node):
    """Looks something up; what is found becomes attributes of the call."""

    source: str
    next: str
    otherwise: str
    """When there is no such thing."""
    failed: str
    """When the other system did not answer in time, or not sensibly."""
    parameters: Mapping[str, Template] = field(default_factory=dict)
    """What it is asked with; secret entries may be among the attributes here."""
    results: tuple[str, ...] = ()
    """The attributes that an answer may set."""
    filler: Pieces | None = None
    """Said meanwhile."""
    budget: timedelta = timedelta(seconds=3)
    type_ahead: bool = True
    """Whether keys pressed meanwhile count for the next node that takes keys; else they are lost."""

    def exits(self) -> Iterator[tuple[str, str]]:
        yield NEXT, self.next
        yield OTHERWISE, self.otherwise
        yield FAILED, self.failed

    def says(self) -> Iterator[tuple[str, Pieces]]:
        if self.filler:
            yield "filler", self.filler

    def sets(self) -> Iterator[str]:
        return iter(self.results)

    def references(self) -> Iterator[Reference]:
        yield Reference("source", "source", self.source)

    def asks_with(self) -> Iterator[tuple[str, str]]:
        """The attributes and secret entries it is asked with, by key."""
        return ((f"parameters.{name}", read) for name, value in self.parameters.items() for read in value.names())


def _ask(run: FlowRun, node: DipNode, around: Circumstances) -> Step:
    again = _forgotten(run, node)
    if again:
        return Leave(AGAIN, again)
    known = {**run.attributes, **run.secrets}
    parameters = {name: value.fill(known) for name, value in node.parameters.items()}
    secret = any(name in run.secrets for _, name in node.asks_with())
    return Ask(DipQuestion(node.source, parameters, secret), node.budget, spoken(run, node.filler) if node.filler else ())


def _forgotten(run: FlowRun, node: DipNode) -> str:
    """The node at which the caller is asked once more for a secret entry that a restart of ours has wiped; empty: nothing is missing."""
    lost = {name for _, name in node.asks_with() if name not in run.secrets}
    asked = (name for name, other in run.flow.nodes.items() if isinstance(other, CollectNode) and other.secret and other.attribute in lost)
    return next(asked, "")


def _answered(run: FlowRun, node: DipNode, outcome: str, around: Circumstances) -> Step:
    if outcome == ANSWERED:
        return Leave(NEXT, node.next)
    again = _forgotten(run, node)
    if again:
        return Leave(AGAIN, again)
    return Leave(OTHERWISE, node.otherwise) if outcome == NOT_FOUND else Leave(FAILED, node.failed)


def _keeps(node: DipNode) -> bool:
    return node.type_ahead


KINDS: Mapping[type, Kind] = {DipNode: Kind(_ask, outcome=_answered, keeps=_keeps)}
