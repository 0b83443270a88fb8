"""Nodes for who has a PIN: the PIN itself, and the emergency switch of a calendar.

The digits are secret: they live in the call's memory and in the question to whoever knows the PINs, and nowhere else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from callcenter.domain.ivr.expressions import Circumstances
from callcenter.domain.ivr.keys import DIGITS
from callcenter.domain.ivr.kind import Ask, Kind, Leave, Listen, Say, Step, TakeDigit, spoken
from callcenter.domain.ivr.node import FAILED, NEXT, OTHERWISE, Node, Reference
from callcenter.domain.ivr.questions import ANSWERED, Question
from callcenter.domain.ivr.run import ENTRY, FlowRun
from callcenter.domain.ivr.speech import Pieces, pieces

WRONG, LOCKED = "wrong", "locked"
"""Outcomes of a PIN: it is another one; or it was wrong so often that none is taken at the moment."""
MOST_TRIES = 3
"""In one call."""
LONGEST_PIN = 12
BUDGET = timedelta(seconds=5)


def holder_of(calendar: str) -> str:
    """Whose PIN opens the calendar's switch."""
    return f"calendar:{calendar}"


@dataclass(frozen=True, slots=True)
class PinQuestion(Question):
    """Is this the holder's PIN? ``answered``, ``wrong``, or ``failed`` when the holder has none."""

    holder: str
    digits: str = field(repr=False)


# --- steps --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CheckPin(Step):
    """Ask, unless the calendar is locked."""

    calendar: str
    question: PinQuestion


@dataclass(frozen=True, slots=True)
class NotePin(Step):
    """Whether it was right; then go on."""

    calendar: str
    right: bool
    then: Step


class SwitchTo(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HOURS = "hours"
    """Back to its hours."""


@dataclass(frozen=True, slots=True)
class SwitchHours(Step):
    """Switch the calendar; the outcome is ``answered`` or ``failed``."""

    calendar: str
    to: SwitchTo
    until_midnight: bool
    for_hours: str
    """A number of hours as the caller entered it; empty: until further notice."""


# --- nodes --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PinNode(Node):
    """Asks for the PIN of a calendar's switch, at most three times in a call."""

    calendar: str
    prompt: Pieces
    next: str
    otherwise: str
    """After all tries, or while too many wrong ones keep it locked."""
    failed: str
    """When nobody can say whether it is right."""
    tries: int = MOST_TRIES
    invalid_prompt: Pieces | None = None
    first_digit: timedelta = timedelta(seconds=8)
    next_digit: timedelta = timedelta(seconds=4)

    @property
    def secret(self) -> bool:
        """No key pressed here is kept anywhere."""
        return True

    def exits(self) -> Iterator[tuple[str, str]]:
        yield NEXT, self.next
        yield OTHERWISE, self.otherwise
        yield FAILED, self.failed

    def says(self) -> Iterator[tuple[str, Pieces]]:
        yield "prompt", self.prompt
        if self.invalid_prompt:
            yield "invalid_prompt", self.invalid_prompt

    def references(self) -> Iterator[Reference]:
        yield Reference("calendar", "hours", self.calendar)


@dataclass(frozen=True, slots=True)
class SwitchNode(Node):
    """Closes a calendar, keeps it open, or lets it follow its hours again; put a pin node before it."""

    calendar: str
    to: SwitchTo
    next: str
    otherwise: str
    """When it cannot be: the number of hours is none."""
    until_midnight: bool = False
    """To the end of the day by the calendar's clock."""
    for_hours: str = ""
    """The attribute that holds a number of hours; neither of both: until further notice."""

    def exits(self) -> Iterator[tuple[str, str]]:
        yield NEXT, self.next
        yield OTHERWISE, self.otherwise

    def reads(self) -> Iterator[tuple[str, str]]:
        if self.for_hours:
            yield "for_hours", self.for_hours

    def references(self) -> Iterator[Reference]:
        yield Reference("calendar", "hours", self.calendar)

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.until_midnight and self.for_hours:
            yield "for_hours", "and until are two ends; give one of them"


# --- what they do -------------------------------------------------------------------------------


def _say(run: FlowRun, node: PinNode, around: Circumstances) -> Step:
    return Say(0, spoken(run, node.prompt))


def _again(run: FlowRun, node: PinNode) -> Step:
    tries = run.tries + 1
    if tries >= node.tries:
        return Leave(OTHERWISE, node.otherwise)
    return Say(tries, spoken(run, (*pieces(node.invalid_prompt or ()), *pieces(node.prompt))))


def _listen(run: FlowRun, node: PinNode, around: Circumstances) -> Step:
    return Listen(node.first_digit)


def _key(run: FlowRun, node: PinNode, digit: str, around: Circumstances) -> Step | None:
    if run.ask:
        return None
    entered = run.secrets.get(ENTRY, "")
    if digit == "#":
        return _check(node, entered) if entered else _again(run, node)
    if digit not in DIGITS:
        return _again(run, node)
    return _check(node, entered + digit) if len(entered) + 1 >= LONGEST_PIN else TakeDigit(digit, node.next_digit, secret=True)


def _silence(run: FlowRun, node: PinNode, around: Circumstances) -> Step:
    entered = run.secrets.get(ENTRY, "")
    return _check(node, entered) if entered else _again(run, node)


def _check(node: PinNode, digits: str) -> Step:
    return CheckPin(node.calendar, PinQuestion(holder_of(node.calendar), digits))


def _outcome(run: FlowRun, node: PinNode, outcome: str, around: Circumstances) -> Step:
    if outcome == ANSWERED:
        return NotePin(node.calendar, right=True, then=Leave(NEXT, node.next))
    if outcome == WRONG:
        return NotePin(node.calendar, right=False, then=_again(run, node))
    return Leave(OTHERWISE, node.otherwise) if outcome == LOCKED else Leave(FAILED, node.failed)


def _asks(run: FlowRun, node: PinNode, around: Circumstances) -> Step:
    """After a gap of ours the digits may be gone; then it cannot be asked."""
    entered = run.secrets.get(ENTRY, "")
    return Ask(PinQuestion(holder_of(node.calendar), entered), BUDGET) if entered else Leave(FAILED, node.failed)


def _switch(run: FlowRun, node: SwitchNode, around: Circumstances) -> Step:
    asked = run.attributes.get(node.for_hours, "") or "0" if node.for_hours else ""
    return SwitchHours(node.calendar, node.to, node.until_midnight, asked)


def _switched(run: FlowRun, node: SwitchNode, outcome: str, around: Circumstances) -> Step:
    return Leave(NEXT, node.next) if outcome == ANSWERED else Leave(OTHERWISE, node.otherwise)


KINDS: Mapping[type, Kind] = {
    PinNode: Kind(_say, said=_listen, key=_key, silence=_silence, outcome=_outcome, asks=_asks, takes_time=True),
    SwitchNode: Kind(_switch, outcome=_switched),
}
