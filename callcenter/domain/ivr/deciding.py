"""Nodes that the caller does not notice: conditions, attributes that are set, sub-flows and their end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from callcenter.domain.ivr.document import CALLER, LANGUAGE
from callcenter.domain.ivr.expressions import Around, Circumstances, Expression
from callcenter.domain.ivr.kind import EnterFlow, Kind, Leave, ReturnFlow, SetAttributes, Step
from callcenter.domain.ivr.node import NEXT, OTHERWISE, Node, Reference
from callcenter.domain.ivr.run import FlowRun
from callcenter.domain.ivr.templates import Template

GIVEN = frozenset({CALLER, "dialed", "trunk", "list"})
"""Attributes that tell what is so, and are not for flows to set."""


@dataclass(frozen=True, slots=True)
class Case:
    """One way of a condition."""

    when: Expression
    next: str


@dataclass(frozen=True, slots=True)
class ConditionNode(Node):
    """Goes the way of the first case that holds."""

    cases: tuple[Case, ...]
    otherwise: str

    def exits(self) -> Iterator[tuple[str, str]]:
        for exit_name, case in zip(self._names(), self.cases, strict=True):
            yield exit_name, case.next
        yield OTHERWISE, self.otherwise

    def exit_key(self, exit_name: str) -> str:
        return f"cases[{int(exit_name.removeprefix('case ')) - 1}].next" if exit_name.startswith("case ") else exit_name

    def _names(self) -> tuple[str, ...]:
        return (NEXT,) if len(self.cases) == 1 else tuple(f"case {number}" for number in range(1, len(self.cases) + 1))

    def chosen(self, around: Around) -> tuple[str, str]:
        """The exit of now, and where it leads."""
        for number, case in enumerate(self.cases):
            around.place = f"{around.place.partition('#')[0]}#{number}"
            if case.when.holds(around):
                return self._names()[number], case.next
        return OTHERWISE, self.otherwise

    def reads(self) -> Iterator[tuple[str, str]]:
        return (("when", name) for case in self.cases for what, name in case.when.names() if what == "attribute")

    def references(self) -> Iterator[Reference]:
        return (Reference("when", what, name) for case in self.cases for what, name in case.when.names() if what != "attribute")


@dataclass(frozen=True, slots=True)
class SetNode(Node):
    """Sets attributes of the call."""

    attributes: Mapping[str, Template]
    next: str

    def exits(self) -> Iterator[tuple[str, str]]:
        yield NEXT, self.next

    def reads(self) -> Iterator[tuple[str, str]]:
        return ((f"set.{name}", read) for name, value in self.attributes.items() for read in value.names())

    def sets(self) -> Iterator[str]:
        return iter(self.attributes)

    def faults(self) -> Iterator[tuple[str, str]]:
        for name in self.attributes:
            if name in GIVEN:
                yield f"set.{name}", f"sets '{name}', which tells what is so; choose another name"


@dataclass(frozen=True, slots=True)
class SubflowNode(Node):
    """Goes through another flow and comes back; its parameters are known there only, all other attributes remain."""

    flow: str
    next: str
    """When it comes back, unless ``outcomes`` says otherwise."""
    parameters: Mapping[str, Template] = field(default_factory=dict)
    outcomes: Mapping[str, str] = field(default_factory=dict)
    """From the outcome of the sub-flow's return node to where that leads."""

    def exits(self) -> Iterator[tuple[str, str]]:
        yield NEXT, self.next
        yield from self.outcomes.items()

    def exit_key(self, exit_name: str) -> str:
        return f"outcomes.{exit_name}" if exit_name in self.outcomes else exit_name

    def reads(self) -> Iterator[tuple[str, str]]:
        return ((f"parameters.{name}", read) for name, value in self.parameters.items() for read in value.names())

    def references(self) -> Iterator[Reference]:
        yield Reference("flow", "flow", self.flow)

    def faults(self) -> Iterator[tuple[str, str]]:
        for name in self.parameters:
            if name in GIVEN or name == LANGUAGE:
                yield f"parameters.{name}", f"gives a parameter called '{name}', which every call has; choose another name"


@dataclass(frozen=True, slots=True)
class ReturnNode(Node):
    """Ends a sub-flow: back to where it was entered."""

    outcome: str = ""


def _condition(run: FlowRun, node: ConditionNode, around: Circumstances) -> Step:
    return Leave(*node.chosen(Around(run.attributes, around, f"{run.flow.name}/{run.node}")))


def _set(run: FlowRun, node: SetNode, around: Circumstances) -> Step:
    values = tuple(value.fill(run.attributes) for value in node.attributes.values())
    return SetAttributes(tuple(node.attributes), values, Leave(NEXT, node.next))


def _subflow(run: FlowRun, node: SubflowNode, around: Circumstances) -> Step:
    return EnterFlow(node.flow, tuple(node.parameters), tuple(value.fill(run.attributes) for value in node.parameters.values()))


def _came_back(run: FlowRun, node: SubflowNode, outcome: str, around: Circumstances) -> Step:
    target = node.outcomes.get(outcome)
    return Leave(outcome, target) if target else Leave(NEXT, node.next)


def _return(run: FlowRun, node: ReturnNode, around: Circumstances) -> Step:
    return ReturnFlow(node.outcome)


KINDS: Mapping[type, Kind] = {
    ConditionNode: Kind(_condition),
    SetNode: Kind(_set),
    SubflowNode: Kind(_subflow, outcome=_came_back),
    ReturnNode: Kind(_return, ends=True),
}
