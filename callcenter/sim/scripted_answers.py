"""An outside that answers what it is told to, when it is told to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from callcenter.domain.commands import AskOutside, WithdrawAsk
from callcenter.domain.events import AskAnswered, Event
from callcenter.domain.ivr.questions import FAILED, Question
from callcenter.sim.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Scripted:
    """What comes of a question, and after how long; ``never``: nothing comes."""

    outcome: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    after: timedelta = timedelta(seconds=1)
    never: bool = False


Script = Callable[[Question], Scripted]


class ScriptedAnswers:
    """Takes questions in virtual time; to be asked the same twice is to be asked once."""

    def __init__(self, timeline: Timeline, tell: Callable[[Event], None]) -> None:
        self.asked: list[AskOutside] = []
        self.withdrawn: list[str] = []
        self.script: Script = lambda question: Scripted(FAILED)
        self._open: dict[str, AskOutside] = {}
        self._timeline = timeline
        self._tell = tell

    def take(self, command: AskOutside | WithdrawAsk) -> None:
        if isinstance(command, WithdrawAsk):
            self.withdrawn.append(command.ask)
            self._open.pop(command.ask, None)
        elif command.ask not in self._open:
            self.asked.append(command)
            self._open[command.ask] = command
            answer = self.script(command.question)
            if not answer.never:
                self._timeline.after(answer.after, self._answer, command, answer)

    def forget(self) -> None:
        """Our process died, and with it all that was being looked for."""
        self._open.clear()

    def _answer(self, command: AskOutside, answer: Scripted) -> None:
        if self._open.get(command.ask) is command:
            del self._open[command.ask]
            self._tell(AskAnswered(command.call, command.ask, answer.outcome, answer.attributes))
