"""The steps a kind of node may answer with, and the row that says what a kind does at each moment.

A step says what is to be done next; ``domain.flows`` does it. Those that wait for something (a prompt, a key, an answer) end the turn;
the others are followed by the next at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from callcenter.domain.ivr.expressions import Circumstances
from callcenter.domain.ivr.questions import Question
from callcenter.domain.ivr.run import FlowRun
from callcenter.domain.ivr.speech import Pieces
from callcenter.domain.routing_config import Needs
from callcenter.domain.survey_kinds import SurveyKind


class Step:
    """One thing to do. A new kind of step is a frozen dataclass of this and a row in ``domain.flow_steps.TAKES``."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Say(Step):
    """Say the prompts at the present node."""

    tries: int
    prompts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listen(Step):
    """Wait for a key for so long."""

    timeout: timedelta


@dataclass(frozen=True, slots=True)
class TakeDigit(Step):
    """Keep the digit as part of the entry, and wait for the next one for so long."""

    digit: str
    timeout: timedelta
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Leave(Step):
    """Leave the node by this exit, to that node."""

    exit: str
    to: str


@dataclass(frozen=True, slots=True)
class Keep(Step):
    """The entry is whole: keep it as an attribute of the call, then leave."""

    attribute: str
    digits: str
    leave: Leave
    secret: bool = False


@dataclass(frozen=True, slots=True)
class SetAttributes(Step):
    """Set attributes of the call, then do what follows."""

    names: tuple[str, ...]
    values: tuple[str, ...]
    then: Step


@dataclass(frozen=True, slots=True)
class KeepAnswer(Step):
    """The caller answered a survey question: keep it, as an attribute of the call too if that has a name, then leave."""

    question: str
    kind: SurveyKind
    value: str
    attribute: str
    leave: Leave


@dataclass(frozen=True, slots=True)
class Ask(Step):
    """Ask the outside, and wait no longer than ``budget``; say the prompts meanwhile."""

    question: Question
    budget: timedelta
    prompts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EnterFlow(Step):
    """Go on in a sub-flow, which knows these parameters."""

    flow: str
    names: tuple[str, ...]
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReturnFlow(Step):
    """The sub-flow is over, with this outcome."""

    outcome: str


@dataclass(frozen=True, slots=True)
class PromiseCallback(Step):
    """Promise a callback; the outcome is ``promised`` or ``refused``."""

    queue: str
    attribute: str
    priority: int
    after: timedelta | None


@dataclass(frozen=True, slots=True)
class PauseRecording(Step):
    """Let nothing of the call be recorded, then leave."""

    leave: Leave


@dataclass(frozen=True, slots=True)
class ResumeRecording(Step):
    """Let the call be recorded again, then leave."""

    leave: Leave


@dataclass(frozen=True, slots=True)
class OptOut(Step):
    """Call the number in this attribute no more; the outcome is ``noted`` or ``refused``."""

    attribute: str


@dataclass(frozen=True, slots=True)
class EnterQueue(Step):
    """Leave the flow for a queue."""

    queue: str
    priority: int
    needs: Needs
    comes_back: bool = False
    """The caller is for one agent alone: when she does not answer, the node has an outcome, and the flow goes on."""


@dataclass(frozen=True, slots=True)
class DialOut(Step):
    """Hand the caller on to a number outside, which rings for so long."""

    number: str
    ring: timedelta


@dataclass(frozen=True, slots=True)
class HangUpCaller(Step):
    """Leave the flow and end the call."""


@dataclass(frozen=True, slots=True)
class Fail(Step):
    """It cannot go on here: by the error exit, which speaks."""

    why: str


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of node does; the functions take the run, the node and the circumstances."""

    enter: Callable[[FlowRun, Any, Circumstances], Step]
    """The caller has come to the node."""
    said: Callable[[FlowRun, Any, Circumstances], Step | None] | None = None
    """What the node says was heard to its end; None: nothing to do. Without it the node says nothing of its own."""
    key: Callable[[FlowRun, Any, str, Circumstances], Step | None] | None = None
    """A key was pressed; None: it means nothing at this moment. Without it keys mean nothing here."""
    silence: Callable[[FlowRun, Any, Circumstances], Step] | None = None
    """No key came in time. Without it the node never listens."""
    outcome: Callable[[FlowRun, Any, str, Circumstances], Step] | None = None
    """The outside answered, or a sub-flow came back. Without it the node asks nothing."""
    asks: Callable[[FlowRun, Any, Circumstances], Step] | None = None
    """Makes the question of the node again, after a restart; without it ``enter`` does."""
    keeps: Callable[[Any], bool] | None = None
    """Whether a key that is pressed here counts for the next node that takes keys; for kinds that take none themselves."""
    takes_time: bool = False
    """The caller hears or does something here, so a circle through it is not a silent one."""
    ends: bool = False
    """The flow run ends here."""


def spoken(run: FlowRun, said: Pieces) -> tuple[str, ...]:
    """The sounds that say it to this caller."""
    return run.speaker.say(said, run.attributes)
