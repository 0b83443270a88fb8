"""Facts of surveys: whom we asked, and what they answered."""

from dataclasses import dataclass
from datetime import datetime

from callcenter.domain.survey_kinds import SurveyKind


@dataclass(frozen=True, slots=True)
class SurveyOffered:
    """The agent has hung up, and the caller goes on into the queue's survey."""

    at: datetime
    call: str
    contact: str
    queue: str
    agent: str
    caller: str
    flow: str
    not_before: datetime
    """Until then this caller is not asked again."""


@dataclass(frozen=True, slots=True)
class SurveyAnswered:
    """The caller answered one question. Contact, queue and agent are those of the talk before; empty when there was none."""

    at: datetime
    call: str
    question: str
    asked: SurveyKind
    """What kind of question it was."""
    value: str
    """The number; the chosen value; the message in which the comment was spoken."""
    contact: str
    queue: str
    agent: str
    flow: str


@dataclass(frozen=True, slots=True)
class CallersSurveyed:
    """Who is not to be asked again before which date, the longest asked first; a checkpoint says it."""

    at: datetime
    callers: tuple[str, ...]
    not_before: tuple[datetime, ...]


SurveyCallFact = SurveyOffered | SurveyAnswered
SurveyFact = CallersSurveyed
