"""The node that asks a survey question: answered by keys, or in the caller's own words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from callcenter.domain.ivr.expressions import Circumstances
from callcenter.domain.ivr.keys import again
from callcenter.domain.ivr.kind import KeepAnswer, Kind, Leave, Listen, Say, Step, TakeDigit, spoken
from callcenter.domain.ivr.messages import KEPT, VisitMailbox
from callcenter.domain.ivr.node import NEXT, OTHERWISE, Node, Reference
from callcenter.domain.ivr.run import FlowRun
from callcenter.domain.ivr.speech import Pieces
from callcenter.domain.survey_kinds import SurveyKind

CSAT = frozenset("12345")
NPS_TENS = "1"
"""The digit after which another one may come: 10 is two keys."""


@dataclass(frozen=True, slots=True)
class SurveyNode(Node):
    """Asks for 1 to 5 (``csat``), 0 to 10 (``nps``), one of several keys (``choice``), or a comment, which becomes a message."""

    question: str
    """Its name in the reports."""
    kind: SurveyKind
    prompt: Pieces
    next: str
    otherwise: str
    """Where to go when there was no answer after all tries."""
    choices: Mapping[str, str] = field(default_factory=dict)
    """Of a choice: from key to value."""
    mailbox: str = ""
    """Of a comment: where it is left."""
    attribute: str = ""
    """Under which name the call keeps the answer, for conditions; empty: not at all."""
    timeout: timedelta = timedelta(seconds=5)
    next_digit: timedelta = timedelta(seconds=2)
    """After the 1 of 10: for so long a 0 may follow."""
    tries: int = 2
    invalid_prompt: Pieces | None = None
    rephrased: Pieces | None = None
    barge_in: bool = True
    type_ahead: bool = True
    """Of a comment always false: it begins once it was asked for."""

    @property
    def is_spoken(self) -> bool:
        return self.kind is SurveyKind.COMMENT

    def exits(self) -> Iterator[tuple[str, str]]:
        yield NEXT, self.next
        yield OTHERWISE, self.otherwise

    def says(self) -> Iterator[tuple[str, Pieces]]:
        yield "prompt", self.prompt
        if self.invalid_prompt:
            yield "invalid_prompt", self.invalid_prompt
        if self.rephrased:
            yield "rephrase_prompt", self.rephrased

    def sets(self) -> Iterator[str]:
        if self.attribute:
            yield self.attribute

    def references(self) -> Iterator[Reference]:
        if self.mailbox:
            yield Reference("queue", "mailbox", self.mailbox)

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.kind is SurveyKind.CHOICE and not self.choices:
            yield "choices", "must not be empty; they say which key stands for which answer"
        if self.kind is not SurveyKind.CHOICE and self.choices:
            yield "choices", f"are for kind 'choice'; the answers of '{self.kind}' are fixed"
        if self.is_spoken is not bool(self.mailbox):
            yield "queue", "is for kind 'comment', which needs it: in the mailbox of that queue the comment is left"


def _enter(run: FlowRun, node: SurveyNode, around: Circumstances) -> Step:
    return Say(0, spoken(run, node.prompt))


def _listen(run: FlowRun, node: SurveyNode, around: Circumstances) -> Step:
    return VisitMailbox(node.mailbox) if node.is_spoken else Listen(node.timeout)


def _key(run: FlowRun, node: SurveyNode, digit: str, around: Circumstances) -> Step | None:
    if run.playback and not node.barge_in:
        return None
    if node.is_spoken:
        return VisitMailbox(node.mailbox)
    if node.kind is SurveyKind.NPS:
        return _nps(run, node, digit)
    value = node.choices.get(digit, "") if node.kind is SurveyKind.CHOICE else digit if digit in CSAT else ""
    return _take(node, value) if value else again(run, node)


def _nps(run: FlowRun, node: SurveyNode, digit: str) -> Step:
    """``1`` waits for a ``0`` that may follow; ``#`` says that none will."""
    if run.digits:
        return _take(node, run.digits + digit) if digit == "0" else _take(node, run.digits) if digit == "#" else again(run, node)
    if digit == NPS_TENS:
        return TakeDigit(digit, node.next_digit)
    return _take(node, digit) if digit.isdigit() else again(run, node)


def _silence(run: FlowRun, node: SurveyNode, around: Circumstances) -> Step:
    return _take(node, run.digits) if run.digits else again(run, node)


def _spoken(run: FlowRun, node: SurveyNode, outcome: str, around: Circumstances) -> Step:
    """Back from the mailbox; the answer was kept when the message was."""
    return Leave(NEXT, node.next) if outcome in KEPT else Leave(OTHERWISE, node.otherwise)


def _take(node: SurveyNode, value: str) -> Step:
    return KeepAnswer(node.question, node.kind, value, node.attribute, Leave(NEXT, node.next))


KINDS: Mapping[type, Kind] = {SurveyNode: Kind(_enter, said=_listen, key=_key, silence=_silence, outcome=_spoken, takes_time=True)}
