"""What agents leave behind: wrap-up, disposition, notes, answers to a script, and how the talk sounded."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WrapUpEndRequested:
    agent: str


@dataclass(frozen=True, slots=True)
class WrapUpExtensionRequested:
    agent: str


@dataclass(frozen=True, slots=True)
class DispositionChosen:
    """The agent says what the contact has achieved, in mid-talk or in wrap-up."""

    agent: str
    disposition: str


@dataclass(frozen=True, slots=True)
class NoteWritten:
    """The agent has written something about the contact."""

    agent: str
    contact: str
    note: str


@dataclass(frozen=True, slots=True)
class ScriptAnswered:
    """The agent has filled in a script, or some of it."""

    agent: str
    contact: str
    script: str
    fields: tuple[str, ...]
    answers: tuple[str, ...]
    done: bool


@dataclass(frozen=True, slots=True)
class TalkFigures:
    """What a softphone counts of a talk; see ``facts.TalkMeasured``."""

    received: int
    lost: int
    jitter_ms: float
    rtt_ms: float
    worst_loss: float
    worst_jitter_ms: float
    worst_rtt_ms: float


@dataclass(frozen=True, slots=True)
class TalkHeard:
    """How the talk sounded at the agent's softphone."""

    agent: str
    contact: str
    figures: TalkFigures


WorkRequest = WrapUpEndRequested | WrapUpExtensionRequested | DispositionChosen | NoteWritten | ScriptAnswered | TalkHeard
